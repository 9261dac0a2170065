"""Measure what a step costs: with the groups as they were built, and with those of equal settings merged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.optim import Optimizer

from optplan.runtime.stdio import stdout_to_stderr
from optplan.verify.devices import is_out_of_memory
from optplan.verify.results import Cost, Timing
from optplan.verify.seeded import SeededTensors
from optplan.verify.stepping import wants_closure
from optplan.verify.subject import ModelUnderTest, arguments_of
from optplan.verify.tensors import bytes_of, put_gradient, tensors_in

_ROUNDS = 3
_LEAST_STEPS = 3
_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimedVariant:
    """One way to make the optimizers."""

    merged: bool
    implementation: str


def measure_cost(
    subject: ModelUnderTest, draws: SeededTensors, device: torch.device, *, alone: bool
) -> Cost | None:
    """Time every way in turn, several rounds of it, each with its own state.

    Args:
        subject: The model in the training's dtype, with the real optimizers.
        draws: The gradients.
        device: Where.
        alone: This is the only process; several must do the same number of steps.

    Returns:
        None where a step cannot be timed by itself: it wants a closure, or shards its state.
    """
    if any(
        wants_closure(one.optimizer) or isinstance(one.optimizer, ZeroRedundancyOptimizer)
        for one in subject.optimizers
    ):
        return None
    for held in subject.stepped:
        if held.tensor.requires_grad:
            put_gradient(held.tensor, draws.gradient(held, 0))
    seconds: dict[_TimedVariant, list[float]] = {}
    figures: dict[_TimedVariant, tuple[int, int]] = {}
    for _ in range(_ROUNDS):
        for way in _ways(subject, device):
            measured = _measured(subject, way, device, alone=alone)
            if measured is None:
                continue
            figures[way] = measured[1:]
            seconds.setdefault(way, []).append(measured[0])
    for held in subject.stepped:
        held.tensor.grad = None
    timings = tuple(
        Timing(
            merged=way.merged,
            implementation=way.implementation,
            groups=figures[way][0],
            seconds=min(times),  # what else the machine does only adds to it
            state_bytes=figures[way][1],
        )
        for way, times in seconds.items()
    )
    return Cost(timings=timings, peak_bytes=peak_bytes(device)) if timings else None


def _ways(subject: ModelUnderTest, device: torch.device) -> Iterable[_TimedVariant]:
    takes = set.intersection(*(set(arguments_of(one.optimizer)) for one in subject.optimizers))
    names = ["default", *(["foreach"] if "foreach" in takes else [])]
    if device.type == "cuda" and "fused" in takes:
        names.append("fused")
    for name in names:
        for merged in (False, True):
            yield _TimedVariant(merged=merged, implementation=name)


def _measured(
    subject: ModelUnderTest, way: _TimedVariant, device: torch.device, *, alone: bool
) -> tuple[float, int, int] | None:
    """Return seconds per step, groups and bytes of state; None where the class refuses this way."""
    try:
        with stdout_to_stderr():
            made = [
                _made(one.optimizer, _groups(subject, number, merged=way.merged), way)
                for number, one in enumerate(subject.optimizers)
            ]
            _run(made, 1)  # the first step makes the state
            seconds = _timed(made, device, _SECONDS if alone else 0.0)
    except Exception as error:  # whatever an optimizer of any package may raise
        if is_out_of_memory(error):
            raise
        return None
    groups = sum(len(one.param_groups) for one in made)
    return seconds, groups, sum(bytes_of(tensors_in(dict(one.state))) for one in made)


def _groups(subject: ModelUnderTest, number: int, *, merged: bool) -> list[dict[str, Any]]:
    """Return the real groups, copied; those of one setting of the plan as one."""
    real = subject.optimizers[number].optimizer.param_groups
    if not merged:
        return [dict(group) for group in real]
    settings = {id(held.tensor): held.row.setting for held in subject.own(number)}
    found: dict[Any, dict[str, Any]] = {}
    for group in real:
        for tensor in group["params"]:
            key = settings.get(id(tensor))
            found.setdefault(key, {**group, "params": []})["params"].append(tensor)
    return list(found.values())


def _made(real: Optimizer, groups: Sequence[dict[str, Any]], way: _TimedVariant) -> Optimizer:
    arguments = arguments_of(real)
    if way.implementation != "default":
        chosen: dict[str, Any] = {
            name: name == way.implementation for name in ("foreach", "fused") if name in arguments
        }
        arguments |= chosen
        groups = [{**group, **chosen} for group in groups]
    make: Any = type(real)
    for group in groups:
        group.pop("param_names", None)
    return make(list(groups), **arguments)  # type: ignore[no-any-return]


def _timed(made: Sequence[Optimizer], device: torch.device, least: float) -> float:
    """Return seconds of a step, over as many as take a while."""
    _synchronize(device)
    begin = time.perf_counter()
    steps = 0
    while steps < _LEAST_STEPS or time.perf_counter() - begin < least:
        _run(made, 1)
        steps += 1
        _synchronize(device)
    return (time.perf_counter() - begin) / steps


def _run(made: Iterable[Optimizer], steps: int) -> None:
    for _ in range(steps):
        for optimizer in made:
            optimizer.step()


def _synchronize(device: torch.device) -> None:
    if device.type in ("cuda", "mps"):
        getattr(torch, device.type).synchronize()


def reset_peak(device: torch.device) -> None:
    """Count the most memory from here on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int | None:
    """Return the most memory that tensors took; None where torch does not count it."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
