"""Several processes that verify one model together, and what they found as one result."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist

from optplan.errors import OptplanError, VerifyError, described_exception
from optplan.verify.devices import is_out_of_memory
from optplan.verify.results import Measured, Mismatch, Movement, MovementResult, Parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """This process among those that take part."""

    rank: int = 0
    size: int = 1

    def gathered(self, value: Any) -> list[Any]:
        """Return what each process found, in the order of their ranks, on every one of them."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def summed(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return sums over the processes, entry by entry."""
        found = self.gathered(dict(values))
        return {name: sum(one[name] for one in found) for name in values}


@contextmanager
def joined_processes(parallel: Parallel | None, device: torch.device) -> Iterator[World]:
    """Join the processes that torchrun started; this one alone where nothing is parallel.

    Raises:
        VerifyError: torchrun did not start this process, or it started several without a use for them.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if parallel is None:
        if started > 1:
            raise VerifyError(
                f"torchrun started {started} processes, and each would do the same",
                hint="say how they share the work: --parallel ddp, fsdp or zero",
            )
        yield World()
        return
    if "RANK" not in os.environ:
        raise VerifyError(
            f"--parallel {parallel} takes several processes",
            hint=f"torchrun --nproc-per-node 2 -m optplan verify … --parallel {parallel}",
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    joins = not dist.is_initialized()  # a training script may have done so
    if joins:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(rank=dist.get_rank(), size=dist.get_world_size())
    finally:
        if joins:
            dist.destroy_process_group()


@contextmanager
def wrapping(engine: str) -> Iterator[None]:
    """Say which of torch's engines refuses a model or an optimizer.

    Raises:
        VerifyError: It does.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OptplanError) or is_out_of_memory(error):
            raise
        raise VerifyError(f"{engine} refuses this: {described_exception(error)}") from error


def differing(world: World, numbers: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return the names under which not all processes have one number, with the ranks that differ from the first."""
    everywhere = world.gathered(dict(numbers))
    return {
        name: ranks
        for name, number in everywhere[0].items()
        if (ranks := tuple(r for r, one in enumerate(everywhere) if one.get(name) != number))
    }


_WORST_FIRST = (
    Movement.DEVIATES,
    Movement.BELOW_RESOLUTION,
    Movement.UNCHECKED,
    Movement.MOVED,
    Movement.STILL,  # also what a process says that holds nothing of a parameter
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one process found, or all of them.

    Args:
        mismatches: In its groups.
        exact, trained: How parameters moved.
        measured: The values that were seen.
        disagreeing: In what the processes are not of one mind; the same on each of them.
    """

    mismatches: tuple[Mismatch, ...]
    exact: Mapping[str, MovementResult]
    trained: Mapping[str, MovementResult] | None
    measured: Mapping[str, Measured]
    disagreeing: tuple[Mismatch, ...] = ()


def merged(world: World, mine: Found) -> Found:
    """Return what all processes found; of verdicts on one parameter the worst, with its process."""
    everyone: list[Found] = world.gathered(mine)
    if len(everyone) == 1:
        return mine
    first = everyone[0]
    mismatches = list(first.mismatches)
    for rank, one in enumerate(everyone[1:], 1):
        mismatches += [
            replace(mismatch, built=f"{mismatch.built} on process {rank}")
            for mismatch in one.mismatches
            if mismatch not in first.mismatches
        ]
    return Found(
        mismatches=tuple(mismatches),
        exact=_worst([one.exact for one in everyone]),
        trained=None
        if first.trained is None
        else _worst([one.trained for one in everyone if one.trained is not None]),
        measured={
            name: _first_seen([one.measured.get(name, Measured()) for one in everyone])
            for name in dict.fromkeys(name for one in everyone for name in one.measured)
        },
        disagreeing=first.disagreeing,
    )


def _worst(moved: list[Mapping[str, MovementResult]]) -> dict[str, MovementResult]:
    return {name: _worst_of([one[name] for one in moved]) for name in moved[0]}


def _worst_of(verdicts: list[MovementResult]) -> MovementResult:
    rank, worst = min(enumerate(verdicts), key=lambda pair: _WORST_FIRST.index(pair[1].movement))
    is_everywhere = all(one.movement is worst.movement for one in verdicts)
    if not worst.reason or is_everywhere:
        return worst
    return replace(worst, reason=f"{worst.reason}, on process {rank}")


def _first_seen(values: list[Measured]) -> Measured:
    rates = [one.lr for one in values if one.lr is not None]
    decays = [one.weight_decay for one in values if one.weight_decay is not None]
    return Measured(lr=rates[0] if rates else None, weight_decay=decays[0] if decays else None)
