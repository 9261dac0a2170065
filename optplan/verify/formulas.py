"""Published update rules as a second oracle: torch's own, one tensor at a time, and those of papers."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim import Optimizer


class PaperRule(Optimizer):
    """An update rule of a paper.

    Args:
        params: The tensors, or their groups.
        options: Values other than those of ``OPTIONS``.

    Attributes:
        OPTIONS: What it takes, with the defaults.
    """

    OPTIONS: ClassVar[Mapping[str, Any]]

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, {**self.OPTIONS, **options})


class Lion(PaperRule):
    """Step by the sign of an interpolated momentum (Chen et al. 2023, arXiv:2302.06675, algorithm 2)."""

    OPTIONS = MappingProxyType(
        {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0, "maximize": False}
    )

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        """Take a step."""
        for group, parameter, gradient in _members(self):
            first, second = group["betas"]
            average = self.state[parameter].setdefault("exp_avg", torch.zeros_like(parameter))
            update = (first * average + (1 - first) * gradient).sign()
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.sub_(group["lr"] * update)
            average.mul_(second).add_((1 - second) * gradient)


class Lamb(PaperRule):
    """Scale Adam's step by the norm of the tensor (You et al. 2020, arXiv:1904.00962, algorithm 2).

    The gradients are divided by the norm of all of them first, where that is above ``max_grad_norm``, as
    the implementations of NVIDIA and timm have it; tensors without weight decay keep the step of Adam there.
    """

    OPTIONS = MappingProxyType(
        {
            "lr": 1e-3,
            "betas": (0.9, 0.999),
            "eps": 1e-6,
            "weight_decay": 0.01,
            "bias_correction": True,
            "grad_averaging": True,
            "max_grad_norm": 1.0,
            "trust_clip": False,
            "always_adapt": False,
        }
    )
    norm: float | None = None

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:  # noqa: ARG002
        """Take a step."""
        for group in self.param_groups:
            group["step"] = group.get("step", 0) + 1
        for group, parameter, gradient in _members(self):
            most = group["max_grad_norm"]
            bound = max(1.0, self.norm / most) if most and self.norm is not None else 1.0
            self._move(group, parameter, gradient / bound)

    def _move(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor) -> None:
        (first, second), step = group["betas"], group["step"]
        state = self.state[parameter]
        average = state.setdefault("exp_avg", torch.zeros_like(parameter))
        square = state.setdefault("exp_avg_sq", torch.zeros_like(parameter))
        average.mul_(first).add_((1 - first if group["grad_averaging"] else 1.0) * gradient)
        square.mul_(second).add_((1 - second) * gradient * gradient)
        unbiased, unbiased_square = average, square
        if group["bias_correction"]:
            unbiased = average / (1 - first**step)
            unbiased_square = square / (1 - second**step)
        update = unbiased / (unbiased_square.sqrt() + group["eps"])
        decay = group["weight_decay"]
        if decay:
            update = update + decay * parameter
        if decay or group["always_adapt"]:
            update = update * _trust(parameter, update, clips=group["trust_clip"])
        parameter.sub_(group["lr"] * update)


PAPERS: dict[str, type[PaperRule]] = {"Lion": Lion, "LAMB": Lamb}


def _trust(parameter: Tensor, update: Tensor, *, clips: bool) -> float:
    size, length = float(parameter.norm()), float(update.norm())
    ratio = size / length if size and length else 1.0
    return min(ratio, 1.0) if clips else ratio


def _members(optimizer: Optimizer) -> Any:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                sign = -1.0 if group.get("maximize") else 1.0
                yield group, parameter, sign * parameter.grad


# File and class of each rule in torch.optim.
_TORCH = {
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adamw",
    "NAdam": "nadam",
    "RAdam": "radam",
    "Adamax": "adamax",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "RMSprop": "rmsprop",
    "Rprop": "rprop",
    "ASGD": "asgd",
    "Adafactor": "_adafactor",
    "Muon": "_muon",
    "SparseAdam": "sparse_adam",
}
# Rules of torch that add weight decay to the gradient, and which others compute with a decay of its own.
_COUPLED = ("SGD", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop")
# The plainest way to compute: one tensor after the other, on any device.
_PLAIN = {"foreach": False, "fused": False, "capturable": False, "differentiable": False}
# Entries that say how a class computes or what a scheduler keeps, not what it computes.
_SILENT = frozenset(
    {*_PLAIN, "params", "param_names", "initial_lr", "step", "decoupled_weight_decay"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """An update rule that steps each tensor by itself.

    Args:
        name: The name of its class in torch, or in its paper.
        make: The class that computes it.
        reads_all: It reads the norm of all gradients of the optimizer.
        rounds: It computes in less than float64, so that another order of sums shows.
        is_decoupled: Weight decay shrinks the value before the step instead of being added to the gradient
            (Loshchilov and Hutter 2019, arXiv:1711.05101).
    """

    name: str
    make: type[Optimizer]
    reads_all: bool = False
    rounds: bool = False
    is_decoupled: bool = False

    @property
    def options(self) -> Mapping[str, Any]:
        """What it takes, with the defaults."""
        make: Any = self.make
        return _options(make)

    def optimizer(self, parameters: Iterable[Any], values: Mapping[str, Any]) -> Optimizer:
        """Return an optimizer that computes the rule.

        Args:
            parameters: What it steps.
            values: The entries of their group; what the rule does not know is left out.
        """
        known = {name: value for name, value in values.items() if name in self.options}
        plain = {name: value for name, value in _PLAIN.items() if name in self.options}
        if self.is_decoupled:
            plain["weight_decay"] = False
        make: Any = self.make
        made: Optimizer = make(list(parameters), **{**known, **plain})
        return made

    def unknown_options(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of options that are switched on and which the rule does not know."""
        return tuple(
            name
            for name, value in values.items()
            if name not in self.options
            and name not in _SILENT
            and _is_on(value)
            and not _is_copy_of_lr(value, values)
        )


