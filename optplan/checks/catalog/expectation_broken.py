"""OPT801: plans that break an expectation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

from optplan.checks.base import Check, Context, Finding
from optplan.checks.expectations import Breach, LrCourse, breaches
from optplan.checks.facts.deciding_place import deciding_place
from optplan.checks.paths import shown_path
from optplan.config import place_of
from optplan.errors import OptplanError
from optplan.names import Severity
from optplan.places import Place
from optplan.plan import Planned
from optplan.schedule import Schedule, courses_of
from optplan.schedule.key_steps import telling_steps

# Which of a parameter's values decides what is expected.
_SETTINGS = {
    "weight-decay": "weight_decay",
    **dict.fromkeys(("lr", "lr-mult", "lr-at-end", "never-zero", "frozen"), "lr"),
}


class ExpectationBroken(Check):
    """A plan that is not what the project expects of it.

    Expectations stand in pyproject.toml::

        [[tool.optplan.expect]]
        parameters = "*.bias"
        weight-decay = 0.0

    Which parameters: ``parameters``, a pattern of names or a list of them, in which ``*`` crosses dots;
    ``module``, a class or a list, as ``module = "RMSNorm"``; ``rule``, as ``rule = "norm"``; several
    narrow it down. ``configs`` says for which configs.

    What must hold of all of them: ``weight-decay``, ``lr``, ``lr-mult`` (how many times the optimizer's
    own lr) and ``lr-at-end`` (in the last step of the training), each a number, a comparison (``"> 0"``,
    ``"> 0, <= 0.1"``) or a range (``"0.01..0.1"``), of the weight decay also ``"decayed"`` or
    ``"not decayed"``; ``never-zero = true``: the lr is 0 at no step; ``frozen`` (true or false). With
    ``share = 0.9`` it must hold for 90 % of their elements. ``min-parameters`` is how many of them there
    must be, 1 if nothing is said.

    Bad, for the expectation above::

        optimizer = dict(type='SGD', lr=0.1, weight_decay=1e-4)

    Good::

        optimizer = dict(type='SGD', lr=0.1, weight_decay=1e-4,
                         paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0))
    """

    code = "OPT801"
    name = "expectation-broken"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield everything that breaks an expectation which is meant for this config."""
        planned = context.planned
        if planned is None:
            return
        config = shown_path(context.config.entry.path or context.config.entry.name)
        course = cache(partial(lr_over_training, context))
        for expectation in context.expectations:
            if not expectation.is_for(config):
                continue
            for breach in breaches(expectation, planned.plan, course):
                yield self.finding(
                    f"{breach.message} (expected by {expectation.where})",
                    key=f"expect[{expectation.subject}].{breach.what}",
                    place=_place(context, planned, breach) or Place(context.config.entry, 0, 0),
                    parameters=tuple(row.name for row in breach.parameters),
                )


def _place(context: Context, planned: Planned, breach: Breach) -> Place | None:
    """Return where the entry is written that decides the first of the rows, otherwise the optimizer.

    Over the training that is the scheduler, where there is one, or else what decides the lr.
    """
    specs = context.schedulers.specs if context.schedulers is not None else ()
    if breach.what in {"lr-at-end", "never-zero"} and specs:
        is_sure = breach.what == "lr-at-end" or len(specs) == 1
        place = place_of(specs[-1][0].raw, "type") if is_sure else None
        return place or place_of(context.config.data, "param_scheduler")
    setting = _SETTINGS.get(breach.what)
    place = None
    if breach.parameters and setting is not None:
        place = deciding_place(planned, breach.parameters[0], setting)
    return place or planned.section.places["type"]


_LOOKS = 256
_ROUNDING = 1e-12


def lr_over_training(context: Context) -> LrCourse | None:
    """Return the least and the last lr of each parameter, as far as its schedulers tell.

    Where an epoch has a number of iterations that is not known, there is a pair for each of two numbers.

    Returns:
        None where nothing is known: without a plan, where schedulers are wrong, and for a function, whose
        schedulers are not read here.
    """
    if context.planned is None or context.config.word:
        return None
    if context.schedulers is None:
        rows = context.rows.items()
        return {name: ((row.lr, row.lr),) for name, row in rows if row.lr is not None}
    found: dict[str, tuple[tuple[float, float], ...]] = {}
    for per_epoch in context.schedulers.lengths:
        schedule = context.schedule_with(per_epoch)
        values = _of_schedule(schedule) if schedule is not None else None
        if values is None:
            return None
        for name, pair in values.items():
            found[name] = (*found.get(name, ()), pair)
    return found


def _of_schedule(schedule: Schedule) -> dict[str, tuple[float, float]] | None:
    last = schedule.length - 1
    turns = telling_steps(schedule.all_specs, schedule.training, schedule.unit)
    steps = {*turns, *(last * look // (_LOOKS - 1) for look in range(_LOOKS))}
    try:
        courses = courses_of(schedule, [step for step in steps if step <= last]).values["lr"]
    except OptplanError:
        return None
    found = {}
    for setting, course in zip(schedule.settings, courses, strict=True):
        known = [value for value in course if value is not None]
        if len(known) == len(course):
            least = min(known)
            # a product of many factors comes to 0 by rounding alone
            least = 0.0 if abs(least) <= _ROUNDING * max(known) else least
            found.update(dict.fromkeys(setting.names, (least, known[-1])))
    return found
