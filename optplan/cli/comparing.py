"""From the words of a command line to the difference of two plans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optplan.cli.options import named_values
from optplan.cli.parting import with_schedules, with_trainers
from optplan.cli.planning import (
    Planner,
    isolate_named_code,
    open_with,
    planner_for,
    refuse_unused,
)
from optplan.cli.restoring import turned, with_restored
from optplan.cli.scheduling import trainer_args
from optplan.cli.sources import Checkpoint, Opened, SavedPlan
from optplan.config import Config, FunctionConfig, names_function
from optplan.errors import UsageError
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff, UnreadChange
from optplan.plan.diff import diff_plans
from optplan.plan.resume import Resumed, resumed
from optplan.plan.saved_schedulers import SavedSchedulers
from optplan.schedule import scheduler_types

if TYPE_CHECKING:
    from torch import nn

    from optplan.cli.options import PlanOptions


def diff_of(
    words: tuple[str, str],
    models: tuple[str | None, str | None],
    arguments: tuple[Mapping[str, Any], Mapping[str, Any]],
    options: PlanOptions,
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
    is_cached = options.is_cached
    sources = (
        open_with(words[0], options, arguments[0]),
        open_with(words[1], options, arguments[1]),
    )
    _refuse_two_checkpoints(sources)
    _refuse_unused(words, sources, models, options)
    chosen = models[0] or model, models[1] or model
    for source, one in zip(sources, chosen, strict=True):
        types = scheduler_types(source.data) if isinstance(source, Config) else ()
        isolate_named_code(source, one, schedulers=types)
    planner = planner_for(options)
    plans = [
        None if isinstance(source, Checkpoint) else _plan(planner, source, name, other, given)
        for source, name, other in zip(sources, chosen, reversed(sources), strict=True)
    ]
    diff = _with_checkpoint(sources, plans, per_epoch, is_cached=is_cached)
    match sources:
        case (Checkpoint(), _) | (_, Checkpoint()):
            return diff
        case Config() as before, Config() as after if trainer_args(before) or trainer_args(after):
            modules = [
                planner.model(source, name, given).module
                for source, name in zip((before, after), chosen, strict=True)
            ]
            return with_trainers(diff, (before, after), modules, per_epoch)
        case (FunctionConfig(), Config()) | (Config(), FunctionConfig()):
            return _with_functions(diff, planner, sources, chosen, given, per_epoch)
        case Config() as before, Config() as after:
            return with_schedules(diff, (before, after), per_epoch, is_cached=is_cached)
    return replace(diff, unread=(*diff.unread, _NO_SCHEDULES))


_NO_SCHEDULES = UnreadChange(
    text="schedules and hooks, which a saved plan does not keep", is_alike=None
)


def _with_functions(
    diff: PlanDiff,
    planner: Planner,
    sources: tuple[Opened, Opened],
    models: tuple[str | None, str | None],
    given: Mapping[str, Any],
    per_epoch: int | None,
) -> PlanDiff:
    """Return the difference with that of the schedulers, where a side is a function."""
    from optplan.cli.attached_parting import with_attached, with_config
    from optplan.constructors.attached import Attachments, attachments_of

    runs = []
    for source, model in zip(sources, models, strict=True):
        if not isinstance(source, FunctionConfig):
            continue
        module = planner.model(source, model, given).module

        def run(config: FunctionConfig = source, module: nn.Module = module) -> Attachments:
            return attachments_of(config, module, planner.world_size)

        runs.append(run)
    if len(runs) == len(sources):
        return with_attached(diff, runs)
    is_first = not isinstance(sources[0], FunctionConfig)
    config = sources[0] if is_first else sources[1]
    assert isinstance(config, Config)
    return with_config(diff, runs[0], config, per_epoch, is_first=is_first)


def arguments_of(
    words: tuple[str, str],
    options: PlanOptions,
    own: tuple[Iterable[str] | None, Iterable[str] | None],
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what a function on each side is given: what is for both, and what is for that side.

    Raises:
        UsageError: A word that is not of the form ``name=value``.
    """
    are_functions = [names_function(word) for word in words]
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
    options: PlanOptions,
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


def _with_checkpoint(
    sources: tuple[Opened, Opened],
    plans: Sequence[Plan | None],
    per_epoch: int | None,
    *,
    is_cached: bool,
) -> PlanDiff:
    """The difference, a checkpoint's side being what the other one becomes when it is loaded."""
    match sources, plans:
        case _, [Plan() as before, Plan() as after]:
            return diff_plans(before, after)
        case [source, Checkpoint() as checkpoint], [Plan() as plan, _]:
            found, saved = _resumed(plan, checkpoint)
            diff = _with_words(diff_plans(plan, found.plan), found)
            return with_restored(diff, saved, source, plan, per_epoch, is_cached=is_cached)
        case [Checkpoint() as checkpoint, source], [_, Plan() as plan]:
            found, saved = _resumed(plan, checkpoint)
            diff = _with_words(diff_plans(found.plan, plan), found)
            return turned(with_restored(diff, saved, source, plan, per_epoch, is_cached=is_cached))
        case _:
            raise TypeError("a side that is neither a plan nor a checkpoint")


def _with_words(diff: PlanDiff, found: Resumed) -> PlanDiff:
    return replace(diff, misfits=found.misfits, remarks=(*diff.remarks, *found.remarks))


def _resumed(plan: Plan, checkpoint: Checkpoint) -> tuple[Resumed, SavedSchedulers]:
    from optplan.constructors.checkpoint import class_defaults, load_checkpoint, saved_groups
    from optplan.constructors.saved_schedulers import saved_schedulers

    data = load_checkpoint(checkpoint.path)
    groups = saved_groups(data, checkpoint.path)
    found = resumed(plan, groups, class_defaults(plan.optimizers[0].class_name))
    return found, saved_schedulers(data, checkpoint.path)


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
