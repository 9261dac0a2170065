"""How lr, weight decay and initialization of parameters change with a model's width, beside the table of µP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, log, sqrt

from optplan.plan.plan import PlannedParameter

# Modules whose weights have the input dimension first; all others have the output dimension there.
_INPUT_FIRST = frozenset(
    {
        "Embedding",
        "EmbeddingBag",
        "Conv1D",
        "ConvTranspose1d",
        "ConvTranspose2d",
        "ConvTranspose3d",
    }
)
# How far an exponent may be from that of the table: as floats compute it, and as one draw of random weights shows it.
EXACT, ESTIMATED = 0.01, 0.1


class WidthKind(StrEnum):
    """What a parameter is to the width, by its dimensions that grow."""

    INPUT = "input"
    HIDDEN = "hidden"
    OUTPUT = "output"
    VECTOR = "vector-like"
    FIXED = "fixed"


class UpdateKind(StrEnum):
    """The columns of the table for the lr."""

    SGD = "SGD"
    ADAM = "Adam"


@dataclass(frozen=True, slots=True, kw_only=True)
class MupRow:
    """The exponents of width in one row of the table: of the lr for each kind of update, and of the std."""

    lr: Mapping[UpdateKind, float]
    init: float


def _row(sgd: float, adam: float, init: float) -> MupRow:
    return MupRow(lr={UpdateKind.SGD: sgd, UpdateKind.ADAM: adam}, init=init)


# Yang et al. 2022, arXiv:2203.03466, table 3: for the input and all biases lr ∝ fan_out (SGD) or 1 (Adam) and variance ∝
# 1/fan_in, which does not grow; for the output lr ∝ 1/fan_in (both) and variance ∝ 1/fan_in²; for hidden weights lr ∝ 1
# (SGD) or 1/fan_in (Adam) and variance ∝ 1/fan_in. The exponent of the std is half that of the variance.
MUP: Mapping[WidthKind, MupRow] = {
    WidthKind.INPUT: _row(1.0, 0.0, 0.0),
    WidthKind.VECTOR: _row(1.0, 0.0, 0.0),
    WidthKind.HIDDEN: _row(0.0, -1.0, -0.5),
    WidthKind.OUTPUT: _row(-1.0, -1.0, -1.0),
}
# Table 8 of the same, where the output is multiplied by 1/fan_in in the forward.
MUP_MULTIPLIED_OUTPUT = _row(1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponent:
    """A power of the width that values follow.

    Args:
        value: The slope of a line through their logarithms; None where one is zero, or not known.
        error: The standard error of the slope, where values are estimated from so many random weights.
        is_zero: All values are zero.
    """

    value: float | None
    error: float = 0.0
    is_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledParameter:
    """A parameter at each width.

    Args:
        name: Its name.
        kind: What it is to the width.
        optimizer: The class of its optimizer; None for what is in none.
        elements: How many it has at each width.
        lr, weight_decay, init: Its values at each width; None where they are not known.
    """

    name: str
    kind: WidthKind
    optimizer: str | None
    elements: tuple[int, ...]
    lr: tuple[float | None, ...]
    weight_decay: tuple[float | None, ...]
    init: tuple[float | None, ...]


def kind_of(rows: Sequence[PlannedParameter]) -> WidthKind:
    """Return what a parameter is to the width.

    Args:
        rows: It at each width.
    """
    first = rows[0]
    grows = [len({row.shape[at] for row in rows}) > 1 for at in range(len(first.shape))]
    if not any(grows):
        return WidthKind.FIXED
    owner = first.module.rpartition(".")[2]
    is_matrix = len(grows) >= 2 and first.name.rpartition(".")[2].endswith("weight")
    if not is_matrix or first.shape[1] == 1:
        return WidthKind.HIDDEN if sum(grows) > 1 else WidthKind.VECTOR
    into, out = (0, 1) if owner in _INPUT_FIRST else (1, 0)
    if grows[into] and grows[out]:
        return WidthKind.HIDDEN
    return WidthKind.OUTPUT if grows[into] else WidthKind.INPUT


def update_kind(class_name: str | None) -> UpdateKind | None:
    """Return the column of the table for a class, by its name; None where the table has none."""
    name = (class_name or "").rpartition(".")[2]
    if name.startswith("SGD"):
        return UpdateKind.SGD
    return UpdateKind.ADAM if "Adam" in name else None


def exponent(
    widths: Sequence[float], values: Sequence[float | None], drawn: Sequence[int] = ()
) -> Exponent:
    """Return the slope of the least-squares line through the logarithms.

    Args:
        widths: Two or more.
        values: A value at each.
        drawn: Of how many random weights each is the root mean square, whose logarithm has the variance 1/(2n) where
            they are normal; none for exact values.
    """
    if any(value is None or not isfinite(value) for value in values):
        return Exponent(value=None)
    known = [value for value in values if value is not None]
    if not any(known):
        return Exponent(value=None, is_zero=True)
    if any(value <= 0 for value in known):
        return Exponent(value=None)
    x, y = [log(width) for width in widths], [log(value) for value in known]
    middle, level = sum(x) / len(x), sum(y) / len(y)
    over = sum((one - middle) ** 2 for one in x)
    slope = sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / over
    variance = sum(((a - middle) / over) ** 2 / (2 * n) for a, n in zip(x, drawn, strict=False))
    return Exponent(value=round(slope, 9) + 0.0, error=sqrt(variance))


def in_common(plans: Iterable[Sequence[PlannedParameter]]) -> list[tuple[PlannedParameter, ...]]:
    """Return the rows of each name that all plans have, with as many dimensions in each."""
    first, *others = plans
    known = [{row.name: row for row in rows} for rows in others]
    found = []
    for row in first:
        rows = (row, *(names[row.name] for names in known if row.name in names))
        if len(rows) == len(known) + 1 and len({len(one.shape) for one in rows}) == 1:
            found.append(rows)
    return found
