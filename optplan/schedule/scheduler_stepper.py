"""Step the schedulers of one optimizer through a training, as the reference's runner does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optplan.errors import OptplanError, ScheduleError
from optplan.schedule.hooks import RunningHook
from optplan.schedule.param_group_table import ParamGroupTable
from optplan.schedule.running_scheduler import ANYTHING, MakeForeign, RunningScheduler
from optplan.schedule.schedulers import CURVES, FOREVER, Curve
from optplan.schedule.specs import AnySpec, HookSpec, Spec
from optplan.schedule.training import Training, Unit

# How much one training is followed for, so that an answer comes within seconds: a value that a scheduler moves
# by a tick is 1, the tick itself 12, a turn from tick to tick 32, a tick of another package's scheduler 50.
_MOST_WORK = 100_000_000
_TICK, _TURN, _FOREIGN = 12, 32, 50


class TooFarError(ScheduleError):
    """A training takes more work to follow than is done for it."""


class SchedulerStepper:
    """The schedulers of one optimizer with what they have made of its groups by now.

    Those by iterations are stepped after each iteration, those by epochs after each epoch, in the order
    of the config. Each makes its first step when it is made.

    Args:
        specs: The schedulers.
        table: The groups at step 0.
        training: How long the training is.
        unit: What its steps are counted in.
        make_foreign: Makes a scheduler that is run for real.

    Attributes:
        watch: What is told, before each step, for how many steps the present values hold; None for nothing.

    Raises:
        ScheduleError: A scheduler cannot be made, or breaks down.
    """

    watch: Callable[[int], None] | None = None

    def __init__(
        self,
        specs: Sequence[AnySpec],
        table: ParamGroupTable,
        training: Training,
        unit: Unit,
        make_foreign: MakeForeign | None = None,
    ) -> None:
        self.table = table
        self.step = 0
        self._work = 0
        self._unit = unit
        self.schedulers: list[RunningScheduler] = []
        for spec in specs:
            scheduler = _made(spec, table, training, make_foreign)
            _advance(scheduler, 1, unit, 0)
            self.schedulers.append(scheduler)
        by_epoch = [scheduler for scheduler in self.schedulers if scheduler.by_epoch]
        by_iteration = [scheduler for scheduler in self.schedulers if not scheduler.by_epoch]
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
            self._advance_often(min(step - self.step, self._period - self.step % self._period))
            if self.step % self._period == 0:
                self._charged(self._seldom, 1)
                for scheduler in self._seldom:
                    _advance(scheduler, 1, self._unit, self.step)

    def _advance_often(self, count: int) -> None:
        """Make so many steps without the end of an epoch among them."""
        schedulers = self._often
        while count:
            acting = [scheduler for scheduler in schedulers if scheduler.acts]
            span = self._charged(
                acting, min([count, *(scheduler.steady() for scheduler in schedulers)])
            )
            if self.watch is not None and not acting:
                self.watch(span)
            elif self.watch is None and _are_apart(acting):
                for scheduler in acting:
                    _advance(scheduler, span, self._unit, self.step + 1)
            else:
                self._advance_together(acting, span)
            for scheduler in schedulers:
                if scheduler not in acting:
                    scheduler.advance(span)
            self.step += span
            count -= span

    def _advance_together(self, acting: Sequence[RunningScheduler], span: int) -> None:
        """Make so many steps one by one."""
        for turn in range(span):
            if self.watch is not None:
                self.watch(1)
            for scheduler in acting:
                _advance(scheduler, 1, self._unit, self.step + 1 + turn)

    def _charged(self, acting: Sequence[RunningScheduler], span: int) -> int:
        """Count the work of so many steps, or of as many as it suffices for; return how many these are.

        Raises:
            TooFarError: It suffices for none.
        """
        left = _MOST_WORK - self._work - _TURN
        each = sum(self._cost(scheduler) for scheduler in acting)
        done = min(span, left // each) if each else span
        if left < 0 or not done:
            raise TooFarError(
                f"the schedulers are followed to {self._unit} {self.step}, and no further: "
                "they move too many values at too many steps",
                hint=f"show steps before that with --at {self.step // 2}, or a shorter training",
            )
        self._work += _TURN + done * each
        return done

    def _cost(self, scheduler: RunningScheduler) -> int:
        """Return the work of one tick."""
        if isinstance(scheduler, RunningHook):
            return 0  # it looks at the last tick of many alone
        return _TICK + self.table.count if isinstance(scheduler, Curve) else _FOREIGN


def _are_apart(acting: Sequence[RunningScheduler]) -> bool:
    """Return whether none of them acts on the results of another."""
    params = [scheduler.param for scheduler in acting]
    return len(set(params)) == len(params) and (len(params) < 2 or ANYTHING not in params)


def _made(
    spec: AnySpec, table: ParamGroupTable, training: Training, make_foreign: MakeForeign | None
) -> RunningScheduler:
    if isinstance(spec, Spec):
        return CURVES[spec.family](spec, table)
    if isinstance(spec, HookSpec):
        return RunningHook(spec, table)
    if make_foreign is None:
        raise ScheduleError(f"{spec.name} has to be run for real", place=spec.place)
    return make_foreign(spec, table, training)


def _advance(scheduler: RunningScheduler, count: int, unit: Unit, step: int) -> None:
    """Make some ticks, the first of which leads to ``step``."""
    try:
        scheduler.advance(count)
    except OptplanError:
        raise
    except Exception as error:
        if count > 1:  # tick by tick, to say where it happened
            for turn in range(count):
                _advance(scheduler, 1, unit, step + turn)
        raise ScheduleError(
            f"{scheduler.spec.name} breaks down at {unit} {step}: {_reason(error)}",
            place=scheduler.spec.place,
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "it divides by zero there"
    return " ".join(str(error).split()) or type(error).__name__
