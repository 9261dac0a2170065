"""Find out what an optimizer keeps of each parameter, by stepping the real class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import signature
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from optplan.constructors.optimizer_arguments import first_argument
from optplan.errors import described_exception
from optplan.plan.memory import OptimizerState, StateMethod, StateTensor, TensorKind
from optplan.runtime.gate import calling
from optplan.runtime.stdio import suppress_output
from optplan.verify.small_shapes import SmallShapes
from optplan.verify.stepping import Closure, class_wants_closure, set_train_mode, wants_closure
from optplan.verify.tensors import tensors_in

# What changes how a step is made, and not what is kept; it wants a device that there is not.
_PLAIN = {"foreach": False, "fused": False, "capturable": False, "differentiable": False}
_LEAST_STEPS = 3
# An optimizer with a history has filled it by then: one of 100 entries takes about ten steps.
_MOST_STEPS = 300
_STABLE = 4
# Elements that are stepped in memory in their real shapes, and with a history of them.
_MOST_ELEMENTS = {False: 1 << 20, True: 1 << 15}
_MOST_TENSORS = 20_000
_Kept = Mapping[TensorKind, Sequence[tuple[StateTensor, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedOptimizer:
    """An optimizer to step.

    Args:
        found: Its class.
        groups: What the groups of each setting hold.
        counts: How many tensors of each kind it has.
        trusted: Whether the user vouches for the code that the config names.
    """

    found: type[Optimizer]
    groups: Mapping[int | None, Mapping[str, Any]]
    counts: Mapping[TensorKind, int]
    trusted: bool = False


def optimizer_state(stepped: SteppedOptimizer) -> OptimizerState:
    """Return what an optimizer keeps once it has stepped as often as makes it keep more.

    It is stepped on tensors without memory. A class that reads values is stepped on real ones: in the real shapes
    where they are small together, else on small ones in whose state the dimensions are found again; two choices of
    small dimensions must tell the same.

    Args:
        stepped: The optimizer.

    Returns:
        With ``UNKNOWN`` and the reason where the class does not step in any of these ways.
    """
    reason = ""
    for attempt in (_on_meta, _in_memory, _scaled):
        for put in (_dense, _sparse, _graph):
            try:
                with (
                    calling(stepped.found, stepped.found.__name__, trusted=stepped.trusted),
                    suppress_output(),
                    _seeded(),
                ):
                    return replace(attempt(stepped, put), is_sparse=put is _sparse)
            except Exception as error:  # noqa: BLE001 - whatever a class of any package raises
                reason = reason or described_exception(error)
    return OptimizerState(method=StateMethod.UNKNOWN, reason=reason)


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        yield


_Put = Callable[[nn.Parameter], None]


def _dense(parameter: nn.Parameter) -> None:
    parameter.grad = torch.randn_like(parameter)


def _sparse(parameter: nn.Parameter) -> None:
    parameter.grad = torch.randn_like(parameter.detach()).to_sparse(1)


def _graph(parameter: nn.Parameter) -> None:
    loss = (torch.randn_like(parameter) * parameter + parameter * parameter).sum()
    (parameter.grad,) = torch.autograd.grad(loss, parameter, create_graph=True)


def _on_meta(stepped: SteppedOptimizer, put: _Put) -> OptimizerState:
    return _of_shapes(stepped, put, torch.device("meta"), StateMethod.META)


def _in_memory(stepped: SteppedOptimizer, put: _Put) -> OptimizerState:
    return _of_shapes(stepped, put, torch.device("cpu"), StateMethod.REAL)


def _of_shapes(
    stepped: SteppedOptimizer, put: _Put, device: torch.device, method: StateMethod
) -> OptimizerState:
    """Step tensors of the real shapes: one of each kind, and all where its tensors have state together."""

    def run(most: int | None) -> _Kept:
        counts = {kind: min(most or n, n) for kind, n in stepped.counts.items()}
        if device.type != "meta":
            _refuse_many(stepped, sum(prod(kind.shape) * n for kind, n in counts.items()))
        return _Run(stepped, counts, device, put).kept()

    once = run(1)
    if all(count == 1 for count in stepped.counts.values()):
        return OptimizerState(method=method, kept=_first(once))
    if _is_apart(once, run(2)):
        return OptimizerState(method=method, kept=_first(once))
    if sum(stepped.counts.values()) > _MOST_TENSORS:
        raise ValueError("it keeps what depends on all parameters, which are too many to step")
    return OptimizerState(method=method, together=_summed(run(None)))


def _refuse_many(stepped: SteppedOptimizer, elements: int) -> None:
    if elements > _MOST_ELEMENTS[class_wants_closure(stepped.found)]:
        raise ValueError("its parameters are too large to step them in memory")


def _first(kept: _Kept) -> dict[TensorKind, tuple[StateTensor, ...]]:
    return {kind: tensors[0] for kind, tensors in kept.items()}


def _summed(kept: _Kept) -> dict[TensorKind, tuple[StateTensor, ...]]:
    return {kind: tuple(one for own in tensors for one in own) for kind, tensors in kept.items()}


def _is_apart(once: _Kept, twice: _Kept) -> bool:
    """Return whether what is kept of a tensor does not depend on the other tensors."""
    return all(set(twice[kind]) == set(once[kind]) for kind in once)


def _scaled(stepped: SteppedOptimizer, put: _Put) -> OptimizerState:
    """Step small tensors, and find the dimensions of each again in what is kept of it.

    Raises:
        ValueError: Two choices of small dimensions tell different things.
    """
    told = [_by_stand_ins(stepped, put, SmallShapes(stepped.counts, choice)) for choice in (0, 1)]
    if told[0] != told[1]:
        raise ValueError("what it keeps does not follow from the dimensions of its parameters")
    return told[0]


def _by_stand_ins(stepped: SteppedOptimizer, put: _Put, stand_ins: SmallShapes) -> OptimizerState:
    device = torch.device("cpu")

    def run(most: int | None) -> _Kept:
        counts = {kind: min(most or n, n) for kind, n in stepped.counts.items()}
        kept = _Run(stepped, counts, device, put, stand_ins.shape).kept()
        small = sum(prod(stand_ins.shape(kind)) * n for kind, n in counts.items())
        whole = sum(prod(kind.shape) * n for kind, n in counts.items())
        return {
            kind: [tuple(stand_ins.back(kind, one, small, whole) for one in own) for own in tensors]
            for kind, tensors in kept.items()
        }

    once, twice = run(1), run(2)
    if _is_apart(once, twice):
        return OptimizerState(method=StateMethod.SCALED, kept=_first(once))
    if sum(stepped.counts.values()) > _MOST_TENSORS:
        raise ValueError("it keeps what depends on all parameters, which are too many to step")
    return OptimizerState(method=StateMethod.SCALED, together=_summed(run(None)))


class _Run:
    """One real optimizer, and its steps."""

    def __init__(
        self,
        stepped: SteppedOptimizer,
        counts: Mapping[TensorKind, int],
        device: torch.device,
        put: _Put,
        shape: Callable[[TensorKind], Sequence[int]] = lambda kind: kind.shape,
    ) -> None:
        self._tensors = {
            kind: [_tensor(kind, shape(kind), device) for _ in range(count)]
            for kind, count in counts.items()
        }
        self._put = put
        self._optimizer = _made(stepped, self._tensors)

    def kept(self) -> _Kept:
        """Return what is kept of each tensor, once steps add nothing to it."""
        set_train_mode(self._optimizer)
        stable, steps, last = 0, 0, None
        wanted = _STABLE if wants_closure(self._optimizer) else 1
        while steps < _LEAST_STEPS or (stable < wanted and steps < _MOST_STEPS):
            self._step()
            steps += 1
            now = self._kept()
            stable = stable + 1 if now == last else 0
            last = now
        assert last is not None
        return last

    def _step(self) -> None:
        self._put_gradients()
        if not wants_closure(self._optimizer):
            self._optimizer.step()
            return
        trained = [one for own in self._tensors.values() for one in own if one.requires_grad]
        self._optimizer.step(Closure(trained, self._put_gradients, bends=True))  # type: ignore[arg-type]

    def _put_gradients(self) -> None:
        for tensors in self._tensors.values():
            for one in tensors:
                if one.requires_grad:
                    self._put(one)

    def _kept(self) -> _Kept:
        seen: set[int] = set()
        return {
            kind: [tuple(self._state_of(one, seen)) for one in tensors]
            for kind, tensors in self._tensors.items()
        }

    def _state_of(self, parameter: nn.Parameter, seen: set[int]) -> Iterator[StateTensor]:
        state: Mapping[str, Any] = self._optimizer.state.get(parameter) or {}
        for name, value in state.items():
            for tensor in tensors_in(value):
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield _described(str(name), tensor)


def _described(name: str, tensor: Tensor) -> StateTensor:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return StateTensor(name, dtype, tensor.element_size(), tuple(tensor.shape))


def _tensor(kind: TensorKind, shape: Sequence[int], device: torch.device) -> nn.Parameter:
    dtype: torch.dtype = getattr(torch, kind.dtype)
    value = torch.empty(*shape, dtype=dtype, device=device)
    if dtype.is_floating_point or dtype.is_complex:
        value.normal_()
    return nn.Parameter(value, requires_grad=kind.requires_grad)


def _made(
    stepped: SteppedOptimizer, tensors: Mapping[TensorKind, Sequence[nn.Parameter]]
) -> Optimizer:
    make: Any = stepped.found
    taken = signature(make).parameters
    first = first_argument(make)
    shared = _shared_entries(stepped.groups.values())
    given = {name: value for name, value in shared.items() if name in taken}
    given |= {name: value for name, value in _PLAIN.items() if name in taken}
    groups = []
    for setting, entries in stepped.groups.items():
        own = [one for kind, many in tensors.items() if kind.setting == setting for one in many]
        groups.append({**entries, **{n: v for n, v in _PLAIN.items() if n in entries}, first: own})
    if first != "params":
        groups = [
            {"params" if name == first else name: group[name] for name in group} for group in groups
        ]
    return make(**{first: groups}, **given)  # type: ignore[no-any-return]


def _shared_entries(groups: Any) -> dict[str, Any]:
    """Return the entries that all groups have, as the first one has them: a class may need them as arguments."""
    groups = list(groups)
    names = Counter(name for group in groups for name in group)
    return {name: value for name, value in groups[0].items() if names[name] == len(groups)}
