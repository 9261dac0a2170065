"""OPT504."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from optplan.checks.base import Check, Context, Finding
from optplan.checks.schedulers import Schedulers
from optplan.names import Severity
from optplan.schedule.catalog import NO_END, Family
from optplan.schedule.specs import Spec


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
        """What is past the end, and what is left out."""
        found = context.schedulers
        if found is None:
            return
        own = [(spec, path) for spec, path in found.specs if isinstance(spec, Spec)]
        for spec, path in own:
            yield from self._beyond(found, spec, path)
        if len(own) == len(found.specs):
            for param in dict.fromkeys(spec.param for spec, _ in own):
                alike = [(spec, path) for spec, path in own if spec.param == param]
                if all(spec.family is not Family.REDUCE_ON_PLATEAU for spec, _ in alike):
                    yield from self._uncovered(found, param, alike)

    def _beyond(self, found: Schedulers, spec: Spec, path: str) -> Iterator[Finding]:
        limit = found.limit(spec)
        if limit is None:
            return
        past = {
            name: value
            for name, value in (("begin", spec.begin), ("end", spec.end))
            if name in spec.raw and (value > limit or (name == "begin" and value == limit))
        }
        if past.get("end") == NO_END:
            del past["end"]
        for name, value in past.items():
            yield self.finding(
                f"{spec.name}: {name} {found.shown(spec, value)} is past the end of the training,"
                f" which has {found.length(spec, limit)}",
                key=f"{path}.{name}",
                place=spec.at(name),
            )
        if spec.family is Family.MULTI_STEP:
            yield from self._milestones(found, spec, path, limit)

    def _milestones(
        self, found: Schedulers, spec: Spec, path: str, limit: float
    ) -> Iterator[Finding]:
        at = [ceil(spec.begin) + one - spec.last_step - 1 for one in spec.arguments["milestones"]]
        late = [found.shown(spec, one) for one in at if one >= limit]
        if late:
            yield self.finding(
                f"{spec.name}: milestone {', '.join(late)} is never reached: the training has"
                f" {found.length(spec, limit)}",
                key=f"{path}.milestones",
                place=spec.at("milestones"),
            )

    def _uncovered(
        self, found: Schedulers, param: str, specs: Sequence[tuple[Spec, str]]
    ) -> Iterator[Finding]:
        """Stretches between the schedulers of one hyper-parameter, and behind the last."""
        spans = [_span(found, spec) for spec, _ in specs]
        length = found.training.length
        unit = "epoch" if found.training.by_epoch else "iteration"
        known = sorted(span for span in spans if span is not None and span[0] < length)
        if len(known) < len(spans):
            return  # it is not known how many iterations an epoch has
        ends_open = all(_warms_up(spec) for spec, _ in specs)
        covered = 0.0
        for begin, end in [*known, *([] if ends_open else [(float(length), float(length))])]:
            if begin > covered:
                yield self.finding(
                    f"no scheduler moves {param} from {unit} {covered:g} to {begin:g},"
                    " while others do before or after",
                    key=f"{specs[0][1].partition('[')[0]}.{param}.from.{covered:g}",
                    place=specs[0][0].place,
                )
            covered = max(covered, end)


def _span(found: Schedulers, spec: Spec) -> tuple[float, float] | None:
    """Where a scheduler acts, in what the training counts; None where that is not known."""
    if not found.training.by_epoch:
        return None if spec.by_epoch or spec.converted else (spec.begin, spec.end)
    if spec.by_epoch:
        return spec.begin, spec.end
    per_epoch = found.training.per_epoch or 1
    return (spec.begin / per_epoch, spec.end / per_epoch) if spec.converted else None


def _warms_up(spec: Spec) -> bool:
    """Whether a scheduler gives the value back as it was: what follows may well be constant."""
    if spec.family is Family.LINEAR:
        return bool(spec.arguments["end_factor"] == 1)
    return spec.family is Family.CONSTANT
