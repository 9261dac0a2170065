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
from tests.guard.test_plan_guard import Net, decay, frozen, groups_of, lr, moved

warnings.simplefilter("ignore")
Change = Callable[[nn.Module, list[dict[str, Any]]], None]


def unchanged(model: nn.Module, groups: list[dict[str, Any]]) -> None:
    pass


CHANGES: tuple[Change, ...] = (unchanged, lr, decay, moved, frozen)


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


WAYS = (ddp, fsdp2, compiled, zero, accelerate)


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
            with noted(found, f"{way.__name__} {change.__name__}"):
                PlanGuard(plan)(*way(change))
    (folder / f"{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    end_process(0)
