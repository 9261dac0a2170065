"""Hold the plan that every command reads: immutable, plain data, serialisable.

Turns decisions and groups into a ``Plan``, its differences and explanations. Imports rules and facts; torch for
``Plan.from_optimizer`` alone.
"""

from optplan.plan.build import Assignment, build_plan, origin_of
from optplan.plan.plan import (
    FORMAT_VERSION,
    EmptyParamGroup,
    LrScaling,
    Origin,
    Plan,
    PlannedModel,
    PlannedOptimizer,
    PlannedParameter,
    RuleUse,
    Setting,
)
from optplan.plan.planned import Planned
from optplan.plan.values import hashable, plain

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
