"""Steps with given gradients, also of optimizers that want a closure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from optplan.verify.tensors import Param, local, put_gradient

# (name of a parameter, number of the step) -> its whole gradient
Gradients = Callable[[str, int], Tensor | None]

# The bend of the loss that a closure shows: an optimizer that searches a line needs one.
_BEND = 0.5


def take_steps(
    optimizers: Iterable[Optimizer],
    parameters: Iterable[tuple[str, Param]],
    gradients: Gradients,
    steps: int,
) -> None:
    """Step optimizers with gradients that are given, not computed.

    Args:
        optimizers: What is stepped, one after the other.
        parameters: What gets gradients, under the names that ``gradients`` knows.
        gradients: The gradients; None for a parameter without one.
        steps: How many.
    """
    given = list(parameters)
    stepped = list(optimizers)
    for step in range(steps):
        for name, parameter in given:
            put_gradient(parameter, gradients(name, step))
        for optimizer in stepped:
            if wants_closure(optimizer):
                optimizer.step(_closure(given, gradients, step))  # type: ignore[arg-type]
            else:
                optimizer.step()
    for _, parameter in given:
        parameter.grad = None


def wants_closure(optimizer: Optimizer) -> bool:
    """Whether a step cannot be made without a function that computes the loss again."""
    return _takes_closure(type(optimizer).step)


@cache
def _takes_closure(step: Callable[..., Any]) -> bool:
    parameters = list(inspect.signature(step).parameters.values())[1:]
    return (
        bool(parameters)
        and parameters[0].default is inspect.Parameter.empty
        and (parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL)
    )


def _closure(
    parameters: list[tuple[str, Param]], gradients: Gradients, step: int
) -> Callable[[], Tensor]:
    """The loss ``g·w + bend/2 w·w``, whose gradient at 0 is the given one."""

    @torch.no_grad()
    def loss() -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for name, parameter in parameters:
            put_gradient(parameter, gradients(name, step))
            if parameter.grad is None:
                continue
            value, slope = local(parameter), local(parameter.grad)
            total += (slope * value + _BEND / 2 * value * value).sum().to(total)
            slope.add_(value, alpha=_BEND)
        return total

    return loss
