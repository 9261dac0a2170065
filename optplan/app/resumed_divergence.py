"""Add the schedulers in a checkpoint to its difference from a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from optplan.app.config_schedule import Length, schedule_for, training_of
from optplan.app.sources import Opened
from optplan.config import Config
from optplan.dialects import dialect_of, find_schedulers
from optplan.dialects.code_dialect import CodeDialect
from optplan.errors import OptplanError, UsageError, listed, quoted
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff, UnreadChange
from optplan.plan.saved_groups import SavedSchedulers
from optplan.schedule.resumed_schedulers import not_compared, restored_changes, torch_changes
from optplan.schedule.specs import AnySpec


def with_restored(
    diff: PlanDiff,
    saved: SavedSchedulers,
    source: Opened,
    plan: Plan,
    per_epoch: int | None,
    *,
    states: Sequence[Mapping[str, Any]] | None = None,
    is_cached: bool = False,
) -> PlanDiff:
    """Return the difference with what resuming makes of the schedulers, the config being the first side.

    Args:
        diff: What the plan and the checkpoint's groups differ in.
        saved: What the checkpoint keeps of schedulers.
        source: What the plan was made from.
        plan: The plan.
        per_epoch: How many iterations one epoch has.
        states: The states of the config's own schedulers of torch; None where they are not known.
        is_cached: Whether what torch's optimizers have may be cached.
    """
    if saved.torchs:
        diff = replace(diff, schedulers=tuple(torch_changes(plan, saved.torchs, states)))
    others = [f"{quoted(name)} of the checkpoint, which is not read" for name in saved.unread]
    dialect = dialect_of(source) if isinstance(source, Config) else None
    if dialect is None or isinstance(dialect, CodeDialect) or not isinstance(source, Config):
        what = "a saved plan" if dialect is None else dialect.title
        if saved.count:
            others.append(f"the checkpoint's schedulers: {what} has none to compare them with")
        return _with_others(diff, others)
    if not saved.count:
        if dialect.keeps_scheduler_states and not (
            saved.unread or saved.torchs or _is_empty(source)
        ):
            others.append("the config's schedulers: the checkpoint keeps none")
        return _with_others(diff, others)
    diff = _with_others(diff, others)
    try:
        specs = _specs(source, plan, per_epoch, is_cached=is_cached)
    except UsageError:
        text = "the checkpoint's schedulers cannot be compared: the config does not say how long it trains"
        return replace(diff, uncompared=text)
    except OptplanError as error:
        why = "; ".join(str(problem) for problem in error.problems)
        return replace(diff, uncompared=f"the checkpoint's schedulers cannot be compared: {why}")
    return _compared(diff, saved, specs, plan.optimizers[0].name)


def _is_empty(config: Config) -> bool:
    try:
        return find_schedulers(config).is_empty
    except OptplanError:
        return False


def _with_others(diff: PlanDiff, texts: list[str]) -> PlanDiff:
    found = [UnreadChange(text=text, is_alike=None) for text in texts]
    return replace(diff, unread=(*diff.unread, *found))


def _specs(
    config: Config, plan: Plan, per_epoch: int | None, *, is_cached: bool
) -> tuple[AnySpec, ...]:
    """Return the schedulers of the config's only optimizer.

    Raises:
        OptplanError: A scheduler is wrong, or the training's length is not known.
    """
    section = find_schedulers(config)
    if section.is_empty:
        return ()
    training = training_of(config, Length(per_epoch=per_epoch))
    return schedule_for(plan, config, section, training, is_cached=is_cached).specs[0]


def _compared(
    diff: PlanDiff, saved: SavedSchedulers, specs: tuple[AnySpec, ...], optimizer: str | None
) -> PlanDiff:
    if saved.own and (optimizer is None or optimizer not in saved.own):
        names = listed(list(map(quoted, saved.own)))
        text = f"the checkpoint's schedulers are those of the optimizers {names}: they are not compared"
        return replace(diff, uncompared=text)
    states = saved.shared if optimizer is None or not saved.own else saved.own[optimizer]
    foreign = not_compared(specs, states)
    uncompared = f"what resuming makes of {listed(foreign)} is not compared" if foreign else None
    return replace(diff, schedulers=tuple(restored_changes(specs, states)), uncompared=uncompared)


def turned(diff: PlanDiff) -> PlanDiff:
    """Return the difference with the schedulers' values the other way round."""
    changes = [replace(one, before=one.after, after=one.before) for one in diff.schedulers]
    return replace(diff, schedulers=tuple(changes))
