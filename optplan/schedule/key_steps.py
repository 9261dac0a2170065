"""Find the steps of a training that a user asks for, and those at which something begins, turns or ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from optplan.errors import UsageError
from optplan.schedule.catalog import Family
from optplan.schedule.policies import cycle_phases
from optplan.schedule.schedulers.cycle import phases
from optplan.schedule.specs import AnySpec, ForeignSpec, HookSpec, Spec, whole_tick
from optplan.schedule.training import Training, Unit

START = "start"
END = "end"
_MOST = 12  # of the turns of one scheduler
# What arguments of other packages' schedulers say.
_TELLING = {
    "begin": "begins",
    "milestones": "milestone",
    "decay_milestones": "milestone",
    "warmup_epochs": "warm-up ends",
    "total_iters": "ends",
    "end": "ends",
}


def telling_steps(
    specs: Iterable[AnySpec], training: Training, unit: Unit
) -> dict[int, tuple[str, ...]]:
    """Return the steps that matter with what happens there, ascending; the first and the last are among them."""
    last = training.steps(unit) - 1
    found: dict[int, list[str]] = {0: [START]}
    for spec in specs:
        library = spec.library if isinstance(spec, ForeignSpec) else None
        by_epoch = spec.by_epoch or (library is not None and library.counts_epochs)
        for tick, what in _turns(spec):
            step = _step(tick, by_epoch, training, unit)
            if step is not None and 0 < step <= last:
                known = found.setdefault(step, [])
                if what not in known:
                    known.append(what)
    found.setdefault(last, []).append(END)
    return {step: tuple(found[step]) for step in sorted(found)}


def _step(tick: int, by_epoch: bool, training: Training, unit: Unit) -> int | None:
    """Return the step at which a tick's values are used; None where the tick is never made."""
    if not by_epoch or unit is Unit.EPOCH:
        return tick
    if not training.by_epoch or training.per_epoch is None:
        return None
    return tick * training.per_epoch


def _turns(spec: AnySpec) -> Iterator[tuple[int, str]]:
    if isinstance(spec, HookSpec):
        yield from _hook_turns(spec)
        return
    if not isinstance(spec, Spec):
        yield from _foreign_turns(spec)
        return
    first, stop = whole_tick(spec.begin), whole_tick(spec.end)
    yield first, f"{spec.name} begins"
    inner = [(first + place, what) for place, what in _inner(spec) if first < first + place < stop]
    yield from inner[:_MOST]
    yield stop, f"{spec.name} ends"


def _inner(spec: Spec) -> Iterator[tuple[int, str]]:
    """Yield the positions at which a scheduler turns, counted from its begin."""
    shift = spec.last_step + 1
    for position, what in _positions(spec):
        yield whole_tick(position) - shift, what


def _positions(spec: Spec) -> Sequence[tuple[float, str]]:
    arguments = spec.arguments
    match spec.family:
        case Family.MULTI_STEP:
            return [(one, "milestone") for one in sorted(set(arguments["milestones"]))]
        case Family.STEP:
            return [(turn * arguments["step_size"], "step") for turn in range(1, _MOST + 1)]
        case Family.COSINE_ANNEALING if arguments["T_max"] is not None:
            return [(turn * arguments["T_max"], "turn") for turn in range(1, _MOST + 1)]
        case Family.COSINE_RESTART:
            ends = [sum(arguments["periods"][: i + 1]) for i in range(len(arguments["periods"]))]
            return [(end, "restart") for end in ends]
        case Family.ONE_CYCLE:
            return [
                (phase.end, "peak" if i == 0 else "turn")
                for i, phase in enumerate(phases(spec)[:-1])
            ]
        case _:
            return []


def _hook_turns(spec: HookSpec) -> Iterator[tuple[int, str]]:
    """Yield the ticks at which a policy of mmcv 1.x turns."""
    yield 0, f"{spec.name} begins"
    if spec.warmup is not None:
        yield spec.warmup.iterations, "end of warm-up"
    ticks = (spec.per_epoch or 1) if spec.counts_epochs and not spec.by_epoch else 1
    for step, what in _policy_turns(spec)[:_MOST]:
        if 0 < step < spec.length:
            yield whole_tick(step) * ticks, what


def _policy_turns(spec: HookSpec) -> list[tuple[float, str]]:
    given = spec.arguments
    match spec.policy:
        case "Step" if isinstance(given["step"], int):
            return [(turn * given["step"], "step") for turn in range(1, _MOST + 1)]
        case "Step":
            return [(one, "milestone") for one in sorted(set(given["step"]))]
        case "FlatCosineAnnealing":
            return [(round(spec.length * given["start_percent"]), "turn")]
        case "CosineRestart":
            periods = given["periods"]
            return [(sum(periods[: at + 1]), "restart") for at in range(len(periods))]
        case "Cyclic":
            period = max(1, spec.length // given["cyclic_times"])
            rise = int(given["step_ratio_up"] * period)
            turns = range(spec.length // period + 1)[:_MOST]
            return [(turn * period + rise, "peak") for turn in turns]
        case "OneCycle":
            total = given.get("total_steps") or spec.length
            return [(end, "turn") for end, _, _ in cycle_phases(total, given, (0, 0, 0, 0))[:-1]]
        case _:
            return []


def _foreign_turns(spec: ForeignSpec) -> Iterator[tuple[int, str]]:
    """Yield what the arguments of another package's scheduler tell."""
    for name, what in _TELLING.items():
        value = spec.arguments.get(name)
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, int | float) and not isinstance(one, bool) and one > 0:
                yield whole_tick(one), what


_WORD = re.compile(r"(\d+(?:\.\d+)?)(ep|it|%)?")


def asked_steps(words: Iterable[str], training: Training, unit: Unit) -> set[int]:
    """Return the steps that the words name.

    Args:
        words: ``1000`` in the steps' own unit, ``1000it``, ``12ep`` or ``50%``.
        training: How long the training is.
        unit: What its steps are counted in.

    Raises:
        UsageError: A word of another form, or beyond the training.
    """
    return {_requested(word, training, unit) for word in words}


def _requested(word: str, training: Training, unit: Unit) -> int:
    match = _WORD.fullmatch(word.strip())
    if match is None:
        raise UsageError(f"--at {word}: that is no step", hint="write 1000, 1000it, 12ep or 50%")
    value, kind = float(match[1]), match[2]
    length = training.steps(unit)
    if kind == "%":
        found = value / 100 * (length - 1)
    elif kind is None or kind == ("ep" if unit is Unit.EPOCH else "it"):
        found = value
    else:
        found = _converted(word, value, training, unit)
    if not isfinite(found) or found >= length or (kind == "%" and value > 100):
        raise UsageError(
            f"--at {word}: the training ends before",
            hint=f"its last {unit} is {length - 1}",
        )
    return int(found)


def _converted(word: str, value: float, training: Training, unit: Unit) -> float:
    if not training.by_epoch:
        raise UsageError(f"--at {word}: this training has no epochs, it counts iterations")
    if training.per_epoch is None:
        raise UsageError(
            f"--at {word}: how many iterations has an epoch?", hint="give --iters-per-epoch N"
        )
    return value / training.per_epoch if unit is Unit.EPOCH else value * training.per_epoch
