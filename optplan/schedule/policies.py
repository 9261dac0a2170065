"""The policies of mmcv 1.x's hooks: their arguments, and what each makes of a base value at a step.

As mmcv 1.7.2 answers when it is run: the order of each computation is its own, so that results are equal to
the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from types import MappingProxyType
from typing import Any, NamedTuple

from optplan.schedule.catalog import Argument, SchedulerForm


class Position(NamedTuple):
    """A step of a training, and how many there are, in what a policy counts."""

    step: int
    length: int


# What a policy makes of a base value.
Value = Callable[[float, Mapping[str, Any], Position], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy.

    Args:
        arguments: Its own arguments.
        value: What it makes of a base value.
        counts_iterations: It goes by iterations alone.
        one_floor: It needs one of the two forms of its floor, and takes no more.
    """

    arguments: Mapping[str, Argument]
    value: Value
    counts_iterations: bool = False
    one_floor: bool = False


def annealed(start: float, end: float, share: float, strategy: str, weight: float = 1.0) -> float:
    """Return what lies between two values, along half a cosine or a line."""
    if strategy == "linear":
        return start + (end - start) * share
    return end + 0.5 * weight * (start - end) * (cos(pi * share) + 1)


def _fixed(base: float, *_: object) -> float:
    return base


def _step(base: float, given: Mapping[str, Any], at: Position) -> float:
    every = given["step"]
    if isinstance(every, int):
        passed = at.step // every
    else:
        passed = next((turn for turn, one in enumerate(every) if at.step < one), len(every))
    value: float = base * given["gamma"] ** passed
    return value if given["min"] is None else max(value, given["min"])


def _exp(base: float, given: Mapping[str, Any], at: Position) -> float:
    value: float = base * given["gamma"] ** at.step
    return value


def _poly(base: float, given: Mapping[str, Any], at: Position) -> float:
    floor = given["min"]
    value: float = (base - floor) * (1 - at.step / at.length) ** given["power"] + floor
    return value


def _inv(base: float, given: Mapping[str, Any], at: Position) -> float:
    value: float = base * (1 + given["gamma"] * at.step) ** (-given["power"])
    return value


def _target(base: float, given: Mapping[str, Any]) -> float:
    ratio, floor = given["min_ratio"], given["min"]
    target: float = floor if ratio is None else base * ratio
    return target


def _cosine(base: float, given: Mapping[str, Any], at: Position) -> float:
    return annealed(base, _target(base, given), at.step / at.length, "cos")


def _linear(base: float, given: Mapping[str, Any], at: Position) -> float:
    return annealed(base, _target(base, given), at.step / at.length, "linear")


def _flat_cosine(base: float, given: Mapping[str, Any], at: Position) -> float:
    start = round(at.length * given["start_percent"])
    if at.step < start:
        return base
    return annealed(base, _target(base, given), (at.step - start) / (at.length - start), "cos")


def _cosine_restart(base: float, given: Mapping[str, Any], at: Position) -> float:
    periods = given["periods"]
    ends = [sum(periods[: turn + 1]) for turn in range(len(periods))]
    turn = next((turn for turn, end in enumerate(ends) if at.step < end), None)
    if turn is None:
        raise ValueError(f"the periods end at {ends[-1] if ends else 0}")
    begun = ends[turn - 1] if turn else 0
    share = min((at.step - begun) / periods[turn], 1)
    return annealed(base, _target(base, given), share, "cos", given["restart_weights"][turn])


