"""OPT304."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.known_constructors import DEFAULT
from optplan.checks.wording import number, parameters
from optplan.config import place_of
from optplan.names import Severity
from optplan.plan import PlannedParameter

_RATES = ("layer_decay_rate", "decay_rate", "layer_decay")


class LayerDecayOff(Check):
    """A layer decay that gave every parameter one scale: the constructor found no layers.

    Bad, behind a wrapper whose names the model's layer rule does not know::

        # every parameter in the last layer
        paramwise_cfg=dict(layer_decay_rate=0.75)

    Good: give the constructor the bare model, or a rule that knows the names.
    """

    code = "OPT304"
    name = "layer-decay-off"
    severity = Severity.ERROR
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """The decay rate, if all scales are the same."""
        raw, planned = context.raw, context.planned
        if raw is None or planned is None or raw.known is DEFAULT:
            return
        name = next((rate for rate in _RATES if rate in raw.paramwise), None)
        rate = raw.paramwise[name] if name else 1
        if not isinstance(rate, int | float) or rate == 1:
            return
        rows = [row for row in planned.plan.parameters if row.group is not None]
        scales = {_scale(row) for row in rows}
        if len(rows) > 1 and len(scales) == 1:
            yield self.finding(
                f"{name}={number(rate)} has no effect: all {parameters(len(rows))} have"
                f" lr {number(rows[0].effective_lr)}",
                key=f"{raw.path}.{name}",
                place=place_of(raw.paramwise, name),
                parameters=tuple(row.name for row in rows),
            )


def _scale(row: PlannedParameter) -> float | None:
    return row.lr_scale if row.lr_scale is not None else row.effective_lr
