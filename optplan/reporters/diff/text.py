"""What differs between two plans, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from optplan.plan.changes import ChangeKind, Cluster, OneSided, OptimizerChange, PlanDiff
from optplan.reporters.diff.report import parameter_sheet
from optplan.reporters.diff.words import (
    Labels,
    cause_style,
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
from optplan.reporters.formats import terminal
from optplan.reporters.formats.report import Cell, Column, list_cell
from optplan.reporters.formats.terminal import Blank, Paragraph, Table, sheet_table
from optplan.reporters.formats.visible import cut
from optplan.reporters.words import plural

_COLUMNS = (
    Column(),
    Column(is_number=True, shrink_to=8),
    Column(),
    Column(shrink_to=8),
    Column(is_number=True),
    Column(shrink_to=12),
    Column(optional=1),
    Column(below=6),
)
_MOST_BELOW = 8


def render(diff: PlanDiff, labels: Labels, *, full: bool, width: int | None, color: bool) -> str:
    """Return the whole report.

    Args:
        diff: What differs.
        labels: What the two sides are called.
        full: List each parameter too.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    return terminal.render(_blocks(diff, labels, full=full, width=width), width=width, color=color)


def render_phases(
    found: Sequence[PlanDiff],
    labels: Sequence[Labels],
    *,
    full: bool,
    width: int | None,
    color: bool,
) -> str:
    """Return the reports from each phase to the next, with an empty line between them."""
    return "\n".join(
        render(diff, own, full=full, width=width, color=color)
        for diff, own in zip(found, labels, strict=True)
    )


def _blocks(
    diff: PlanDiff, labels: Labels, *, full: bool, width: int | None
) -> Iterator[RenderableType]:
    yield from _head(diff, labels, width)
    for misfit in diff.misfits:
        yield Paragraph(misfit, style="alarm", hanging=2)
    yield Table(_COLUMNS, list(map(_cluster, diff.clusters)), indent=2)
    if diff.optimizers:
        yield Paragraph("optimizer")
        yield Table(_COLUMNS[:5], list(map(_optimizer, diff.optimizers)), indent=2)
    yield from _schedule(diff)
    yield from _one_sided(diff.only_before, f"only in {labels[0]}", "red")
    yield from _one_sided(diff.only_after, f"only in {labels[1]}", "green")
    for note in (*rule_notes(diff), *remarks_of(diff)):
        yield Paragraph(note, style="dim", hanging=2)
    if full:
        yield Blank()
        yield sheet_table(parameter_sheet(diff))
    yield Paragraph(_foot(diff, labels), hanging=2)


def _head(diff: PlanDiff, labels: Labels, width: int | None) -> Iterator[RenderableType]:
    sides, rest = " → ".join(labels), f"{model_text(diff)} · {verdict_text(diff)}"
    whole = Paragraph(f"{sides} · {rest}", style="bold", indent=0)
    if width is None or whole.text.cell_len <= width:
        yield whole
        return
    if Paragraph(sides).text.cell_len > width:
        sides = " → ".join(cut(label, max(8, (width - 3) // 2)) for label in labels)
    yield Paragraph(sides, style="bold", indent=0)
    yield Paragraph(rest, style="bold", hanging=2)


def _cluster(cluster: Cluster) -> tuple[Cell, ...]:
    before, after = values_text(cluster.change)
    count, same = len(cluster.names), before == after
    return (
        Cell(field_text(cluster.change)),
        Cell("" if same else before, "red"),
        Cell("" if same else "→", "dim"),
        Cell(after, "" if same else "green"),
        Cell(plural(count, "parameter"), "", str(count)),
        Cell(cause_text(cluster), cause_style(cluster)),
        Cell(place_text(cluster), "dim"),
        _patterns(cluster.patterns),
    )


def _patterns(patterns: Sequence[str]) -> Cell:
    return list_cell(patterns, "cyan", most=_MOST_BELOW)


def _optimizer(change: OptimizerChange) -> tuple[Cell, ...]:
    return (
        Cell(optimizer_field_text(change)),
        *_values(*values_text(change.change)),
        Cell(reach_text(change), "dim", reach_text(change).replace(" parameters", "")),
    )


def _values(before: str, after: str) -> tuple[Cell, ...]:
    return Cell(before, "red"), Cell("→", "dim"), Cell(after, "green")


def _schedule(diff: PlanDiff) -> Iterator[RenderableType]:
    """Yield what the schedulers change later."""
    notes = [*filter(None, [diff.uncompared]), *unread_notes(diff)]
    rows = [
        (Cell(what), *_values(before, after), Cell(reach, "dim"), Cell(), Cell(), _patterns(own))
        for what, before, after, reach, own in schedule_rows(diff)
    ]
    if rows or notes:
        yield Paragraph("schedule")
    yield Table(_COLUMNS, rows, indent=2)
    for note in notes:
        yield Paragraph(note, style="alarm", indent=2)


def _one_sided(side: OneSided, title: str, style: str) -> Iterator[RenderableType]:
    if side.names:
        count = Cell(plural(len(side.names), "parameter"))
        columns = (Column(shrink_to=20), Column(), Column(below=6))
        yield Table(columns, [(Cell(title, style), count, _patterns(side.patterns))])


def _foot(diff: PlanDiff, labels: Labels) -> str:
    """Return how many parameters change in each field; '' for none."""
    counts: dict[str, int] = {}
    for change in diff.optimizers:
        if change.parameters:
            field = change.change.field
            counts[field] = counts.get(field, 0) + change.parameters
    for cluster in diff.clusters:
        field = field_text(cluster.change)
        counts[field] = counts.get(field, 0) + len(cluster.names)
    words = [f"{field} of {count}" for field, count in counts.items()]
    words += [
        f"{len(side.names)} only in {label}"
        for side, label in zip((diff.only_before, diff.only_after), labels, strict=True)
        if side.names
    ]
    courses = sum(len(change.names) for change in diff.courses)
    if courses:
        words.append(f"the schedule of {courses}")
    others = sum(change.change.kind is not ChangeKind.OPTIMIZER for change in diff.optimizers)
    if others:
        words.append(plural(others, "option") + " of the optimizer")
    return f"changes: {' · '.join(words)}" if words else ""
