"""The settings of a plan with their members; in short, they close the view of the parameters too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optplan.plan.setting_members import Members, member_patterns, members_of
from optplan.plan.values import plain
from optplan.reporters.formats.bars import bar
from optplan.reporters.formats.report import Cell, Column, Field, Only, Sheet, list_cell, sheet_of
from optplan.reporters.plan_summary import besides_text, label_cell, setting_text
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import (
    KINDS,
    Patterned,
    by_size,
    kind_cell,
    kind_cells,
    lr_fields,
    lr_scale,
    lr_span,
    size_fields,
)
from optplan.reporters.show.view import View
from optplan.reporters.words import (
    STATUS_STYLES,
    count_text,
    origin_text,
    percent,
    plural,
    primary_names,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEAD = (
    Column(shrink_to=20),
    Column(optional=2),
    Column(is_number=True),
    Column(is_number=True, optional=1),
    Column(is_number=True),
)
_RULE = (Column(shrink_to=20), Column(optional=1), Column(is_number=True))
_SUMMARY = (
    Column(shrink_to=20),
    Column(is_number=True),
    Column(is_number=True, optional=1),
    Column(is_number=True),
    Column(shrink_to=12),
    Column(optional=1),
)
_INDENT = 4


_Row = Patterned[Members]


def declare(shown: Selection) -> View:
    """Return a row per setting."""
    found = members_of(shown.plan, shown.rows)
    rows = list(map(Patterned, found, member_patterns(shown.plan, found)))
    return View(
        title="settings",
        sheet=plural(len(found), "setting"),
        fields=_fields(shown),
        rows=rows,
        key="groups",
        blocks=lambda: _blocks(rows, shown),
    )


def settings_sheet(shown: Selection) -> Sheet:
    """Return a row per setting for a page, without its members."""
    rows = list(map(Patterned, members_of(shown.plan, shown.rows)))
    return sheet_of(plural(len(rows), "setting"), _fields(shown), rows, Only.PAGE)


def settings_blocks(shown: Selection) -> Iterator[RenderableType]:
    """Yield a line per setting of the whole plan."""
    from optplan.reporters.formats.terminal import Paragraph, Table

    plan, primary = shown.plan, primary_names(shown.plan.parameters)
    yield Paragraph(plural(len(plan.settings), "setting"))
    rows = []
    for members in members_of(plan, plan.parameters):
        if members.setting is not None:
            cells = [kind_cell(kind, primary) for kind in members.kinds]
            labels = list({cell.text: cell for cell in cells}.values())
            place = Cell(origin_text(members.kinds[0].first), "dim")
            rows.append((*_head_cells(members, shown), label_cell(labels), place))
    yield Table(_SUMMARY, rows, indent=2, gap=3)


def _head_cells(members: Members, shown: Selection, style: str = "") -> tuple[Cell, ...]:
    return (
        Cell(_name(members, shown), style),
        _size_cell(members, style),
        Cell(count_text(members.elements)),
        Cell(percent(members.elements, shown.plan.model.elements)),
    )


def _name(members: Members, shown: Selection) -> str:
    if members.setting is None:
        return f"{members.status.value}, in no group"
    return setting_text(members.setting, shown.plan)


def _size_cell(members: Members, style: str) -> Cell:
    """Return how many parameters, or names where they are further names of others."""
    count, noun = members.parameters, "parameter"
    if not count:
        count, noun = len(members.names), "name"
    return Cell(plural(count, noun), style, str(count))


def _blocks(rows: Sequence[_Row], shown: Selection) -> Iterator[RenderableType]:
    """Yield each setting with what decided it and with its members."""
    from optplan.reporters.formats.terminal import Blank, List, Table

    scale, primary = lr_scale(shown), primary_names(shown.plan.parameters)
    heads: list[tuple[Cell, ...]] = []
    after: list[list[RenderableType]] = []
    for number, row in enumerate(rows, 1):
        style = "bold" if row.part.setting else STATUS_STYLES[row.part.status]
        name, *others = _head_cells(row.part, shown, style)
        heads.append((name, Cell(bar(scale, lr_span(row)), "blue"), *others))
        rules = _rules(row, primary) if row.part.setting else []
        ends = [Blank()] if number < len(rows) else []
        after.append(
            [Table(_RULE, rules, indent=_INDENT), List(row.patterns, indent=_INDENT), *ends]
        )
    if rows:
        yield Blank()
    yield Table(_HEAD, heads, after=after)


def _rules(row: _Row, primary: frozenset[str]) -> list[tuple[Cell, ...]]:
    ordered = by_size(row.kinds)
    return [
        (
            kind_cell(kind, primary),
            Cell(origin_text(kind.first), "dim"),
            Cell(str(kind.names) if ordered[1:] else "", "dim"),
        )
        for kind in ordered
    ]


def _rules_cell(row: _Row, primary: frozenset[str]) -> Cell:
    """Return what decided the members, each with its place."""
    texts = []
    for kind in by_size(row.kinds):
        (label,) = kind_cells([kind], primary)
        place = origin_text(kind.first)
        texts.append(f"{label.text}  {place}" if place else label.text)
    return list_cell(texts)


def _name_cell(row: _Row, shown: Selection) -> Cell:
    """Return what a setting is besides its lr and weight decay, or why there is none."""
    if row.part.setting is None:
        return Cell(_name(row.part, shown), STATUS_STYLES[row.part.status])
    return Cell(besides_text(row.part.setting, shown.plan))


def _share_cell(row: _Row, shown: Selection) -> Cell:
    elements = row.part.elements
    return Cell(percent(elements, shown.plan.model.elements), order=elements)


def _fields(shown: Selection) -> Sequence[Field[_Row]]:
    primary = primary_names(shown.plan.parameters)
    return (
        Field(key="setting", data=lambda row: row.part.setting and row.part.setting.index),
        Field(key="optimizer", data=lambda row: row.part.setting and row.part.setting.optimizer),
        Field(key="options", data=lambda row: _options(row.part)),
        Field("setting", lambda row: _name_cell(row, shown), is_name=True),
        *lr_fields(shown, lambda _: ""),
        *size_fields(lambda row: (row.part.parameters, row.part.elements)),
        Field("share", lambda row: _share_cell(row, shown), is_number=True),
        Field("rules", lambda row: _rules_cell(row, primary), is_name=True),
        Field("members", lambda row: list_cell(row.patterns), "patterns", is_name=True),
        KINDS,
    )


def _options(members: Members) -> object:
    return plain(members.setting.options) if members.setting else {}
