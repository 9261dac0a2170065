"""Optimizer constructors: the registries, the classes that users subclass, and the dry run."""

from optplan.constructors.default import (
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIMIZER_CONSTRUCTORS,
    DefaultOptimizerConstructor,
    DefaultOptimWrapperConstructor,
)
from optplan.constructors.layer_decay import LayerDecayOptimizerConstructor
from optplan.constructors.live import assert_matches
from optplan.constructors.optimizers import OPTIMIZERS
from optplan.constructors.planning import (
    build_optimizer,
    build_optimizers,
    make_plan,
    plan_with_facts,
)
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
    "build_optimizer",
    "build_optimizers",
    "make_plan",
    "plan_with_facts",
]
