"""The module tree of a plan, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optplan.plan.names.tree import Branch, branches, module_tree
from optplan.plan.row_kinds import RowKind
from optplan.reporters.formats.bars import LogScale, bar, log_scale
from optplan.reporters.formats.terminal import Cell, Column, table
from optplan.reporters.lr_scaling import lr_heading
from optplan.reporters.plan_summary import closing_lines, head_lines, label_cell
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import kind_cells, lr_span, span_cell, weight_decay_span
from optplan.reporters.words import STATUS_STYLES, carriers_of, count_text

_COLUMNS = (
    Column(shrink_to=16),
    Column(right=True),
    Column(right=True, optional=True),
    Column(right=True),
    Column(),
    Column(right=True),
    Column(shrink_to=12),
)
_HEADS = tuple(
    Cell(title, "dim", short)
    for title, short in (
        ("module", None),
        ("parameters", "params"),
        ("elements", None),
        ("lr", None),
        ("", None),
        ("weight_decay", "decay"),
        ("rule", None),
    )
)
_BAR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLine:
    """A branch of the tree with its values, ready to be written.

    Args:
        branch: The branch.
        kinds: What the parameters in it get.
        labels: What decided them; nothing where the branches below say so.
    """

    branch: Branch
    kinds: tuple[RowKind, ...]
    labels: tuple[Cell, ...]

    @property
    def above(self) -> str:
        """The pattern of the branches that it is below: ``blocks.{0-11}.``."""
        return ".".join((*self.branch.path[:-1], "")) if self.branch.path else ""


def tree_text(shown: Selection, *, depth: int | None, width: int | None, color: bool) -> str:
    """The tree with a line per branch.

    Args:
        shown: The rows whose names make the tree.
        depth: How many levels below the model to show; None for all.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    scale = lr_scale(shown)
    heads = [Cell(lr_heading(shown.plan), "dim") if h.text == "lr" else h for h in _HEADS]
    rows = [heads, *(_cells(line, shown, scale) for line in tree_lines(shown, depth))]
    kept = [column for column in range(len(_HEADS)) if scale or column != _BAR]
    body = table(
        [_COLUMNS[column] for column in kept],
        [[row[column] for column in kept] for row in rows],
        width=width,
        color=color,
    )
    lines = [*head_lines(shown.plan, width, color), *body, ""]
    lines += closing_lines(shown, color, width)
    return "\n".join(lines) + "\n"


def lr_scale(shown: Selection) -> LogScale | None:
    """The scale for the bars of all rows that are shown."""
    return log_scale({row.effective_lr for row in shown.rows})


def tree_lines(shown: Selection, depth: int | None) -> Iterator[TreeLine]:
    """The branches of the tree, from top to bottom."""
    carriers = carriers_of(shown.plan.parameters)
    for branch in branches(module_tree(shown.rows), depth):
        kinds = tuple(branch.subtree.kinds.values())
        labels = () if branch.is_open else tuple(kind_cells(kinds, carriers))
        yield TreeLine(branch=branch, kinds=kinds, labels=labels)


def root_name(shown: Selection) -> str:
    """What stands at the root: the model's class."""
    return shown.plan.model.class_name.rpartition(".")[2]


def _cells(line: TreeLine, shown: Selection, scale: LogScale | None) -> tuple[Cell, ...]:
    subtree, lr = line.branch.subtree, lr_span(line.kinds)
    style = STATUS_STYLES[line.kinds[0].first.status] if len(line.kinds) == 1 else ""
    return (
        Cell(_guides(line.branch.lasts) + (subtree.name or root_name(shown)), style),
        Cell(str(subtree.parameters), style),
        Cell(count_text(subtree.elements), style or "dim"),
        span_cell(lr, style),
        Cell(bar(scale, lr), "blue"),
        span_cell(weight_decay_span(line.kinds), style),
        label_cell(line.labels) if line.labels else Cell(""),
    )


def _guides(lasts: Sequence[bool]) -> str:
    if not lasts:
        return ""
    around = "".join("  " if is_last else "│ " for is_last in lasts[:-1])
    return around + ("└ " if lasts[-1] else "├ ")
