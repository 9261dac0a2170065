"""Step schedulers of optplan's own, equal to the reference's to the last bit.

Turns the numbers of a scheduler into the values of groups. Imports the specs of schedule, never torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from optplan.schedule.catalog import Family
from optplan.schedule.schedulers.curve import Curve
from optplan.schedule.schedulers.cycle import OneCycle, ReduceOnPlateau
from optplan.schedule.schedulers.factors import Constant, Exponential, Linear, MultiStep, StepFactor
from optplan.schedule.schedulers.floors import CosineAnnealing, CosineRestart, Poly
from optplan.schedule.specs import FOREVER, Spec

CURVES: Mapping[Family, type[Curve]] = {
    Family.STEP: StepFactor,
    Family.MULTI_STEP: MultiStep,
    Family.CONSTANT: Constant,
    Family.EXPONENTIAL: Exponential,
    Family.COSINE_ANNEALING: CosineAnnealing,
    Family.LINEAR: Linear,
    Family.POLY: Poly,
    Family.ONE_CYCLE: OneCycle,
    Family.COSINE_RESTART: CosineRestart,
    Family.REDUCE_ON_PLATEAU: ReduceOnPlateau,
}

__all__ = ["CURVES", "FOREVER", "Curve", "ReduceOnPlateau", "may_break_down"]


def may_break_down(spec: Spec) -> bool:
    """Return whether a scheduler may come to a step that it has no value for."""
    arguments, is_broken = spec.arguments, spec.end - spec.begin != int(spec.end - spec.begin)
    match spec.family:
        case Family.ONE_CYCLE | Family.COSINE_RESTART | Family.MULTI_STEP:
            return True
        case Family.CONSTANT:
            return bool(arguments["factor"] == 0)
        case Family.LINEAR:
            return is_broken or bool(arguments["start_factor"] == 0)
        case Family.POLY:
            return is_broken or bool(arguments["power"] < 0)
        case Family.STEP | Family.EXPONENTIAL | Family.COSINE_ANNEALING | Family.REDUCE_ON_PLATEAU:
            return False
        case _:
            assert_never(spec.family)
