"""OPT401: trainable parameters in no group."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.module_child import outside_module
from optplan.checks.facts.wording import parameters
from optplan.errors import listed
from optplan.names import Severity, Status


class UncoveredParameter(Check):
    """A trainable parameter that is in no group: it gets gradients and never changes.

    Bad, for a model that has a ``neck`` too::

        groups = [{'params': model.backbone.parameters()},
                  {'params': model.head.parameters()}]

    Good::

        groups = [{'params': model.backbone.parameters()},
                  {'params': [*model.neck.parameters(), *model.head.parameters()]}]
    """

    code = "OPT401"
    name = "uncovered-parameter"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield all such parameters but those that OPT109 tells of."""
        if context.planned is None:
            return
        told = {facts.name for facts in outside_module(context.planned.inventory)}
        names = [
            name
            for name, row in context.rows.items()
            if row.status is Status.UNCOVERED and name not in told
        ]
        if names:
            yield self.finding(
                f"{parameters(len(names), 'are')} trainable, but in no group: {listed(names)}",
                key="model.uncovered",
                parameters=tuple(names),
            )
