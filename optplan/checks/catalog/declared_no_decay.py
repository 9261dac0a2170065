"""OPT203: parameters that are decayed against what their model declares."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.decay_consistency import is_decayed
from optplan.checks.facts.wording import parameters, values
from optplan.errors import listed
from optplan.names import Severity


class DeclaredNoDecay(Check):
    """A parameter that is decayed, though the model itself declares that it should not be.

    Models do so with ``no_weight_decay()``, ``no_weight_decay_keywords()``, or ``_no_weight_decay`` at the
    parameter; the constructors of configs read none of these.

    Bad, for a vision transformer::

        paramwise_cfg=dict(norm_decay_mult=0.)

    Good::

        paramwise_cfg=dict(norm_decay_mult=0., custom_keys={
            '.cls_token': dict(decay_mult=0.), '.pos_embed': dict(decay_mult=0.)})
    """

    code = "OPT203"
    name = "declared-no-decay"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the parameters that are decayed against the model's own word."""
        rows = [row for row, facts in context.pairs if facts.declared_no_decay and is_decayed(row)]
        if rows:
            names = [row.name for row in rows]
            yield self.finding(
                f"{parameters(len(rows), 'get')} weight_decay"
                f" {values(row.weight_decay for row in rows)}, though the model declares no decay:"
                f" {listed(names)}",
                key="model.no_weight_decay",
                hint=context.remedy("custom_keys", text="add {} with decay_mult=0"),
                parameters=tuple(names),
            )
