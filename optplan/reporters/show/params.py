"""The parameters of a plan, a row per name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

from optplan.names import Status
from optplan.plan import PlannedParameter, RuleUse
from optplan.plan.row_kinds import kinds_by_rule
from optplan.reporters.formats.report import Cell, Field, Only, count_cell
from optplan.reporters.plan_summary import lr_heading
from optplan.reporters.selection import Selection
from optplan.reporters.show.settings import settings_blocks, settings_sheet
from optplan.reporters.show.view import View
from optplan.reporters.words import (
    STATUS_STYLES,
    duplicate_text,
    number,
    origin_text,
    plural,
    primary_names,
    rule_style,
    rule_text,
    shape_text,
)

_Fields = Sequence[Field[PlannedParameter]]


def declare(shown: Selection) -> View:
    """Return a row per name, and the settings below."""
    return View(
        title="parameters",
        sheet=plural(len(shown.rows), "name"),
        fields=(*_identity_fields(), *_value_fields(shown), *_rule_fields(shown)),
        rows=shown.rows,
        key="parameters",
        more_blocks=lambda: settings_blocks(shown),
        more_sheets=lambda: [settings_sheet(shown)],
        data=lambda: _data(shown),
    )


def _data(shown: Selection) -> dict[str, Any]:
    """Return the plan; a narrowed one says so, since it is no whole plan."""
    if not shown.narrowing:
        return shown.plan.to_data()
    data = replace(shown.plan, parameters=shown.rows).to_data()
    return {**data, "narrowed": str(shown.narrowing)}


def _style(row: PlannedParameter) -> str:
    return STATUS_STYLES[row.status]


def _shape_cell(row: PlannedParameter) -> Cell:
    return Cell(shape_text(row.shape), _style(row) or "dim", order=row.elements)


def _identity_fields() -> _Fields:
    return (
        Field(
            "parameter",
            lambda row: Cell(row.name, _style(row)),
            "name",
            data=lambda row: row.name,
            is_name=True,
            shrink_to=18,
        ),
        Field(
            "shape", _shape_cell, "shape", data=lambda row: shape_text(row.shape, "x"), optional=1
        ),
        Field(
            "elements",
            lambda row: count_cell(row.elements),
            "elements",
            data=lambda row: row.elements,
            is_number=True,
            only=Only.PAGE,
        ),
        Field(key="dtype", data=lambda row: row.dtype),
        Field(key="requires_grad", data=lambda row: row.requires_grad),
        Field(key="module", data=lambda row: row.module),
        Field(key="status", data=lambda row: row.status.value),
    )


def _value_fields(shown: Selection) -> _Fields:
    """Return the values; those that a scheduler makes of the lr only where it makes others.

    An lr that is not final has another name for programs, so that nobody takes it for one.
    """
    end = "" if shown.plan.is_final else "_not_final"
    has_later = any(row.effective_lr != row.lr for row in shown.plan.parameters)
    return (
        _value_field(lr_heading(shown.plan), f"lr{end}", lambda row: row.lr),
        Field(key="weight_decay", data=lambda row: row.weight_decay),
        _value_field("lr_scale", "lr_scale", lambda row: row.lr_scale, is_shown=has_later),
        _value_field(
            "effective_lr", f"effective_lr{end}", lambda row: row.effective_lr, is_shown=has_later
        ),
        replace(_value_field("weight_decay", "", lambda row: row.weight_decay), short="decay"),
        Field(key="layer", data=lambda row: row.layer),
    )


def _value_field(
    heading: str,
    key: str,
    value: Callable[[PlannedParameter], float | None],
    *,
    is_shown: bool = True,
) -> Field[PlannedParameter]:
    def cell(row: PlannedParameter) -> Cell:
        return Cell(number(value(row)), _style(row), order=value(row))

    return Field(heading, cell if is_shown else None, key, data=value, is_number=True)


def _rule_fields(shown: Selection) -> _Fields:
    return (
        Field("rule", _rule_cells(shown), is_name=True, shrink_to=12),
        Field("place", lambda row: Cell(origin_text(row)), is_name=True, only=Only.PAGE),
        Field("status", lambda row: Cell(row.status.value, _style(row)), only=Only.PAGE),
        *_use_fields("lr", lambda row: row.lr_rule),
        *_use_fields("weight_decay", lambda row: row.weight_decay_rule),
        Field(key="optimizer", data=lambda row: row.optimizer),
        Field(key="group", data=lambda row: row.group),
        Field(key="setting", data=lambda row: row.setting),
    )


def _use_fields(setting: str, use_of: Callable[[PlannedParameter], RuleUse | None]) -> _Fields:
    def part(get: Callable[[RuleUse], object]) -> Callable[[PlannedParameter], object]:
        return lambda row: None if (use := use_of(row)) is None else get(use)

    return (
        Field(key=f"{setting}_rule", data=part(lambda use: use.rule.value)),
        Field(key=f"{setting}_option", data=part(lambda use: use.option)),
        Field(key=f"{setting}_key", data=part(lambda use: use.key)),
        Field(key=f"{setting}_mult", data=part(lambda use: use.mult)),
    )


def _rule_cells(shown: Selection) -> Callable[[PlannedParameter], Cell]:
    """Return what makes the cell that says what decided a row, once for all rows that are alike."""
    primary, kind_of = primary_names(shown.plan.parameters), kinds_by_rule()
    known: dict[Hashable, Cell] = {}

    def cell(row: PlannedParameter) -> Cell:
        if row.status is Status.DUPLICATE:
            return Cell(duplicate_text(row, primary), _style(row))
        kind = kind_of(row)
        if kind not in known:
            style = _style(row) or rule_style(row)
            known[kind] = Cell(rule_text(row), style, rule_text(row, short=True))
        return known[kind]

    return cell
