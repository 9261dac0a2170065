"""Rows of one kind in words: what decided them, their values and how far these reach."""

from __future__ import annotations

from collections.abc import Container, Iterable

from optplan.errors import quoted
from optplan.names import Rule, Status
from optplan.plan.row_kinds import RowKind
from optplan.reporters.formats.bars import Span, span_of
from optplan.reporters.formats.terminal import Cell
from optplan.reporters.words import (
    STATUS_STYLES,
    duplicate_text,
    number,
    rule_style,
    rule_text,
)


def kind_cell(kind: RowKind, carriers: Container[str]) -> Cell:
    """What decided rows of a kind, or why nothing did."""
    row = kind.first
    if row.status is Status.DUPLICATE and kind.names == 1:
        return Cell(duplicate_text(row, carriers), STATUS_STYLES[row.status])
    style = STATUS_STYLES[row.status] or rule_style(row)
    return Cell(rule_text(row), style, short_label(kind))


def kind_cells(kinds: Iterable[RowKind], carriers: Container[str]) -> list[Cell]:
    """The same for several kinds, what decided most first; one cell for each text."""
    ordered = sorted(kinds, key=lambda kind: -kind.names)
    cells = [kind_cell(kind, carriers) for kind in ordered]
    return list({cell.text: cell for cell in cells}.values())


def short_label(kind: RowKind) -> str:
    """The key or the rules alone: beside the values they gave, the factors go without saying."""
    row = kind.first
    uses = [use for use in (row.lr_rule, row.weight_decay_rule) if use is not None]
    told = [use for use in uses if use.rule is not Rule.DEFAULT] or uses[:1]
    names = [quoted(use.key) if use.key is not None else use.rule.value for use in told]
    if row.status is not Status.OPTIMIZED:
        names.append(row.status.value)
    return ", ".join(dict.fromkeys(names))


def lr_span(kinds: Iterable[RowKind]) -> Span | None:
    """From the smallest to the largest lr, as it is once a scheduler has applied its scale."""
    return span_of(kind.first.effective_lr for kind in kinds)


def weight_decay_span(kinds: Iterable[RowKind]) -> Span | None:
    """From the smallest to the largest weight decay."""
    return span_of(kind.first.weight_decay for kind in kinds)


def span_text(span: Span | None, digits: int = 6) -> str:
    """``0–0.05``; one number where both ends read alike."""
    if span is None:
        return number(None)
    ends = dict.fromkeys(f"{value:.{digits}g}" for value in (span.low, span.high))
    return "–".join(ends)


def span_cell(span: Span | None, style: str = "") -> Cell:
    """The same in a table, with fewer digits where there is no room."""
    return Cell(span_text(span), style, span_text(span, 3))
