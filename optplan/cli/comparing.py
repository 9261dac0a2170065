"""From the words of a command line to the difference of two plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from optplan.cli.options import model_arguments
from optplan.cli.planning import Planner
from optplan.cli.sources import Checkpoint, SavedPlan, Source, open_source
from optplan.errors import UsageError
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff
from optplan.plan.diff import diff_plans


def diff_of(
    words: tuple[str, str],
    models: tuple[str | None, str | None],
    arguments: Iterable[str] | None,
) -> PlanDiff:
    """What changes from the first word to the second.

    Args:
        words: The two sides.
        models: The models of the sides that are configs; one that is left out is the model of the
            saved plan on the other side.
        arguments: ``name=value`` words for the models.

    Raises:
        OptplanError: No such source or model, or one is wrong.
    """
    given = model_arguments(arguments)
    sources = open_source(words[0]), open_source(words[1])
    if all(isinstance(source, SavedPlan) for source in sources) and any(models):
        raise UsageError("saved plans have their models", hint="leave --model out")
    planner = Planner()
    plans = [
        _plan(planner, source, model, other, given)
        for source, model, other in zip(sources, models, reversed(sources), strict=True)
    ]
    return diff_plans(plans[0], plans[1])


def _plan(
    planner: Planner, source: Source, model: str | None, other: Source, given: Mapping[str, Any]
) -> Plan:
    if isinstance(source, SavedPlan):
        return source.plan
    if isinstance(source, Checkpoint):
        raise UsageError("a checkpoint")
    return planner.plan(source, model or _model_of(other), given).plan


def _model_of(other: Source) -> str:
    """The model of the plan on the other side, where naming it runs no code of its own.

    Raises:
        UsageError: There is no such plan, or its model is someone's code.
    """
    if isinstance(other, SavedPlan) and (spec := other.plan.model.spec) is not None:
        if other.plan.model.source == "timm":
            return spec
        raise UsageError(
            "which model?",
            hint=f"the saved plan was made with --model {spec}; name it if you trust it",
        )
    raise UsageError("which model?", hint="name one: --model resnet50")
