"""What to think of one parameter's way, against references of it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from optplan.chatter import chatter_to_stderr
from optplan.errors import described_exception
from optplan.verify.devices import is_out_of_memory
from optplan.verify.judging import Way
from optplan.verify.reference import Member, alone
from optplan.verify.results import Moved, Movement
from optplan.verify.rounding import inner_rounding
from optplan.verify.seeded import Draws, exact_dtype
from optplan.verify.stepping import Gradients
from optplan.verify.subject import Held
from optplan.verify.tensors import local, own_part

Judge = Callable[[Held, Way], Moved]

# How far apart the plainest computation and the real one may be: matrices may be multiplied in bfloat16.
_MOST_NOISE = 0.1
# How many times its own rounding a class may be off that sums in another order, as over processes.
_ROUNDINGS = 4


class Opinions:
    """Verdicts on parameters that the real optimizer has stepped.

    Args:
        draws: Values and gradients of the run.
        steps: How many it took.
        judge: Gives the verdict on a way.
        in_float64: Whether the run was, as its references are.

    Attributes:
        noisy: By how much of their ways parameters differ that only a second opinion lets pass.
    """

    def __init__(self, draws: Draws, steps: int, judge: Judge, *, in_float64: bool) -> None:
        self._draws = draws
        self._steps = steps
        self._judge = judge
        self._in_float64 = in_float64
        self.noisy: dict[str, float] = {}

    def judged(self, held: Held, expected: Tensor | None) -> Moved:
        """The verdict on a parameter that should end there, or stand still where None is expected."""
        return self._judge(held, self.way(held, expected))

    def way(self, held: Held, expected: Tensor | None) -> Way:
        """The own part of a parameter's way; it shall stand still where nothing is expected."""
        start = self._draws.value(held)
        dtype = exact_dtype(self._draws.dtypes[held.name])
        end = local(held.tensor.detach()).cpu().to(dtype)
        mine = own_part(start, held.tensor)
        aim = mine if expected is None else own_part(expected, held.tensor)
        return Way(start=mine, end=end, expected=aim)

    def alone(self, member: Member) -> Moved:
        """The verdict on a parameter against its class on it alone."""
        try:
            expected = self._reference(member, as_built=False)
        except Exception as error:  # whatever an optimizer of any package may raise
            if is_out_of_memory(error):
                raise
            reason = f"no reference could be made: {described_exception(error)}"
            return Moved(movement=Movement.UNCHECKED, reason=reason)
        way = self.way(member.held, expected)
        moved = self._judge(member.held, way)
        if moved.movement is Movement.DEVIATES:
            return self._second_opinion(member, way, moved)
        return moved if moved.movement is not Movement.STILL else _idle(member, moved)

    def _reference(
        self, member: Member, *, as_built: bool, gradients: Gradients | None = None
    ) -> Tensor:
        held = member.held
        with chatter_to_stderr():
            return alone(
                member.rule,
                self._draws.value(held),
                gradients or (lambda _, step: self._draws.gradient(held, step)),
                self._steps,
                device=held.tensor.device if as_built else torch.device("cpu"),
                as_built=as_built,
            )

    def _second_opinion(self, member: Member, way: Way, first: Moved) -> Moved:
        """The verdict where the class computes in less than float64, or in another order on the device.

        Against the class alone on the same device, computing as the real one does: a wrong value is wrong
        against this too. Where processes share a parameter no run alone sums in their order, and in the
        training's dtype none rounds as it does: there what the class's own rounding makes of its gradients
        is allowed.
        """
        if not way.start.numel() or first.distance is None:
            return first
        try:
            expected = own_part(self._reference(member, as_built=True), member.held.tensor)
            may_differ = isinstance(member.held.tensor, DTensor) or not self._in_float64
            rounding = self._inner_rounding(member) if may_differ else 0.0
        except Exception as error:  # whatever an optimizer of any package may raise
            if is_out_of_memory(error):
                raise
            return first
        step = float((way.expected - way.start).abs().amax())
        noise = float((way.expected - expected).abs().amax()) / step
        second = self._judge(member.held, replace(way, expected=expected))
        if second.movement is not Movement.DEVIATES and noise <= _MOST_NOISE:
            self.noisy[member.held.name] = noise
            return second
        if rounding <= _MOST_NOISE and first.distance <= _ROUNDINGS * rounding:
            self.noisy[member.held.name] = first.distance
            return Moved(movement=Movement.MOVED, distance=first.distance)
        return first

    def _inner_rounding(self, member: Member) -> float:
        held = member.held

        def run(gradients: Gradients) -> Tensor:
            return self._reference(member, as_built=False, gradients=gradients)

        gradients: Gradients = lambda _, step: self._draws.gradient(held, step)  # noqa: E731
        return inner_rounding(run, self._draws.value(held), gradients)


def _idle(member: Member, moved: Moved) -> Moved:
    """A class that does not move what it should, alone either, keeps to no plan."""
    if not member.held.row.lr:
        return moved
    return Moved(
        movement=Movement.DEVIATES,
        reason=f"{member.rule.make.__qualname__} does not move it, though its lr is {member.held.row.lr:.6g}",
    )
