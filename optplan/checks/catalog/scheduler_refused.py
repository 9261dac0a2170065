"""OPT506: schedulers that cannot be made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import certain_name, renamed
from optplan.checks.facts.scheduler_runs import problems_of_run
from optplan.config import Config, find_namespace, place_of
from optplan.config.edits import Fix
from optplan.dialects import dialect_of, find_schedulers, find_training
from optplan.errors import OptplanError, Problem, ScheduleError, close_matches
from optplan.names import Severity
from optplan.plan.key_hints import near
from optplan.registries import RegistryKind, is_replaced
from optplan.schedule.catalog import KNOWN
from optplan.schedule.specs import AnySpec, ForeignSpec
from optplan.schedule.type_names import TORCH_PREFIX
from optplan.schedule.unread import SECTION


class SchedulerRefused(Check):
    """A scheduler that cannot be made or breaks down on the way, or a training of no length.

    Bad::

        param_scheduler = dict(type='MultiStepLR', millestones=[8, 11])

    Good::

        param_scheduler = dict(type='MultiStepLR', milestones=[8, 11])

    A section of a misspelt name, ``param_schedulers``, is reported too: nothing reads it. What takes the
    iterations of an epoch to decide is left to ``optplan schedule --iters-per-epoch``.
    """

    code = "OPT506"
    name = "scheduler-refused"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every mistake that ``optplan schedule`` would stop at."""
        dialect, data = dialect_of(context.config), context.config.data
        for name in dialect.misspelt_schedulers(data):
            yield self.finding(
                f"{name!r} is read by nobody: no scheduler moves the lr",
                key=name,
                place=place_of(data, name),
                hint=f"did you mean {SECTION!r}?",
                fix=renamed(place_of(data, name), name, certain_name(name, [SECTION])),
            )
        lengths = ((problem, "train_cfg") for problem in dialect.length_problems(data))
        for problem, path in (*lengths, *_problems(context)):
            yield replace(self.of_problem(problem, key=path), fix=_fix(problem))


# How close a name must be to one of MMEngine's where the scope's package, which is not imported, may have others.
_SURE = 0.93
_LIKELY = 0.85
_NAME = re.compile(r"""['"]?(\w+)""")


def _fix(problem: Problem) -> Fix | None:
    """Return the fix of an argument that is misspelt for certain."""
    if problem.place is None:
        return None
    line = problem.place.source.line(problem.place.line)
    if (word := _NAME.match(line, problem.place.column - 1)) is None:
        return None
    return renamed(problem.place, word[1], certain_name(word[1], problem.known))


def _problems(context: Context) -> Iterator[tuple[Problem, str]]:
    found = context.schedulers
    if found is None:
        yield from _unread(context.config)
        return
    yield from found.problems
    for spec, path in found.specs:
        yield from ((problem, path) for problem in _of_type(context, spec))
    if not found.problems:
        yield from ((problem, SECTION) for problem in problems_of_run(context))


def _unread(config: Config) -> Iterator[tuple[Problem, str]]:
    """Yield what keeps the section, or the length of the training, from being read."""
    try:
        is_empty = find_schedulers(config).is_empty
        if not is_empty or dialect_of(config).states_length(config.data):
            find_training(config)
    except ScheduleError as error:
        yield from ((problem, SECTION) for problem in error.problems)
    except OptplanError:
        return  # no length is stated, which only the command line may know


def _of_type(context: Context, spec: AnySpec) -> Iterator[Problem]:
    """Yield a name that nothing provides and that is close to one of MMEngine's."""
    if not isinstance(spec, ForeignSpec) or not isinstance(spec.kind, str):
        return
    if "." in spec.kind or spec.kind.startswith(TORCH_PREFIX):
        return
    data = context.config.data
    cutoff = _SURE if data.get("default_scope") else _LIKELY
    if not data.get("custom_imports") and close_matches(spec.kind, KNOWN, cutoff=cutoff):
        namespace = find_namespace(context.config)
        if not is_replaced(RegistryKind.SCHEDULERS, spec.kind, namespace):
            yield Problem(
                message=f"there is no scheduler {spec.kind!r}",
                place=spec.place,
                hint=near(spec.kind, KNOWN),
            )
