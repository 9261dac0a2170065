"""What differs between two plans, as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from optplan.plan import PlannedParameter
from optplan.plan.changes import ABSENT, Change, Cluster, PlanDiff
from optplan.reporters.diff.words import (
    cause_text,
    place_text,
    resumption_notes,
    schedule_rows,
    values_text,
)
from optplan.reporters.formats.csv import csv_text
from optplan.reporters.words import rule_text, shape_text

_FIELDS = (
    "section",
    "optimizer",
    "kind",
    "field",
    "before",
    "after",
    "parameters",
    "rule",
    "place",
    "patterns",
)
_OF_A_SIDE = ("status", "shape", "lr", "weight_decay", "rule")


def render(diff: PlanDiff, _labels: object = None, *, full: bool, **_: object) -> str:
    """Return a line per change, or per parameter, after a line of headings; blanks separate patterns."""
    return csv_text(_rows(diff, full=full))


def render_phases(
    found: Sequence[PlanDiff], _labels: object = None, *, full: bool, **_: object
) -> str:
    """Return the same lines, each after the number of the phase in which it begins to hold, from 2 on."""
    tables = [list(_rows(diff, full=full)) for diff in found]
    rows = ([phase, *row] for phase, (_, *rest) in enumerate(tables, start=2) for row in rest)
    return csv_text([["phase", *tables[0][0]], *rows])


def _rows(diff: PlanDiff, *, full: bool) -> Iterator[Sequence[object]]:
    if full:
        yield from _parameters(diff)
        return
    yield _FIELDS
    for record in _records(diff):
        yield [record.get(field, "") for field in _FIELDS]


def _records(diff: PlanDiff) -> Iterator[Mapping[str, object]]:
    yield from (_cluster("parameters", cluster) for cluster in diff.clusters)
    for item in diff.optimizers:
        whose = {"optimizer": item.optimizer, "parameters": item.parameters}
        yield {"section": "optimizer", **whose, **_change(item.change)}
    for section, side in (("only before", diff.only_before), ("only after", diff.only_after)):
        if side.names:
            patterns = " ".join(side.patterns)
            yield {"section": section, "parameters": len(side.names), "patterns": patterns}
    for field, before, after, reach, own in schedule_rows(diff):
        values = {"field": field, "before": before, "after": after, "patterns": " ".join(own)}
        count = reach.partition(" ")[0] if own else ""
        yield {"section": "schedule", **values, "parameters": count}
    if diff.uncompared is not None:
        yield {"section": "schedule", "field": diff.uncompared}
    yield from ({"section": "misfit", "field": misfit} for misfit in diff.misfits)
    yield from ({"section": "resume", "field": note} for note in resumption_notes(diff))
    yield from (_cluster("another rule", cluster) for cluster in diff.rules)


def _cluster(section: str, cluster: Cluster) -> Mapping[str, object]:
    return {
        "section": section,
        **_change(cluster.change),
        "parameters": len(cluster.names),
        "rule": cause_text(cluster),
        "place": place_text(cluster),
        "patterns": " ".join(cluster.patterns),
    }


def _change(change: Change) -> dict[str, object]:
    before, after = map(_value, (change.before, change.after), values_text(change))
    return {"kind": change.kind.value, "field": str(change.field), "before": before, "after": after}


def _value(value: object, text: str) -> object:
    """Return a number with all digits; an entry that is not there is empty."""
    if isinstance(value, int | float):
        return value
    return "" if value is ABSENT or value is None else text


def _parameters(diff: PlanDiff) -> Iterator[Sequence[object]]:
    sides = ("before", "after")
    yield ["name", *(f"{field}_{side}" for side in sides for field in _OF_A_SIDE)]
    for before, after in diff.rows():
        names = [row.name for row in (before, after) if row is not None]
        yield [names[0], *_side(before), *_side(after)]


def _side(row: PlannedParameter | None) -> list[object]:
    if row is None:
        return [""] * len(_OF_A_SIDE)
    shape = shape_text(row.shape, "x")
    return [row.status.value, shape, row.lr, row.weight_decay, rule_text(row)]
