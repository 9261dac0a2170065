"""Small shapes in the place of large ones, and the large dimensions found again in what is made of them."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from optplan.plan.memory import StateTensor, TensorKind

# No dimension that is left as it is equals one of these, and no two of them another.
_SMALL = 16
_DIMENSIONS = ((17, 23, 31, 41, 47), (19, 29, 37, 43, 53))


class SmallShapes:
    """Small shapes for some kinds of tensors: each large dimension of one is a prime number of its own.

    Args:
        kinds: The kinds.
        choice: Which of two sets of primes is used.
    """

    def __init__(self, kinds: Iterable[TensorKind], choice: int) -> None:
        self._small = {kind: _small(kind.shape, _DIMENSIONS[choice]) for kind in kinds}

    def shape(self, kind: TensorKind) -> tuple[int, ...]:
        """Return the small shape of a kind, of as many dimensions."""
        return tuple(self._small[kind].get(size, size) for size in kind.shape)

    def back(self, kind: TensorKind, kept: StateTensor, small: int, whole: int) -> StateTensor:
        """Return what is kept of a small tensor as it is of the large one.

        Args:
            kind: The kind of the tensor.
            kept: What is kept of it.
            small: The elements of all small tensors together.
            whole: The elements of all that they stand for.
        """
        large = {one: size for size, one in self._small[kind].items()}
        shape = tuple(large.get(size, size) for size in kept.shape)
        if len(kept.shape) == 1 and kept.shape[0] not in large:
            if kept.shape[0] == prod(self.shape(kind)) and kind.shape:
                shape = (prod(kind.shape),)
            elif kept.shape[0] == small:
                shape = (whole,)
        return kept._replace(shape=shape)


def _small(shape: tuple[int, ...], primes: tuple[int, ...]) -> dict[int, int]:
    large = sorted({size for size in shape if size > _SMALL})
    return dict(zip(large, primes, strict=False))
