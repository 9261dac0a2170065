"""The memory of parameters, gradients and optimizer state, whole and sharded. Plain data and arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod
from typing import NamedTuple

from optplan.names import Status

_Shape = tuple[int, ...]


class TensorKind(NamedTuple):
    """Tensors for which an optimizer keeps the same; ``setting`` is None for what is in no group."""

    setting: int | None
    shape: _Shape
    dtype: str
    requires_grad: bool


class StateTensor(NamedTuple):
    """One tensor of an optimizer's state; ``itemsize`` is the bytes of an element."""

    name: str
    dtype: str
    itemsize: int
    shape: _Shape

    @property
    def size(self) -> int:
        """Return its bytes."""
        return prod(self.shape) * self.itemsize


class StateMethod(StrEnum):
    """How an optimizer's state became known."""

    META = "meta"
    REAL = "real"
    SCALED = "scaled"
    UNKNOWN = "unknown"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerState:
    """What one optimizer keeps.

    Args:
        method: How that became known.
        kept: For each kind what it keeps of one tensor.
        together: For each kind what it keeps of all its tensors together, counted once.
        is_sparse: It takes sparse gradients alone.
        reason: Why it is not known.
    """

    method: StateMethod
    kept: Mapping[TensorKind, tuple[StateTensor, ...]] = field(default_factory=dict)
    together: Mapping[TensorKind, tuple[StateTensor, ...]] = field(default_factory=dict)
    is_sparse: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes; ``state`` is by dtype, None where it is not known."""

    parameters: int = 0
    gradients: int = 0
    state: Mapping[str, int] | None = field(default_factory=dict)

    @property
    def state_bytes(self) -> int | None:
        """Return the bytes of the state of all dtypes."""
        return None if self.state is None else sum(self.state.values())

    @property
    def total(self) -> int | None:
        """Return all bytes; None where those of the state are not known."""
        state = self.state_bytes
        return None if state is None else self.parameters + self.gradients + state

    def __add__(self, other: Footprint) -> Footprint:
        state = None
        if self.state is not None and other.state is not None:
            names = dict.fromkeys([*self.state, *other.state])
            state = {name: self.state.get(name, 0) + other.state.get(name, 0) for name in names}
        return Footprint(
            parameters=self.parameters + other.parameters,
            gradients=self.gradients + other.gradients,
            state=state,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRow:
    """The memory of the parameters of one setting, or of one status outside of settings, and of one dtype.

    Args:
        setting, optimizer: Their indices; None for what is in no group.
        status: Their status; optimized where some of them are.
        dtype: Of the parameters.
        parameters, elements: How many.
        whole: All of it, as a process that holds the model has it.
        largest: What the process with most has, sharded; None where nothing is sharded.
        smallest: What the process with least has.
        kept: What the state calls its tensors.
        has_scalars: There are parameters without dimensions among them.
    """

    setting: int | None
    optimizer: int | None
    status: Status
    dtype: str
    parameters: int
    elements: int
    whole: Footprint
    largest: Footprint | None
    smallest: Footprint | None
    kept: tuple[str, ...]
    has_scalars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMemory:
    """The memory of parameters by setting and dtype, and how each optimizer's state is known."""

    rows: tuple[MemoryRow, ...]
    states: tuple[OptimizerState, ...]
    processes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of several between which FSDP2 shards each tensor along its first dimension."""

    rank: int
    processes: int

    def rows(self, count: int) -> int:
        """Return how many of some rows it has: as ``torch.chunk`` cuts, the last ones get fewer or none."""
        chunk = self.chunk(count)
        return max(0, min(chunk, count - self.rank * chunk))

    def chunk(self, count: int) -> int:
        """Return the rows of a full piece, to which FSDP2 pads what it stores of parameters and gradients."""
        return -(-count // self.processes)


def footprint(
    kind: TensorKind, itemsize: int, kept: Iterable[StateTensor] | None, process: Process | None
) -> Footprint:
    """Return the memory of one tensor with its gradient and state.

    State in the tensor's own shape is sharded as the tensor; scalars are kept by every process. FSDP2 takes no
    tensor without dimensions, and how state of another shape is sharded depends on the class.

    Args:
        kind: The tensor.
        itemsize: The bytes of an element.
        kept: What the optimizer keeps of it; None where that is not known.
        process: The process whose memory this is; None for all of it.
    """
    own, stored = prod(kind.shape), prod(kind.shape)
    if process is not None and kind.shape:
        rest = prod(kind.shape[1:])
        own, stored = process.rows(kind.shape[0]) * rest, process.chunk(kind.shape[0]) * rest
    return Footprint(
        parameters=stored * itemsize,
        gradients=stored * itemsize if kind.requires_grad else 0,
        state=None if kept is None else _state(kept, kind.shape, own, process),
    )


def _state(
    kept: Iterable[StateTensor], shape: _Shape, own: int, process: Process | None
) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for one in kept:
        size = one.size
        if process is not None and one.shape == shape:
            size = own * one.itemsize
        elif process is not None and prod(one.shape) != 1:
            return None
        found[one.dtype] = found.get(one.dtype, 0) + size
    return found


def times(one: Footprint, count: int) -> Footprint:
    """Return the memory of several equal tensors."""
    return Footprint(
        parameters=one.parameters * count,
        gradients=one.gradients * count,
        state=None if one.state is None else {n: size * count for n, size in one.state.items()},
    )
