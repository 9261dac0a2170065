"""The settings of a plan with their members, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len

from optplan.plan.row_kinds import RowKind
from optplan.plan.setting_members import Members, member_patterns, members_of
from optplan.reporters.formats.bars import LogScale, bar
from optplan.reporters.formats.terminal import Cell, Column, cut, table, visible
from optplan.reporters.plan_summary import closing_lines, head_lines, setting_text
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import kind_cell, lr_span
from optplan.reporters.show.tree import lr_scale
from optplan.reporters.words import (
    STATUS_STYLES,
    carriers_of,
    count_text,
    origin_text,
    percent,
    plural,
)

_COLUMNS = (
    Column(shrink_to=20),
    Column(),
    Column(right=True),
    Column(right=True, optional=True),
    Column(right=True),
)
_RULE_COLUMNS = (Column(shrink_to=20), Column(optional=True), Column(right=True))
_INDENT = 4
_WIDE = 100  # for a pipe


def groups_text(shown: Selection, *, width: int | None, color: bool) -> str:
    """Each setting with what decided it and with its members.

    Args:
        shown: The rows to sort into settings.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    plan, found = shown.plan, members_of(shown.plan, shown.rows)
    scale, carriers = lr_scale(shown), carriers_of(plan.parameters)
    heads = table(
        _COLUMNS,
        [_head(members, shown, scale) for members in found],
        width=width,
        color=color,
    )
    lines = [*head_lines(plan, width, color), ""]
    for members, patterns, head in zip(found, member_patterns(plan, found), heads, strict=True):
        lines.append(head)
        if members.setting is not None:
            lines += _rules(members.kinds, carriers, width, color)
        lines += [" " * _INDENT + line for line in _filled(patterns, width)]
        lines.append("")
    lines += closing_lines(shown, color, width)
    return "\n".join(lines) + "\n"


def members_name(members: Members, shown: Selection) -> str:
    """The values of a setting, or why there are none."""
    if members.setting is None:
        return f"{members.status.value}, in no group"
    return setting_text(members.setting, shown.plan)


def _head(members: Members, shown: Selection, scale: LogScale | None) -> list[Cell]:
    style = STATUS_STYLES[members.status] if members.setting is None else "bold"
    return [
        Cell(members_name(members, shown), style),
        Cell(bar(scale, lr_span(members.kinds)), "blue"),
        Cell(size_text(members), style),
        Cell(count_text(members.elements)),
        Cell(percent(members.elements, shown.plan.model.elements)),
    ]


def size_text(members: Members) -> str:
    """How many parameters, or names where they are further names of others."""
    if not members.parameters:
        return plural(len(members.names), "name")
    return plural(members.parameters, "parameter")


def _rules(
    kinds: Iterable[RowKind], carriers: frozenset[str], width: int | None, color: bool
) -> list[str]:
    ordered = sorted(kinds, key=lambda kind: -kind.names)
    rows = [
        (
            kind_cell(kind, carriers),
            Cell(origin_text(kind.first), "dim"),
            Cell(f"{kind.names}" if ordered[1:] else "", "dim"),
        )
        for kind in ordered
    ]
    return table(_RULE_COLUMNS, rows, width=width, color=color, indent=_INDENT)


def _filled(patterns: Iterable[str], width: int | None) -> Iterator[str]:
    """The patterns with commas between them, as many on a line as fit."""
    room = (width or _WIDE) - _INDENT - 1
    line = ""
    for pattern in patterns:
        text = visible(pattern)
        text = cut(text, room) if width else text
        if line and cell_len(line) + cell_len(text) + 2 > room:
            yield f"{line},"
            line = text
        else:
            line = f"{line}, {text}" if line else text
    if line:
        yield line
