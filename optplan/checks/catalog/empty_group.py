"""OPT410: groups without parameters."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import number
from optplan.names import Severity


class EmptyGroup(Check):
    """A param group without parameters: the pattern that should fill it matches nothing.

    torch takes such a group without a word, and the parameters that were meant for it are in another one.

    Bad, for a model that calls it ``backbone``::

        slow = [p for n, p in model.named_parameters() if 'backbnoe' in n]
        AdamW([{'params': rest}, {'params': slow, 'lr': 1e-5}], lr=1e-3)

    Good::

        slow = [p for n, p in model.named_parameters() if 'backbone' in n]
    """

    code = "OPT410"
    name = "empty-group"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield each group that the constructor or the function left empty."""
        plan = context.planned.plan if context.planned else None
        for group in plan.empty_groups if plan else ():
            assert plan is not None
            name = plan.optimizers[group.optimizer].name
            inside = f" of optimizer {name or group.optimizer}" if len(plan.optimizers) > 1 else ""
            yield self.finding(
                f"group {group.group}{inside} (lr {number(group.lr)}) has no parameters",
                key=f"optimizer.{group.optimizer}.group.{group.group}",
                hint="what selects its parameters matches none of the model's names",
            )
