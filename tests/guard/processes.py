"""What each of two processes does that ``test_parallel`` starts: guards under DDP, FSDP2, ZeRO and Accelerate."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from optplan import PlanGuard
from optplan.errors import MismatchError
from optplan.runtime.interrupts import end_process
from tests.guard.operations import Operations
from tests.guard.test_plan_guard import Net, decay, frozen, groups_of, left_out, lr, moved, option

warnings.simplefilter("ignore")
Change = Callable[[nn.Module, list[dict[str, Any]]], None]


def unchanged(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    pass


CHANGES: tuple[Change, ...] = (unchanged, lr, decay, option, moved, left_out, frozen)


def made(net: nn.Module, change: Change, kind: Any = torch.optim.AdamW) -> Any:
    groups = groups_of(net)
    change(net, groups)
    return kind(groups, lr=1e-3)


def ddp(change: Change) -> tuple[nn.Module, Any]:
    net = Net()
    optimizer = made(net, change)
    return nn.parallel.DistributedDataParallel(net), optimizer


def fsdp2(change: Change) -> tuple[nn.Module, Any]:
    from torch.distributed.fsdp import fully_shard

    net = Net()
    fully_shard(net.head)
    fully_shard(net)
    return net, made(net, change)


def compiled(change: Change) -> tuple[nn.Module, Any]:
    net = Net()
    optimizer = made(net, change)
    model: Any = torch.compile(nn.parallel.DistributedDataParallel(net))
    return model, optimizer


def zero(change: Change) -> tuple[nn.Module, Any]:
    from torch.distributed.optim import ZeroRedundancyOptimizer

    net = Net()
    groups = groups_of(net)
    change(net, groups)
    optimizer = ZeroRedundancyOptimizer(groups, optimizer_class=torch.optim.AdamW, lr=1e-3)
    return nn.parallel.DistributedDataParallel(net), optimizer


def accelerate(change: Change) -> tuple[nn.Module, Any]:
    from accelerate import Accelerator

    net = Net()
    model, optimizer = Accelerator(cpu=True).prepare(net, made(net, change))
    return model, optimizer


def plain(change: Change) -> tuple[nn.Module, Any]:
    net = Net()
    return net, made(net, change)


def _trained(model: nn.Module, optimizer: Any) -> None:
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()


def _saves(change: Change) -> bool:
    """Return whether a checkpoint has it: the groups' values, not their members nor what is frozen."""
    return change in (lr, decay, option)


def ddp_resumed(change: Change) -> tuple[nn.Module, Any]:
    """Change what is loaded, where a checkpoint has it."""
    first, optimizer = ddp(change if _saves(change) else unchanged)
    _trained(first, optimizer)
    model, again = ddp(unchanged if _saves(change) else change)
    if change not in (moved, left_out):  # torch refuses groups of other sizes
        again.load_state_dict(optimizer.state_dict())
    return model, again


def fsdp2_resumed(change: Change) -> tuple[nn.Module, Any]:
    from torch.distributed.checkpoint import state_dict as states

    first, optimizer = fsdp2(change if _saves(change) else unchanged)
    _trained(first, optimizer)
    model, again = fsdp2(unchanged if _saves(change) else change)
    if change not in (moved, left_out):
        state = states.get_optimizer_state_dict(first, optimizer)
        states.set_optimizer_state_dict(model, again, state)
    return model, again


def accelerate_resumed(change: Change) -> tuple[nn.Module, Any]:
    first, optimizer = accelerate(change if _saves(change) else unchanged)
    _trained(first, optimizer)
    model, again = accelerate(unchanged if _saves(change) else change)
    if change not in (moved, left_out):
        again.load_state_dict(optimizer.state_dict())
    return model, again


def fsdp2_unprepared(change: Change) -> tuple[nn.Module, Any]:
    """Shard the model behind the optimizer's back, whose tensors are then the model's no more."""
    from torch.distributed.fsdp import fully_shard

    net = Net()
    optimizer = made(net, change)
    fully_shard(net.head)
    fully_shard(net)
    return net, optimizer


RESUMED = (ddp_resumed, fsdp2_resumed, accelerate_resumed)
WAYS = (plain, ddp, fsdp2, compiled, zero, accelerate, *RESUMED)


@contextmanager
def noted(found: dict[str, str | None], name: str) -> Iterator[None]:
    try:
        yield
    except MismatchError as error:
        found[name] = str(error)
    else:
        found[name] = None


def main(folder: Path) -> None:
    dist.init_process_group("gloo")
    plan, found = folder / "plan.json", {}  # type: tuple[Path, dict[str, str | None]]
    net = Net()
    PlanGuard(plan, if_missing="write")(net, made(net, unchanged))
    dist.barrier()
    for way in WAYS:
        for change in CHANGES:
            training, name = way(change), f"{way.__name__} {change.__name__}"
            with noted(found, name), Operations() as operations:
                PlanGuard(plan)(*training)
            if operations.names:
                found[f"{name} operations"] = str(operations.names)
    with noted(found, "fsdp2_unprepared"):
        PlanGuard(plan)(*fsdp2_unprepared(unchanged))
    (folder / f"{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    end_process(0)
