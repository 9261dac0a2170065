"""OPT111: biases of norms under the rule for biases."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import number, parameters
from optplan.names import Rule, Severity


class NormBiasByBiasRule(Check):
    """``bias_decay_mult`` without ``norm_decay_mult`` reaches the biases of norms.

    The documentation of the option says that it leaves them out.

    Surprising::

        paramwise_cfg=dict(bias_decay_mult=0.5)

    Said outright::

        paramwise_cfg=dict(bias_decay_mult=0.5, norm_decay_mult=1.0)
    """

    code = "OPT111"
    name = "norm-bias-by-bias-rule"
    severity = Severity.INFO
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the biases of norms that the rule decides."""
        planned = context.planned
        options = planned.rules if planned else None
        verdict = options.multipliers.get("bias_decay_mult") if options else None
        if planned is None or verdict is None:
            return
        names = tuple(
            row.name
            for row, facts in planned.pairs()
            if facts.owner_is_norm
            and row.weight_decay_rule is not None
            and row.weight_decay_rule.rule is Rule.BIAS
        )
        if names and verdict.mult != 1:
            yield self.finding(
                f"bias_decay_mult={number(verdict.mult)} reaches {parameters(len(names))} of norms too,"
                " as norm_decay_mult is not set",
                key="paramwise_cfg.bias_decay_mult",
                place=verdict.place,
                hint="set norm_decay_mult",
                parameters=names,
            )
