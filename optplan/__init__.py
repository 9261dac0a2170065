"""optplan shows which learning rate and weight decay every parameter will really get, and why.

Nothing here imports torch until a name that needs it is used.
"""

from __future__ import annotations

from optplan.delegation import delegate_to
from optplan.version import __version__

# typing and importlib are not imported: until a command handles Ctrl-C, every millisecond counts
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from optplan.app.planning import build_optimizer, build_optimizers, make_plan
    from optplan.app.python import check, diff, plan, schedule
    from optplan.config import Batch, Config
    from optplan.constructors import (
        OPTIM_WRAPPER_CONSTRUCTORS,
        OPTIMIZER_CONSTRUCTORS,
        OPTIMIZERS,
        DefaultOptimizerConstructor,
        DefaultOptimWrapperConstructor,
        LayerDecayOptimizerConstructor,
        assert_matches,
    )
    from optplan.dialects import load_config
    from optplan.errors import OptplanError
    from optplan.guard import PlanGuard
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
    "PlanGuard",
    "__version__",
    "assert_matches",
    "build_optimizer",
    "build_optimizers",
    "check",
    "diff",
    "load_config",
    "load_model",
    "make_plan",
    "plan",
    "schedule",
]

_HOMES = {
    "Batch": "optplan.config",
    "Config": "optplan.config",
    "load_config": "optplan.dialects",
    "load_model": "optplan.model",
    "OptplanError": "optplan.errors",
    "Plan": "optplan.plan",
    "PlanGuard": "optplan.guard",
    "OPTIMIZERS": "optplan.constructors",
    "OPTIMIZER_CONSTRUCTORS": "optplan.constructors",
    "OPTIM_WRAPPER_CONSTRUCTORS": "optplan.constructors",
    "DefaultOptimizerConstructor": "optplan.constructors",
    "DefaultOptimWrapperConstructor": "optplan.constructors",
    "assert_matches": "optplan.constructors",
    "LayerDecayOptimizerConstructor": "optplan.constructors",
    "build_optimizer": "optplan.app.planning",
    "build_optimizers": "optplan.app.planning",
    "check": "optplan.app.python",
    "diff": "optplan.app.python",
    "make_plan": "optplan.app.planning",
}

delegate_to("optplan.app.presentation")

# packages that can be called, as optplan.callable_module says
_PACKAGES = frozenset({"plan", "schedule"})


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        from importlib import import_module

        return import_module(f"optplan.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'optplan' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
