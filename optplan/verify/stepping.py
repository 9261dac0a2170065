"""Single steps of optimizers of other people, with gradients that are given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from optplan.errors import described_exception
from optplan.runtime.stdio import stdout_to_stderr
from optplan.verify.devices import is_out_of_memory
from optplan.verify.tensors import Param, local

# The bend of the loss that a closure shows: an optimizer that searches a line needs one.
_BEND = 0.5


def failure_of(action: Callable[[], object]) -> str | None:
    """Return what someone's code raises; None where it raises nothing."""
    try:
        with stdout_to_stderr():
            action()
    except Exception as error:  # whatever an optimizer of any package may raise
        if is_out_of_memory(error):
            raise
        return described_exception(error)
    return None


def wants_closure(optimizer: Optimizer) -> bool:
    """Return whether a step cannot be made without a function that computes the loss again."""
    return class_wants_closure(type(optimizer))


def class_wants_closure(found: type[Optimizer]) -> bool:
    """Return whether a class's steps cannot be made without a function that computes the loss again."""
    return _closure_parameter(found.step) is inspect.Parameter.empty


def takes_closure(optimizer: Optimizer) -> bool:
    """Return whether a step can be given such a function."""
    return _closure_parameter(type(optimizer).step) in (None, inspect.Parameter.empty)


@cache
def _closure_parameter(step: Callable[..., Any]) -> Any:
    """Return the default of the first argument; False where a step takes none."""
    parameters = list(inspect.signature(step).parameters.values())[1:]
    if not parameters or parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return False
    return parameters[0].default


def set_train_mode(optimizer: Optimizer) -> None:
    """Switch an optimizer to training, where it has such a mode: schedule-free ones do."""
    if callable(train := getattr(optimizer, "train", None)):
        train()


class Closure:
    """The loss of given gradients, as a training script's function computes it: gradients are set anew.

    Args:
        parameters: What gets gradients.
        put: Sets them.
        bends: The loss is ``g·w + bend/2 w·w`` instead of ``g·w``, for optimizers that search a line.
    """

    def __init__(
        self, parameters: Iterable[Param], put: Callable[[], object], *, bends: bool
    ) -> None:
        self._parameters = tuple(parameters)
        self._put = put
        self._bends = bends
        self.calls = 0

    @torch.no_grad()
    def __call__(self) -> Tensor:
        """Return the loss, and leave its gradients in the parameters."""
        self.calls += 1
        self._put()
        total = torch.zeros((), dtype=torch.float64)
        for parameter in self._parameters:
            if not self._bends or parameter.grad is None or parameter.grad.is_sparse:
                continue
            value, slope = local(parameter), local(parameter.grad)
            total += (slope * value + _BEND / 2 * value * value).real.sum().to(total)
            slope.add_(value, alpha=_BEND)
        return total
