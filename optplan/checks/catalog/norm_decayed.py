"""OPT201: norms that are decayed unlike others."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.decay_consistency import decayed_unlike_others, is_norm_like
from optplan.checks.facts.wording import others, parameters, values
from optplan.errors import listed
from optplan.names import Severity


class NormDecayed(Check):
    """A norm that is decayed while other norms of the model are not.

    ``norm_decay_mult`` knows torch's own classes and what inherits from them, but no ``RMSNorm``.

    Bad, for a model with LayerNorms and RMSNorms::

        paramwise_cfg=dict(norm_decay_mult=0.)

    Good::

        paramwise_cfg=dict(norm_decay_mult=0.,
                           custom_keys={'rms_norm': dict(decay_mult=0.)})
    """

    code = "OPT201"
    name = "norm-decayed"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the decayed norms, by class."""
        rows, not_decayed = decayed_unlike_others(context, is_norm_like)
        classes = dict.fromkeys(row.module for row in rows)
        for module in classes:
            same = [row for row in rows if row.module == module]
            names = [row.name for row in same]
            yield self.finding(
                f"{parameters(len(same))} of {module.rpartition('.')[2]} keep{'s' * (len(same) == 1)}"
                f" weight_decay {values(row.weight_decay for row in same)}, while {others(not_decayed)}:"
                f" {listed(names)}",
                key=f"norm.{module}",
                hint=context.remedy("flat_decay_mult", "custom_keys"),
                parameters=tuple(names),
            )
