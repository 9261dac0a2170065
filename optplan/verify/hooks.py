"""Hooks that the user's code left on optimizers, modules and tensors."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as modules
from torch.optim import optimizer as optimizers

from optplan.verify.results import Mismatch
from optplan.verify.stepping import failure_of
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.tensors import local

_ON_MODULES = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_pre_hooks",
    "_backward_hooks",
)
_ON_TENSORS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_ON_OPTIMIZERS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)
_GLOBAL_MODULES = (
    "_global_forward_pre_hooks",
    "_global_forward_hooks",
    "_global_backward_pre_hooks",
    "_global_backward_hooks",
)
_GLOBAL_OPTIMIZERS = ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A function that torch calls.

    Args:
        kind: ``forward pre``, ``gradient``, ``optimizer step pre``, ...
        function: Its name, with file and line.
        owner: The module's or parameter's name; '' for an optimizer and for what is global.
    """

    kind: str
    function: str
    owner: str = ""

    def __str__(self) -> str:
        where = f" on {self.owner}" if self.owner else ""
        return f"{self.kind} hook {self.function}{where}"


def hooks_of(subject: ModelUnderTest) -> tuple[Hook, ...]:
    """Return all hooks that are not torch's own."""
    return (
        *_of_optimizers(subject),
        *(hook for name, module in subject.module.named_modules() for hook in _of(module, name)),
        *(hook for held in subject.held for hook in tensor_hooks(held)),
        *_named(modules, _GLOBAL_MODULES, "of every module"),
        *_named(optimizers, _GLOBAL_OPTIMIZERS, "of every optimizer"),
    )


def tensor_hooks(held: PlannedTensor) -> tuple[Hook, ...]:
    """Return the hooks on a parameter."""
    return tuple(_named(held.tensor, _ON_TENSORS, held.name))


@torch.enable_grad()
def gradient_hooks(subject: ModelUnderTest) -> Iterator[Mismatch]:
    """Yield what hooks on parameters do: a backward that should give 1 everywhere is done for each of these."""
    for held in subject.stepped:
        hooks = tensor_hooks(held)
        if not hooks or not held.tensor.requires_grad:
            continue
        before = local(held.tensor.detach()).clone()
        seen: list[torch.Tensor | None] = []
        failure = failure_of(partial(_add_gradient_of_sum, held, seen))
        if failure is not None:
            built = f"a hook raises {failure}"
        elif not torch.equal(local(held.tensor.detach()), before):
            built = "moved during the backward"
        elif (one := seen[0]) is None or not bool((local(one) == 1).all()):
            built = "changed"
        else:
            continue
        with torch.no_grad():
            local(held.tensor).copy_(before)
        yield Mismatch(
            what="gradient",
            planned="as the backward computes it",
            built=f"{built}, by the {', '.join(map(str, hooks))}",
            parameters=(held.name,),
        )


def _add_gradient_of_sum(held: PlannedTensor, seen: list[torch.Tensor | None]) -> None:
    held.tensor.grad = None
    held.tensor.sum().backward()  # type: ignore[no-untyped-call]
    seen.append(held.tensor.grad)
    held.tensor.grad = None


def _of(module: nn.Module, name: str) -> Iterator[Hook]:
    yield from _named(module, _ON_MODULES, name or "the model")


def _of_optimizers(subject: ModelUnderTest) -> Iterator[Hook]:
    for named in subject.optimizers:
        yield from _named(named.optimizer, _ON_OPTIMIZERS, "")
        own = vars(named.optimizer).get("step")
        if own is not None and not hasattr(own, "_wrapped_by_lr_sched"):
            yield Hook(kind="replaced step", function=_place(own))


def _named(owner: Any, attributes: tuple[str, ...], name: str) -> Iterator[Hook]:
    for attribute in attributes:
        kind = "gradient" if attribute in _ON_TENSORS and isinstance(owner, torch.Tensor) else ""
        for function in (getattr(owner, attribute, None) or {}).values():
            if not _is_torchs(function):
                yield Hook(kind=kind or _kind(attribute), function=_place(function), owner=name)


def _kind(attribute: str) -> str:
    """Return ``optimizer step post`` for ``_optimizer_step_post_hooks``."""
    words = attribute.strip("_").removeprefix("global_").removesuffix("_hooks")
    return words.replace("_", " ")


def _is_torchs(function: Any) -> bool:
    home = getattr(_bare(function), "__module__", None) or ""
    return home == "torch" or home.startswith("torch.")


def _bare(function: Any) -> Any:
    """Return the function inside a partial or a wrapper; the class of an object that is called."""
    while hasattr(function, "func") or hasattr(function, "__wrapped__"):
        function = getattr(function, "func", None) or function.__wrapped__
    return function if hasattr(function, "__qualname__") else type(function)


def _place(function: Any) -> str:
    bare = _bare(function)
    name = getattr(bare, "__qualname__", "?")
    code = getattr(inspect.unwrap(bare), "__code__", None)
    return name if code is None else f"{name} ({Path(code.co_filename).name}:{code.co_firstlineno})"


@contextmanager
def without_global_hooks() -> Iterator[None]:
    """Take the hooks of every optimizer of the process away meanwhile."""
    kept = [
        (found, dict(found)) for name in _GLOBAL_OPTIMIZERS if (found := getattr(optimizers, name))
    ]
    for found, _ in kept:
        found.clear()
    try:
        yield
    finally:
        for found, before in kept:
            found.update(before)


def strip(optimizer: torch.optim.Optimizer) -> None:
    """Take the hooks of an optimizer away, and a step that was put over that of its class."""
    for attribute in _ON_OPTIMIZERS:
        getattr(optimizer, attribute, {}).clear()
    vars(optimizer).pop("step", None)
