"""Compare a step that is given a closure with one whose gradients are there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from optplan.verify.results import Mismatch
from optplan.verify.runs import samples
from optplan.verify.stepping import Closure, failure_of, set_train_mode, takes_closure
from optplan.verify.subject import ModelUnderTest, NamedOptimizer, PlannedTensor
from optplan.verify.tensors import digest, put_gradient


@dataclass(kw_only=True)
class ClosureStep:
    """What one optimizer did with its closure.

    Attributes:
        calls: How often it called it.
        is_loss_returned: Whether the step returned its loss.
        digests: Of each parameter afterwards, by name.
    """

    calls: int = 0
    is_loss_returned: bool = False
    digests: dict[str, Tensor] = field(default_factory=dict)


def closure_steps(
    subject: ModelUnderTest,
    optimizers: Sequence[NamedOptimizer],
    gradient: Callable[[PlannedTensor, int], Tensor],
) -> dict[int, ClosureStep]:
    """Do the first step of each optimizer that takes a closure with one, with gradients for a few parameters.

    Args:
        subject: The parameters, with the values that a run begins with.
        optimizers: Freshly made.
        gradient: The gradient of a parameter in a step.
    """
    found = {}
    for number, named in enumerate(optimizers):
        if not takes_closure(named.optimizer):
            continue
        step = ClosureStep()
        members = [held for held in samples(subject) if held.row.optimizer == number]
        if failure_of(lambda: _take(named, members, gradient, step)) is None:  # noqa: B023
            step.digests = {held.name: digest(held.tensor) for held in members}
            found[number] = step
    return found


def _take(
    named: NamedOptimizer,
    members: Sequence[PlannedTensor],
    gradient: Callable[[PlannedTensor, int], Tensor],
    step: ClosureStep,
) -> None:
    trainable = [held for held in members if held.takes_gradient]
    losses: list[Tensor] = []

    def put() -> None:
        for held in trainable:
            put_gradient(held.tensor, gradient(held, 0))

    closure = Closure([held.tensor for held in trainable], put, bends=False)

    def loss() -> Tensor:
        losses.append(closure())
        return losses[-1]

    set_train_mode(named.optimizer)
    returned: object = named.optimizer.step(loss)  # type: ignore[arg-type]
    step.calls = closure.calls
    step.is_loss_returned = any(returned is one for one in losses) or isinstance(
        returned, float | torch.Tensor
    )
    for held in trainable:
        held.tensor.grad = None


def closure_mismatches(
    step: ClosureStep, differing: Sequence[str], class_name: str
) -> Iterator[Mismatch]:
    """Yield in what a step with a closure is not one without.

    Args:
        step: What the optimizer did.
        differing: The parameters that are elsewhere than after a step without closure.
        class_name: The optimizer's.
    """
    if step.calls != 1:
        built = f"{class_name} calls it {step.calls} times"
        yield Mismatch(what="closure", planned="called once in a step", built=built)
    if differing:
        yield Mismatch(
            what="closure",
            planned="called before the update",
            built="the update does not follow its gradients",
            parameters=tuple(differing),
        )
    if step.calls and not step.is_loss_returned:
        built = f"{class_name}.step returns nothing"
        yield Mismatch(what="closure", planned="its loss is returned", built=built)
