"""OPT304: layer decay without effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.known_constructors import DEFAULT
from optplan.checks.facts.wording import number, parameters
from optplan.config import place_of
from optplan.names import Severity
from optplan.places import Place
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
        """Yield the decay rate, if all scales are the same."""
        rate, planned = _rate(context), context.planned
        if rate is None or planned is None or rate.value == 1:
            return
        rows = [row for row in planned.plan.parameters if row.group is not None]
        scales = {_scale(row) for row in rows}
        if len(rows) > 1 and len(scales) == 1:
            yield self.finding(
                f"{rate.name}={number(rate.value)} has no effect: all {parameters(len(rows))} have"
                f" lr {number(rows[0].effective_lr)}",
                key=rate.key,
                place=rate.place,
                parameters=tuple(row.name for row in rows),
            )


class _Rate(NamedTuple):
    name: str
    value: float
    key: str
    place: Place | None


def _rate(context: Context) -> _Rate | None:
    """Return the decay rate that the config sets, None where it sets none."""
    section = context.section
    if section is not None and (name := section.layer_decay) is not None:
        value = section.optimizer.get(name)
        return (
            None if value is None else _Rate(name, value, name, place_of(section.optimizer, name))
        )
    raw = context.raw
    if raw is None or raw.known is DEFAULT:
        return None
    for name in _RATES:
        value = raw.paramwise.get(name)
        if name in raw.paramwise and isinstance(value, int | float):
            return _Rate(name, value, f"{raw.path}.{name}", place_of(raw.paramwise, name))
    return None


def _scale(row: PlannedParameter) -> float | None:
    return row.lr_scale if row.lr_scale is not None else row.effective_lr
