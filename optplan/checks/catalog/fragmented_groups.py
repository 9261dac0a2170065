"""OPT702: many more groups than settings."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.names import Severity

_MANY = 32
_TIMES = 4


class FragmentedGroups(Check):
    """Many more groups than distinct settings: a group per tensor keeps the optimizer from fusing its steps.

    The default constructor makes one per parameter as soon as ``paramwise_cfg`` holds anything.
    ``optplan verify`` times a step both ways.

    Slow::

        groups = [{'params': [parameter], **options_of(parameter)}
                  for parameter in model.parameters()]

    Fast: collect the parameters of equal options in one group each.
    """

    code = "OPT702"
    name = "fragmented-groups"
    severity = Severity.INFO
    opt_in = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the counts, if they are far apart."""
        if context.planned is None:
            return
        plan = context.planned.plan
        groups = {(row.optimizer, row.group) for row in plan.parameters if row.group is not None}
        settings = len(plan.settings)
        if len(groups) >= _MANY and len(groups) >= _TIMES * settings:
            yield self.finding(
                f"{len(groups)} groups hold {settings} distinct setting{'s' * (settings != 1)}",
                key="optimizer.groups",
                hint="merge the groups of equal settings",
            )