def _cyclic(base: float, given: Mapping[str, Any], at: Position) -> float:
    period = at.length // given["cyclic_times"]
    rise = int(given["step_ratio_up"] * period)
    place, scale = at.step % period, given["gamma"] ** (at.step // period)
    high, low = given["target_ratio"]
    begin, end, first, last = (0, rise, 1, high) if place < rise else (rise, period, high, low)
    # each cycle lies nearer to the base value than the one before it
    if begin == 0:
        last = 1 - scale + last * scale
    else:
        first = 1 - scale + first * scale
    share = (place - begin) / (end - begin)
    return annealed(base * first, base * last, share, given["anneal_strategy"])


def cycle_phases(
    total: int, given: Mapping[str, Any], turns: Sequence[Any]
) -> tuple[tuple[float, Any, Any], ...]:
    """Return the phases of a one-cycle policy: the last step, and what it starts from and goes to.

    Args:
        total: The steps of the cycle.
        given: The arguments.
        turns: What is at the start, at the peak, back at the start, and at the end.
    """
    start, peak, back, end = turns
    rise = float(given["pct_start"] * total) - 1
    if not given["three_phase"]:
        return (rise, start, peak), (total - 1, peak, end)
    fall = float(2 * given["pct_start"] * total) - 2
    return (rise, start, peak), (fall, peak, back), (total - 1, back, end)


def phase_at(step: int, phases: Sequence[tuple[float, Any, Any]]) -> tuple[float, Any, Any]:
    """Return how much of its phase a step has gone, and what that starts from and goes to."""
    at = next((at for at, phase in enumerate(phases) if step <= phase[0]), len(phases) - 1)
    begin = phases[at - 1][0] if at else 0
    end, start, goal = phases[at]
    return (step - begin) / (end - begin), start, goal


def _one_cycle(base: float, given: Mapping[str, Any], at: Position) -> float:
    total = at.length if given["total_steps"] is None else given["total_steps"]
    turns = (1, given["div_factor"], 1, 1 / given["final_div_factor"])
    share, start, goal = phase_at(at.step, cycle_phases(total, given, turns))
    return annealed(base * start, base * goal, share, given["anneal_strategy"])


def one_cycle_momentum(low: float, high: float, given: Mapping[str, Any], at: Position) -> float:
    """Return a momentum that falls from its highest value while the lr rises, and rises again."""
    phases = cycle_phases(at.length, given, (high, low, high, high))
    share, start, goal = phase_at(at.step, phases)
    return annealed(start, goal, share, given["anneal_strategy"])


_FLOOR = {
    "min": Argument(SchedulerForm.NUMBER, None),
    "min_ratio": Argument(SchedulerForm.NUMBER, None),
}
_STRATEGY = Argument(SchedulerForm.ANNEALING, "cos")
_COSINE = Policy(arguments=_FLOOR, value=_cosine, one_floor=True)
_LINEAR = Policy(arguments=_FLOOR, value=_linear, one_floor=True)
_CYCLE = {
    "pct_start": Argument(SchedulerForm.FLOAT_FRACTION, 0.3),
    "anneal_strategy": _STRATEGY,
    "three_phase": Argument(SchedulerForm.ANY, False),
}


def _step_policy(gamma: float) -> Policy:
    arguments = {
        "step": Argument(SchedulerForm.ANY),
        "gamma": Argument(SchedulerForm.NUMBER, gamma),
        "min": Argument(SchedulerForm.NUMBER, None),
    }
    return Policy(arguments=arguments, value=_step)


def _cyclic_policy(ratio: tuple[float, float]) -> Policy:
    arguments = {
        "target_ratio": Argument(SchedulerForm.ANY, ratio),
        "cyclic_times": Argument(SchedulerForm.COUNT, 1),
        "step_ratio_up": Argument(SchedulerForm.NUMBER, 0.4),
        "anneal_strategy": _STRATEGY,
        "gamma": Argument(SchedulerForm.NUMBER, 1),
    }
    return Policy(arguments=arguments, value=_cyclic, counts_iterations=True)


# By what a policy moves, then by its name: ``min`` is written min_lr or min_momentum.
POLICIES: Mapping[str, Mapping[str, Policy]] = MappingProxyType(
    {
        "lr": {
            "Fixed": Policy(arguments={}, value=_fixed),
            "Step": _step_policy(0.1),
            "Exp": Policy(arguments={"gamma": Argument(SchedulerForm.NUMBER)}, value=_exp),
            "Poly": Policy(
                arguments={
                    "power": Argument(SchedulerForm.NUMBER, 1.0),
                    "min": Argument(SchedulerForm.NUMBER, 0.0),
                },
                value=_poly,
            ),
            "Inv": Policy(
                arguments={
                    "gamma": Argument(SchedulerForm.NUMBER),
                    "power": Argument(SchedulerForm.NUMBER, 1.0),
                },
                value=_inv,
            ),
            "CosineAnnealing": _COSINE,
            "LinearAnnealing": _LINEAR,
            "FlatCosineAnnealing": Policy(
                arguments={"start_percent": Argument(SchedulerForm.FLOAT_FRACTION, 0.75), **_FLOOR},
                value=_flat_cosine,
                one_floor=True,
            ),
            "CosineRestart": Policy(
                arguments={
                    "periods": Argument(SchedulerForm.NUMBERS),
                    "restart_weights": Argument(SchedulerForm.NUMBERS, (1,)),
                    **_FLOOR,
                },
                value=_cosine_restart,
                one_floor=True,
            ),
            "Cyclic": _cyclic_policy((10, 1e-4)),
            "OneCycle": Policy(
                arguments={
                    "max_lr": Argument(SchedulerForm.ANY),
                    "total_steps": Argument(SchedulerForm.COUNT, None),
                    **_CYCLE,
                    "div_factor": Argument(SchedulerForm.NUMBER, 25),
                    "final_div_factor": Argument(SchedulerForm.NUMBER, 1e4),
                },
                value=_one_cycle,
                counts_iterations=True,
            ),
        },
        "momentum": {
            "Step": _step_policy(0.5),
            "CosineAnnealing": _COSINE,
            "LinearAnnealing": _LINEAR,
            "Cyclic": _cyclic_policy((0.85 / 0.95, 1.0)),
            "OneCycle": Policy(
                arguments={
                    "base_momentum": Argument(SchedulerForm.ANY, 0.85),
                    "max_momentum": Argument(SchedulerForm.ANY, 0.95),
                    **_CYCLE,
                },
                value=_fixed,
                counts_iterations=True,
            ),
        },
    }
)
ONE_CYCLE = "OneCycle"
