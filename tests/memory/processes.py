"""What each of several processes does that ``test_sharded`` starts: FSDP2 itself, and what it holds after steps."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from optplan.runtime.interrupts import end_process
from tests.memory.models import Uneven

OPTIMIZERS: dict[str, Any] = {
    "SGD": lambda params: torch.optim.SGD(params, lr=0.1),
    "momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    "AdamW": lambda params: torch.optim.AdamW(params, lr=0.1),
    "amsgrad": lambda params: torch.optim.AdamW(params, lr=0.1, amsgrad=True),
    "Adagrad": lambda params: torch.optim.Adagrad(params, lr=0.1),
}


def held(tensors: Iterable[Tensor]) -> int:
    """The bytes of the memory behind some tensors, each piece once."""
    locals_ = [one.to_local() if isinstance(one, DTensor) else one for one in tensors]
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage() for one in locals_}
    return sum(storage.nbytes() for pointer, storage in storages.items() if pointer)


def trained(make: Any) -> dict[str, int]:
    """The bytes of parameters, gradients and state of this process after two steps."""
    module: nn.Module = Uneven()
    for block in module.blocks:  # type: ignore[union-attr]
        fully_shard(block)
    fully_shard(module)
    optimizer = make(module.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        module(torch.ones(2, 5)).sum().backward()
        optimizer.step()
    parameters = list(module.parameters())
    state = [one for own in optimizer.state.values() for one in own.values()]
    return {
        "parameter_bytes": held(parameters),
        "gradient_bytes": held([one.grad for one in parameters if one.grad is not None]),
        "state_bytes": sum(
            one.numel() * one.element_size()
            for one in (one.to_local() if isinstance(one, DTensor) else one for one in state)
        ),
    }


def main(folder: str) -> None:
    """Train with each optimizer, and leave what was held in a file for each process."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    found = {name: trained(make) for name, make in OPTIMIZERS.items()}
    Path(folder, f"{dist.get_rank()}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
    end_process(0)
