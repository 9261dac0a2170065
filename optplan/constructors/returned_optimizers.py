"""Take apart what code returns: the optimizers in it, and the schedulers beside them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from optplan.errors import PlanError
from optplan.places import Place

NamedOptimizers = list[tuple[str | None, Optimizer]]

# The keys of the dict that Lightning's configure_optimizers may return.
_LIGHTNING = frozenset({"optimizer", "lr_scheduler", "monitor", "frequency", "interval"})
# What schedulers of any package have, and wrappers of optimizers have not.
_SCHEDULER_SIGNS = ("get_last_lr", "get_lr", "step_update", "get_last_value", "base_lrs")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedScheduler:
    """A scheduler with what is said of its steps.

    Args:
        scheduler: The object.
        interval: ``step`` or ``epoch``; None where nothing says it.
        frequency: It is stepped once in so many intervals.
    """

    scheduler: Any
    interval: str | None = None
    frequency: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What code returned.

    Args:
        optimizers: Each once, by its name where it has one, without wrappers.
        schedulers: In their order.
        wrappers: The objects around the optimizers that have a step of their own.
        others: What else was returned beside an optimizer, by its name or that of its class.
    """

    optimizers: NamedOptimizers
    schedulers: tuple[ReturnedScheduler, ...]
    wrappers: tuple[Any, ...] = ()
    others: tuple[tuple[str, Any], ...] = ()


def read_return(made: object) -> Returned:
    """Take apart what code returned: every form of Lightning's ``configure_optimizers`` among others."""
    optimizers: dict[int, tuple[str | None, Optimizer]] = {}
    schedulers: dict[int, ReturnedScheduler] = {}
    wrappers: list[Any] = []
    others: list[tuple[str, Any]] = []
    for name, part in _parts(made, None, {}):
        if isinstance(part, ReturnedScheduler):
            schedulers.setdefault(id(part.scheduler), part)
        elif (optimizer := _unwrapped(part)) is not None:
            optimizers.setdefault(id(optimizer), (name, optimizer))
            around = takewhile(lambda one: one is not optimizer, _wrapped(part))
            wrappers += [one for one in around if callable(getattr(one, "step", None))]
        elif part is not None:
            others.append((name or type(part).__qualname__, part))
    return Returned(
        optimizers=list(optimizers.values()),
        schedulers=tuple(schedulers.values()),
        wrappers=tuple(wrappers),
        others=tuple(others),
    )


def optimizers_of(made: object, who: str, place: Place | None) -> NamedOptimizers:
    """Return the optimizers in what was made: one, one in a wrapper, or several.

    Raises:
        PlanError: There are none in it.
    """
    found = read_return(made)
    if found.optimizers:
        return found.optimizers
    raise PlanError(
        f"{who} made no optimizer but {described(made)}",
        place=place,
        hint="it must return an optimizer, an object with an attribute 'optimizer', or several by name",
    )


def described(made: object) -> str:
    """Return what a value is, in words."""
    if made is None:
        return "nothing"
    if isinstance(made, list | tuple | Mapping) and not made:
        return f"an empty {type(made).__name__}"
    if is_scheduler(made):
        return f"a scheduler alone ({type(made).__name__})"
    if isinstance(made, Awaitable | AsyncIterable):
        return f"a {type(made).__name__}, which makes nothing until it is awaited"
    if isinstance(made, Optimizer):
        return f"an optimizer ({type(made).__name__}) that is damaged: its param_groups or defaults are not torch's"
    return f"a value of type {type(made).__name__}"


def is_scheduler(value: object) -> bool:
    """Return whether a value is a scheduler, of torch's or another package."""
    if isinstance(value, LRScheduler):
        return True
    if isinstance(value, type) or not callable(getattr(value, "step", None)):
        return False
    return not hasattr(value, "param_groups") and any(
        hasattr(value, sign) for sign in _SCHEDULER_SIGNS
    )


# Some objects answer whatever they are asked for, so that wrappers may never end.
_MOST_WRAPPERS = 16

# A scheduler, an optimizer with its wrappers, or anything else.
_Part = tuple[str | None, Any]


