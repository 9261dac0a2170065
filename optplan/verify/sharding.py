"""A model sharded over processes, unit by unit: none ever holds more than one unit whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import prod

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from optplan.verify.tensors import Param

_CONTAINERS = (nn.ModuleList, nn.Sequential, nn.ModuleDict)


def shard(
    module: nn.Module,
    device: torch.device,
    dtypes: Mapping[str, torch.dtype],
    processes: int,
    seed: int,
) -> None:
    """Give a model memory on its device and shard it with FSDP2, in place.

    Args:
        module: Its parameters may be on meta, where they take no memory.
        device: Where it goes.
        dtypes: The dtype of each parameter, by name.
        processes: How many share it.
        seed: Of the values of parameters that have none.
    """
    mesh = init_device_mesh(device.type, (processes,))
    names = {id(tensor): name for name, tensor in module.named_parameters()}
    by_tensor = {tensor: dtypes[name] for tensor, name in names.items()}
    torch.manual_seed(seed)
    for unit in (*_units(module), module):
        give_memory(unit, device, by_tensor)
        fully_shard(unit, mesh=mesh)


def _units(module: nn.Module) -> list[nn.Module]:
    """Return the blocks of a model: what stands in its lists and sequences, and shares no tensor with the rest."""
    uses = _uses(module)
    return [block for block in _blocks(module) if _is_apart(block, uses)]


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if isinstance(module, _CONTAINERS) and not isinstance(child, _CONTAINERS):
            yield child
        else:
            yield from _blocks(child)


def _is_apart(block: nn.Module, uses: Mapping[int, int]) -> bool:
    inside = _uses(block)
    return bool(inside) and all(uses[tensor] == count for tensor, count in inside.items())


def _uses(module: nn.Module) -> Counter[int]:
    """Return how often each tensor is registered, by its ``id``."""
    parts = (part._parameters.values() for part in module.modules())  # noqa: SLF001
    return Counter(id(one) for own in parts for one in own if one is not None)


def give_memory(
    module: nn.Module, device: torch.device, dtypes: Mapping[int, torch.dtype] | None = None
) -> None:
    """Move a module to a device; parameters on meta get values as their modules give them first.

    Args:
        module: The module.
        device: The device.
        dtypes: The dtype of each parameter by ``id``; as they are by default.
    """
    made: dict[int, Param] = {}
    for part in module.modules():
        fresh = False
        for name, parameter in part._parameters.items():  # noqa: SLF001
            if parameter is None:
                continue
            dtype = (
                parameter.dtype if dtypes is None else dtypes.get(id(parameter), parameter.dtype)
            )
            if not parameter.is_meta:
                parameter.data = parameter.data.to(device=device, dtype=dtype)
                continue
            if id(parameter) not in made:
                made[id(parameter)] = _with_memory(parameter, device, dtype)
                fresh = True
            part._parameters[name] = made[id(parameter)]  # noqa: SLF001
        for name, buffer in part._buffers.items():  # noqa: SLF001
            if buffer is not None:
                part._buffers[name] = _moved(buffer, device)  # noqa: SLF001
        reset = getattr(part, "reset_parameters", None)
        if fresh and callable(reset):
            reset()


def _with_memory(parameter: Param, device: torch.device, dtype: torch.dtype) -> Param:
    """Return the parameter with values of a usual size, for where its module gives none."""
    value = torch.empty(parameter.shape, device=device, dtype=dtype)
    with torch.no_grad():
        if value.ndim > 1:
            value.normal_(std=prod(value.shape[1:]) ** -0.5)
        else:
            value.fill_(1.0)
    made = nn.Parameter(value, requires_grad=parameter.requires_grad)
    made.__dict__.update(parameter.__dict__)
    return made


def _moved(buffer: torch.Tensor, device: torch.device) -> torch.Tensor:
    return torch.zeros_like(buffer, device=device) if buffer.is_meta else buffer.to(device)
