"""Parameters whole or sharded, on any device: their own part read, written, told apart and digested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import sqrt
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

Param = torch.nn.Parameter

_CHUNK = 1 << 22


def local(tensor: Tensor) -> Tensor:
    """Return what this process holds of a tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def own_part(whole: Tensor, parameter: Tensor) -> Tensor:
    """Return the part of a whole tensor that this process holds of the parameter of that shape."""
    if not isinstance(parameter, DTensor):
        return whole
    part = whole
    for place, size, rank in _cuts(parameter):
        part = _piece(part, place, size, rank)
    return part


def _cuts(parameter: DTensor) -> Iterator[tuple[int, int, int]]:
    """Yield along which dimension a parameter is cut into how many pieces, and which is ours."""
    coordinate: Sequence[int] = parameter.device_mesh.get_coordinate() or []
    for index, placement in enumerate(parameter.placements):
        if placement.is_shard():
            dim: int = getattr(placement, "dim")  # noqa: B009 - known to shards alone
            yield dim, parameter.device_mesh.size(index), coordinate[index]


def _piece(whole: Tensor, dim: int, pieces: int, index: int) -> Tensor:
    found = torch.chunk(whole, pieces, dim=dim)
    return found[index] if index < len(found) else whole.narrow(dim, 0, 0)


def put_value(parameter: Param, whole: Tensor, dtype: torch.dtype) -> None:
    """Give a parameter a value in a dtype; a sharded one must have that dtype already."""
    part = own_part(whole, parameter)
    if isinstance(parameter, DTensor) or parameter.dtype == dtype:
        local(parameter.detach()).copy_(part)
    else:
        parameter.data = part.to(device=parameter.device, dtype=dtype, copy=True)


def put_gradient(parameter: Param, whole: Tensor | None) -> None:
    """Give a parameter a gradient, or none."""
    if whole is None:
        parameter.grad = None
        return
    part = own_part(whole, parameter).to(
        device=local(parameter.detach()).device,
        dtype=parameter.dtype,
        copy=whole._base is not None,  # noqa: SLF001 - one that is no view was made for this
    )
    if isinstance(parameter, DTensor):
        part = DTensor.from_local(
            part,
            parameter.device_mesh,
            parameter.placements,
            run_check=False,
            shape=parameter.shape,
            stride=parameter.stride(),
        )
    parameter.grad = part


@torch.enable_grad()
def put_graph(parameter: Param, whole: Tensor) -> None:
    """Give a parameter a gradient that can be differentiated again: that of a square and a given slope."""
    put_gradient(parameter, whole)
    assert parameter.grad is not None
    loss = (parameter.grad * parameter + parameter * parameter / 4).sum()
    (parameter.grad,) = torch.autograd.grad(loss, parameter, create_graph=True)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield every tensor in nested dicts, lists and tuples."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """Return the memory that this process holds of some tensors, each counted once."""
    parts = {id(part): part for part in map(local, tensors)}
    return sum(part.numel() * part.element_size() for part in parts.values())


def fingerprint(tensor: Tensor) -> int:
    """Return a number that another content would change, whatever the change; takes little memory."""
    part = local(tensor.detach())
    data = part.reshape(-1).view(torch.uint8) if part.numel() else part.reshape(-1)
    found = 0
    for start in range(0, data.numel(), _CHUNK):
        chunk = data[start : start + _CHUNK].to(torch.int64)
        weights = torch.arange(1, chunk.numel() + 1, device=chunk.device)
        found = (found * 1_000_003 + int((chunk * weights).sum())) % (1 << 61)
    return found


BLOCKS = 64


def digest(tensor: Tensor) -> Tensor:
    """Return weighted sums over at most 65 blocks of what this process holds of a tensor, in float64 on the CPU.

    A tensor of up to 64 numbers is its own digest. The weights are random, so that a change of any element
    changes the sum of its block, and changes of several do not cancel.
    """
    part = local(tensor.detach())
    flat = (torch.view_as_real(part) if part.is_complex() else part).reshape(-1)
    if flat.numel() <= BLOCKS:
        return flat.to("cpu", torch.float64, copy=True)
    size = -(-flat.numel() // BLOCKS)
    rows = flat.numel() // size
    flat = flat.to(torch.float64)
    weights = _weights(size).to(flat.device)
    head, rest = flat[: rows * size], flat[rows * size :]
    sums = [head.view(rows, size) @ weights]
    if rest.numel():
        sums.append((rest @ weights[: rest.numel()]).reshape(1))
    return torch.cat(sums).cpu()


def block_noise(count: int) -> float:
    """Return how much larger than that of one element the rounding error of a block's sum may be."""
    return sqrt(max(1, -(-count // BLOCKS)))


@lru_cache(maxsize=4)
def _weights(size: int) -> Tensor:
    """Return numbers of either sign between 0.5 and 1.5."""
    generator = torch.Generator().manual_seed(size)
    drawn = torch.rand(size, generator=generator, dtype=torch.float64).mul_(2).sub_(1)
    return drawn.abs().add_(0.5).copysign_(drawn)
