"""Plans, differences, schedules and findings as an interactive session shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optplan.errors import PlanError, UsageError
from optplan.plan import Plan, Planned
from optplan.reporters.formats.fragment import fragment, text_fragment
from optplan.reporters.plan_summary import head_blocks, model_name
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import view_report

if TYPE_CHECKING:
    from optplan.app.check import CheckResult
    from optplan.plan.changes import PlanDiff
    from optplan.reporters.diff.words import Labels
    from optplan.reporters.schedule.view import ScheduleView


def plan_from_optimizer(model: Any, optimizer: Any) -> Plan:
    """Return the plan that an optimizer carries out, as ``Plan.from_optimizer`` says."""
    from optplan.constructors.live_optimizer import plan_from_optimizer

    return plan_from_optimizer(model, optimizer)


def plan_text(plan: Plan) -> str:
    """Return what the plan is of, and its settings."""
    from optplan.reporters.formats.terminal import render
    from optplan.reporters.show.settings import settings_blocks

    shown = Selection(plan=plan, rows=plan.parameters)
    return render([*head_blocks(plan), *settings_blocks(shown)], width=None, color=False).rstrip()


def plan_html(plan: Plan) -> str:
    """Return its settings as a table."""
    return fragment(view_report(ShowView.SETTINGS, Selection(plan=plan, rows=plan.parameters)))


def plan_tree(plan: Plan, depth: int | None) -> Shown:
    """Return the module tree of a plan, so many levels deep."""
    from optplan.reporters.formats.text import render

    report = view_report(ShowView.TREE, Selection(plan=plan, rows=plan.parameters, depth=depth))
    return Shown(render(report, width=None, color=False).rstrip(), fragment(report))


def plan_explained(plan: Plan, names: Sequence[str]) -> Shown:
    """Return why some parameters get what they get.

    Raises:
        UsageError: A name matches nothing, or the plan does not know what it was made from.
    """
    planned = plan.made_from
    if not isinstance(planned, Planned):
        raise UsageError(
            "a saved plan keeps the rules that won and not those that lost",
            hint="make it of its config: optplan.plan(config, model).explain(name)",
        )
    text = explanation_text(planned, names, width=None, color=False).rstrip()
    return Shown(text, text_fragment(text))


def explanation_text(
    planned: Planned, names: Sequence[str], *, width: int | None, color: bool
) -> str:
    """Return why parameters get what they get, and what modules among the names get in all.

    Raises:
        UsageError: A name matches nothing.
    """
    from optplan.plan.explanation import explain, modules_among
    from optplan.reporters.explain import explain_text, module_blocks
    from optplan.reporters.plan_summary import not_final_text, rules_text

    plan = planned.plan
    modules = modules_among(plan, names)
    return explain_text(
        explain(planned, [one for one in names if one not in modules]),
        width=width,
        color=color,
        warning=not_final_text(plan),
        rules=rules_text(plan),
        more=[module_blocks(plan, name, rows) for name, rows in modules.items()],
    )


def plan_rows(plan: Plan) -> Any:
    """Return a table of pandas with a row for each name, as the CSV of ``show`` has it.

    Raises:
        PlanError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise PlanError("pandas is not installed", hint="pip install pandas") from None
    report = view_report(ShowView.PARAMS, Selection(plan=plan, rows=plan.parameters))
    heads, *rows = report.records()
    return pd.DataFrame.from_records([list(row) for row in rows], columns=list(heads))


def plan_diff(before: Plan, after: Plan) -> PlanDiff:
    """Return what changes between two plans."""
    from optplan.plan.diff import diff_plans

    return diff_plans(before, after)


def diff_text(diff: PlanDiff) -> str:
    """Return what differs."""
    from optplan.reporters.diff.text import render

    return render(diff, _labels(diff), full=False, width=None, color=False).rstrip()


def diff_html(diff: PlanDiff) -> str:
    """Return what differs as tables."""
    from optplan.reporters.diff.report import diff_report

    return fragment(diff_report(diff, _labels(diff), full=False))


def _labels(diff: PlanDiff) -> Labels:
    """Return what the sides are called: their configs, else first and second."""
    before, after = diff.before.config, diff.after.config
    if before is None or after is None or before == after:
        return (
            before or "before",
            f"{after} (after)" if after == before and after else after or "after",
        )
    return before, after


def schedule_text(view: ScheduleView) -> str:
    """Return the schedulers, and what they move."""
    from optplan.reporters.formats.terminal import render
    from optplan.reporters.schedule.report import summary_blocks

    return render(summary_blocks(view), width=None, color=False).rstrip()


def schedule_html(view: ScheduleView) -> str:
    """Return the schedulers, and the values of each setting where they tell something."""
    from optplan.reporters.schedule.report import schedule_report

    return fragment(schedule_report(view))


def check_text(result: CheckResult) -> str:
    """Return the findings, each with its line."""
    from optplan.reporters.check.text import render

    return render(result.report, width=None, color=False).rstrip()


def check_html(result: CheckResult) -> str:
    """Return the same."""
    return text_fragment(check_text(result))


def name_of(plan: Plan) -> str:
    """Return a plan in a few words."""
    return f"<Plan of {model_name(plan)}: {plan.model.parameters} parameters, {len(plan.settings)} settings>"


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A report in both forms."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html
