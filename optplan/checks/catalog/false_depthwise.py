"""OPT205: convolutions that are taken for depthwise ones."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import number
from optplan.errors import listed
from optplan.names import Rule, Severity


class FalseDepthwise(Check):
    """``dwconv_decay_mult`` hits an ordinary convolution: one input channel in one group counts as depthwise.

    Bad, for a model of grey images whose stem is ``Conv2d(1, 32, 3)``::

        paramwise_cfg=dict(dwconv_decay_mult=0.)

    Good::

        paramwise_cfg=dict(dwconv_decay_mult=0.,
                           custom_keys={'stem': dict(decay_mult=1.)})
    """

    code = "OPT205"
    name = "false-depthwise"
    severity = Severity.WARNING
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the parameters of such convolutions."""
        planned = context.planned
        options = planned.rules if planned else None
        verdict = options.multipliers.get("dwconv_decay_mult") if options else None
        if planned is None or verdict is None or verdict.mult == 1:
            return
        names = [
            row.name
            for row, facts in planned.pairs()
            if facts.owner_has_one_group
            and row.weight_decay_rule is not None
            and row.weight_decay_rule.rule is Rule.DWCONV
        ]
        if names:
            yield self.finding(
                f"dwconv_decay_mult={number(verdict.mult)} reaches convolutions of one input channel,"
                f" which are not depthwise: {listed(names)}",
                key="paramwise_cfg.dwconv_decay_mult",
                place=verdict.place,
                hint="give them a custom key",
                parameters=tuple(names),
            )
