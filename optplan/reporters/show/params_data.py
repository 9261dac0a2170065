"""A plan for programs: JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from optplan.plan import Plan, PlannedParameter
from optplan.plan.serial import plan_to_dict
from optplan.reporters.formats.csv_rows import csv_text
from optplan.reporters.selection import Narrowing
from optplan.reporters.words import shape_text

_CSV_FIELDS = (
    "name",
    "shape",
    "elements",
    "dtype",
    "requires_grad",
    "module",
    "status",
    "lr",
    "weight_decay",
    "lr_scale",
    "effective_lr",
    "layer",
    "lr_rule",
    "lr_option",
    "lr_key",
    "lr_mult",
    "weight_decay_rule",
    "weight_decay_option",
    "weight_decay_key",
    "weight_decay_mult",
    "optimizer",
    "group",
    "setting",
)


def show_json(plan: Plan, rows: Sequence[PlannedParameter], narrowing: Narrowing) -> str:
    """The plan as JSON; a narrowed one says so, since it is no whole plan."""
    if not narrowing:
        return plan.to_json() + "\n"
    data = plan_to_dict(replace(plan, parameters=tuple(rows)))
    return json.dumps({**data, "narrowed": str(narrowing)}, indent=1) + "\n"


def show_csv(plan: Plan, rows: Sequence[PlannedParameter]) -> str:
    """A line per row, after a line of headings; a missing value is empty.

    An lr that is not final stands in a column of another name, so that nobody takes it for one.
    """
    end = "" if plan.is_final else "_not_final"
    headings = [f + end if f in ("lr", "effective_lr") else f for f in _CSV_FIELDS]
    return csv_text([headings, *map(_csv_row, rows)])


def _csv_row(row: PlannedParameter) -> list[object]:
    cells: list[object] = [
        row.name,
        shape_text(row.shape, "x"),
        row.elements,
        row.dtype,
        row.requires_grad,
        row.module,
        row.status.value,
        row.lr,
        row.weight_decay,
        row.lr_scale,
        row.effective_lr,
        row.layer,
    ]
    for use in (row.lr_rule, row.weight_decay_rule):
        cells += [use.rule.value, use.option, use.key, use.mult] if use else [None] * 4
    return [*cells, row.optimizer, row.group, row.setting]
