"""optplan shows which learning rate and weight decay every parameter will really get, and why.

Nothing here imports torch until a name that needs it is used.
"""

from __future__ import annotations

__version__ = "0.1.0"

# typing and importlib are not imported: until a command handles Ctrl-C, every millisecond counts
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from optplan.config import Batch, Config, load_config
    from optplan.constructors import (
        OPTIM_WRAPPER_CONSTRUCTORS,
        OPTIMIZER_CONSTRUCTORS,
        OPTIMIZERS,
        DefaultOptimizerConstructor,
        DefaultOptimWrapperConstructor,
        LayerDecayOptimizerConstructor,
        assert_matches,
        build_optimizer,
        build_optimizers,
        make_plan,
        plan_from_optimizer,
    )
    from optplan.errors import OptplanError
    from optplan.model import load_model
    from optplan.plan import Plan

__all__ = [
    "OPTIMIZERS",
    "OPTIMIZER_CONSTRUCTORS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "Batch",
    "Config",
    "DefaultOptimWrapperConstructor",
    "DefaultOptimizerConstructor",
    "LayerDecayOptimizerConstructor",
    "OptplanError",
    "Plan",
    "__version__",
    "assert_matches",
    "build_optimizer",
    "build_optimizers",
    "load_config",
    "load_model",
    "make_plan",
    "plan_from_optimizer",
]

_HOMES = {
    "Batch": "optplan.config",
    "Config": "optplan.config",
    "load_config": "optplan.config",
    "load_model": "optplan.model",
    "OptplanError": "optplan.errors",
    "Plan": "optplan.plan",
    "OPTIMIZERS": "optplan.constructors",
    "OPTIMIZER_CONSTRUCTORS": "optplan.constructors",
    "OPTIM_WRAPPER_CONSTRUCTORS": "optplan.constructors",
    "DefaultOptimizerConstructor": "optplan.constructors",
    "DefaultOptimWrapperConstructor": "optplan.constructors",
    "assert_matches": "optplan.constructors",
    "LayerDecayOptimizerConstructor": "optplan.constructors",
    "build_optimizer": "optplan.constructors",
    "build_optimizers": "optplan.constructors",
    "make_plan": "optplan.constructors",
    "plan_from_optimizer": "optplan.constructors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'optplan' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
