"""OPT505: warm-ups that begin with lr 0."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.names import Severity
from optplan.schedule.catalog import Family
from optplan.schedule.specs import AnySpec, HookSpec, Spec

# By kind of scheduler, the argument that makes the first value 0.
_FIRST = {
    Family.LINEAR: "start_factor",
    Family.CONSTANT: "factor",
    Family.ONE_CYCLE: "eta_max",
}


class WarmupFromZero(Check):
    """The lr is 0 at the first step: it is taken for nothing, and only moves the optimizer's own averages.

    Idle, one iteration or a whole epoch::

        param_scheduler = dict(type='ConstantLR', factor=0.0, end=5)

    Better::

        param_scheduler = dict(type='LinearLR', start_factor=1e-3, end=5)
    """

    code = "OPT505"
    name = "warmup-from-zero"
    severity = Severity.INFO
    needs_plan = False

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the scheduler that begins with 0."""
        found = context.schedulers
        for spec, path in found.specs if found else ():
            name = _zero(spec)
            if name is not None:
                unit = "epoch" if spec.by_epoch else "iteration"
                yield self.finding(
                    f"{spec.name} begins with lr 0: the first {unit} trains nothing",
                    key=f"{path}.{name}",
                    place=spec.at(name),
                )


def _zero(spec: AnySpec) -> str | None:
    """Return the argument by which the first lr is 0; None where it is not."""
    if isinstance(spec, HookSpec):
        return None  # its warm-up begins above 0
    if not isinstance(spec, Spec):
        return None if spec.library is None else spec.library.zero_start(spec.arguments)
    name = _FIRST.get(spec.family)
    if name is None or spec.param != "lr" or spec.begin > 0 or spec.last_step != -1:
        return None
    return name if spec.arguments[name] == 0 else None
