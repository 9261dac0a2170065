"""What acts on a training besides options and schedulers, as data by which two functions are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from types import FunctionType, MethodType
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from optplan.constructors.returned_optimizers import Returned
from optplan.plan import plain

_DEPTH = 4
# What schedulers and wrappers keep besides their arguments, or repeat of the groups.
_NOT_ARGUMENTS = frozenset(
    {"optimizer", "base_lrs", "base_values", "last_epoch", "verbose", "param_groups", "defaults"}
)
# How many items of a list or a dict are compared.
_MOST = 1000
# How the steps of an optimizer are called: what its class and its attributes are.
STEPS = "the steps"
_LIVE = frozenset({"step", "state", "param_groups"})
_COUNTERS = ("_step_count", "_last_lr", "_get_lr")
_MODULE_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
_TENSOR_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")
_STEP_HOOKS = {
    "_optimizer_step_pre_hooks": "hooks before a step",
    "_optimizer_step_post_hooks": "hooks after a step",
}

Hooks = list[tuple[str, Any]]


def beside(returned: Returned, model: nn.Module, before: Hooks) -> Iterator[tuple[str, Any]]:
    """Yield what acts on a training and is not read: its name, and what it is.

    Args:
        returned: What the function returned.
        model: The model, as the function has left it.
        before: The hooks that the model had already.
    """
    for name, value in returned.others:
        if value is not model:
            yield f"{name}, which is returned", _with_attributes(value)
    for one in returned.wrappers:
        yield f"the wrapper {type(one).__qualname__}", _with_attributes(one)
    for _, optimizer in returned.optimizers:
        yield from _of_optimizer(optimizer)
    known = {id(hook) for _, hook in before}
    added = [(owner, described(hook)) for owner, hook in hooks_of(model) if id(hook) not in known]
    if added:
        yield "hooks on the model", added


def _of_optimizer(optimizer: Optimizer) -> Iterator[tuple[str, Any]]:
    name, kept = type(optimizer).__qualname__, vars(optimizer)
    for attribute, words in _STEP_HOOKS.items():
        if hooks := kept.get(attribute):
            yield f"{words} of {name}", described(list(hooks.values()))
    step = kept.get("step")
    step = getattr(step, "__wrapped__", step)  # torch's schedulers wrap it to count steps
    if step is not None and getattr(step, "__func__", step) is not type(optimizer).step:
        yield f"the own step of this {name}", described(step)
    if any(written := _with_attributes(optimizer)):
        yield f"{STEPS} of {name}", written


def _with_attributes(value: Any) -> tuple[Any, ...]:
    """Return what an object is, what it keeps, and the code of its class where that is not torch's."""
    kept = getattr(value, "__dict__", None)
    if kept is None or isinstance(value, type | FunctionType):
        return (described(value),)
    own = {name: one for name, one in kept.items() if name[0] != "_" and name not in _LIVE}
    classes = [one for one in type(value).__mro__[:-1] if not one.__module__.startswith("torch.")]
    codes = {f"{one.__qualname__}.{n}": v for one in classes for n, v in vars(one).items()}
    return state_of(own), {n: described(v) for n, v in codes.items() if callable(v)}


def hooks_of(model: nn.Module) -> Hooks:
    """Return the hooks of modules and parameters with the names of what has them."""
    found: Hooks = []
    for owners, kinds in (
        (nn.Module.named_modules(model), _MODULE_HOOKS),
        (nn.Module.named_parameters(model), _TENSOR_HOOKS),
    ):
        for name, owner in owners:
            lists = [getattr(owner, kind, None) or {} for kind in kinds]
            found += [(name or "the model", hook) for one in lists for hook in one.values()]
    return found


def state_of(kept: Mapping[str, Any], depth: int = _DEPTH) -> dict[str, Any]:
    """Return attributes of an object as plain data, in which equal code is equal."""
    return {
        name: described(item, depth)
        for name, item in kept.items()
        if name not in _NOT_ARGUMENTS and not name.startswith(_COUNTERS)
    }


def described(value: Any, depth: int = _DEPTH) -> Any:
    """Return a value as plain data, in which equal code is equal; what is too deep is its class's name."""
    if isinstance(value, MethodType | staticmethod | classmethod):
        value = value.__func__
    if isinstance(value, partial):
        return described([value.func, value.args, value.keywords], depth)
    if isinstance(value, list | tuple):
        items = [described(item, depth - 1) for item in value[:_MOST]] if depth >= 0 else []
        return (*items, *([f"{len(value)} items"] if len(value) > _MOST else []))
    if isinstance(value, FunctionType):
        cells = [_content(cell) for cell in value.__closure__ or ()]
        own = described([value.__defaults__, value.__kwdefaults__], depth - 1)
        closure = described(cells, depth - 1)
        return {"code": _code_text(value.__code__), "closure": closure, "defaults": own}
    if isinstance(value, dict):
        entries = islice(value.items(), _MOST if depth >= 0 else 0)
        return {str(key): described(item, depth - 1) for key, item in entries}
    if isinstance(value, set | frozenset):
        return tuple(sorted(repr(described(item, depth - 1)) for item in value))
    if value is None or isinstance(value, bool | int | float | str):
        return plain(value)
    is_part = isinstance(value, Tensor | nn.Module | Optimizer | type)
    if depth > 0 and hasattr(value, "__dict__") and not is_part:
        return {"class": type(value).__qualname__, **state_of(vars(value), depth - 1)}
    return getattr(value, "__qualname__", type(value).__qualname__)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing is in it yet
        return None


def _code_text(code: Any) -> str:
    consts = [_code_text(c) if hasattr(c, "co_code") else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {consts} {code.co_names}"
