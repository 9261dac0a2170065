"""Compare a config, or a saved plan, with its training that goes on from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from optplan.app.plan import Planner
from optplan.app.resumed_divergence import turned, with_restored
from optplan.app.sources import Checkpoint, Opened
from optplan.config import Config
from optplan.dialects import code_dialect, dialect_of
from optplan.errors import listed
from optplan.names import Rule
from optplan.plan import Plan
from optplan.plan.changes import (
    ABSENT,
    Change,
    ChangeKind,
    Overwritten,
    PlanDiff,
    Resumption,
    all_names,
)
from optplan.plan.diff import diff_plans
from optplan.plan.names.clusters import Patterns
from optplan.plan.resumed_training import TensorFit, fit_of, resumed_training
from optplan.plan.saved_groups import SavedTraining
from optplan.runtime.audit import lifted
from optplan.schedule.resumed_hooks import one_cycle_sections, with_planned_starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Resuming:
    """What is resumed with.

    Args:
        source: The config or saved plan.
        plan: Its plan.
        planner: Makes the config's model.
        model, arguments: The model, as the command line says.
        per_epoch: How many iterations one epoch has.
        is_cached: Whether what torch's optimizers have may be cached.
    """

    source: Opened
    plan: Plan
    planner: Planner
    model: str | None
    arguments: Mapping[str, Any]
    per_epoch: int | None
    is_cached: bool

    def tensors(self) -> list[str] | None:
        """Return the names in the state dict of the config's model; None for a saved plan."""
        if not isinstance(self.source, Config):
            return None
        module = self.planner.model(self.source, self.model, self.arguments).module
        return list(module.state_dict())

    def adapter_names(self) -> dict[str, str] | None:
        """Return the model's names of what peft saves of its adapter; None where that is not known."""
        from optplan.model.adapters import saved_names

        if not isinstance(self.source, Config):
            return None
        return saved_names(self.planner.model(self.source, self.model, self.arguments).module)

    def scheduler_states(self) -> list[dict[str, Any]] | None:
        """Return the states of the schedulers that code makes; None where they are not made by code."""
        if not isinstance(self.source, Config) or (code := code_dialect(self.source)) is None:
            return None
        from optplan.checkpoints.saved_schedulers import plain_state

        module = self.planner.model(self.source, self.model, self.arguments).module
        found = code.attachments(self.source, module, self.planner.world_size)
        return [
            {"class": type(one.said.scheduler).__name__}
            | plain_state(one.said.scheduler.state_dict(), "the config")
            for one in found.schedulers
        ]


@lifted()
def read_checkpoint(checkpoint: Checkpoint) -> SavedTraining:
    """Return what a checkpoint holds.

    Raises:
        PlanError: It cannot be read, or has no optimizer state.
    """
    from optplan.checkpoints.training import read_training

    return read_training(checkpoint.path)


def resumed_diff(resuming: Resuming, saved: SavedTraining, *, is_first: bool) -> PlanDiff:
    """Return what resuming changes.

    Args:
        resuming: What is resumed with.
        saved: The checkpoint.
        is_first: The checkpoint is the first side.
    """
    plan = resuming.plan
    sections = _one_cycle_sections(resuming.source)
    found = resumed_training(plan, _with_hooks(plan, saved, sections), _defaults(plan))
    diff = diff_plans(plan, found.plan)
    fit = _fit(resuming, saved)
    diff = replace(
        diff,
        misfits=(*found.misfits, *fit.misfits),
        remarks=(*diff.remarks, *found.remarks, *fit.remarks, *_starts(sections)),
    )
    diff = _with_names(diff, fit)
    diff = with_restored(
        diff,
        saved.schedulers,
        resuming.source,
        plan,
        resuming.per_epoch,
        states=resuming.scheduler_states() if saved.schedulers.torchs else None,
        is_cached=resuming.is_cached,
    )
    resumption = Resumption(
        saved_by=saved.title,
        progress=saved.progress,
        overwritten=() if diff.misfits else tuple(dict.fromkeys(_overwritten(diff))),
    )
    diff = _with_class_values(replace(diff, resumption=resumption), plan)
    return _swapped(diff, diff_plans(found.plan, plan)) if is_first else diff


