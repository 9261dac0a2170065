"""Hold the plan that every command reads: immutable, plain data, serialisable.

Turns decisions and groups into a ``Plan``, its differences and explanations. Imports rules and facts, never torch.
``optplan.delegation`` runs what methods of a plan, as ``Plan.from_optimizer``, need from the rooms above.
"""

from optplan.callable_module import make_callable
from optplan.plan.build import Assignment, build_plan, origin_of
from optplan.plan.lr_scaling import LrScaling, Origin
from optplan.plan.plan import (
    FORMAT_VERSION,
    EmptyParamGroup,
    Plan,
    PlannedModel,
    PlannedOptimizer,
    PlannedParameter,
    RuleUse,
    Setting,
)
from optplan.plan.planned import Planned
from optplan.plan.values import hashable, plain

# optplan.plan is a function, too: Python looks for both under one name
make_callable(__name__, "optplan.app.python")

__all__ = [
    "FORMAT_VERSION",
    "Assignment",
    "EmptyParamGroup",
    "LrScaling",
    "Origin",
    "Plan",
    "Planned",
    "PlannedModel",
    "PlannedOptimizer",
    "PlannedParameter",
    "RuleUse",
    "Setting",
    "build_plan",
    "hashable",
    "origin_of",
    "plain",
]
