"""OPT003."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.raw_section import RawSection
from optplan.checks.torch_signatures import torch_optimizer
from optplan.config import place_of
from optplan.errors import did_you_mean
from optplan.names import Mistake, Severity

# What the section takes out of the optimizer's dict, or what OPT002 tells.
_NO_ARGUMENTS = frozenset({"type", "_scope_", "paramwise_cfg", "constructor"})


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

    def run(self, context: Context) -> Iterator[Finding]:
        """Every such argument."""
        told: set[str] = set()
        for problem in context.problems(Mistake.UNKNOWN_ARGUMENT):
            told.add(problem.message)
            yield self.finding(
                problem.message,
                key=f"optimizer.{problem.message}",
                place=problem.place,
                hint=problem.hint,
            )
        raw = context.raw
        if raw is None or raw.known is None:
            return
        for name, (class_name, known) in _unknown(raw):
            message = f"{class_name} takes no argument {name!r}"
            if message not in told:
                yield self.finding(
                    message,
                    key=f"optimizer.{message}",
                    place=place_of(raw.optimizer, name),
                    hint=did_you_mean(str(name), sorted(known)),
                )


def _unknown(raw: RawSection) -> Iterator[tuple[str, tuple[str, frozenset[str]]]]:
    """Arguments that a class of torch does not take, with the class and what it takes."""
    known = torch_optimizer(raw.optimizer_type)
    if known is None or known.arguments is None:
        return
    for name in raw.optimizer:
        if name not in known.arguments | _NO_ARGUMENTS:
            yield name, (known.class_name, known.arguments)
