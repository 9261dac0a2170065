"""Judge whether a parameter went where a formula went, in float64 and in what the training uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isfinite

import torch
from torch import Tensor

from optplan.verify.results import Movement, MovementResult

# Orders of summation and of operations differ; a wrong value shows far above this.
EXACT_SHARE = 1e-11
EXACT_ROUNDINGS = 64
# In the roots of the training's precision: states and sums in it lose half of the digits on the way.
TRAINED_SHARE = 4
# Signs of sums near 0 turn with the rounding: in so many elements of a large tensor at most.
_ODD_SHARE = {torch.float32: 1e-5}
_ODD_SHARE_LOW = 0.01
_FEW = 16
_PIECE = 1 << 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """Where a parameter began, where it ended and where it should have, on one device in one dtype."""

    start: Tensor
    end: Tensor
    expected: Tensor

    def pieces(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield the three in short pieces, which stay in the processor's cache."""
        rows = (self.start.reshape(-1), self.end.reshape(-1), self.expected.reshape(-1))
        for begin in range(0, rows[0].numel(), _PIECE):
            start, end, expected = (row[begin : begin + _PIECE] for row in rows)
            yield start, end, expected


@dataclass(slots=True, kw_only=True)
class _Extent:
    """How far a parameter went, at most over its elements."""

    size: float = 0.0
    moved: float = 0.0
    wanted: float = 0.0
    error: float = 0.0
    odd: int = 0
    is_finite: bool = True


def _extent(way: Displacement) -> _Extent:
    found = _Extent()
    for start, end, expected in way.pieces():
        found.size = max(found.size, _largest(start))
        found.moved = max(found.moved, _largest(end - start))
        found.wanted = max(found.wanted, _largest(expected - start))
        error = _largest(end - expected)
        if not isfinite(error):
            found.is_finite = False
            break
        found.error = max(found.error, error)
    return found


def _largest(values: Tensor) -> float:
    return float(torch.linalg.vector_norm(values, torch.inf))


def judge_exact(way: Displacement, loose: float = 0.0) -> MovementResult:
    """Return the verdict on a run in float64, where nothing but rounding may differ.

    Args:
        way: The parameter's.
        loose: What share of the way may differ, for a formula that rounds inside.
    """
    extent = _extent(way)
    if not extent.is_finite:
        return _not_finite(way, "float64")
    floor = EXACT_ROUNDINGS * torch.finfo(torch.float64).eps * extent.size
    allowed = floor + max(EXACT_SHARE, loose) * extent.wanted
    if extent.error <= allowed:
        return _as_planned(extent)
    extent.odd = sum(int(((e - x).abs() > allowed).sum()) for _, e, x in way.pieces())
    return _deviating(way, extent)


def judge_trained(way: Displacement, dtype: torch.dtype, steps: int) -> MovementResult:
    """Return the verdict on a run in the training's dtype, which may show less than the plan says.

    An element may be off by two roundings a step; what is that close to where it began may as well not
    have moved.

    Args:
        way: The parameter's, in float64.
        dtype: Of the training.
        steps: How many.
    """
    extent = _extent(way)
    if not extent.is_finite:
        return _not_finite(way, str(dtype).removeprefix("torch."))
    info = torch.finfo(dtype)
    odd = stuck = should = 0
    if extent.error <= TRAINED_SHARE * info.eps**0.5 * extent.wanted and not _is_stuck(way):
        return _as_planned(extent)
    for start, end, expected in way.pieces():
        spacing = info.eps * torch.maximum(start.abs(), expected.abs()) + info.smallest_normal
        allowed = steps * spacing + TRAINED_SHARE * info.eps**0.5 * extent.wanted
        odd += int(((end - expected).abs() > allowed).sum())
        wanted = expected != start
        should += int(wanted.sum())
        stuck += int((wanted & (end == start)).sum())
    count = way.start.numel()
    share = _ODD_SHARE.get(dtype.to_real(), _ODD_SHARE_LOW)
    if odd > (ceil(share * count) - (share < _ODD_SHARE_LOW) if count >= _FEW else 0):
        extent.odd = odd
        return _deviating(way, extent)
    if should and 2 * stuck >= should:
        return MovementResult(
            movement=Movement.BELOW_RESOLUTION,
            distance=extent.error / extent.wanted,
            reason=f"an update of {extent.wanted:.2g} is lost beside values of {extent.size:.2g}"
            f" ({stuck} of {should} elements stand still)",
        )
    return _as_planned(extent)


def _is_stuck(way: Displacement) -> bool:
    """Return whether half of the elements, or more, are where they began."""
    stuck = sum(int((end == start).sum()) for start, end, _ in way.pieces())
    return 2 * stuck >= way.start.numel()


def judge_resolution(start: Tensor, end: Tensor) -> MovementResult:
    """Return whether the dtype shows the movement of most elements, where nobody says how far it should be."""
    stuck = int((start == end).sum())
    if not torch.isfinite(end).all():
        return MovementResult(
            movement=Movement.UNCHECKED, reason="its reference is not finite either"
        )
    if 2 * stuck >= end.numel():
        reason = f"{stuck} of {end.numel()} elements stand still"
        return MovementResult(movement=Movement.BELOW_RESOLUTION, reason=reason)
    return MovementResult(movement=Movement.MOVED, distance=0.0)


def _as_planned(extent: _Extent) -> MovementResult:
    if not extent.wanted:
        return MovementResult(movement=Movement.STILL)
    return MovementResult(movement=Movement.MOVED, distance=extent.error / extent.wanted)


def _deviating(way: Displacement, extent: _Extent) -> MovementResult:
    count = way.start.numel()
    if not extent.moved:
        reason = "did not move"
    elif not extent.wanted:
        reason = f"moved by {extent.moved:.3g}, but should not have"
    elif 0 < extent.odd < count:
        reason = f"ended off by {extent.error / extent.wanted:.2g} of its way in {extent.odd} of {count} elements"
    else:
        ratio = _ratio(way)
        reason = f"moved {ratio:.6g} times as far as planned"
        if abs(ratio - 1) < 1e-6 or extent.error > 2 * abs(ratio - 1) * extent.wanted:
            reason = f"ended off by {extent.error / extent.wanted:.2g} of its way"
    distance = extent.error / extent.wanted if extent.wanted else None
    return MovementResult(movement=Movement.DEVIATES, distance=distance, reason=reason)


def _not_finite(way: Displacement, dtype: str) -> MovementResult:
    if not bool(torch.isfinite(way.expected).all()):
        return MovementResult(
            movement=Movement.UNCHECKED, reason="its reference is not finite either"
        )
    return MovementResult(movement=Movement.DEVIATES, reason=f"is not finite in {dtype}")


def _ratio(way: Displacement) -> float:
    """Return the length of the real way along the planned one."""
    along = length = 0.0
    for start, end, expected in way.pieces():
        planned = (expected - start).conj()
        along += float(((end - start) * planned).sum().real)
        length += float(((expected - start) * planned).sum().real)
    return along / length
