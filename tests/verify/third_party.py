"""Optimizers of torch and of other packages, each made as its package documents it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class Net(nn.Module):
    """Matrices and flat tensors, in two groups."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.second = nn.Linear(8, 8)
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, 4)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.head(self.norm(self.second(self.first(values))))
        return out


class Sparse(nn.Module):
    """Embeddings whose gradients are sparse."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 8, sparse=True)
        self.places = nn.Embedding(7, 8, sparse=True)

    def forward(self, words: Tensor) -> Tensor:
        out: Tensor = self.words(words) + self.places(words)
        return out


class Matrices(nn.Module):
    """For optimizers of matrices alone."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8, bias=False)
        self.second = nn.Linear(8, 8, bias=False)
        self.head = nn.Linear(8, 4, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.head(self.second(self.first(values)))
        return out


_PACKAGES = {
    "torch": "torch.optim",
    "pytorch_optimizer": "pytorch_optimizer",
    "schedulefree": "schedulefree",
    "prodigyopt": "prodigyopt",
    "dadaptation": "dadaptation",
    "lion_pytorch": "lion_pytorch",
    "came_pytorch": "came_pytorch",
    "torchao": "torchao.optim",
    "bitsandbytes": "bitsandbytes.optim",
}
# lion_pytorch, bitsandbytes and torchao are in the extra third-party alone
PACKAGES = {name: home for name, home in _PACKAGES.items() if find_spec(name) is not None}
ON_MATRICES = frozenset({"torch.Muon", "pytorch_optimizer.SpectralSphere"})
# what does not run on the CPU, or not by a step of its own
LEFT_OUT = {
    "bnb": "timm makes it with CUDA only",
    "fused": "apex is for CUDA only",
    "Optimizer": "the base class",
    "CPUOffloadOptimizer": "for CUDA only",
    "DeMo": "needs a process group",
    "DistributedMuon": "needs a process group",
    "BSAM": "raises for several tensors",
    "SafeFP16Optimizer": "a base class",
    "LOMO": "steps within the backward pass only",
    "AdaLOMO": "steps within the backward pass only",
    "ScheduleFreeWrapper": "no torch.optim.Optimizer",
    "ScheduleFreeWrapperReference": "no torch.optim.Optimizer",
    "GSAM": "needs a scheduler of its own",
    "AdEMAMix32bit": "raises on the CPU for flat tensors",
    "PagedAdEMAMix32bit": "raises on the CPU for flat tensors",
}


def names(package: str) -> list[str]:
    """Return the names of a package's optimizers."""
    if package == "timm":
        import timm.optim

        found: list[str] = timm.optim.list_optimizers()
        return found
    return sorted(
        name
        for name, value in vars(import_module(PACKAGES[package])).items()
        if isinstance(value, type) and {"step", "zero_grad"} <= set(dir(value)) and name[0] != "_"
    )


def maker(package: str, name: str) -> Callable[..., Optimizer]:
    """Return what makes an optimizer: a class, or a class with arguments."""
    if package == "timm":
        import timm.optim

        return timm.optim.get_optimizer_class(name)  # type: ignore[no-any-return]
    found: Callable[..., Optimizer] = getattr(import_module(PACKAGES[package]), name)
    return found


def everything() -> Iterator[str]:
    """Yield all optimizers as ``package.name``."""
    for package in ("timm", *PACKAGES):
        yield from (f"{package}.{name}" for name in names(package))


def left_out(optimizer: str) -> str | None:
    """Return why an optimizer cannot be stepped on the CPU; None where it can."""
    package, _, name = optimizer.partition(".")
    prefix = "bnb" if name.startswith("bnb") else "fused" if name.startswith("fused") else ""
    return LEFT_OUT.get(prefix if package == "timm" and prefix else name)


def model_of(optimizer: str) -> type[nn.Module]:
    """Return the model for an optimizer."""
    if optimizer == "torch.SparseAdam":
        return Sparse
    return Matrices if optimizer in ON_MATRICES else Net


def build(model: nn.Module, package: str, name: str) -> Optimizer:
    """Make an optimizer: two groups where it has a decay, and its own defaults."""
    make = maker(package, name)
    takes = inspect.signature(make).parameters
    arguments = {
        given: value for given, value in GIVEN.items() if given in takes and lacks(takes[given])
    }
    made: Optimizer = make(*params_of(model, takes), **arguments)
    if hasattr(made, "train"):
        made.train()
    return made


# what has no default, or one with which an optimizer refuses to step
GIVEN: dict[str, Any] = {
    "lr": 0.01,
    "momentum": 0.9,
    "num_data": 100,
    "num_iterations": 100,
    "base_optimizer": torch.optim.AdamW,
}


def lacks(parameter: inspect.Parameter) -> bool:
    """Return whether an argument has no default, or one that says nothing."""
    default = parameter.default
    return not isinstance(default, int | float) or default == 0


def params_of(model: nn.Module, takes: Mapping[str, inspect.Parameter]) -> tuple[Any, ...]:
    """Return what an optimizer is made of: groups, tensors, a model, or another optimizer."""
    first = next(iter(takes))
    if first == "model":
        return (model, list(model.parameters())) if "params" in takes else (model,)
    if first in ("optimizer", "base"):
        return (torch.optim.SGD(groups(model, {}), lr=0.01),)
    if "weight_decay" not in takes:
        return (list(model.parameters()),)
    marks: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    if "use_adjusted_lr" in takes:
        marks = ({"use_muon": True}, {"use_muon": False})
    elif "lr" in takes and not takes.keys() & ONE_LR:
        rate = GIVEN["lr"] if lacks(takes["lr"]) else takes["lr"].default
        marks = ({"lr": rate / 2}, {})
    return (groups(model, *marks),)


# what only an optimizer takes that finds its own lr, the same for all groups
ONE_LR = frozenset({"d0", "d_coef"})


def groups(
    model: nn.Module, matrix: Mapping[str, Any], flat: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return a group of matrices, which are decayed, and one of flat tensors, which are not."""
    parameters = list(model.parameters())
    found = [
        {"params": [one for one in parameters if one.ndim > 1], "weight_decay": 0.1, **matrix},
        {
            "params": [one for one in parameters if one.ndim < 2],
            "weight_decay": 0.0,
            **(flat or {}),
        },
    ]
    return [group for group in found if group["params"]]
