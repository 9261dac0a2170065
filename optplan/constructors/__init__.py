"""Make real param groups and optimizers.

Turns a module and an optimizer section into groups: registries, classes that users subclass, code of others.
Imports planner, model and config; a module imports torch only where it needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optplan.constructors.default_constructor import (
        DefaultOptimizerConstructor,
        DefaultOptimWrapperConstructor,
    )
    from optplan.constructors.layer_decay_constructor import LayerDecayOptimizerConstructor
    from optplan.constructors.live_optimizer import assert_matches
    from optplan.constructors.optimizers import OPTIMIZERS
    from optplan.constructors.registered import OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZER_CONSTRUCTORS
    from optplan.constructors.registry import Registry

__all__ = [
    "OPTIMIZERS",
    "OPTIMIZER_CONSTRUCTORS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "DefaultOptimWrapperConstructor",
    "DefaultOptimizerConstructor",
    "LayerDecayOptimizerConstructor",
    "Registry",
    "assert_matches",
]

_HOMES = {
    "OPTIMIZERS": "optimizers",
    "OPTIMIZER_CONSTRUCTORS": "registered",
    "OPTIM_WRAPPER_CONSTRUCTORS": "registered",
    "DefaultOptimWrapperConstructor": "default_constructor",
    "DefaultOptimizerConstructor": "default_constructor",
    "LayerDecayOptimizerConstructor": "layer_decay_constructor",
    "Registry": "registry",
    "assert_matches": "live_optimizer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
