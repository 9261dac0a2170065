"""What differs between two plans, for people."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.plan.changes import ChangeKind, Cluster, OneSided, PlanDiff
from optplan.reporters.diff.parameters import full_lines
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
from optplan.reporters.formats.terminal import Cell, Column, cell_len, cut, paint, table, visible
from optplan.reporters.words import plural

_COLUMNS = (
    Column(),
    Column(right=True, shrink_to=8),
    Column(),
    Column(shrink_to=8),
    Column(right=True),
    Column(shrink_to=12),
    Column(optional=True),
    Column(),
)
_MOST_BELOW = 8


def diff_text(diff: PlanDiff, labels: Labels, *, full: bool, width: int | None, color: bool) -> str:
    """The whole report.

    Args:
        diff: What differs.
        labels: What the two sides are called.
        full: List each parameter too.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    lines = _head(diff, labels, width, color)
    for misfit in diff.misfits:
        lines += _wrapped(visible(misfit).split(" "), width, color, style="red")
    lines += _clusters(diff.clusters, width, color)
    lines += _optimizers(diff, width, color)
    lines += _schedule(diff, width, color)
    lines += _one_sided(diff.only_before, f"only in {labels[0]}", "red", width, color)
    lines += _one_sided(diff.only_after, f"only in {labels[1]}", "green", width, color)
    for note in (*rule_notes(diff), *remarks_of(diff)):
        lines += _wrapped(visible(note).split(" "), width, color, style="dim")
    if full:
        lines += ["", *full_lines(diff, width=width, color=color)]
    lines += _wrapped(_foot(diff, labels), width, color)
    return "\n".join(lines) + "\n"


def _head(diff: PlanDiff, labels: Labels, width: int | None, color: bool) -> list[str]:
    sides = " → ".join(map(visible, labels))
    rest = f"{visible(model_text(diff))} · {verdict_text(diff)}"
    if width is None or cell_len(sides) + cell_len(rest) + 3 <= width:
        return [paint(Cell(f"{sides} · {rest}", "bold"), color)]
    if cell_len(sides) > width:
        room = max(8, (width - 3) // 2)
        sides = " → ".join(cut(visible(label), room) for label in labels)
    return [paint(Cell(sides, "bold"), color), paint(Cell(f" {rest}", "bold"), color)]


def _clusters(clusters: Sequence[Cluster], width: int | None, color: bool) -> list[str]:
    rows = [_row(cluster) for cluster in clusters]
    return _with_patterns(rows, [cluster.patterns for cluster in clusters], width, color)


def _row(cluster: Cluster) -> tuple[Cell, ...]:
    before, after = values_text(cluster.change)
    count = len(cluster.names)
    same = before == after
    return (
        Cell(field_text(cluster.change)),
        Cell("" if same else before, "red"),
        Cell("" if same else "→", "dim"),
        Cell(after, "" if same else "green"),
        Cell(plural(count, "parameter"), "", str(count)),
        Cell(cause_text(cluster), cause_style(cluster)),
        Cell(place_text(cluster), "dim"),
    )


def _with_patterns(
    rows: Sequence[tuple[Cell, ...]],
    patterns: Sequence[tuple[str, ...]],
    width: int | None,
    color: bool,
) -> list[str]:
    """The rows with their patterns behind them, or below them where there is no room."""
    beside = [(*row, Cell(", ".join(own), "cyan")) for row, own in zip(rows, patterns, strict=True)]
    columns = _COLUMNS[-len(beside[0]) :] if beside else _COLUMNS
    wide = table(columns, beside, width=None, color=False, indent=2)
    if width is None or all(cell_len(line) <= width for line in wide):
        return table(columns, beside, width=None, color=color, indent=2)
    lines = []
    heads = table(columns[:-1], rows, width=width, color=color, indent=2)
    for head, own in zip(heads, patterns, strict=True):
        lines += [head, *_below(own, width, color)]
    return lines


def _below(patterns: Sequence[str], width: int, color: bool) -> list[str]:
    """Patterns in lines of their own; the first ones where there are many."""
    more = len(patterns) - _MOST_BELOW
    words = [visible(pattern) for pattern in patterns[:_MOST_BELOW]]
    words = [f"{word}," for word in words[:-1]] + words[-1:]
    if more > 0:
        words += [f"and {plural(more, 'pattern')} more"]
    return _wrapped(words, width, color, style="cyan", indent=6)


def _wrapped(
    words: Sequence[str], width: int | None, color: bool, *, style: str = "", indent: int = 1
) -> list[str]:
    """Words in as many lines as it takes; the further ones go in by two, but for lists."""
    lines: list[str] = []
    for word in words:
        room = None if width is None else width - indent
        if lines and (room is None or cell_len(lines[-1]) + 1 + cell_len(word) <= room):
            lines[-1] += f" {word}"
        else:
            lines.append(("  " if lines and indent == 1 else "") + word)
    return [" " * indent + paint(Cell(line, style), color) for line in lines]


def _optimizers(diff: PlanDiff, width: int | None, color: bool) -> list[str]:
    if not diff.optimizers:
        return []
    rows = []
    for change in diff.optimizers:
        before, after = values_text(change.change)
        rows.append(
            (
                Cell(optimizer_field_text(change)),
                Cell(before, "red"),
                Cell("→", "dim"),
                Cell(after, "green"),
                Cell(reach_text(change), "dim"),
            )
        )
    columns = (*_COLUMNS[:4], Column())
    return [" optimizer", *table(columns, rows, width=width, color=color, indent=2)]


def _schedule(diff: PlanDiff, width: int | None, color: bool) -> list[str]:
    """What the schedulers change later."""
    rows, patterns = [], []
    for what, before, after, reach, own in schedule_rows(diff):
        values = (Cell(before, "red"), Cell("→", "dim"), Cell(after, "green"))
        rows.append((Cell(what), *values, Cell(reach, "dim"), Cell(""), Cell("")))
        patterns.append(own)
    lines = _with_patterns(rows, patterns, width, color)
    if diff.uncompared is not None:
        lines += _wrapped(visible(diff.uncompared).split(" "), width, color, style="red", indent=2)
    for note in unread_notes(diff):
        lines += _wrapped(visible(note).split(" "), width, color, style="red", indent=2)
    return [" schedule", *lines] if lines else []


def _one_sided(side: OneSided, title: str, style: str, width: int | None, color: bool) -> list[str]:
    if not side.names:
        return []
    row = (Cell(title, style), Cell(plural(len(side.names), "parameter")))
    columns = (Column(shrink_to=20), Column(), Column())
    line = table(columns, [(*row, Cell(", ".join(side.patterns)))], width=None, color=False)
    if width is None or cell_len(line[0]) <= width:
        cells = [(*row, Cell(", ".join(side.patterns), "cyan"))]
        return table(columns, cells, width=None, color=color)
    head = table(columns[:2], [row], width=width, color=color)
    return [*head, *_below(side.patterns, width, color)]


def _foot(diff: PlanDiff, labels: Labels) -> list[str]:
    """How many parameters change in each field."""
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
    return f"changes: {visible(' · '.join(words))}".split(" ") if words else []
