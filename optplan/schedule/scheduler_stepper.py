"""Steps the schedulers of one optimizer through a training, as the reference's runner does."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.errors import OptplanError, ScheduleError
from optplan.schedule.hooks import RunningHook
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.running_scheduler import ANYTHING, MakeForeign, RunningScheduler
from optplan.schedule.schedulers import CURVES, FOREVER, Curve
from optplan.schedule.schedulers.moves import woven
from optplan.schedule.specs import AnySpec, HookSpec, Spec
from optplan.schedule.training import Training, Unit

# How many ticks are made at once, so that their factors take little room.
_CHUNK = 4096
# How much one training is followed for, so that an answer comes within seconds: a value that a scheduler moves
# by a tick is 1, the tick itself 7, a turn from tick to tick 32, a tick of another package's scheduler 50.
_MOST_WORK = 100_000_000
_TICK, _TURN, _FOREIGN = 7, 32, 50


class TooFarError(ScheduleError):
    """A training takes more work to follow than is done for it."""


class SchedulerStepper:
    """The schedulers of one optimizer with what they have made of its groups by now.

    Those by iterations are stepped after each iteration, those by epochs after each epoch, in the order
    of the config. Each makes its first step when it is made.

    Args:
        specs: The schedulers.
        lanes: The groups at step 0.
        training: How long the training is.
        unit: What its steps are counted in.
        make_foreign: Makes the stage of a scheduler that is run for real.

    Raises:
        ScheduleError: A scheduler cannot be made, or breaks down.
    """

    def __init__(
        self,
        specs: Sequence[AnySpec],
        lanes: ParamGroupTable,
        training: Training,
        unit: Unit,
        make_foreign: MakeForeign | None = None,
    ) -> None:
        self.lanes = lanes
        self.step = 0
        self._work = 0
        self._unit = unit
        self.stages: list[RunningScheduler] = []
        for spec in specs:
            stage = _made(spec, lanes, training, make_foreign)
            _advance(stage, 1, unit, 0)
            self.stages.append(stage)
        by_epoch = [stage for stage in self.stages if stage.by_epoch]
        by_iteration = [stage for stage in self.stages if not stage.by_epoch]
        if unit is Unit.EPOCH:
            self._often, self._seldom, self._period = by_epoch, [], FOREVER
        else:
            self._often, self._seldom = by_iteration, by_epoch
            self._period = (training.per_epoch or FOREVER) if training.by_epoch else FOREVER

    def go(self, step: int) -> None:
        """Go on to a step, which is not before the present one.

        Raises:
            ScheduleError: A scheduler breaks down on the way.
        """
        while self.step < step:
            self._charge(_TURN)
            count = min(step - self.step, self._period - self.step % self._period)
            self._tick(count)
            if self.step % self._period == 0:
                for stage in self._seldom:
                    _advance(stage, 1, self._unit, self.step)

    def _cost(self, stage: RunningScheduler, span: int) -> int:
        """The work of so many ticks."""
        own = _TICK + self.lanes.count
        if isinstance(stage, RunningHook):
            return own  # it looks at the last of them alone
        return span * (own if isinstance(stage, Curve) else _FOREIGN)

    def _charge(self, work: int) -> None:
        """Count work.

        Raises:
            TooFarError: It is more than a training is followed for.
        """
        self._work += work
        if self._work > _MOST_WORK:
            raise TooFarError(
                f"the schedulers are followed to {self._unit} {self.step}, and no further: "
                "they move too many values at too many steps",
                hint=f"show steps before that with --at {self.step // 2}, or a shorter training",
            )

    def _tick(self, count: int) -> None:
        """Make so many steps without the end of an epoch among them."""
        while count:
            acting = [stage for stage in self._often if stage.acts]
            most = _CHUNK if acting else FOREVER
            span = min([count, most, *(stage.steady() for stage in self._often)])
            costs = (self._cost(stage, span) for stage in acting)
            self._charge(_TURN + sum(costs))
            if _are_apart(acting):
                for stage in self._often:
                    _advance(stage, span, self._unit, self.step + 1)
            elif not _weave(self._often, acting, span, self._unit, self.step + 1):
                span = 1
                for stage in self._often:
                    _advance(stage, 1, self._unit, self.step + 1)
            self.step += span
            count -= span


def _weave(
    stages: Sequence[RunningScheduler],
    acting: Sequence[RunningScheduler],
    span: int,
    unit: Unit,
    step: int,
) -> bool:
    """Make some ticks, the first of which leads to ``step``, of schedulers that act on one another's results.

    Returns:
        False where they cannot be made at once, and nothing is done.
    """
    by_param: dict[str, list[Curve]] = {}
    for stage in acting:
        if not isinstance(stage, Curve):
            return False
        by_param.setdefault(stage.param, []).append(stage)
    together = [curves for curves in by_param.values() if len(curves) > 1]
    try:
        moves = [[curve.next_moves(span) for curve in curves] for curves in together]
    except (ArithmeticError, ValueError):
        return False  # tick by tick it shows where
    known = [[one for one in own if one is not None] for own in moves]
    if any(len(own) < len(curves) for own, curves in zip(known, together, strict=True)):
        return False
    for curves, own in zip(together, known, strict=True):
        entries, param = curves[0].lanes.entries, curves[0].param
        entries[param] = woven(entries[param], own)
    woven_ones = [curve for curves in together for curve in curves]
    for stage in stages:
        if isinstance(stage, Curve) and stage in woven_ones:
            stage.pass_over(span)
        else:
            _advance(stage, span, unit, step)
    return True


def _are_apart(acting: Sequence[RunningScheduler]) -> bool:
    """Whether none of them acts on the results of another."""
    params = [stage.param for stage in acting]
    return len(set(params)) == len(params) and (len(params) < 2 or ANYTHING not in params)


def _made(
    spec: AnySpec, lanes: ParamGroupTable, training: Training, make_foreign: MakeForeign | None
) -> RunningScheduler:
    if isinstance(spec, Spec):
        return CURVES[spec.family](spec, lanes)
    if isinstance(spec, HookSpec):
        return RunningHook(spec, lanes)
    if make_foreign is None:
        raise ScheduleError(f"{spec.name} has to be run for real", place=spec.place)
    return make_foreign(spec, lanes, training)


def _advance(stage: RunningScheduler, count: int, unit: Unit, step: int) -> None:
    """Make some ticks, the first of which leads to ``step``."""
    try:
        stage.advance(count)
    except OptplanError:
        raise
    except Exception as error:
        if count > 1:  # tick by tick, to say where it happened
            for turn in range(count):
                _advance(stage, 1, unit, step + turn)
        raise ScheduleError(
            f"{stage.spec.name} breaks down at {unit} {step}: {_reason(error)}",
            place=stage.spec.place,
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero there"
    return " ".join(str(error).split()) or type(error).__name__
