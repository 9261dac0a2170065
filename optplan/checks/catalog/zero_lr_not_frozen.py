"""OPT402: trainable parameters with lr 0."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.deciding_place import deciding_place
from optplan.checks.facts.wording import parameters
from optplan.names import Rule, Severity, Status
from optplan.places import Place
from optplan.plan import PlannedParameter


class ZeroLrNotFrozen(Check):
    """Parameters with lr 0 that are still trainable: their gradients and optimizer state are paid for.

    Bad::

        custom_keys={'backbone': dict(lr_mult=0.)}

    Good::

        for parameter in model.backbone.parameters():
            parameter.requires_grad_(False)
    """

    code = "OPT402"
    name = "zero-lr-not-frozen"
    severity = Severity.WARNING

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the parameters with lr 0, by the rule that gave it."""
        for (label, key), rows in _by_rule(context).items():
            yield self.finding(
                f"{parameters(len(rows), 'have')} lr 0 ({label}), but"
                f" {'is' if len(rows) == 1 else 'are'} trainable: gradients and optimizer state are paid for",
                key=key,
                place=_place(context, rows[0]),
                hint="set requires_grad to false instead",
                parameters=tuple(row.name for row in rows),
            )


def _by_rule(context: Context) -> dict[tuple[str, str], list[PlannedParameter]]:
    found: dict[tuple[str, str], list[PlannedParameter]] = {}
    for row in context.rows.values():
        if row.status is Status.OPTIMIZED and row.effective_lr == 0:
            found.setdefault(_label(row), []).append(row)
    return found


def _label(row: PlannedParameter) -> tuple[str, str]:
    use = row.lr_rule
    if use is not None and use.rule is Rule.REGEX:
        return f"pattern {use.key!r}", f"pattern.{use.key}"
    if use is not None and use.key is not None:
        return f"key {use.key!r}", f"custom_keys.{use.key}"
    if use is not None and use.option is not None:
        return use.option, f"paramwise_cfg.{use.option}"
    if use is not None and use.rule is Rule.SET:
        return f"set by {use.constructor}", "optimizer.lr"
    return "the base lr", "optimizer.lr"


def _place(context: Context, row: PlannedParameter) -> Place | None:
    """Return where the key, the option or the base lr is written."""
    planned = context.planned
    if planned is None or row.lr_rule is None:
        return None
    if planned.tracer is None and planned.options is None:
        return planned.section.places["constructor"]
    return deciding_place(planned, row, "lr")
