"""OPT405: tied tensors under different rules."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import number
from optplan.facts import ParameterFacts
from optplan.names import Severity
from optplan.plan import Planned
from optplan.rules import Decision, Options, Skipped, Verdict, decide


class TiedRuleConflict(Check):
    """The names of one tensor match different rules: what the first name gets counts.

    Surprising, for an output layer that is the embedding: it keeps the base lr::

        paramwise_cfg=dict(bypass_duplicate=True,
                           custom_keys={'output': dict(lr_mult=10.)})

    Said outright::

        paramwise_cfg=dict(bypass_duplicate=True,
                           custom_keys={'embedding': dict(lr_mult=10.)})
    """

    code = "OPT405"
    name = "tied-rule-conflict"
    severity = Severity.WARNING
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield each tensor whose other names would have got something else."""
        planned = context.planned
        options = planned.rules if planned else None
        if planned is None or options is None or options.is_empty:
            return
        for group in _tied(planned):
            first = decide(group[0], options)
            for other in group[1:]:
                second = decide(other, options)
                if isinstance(first, Skipped) or isinstance(second, Skipped):
                    continue
                if difference := _difference(options, first, second):
                    yield self.finding(
                        f"{other.name!r} is the tensor of {group[0].name!r}, whose rules count:"
                        f" {difference}",
                        key=f"tied.{other.name}",
                        place=second.lr.place if second.lr.key else None,
                        hint=f"write the rule for {group[0].name!r}",
                        parameters=(group[0].name, other.name),
                    )


def _tied(planned: Planned) -> Iterator[list[ParameterFacts]]:
    """Return the visited names of each tensor that has several, the one that counts first."""
    found: dict[int, list[ParameterFacts]] = {}
    for facts in planned.inventory.parameters:
        if facts.visited:
            found.setdefault(facts.tensor, []).append(facts)
    return (group for group in found.values() if len(group) > 1)


def _difference(options: Options, first: Decision, second: Decision) -> str:
    """Return what the other name would have got instead."""
    return "; ".join(
        f"{setting} is {number(got)} ({_rule(winner)}), not {number(lost)} ({_rule(loser)})"
        for setting, winner, loser, base in (
            ("lr", first.lr, second.lr, options.base_lr),
            ("weight_decay", first.weight_decay, second.weight_decay, options.base_weight_decay),
        )
        if (got := _value(winner, base)) != (lost := _value(loser, base))
    )


def _value(verdict: Verdict, base: float | None) -> float | None:
    return base if verdict.value is None else verdict.value


def _rule(verdict: Verdict) -> str:
    if verdict.key is not None:
        return f"key {verdict.key!r}"
    return verdict.option or "default"
