"""The schedulers that optplan steps itself: their names, and the arguments that they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# What stands for an open end.
NO_END = 10**9


class Family(StrEnum):
    """The kinds of schedulers; the value is how their classes' names begin."""

    STEP = "Step"
    MULTI_STEP = "MultiStep"
    CONSTANT = "Constant"
    EXPONENTIAL = "Exponential"
    COSINE_ANNEALING = "CosineAnnealing"
    LINEAR = "Linear"
    POLY = "Poly"
    ONE_CYCLE = "OneCycle"
    COSINE_RESTART = "CosineRestart"
    REDUCE_ON_PLATEAU = "ReduceOnPlateau"


class SchedulerForm(StrEnum):
    """What the value of an argument has to be."""

    NUMBER = "a number"
    FRACTION = "a number between 0 and 1"
    FLOAT_FRACTION = "a float between 0 and 1"
    BELOW_ONE = "a number below 1"
    PERIOD = "a positive number"
    COUNT = "a positive whole number"
    NUMBERS = "a list of numbers"
    NUMBER_OR_NUMBERS = "a number, or one for each param group"
    ANNEALING = "'cos' or 'linear'"
    COMPARISON = "'less' or 'greater'"
    THRESHOLD = "'rel' or 'abs'"
    TEXT = "a text"
    ANY = "anything"


class Required(StrEnum):
    """The mark of an argument without a default."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: the form of its value, its default, and whether it counts ticks.

    A count of ticks is multiplied when a scheduler by epochs is converted to iterations.
    """

    form: SchedulerForm
    default: Any = REQUIRED
    ticks: bool = False


ARGUMENTS: Mapping[Family, Mapping[str, Argument]] = {
    Family.STEP: {
        "step_size": Argument(SchedulerForm.PERIOD, ticks=True),
        "gamma": Argument(SchedulerForm.NUMBER, 0.1),
    },
    Family.MULTI_STEP: {
        "milestones": Argument(SchedulerForm.NUMBERS, ticks=True),
        "gamma": Argument(SchedulerForm.NUMBER, 0.1),
    },
    Family.CONSTANT: {"factor": Argument(SchedulerForm.FRACTION, 1.0 / 3)},
    Family.EXPONENTIAL: {"gamma": Argument(SchedulerForm.NUMBER)},
    Family.COSINE_ANNEALING: {
        "T_max": Argument(SchedulerForm.PERIOD, None, ticks=True),
        "eta_min": Argument(SchedulerForm.NUMBER, None),
        "eta_min_ratio": Argument(SchedulerForm.NUMBER, None),
    },
    Family.LINEAR: {
        "start_factor": Argument(SchedulerForm.FRACTION, 1.0 / 3),
        "end_factor": Argument(SchedulerForm.FRACTION, 1.0),
    },
    Family.POLY: {
        "eta_min": Argument(SchedulerForm.NUMBER, 0),
        "power": Argument(SchedulerForm.NUMBER, 1.0),
    },
    Family.ONE_CYCLE: {
        "eta_max": Argument(SchedulerForm.NUMBER_OR_NUMBERS, 0),
        "total_steps": Argument(SchedulerForm.COUNT, None, ticks=True),
        "pct_start": Argument(SchedulerForm.FLOAT_FRACTION, 0.3),
        "anneal_strategy": Argument(SchedulerForm.ANNEALING, "cos"),
        "div_factor": Argument(SchedulerForm.NUMBER, 25.0),
        "final_div_factor": Argument(SchedulerForm.NUMBER, 1e4),
        "three_phase": Argument(SchedulerForm.ANY, False),
    },
    Family.COSINE_RESTART: {
        "periods": Argument(SchedulerForm.NUMBERS, ticks=True),
        "restart_weights": Argument(SchedulerForm.NUMBERS, (1,)),
        "eta_min": Argument(SchedulerForm.NUMBER, None),
        "eta_min_ratio": Argument(SchedulerForm.NUMBER, None),
    },
    Family.REDUCE_ON_PLATEAU: {
        "monitor": Argument(SchedulerForm.TEXT, "loss"),
        "rule": Argument(SchedulerForm.COMPARISON, "less"),
        "factor": Argument(SchedulerForm.BELOW_ONE, 0.1),
        "patience": Argument(SchedulerForm.NUMBER, 10),
        "threshold": Argument(SchedulerForm.NUMBER, 1e-4),
        "threshold_rule": Argument(SchedulerForm.THRESHOLD, "rel"),
        "cooldown": Argument(SchedulerForm.NUMBER, 0),
        "min_value": Argument(SchedulerForm.NUMBER_OR_NUMBERS, 0.0),
        "eps": Argument(SchedulerForm.NUMBER, 1e-8),
    },
}

# What every scheduler takes.
COMMON = ("begin", "end", "last_step", "by_epoch", "verbose", "convert_to_iter_based")


class ScheduledEntry(StrEnum):
    """What a scheduler moves; the value is how its class's name ends."""

    LR = "LR"
    MOMENTUM = "Momentum"
    PARAM = "ParamScheduler"


@dataclass(frozen=True, slots=True)
class Known:
    """A scheduler class: its kind, and what it moves."""

    family: Family
    target: ScheduledEntry


def _known() -> dict[str, Known]:
    found = {
        f"{family}{target}": Known(family, target) for family in Family for target in ScheduledEntry
    }
    del found[f"{Family.ONE_CYCLE}{ScheduledEntry.MOMENTUM}"]
    return found


KNOWN: Mapping[str, Known] = _known()