def _is_copy_of_lr(value: Any, values: Mapping[str, Any]) -> bool:
    return isinstance(value, float) and value == values.get("lr")


def _is_on(value: Any) -> bool:
    try:
        return bool(value)
    except (RuntimeError, ValueError):  # a tensor or an array of several values
        return True


@cache
def _options(make: Callable[..., Optimizer]) -> Mapping[str, Any]:
    if isinstance(make, type) and issubclass(make, PaperRule):
        return make.OPTIONS
    parameters = list(inspect.signature(make).parameters.values())[1:]
    return {one.name: one.default for one in parameters}


@cache
def formulas() -> Mapping[str, Formula]:
    """Return every rule by its name."""
    found = {
        name: Formula(name=name, make=made, rounds=name == "Muon")
        for name, file in _TORCH.items()
        if (made := _pristine(file, name)) is not None
    }
    decoupled = {
        f"{name} with decoupled decay": replace(
            one, name=f"{name} with decoupled decay", is_decoupled=True
        )
        for name, one in found.items()
        if name in _COUPLED
    }
    papers = {
        name: Formula(name=name, make=make, reads_all=name == "LAMB")
        for name, make in PAPERS.items()
    }
    return found | decoupled | papers


def _pristine(file: str, name: str) -> type[Optimizer] | None:
    """Return one of torch's optimizers from its file, whatever the user's code has changed in torch since."""
    spec = importlib.util.find_spec(f"torch.optim.{file}")
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    return found if isinstance(found, type) else None


def declared_formula(optimizer: Optimizer) -> Formula | None:
    """Return the rule that an optimizer's class is, or is derived from."""
    for base in type(optimizer).__mro__:
        if base.__module__.startswith("torch.optim.") and base.__name__ in _TORCH:
            return formulas().get(base.__name__)
    return None


def candidates(class_name: str) -> list[Formula]:
    """Return the rules that a class of this name may follow, those of a like name first."""
    word = class_name.lower()
    return sorted(formulas().values(), key=lambda one: one.name.split()[0].lower() not in word)
