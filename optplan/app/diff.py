"""From the words of a command line to the difference of two plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from optplan.app.plan import (
    Planner,
    isolate_named_code,
    open_with,
    planner_for,
    refuse_unused,
)
from optplan.app.request import named_values
from optplan.app.resumed_diff import Resuming, read_checkpoint, resumed_diff
from optplan.app.schedule_divergence import with_schedules
from optplan.app.sources import Checkpoint, Opened, SavedPlan
from optplan.config import Config
from optplan.dialects import dialect_of, opener_of, scheduler_types
from optplan.errors import UsageError
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff, UnreadChange
from optplan.plan.diff import diff_plans

if TYPE_CHECKING:
    from optplan.app.request import PlanRequest


def diff_of(
    words: tuple[str, str],
    models: tuple[str | None, str | None],
    arguments: tuple[Mapping[str, Any], Mapping[str, Any]],
    options: PlanRequest,
    per_epoch: int | None = None,
) -> PlanDiff:
    """Return what changes from the first word to the second.

    Args:
        words: The two sides.
        models: The models of one side each.
        arguments: What a function on each side is given beside the model.
        options: How configs are read, and the model of the others that are configs; left out, it is that
            of the saved plan on the other side, or the config's own.
        per_epoch: How many iterations one epoch has, for the schedulers.

    Raises:
        OptplanError: No such source or model, or one is wrong.
    """
    model, given = options.model, options.model_arguments
    sources = (
        open_with(words[0], options, arguments[0]),
        open_with(words[1], options, arguments[1]),
    )
    _refuse_two_checkpoints(sources)
    _refuse_unused(words, sources, models, options)
    # before code that a config names runs, which may lock the process out of other files
    checkpoint = next(
        (read_checkpoint(one) for one in sources if isinstance(one, Checkpoint)), None
    )
    chosen = models[0] or model, models[1] or model
    for source, one in zip(sources, chosen, strict=True):
        types = scheduler_types(source) if isinstance(source, Config) else ()
        isolate_named_code(source, one, schedulers=types)
    planner = planner_for(options)
    plans = [
        None if isinstance(source, Checkpoint) else _plan(planner, source, name, other, given)
        for source, name, other in zip(sources, chosen, reversed(sources), strict=True)
    ]
    if checkpoint is not None:
        is_first = plans[0] is None
        at = 1 if is_first else 0
        resuming = Resuming(
            source=sources[at],
            plan=_known(plans[at]),
            planner=planner,
            model=chosen[at],
            arguments=given,
            per_epoch=per_epoch,
            is_cached=options.is_cached,
        )
        return resumed_diff(resuming, checkpoint, is_first=is_first)
    diff = diff_plans(_known(plans[0]), _known(plans[1]))
    match sources:
        case Config() as before, Config() as after:
            if _is_code(before) or _is_code(after):
                return _with_code(diff, planner, sources, chosen, given, per_epoch)
            return with_schedules(diff, sources, per_epoch, is_cached=options.is_cached)
    return replace(diff, unread=(*diff.unread, NO_SCHEDULES))


NO_SCHEDULES = UnreadChange(
    text="schedules and hooks, which a saved plan does not keep", is_alike=None
)


def _is_code(config: Config) -> bool:
    return dialect_of(config).is_code


def _with_code(
    diff: PlanDiff,
    planner: Planner,
    configs: tuple[Config, Config],
    models: tuple[str | None, str | None],
    given: Mapping[str, Any],
    per_epoch: int | None,
) -> PlanDiff:
    """Return the difference with that of the schedulers, where a side is code."""
    from optplan.app.function_divergence import with_attached, with_config

    runs = [
        partial(
            dialect_of(config).attachments,
            config,
            planner.model(config, model, given).module,
            planner.world_size,
        )
        for config, model in zip(configs, models, strict=True)
        if _is_code(config)
    ]
    if len(runs) == len(configs):
        return with_attached(diff, runs)
    is_first = not _is_code(configs[0])
    config = configs[0] if is_first else configs[1]
    return with_config(diff, runs[0], config, per_epoch, is_first=is_first)


def arguments_of(
    words: tuple[str, str],
    options: PlanRequest,
    own: tuple[Iterable[str] | None, Iterable[str] | None],
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what a function on each side is given: what is for both, and what is for that side.

    Raises:
        UsageError: A word that is not of the form ``name=value``.
    """
    are_functions = [opener_of(word) is not None for word in words]
    for_both = options.function_arguments
    first, second = (
        {
            **(for_both if is_function or not any(are_functions) else {}),
            **named_values(f"--arg-{side}", one),
        }
        for side, is_function, one in zip("ab", are_functions, own, strict=True)
    )
    return first, second


def _refuse_two_checkpoints(sources: tuple[Opened, Opened]) -> None:
    if all(isinstance(source, Checkpoint) for source in sources):
        raise UsageError(
            "two checkpoints, which have no names of parameters",
            hint="compare each with the config: optplan diff CONFIG CHECKPOINT",
        )


def _refuse_unused(
    words: tuple[str, str],
    sources: tuple[Opened, Opened],
    models: tuple[str | None, str | None],
    options: PlanRequest,
) -> None:
    """Refuse options that no side would use.

    Raises:
        UsageError: A model, its arguments, a config value or the batch is given, and no side is a config.
    """
    for word, source, model in zip(words, sources, models, strict=True):
        if model is not None and not isinstance(source, Config):
            raise UsageError(f"{word!r} is no config, which --model {model} could be built for")
    if any(isinstance(source, Config) for source in sources):
        return
    refuse_unused(words[0], options)
    if options.model or options.model_arguments:
        raise UsageError("saved plans have their models", hint="leave --model and -k out")


def _known(plan: Plan | None) -> Plan:
    """Return the plan of a side that is no checkpoint."""
    if plan is None:
        raise TypeError("a checkpoint has no plan")
    return plan


def _plan(
    planner: Planner,
    source: SavedPlan | Config,
    model: str | None,
    other: Opened,
    given: Mapping[str, Any],
) -> Plan:
    if isinstance(source, SavedPlan):
        return source.plan
    return planner.plan(source, model or _model_of(other), given).plan


def _model_of(other: Opened) -> str | None:
    """The model of the plan on the other side, where naming it runs no code of its own.

    Returns:
        None where there is no such plan, or it was made for its config's own model.

    Raises:
        UsageError: The plan's model is someone's code.
    """
    if not isinstance(other, SavedPlan) or other.plan.model.source == "config":
        return None
    spec = other.plan.model.spec
    if spec is None or other.plan.model.source in ("timm", "transformers"):
        return spec
    raise UsageError(
        "which model?",
        hint=f"the saved plan was made with --model {spec}; name it if you trust it",
    )
