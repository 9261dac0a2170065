"""Turn the words of a command line into what changes from each plan to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from optplan.app.plan import Planner, isolate_named_code, open_with, planner_for, refuse_unused
from optplan.app.request import named_values
from optplan.app.resumed_diff import Resuming, read_checkpoint, resumed_diff
from optplan.app.schedule_divergence import with_schedules
from optplan.app.sources import Checkpoint, Opened, SavedPlan
from optplan.config import Config
from optplan.dialects import code_dialect, opener_of, scheduler_types
from optplan.errors import UsageError
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff, UnreadChange
from optplan.plan.diff import diff_plans

if TYPE_CHECKING:
    from optplan.app.request import ConfigRequest, PlanRequest
    from optplan.plan.saved_groups import SavedTraining


def diffs_of(
    words: Sequence[str],
    models: Sequence[str | None],
    arguments: Sequence[Mapping[str, Any]],
    options: PlanRequest,
    per_epoch: int | None = None,
) -> tuple[PlanDiff, ...]:
    """Return what changes from each word to the next.

    Args:
        words: The sides, two or more.
        models: The model of each alone.
        arguments: What a function on each side is given beside the model.
        options: How configs are read, and the model of the others that are configs; left out, it is that
            of the first saved plan among them, or the config's own.
        per_epoch: How many iterations one epoch has, for the schedulers.

    Raises:
        OptplanError: No such source or model, or one is wrong.
    """
    sources = [open_with(word, options, own) for word, own in zip(words, arguments, strict=True)]
    _refuse_two_checkpoints(sources)
    _refuse_unused(words, sources, models, options)
    # before code that a config names runs, which may lock the process out of other files
    saved = [read_checkpoint(one) if isinstance(one, Checkpoint) else None for one in sources]
    chosen = [one or options.model for one in models]
    for source, model in zip(sources, chosen, strict=True):
        types = scheduler_types(source) if isinstance(source, Config) else ()
        isolate_named_code(source, model, schedulers=types)
    planner = planner_for(options)
    plans = [
        None if isinstance(one, Checkpoint) else _plan(planner, one, model, sources, options)
        for one, model in zip(sources, chosen, strict=True)
    ]
    sides = [_Side(*one) for one in zip(sources, chosen, plans, saved, strict=True)]
    return tuple(
        _between(before, after, planner, options, per_epoch) for before, after in pairwise(sides)
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: what it is, its model by the command line, and its plan or what its checkpoint holds."""

    source: Opened
    model: str | None
    plan: Plan | None
    saved: SavedTraining | None


def _between(
    before: _Side, after: _Side, planner: Planner, options: PlanRequest, per_epoch: int | None
) -> PlanDiff:
    for side, other in ((before, after), (after, before)):
        if side.saved is not None:
            resuming = Resuming(
                source=other.source,
                plan=_known(other.plan),
                planner=planner,
                model=other.model,
                arguments=options.model_arguments,
                per_epoch=per_epoch,
                is_cached=options.is_cached,
            )
            return resumed_diff(resuming, side.saved, is_first=side is before)
    diff = diff_plans(_known(before.plan), _known(after.plan))
    match before.source, after.source:
        case Config() as first, Config() as second:
            sources = first, second
            if code_dialect(first) or code_dialect(second):
                models = before.model, after.model
                return _with_code(
                    diff, planner, sources, models, options.model_arguments, per_epoch
                )
            return with_schedules(diff, sources, per_epoch, is_cached=options.is_cached)
    return replace(diff, unread=(*diff.unread, NO_SCHEDULES))


NO_SCHEDULES = UnreadChange(
    text="schedules and hooks, which a saved plan does not keep", is_alike=None
)


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
            code.attachments,
            config,
            planner.model(config, model, given).module,
            planner.world_size,
        )
        for config, model in zip(configs, models, strict=True)
        if (code := code_dialect(config)) is not None
    ]
    if len(runs) == len(configs):
        return with_attached(diff, runs)
    is_first = code_dialect(configs[0]) is None
    config = configs[0] if is_first else configs[1]
    return with_config(diff, runs[0], config, per_epoch, is_first=is_first)


def arguments_of(
    words: Sequence[str],
    options: ConfigRequest,
    own: Sequence[tuple[str, Iterable[str] | None]] = (),
) -> list[Mapping[str, Any]]:
    """Return what a function on each side is given: what is for all, and what is for that side.

    Args:
        words: The sides.
        options: What is for all.
        own: The letter of each side, and what is for that side alone; none where nothing is.

    Raises:
        UsageError: A word that is not of the form ``name=value``.
    """
    are_functions = [opener_of(word) is not None for word in words]
    for_all = options.function_arguments
    return [
        {
            **(for_all if is_function or not any(are_functions) else {}),
            **named_values(f"--arg-{side}", one),
        }
        for is_function, (side, one) in zip(
            are_functions, own or [("", None)] * len(words), strict=True
        )
    ]


def _refuse_two_checkpoints(sources: Sequence[Opened]) -> None:
    for pair in pairwise(sources):
        if all(isinstance(source, Checkpoint) for source in pair):
            raise UsageError(
                "two checkpoints, which have no names of parameters",
                hint="compare each with the config: optplan diff CONFIG CHECKPOINT",
            )


def _refuse_unused(
    words: Sequence[str],
    sources: Sequence[Opened],
    models: Sequence[str | None],
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
    sources: Sequence[Opened],
    options: PlanRequest,
) -> Plan:
    if isinstance(source, SavedPlan):
        return source.plan
    return planner.plan(source, model or _model_of(sources), options.model_arguments).plan


def _model_of(sources: Sequence[Opened]) -> str | None:
    """Return the model of the first saved plan, where naming it runs no code of its own.

    Returns:
        None where there is no such plan, or it was made for its config's own model.

    Raises:
        UsageError: The plan's model is someone's code.
    """
    saved = next((one.plan.model for one in sources if isinstance(one, SavedPlan)), None)
    if saved is None or saved.source == "config":
        return None
    spec = saved.spec
    if spec is None or saved.source in ("timm", "transformers"):
        return spec
    raise UsageError(
        "which model?",
        hint=f"the saved plan was made with --model {spec}; name it if you trust it",
    )