def _fit(resuming: Resuming, saved: SavedTraining) -> TensorFit:
    """Return how the saved weights fit, those of an adapter alone where the checkpoint has no more."""
    plan = resuming.plan
    if not saved.is_adapter:
        return fit_of(plan, saved, resuming.tensors() if saved.model else None)
    names = resuming.adapter_names()
    if names is None:
        text = "the checkpoint has an adapter alone, whose weights are not compared: "
        return TensorFit(remarks=(f"{text}name it with --peft FOLDER",))
    own = {*names.values()}
    rows = tuple(row for row in plan.parameters if row.name in own)
    model = {names.get(name, name): shape for name, shape in saved.model.items()}
    return fit_of(replace(plan, parameters=rows), replace(saved, model=model), own)


def _defaults(plan: Plan) -> list[Mapping[str, Any]]:
    from optplan.constructors.optimizers import class_defaults

    return [class_defaults(one.class_name) for one in plan.optimizers]


def _with_class_values(diff: PlanDiff, plan: Plan) -> PlanDiff:
    """Return the difference with the class's own values of options that the first side does not state."""
    defaults = _defaults(plan)
    places = {optimizer.name: place for place, optimizer in enumerate(plan.optimizers)}
    homes = {row.name: row.optimizer for row in plan.parameters}

    def stated(change: Change, place: int | None) -> Change:
        if change.kind is not ChangeKind.OPTION or change.before is not ABSENT or place is None:
            return change
        return replace(change, before=defaults[place].get(change.field, ABSENT))

    return replace(
        diff,
        optimizers=tuple(
            replace(one, change=stated(one.change, places.get(one.optimizer)))
            for one in diff.optimizers
        ),
        clusters=tuple(
            replace(one, change=stated(one.change, homes.get(one.names[0])))
            for one in diff.clusters
        ),
    )


def _with_hooks(plan: Plan, saved: SavedTraining, sections: tuple[str, ...]) -> SavedTraining:
    """Return a checkpoint with the plan's values where hooks of mmcv 1.x set them anew."""
    if not sections or len(plan.optimizers) != 1 or len(saved.optimizers) != 1:
        return saved
    ((name, groups),) = saved.optimizers.items()
    return replace(saved, optimizers={name: with_planned_starts(plan, groups, sections)})


def _one_cycle_sections(source: Opened) -> tuple[str, ...]:
    """Return the sections of a config whose hooks set a setting anew, whatever a checkpoint says."""
    if not isinstance(source, Config) or dialect_of(source).keeps_scheduler_states:
        return ()
    return one_cycle_sections(source.data)


def _starts(sections: tuple[str, ...]) -> tuple[str, ...]:
    if not sections:
        return ()
    return (
        f"{listed(sections)}: a one-cycle policy starts from its own arguments, not from the checkpoint",
    )


def _with_names(diff: PlanDiff, fit: TensorFit) -> PlanDiff:
    """Return the difference with the tensors that one side alone has."""
    if not (fit.missing or fit.unexpected):
        return diff
    names = dict.fromkeys([*all_names(diff.before, diff.after), *fit.missing, *fit.unexpected])
    patterns = Patterns(list(names))
    return replace(
        diff,
        only_before=patterns.one_sided(fit.missing),
        only_after=patterns.one_sided(fit.unexpected),
    )


def _overwritten(diff: PlanDiff) -> Iterator[Overwritten]:
    """Yield what of the first side, a config or a plan, has no effect on resume."""
    for item in diff.optimizers:
        if item.change.before is not ABSENT:
            name = f"{item.optimizer}: " if item.optimizer else ""
            yield Overwritten(
                entry=name + item.change.field, rule=_base_rule(diff, item.change.field)
            )
    for cluster in diff.clusters:
        if cluster.change.before is not ABSENT:
            yield Overwritten(entry=cluster.change.field, rule=cluster.rule_before)
    for scheduler in diff.schedulers:
        if scheduler.field not in ("count", "class"):
            yield Overwritten(entry=f"{scheduler.scheduler} {scheduler.field}")


def _base_rule(diff: PlanDiff, field: str) -> Any:
    """Return the rule by which parameters have a base value, which knows where that is written."""
    uses = (getattr(row, f"{field}_rule", None) for row in diff.before.parameters)
    return next((use for use in uses if use is not None and use.rule is Rule.DEFAULT), None)


def _swapped(diff: PlanDiff, back: PlanDiff) -> PlanDiff:
    """Return the difference with the checkpoint as the first side.

    Args:
        diff: From the config to the checkpoint.
        back: What the plans differ in, the other way round.
    """
    return replace(
        turned(diff),
        before=back.before,
        after=back.after,
        clusters=back.clusters,
        optimizers=back.optimizers,
        rules=back.rules,
        versions=back.versions,
        only_before=diff.only_after,
        only_after=diff.only_before,
    )
