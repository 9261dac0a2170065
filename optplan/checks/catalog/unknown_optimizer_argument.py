"""OPT003: arguments that the optimizer does not take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.certain_fixes import certain_name, renamed, replacing_base
from optplan.checks.facts.torch_signatures import torch_optimizer
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.config import place_of
from optplan.config.edits import Fix
from optplan.config.inherited import DELETE, inherited_hint
from optplan.names import ProblemKind, Severity
from optplan.plan.key_hints import near

# What the section takes out of the optimizer's dict, or what OPT002 tells.
_NO_ARGUMENTS = frozenset({"type", "_scope_", "paramwise_cfg", "constructor"})
# What trainers before these took out of it.
_FORMER = {"paramwise_options": "MMDetection 1.x alone reads it: it is called paramwise_cfg since"}


class UnknownOptimizerArgument(Check):
    """An argument that the optimizer's class does not take: the training fails at its start.

    Bad::

        optimizer=dict(type='SGD', lr=0.1, momentun=0.9)

    Good::

        optimizer=dict(type='SGD', lr=0.1, momentum=0.9)

    Without a model only torch's own optimizers are known, by the source of the installed torch, and
    only where the constructor hands the arguments on as they are.
    """

    code = "OPT003"
    name = "unknown-optimizer-argument"
    severity = Severity.ERROR
    needs_plan = False
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every such argument."""
        raw = context.raw
        if raw is None:
            yield from self._of_recipe(context)
            return
        written = {place_of(raw.optimizer, name): name for name in raw.optimizer}
        told = set[str]()
        for problem in context.problems(ProblemKind.UNKNOWN_ARGUMENT):
            name = written.get(problem.place, "type")
            told.add(name)
            known = torch_optimizer(raw.optimizer_type)
            arguments = known.arguments if known is not None else None
            found = self.of_problem(problem, key=f"{raw.optimizer_path}.{name}")
            hint = _FORMER.get(name, found.hint)
            yield replace(found, hint=hint, fix=_fix(raw, name, arguments or frozenset()))
        for name, (class_name, arguments) in _unknown(raw):
            if name not in told:
                yield self.finding(
                    f"{class_name} takes no argument {name!r}",
                    key=f"{raw.optimizer_path}.{name}",
                    place=place_of(raw.optimizer, name),
                    hint=inherited_hint(raw.optimizer, str(name))
                    or _FORMER.get(str(name))
                    or near(str(name), sorted(arguments)),
                    fix=_fix(raw, str(name), arguments),
                )

    def _of_recipe(self, context: Context) -> Iterator[Finding]:
        for problem in context.problems(ProblemKind.UNKNOWN_ARGUMENT):
            yield self.of_problem(problem, key=f"optimizer: {problem.message}")


def _fix(raw: RawSection, name: str, known: frozenset[str]) -> Fix | None:
    """Return the fix of an argument that is misspelt, or inherited from the config of another optimizer."""
    place = place_of(raw.optimizer, name)
    hint = inherited_hint(raw.optimizer, name)
    meant = certain_name(name, known)
    if hint is None or meant is not None:
        return renamed(place, name, meant)
    is_needed = DELETE in hint and name != DELETE
    return replacing_base(place_of(raw.optimizer, "type"), "type") if is_needed else None


def _unknown(raw: RawSection) -> Iterator[tuple[str, tuple[str, frozenset[str]]]]:
    """Yield arguments that a class of torch does not take, with the class and what it takes."""
    known = torch_optimizer(raw.optimizer_type)
    if raw.known is None or known is None or known.arguments is None:
        return
    for name in raw.optimizer:
        if name not in known.arguments | _NO_ARGUMENTS:
            yield name, (known.class_name, known.arguments)
