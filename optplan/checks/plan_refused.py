"""OPT006."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.errors import PlanError
from optplan.names import Severity


class PlanRefused(Check):
    """The optimizer or its constructor refuses this model.

    Bad, for a model with biases, norms or convolutions (Muon takes matrices only)::

        optimizer=dict(type='Muon', lr=0.02)

    Good::

        optimizer=dict(type='AdamW', lr=0.001)
    """

    code = "OPT006"
    name = "plan-refused"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """What was said, but for what other checks report."""
        if not isinstance(context.trouble, PlanError):
            return
        for problem in context.problems(None):
            yield self.finding(
                problem.message,
                key="optimizer",
                place=problem.place,
                hint=problem.hint,
                parameters=problem.parameters,
            )
