"""OPT404."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.names import Mistake, Severity


class DuplicateParameter(Check):
    """One tensor under several names would be in several groups, which torch refuses.

    Bad, for a model whose output layer is its embedding::

        paramwise_cfg=dict(norm_decay_mult=0.)

    Good::

        paramwise_cfg=dict(norm_decay_mult=0., bypass_duplicate=True)
    """

    code = "OPT404"
    name = "duplicate-parameter"
    severity = Severity.ERROR

    def run(self, context: Context) -> Iterator[Finding]:
        """What the constructor says of tied tensors."""
        for problem in context.problems(Mistake.TIED):
            yield self.finding(
                problem.message,
                key="model.tied",
                place=problem.place
                or (context.section.places["paramwise_cfg"] if context.section else None),
                hint=problem.hint,
                parameters=problem.parameters,
            )
