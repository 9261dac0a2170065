"""OPT407: frozen parameters in groups."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import parameters
from optplan.errors import listed
from optplan.names import Severity, Status


class FrozenInOptimizer(Check):
    """Frozen parameters inside the groups: an empty ``paramwise_cfg`` hands over all of them.

    They stay as they are, but are counted, stored and looked at in each step.

    With them::

        optimizer=dict(type='SGD', lr=0.1)

    Without them::

        optimizer=dict(type='SGD', lr=0.1),
        # any entry makes the constructor look closer
        paramwise_cfg=dict(bypass_duplicate=True)
    """

    code = "OPT407"
    name = "frozen-in-optimizer"
    severity = Severity.INFO
    opt_in = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield all such parameters."""
        rows = context.rows.values()
        names = [row.name for row in rows if row.status is Status.FROZEN and row.group is not None]
        if names:
            yield self.finding(
                f"{parameters(len(names), 'are')} frozen, but in a group: {listed(names)}",
                key="model.frozen",
                parameters=tuple(names),
            )
