"""Rows that are alike: what decided them, and the columns that every view of them has."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from optplan.errors import quoted
from optplan.names import Rule, Status
from optplan.plan.codec import to_data
from optplan.plan.row_kinds import RowKind
from optplan.reporters.formats.bars import LogScale, Span, bar, log_scale, span_of
from optplan.reporters.formats.report import Cell, Field, Only, count_cell
from optplan.reporters.plan_summary import lr_heading
from optplan.reporters.selection import Selection
from optplan.reporters.words import (
    STATUS_STYLES,
    count_text,
    duplicate_text,
    number,
    rule_style,
    rule_text,
)


class HasKinds(Protocol):
    """Parameters of one or several kinds."""

    @property
    def kinds(self) -> tuple[RowKind, ...]:
        """Return what they get, and why."""
        ...


Part = TypeVar("Part", bound=HasKinds)


@dataclass(frozen=True, slots=True)
class Patterned(Generic[Part]):
    """Some parameters of a plan, and the patterns that match exactly their names."""

    part: Part
    patterns: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[RowKind, ...]:
        """Return what they get, and why."""
        return self.part.kinds


def kind_cell(kind: RowKind, primary: Container[str]) -> Cell:
    """Return what decided rows of a kind, or why nothing did."""
    row = kind.first
    if row.status is Status.DUPLICATE and kind.names == 1:
        return Cell(duplicate_text(row, primary), STATUS_STYLES[row.status])
    style = STATUS_STYLES[row.status] or rule_style(row)
    return Cell(rule_text(row), style, short_label(kind))


def kind_cells(kinds: Iterable[RowKind], primary: Container[str]) -> list[Cell]:
    """Return the same for several kinds, the largest first; one cell for each text."""
    cells = [kind_cell(kind, primary) for kind in by_size(kinds)]
    return list({cell.text: cell for cell in cells}.values())


def by_size(kinds: Iterable[RowKind]) -> list[RowKind]:
    """Return the kinds, the largest first."""
    return sorted(kinds, key=lambda kind: -kind.names)


def short_label(kind: RowKind) -> str:
    """Return the key or the rules alone: the factors follow from the values beside them."""
    row = kind.first
    uses = [use for use in (row.lr_rule, row.weight_decay_rule) if use is not None]
    told = [use for use in uses if use.rule is not Rule.DEFAULT] or uses[:1]
    names = [quoted(use.key) if use.key is not None else use.rule.value for use in told]
    if row.status is not Status.OPTIMIZED:
        names.append(row.status.value)
    return ", ".join(dict.fromkeys(names))


def lr_span(row: HasKinds) -> Span | None:
    """Return the smallest and the largest lr, as it is once a scheduler has applied its scale."""
    return span_of(kind.first.effective_lr for kind in row.kinds)


def lr_scale(shown: Selection) -> LogScale | None:
    """Return the scale for the bars of all rows that are shown."""
    return log_scale({row.effective_lr for row in shown.rows})


def span_text(span: Span | None, digits: int = 6) -> str:
    """Return ``0–0.05``; one number where both ends read alike."""
    if span is None:
        return number(None)
    ends = dict.fromkeys(f"{value:.{digits}g}" for value in (span.low, span.high))
    return "–".join(ends)


def span_cell(span: Span | None, style: str = "", scale: LogScale | None = None) -> Cell:
    """Return a span: with fewer digits in a narrow terminal, with a bar on a page, sorted by its larger end."""
    if span is None:
        return Cell(span_text(None), style)
    ends = (scale.length(span.low), scale.length(span.high)) if scale is not None else None
    return Cell(
        span_text(span),
        style,
        span_text(span, 3),
        data=[span.low, span.high],
        order=span.high,
        bar=ends,
    )


def lr_fields(
    shown: Selection, style: Callable[[Any], str], *, is_short: bool = False
) -> tuple[Field[Any], ...]:
    """Return the columns of lr and weight decay, with the bar that a terminal draws.

    Args:
        shown: What is shown.
        style: The style of a row.
        is_short: Leave the weight decay to the pages, and show the lr in bold.
    """
    scale = lr_scale(shown)
    return (
        Field(
            lr_heading(shown.plan),
            lambda row: span_cell(lr_span(row), "bold" if is_short else style(row), scale),
            "lr",
            is_number=True,
        ),
        Field(cell=lambda row: Cell(bar(scale, lr_span(row)), "blue"), only=Only.TEXT, optional=2),
        Field(
            "weight_decay",
            short="decay",
            cell=lambda row: span_cell(
                span_of(kind.first.weight_decay for kind in row.kinds), style(row)
            ),
            key="weight_decay",
            is_number=True,
            only=Only.PAGE if is_short else None,
        ),
    )


def size_fields(
    size: Callable[[Any], tuple[int, int]], style: Callable[[Any], str] = lambda _: ""
) -> tuple[Field[Any], ...]:
    """Return the columns of how many parameters and elements a row has.

    Args:
        size: The two counts of a row.
        style: The style of a row.
    """

    def elements(row: Any) -> Cell:
        return count_cell(size(row)[1], count_text(size(row)[1]), style(row) or "dim")

    return (
        Field(
            "parameters",
            lambda row: count_cell(size(row)[0], style=style(row)),
            "parameters",
            short="params",
            is_number=True,
            optional=3,
        ),
        Field("elements", elements, "elements", is_number=True, optional=1),
    )


KINDS: Field[Any] = Field(key="kinds", data=lambda row: [_kind_data(kind) for kind in row.kinds])


def _kind_data(kind: RowKind) -> dict[str, Any]:
    row = kind.first
    return {
        "names": kind.names,
        "status": row.status.value,
        "lr": row.effective_lr,
        "weight_decay": row.weight_decay,
        "lr_rule": to_data(row.lr_rule),
        "weight_decay_rule": to_data(row.weight_decay_rule),
    }
