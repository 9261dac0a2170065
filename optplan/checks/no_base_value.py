"""OPT001."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.known_constructors import DEFAULT_OPTIONS
from optplan.checks.raw_section import RawSection
from optplan.config import place_of
from optplan.config.paramwise import parse_paramwise
from optplan.errors import PlanError, Problem
from optplan.names import Mistake, Severity


class NoBaseValue(Check):
    """A multiplier that has nothing to multiply: the optimizer sets no lr, or no weight decay.

    The constructor fails on a custom key or a ``*_lr_mult`` that hits a parameter without a base lr, and
    on a decay multiplier without a base weight decay; ``flat_decay_mult`` alone passes and does nothing.

    Bad::

        optimizer=dict(type='AdamW', lr=0.001),
        paramwise_cfg=dict(norm_decay_mult=0.0)

    Good::

        optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
        paramwise_cfg=dict(norm_decay_mult=0.0)

    Whether a multiplier of the lr hits anything is known with a model only.
    """

    code = "OPT001"
    name = "no-base-value"
    severity = Severity.ERROR
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Every multiplier without a base value."""
        raw = context.raw
        if raw is not None and not raw.has_decay:
            for problem in _without_decay(raw):
                yield self.finding(
                    problem.message,
                    key=f"{raw.path}.{problem.message.partition(' multiplies')[0]}",
                    place=problem.place,
                    hint=problem.hint,
                )
        if isinstance(context.trouble, PlanError):
            for problem in context.problems(Mistake.NO_BASE_VALUE):
                yield self.finding(
                    problem.message,
                    key="lr",
                    place=problem.place,
                    hint=problem.hint,
                    parameters=problem.parameters,
                )


def _without_decay(raw: RawSection) -> Iterator[Problem]:
    """What a constructor that follows the default one's rules says without a base weight decay."""
    if raw.known is None or not raw.known.options & DEFAULT_OPTIONS:
        return
    for problem in parse_paramwise(raw.paramwise, has_weight_decay=False)[1]:
        if problem.kind is Mistake.NO_BASE_VALUE:
            yield problem
    if raw.paramwise.get("flat_decay_mult") is not None:
        yield Problem(
            message="flat_decay_mult multiplies a base weight_decay, but the optimizer sets none:"
            " it does nothing",
            place=place_of(raw.paramwise, "flat_decay_mult"),
            hint="set weight_decay in the optimizer",
        )
