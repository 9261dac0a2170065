"""What differs between two plans, as the tables of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optplan.plan import PlannedParameter
from optplan.plan.changes import Change, ChangeKind, Cluster, OneSided, OptimizerChange, PlanDiff
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
    value_text,
    values_text,
    verdict_text,
)
from optplan.reporters.formats.report import (
    Cell,
    Column,
    Field,
    Only,
    Page,
    Sheet,
    count_cell,
    list_cell,
    sheet_of,
)
from optplan.reporters.words import plural, rule_text

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


def diff_report(diff: PlanDiff, labels: Labels, *, full: bool) -> Page:
    """Return the tables of what changes; text, JSON and CSV have modules of their own.

    Args:
        diff: What differs.
        labels: What the two sides are called.
        full: List each parameter too.
    """
    return Page(
        title=" → ".join(labels),
        view="diff",
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


_EACH = (
    Column(),
    Column("parameter", shrink_to=16),
    Column("lr"),
    Column("weight_decay"),
    Column("rule", shrink_to=10),
    Column("also", shrink_to=12, optional=1),
)
_BESIDE = frozenset({"lr", "weight_decay"})
_Row = PlannedParameter | None


def parameter_sheet(diff: PlanDiff) -> Sheet:
    """Return a line for each parameter: ``~`` where it changes, ``-`` and ``+`` where one side has it."""
    others: dict[str, list[Change]] = {}
    for cluster in diff.clusters:
        if cluster.change.kind is not ChangeKind.VALUE or cluster.change.field not in _BESIDE:
            for name in cluster.names:
                others.setdefault(name, []).append(cluster.change)
    rows = tuple(_row(before, after, others) for before, after in diff.rows())
    return Sheet(title="each parameter", columns=_EACH, rows=rows)


def _row(before: _Row, after: _Row, others: dict[str, list[Change]]) -> tuple[Cell, ...]:
    row = before or after
    if row is None:
        raise ValueError("a row of neither side")
    lr, decay = _value(before, after, "lr"), _value(before, after, "weight_decay")
    also = "; ".join(map(_change_text, others.get(row.name, [])))
    mark, style = "~" if "→" in lr + decay or also else "", ""
    if before is None or after is None:
        mark, style = ("+", "green") if before is None else ("-", "red")
    return (
        Cell(mark, style or "yellow"),
        Cell(row.name, style),
        Cell(lr, style or ("yellow" if "→" in lr else "dim")),
        Cell(decay, style or ("yellow" if "→" in decay else "dim")),
        Cell(_rule(before, after), style, _rule(before, after, short=True)),
        Cell(also, style),
    )


def _change_text(change: Change) -> str:
    """Return ``status optimized → frozen``."""
    before, after = values_text(change)
    return f"{field_text(change)} {before} → {after}"


def _value(before: _Row, after: _Row, field: str) -> str:
    rows = [row for row in (before, after) if row is not None]
    values = [getattr(row, field) for row in rows]
    if len(values) == 1 or values[0] == values[1]:
        return value_text(values[0])
    change = Change(kind=ChangeKind.VALUE, field=field, before=values[0], after=values[1])
    return " → ".join(values_text(change))


def _rule(before: _Row, after: _Row, *, short: bool = False) -> str:
    texts = [rule_text(row, short=short) for row in (before, after) if row is not None]
    if short and len(set(texts)) > 1:
        return f"→ {texts[1]}"
    return " → ".join(dict.fromkeys(texts))
