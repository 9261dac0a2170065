"""OPT202: biases that are decayed unlike others."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.decay_consistency import decayed_unlike_others, is_norm_like
from optplan.checks.facts.wording import others, parameters, values
from optplan.errors import listed
from optplan.facts import ParameterFacts
from optplan.names import Severity


class BiasDecayed(Check):
    """A bias that is decayed while other biases of the model are not; norms aside.

    Uneven::

        paramwise_cfg=dict(custom_keys={'head': dict(decay_mult=0.)})

    Even::

        paramwise_cfg=dict(bias_decay_mult=0.,
                           custom_keys={'head': dict(decay_mult=0.)})
    """

    code = "OPT202"
    name = "bias-decayed"
    severity = Severity.INFO
    opt_in = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the decayed biases."""
        rows, not_decayed = decayed_unlike_others(context, _is_bias)
        if rows:
            names = [row.name for row in rows]
            yield self.finding(
                f"{parameters(len(rows))} called bias keep{'s' * (len(rows) == 1)} weight_decay"
                f" {values(row.weight_decay for row in rows)}, while {others(not_decayed)}:"
                f" {listed(names)}",
                key="bias",
                hint=context.remedy("bias_decay_mult", text="{} reaches all biases"),
                parameters=tuple(names),
            )


def _is_bias(facts: ParameterFacts) -> bool:
    return facts.local == "bias" and not is_norm_like(facts)
