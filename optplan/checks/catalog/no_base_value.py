"""OPT001: multipliers without a base value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.known_constructors import DEFAULT_OPTIONS
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.config import place_of
from optplan.config.paramwise import DECAY_MULTIPLIERS
from optplan.errors import PlanError
from optplan.names import ProblemKind, Severity


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
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every multiplier without a base value."""
        raw = context.raw
        if (
            raw is not None
            and "type" in raw.optimizer  # else it is a part, which others complete
            and not raw.has_decay
            and raw.known
            and raw.known.options & DEFAULT_OPTIONS
        ):
            for what, path, container, name in _decay_multipliers(raw):
                yield self.finding(
                    f"{what} multiplies a base weight_decay, but the optimizer sets none"
                    + (": it does nothing" if name == "flat_decay_mult" else ""),
                    key=f"{raw.path}.{path}",
                    place=place_of(container, name),
                    hint="set weight_decay in the optimizer",
                )
        if isinstance(context.trouble, PlanError):
            for problem in context.problems(ProblemKind.NO_BASE_VALUE):
                yield self.of_problem(problem, key="optimizer.lr")


def _decay_multipliers(raw: RawSection) -> Iterator[tuple[str, str, Mapping[Any, Any], str]]:
    """Yield every decay multiplier that is set: what to call it, its path, the dict that it is in, its name."""
    for name in DECAY_MULTIPLIERS:
        # the reference asks whether the entry is there, but of flat_decay_mult what it is
        if raw.known is not None and name not in raw.known.options:
            continue
        if name in raw.paramwise and (name != "flat_decay_mult" or raw.paramwise[name] is not None):
            yield name, name, raw.paramwise, name
    for key, name, fields in raw.key_fields():
        if name == "decay_mult":
            yield f"decay_mult of custom key {key!r}", f"custom_keys.{key}.{name}", fields, name
