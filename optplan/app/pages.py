"""Everything that is known of a plan as the tabs of one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from optplan.app.option_use import entries_of
from optplan.errors import OptplanError
from optplan.plan import Planned
from optplan.plan.changes import PlanDiff
from optplan.reporters.diff.report import diff_report
from optplan.reporters.formats.html import Tab, render_tabs
from optplan.reporters.formats.report import Report
from optplan.reporters.selection import Narrowing, Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import view_report

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest
    from optplan.app.schedule import Scheduled
    from optplan.reporters.diff.words import Labels

# How many steps of a course a chart has.
SAMPLES = 1000
_OF_A_SIDE = (ShowView.SETTINGS, ShowView.PARAMS)


def plan_page(
    shown: Selection, found: Planned | None, view: ShowView, config: str, options: PlanRequest
) -> str:
    """Return a page with all views of a plan, and with its schedule where that is known.

    Args:
        shown: The plan, and what is shown of it.
        found: The plan with what it was made from; None for a saved one.
        view: The view that is shown first.
        config: What the command line calls CONFIG.
        options: How it is read.
    """
    tabs = list(_views(shown, found))
    if found is not None:
        tabs += _scheduled_tabs(config, options, shown.narrowing)
    return render_tabs(tabs, chosen=view.value)


def schedule_page(
    found: Scheduled, own: Report, *, is_decay: bool, patterns: Sequence[str], options: PlanRequest
) -> str:
    """Return a page with a schedule, what weight decay does in it, and all views of its plan.

    Args:
        found: The plan with its schedulers.
        own: The report that was asked for, which is shown first.
        is_decay: It is that of weight decay.
        patterns: Patterns of parameters whose settings are shown.
        options: How the config was read.
    """
    names = ("decay", "schedule") if is_decay else ("schedule", "decay")
    make = _schedule_report if is_decay else _decay_report
    tabs = {names[0]: own}
    with suppress(OptplanError):  # it is what was not asked for
        tabs[names[1]] = make(found, patterns, options)
    shown = Selection(plan=found.plan, rows=found.plan.parameters)
    ordered = [Tab(name=name, report=tabs[name]) for name in ("schedule", "decay") if name in tabs]
    return render_tabs([*ordered, *_views(shown, None)], chosen=names[0])


def diff_page(diffs: Sequence[PlanDiff], labels: Sequence[Labels], *, full: bool) -> str:
    """Return a page with what differs, and with the plans: of the two sides, or of each phase.

    Args:
        diffs: What changes, or what changes from each phase to the next.
        labels: What the sides of each are called.
        full: Whether each parameter is listed.
    """
    is_pair = len(diffs) == 1
    tabs = [
        Tab(name="diff" if is_pair else f"diff {number}", report=diff_report(one, label, full=full))
        for number, (one, label) in enumerate(zip(diffs, labels, strict=True), start=1)
    ]
    plans = [diffs[0].before, *(one.after for one in diffs)]
    names = ["before", "after"] if is_pair else [f"phase {n}" for n in range(1, len(plans) + 1)]
    for name, plan in zip(names, plans, strict=True):
        shown = Selection(plan=plan, rows=plan.parameters)
        tabs += [
            Tab(name=f"{name}: {view.value}", report=view_report(view, shown))
            for view in _OF_A_SIDE
        ]
    return render_tabs(tabs, chosen=tabs[0].name)


def _views(shown: Selection, found: Planned | None) -> Iterator[Tab]:
    for view in ShowView:
        own = shown
        if view is ShowView.MEMORY and shown.memory is None:
            continue
        if view is ShowView.KEYS:
            if found is None:
                continue
            own = replace(shown, entries=shown.entries or entries_of(found, shown.rows))
        yield Tab(name=view.value, report=view_report(view, own))


def _scheduled_tabs(config: str, options: PlanRequest, narrowing: Narrowing) -> list[Tab]:
    """Return the tabs of the schedule; none where nobody says how long the training is, or it is not read."""
    from optplan.app.config_schedule import Length
    from optplan.app.schedule import scheduled

    try:
        found = scheduled(config, options, Length())
        patterns = narrowing.patterns
        schedule = _schedule_report(found, patterns, options)
        decay = _decay_report(found, patterns, options)
    except OptplanError:
        return []
    return [Tab(name="schedule", report=schedule), Tab(name="decay", report=decay)]


def _schedule_report(found: Scheduled, patterns: Sequence[str], _: PlanRequest) -> Report:
    from optplan.app.schedule_views import view_of
    from optplan.reporters.schedule.report import schedule_report

    return schedule_report(view_of(found, patterns=patterns, samples=SAMPLES))


def _decay_report(found: Scheduled, patterns: Sequence[str], options: PlanRequest) -> Report:
    from optplan.app.decay import decay_of
    from optplan.reporters.schedule.decay import decay_report

    return decay_report(decay_of(found, patterns=patterns, trusted=options.trust))
