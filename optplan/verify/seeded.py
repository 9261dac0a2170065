"""Values and gradients drawn from a seed and a parameter's name: drawn again, they are never kept."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from math import prod

import torch
from torch import Tensor

from optplan.verify.subject import PlannedTensor

# A prime, so that rows of a large matrix are not each other's copies.
_PERIOD = 1_048_583
_ROUNDS = 4
# How large the gradients of a step are: what keeps the largest, cuts or ignores some shows by that.
_STEP_WITH_ZEROS = 3
_SIZES = (1.0, 2.0**-7, 2.0, 2.0**-5, 1.0, 2.0**-3)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededTensors:
    """What parameters begin with, and their gradients.

    Args:
        seed: The user's.
        dtypes: What each parameter's numbers are representable in.
        sizes: About how large a parameter's values are; 1 where it is not named.
        sparse: Parameters whose module gives them sparse gradients.
    """

    seed: int
    dtypes: Mapping[str, torch.dtype]
    sizes: Mapping[str, float] = field(default_factory=dict)
    sparse: frozenset[str] = frozenset()

    def value(self, held: PlannedTensor) -> Tensor:
        """Return the whole value that a parameter begins with, in float64 on the CPU."""
        return self._draw(held, "value", self.sizes.get(held.name, 1.0))

    def gradient(self, held: PlannedTensor, step: int) -> Tensor:
        """Return the whole gradient of one step."""
        drawn = self._draw(held, f"gradient {step}", 1.0)
        if (size := _SIZES[step % len(_SIZES)]) != 1:
            drawn = drawn * size
        if step == _STEP_WITH_ZEROS:
            drawn = drawn.clone(memory_format=torch.contiguous_format)
            drawn.view(-1)[1::3] = 0
        if held.name in self.sparse:
            return _every_second_row(drawn)
        return drawn

    def _draw(self, held: PlannedTensor, what: str, size: float) -> Tensor:
        shape = tuple(held.tensor.shape)
        return seeded(
            held.name, shape, self.dtypes[held.name], seed=self.seed, what=what, size=size
        )


def seeded(
    name: str, shape: tuple[int, ...], dtype: torch.dtype, *, seed: int, what: str, size: float
) -> Tensor:
    """Return numbers of either sign, between half and one and a half of a size, in float64 on the CPU.

    None is near 0, where a rounding error or an update would look large. They may be a view, not to be
    changed in place.

    Args:
        name: The parameter's name.
        shape: Its whole shape.
        dtype: They are representable in it.
        seed: The user's.
        what: What they are for.
        size: How large they are.
    """
    real = dtype.to_real()
    drawn = _drawn(seed, real, f"{what}:{name}", prod(shape))
    if dtype.is_complex:
        drawn = torch.complex(drawn, _drawn(seed, real, f"{what}, imaginary:{name}", prod(shape)))
    if size != 1:
        drawn = (drawn * size).to(dtype).to(exact_dtype(dtype))
    return drawn.reshape(shape)


def seed_all(seed: int) -> None:
    """Seed every generator that an optimizer may draw from."""
    torch.manual_seed(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % (1 << 32))


def _every_second_row(dense: Tensor) -> Tensor:
    """Return a sparse gradient, as an embedding gives it to the words that occurred."""
    rows = torch.arange(0, dense.shape[0], 2)
    return torch.sparse_coo_tensor(
        rows[None], dense[rows], dense.shape, is_coalesced=True, check_invariants=False
    )


def exact_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of the exact run: float64, or its complex counterpart."""
    return torch.complex128 if dtype.is_complex else torch.float64


def _drawn(seed: int, dtype: torch.dtype, words: str, count: int) -> Tensor:
    """Return a stretch of one long row of random numbers, that begins where the words say."""
    row = _row(seed, dtype)
    start = (
        int.from_bytes(sha256(words.encode("utf-8", "surrogatepass")).digest()[:8], "big") % _PERIOD
    )
    if count <= (_ROUNDS - 1) * _PERIOD:
        return row[start : start + count]
    return row[start : start + _PERIOD].repeat(-(-count // _PERIOD))[:count]


@lru_cache(maxsize=2)  # drawing anew each time took half of a verification
def _row(seed: int, dtype: torch.dtype) -> Tensor:
    """Return the numbers, several times in a row, rounded to what a dtype can hold."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand(_PERIOD, generator=generator, dtype=torch.float64).mul_(2).sub_(1)
    rounded = drawn.abs().add_(0.5).copysign_(drawn).to(dtype).to(torch.float64)
    return rounded.repeat(_ROUNDS)
