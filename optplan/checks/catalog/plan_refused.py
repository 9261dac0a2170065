"""OPT006: plans that the optimizer or its constructor refuses."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.errors import PlanError
from optplan.names import ProblemKind, Severity


class PlanRefused(Check):
    """The optimizer or its constructor refuses this model.

    Code that the config names and that does what it must not is stopped, and reported here as well.

    Bad, for a model with biases, norms or convolutions (Muon takes matrices only)::

        optimizer=dict(type='Muon', lr=0.02)

    Good::

        optimizer=dict(type='AdamW', lr=0.001)
    """

    code = "OPT006"
    name = "plan-refused"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield what was said, but for what other checks report."""
        refused = context.problems(None) if isinstance(context.trouble, PlanError) else ()
        for problem in (*refused, *context.problems(ProblemKind.REFUSED)):
            yield self.of_problem(problem, key="optimizer")
