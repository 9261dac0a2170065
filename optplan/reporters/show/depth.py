"""lr, weight decay and their product by the depth in the model and the type of the module: heat maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.plan.layer_table import Members, depth_grid
from optplan.plan.plan import PlannedParameter
from optplan.reporters.formats.bars import LogScale, log_scale, span_of
from optplan.reporters.formats.report import Cell, Column, Field, Only, Sheet, sheet_of
from optplan.reporters.plan_summary import lr_heading
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import span_text
from optplan.reporters.show.view import View
from optplan.reporters.words import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

_Block = tuple[str, Mapping[str, Members]]
_Value = Callable[[PlannedParameter], float | None]
# From small to large, as a terminal of 16 colours has them.
_COLOURS = ("blue", "cyan", "green", "yellow", "red")
_LEAST_HEAT = 0.1


def _product(row: PlannedParameter) -> float | None:
    lr, decay = row.effective_lr, row.weight_decay
    return None if lr is None or decay is None else lr * decay


def declare(shown: Selection) -> View:
    """Return a row per block of the model, from the input on, and a column per module type."""
    blocks = list(depth_grid(shown.rows).items())
    maps = _maps(shown)
    (title, value), *others = maps.items()
    return View(
        title="depth",
        sheet=title,
        fields=_fields(blocks, value),
        rows=blocks,
        key="cells",
        note=(_told(blocks), ""),
        blocks=lambda: _blocks(blocks, maps),
        more_sheets=lambda: [_sheet(name, blocks, of, Only.PAGE) for name, of in others],
        data=lambda: _data(shown, blocks),
    )


def _maps(shown: Selection) -> Mapping[str, _Value]:
    return {
        lr_heading(shown.plan): lambda row: row.effective_lr,
        "weight_decay": lambda row: row.weight_decay,
        "lr × weight_decay": _product,
    }


def _told(blocks: Sequence[_Block]) -> str:
    kinds = {kind for _, members in blocks for kind in members}
    return (
        f"{plural(len(blocks), 'block')} · {plural(len(kinds), 'module type')} · lr as it is once a scheduler has applied "
        "lr_scale · colours on a logarithmic scale"
    )


def _fields(blocks: Sequence[_Block], value: _Value) -> Sequence[Field[_Block]]:
    kinds = list(dict.fromkeys(kind for _, members in blocks for kind in members))
    rows = (row for _, members in blocks for own in members.values() for row in own)
    values = {found for row in rows if (found := value(row)) is not None}
    scale = log_scale(values)

    def cell(kind: str, block: _Block) -> Cell:
        return _heat_cell([value(row) for row in block[1].get(kind, ())], scale)

    named: Field[_Block] = Field(
        "block", lambda block: Cell(block[0] or "(model)"), is_name=True, shrink_to=16
    )
    layered: Field[_Block] = Field("layer", _layer_cell, is_number=True)
    return (named, layered, *(Field(kind, partial(cell, kind), is_number=True) for kind in kinds))


def _layer_cell(block: _Block) -> Cell:
    """Return the layers that the constructor counts there; nothing where it counts none."""
    span = span_of(row.layer for rows in block[1].values() for row in rows)
    return Cell() if span is None else Cell(span_text(span), "dim", order=span.high)


def _heat_cell(values: Sequence[float | None], scale: LogScale | None) -> Cell:
    """Return the span of some values, coloured by the larger end; zero and nothing have no colour."""
    span = span_of(values)
    if span is None:
        return Cell("–" if values else "", "dim")
    text, short = span_text(span), span_text(span, 3)
    if not span.high > 0:
        return Cell(text, "dim", short, order=span.high)
    heat = 0.5 if scale is None else (scale.length(span.high) - _LEAST_HEAT) / (1 - _LEAST_HEAT)
    colour = _COLOURS[min(int(heat * len(_COLOURS)), len(_COLOURS) - 1)]
    return Cell(text, f"black on {colour}", short, order=span.high, heat=heat)


def _sheet(title: str, blocks: Sequence[_Block], value: _Value, only: Only) -> Sheet:
    return sheet_of(title, _fields(blocks, value), blocks, only)


def _blocks(blocks: Sequence[_Block], maps: Mapping[str, _Value]) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Blank, Paragraph
    from optplan.reporters.formats.wide_table import WideTable

    for title, value in maps.items():
        yield Blank()
        yield Paragraph(title, style="bold")
        sheet = _sheet("", blocks, value, Only.TEXT)
        heads = [Cell(column.heading, "dim") for column in sheet.columns]
        labels = 2 if "layer" in [column.heading for column in sheet.columns] else 1
        columns = [Column(is_number=column.is_number) for column in sheet.columns]
        if sheet.rows:
            yield WideTable(columns, [heads, *sheet.rows], labels=labels)


def _data(shown: Selection, blocks: Sequence[_Block]) -> dict[str, Any]:
    """Return the values as ``schemas/depth-view-1.0.schema.json`` describes them."""
    return {
        "format_version": "1.0",
        "view": "depth",
        "config": shown.plan.config,
        "model": shown.plan.model.spec or shown.plan.model.class_name,
        "narrowed": str(shown.narrowing) or None,
        "cells": [
            _cell_data(block, kind, own)
            for block, members in blocks
            for kind, own in members.items()
        ],
    }


def _cell_data(block: str, kind: str, rows: Members) -> dict[str, Any]:
    return {
        "block": block,
        "module": kind,
        "names": [row.name for row in rows],
        "elements": sum(row.elements for row in rows),
        "lr": _ends(rows, lambda row: row.effective_lr),
        "weight_decay": _ends(rows, lambda row: row.weight_decay),
        "lr_times_weight_decay": _ends(rows, _product),
    }


def _ends(rows: Members, value: _Value) -> list[float] | None:
    span = span_of(map(value, rows))
    return None if span is None else [span.low, span.high]
