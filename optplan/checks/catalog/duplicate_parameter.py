"""OPT404: tensors in several groups."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.names import ProblemKind, Severity


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
        """Yield what the constructor says of tied tensors."""
        for problem in context.problems(ProblemKind.TIED):
            section = context.section
            otherwise = section.places["paramwise_cfg"] if section is not None else None
            yield self.of_problem(problem, key="model.tied", otherwise=otherwise)