def _parts(made: object, name: str | None, seen: dict[int, object]) -> Iterator[_Part]:
    """Yield what is in a value; ``seen`` keeps each object that was looked into, since one may hold itself."""
    if made is None or isinstance(made, str | bytes | type | int | float):
        yield name, made
        return
    if id(made) in seen:
        return
    seen[id(made)] = made
    if isinstance(made, Mapping):
        yield from _parts_of_mapping(made, name, seen)
    elif isinstance(made, list | tuple):
        for part in made:
            yield from _parts(part, name, seen)
    elif is_scheduler(made):
        yield name, _scheduler(made)
    else:
        yield from _parts_of_object(made, name, seen)


def _parts_of_mapping(
    made: Mapping[Any, object], name: str | None, seen: dict[int, object]
) -> Iterator[_Part]:
    if "params" in made:
        return  # a param group
    if "scheduler" in made and _unwrapped(made["scheduler"]) is None:
        if made["scheduler"] is not None:
            yield name, _scheduler(made["scheduler"], made)
    elif "optimizer" in made and made.keys() <= _LIGHTNING:
        yield from _parts(made["optimizer"], name, seen)
        yield from _parts(made.get("lr_scheduler"), name, seen)
        yield "frequency", made.get("frequency")
    else:
        for key, part in made.items():
            yield from _parts(part, str(key), seen)


def _scheduler(found: Any, said: Mapping[Any, Any] | None = None) -> ReturnedScheduler:
    inner = getattr(found, "scheduler", None)  # Accelerate wraps one
    said = said or {}
    frequency, interval = said.get("frequency", 1), said.get("interval")
    return ReturnedScheduler(
        scheduler=inner if is_scheduler(inner) else found,
        interval=interval if isinstance(interval, str) else None,
        frequency=frequency if isinstance(frequency, int) and frequency > 0 else 1,
    )


def _parts_of_object(made: Any, name: str | None, seen: dict[int, object]) -> Iterator[_Part]:
    several = getattr(made, "optimizers", None)
    if isinstance(several, list | tuple) and several and all(map(_unwrapped, several)):
        yield from _parts(several, name, seen)  # torchtitan's container is an optimizer itself
    elif isinstance(several := getattr(made, "optim_wrappers", None), Mapping):
        yield from _parts(several, name, seen)
    else:
        yield name, made


def _unwrapped(made: Any) -> Optimizer | None:
    """Return the optimizer that an object is or wraps; None for any other object.

    Accelerate's and Lightning's wrappers are optimizers themselves and share the defaults of the inner
    one. A class that has defaults of its own steps in its own way, and counts as what it is.
    """
    for one in _wrapped(made):
        if is_scheduler(one):
            return None
        inner = getattr(one, "optimizer", None)
        is_own = isinstance(one, Optimizer) and (
            inner is None or getattr(one, "defaults", None) is not getattr(inner, "defaults", None)
        )
        if is_own:
            return one if _has_groups(one) else None
    return None


def _wrapped(made: Any) -> Iterator[Any]:
    """Yield an object, and what it and each that it wraps has as its optimizer."""
    for _ in range(_MOST_WRAPPERS):
        if made is None:
            return
        yield made
        made = getattr(made, "optimizer", None)


def _has_groups(optimizer: Optimizer) -> bool:
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(getattr(optimizer, "defaults", {}), Mapping):
        return False
    return isinstance(groups, list) and all(
        isinstance(group, dict) and isinstance(group.get("params"), list | tuple)
        for group in groups
    )


# Where DeepSpeed keeps the model's own parameters, whose flat copies its optimizer steps.
_MODEL_GROUPS = ("bit16_groups", "bf16_groups", "fp16_groups")


def model_groups(made: object) -> dict[int, Sequence[Sequence[Any]]]:
    """Return the model's own parameters of each group, by the ``id`` of the optimizer that steps copies."""
    found: dict[int, Sequence[Sequence[Any]]] = {}
    for one in _wrapped(made):
        lists = next(
            (own for name in _MODEL_GROUPS if _are_groups(own := getattr(one, name, None))), None
        )
        if lists is not None and (optimizer := _unwrapped(one)) is not None:
            found[id(optimizer)] = lists
    return found


def _are_groups(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, list | tuple) for one in value)
