"""The module tree of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optplan.plan.names.tree import Branch, Subtree, branches, module_tree
from optplan.plan.row_kinds import RowKind
from optplan.reporters.formats.report import Cell, Field
from optplan.reporters.plan_summary import label_cell
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import KINDS, kind_cells, lr_fields, size_fields
from optplan.reporters.show.view import View
from optplan.reporters.words import STATUS_STYLES, plural, primary_names


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """A branch of the tree with its values.

    Args:
        branch: The branch.
        kinds: What the parameters in it get.
        labels: What decided them; nothing where the branches below say so.
        name: Its name; the class of the model for the root.
    """

    branch: Branch
    kinds: tuple[RowKind, ...]
    labels: tuple[Cell, ...]
    name: str

    @property
    def subtree(self) -> Subtree:
        """Return what is in it."""
        return self.branch.subtree

    @property
    def style(self) -> str:
        """Return the style of its status, where all in it has one."""
        return STATUS_STYLES[self.kinds[0].first.status] if len(self.kinds) == 1 else ""


def declare(shown: Selection) -> View:
    """Return a row per branch, from top to bottom."""
    lines = list(_lines(shown))
    return View(
        title="module tree",
        sheet=plural(len(lines), "row"),
        fields=_fields(shown),
        rows=lines,
        key="branches",
    )


def _lines(shown: Selection) -> Iterator[TreeLine]:
    primary = primary_names(shown.plan.parameters)
    root = shown.plan.model.class_name.rpartition(".")[2]
    for branch in branches(module_tree(shown.rows), shown.depth):
        kinds = tuple(branch.subtree.kinds.values())
        labels = () if branch.is_open else tuple(kind_cells(kinds, primary))
        yield TreeLine(branch=branch, kinds=kinds, labels=labels, name=branch.subtree.name or root)


def _name_cell(line: TreeLine) -> Cell:
    """Return the name: behind the guides of a tree, or behind the modules that it is below."""
    path = line.branch.path
    above = ".".join((*path[:-1], "")) if path else ""
    text = _guides(line.branch.lasts) + line.name
    return Cell(text, line.style, lines=(line.name,), above=above)


def _guides(lasts: Sequence[bool]) -> str:
    if not lasts:
        return ""
    around = "".join("  " if is_last else "│ " for is_last in lasts[:-1])
    return around + ("└ " if lasts[-1] else "├ ")


def _fields(shown: Selection) -> Sequence[Field[TreeLine]]:
    return (
        Field(key="level", data=lambda line: line.branch.level),
        Field(key="name", data=lambda line: line.subtree.name),
        Field(key="pattern", data=lambda line: line.branch.pattern),
        Field(key="is_open", data=lambda line: line.branch.is_open),
        Field("module", _name_cell, is_name=True, shrink_to=16),
        *size_fields(
            lambda line: (line.subtree.parameters, line.subtree.elements), lambda line: line.style
        ),
        *lr_fields(shown, lambda line: line.style),
        Field("rule", lambda line: label_cell(line.labels), is_name=True, shrink_to=8),
        KINDS,
    )
