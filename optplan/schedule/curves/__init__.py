"""The schedulers that optplan steps itself, equal to the reference's to the last bit."""

from __future__ import annotations

from collections.abc import Mapping

from optplan.schedule.catalog import Family
from optplan.schedule.curves.base import Curve
from optplan.schedule.curves.cycle import OneCycle, ReduceOnPlateau
from optplan.schedule.curves.factors import Constant, Exponential, Linear, MultiStep, Step
from optplan.schedule.curves.floors import CosineAnnealing, CosineRestart, Poly
from optplan.schedule.specs import FOREVER

CURVES: Mapping[Family, type[Curve]] = {
    Family.STEP: Step,
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

__all__ = ["CURVES", "FOREVER", "Curve", "ReduceOnPlateau"]
