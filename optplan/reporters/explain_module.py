"""What the parameters of a module get, in short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optplan.names import Status
from optplan.plan import Plan, PlannedParameter
from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.selection import Selection
from optplan.reporters.show.settings import declare
from optplan.reporters.words import count_text, plural

if TYPE_CHECKING:
    from rich.console import RenderableType


def module_blocks(
    plan: Plan, module: str, rows: Sequence[PlannedParameter]
) -> Iterator[RenderableType]:
    """Yield how many parameters a module has, and each setting with what decided it.

    Args:
        plan: The plan.
        module: Its path, or a pattern of paths.
        rows: Its parameters.
    """
    from optplan.reporters.formats.terminal import Blank, Paragraph, Table

    counted = [row for row in rows if row.status is not Status.DUPLICATE]
    owners = dict.fromkeys(row.module.rpartition(".")[2] for row in rows)
    size = (
        plural(len(counted), "parameter"),
        count_text(sum(row.elements for row in counted)),
        ", ".join(owners),
    )
    head = [(Cell(module, "bold"), Cell("   ".join(size)))]
    yield Table((Column(), Column(below=2)), head, indent=0, gap=3)
    view = declare(Selection(plan=plan, rows=tuple(rows)))
    if view.blocks is not None:
        yield from view.blocks()
    yield Blank()
    yield Paragraph(f"each of them: optplan explain … '{module}.*'", style="dim", hanging=2)
