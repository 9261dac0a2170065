"""What differs between two plans, as the tables of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optplan.plan.changes import Cluster, OneSided, OptimizerChange, PlanDiff
from optplan.reporters.diff.parameters import parameter_sheet
from optplan.reporters.diff.words import (
    Labels,
    cause_text,
    field_text,
    model_text,
    optimizer_field_text,
    place_text,
    reach_text,
    remarks_of,
    rule_notes,
    schedule_rows,
    unread_notes,
    values_text,
    verdict_text,
)
from optplan.reporters.formats.report import (
    Cell,
    Field,
    Only,
    Report,
    Sheet,
    count_cell,
    list_cell,
    sheet_of,
)
from optplan.reporters.words import plural

_ScheduleRow = tuple[str, str, str, str, tuple[str, ...]]
_CLUSTERS: tuple[Field[Cluster], ...] = (
    Field("what", lambda one: Cell(field_text(one.change))),
    Field("before", lambda one: Cell(values_text(one.change)[0]), is_number=True),
    Field("after", lambda one: Cell(values_text(one.change)[1]), is_number=True),
    Field("parameters", lambda one: count_cell(len(one.names)), is_number=True),
    Field("why", lambda one: Cell(cause_text(one)), is_name=True),
    Field("where", lambda one: Cell(place_text(one)), is_name=True),
    Field("names", lambda one: list_cell(one.patterns), is_name=True),
)
_OPTIMIZERS: tuple[Field[OptimizerChange], ...] = (
    Field("what", lambda one: Cell(optimizer_field_text(one))),
    Field("before", lambda one: Cell(values_text(one.change)[0]), is_number=True),
    Field("after", lambda one: Cell(values_text(one.change)[1]), is_number=True),
    Field("reach", lambda one: Cell(reach_text(one))),
)
_SCHEDULE: tuple[Field[_ScheduleRow], ...] = (
    Field("what", lambda row: Cell(row[0])),
    Field("before", lambda row: Cell(row[1]), is_number=True),
    Field("after", lambda row: Cell(row[2]), is_number=True),
    Field("reach", lambda row: Cell(row[3])),
    Field("names", lambda row: list_cell(row[4]), is_name=True),
)
_SIDE: tuple[Field[tuple[str, OneSided]], ...] = (
    Field("only in", lambda row: Cell(row[0]), is_name=True),
    Field("parameters", lambda row: count_cell(len(row[1].names)), is_number=True),
    Field("names", lambda row: list_cell(row[1].patterns), is_name=True),
)


def diff_report(diff: PlanDiff, labels: Labels, *, full: bool) -> Report:
    """Return the tables of what changes; text, JSON and CSV have modules of their own.

    Args:
        diff: What differs.
        labels: What the two sides are called.
        full: List each parameter too.
    """
    return Report(
        title=" → ".join(labels),
        view="diff",
        text=tuple,
        data=dict,
        records=tuple,
        facts=(model_text(diff), verdict_text(diff), *diff.misfits),
        sheets=lambda: list(_sheets(diff, labels, full)),
        closing=(*rule_notes(diff), *remarks_of(diff)),
    )


def _sheets(diff: PlanDiff, labels: Labels, full: bool) -> Iterator[Sheet]:
    if diff.clusters:
        title = plural(len(diff.clusters), "kind") + " of change"
        yield sheet_of(title, _CLUSTERS, diff.clusters, Only.PAGE)
    if diff.optimizers:
        yield sheet_of("optimizer", _OPTIMIZERS, diff.optimizers, Only.PAGE)
    if found := schedule_rows(diff):
        yield sheet_of("schedule", _SCHEDULE, found, Only.PAGE)
    for note in (*filter(None, [diff.uncompared]), *unread_notes(diff)):
        yield Sheet(title=note, columns=(), rows=())
    sides: Sequence[tuple[str, OneSided]] = [
        (label, side)
        for label, side in zip(labels, (diff.only_before, diff.only_after), strict=True)
        if side.names
    ]
    if sides:
        yield sheet_of("parameters of one side", _SIDE, sides, Only.PAGE)
    if full:
        yield parameter_sheet(diff)
