"""What differs between two plans, for programs: JSON and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optplan.plan import Plan, PlannedParameter, plain
from optplan.plan.changes import ABSENT, Change, Cluster, CourseChange, OneSided, PlanDiff
from optplan.plan.serial import generation_to_dict, parameter_to_dict, rule_to_dict
from optplan.reporters.diff.words import Labels, cause_text, place_text, schedule_rows, values_text
from optplan.reporters.formats.csv import csv_text
from optplan.reporters.formats.json import json_text, values_of
from optplan.reporters.words import rule_text, shape_text

DIFF_FORMAT_VERSION = "1.2"

_CSV_FIELDS = (
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
_CSV_SIDED = ("status", "shape", "lr", "weight_decay", "rule")


def diff_json(diff: PlanDiff, labels: Labels, *, full: bool) -> str:
    """Return the difference as ``schemas/diff-1.0.schema.json`` describes it."""
    data: dict[str, Any] = {
        "format_version": DIFF_FORMAT_VERSION,
        "same": diff.is_same,
        "before": _side(diff.before, labels[0]),
        "after": _side(diff.after, labels[1]),
        "parameters": {"common": diff.common, "changed": diff.changed},
        "clusters": [_cluster(cluster) for cluster in diff.clusters],
        "optimizers": [
            {"optimizer": item.optimizer, **_change(item.change), "parameters": item.parameters}
            for item in diff.optimizers
        ],
        "only_before": _with_count(diff.only_before),
        "only_after": _with_count(diff.only_after),
        "rules": [_cluster(cluster) for cluster in diff.rules],
        "versions": {
            package: {"before": pair[0], "after": pair[1]}
            for package, pair in diff.versions.items()
        },
        "misfits": list(diff.misfits),
        "remarks": list(diff.remarks),
        "schedule": {
            "courses": [_with_count(change) for change in diff.courses],
            "length": None
            if diff.length is None
            else {"before": diff.length[0], "after": diff.length[1]},
            "uncompared": diff.uncompared,
            "unread": [{"name": one.text, "alike": one.is_alike} for one in diff.unread],
            "schedulers": [
                values_of(one, before=plain(one.before), after=plain(one.after))
                for one in diff.schedulers
            ],
        },
    }
    if full:
        data["rows"] = [
            {"before": _row(first), "after": _row(second)} for first, second in diff.rows()
        ]
    return json_text(data)


def _side(plan: Plan, label: str) -> dict[str, Any]:
    return {
        "label": plain(label.encode("utf-8", "replace").decode()),
        "config": plan.config,
        "model": plan.model.spec or plan.model.class_name,
        "constructor": plan.constructor,
        **generation_to_dict(plan),
    }


def _change(change: Change) -> dict[str, Any]:
    """A change; a side that has no such entry is left out."""
    sides = {"before": change.before, "after": change.after}
    return {
        "kind": change.kind.value,
        "field": str(change.field),
        **{side: plain(value) for side, value in sides.items() if value is not ABSENT},
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        **_change(cluster.change),
        "rule_before": rule_to_dict(cluster.rule_before),
        "rule_after": rule_to_dict(cluster.rule_after),
        "parameters": len(cluster.names),
        "elements": cluster.elements,
        "patterns": list(cluster.patterns),
        "names": list(cluster.names),
    }


def _with_count(one: CourseChange | OneSided) -> dict[str, Any]:
    return values_of(one, parameters=len(one.names))


def _row(row: PlannedParameter | None) -> dict[str, Any] | None:
    return None if row is None else parameter_to_dict(row)


def diff_csv(diff: PlanDiff, *, full: bool) -> str:
    """A line per change, or per parameter, after a line of headings; patterns are kept apart by blanks."""
    rows = _csv_parameters(diff) if full else _csv_changes(diff)
    return csv_text(rows)


def _csv_changes(diff: PlanDiff) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = [_CSV_FIELDS]
    rows += [_csv_cluster("parameters", cluster) for cluster in diff.clusters]
    for item in diff.optimizers:
        change = item.change
        cells = [item.optimizer, change.kind.value, str(change.field), *_csv_values(change)]
        rows.append(["optimizer", *cells, item.parameters, "", "", ""])
    for section, side in (("only before", diff.only_before), ("only after", diff.only_after)):
        if side.names:
            patterns = " ".join(side.patterns)
            rows.append([section, "", "", "", "", "", len(side.names), "", "", patterns])
    for row in schedule_rows(diff):
        count = row[3].partition(" ")[0] if row[4] else ""
        cells = [*row[:3], count, "", "", " ".join(row[4])]
        rows.append(["schedule", "", "", *cells])
    if diff.uncompared is not None:
        rows.append(["schedule", "", "", diff.uncompared, "", "", "", "", "", ""])
    rows += [["misfit", "", "", misfit, "", "", "", "", "", ""] for misfit in diff.misfits]
    rows += [_csv_cluster("another rule", cluster) for cluster in diff.rules]
    return rows


def _csv_cluster(section: str, cluster: Cluster) -> Sequence[object]:
    change = cluster.change
    return [
        section,
        "",
        change.kind.value,
        str(change.field),
        *_csv_values(change),
        len(cluster.names),
        cause_text(cluster),
        place_text(cluster),
        " ".join(cluster.patterns),
    ]


def _csv_values(change: Change) -> list[object]:
    """Both values: numbers with all digits, an entry that is not there empty."""
    texts = values_text(change)
    return [
        value
        if isinstance(value, int | float)
        else ""
        if value is ABSENT or value is None
        else text
        for value, text in zip((change.before, change.after), texts, strict=True)
    ]


def _csv_parameters(diff: PlanDiff) -> list[Sequence[object]]:
    headings = [f"{field}_{side}" for side in ("before", "after") for field in _CSV_SIDED]
    rows: list[Sequence[object]] = [["name", *headings]]
    for before, after in diff.rows():
        names = [row.name for row in (before, after) if row is not None]
        rows.append([names[0], *_csv_side(before), *_csv_side(after)])
    return rows


def _csv_side(row: PlannedParameter | None) -> list[object]:
    if row is None:
        return [""] * len(_CSV_SIDED)
    shape = shape_text(row.shape, "x")
    return [row.status.value, shape, row.lr, row.weight_decay, rule_text(row)]
