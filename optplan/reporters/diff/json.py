"""What differs between two plans, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optplan.plan import Plan, PlannedParameter, plain
from optplan.plan.changes import ABSENT, Change, Cluster, CourseChange, OneSided, PlanDiff
from optplan.plan.codec import to_data
from optplan.plan.serial import generation_to_dict
from optplan.reporters.diff.words import Labels
from optplan.reporters.formats.json import json_text, values_of

DIFF_FORMAT_VERSION = "1.3"


def render(diff: PlanDiff, labels: Labels, *, full: bool, **_: object) -> str:
    """Return the difference as ``schemas/diff-1.0.schema.json`` describes it."""
    return json_text(_data(diff, labels, full=full))


def render_phases(
    found: Sequence[PlanDiff], labels: Sequence[Labels], *, full: bool, **_: object
) -> str:
    """Return the differences as ``schemas/phases-diff-1.0.schema.json`` describes them."""
    data = {
        "format_version": "1.0",
        "same": all(diff.is_same for diff in found),
        "changes": [_data(diff, own, full=full) for diff, own in zip(found, labels, strict=True)],
    }
    return json_text(data)


def _data(diff: PlanDiff, labels: Labels, *, full: bool) -> dict[str, Any]:
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
    if diff.resumption is not None:
        data["resumption"] = {
            "saved_by": diff.resumption.saved_by,
            "progress": dict(diff.resumption.progress),
            "overwritten": [
                {"entry": one.entry, "rule": to_data(one.rule)}
                for one in diff.resumption.overwritten
            ],
        }
    if full:
        data["rows"] = [
            {"before": _row(first), "after": _row(second)} for first, second in diff.rows()
        ]
    return data


def _side(plan: Plan, label: str) -> dict[str, Any]:
    return {
        "label": plain(label.encode("utf-8", "replace").decode()),
        "config": plan.config,
        "model": plan.model.spec or plan.model.class_name,
        "constructor": plan.constructor,
        **generation_to_dict(plan),
    }


def _change(change: Change) -> dict[str, Any]:
    """Return a change; a side that has no such entry is left out."""
    sides = {"before": change.before, "after": change.after}
    return {
        "kind": change.kind.value,
        "field": str(change.field),
        **{side: plain(value) for side, value in sides.items() if value is not ABSENT},
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        **_change(cluster.change),
        "rule_before": to_data(cluster.rule_before),
        "rule_after": to_data(cluster.rule_after),
        "parameters": len(cluster.names),
        "elements": cluster.elements,
        "patterns": list(cluster.patterns),
        "names": list(cluster.names),
    }


def _with_count(one: CourseChange | OneSided) -> dict[str, Any]:
    return values_of(one, parameters=len(one.names))


def _row(row: PlannedParameter | None) -> dict[str, Any] | None:
    return None if row is None else to_data(row)
