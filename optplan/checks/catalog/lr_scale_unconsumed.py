"""OPT302: lr_scale that nothing applies."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.wording import number, parameters, values
from optplan.names import Severity
from optplan.plan import PlannedParameter


class LrScaleUnconsumed(Check):
    """Groups differ in ``lr_scale``, but all have the same ``lr``: only timm's own schedulers apply it.

    Bad, under any other scheduler::

        groups = param_groups_layer_decay(model, layer_decay=0.75)
        optimizer = AdamW(groups, lr=1e-3)

    Good::

        for group in groups:
            group['lr'] = 1e-3 * group['lr_scale']
    """

    code = "OPT302"
    name = "lr-scale-unconsumed"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield each optimizer with such groups; a recipe of timm trains with timm's schedulers."""
        if context.section is not None and context.section.applies_lr_scale:
            return
        by_optimizer: dict[int, list[PlannedParameter]] = {}
        for row in context.rows.values():
            if row.lr_scale is not None and row.optimizer is not None:
                by_optimizer.setdefault(row.optimizer, []).append(row)
        for index, rows in by_optimizer.items():
            scales = sorted({row.lr_scale for row in rows if row.lr_scale is not None})
            lrs = {row.lr for row in rows}
            if len(scales) > 1 and len(lrs) == 1:
                yield self.finding(
                    f"{parameters(len(rows))} have lr_scale {number(scales[0])} to"
                    f" {number(scales[-1])}, but all the same lr {values(lrs)}: a scheduler has to apply it",
                    key=f"optimizer.{index}.lr_scale",
                    hint="use a scheduler of timm, or multiply lr by lr_scale",
                    parameters=tuple(row.name for row in rows),
                )
