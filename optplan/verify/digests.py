"""Short digests of tensors, by which runs are compared without keeping their values."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

import torch
from torch import Tensor

from optplan.verify.tensors import local

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
