"""What differs between two plans, as Markdown for a pull request's comment."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.plan import PlannedParameter
from optplan.plan.changes import Cluster, OneSided, PlanDiff
from optplan.reporters.diff.words import (
    Labels,
    cause_text,
    field_text,
    model_text,
    optimizer_field_text,
    place_text,
    reach_text,
    remarks_of,
    schedule_rows,
    unread_notes,
    values_text,
    verdict_text,
)
from optplan.reporters.formats.md import code, escaped, table_text
from optplan.reporters.words import number, rule_text

_HEADINGS = ("what", "before", "after", "parameters", "why", "where", "names")
_MOST_PATTERNS = 12


def render(diff: PlanDiff, labels: Labels, *, full: bool, **_: object) -> str:
    """Return the whole comment."""
    sides = f"{code(labels[0])} → {code(labels[1])}"
    parts = [f"### optplan diff: {sides}", f"{code(model_text(diff))} · **{verdict_text(diff)}**"]
    if diff.misfits:
        parts.append("\n".join(f"- {escaped(misfit)}" for misfit in diff.misfits))
    if diff.clusters:
        parts.append(table_text([_HEADINGS, *map(_cluster, diff.clusters)]))
    if diff.optimizers:
        rows = [
            (
                code(optimizer_field_text(item)),
                *map(code, values_text(item.change)),
                escaped(reach_text(item)),
            )
            for item in diff.optimizers
        ]
        parts.append(table_text([("optimizer", "before", "after", ""), *rows]))
    if found := schedule_rows(diff):
        cells = [
            (*map(code, (what, before, after)), escaped(reach), _patterns(patterns))
            for what, before, after, reach, patterns in found
        ]
        parts.append(table_text([("schedule", "before", "after", "", "names"), *cells]))
    if diff.uncompared is not None:
        parts.append(f"**{escaped(diff.uncompared)}**")
    parts += [f"**{escaped(note)}**" for note in unread_notes(diff)]
    for side, label in ((diff.only_before, labels[0]), (diff.only_after, labels[1])):
        if side.names:
            parts.append(_one_sided(side, label))
    if diff.rules:
        gives = "another rule gives the same value, or one that follows the base value"
        title = f"No difference: {gives} ({len(diff.rules)})"
        parts.append(_details(title, table_text([_HEADINGS, *map(_cluster, diff.rules)])))
    parts += [f"<sub>{escaped(remark)}</sub>" for remark in remarks_of(diff)]
    if full:
        parts.append(_details("Each parameter", _full(diff)))
    return "\n\n".join(parts) + "\n"


def render_phases(
    found: Sequence[PlanDiff], labels: Sequence[Labels], *, full: bool, **_: object
) -> str:
    """Return the comments from each phase to the next."""
    return "\n".join(render(diff, own, full=full) for diff, own in zip(found, labels, strict=True))


def _cluster(cluster: Cluster) -> Sequence[str]:
    before, after = values_text(cluster.change)
    return (
        code(field_text(cluster.change)),
        code(before),
        code(after),
        str(len(cluster.names)),
        code(cause_text(cluster)),
        code(place_text(cluster)),
        _patterns(cluster.patterns),
    )


def _patterns(patterns: Sequence[str]) -> str:
    more = len(patterns) - _MOST_PATTERNS
    shown = ", ".join(map(code, patterns[:_MOST_PATTERNS]))
    return f"{shown} and {more} more patterns" if more > 0 else shown


def _one_sided(side: OneSided, label: str) -> str:
    return f"Only in {code(label)}: {len(side.names)} × {_patterns(side.patterns)}"


def _full(diff: PlanDiff) -> str:
    headings = ("parameter", "lr", "", "weight_decay", "", "rule", "")
    return table_text([headings, *(_parameter(before, after) for before, after in diff.rows())])


def _parameter(before: PlannedParameter | None, after: PlannedParameter | None) -> Sequence[str]:
    rows = before, after
    name = next(row.name for row in rows if row is not None)
    lrs = ["" if row is None else number(row.lr) for row in rows]
    decays = ["" if row is None else number(row.weight_decay) for row in rows]
    rules = ["" if row is None else code(rule_text(row)) for row in rows]
    return (code(name), *lrs, *decays, *rules)


def _details(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"
