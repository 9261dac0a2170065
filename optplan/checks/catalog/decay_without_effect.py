"""OPT507: weight decay that takes nearly nothing from a weight over the whole training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import exp

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.deciding_place import deciding_place
from optplan.checks.facts.wording import number, parameters, values
from optplan.errors import OptplanError
from optplan.names import Severity
from optplan.plan import PlannedOptimizer
from optplan.schedule import Schedule, courses_of

# Classes that shrink a weight by lr × weight_decay in each step, besides what its gradient does.
_DECOUPLED = re.compile(r"adam\w*w\d*(?:bit)?$|^lion|^muon$|^sgdw$", re.IGNORECASE)
_LEFT = 0.999
# Above so much lr × weight_decay over all steps, no usual schedule leaves as much as that.
_MOST = 0.01
_LOOKS = 512


class DecayWithoutEffect(Check):
    """Decoupled weight decay that leaves more than 99.9 % of a weight over the whole training.

    Each step multiplies a weight by ``1 - lr × weight_decay``: a short training with a small lr decays
    nothing, whatever is set.

    Without effect, 1,000 iterations leave 99.99 %::

        train_cfg = dict(by_epoch=False, max_iters=1000)
        optimizer = dict(type='AdamW', lr=1e-5, weight_decay=0.01)

    Said outright::

        optimizer = dict(type='AdamW', lr=1e-5, weight_decay=0.)

    Nothing is said where the number of iterations is not known.
    """

    code = "OPT507"
    name = "decay-without-effect"
    severity = Severity.INFO

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield a finding for each optimizer all of whose weight decay does nothing."""
        schedule = context.schedule
        steps = schedule.training.length if schedule and not schedule.training.by_epoch else 0
        for index, optimizer in enumerate(schedule.optimizers if schedule and steps else ()):
            assert schedule is not None
            shares = _shares_left(schedule, index, steps) if _is_decoupled(optimizer) else {}
            if not shares or min(shares.values()) <= _LEFT:
                continue
            rows = [row for name, row in context.rows.items() if name in shares]
            assert context.planned is not None
            yield self.finding(
                f"over {steps} iterations weight_decay {values(row.weight_decay for row in rows)} takes at most"
                f" {number(100 * (1 - min(shares.values())))} % from a weight: {parameters(len(rows), 'are')} all"
                " but not decayed",
                key=f"optimizer.{index}.weight_decay",
                place=deciding_place(context.planned, rows[0], "weight_decay"),
                hint="set weight_decay to 0, or raise it",
                parameters=tuple(row.name for row in rows),
            )


def _is_decoupled(optimizer: PlannedOptimizer) -> bool:
    name = optimizer.class_name.rpartition(".")[2]
    return bool(_DECOUPLED.search(name)) or optimizer.options.get("decoupled_weight_decay") is True


def _shares_left(schedule: Schedule, optimizer: int, steps: int) -> Mapping[str, float]:
    """Return what decay leaves of each decayed parameter; nothing where it surely has an effect."""
    decayed = {
        at: start
        for at, setting in enumerate(schedule.settings)
        if setting.optimizer == optimizer and (start := _decay_at_start(setting.entries)) > 0
    }
    if not decayed or any(start * steps > _MOST for start in decayed.values()):
        return {}
    looks = sorted({(steps - 1) * look // (_LOOKS - 1) for look in range(_LOOKS)})
    try:
        courses = courses_of(schedule, looks).values
    except OptplanError:
        return {}
    left: dict[str, float] = {}
    for at in decayed:
        pairs = zip(courses["lr"][at], courses["weight_decay"][at], strict=True)
        products = [lr * decay for lr, decay in pairs if lr is not None and decay is not None]
        if len(products) < len(looks):
            return {}  # it depends on a metric
        share = exp(-steps * sum(products) / len(products))
        left |= dict.fromkeys(schedule.settings[at].names, share)
    return left


def _decay_at_start(entries: Mapping[str, object]) -> float:
    lr, decay = entries.get("lr"), entries.get("weight_decay")
    is_known = isinstance(lr, int | float) and isinstance(decay, int | float)
    return float(lr) * float(decay) if is_known else 0.0  # type: ignore[arg-type]
