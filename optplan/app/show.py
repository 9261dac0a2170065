"""What ``optplan show`` shows of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from optplan.app.option_use import entries_of, idle_words
from optplan.errors import UsageError
from optplan.plan import Plan, Planned
from optplan.reporters.selection import Narrowing, Selection, narrowed
from optplan.reporters.show import ShowView

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest

_WITH_IDLE = frozenset({ShowView.PARAMS, ShowView.TREE, ShowView.SETTINGS})


def selection_of(found: Plan | Planned, narrowing: Narrowing, depth: int | None) -> Selection:
    """Return the rows of a plan that are shown.

    Args:
        found: The plan, with what it was made from where that is known.
        narrowing: What the rows are narrowed to.
        depth: How many levels a tree has.

    Raises:
        UsageError: A pattern matches nothing.
    """
    plan = found.plan if isinstance(found, Planned) else found
    return Selection(plan=plan, rows=narrowed(plan, narrowing), narrowing=narrowing, depth=depth)


def for_view(
    shown: Selection, found: Plan | Planned, view: ShowView, word: str, options: PlanRequest
) -> Selection:
    """Return a selection with what a view shows besides the rows.

    Args:
        shown: The selection.
        found: The plan, with what it was made from where that is known.
        view: The view.
        word: What the command line calls CONFIG.
        options: How it was read.

    Raises:
        UsageError: The view is of keys, and the plan a saved one.
    """
    if isinstance(found, Planned) and view in _WITH_IDLE:
        return replace(shown, idle=idle_words(found))
    if view is ShowView.KEYS:
        if not isinstance(found, Planned):
            raise UsageError(
                f"{word!r} is a saved plan, which keeps no options and keys, only what "
                "they decided",
                hint="name the config that it was made from",
            )
        return replace(shown, entries=entries_of(found, shown.rows))
    if view is ShowView.MEMORY:
        from optplan.app.memory import memory_of

        processes, trusted = options.world_size, options.trust
        memory = memory_of(shown.plan, shown.rows, processes=processes, trusted=trusted)
        return replace(shown, memory=memory)
    return shown
