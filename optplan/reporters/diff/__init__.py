"""Write what differs between two plans, each module in the format of its name.

Turns a difference into text. Imports plan and formats, never cli or app.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from optplan.reporters.formats import format_of

if TYPE_CHECKING:
    from optplan.plan.changes import PlanDiff
    from optplan.reporters.diff.words import Labels


def report_of(
    output_format: StrEnum, found: Sequence[PlanDiff], labels: Sequence[Labels]
) -> Callable[..., str]:
    """Return what writes a difference, or those from phase to phase, in a format."""
    if len(found) == 1:
        return partial(format_of(__name__, output_format), found[0], labels[0])
    return partial(format_of(__name__, output_format, "render_phases"), found, labels)
