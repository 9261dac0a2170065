"""OPT403: batch norms that change although they are not trained."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.errors import listed
from optplan.facts import ParameterFacts
from optplan.names import Severity
from optplan.plan import PlannedParameter


class RunningStatisticsMove(Check):
    """Batch norms under a frozen part, or one with lr 0, keep updating their running statistics.

    The part changes all the same, as long as it is in training mode.

    Surprising::

        custom_keys={'backbone': dict(lr_mult=0.)}

    Frozen for good::

        model=dict(backbone=dict(norm_eval=True, frozen_stages=4))
    """

    code = "OPT403"
    name = "running-statistics-move"
    severity = Severity.INFO

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the norms all of whose parameters are frozen or have lr 0."""
        modules: dict[str, bool] = {}
        for row, facts in context.pairs:
            if facts.owner_keeps_statistics:
                module = row.name.removesuffix(f".{facts.local}")
                modules[module] = modules.get(module, True) and _stands_still(row, facts)
        still = [module for module, is_still in modules.items() if is_still]
        if still:
            verb = "updates" if len(still) == 1 else "update"
            yield self.finding(
                f"{len(still)} batch norm{'s' * (len(still) > 1)} that the optimizer leaves alone {verb}"
                f" running statistics in training mode: {listed(still)}",
                key="model.running_statistics",
                hint="put them into eval mode",
                parameters=tuple(
                    row.name
                    for row, facts in context.pairs
                    if facts.owner_keeps_statistics
                    and modules[row.name.removesuffix(f".{facts.local}")]
                ),
            )


def _stands_still(row: PlannedParameter, facts: ParameterFacts) -> bool:
    return not facts.requires_grad or row.effective_lr == 0
