"""Declare the views of a plan, which every format writes.

Turns a plan into columns and rows: the module of a view has its name and a function ``declare``. Imports plan,
rules and formats, never cli or app.
"""

from __future__ import annotations

from enum import StrEnum

from optplan.reporters.formats import TableFormat


class ShowView(StrEnum):
    """The views of a plan; the module of its name declares each."""

    PARAMS = "params"
    TREE = "tree"
    SETTINGS = "settings"
    KEYS = "keys"
    LAYERS = "layers"
    DEPTH = "depth"
    MEMORY = "memory"


def require_sense(view: ShowView, output_format: TableFormat, depth: int | None) -> None:
    """Refuse what does not go together, before anything is read.

    Raises:
        UsageError: The view has no such format, or no depth.
    """
    from optplan.errors import UsageError

    if output_format is TableFormat.CSV and view not in (ShowView.PARAMS, ShowView.MEMORY):
        raise UsageError(
            f"--format csv is for --view params and memory, not for {view}",
            hint=f"--view {view} --format json has the same for programs",
        )
    if depth is not None and view is not ShowView.TREE:
        raise UsageError(f"--depth is for --view tree, not for {view}")
