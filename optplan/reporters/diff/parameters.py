"""Each parameter of two plans, for people."""

from __future__ import annotations

from optplan.plan import PlannedParameter
from optplan.plan.changes import Change, ChangeKind, PlanDiff
from optplan.reporters.diff.words import field_text, value_text, values_text
from optplan.reporters.formats.report import Cell, Column, Sheet
from optplan.reporters.formats.terminal import Table, sheet_table
from optplan.reporters.words import rule_text

_COLUMNS = (
    Column(),
    Column("parameter", shrink_to=16),
    Column("lr"),
    Column("weight_decay"),
    Column("rule", shrink_to=10),
    Column("also", shrink_to=12, optional=1),
)
_BESIDE = frozenset({"lr", "weight_decay"})
_Row = PlannedParameter | None


def parameter_table(diff: PlanDiff) -> Table:
    """Return a line for each parameter, for a terminal."""
    return sheet_table(parameter_sheet(diff))


def parameter_sheet(diff: PlanDiff) -> Sheet:
    """Return a line for each parameter: ``~`` where it changes, ``-`` and ``+`` where one side has it."""
    others: dict[str, list[Change]] = {}
    for cluster in diff.clusters:
        if cluster.change.kind is not ChangeKind.VALUE or cluster.change.field not in _BESIDE:
            for name in cluster.names:
                others.setdefault(name, []).append(cluster.change)
    rows = tuple(_row(before, after, others) for before, after in diff.rows())
    return Sheet(title="each parameter", columns=_COLUMNS, rows=rows)


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
