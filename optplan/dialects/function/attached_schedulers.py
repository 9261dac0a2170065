"""The schedulers that a function attaches to its optimizers or returns beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from optplan.config import find_namespace
from optplan.constructors.lookup import naming
from optplan.constructors.returned_optimizers import Returned, ReturnedScheduler, read_return
from optplan.constructors.training_extras import beside, described, hooks_of
from optplan.dialects.attachments import Attached, Attachments
from optplan.dialects.function.lightning_module import PACKAGES, is_lightning_class
from optplan.dialects.function.load import FunctionConfig
from optplan.dialects.function.run import FunctionRun
from optplan.model.restore_model import restored_model

# Classes that do not call the constructor of torch's base class.
_ROOTS = (
    LRScheduler,
    lr_scheduler.ReduceLROnPlateau,
    lr_scheduler.SequentialLR,
    lr_scheduler.ChainedScheduler,
)

# The methods that step optimizers and schedulers, which a module may override.
_STEPPING = ("optimizer_step", "lr_scheduler_step")


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
    before = hooks_of(model)
    with naming(find_namespace(config)), restored_model(model), _schedulers_made() as made:
        returned = run.returned(model)
        return replace(
            _attachments(returned, made),
            beside=_together((*beside(returned, model, before), *_own_steps(model))),
            code=(config.function, config.arguments),
            wrappers=tuple(type(one).__qualname__ for one in returned.wrappers),
        )


def _own_steps(model: object) -> Iterator[tuple[str, Any]]:
    """Yield what a LightningModule steps in its own way: its name, and what it is."""
    kind = type(model)
    if not is_lightning_class(kind):
        return
    if getattr(model, "automatic_optimization", True) is False:
        step = described(getattr(kind, "training_step", None))
        yield f"the own steps of {kind.__qualname__} (automatic_optimization is False)", step
    for name in _STEPPING:
        owner = next(base for base in kind.__mro__ if name in vars(base))
        if owner.__module__.partition(".")[0] not in PACKAGES:
            yield f"the own {name} of {kind.__qualname__}", described(getattr(kind, name))


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
