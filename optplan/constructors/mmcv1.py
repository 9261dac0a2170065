"""The constructors of mmcv 1.x: its default one, and those that somebody has registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optplan.constructors.default_constructor import DefaultOptimizerConstructor
from optplan.constructors.lookup import registered_in_mmcv1
from optplan.constructors.registered import OPTIMIZER_CONSTRUCTORS
from optplan.rules import MMCV1_RULES

DEFAULT_OF_MMCV1 = "DefaultOptimizerConstructor"


class Mmcv1OptimizerConstructor(DefaultOptimizerConstructor):
    """Makes the groups that the default constructor of mmcv 1.x makes."""

    rules = MMCV1_RULES


def constructor_of_mmcv1(name: str) -> Callable[..., Any] | None:
    """Return the constructor that mmcv 1.x would find under a name, None for none.

    Args:
        name: The name as the config writes it.
    """
    found = OPTIMIZER_CONSTRUCTORS.added(name) or registered_in_mmcv1("OPTIMIZER_BUILDERS", name)
    return found or (Mmcv1OptimizerConstructor if name == DEFAULT_OF_MMCV1 else None)
