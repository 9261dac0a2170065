"""Run one batch through the real model: forward, backward, step, and what changed that should not have."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from optplan.errors import VerifyError, described_exception
from optplan.runtime.stdio import stdout_to_stderr
from optplan.verify.devices import is_out_of_memory
from optplan.verify.inputs import ForwardInputs, tensors_in
from optplan.verify.results import RealStep
from optplan.verify.stepping import wants_closure
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.tensors import digest, local

_NO_GRADIENT = "its forward gives nothing that a backward could start from"


def take_real_step(
    subject: ModelUnderTest, batch: ForwardInputs, device: torch.device, *, amp: bool, seed: int
) -> RealStep:
    """Do one step as training does, and compare the model before and after.

    Args:
        subject: The model with its own values.
        batch: The batch, or its shapes.
        device: Where the model is.
        amp: Whether the forward runs under autocast.
        seed: Of the batch.

    Raises:
        VerifyError: The forward, the backward or the step raises.
    """
    subject.engine.train()
    before = _Prints.of(subject)
    amp_dtype = _amp_dtype(device) if amp else None
    try:
        with stdout_to_stderr():
            loss, reached = _step(subject, batch, device, amp_dtype, seed)
    except VerifyError:
        raise
    except Exception as error:  # the model is the user's code
        if is_out_of_memory(error):
            raise
        raise VerifyError(
            f"the model raises in a training step: {described_exception(error)}",
            hint="give the shape of its input, as --input 2x3x224x224, or leave the step out: "
            "--no-forward",
        ) from error
    finally:
        subject.engine.zero_grad(set_to_none=True)
    return _compared(subject, before, reached, _Step(batch.shapes, amp_dtype, loss))


@dataclass(frozen=True, slots=True)
class _Step:
    inputs: tuple[tuple[int, ...], ...]
    amp: torch.dtype | None
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prints:
    """The model's content, as digests."""

    parameters: Mapping[str, list[float]]
    buffers: Mapping[str, list[float]]

    @classmethod
    def of(cls, subject: ModelUnderTest) -> _Prints:
        return cls(
            parameters={held.name: digest(held.tensor).tolist() for held in subject.held},
            buffers={name: digest(b).tolist() for name, b in subject.module.named_buffers()},
        )


def _amp_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return torch.float16
    return torch.bfloat16


def _step(
    subject: ModelUnderTest,
    batch: ForwardInputs,
    device: torch.device,
    amp: torch.dtype | None,
    seed: int,
) -> tuple[float, dict[str, bool]]:
    """Return the loss, and which parameters have a gradient, each with whether it is all zeros."""
    batch = batch.made(subject.module, device, seed)
    scaler = torch.amp.GradScaler(device.type, enabled=amp is torch.float16)
    with torch.autocast(device.type, dtype=amp) if amp is not None else nullcontext():
        loss = _loss(subject.engine(*batch.positional, **batch.named), seed)
    scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    reached = {
        held.name: not bool(local(held.tensor.grad).any())
        for held in subject.held
        if held.tensor.grad is not None
    }
    for named in subject.optimizers:
        if wants_closure(named.optimizer):
            named.optimizer.step(loss.detach)  # type: ignore[arg-type]
        else:
            scaler.step(named.optimizer)
    scaler.update()
    return float(loss.detach()), reached


def _loss(output: Any, seed: int) -> Tensor:
    """Return a number to descend: cross entropy of class scores, else the mean square of all that comes out."""
    found = [one for one in tensors_in(output) if one.is_floating_point() and one.requires_grad]
    if not found:
        raise VerifyError(f"the model cannot take a training step: {_NO_GRADIENT}")
    if len(found) == 1 and found[0].ndim == 2 and found[0].shape[1] > 1:
        generator = torch.Generator().manual_seed(seed)
        labels = torch.randint(found[0].shape[1], (found[0].shape[0],), generator=generator)
        return nn.functional.cross_entropy(found[0].float(), labels.to(found[0].device))
    return torch.stack([one.float().square().mean() for one in found]).sum()


def _compared(
    subject: ModelUnderTest, before: _Prints, reached: Mapping[str, bool], step: _Step
) -> RealStep:
    after = _Prints.of(subject)
    changed = {n for n, number in before.parameters.items() if after.parameters[n] != number}
    still = {held.name for held in subject.held if _stands_still(held)}
    buffers = _buffers_of_still_parts(subject, still)
    return RealStep(
        inputs=step.inputs,
        amp=None if step.amp is None else str(step.amp).removeprefix("torch."),
        loss=step.loss,
        without_gradient=tuple(
            held.name
            for held in subject.held
            if held.tensor.requires_grad and held.name not in reached
        ),
        unmoved=tuple(
            held.name
            for held in subject.held
            if reached.get(held.name) is False and held.name not in changed | still
        ),
        changed_parameters=tuple(h.name for h in subject.held if h.name in changed & still),
        changed_buffers=tuple(
            name
            for name, number in before.buffers.items()
            if name in buffers and after.buffers.get(name) != number
        ),
    )


def _stands_still(held: PlannedTensor) -> bool:
    """Return whether the plan keeps a parameter as it is."""
    return not held.row.requires_grad or not held.row.lr


def _buffers_of_still_parts(subject: ModelUnderTest, still: set[str]) -> set[str]:
    """Return buffers in modules that have parameters, none of which shall change.

    A module without parameters of its own belongs to the nearest around it that has some.
    """
    stillness: dict[str, bool] = {}
    for name, module in subject.module.named_modules():
        own = [subject.names[id(one)] for one in module.parameters()]
        around = stillness.get(name.rpartition(".")[0], False)
        stillness[name] = all(one in still for one in own) if own else around
    return {
        f"{name}.{own}" if name else own
        for name, module in subject.module.named_modules()
        if stillness[name]
        for own, _ in module.named_buffers(recurse=False)
    }
