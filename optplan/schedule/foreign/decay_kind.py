"""Find out how an optimizer class applies weight decay, by stepping the real class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from optplan.constructors.optimizers import named_class, real_values
from optplan.runtime.gate import calling
from optplan.runtime.stdio import suppress_output
from optplan.schedule.effective_decay import DecayKind

_RATES = ((0.125, 0.25), (0.25, 0.25), (0.0625, 0.5), (0.125, 0.125))
_SHAPES = {True: (8, 6), False: (12,)}
_PLAIN = {"foreach": False, "fused": False, "capturable": False, "differentiable": False}
_SCALES = (1.0, 0.01, 1.0, 100.0, 1.0)
_DECOUPLED = frozenset({"before", "beside", "after"})
_EXACT = 1e-10


def decay_kind(
    class_name: str, entries: Mapping[str, Any], dimensions: set[int], *, trusted: bool = False
) -> DecayKind:
    """Return how a class applies weight decay to parameters of some numbers of dimensions.

    Runs get the same weights and gradients before each of several steps, in which lr and weight decay differ.
    Decay is decoupled where a step with it equals one without it whose weight is shrunk by ``1 - ηλ`` before,
    meanwhile or after; it is L2 where it equals one without it whose gradient is ``g + λw``. Gradients are random, orthogonal
    to the weight, and zero, and weights small and large, so that a rule that depends on these is not taken for
    another.

    Args:
        class_name: The import path of the class.
        entries: What its group holds besides.
        dimensions: How many dimensions the parameters have.
        trusted: Whether the user vouches for the code that the config names.

    Returns:
        ``UNKNOWN`` for a class that is not found, cannot be made of these entries, or does none of these.
    """
    found = named_class(class_name, trusted=trusted)
    if found is None:
        return DecayKind.UNKNOWN
    kinds = {_kind_for(found, entries, size, trusted) for size in {one > 1 for one in dimensions}}
    return kinds.pop() if len(kinds) == 1 else DecayKind.UNKNOWN


def _kind_for(
    found: type[Optimizer], entries: Mapping[str, Any], is_matrix: bool, trusted: bool
) -> DecayKind:
    try:
        with calling(found, found.__name__, trusted=trusted), suppress_output(), _seeded():
            return _compared(
                lambda: _DecayRun(found, entries, _SHAPES[is_matrix]), _SHAPES[is_matrix]
            )
    except Exception:  # noqa: BLE001 - a class that does not step is not known
        return DecayKind.UNKNOWN


@contextmanager
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        yield


class _DecayRun:
    """One optimizer of one parameter, whose weight is set anew before each step."""

    def __init__(
        self, found: type[Optimizer], entries: Mapping[str, Any], shape: Sequence[int]
    ) -> None:
        self._parameter = nn.Parameter(torch.ones(*shape, dtype=torch.float64))
        make: Any = found
        taken = signature(found).parameters
        entries = {**real_values(entries), "lr": _RATES[0][0], "weight_decay": _RATES[0][1]}
        plain = {name: value for name, value in _PLAIN.items() if name in taken}
        given = {name: value for name, value in entries.items() if name in taken} | plain
        rest = {name: value for name, value in entries.items() if name not in taken}
        torch.manual_seed(0)
        self._optimizer = make([{"params": [self._parameter], **rest}], **given)

    def step(self, weight: Tensor, gradient: Tensor, rate: float, decay: float) -> Tensor:
        """Return the weight after a step with these values."""
        for group in self._optimizer.param_groups:
            group["lr"], group["weight_decay"] = rate, decay
        with torch.no_grad():
            self._parameter.copy_(weight)
        self._parameter.grad = gradient.clone()
        torch.manual_seed(1)
        self._optimizer.step()
        return self._parameter.detach().clone()


def _compared(make: Callable[[], _DecayRun], shape: Sequence[int]) -> DecayKind:
    """Return the kind of decay by which all steps can be explained."""
    decayed, bare, shrunk, added = (make() for _ in range(4))
    left = {*_DECOUPLED, DecayKind.PROXIMAL, DecayKind.COUPLED}
    draws = torch.Generator().manual_seed(7)
    for number in range(3 * len(_RATES)):
        rate, decay = _RATES[number % len(_RATES)]
        scale = _SCALES[number % len(_SCALES)]
        weight = scale * torch.randn(*shape, generator=draws, dtype=torch.float64)
        gradient = _gradient(number, weight, draws)
        product = rate * decay
        after = decayed.step(weight, gradient, rate, decay)
        without = bare.step(weight, gradient, rate, 0.0)
        moved = {
            "before": shrunk.step((1 - product) * weight, gradient, rate, 0.0),
            "beside": without - product * weight,
            "after": (1 - product) * without,
            DecayKind.PROXIMAL: without / (1 + product),
            DecayKind.COUPLED: added.step(weight, gradient + decay * weight, rate, 0.0),
        }
        left -= {one for one in left if not _agree(moved[one], after)}
    kinds = {DecayKind.DECOUPLED if one in _DECOUPLED else DecayKind(one) for one in left}
    if kinds == {DecayKind.DECOUPLED, DecayKind.COUPLED}:
        return DecayKind.PLAIN_L2
    return kinds.pop() if len(kinds) == 1 else DecayKind.UNKNOWN


def _gradient(number: int, weight: Tensor, draws: torch.Generator) -> Tensor:
    """Return a random gradient, one that is orthogonal to the weight, or none at all, in turn."""
    gradient = torch.randn(*weight.shape, generator=draws, dtype=torch.float64)
    if number % 3 == 1:
        gradient -= (gradient * weight).sum() / weight.square().sum() * weight
    return gradient * (number % 3 != 2)


def _agree(one: Tensor, other: Tensor) -> bool:
    if not torch.isfinite(other).all():
        return False
    return float((one - other).abs().max()) <= _EXACT * (1 + float(other.abs().max()))
