"""The schedulers that a function attaches to its optimizers or returns beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from optplan.config import FunctionConfig, find_namespace
from optplan.constructors.beside import beside, hooks_of
from optplan.constructors.functions import FunctionRun
from optplan.constructors.lookup import naming
from optplan.constructors.returned import Returned, ReturnedScheduler, read_return
from optplan.model.untouched import untouched

# Classes that do not call the constructor of torch's base class.
_ROOTS = (
    LRScheduler,
    lr_scheduler.ReduceLROnPlateau,
    lr_scheduler.SequentialLR,
    lr_scheduler.ChainedScheduler,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A scheduler that can be stepped.

    Args:
        said: The scheduler, and how often the training steps it as far as the function says.
        optimizer: The index of its optimizer.
        is_timms: It is stepped as timm's are, with the number of the epoch or the update.
    """

    said: ReturnedScheduler
    optimizer: int
    is_timms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """What one run of a function gave.

    Args:
        optimizers: Its optimizers.
        schedulers: Those that can be stepped; none that another one steps.
        unread: What may move the lr besides, each in words.
        beside: What else acts on the training, by name.
        code: What the function itself is.
        wrappers: The classes of what steps the optimizers from around them.
    """

    optimizers: tuple[Optimizer, ...]
    schedulers: tuple[Attached, ...]
    unread: tuple[str, ...]
    beside: Mapping[str, Any] = field(default_factory=dict)
    code: Any = None
    wrappers: tuple[str, ...] = ()


def attachments_of(
    config: FunctionConfig, model: nn.Module, world_size: int | None = None
) -> Attachments:
    """Run a function on a model, which is left as it is, and return the schedulers that it made.

    Args:
        config: The function.
        model: The model.
        world_size: The number of processes; None where it is not known.

    Raises:
        PlanError: The function raises, or makes no optimizer.
    """
    run = FunctionRun(config, world_size=world_size)
    with naming(find_namespace(config)):
        found = attached_to(lambda: run.returned(model), model)
    return replace(found, code=(config.function, config.arguments))


def attached_to(make: Callable[[], Returned], model: nn.Module) -> Attachments:
    """Run code that makes optimizers of a model, and return the schedulers that it makes with them.

    Args:
        make: The code.
        model: The model, which is left as it is.
    """
    before = hooks_of(model)
    with untouched(model), _schedulers_made() as made:
        returned = make()
        return replace(
            _attachments(returned, made),
            beside=_together(beside(returned, model, before)),
            wrappers=tuple(type(one).__qualname__ for one in returned.wrappers),
        )


def _together(parts: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for name, part in parts:
        found.setdefault(name, []).append(part)
    return found


def _attachments(returned: Returned, made: Sequence[Any]) -> Attachments:
    optimizers = tuple(one for _, one in returned.optimizers)
    places = {id(one): place for place, one in enumerate(optimizers)}
    said = {id(one.scheduler): one for one in returned.schedulers}
    inner = {id(child) for one in (*made, *_schedulers(said)) for child in _children(one)}
    found: list[Attached] = []
    unread: list[str] = []
    for one in {**{id(s): ReturnedScheduler(scheduler=s) for s in made}, **said}.values():
        place = places.get(_optimizer_id(one.scheduler))
        is_timms = _is_timms(one.scheduler)
        if id(one.scheduler) in inner or (place is None and id(one.scheduler) not in said):
            continue
        name = type(one.scheduler).__name__
        if place is None:
            unread.append(f"{name}, which is returned and belongs to none of the optimizers")
        elif is_timms or isinstance(one.scheduler, LRScheduler):
            found.append(Attached(said=one, optimizer=place, is_timms=is_timms))
        else:
            unread.append(f"{name}, which is no scheduler of torch's or timm's")
    unread += _unseen(optimizers, {one.optimizer for one in found})
    return Attachments(optimizers=optimizers, schedulers=tuple(found), unread=tuple(unread))


def _schedulers(said: dict[int, ReturnedScheduler]) -> list[Any]:
    return [one.scheduler for one in said.values()]


def _unseen(optimizers: Sequence[Optimizer], known: set[int]) -> Iterator[str]:
    for place, optimizer in enumerate(optimizers):
        if place not in known and any("initial_lr" in group for group in optimizer.param_groups):
            yield f"what has set initial_lr in the groups of {type(optimizer).__name__}"


def _children(scheduler: Any) -> Iterator[Any]:
    """Yield what a scheduler holds that may be schedulers which it steps itself."""
    for value in getattr(scheduler, "__dict__", {}).values():
        yield from value if isinstance(value, list | tuple) else (value,)


def _optimizer_id(scheduler: Any) -> int:
    """Return the ``id`` of the optimizer that a scheduler moves, without its wrappers."""
    found = read_return(getattr(scheduler, "optimizer", None)).optimizers
    return id(found[0][1]) if found else 0


def _is_timms(scheduler: Any) -> bool:
    root = getattr(sys.modules.get("timm.scheduler.scheduler"), "Scheduler", None)
    return root is not None and isinstance(scheduler, root)


@contextmanager
def _schedulers_made() -> Iterator[list[Any]]:
    """Note each of torch's schedulers that is made meanwhile, also such as nothing returns."""
    made: list[Any] = []
    real = {root: root.__init__ for root in _ROOTS}

    def noting(init: Any) -> Any:
        def noted(self: Any, *arguments: Any, **named: Any) -> None:
            if not any(self is one for one in made):
                made.append(self)
            init(self, *arguments, **named)

        return noted

    for root, init in real.items():
        root.__init__ = noting(init)  # type: ignore[method-assign]
    try:
        yield made
    finally:
        for root, init in real.items():
            root.__init__ = init  # type: ignore[method-assign]
