"""Config files, read without being executed, and the optimizer section in them."""

from optplan.config.optimizer import Form, OptimizerConfig, find_optimizer
from optplan.config.placed import place_of
from optplan.config.symbols import Symbol

__all__ = ["Form", "OptimizerConfig", "Symbol", "find_optimizer", "place_of"]


class Config:
    """Being written."""


def load_config(path: str) -> Config:
    """Being written."""
    raise NotImplementedError(path)
