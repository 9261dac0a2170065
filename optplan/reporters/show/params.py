"""A plan as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.names import Status
from optplan.plan import Plan, PlannedParameter
from optplan.reporters.formats.terminal import Cell, Column, table
from optplan.reporters.lr_scaling import lr_heading
from optplan.reporters.plan_summary import closing_lines, head_lines, label_cell, setting_text
from optplan.reporters.selection import Selection
from optplan.reporters.words import (
    STATUS_STYLES,
    carriers_of,
    count_text,
    duplicate_text,
    number,
    origin_text,
    percent,
    plural,
    rule_style,
    rule_text,
    shape_text,
)

_COLUMNS = (
    Column(shrink_to=24),
    Column(optional=True),
    Column(right=True),
    Column(right=True),
    Column(right=True),
    Column(right=True),
    Column(shrink_to=22),
)
_SETTING_COLUMNS = (
    Column(),
    Column(right=True),
    Column(right=True, optional=True),
    Column(right=True),
    Column(shrink_to=16),
    Column(optional=True),
)
_HEADINGS = ("parameter", "shape", "lr", "lr_scale", "effective_lr", "weight_decay", "rule")
# Only where a scheduler is to multiply the lr of groups later.
_LATER = frozenset({3, 4})


def show_text(shown: Selection, *, width: int | None, color: bool) -> str:
    """The whole report.

    Args:
        shown: The plan, and the rows to show.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    plan = shown.plan
    lines = [*head_lines(plan, width, color), *_rows(plan, shown.rows, width, color), ""]
    lines += _settings(plan, width, color)
    lines += closing_lines(shown, color, width)
    return "\n".join(lines) + "\n"


def _rows(
    plan: Plan, rows: Sequence[PlannedParameter], width: int | None, color: bool
) -> list[str]:
    carriers = carriers_of(plan.parameters)
    headings = (lr_heading(plan) if word == "lr" else word for word in _HEADINGS)
    body = [tuple(Cell(heading, "dim") for heading in headings)]
    body += [_row(row, carriers) for row in rows]
    has_later = any(row.effective_lr != row.lr for row in plan.parameters)
    kept = [at for at in range(len(_COLUMNS)) if has_later or at not in _LATER]
    return table(
        [_COLUMNS[at] for at in kept],
        [tuple(cells[at] for at in kept) for cells in body],
        width=width,
        color=color,
    )


def _row(row: PlannedParameter, carriers: frozenset[str]) -> tuple[Cell, ...]:
    style = STATUS_STYLES[row.status]
    rule, short = rule_text(row), rule_text(row, short=True)
    if row.status is Status.DUPLICATE:
        rule = short = duplicate_text(row, carriers)
    return (
        Cell(row.name, style),
        Cell(shape_text(row.shape), style or "dim"),
        Cell(number(row.lr), style),
        Cell(number(row.lr_scale), style),
        Cell(number(row.effective_lr), style),
        Cell(number(row.weight_decay), style),
        Cell(rule, style or rule_style(row), short),
    )


def _settings(plan: Plan, width: int | None, color: bool) -> list[str]:
    labels: dict[int, dict[str, Cell]] = {}
    places: dict[int, str] = {}
    for row in plan.parameters:
        if row.setting is not None:
            places.setdefault(row.setting, origin_text(row))
            text = rule_text(row)
            if text not in (known := labels.setdefault(row.setting, {})):
                known[text] = Cell(text, rule_style(row), rule_text(row, short=True))
    lines = [f" {plural(len(plan.settings), 'setting')}"]
    body = [
        (
            Cell(setting_text(setting, plan)),
            Cell(plural(setting.parameters, "parameter")),
            Cell(count_text(setting.elements)),
            Cell(percent(setting.elements, plan.model.elements)),
            label_cell(list(labels[setting.index].values())),
            Cell(places[setting.index], "dim"),
        )
        for setting in plan.settings
    ]
    return lines + table(_SETTING_COLUMNS, body, width=width, color=color, indent=2, gap=3)
