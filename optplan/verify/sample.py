"""The tensors that are stepped where memory does not hold the state of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from optplan.verify.results import Movement, MovementResult
from optplan.verify.runs import samples
from optplan.verify.subject import ModelUnderTest


def element_counts(subject: ModelUnderTest) -> dict[str, int]:
    """Return how many elements each tensor has: the smallest of each kind first, then the smallest of all."""
    counts = {held.name: held.tensor.numel() for held in subject.stepped}
    first = (held.name for held in samples(subject))
    return {name: counts[name] for name in [*first, *sorted(counts, key=counts.__getitem__)]}


def fitting(sizes: Mapping[str, int], most: int) -> frozenset[str]:
    """Return the first tensors that fit into memory together.

    Args:
        sizes: What each takes, in bytes.
        most: How many bytes are free.
    """
    found = set()
    for name, size in sizes.items():
        if size <= most:
            most -= size
            found.add(name)
    return frozenset(found)


def with_unchecked(
    subject: ModelUnderTest, moved: Mapping[str, MovementResult]
) -> dict[str, MovementResult]:
    """Return the verdicts on all tensors: those that are not in the sample were not checked."""
    reason = "memory does not hold the state of all tensors at once"
    left = MovementResult(movement=Movement.UNCHECKED, reason=reason)
    return {held.name: moved.get(held.name, left) for held in replace(subject, sample=None).stepped}
