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


class Form(StrEnum):
    """What the value of an argument has to be."""

    NUMBER = "a number"
    FRACTION = "a number between 0 and 1"
    FLOAT_FRACTION = "a float between 0 and 1"
    BELOW_ONE = "a number below 1"
    PERIOD = "a positive number"
    COUNT = "a positive whole number"
    WHOLE = "a whole number"
    NUMBERS = "a list of numbers"
    NUMBER_OR_NUMBERS = "a number, or one for each param group"
    ANNEALING = "'cos' or 'linear'"
    COMPARISON = "'less' or 'greater'"
    THRESHOLD = "'rel' or 'abs'"
    WARMUP = "'constant', 'linear' or 'exp'"
    SHARE = "at least 0 and below 1"
    RATIO = "above 0 and at most 1"
    STEPS = "a whole number above 0, or a list of such numbers"
    TARGETS = "a float, or a tuple of two numbers"
    PEAKS = "a number, a list of numbers, or such lists by optimizer"
    MOMENTA = "a float, a list of numbers, or such lists by optimizer"
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

    form: Form
    default: Any = REQUIRED
    ticks: bool = False


ARGUMENTS: Mapping[Family, Mapping[str, Argument]] = {
    Family.STEP: {
        "step_size": Argument(Form.PERIOD, ticks=True),
        "gamma": Argument(Form.NUMBER, 0.1),
    },
    Family.MULTI_STEP: {
        "milestones": Argument(Form.NUMBERS, ticks=True),
        "gamma": Argument(Form.NUMBER, 0.1),
    },
    Family.CONSTANT: {"factor": Argument(Form.FRACTION, 1.0 / 3)},
    Family.EXPONENTIAL: {"gamma": Argument(Form.NUMBER)},
    Family.COSINE_ANNEALING: {
        "T_max": Argument(Form.PERIOD, None, ticks=True),
        "eta_min": Argument(Form.NUMBER, None),
        "eta_min_ratio": Argument(Form.NUMBER, None),
    },
    Family.LINEAR: {
        "start_factor": Argument(Form.FRACTION, 1.0 / 3),
        "end_factor": Argument(Form.FRACTION, 1.0),
    },
    Family.POLY: {
        "eta_min": Argument(Form.NUMBER, 0),
        "power": Argument(Form.NUMBER, 1.0),
    },
    Family.ONE_CYCLE: {
        "eta_max": Argument(Form.NUMBER_OR_NUMBERS, 0),
        "total_steps": Argument(Form.COUNT, None, ticks=True),
        "pct_start": Argument(Form.FLOAT_FRACTION, 0.3),
        "anneal_strategy": Argument(Form.ANNEALING, "cos"),
        "div_factor": Argument(Form.NUMBER, 25.0),
        "final_div_factor": Argument(Form.NUMBER, 1e4),
        "three_phase": Argument(Form.ANY, False),
    },
    Family.COSINE_RESTART: {
        "periods": Argument(Form.NUMBERS, ticks=True),
        "restart_weights": Argument(Form.NUMBERS, (1,)),
        "eta_min": Argument(Form.NUMBER, None),
        "eta_min_ratio": Argument(Form.NUMBER, None),
    },
    Family.REDUCE_ON_PLATEAU: {
        "monitor": Argument(Form.TEXT, "loss"),
        "rule": Argument(Form.COMPARISON, "less"),
        "factor": Argument(Form.BELOW_ONE, 0.1),
        "patience": Argument(Form.NUMBER, 10),
        "threshold": Argument(Form.NUMBER, 1e-4),
        "threshold_rule": Argument(Form.THRESHOLD, "rel"),
        "cooldown": Argument(Form.NUMBER, 0),
        "min_value": Argument(Form.NUMBER_OR_NUMBERS, 0.0),
        "eps": Argument(Form.NUMBER, 1e-8),
    },
}

# What every scheduler takes.
COMMON = ("begin", "end", "last_step", "by_epoch", "verbose", "convert_to_iter_based")


class Target(StrEnum):
    """What a scheduler moves; the value is how its class's name ends."""

    LR = "LR"
    MOMENTUM = "Momentum"
    PARAM = "ParamScheduler"


@dataclass(frozen=True, slots=True)
class Known:
    """A scheduler class: its kind, and what it moves."""

    family: Family
    target: Target


def _known() -> dict[str, Known]:
    found = {f"{family}{target}": Known(family, target) for family in Family for target in Target}
    del found[f"{Family.ONE_CYCLE}{Target.MOMENTUM}"]
    return found


KNOWN: Mapping[str, Known] = _known()
