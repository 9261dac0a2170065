"""OPT504: schedulers that do not fit the training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.config_schedulers import Schedulers
from optplan.checks.facts.wording import plain_number
from optplan.names import Severity
from optplan.schedule.catalog import Family
from optplan.schedule.specs import HookSpec, Spec


class ScheduleBeyondTraining(Check):
    """A scheduler's milestone, begin or end is past the end of the training, or a stretch of it has no scheduler.

    Bad, the last milestone is never reached::

        train_cfg = dict(by_epoch=True, max_epochs=80)
        param_scheduler = dict(type='MultiStepLR', milestones=[30, 60, 90])

    Bad, nothing moves the lr from epoch 5 to 10::

        param_scheduler = [
            dict(type='LinearLR', start_factor=0.1, end=5),
            dict(type='CosineAnnealingLR', begin=10)]

    Good: both fit ``max_epochs``, and one begins where the other ends. A warm-up alone is fine, too.
    """

    code = "OPT504"
    name = "schedule-beyond-training"
    severity = Severity.WARNING
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield what is past the end, and what is left out."""
        found = context.schedulers
        if found is None:
            return
        own = [(spec, path) for spec, path in found.specs if isinstance(spec, Spec)]
        for spec, path in found.specs:
            if isinstance(spec, HookSpec):
                yield from self._of_hook(found, spec, path)
        for spec, path in own:
            yield from self._beyond(found, spec, path)
        if found.is_whole and len(own) == len(found.specs):
            for param in dict.fromkeys(spec.param for spec, _ in own):
                alike = [(spec, path) for spec, path in own if spec.param == param]
                if all(spec.family is not Family.REDUCE_ON_PLATEAU for spec, _ in alike):
                    yield from self._uncovered(found, param, alike)

    def _of_hook(self, found: Schedulers, spec: HookSpec, path: str) -> Iterator[Finding]:
        """Yield what of a policy of mmcv 1.x the training never comes to."""
        if not spec.acts:
            yield self.finding(
                f"the policy {spec.name} goes by epochs, which a runner by iterations does not call:"
                f" the {spec.param} stays as it is",
                key=f"{path}.by_epoch",
                place=spec.at("by_epoch"),
                hint="set by_epoch=False",
            )
            return
        if spec.counts_epochs is not found.training.by_epoch:
            return  # how many iterations there are is not known
        unit = "epoch" if spec.counts_epochs else "iteration"
        length = f"{spec.length} {unit}{'' if spec.length == 1 else 's'}"
        steps = spec.arguments.get("step")
        late = [one for one in steps if one >= spec.length] if isinstance(steps, list) else []
        if late:
            many = len(late) > 1
            yield self.finding(
                f"{spec.name}: {'steps' if many else 'step'} {', '.join(map(plain_number, late))}"
                f" {'are' if many else 'is'} never reached: the training has {length}",
                key=f"{path}.step",
                place=spec.at("step"),
            )

    def _beyond(self, found: Schedulers, spec: Spec, path: str) -> Iterator[Finding]:
        limit = found.limit(spec)
        if limit is not None:
            for name, value in zip(("begin", "end"), found.span(spec), strict=True):
                is_past = value > limit or (name == "begin" and value == limit)
                if name in spec.raw and is_past and not (name == "end" and found.is_endless(spec)):
                    yield self.finding(
                        f"{spec.name}: {name} {plain_number(value)} is past the end of the training,"
                        f" which has {found.length(spec, limit)}",
                        key=f"{path}.{name}",
                        place=spec.at(name),
                    )
        if spec.family is Family.MULTI_STEP and (spec.last_step == -1 or not spec.converted):
            yield from self._milestones(found, spec, path, limit)

    def _milestones(
        self, found: Schedulers, spec: Spec, path: str, limit: float | None
    ) -> Iterator[Finding]:
        """Yield the milestones past the scheduler's own end, and those past the end of the training."""
        begin, end = found.span(spec)
        first = ceil(begin) - spec.last_step - 1
        milestones = spec.raw["milestones"]
        at = sorted(first + one for one in milestones)
        past_training = [] if limit is None else [one for one in at if one >= limit]
        past_end = [one for one in at if one >= end and one not in past_training]
        if limit is not None and end < limit:
            past_training, past_end = [], sorted([*past_training, *past_end])
        for late, why in (
            (past_end, f"the scheduler ends at {plain_number(end)}"),
            (past_training, f"the training has {found.length(spec, limit or 0)}"),
        ):
            if late:
                many = len(late) > 1
                yield self.finding(
                    f"{spec.name}: {'milestones' if many else 'milestone'}"
                    f" {', '.join(map(plain_number, late))} {'are' if many else 'is'} never reached: {why}",
                    key=f"{path}.milestones",
                    place=spec.at("milestones"),
                )

    def _uncovered(
        self, found: Schedulers, param: str, specs: Sequence[tuple[Spec, str]]
    ) -> Iterator[Finding]:
        """Yield stretches between the schedulers of one hyper-parameter, and behind the last."""
        length = found.training.length
        unit = "epoch" if found.training.by_epoch else "iteration"
        known = sorted(found.span(spec) for spec, _ in specs if _counts(found, spec))
        others = [spec for spec, _ in specs if not _counts(found, spec)]
        if not known or known[-1][0] >= length or any(spec.begin > 0 for spec in others):
            return  # one never acts, or it takes the iterations of an epoch to order them
        ends_open = all(_warms_up(spec) for spec, _ in specs)
        covered = known[0][0] if others else 0.0
        for begin, end in [*known, *([] if ends_open else [(float(length), float(length))])]:
            if begin > covered:
                yield self.finding(
                    f"no scheduler moves {param} from {unit} {plain_number(covered)} to"
                    f" {plain_number(begin)}, while others do before or after{_unless(others)}",
                    key=f"{specs[0][1].partition('[')[0]}.{param}.from.{covered:g}",
                    place=specs[0][0].place,
                )
            covered = max(covered, end)


def _counts(found: Schedulers, spec: Spec) -> bool:
    """Return whether a scheduler's begin and end are in what the training counts."""
    if found.training.by_epoch:
        return spec.by_epoch or spec.converted
    return not spec.by_epoch and not spec.converted


def _unless(others: Sequence[Spec]) -> str:
    """Return what may reach into a gap whose length in the scheduler's own unit nobody knows."""
    names = ", ".join(dict.fromkeys(spec.name for spec in others))
    if not others:
        return ""
    unit = "epochs" if others[0].by_epoch or others[0].converted else "iterations"
    return f" (unless {names}, which counts {unit}, reaches that far)"


def _warms_up(spec: Spec) -> bool:
    """Return whether a scheduler gives the value back as it was: what follows may well be constant."""
    if spec.family is Family.LINEAR:
        return bool(spec.arguments["end_factor"] == 1)
    return spec.family is Family.CONSTANT
