"""The steps that a user asks for: an iteration, an epoch, a share of the training."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite

from optplan.errors import UsageError
from optplan.schedule.training import Training, Unit

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
    return {_step(word, training, unit) for word in words}


def _step(word: str, training: Training, unit: Unit) -> int:
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
