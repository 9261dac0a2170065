"""Several processes that verify one model together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from optplan.errors import OptplanError, VerifyError, described_exception
from optplan.verify.devices import is_out_of_memory
from optplan.verify.results import Parallel


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
