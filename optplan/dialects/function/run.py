"""Run a function that makes param groups or optimizers."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from optplan.constructors.observed_groups import others_code
from optplan.constructors.only_groups import OnlyGroups
from optplan.constructors.optimizers import instantiate, optimizer_class
from optplan.constructors.returned_optimizers import (
    NamedOptimizers,
    Returned,
    described,
    is_scheduler,
    read_return,
)
from optplan.constructors.source_location import code_place
from optplan.constructors.world_size import WorldSize
from optplan.dialects.function.lightning_module import epochs_are_default
from optplan.dialects.function.load import FunctionConfig, section_of
from optplan.dialects.function.own_trainer import made_by_trainer
from optplan.errors import PlanError
from optplan.model.device_moves import ignore_device_moves
from optplan.runtime.audit import lifted


class FunctionRun:
    """A function at work.

    Args:
        config: The function.
        folder: As for :func:`code_place`.
        world_size: The number of processes that it is told; None where it is not known.

    Attributes:
        place: Where it is defined.
        world_size: Whether it has asked for the number of processes.
    """

    def __init__(
        self, config: FunctionConfig, folder: str | None = None, world_size: int | None = None
    ) -> None:
        self.place = code_place(config.function, folder) or config.place
        self.world_size = WorldSize(world_size)
        self._config = config
        self._who = f"{config.entry.path}:{config.name}"

    def __call__(self, model: nn.Module) -> NamedOptimizers:
        """Return the optimizers that the function makes of a model.

        Raises:
            PlanError: It raises, or what it gives are neither groups nor optimizers.
        """
        return self.returned(model).optimizers

    def returned(self, model: nn.Module) -> Returned:
        """Return what the function makes of a model: optimizers, and schedulers beside them.

        Raises:
            PlanError: As for a call.
        """
        importable, who = self._config.importable(), self._who
        with (
            lifted() if self._config.is_users else nullcontext(),
            others_code(who, self.place),
            importable,
            ignore_device_moves(),
            self.world_size.answered(),
        ):
            made = made_by_trainer(self._config.call(model), self._config.steps)
            found = self._read(made)
            if not found.optimizers and _is_lazy(made):
                kind, made = type(made).__name__, list(made)  # the user's code runs only now
                found = read_return(made)
                self._refuse_lazy(found, kind)
        if found.optimizers:
            self._refuse_argument()
            return found
        return replace(found, optimizers=[(None, self._optimizer(made, model))])

    def _read(self, made: object) -> Returned:
        """Return what was made, each scheduler with how often it is stepped."""
        found = read_return(made)
        if not epochs_are_default(self._config.function):
            return found
        schedulers = (replace(one, interval=one.interval or "epoch") for one in found.schedulers)
        return replace(found, schedulers=tuple(schedulers))

    def _refuse_lazy(self, found: Returned, kind: str) -> None:
        """Refuse a generator of optimizers, which a training script would have to run through itself.

        Raises:
            PlanError: There are optimizers or schedulers in what it yields.
        """
        if kind == "generator" and (found.optimizers or found.schedulers):
            raise PlanError(
                f"{self._who} returned a generator of optimizers",
                place=self.place,
                hint="return them in a list, a tuple or a dict: a generator may yield param groups alone",
            )

    def _refuse_argument(self) -> None:
        """Refuse ``--set``, which would change nothing.

        Raises:
            PlanError: The function makes an optimizer, and an optimizer is set all the same.
        """
        if self._config.data:
            raise PlanError(
                f"--set changes nothing: {self._who} makes the optimizer itself",
                place=self.place,
                hint="--set optimizer.NAME=VALUE is for functions that return param groups alone",
            )

    def _optimizer(self, made: object, model: nn.Module) -> Optimizer:
        """Return the optimizer that ``--set`` names, or a stand-in, with these groups."""
        groups = self._groups(made)
        section = section_of(self._config)
        if section.type is None:
            with others_code(f"torch, given the groups of {self._who},", self.place):
                return OnlyGroups(groups)
        return instantiate(
            optimizer_class(section.type, section.places["type"]),
            section.arguments,
            groups,
            names={id(p): name for name, p in model.named_parameters()},
            written=section.optimizer,
            dry=True,
            type_place=section.places["type"],
        )

    def _groups(self, made: object) -> list[Any]:
        if isinstance(made, Mapping) and "params" in made:
            made = [made]
        if isinstance(made, list | tuple) and made and all(map(_is_entry, made)):
            return list(made)
        raise PlanError(
            f"{self._who} returned {_described(made)}",
            place=self.place,
            hint="it must return param groups, an optimizer, or several optimizers",
        )


def _is_entry(entry: object) -> bool:
    """Return whether torch could take it: a group, a parameter, or a parameter with its name."""
    if isinstance(entry, Mapping):
        return "params" in entry
    if isinstance(entry, tuple):
        return len(entry) == 2 and isinstance(entry[1], torch.Tensor)
    return isinstance(entry, torch.Tensor)


def _is_lazy(made: object) -> bool:
    is_value = isinstance(made, list | tuple | Mapping | str | bytes | Awaitable)
    return isinstance(made, Iterable) and not is_value


def _described(made: object) -> str:
    if isinstance(made, Mapping) and (schedulers := read_return(made).schedulers):
        return described(schedulers[0].scheduler)
    if isinstance(made, list | tuple) and made:
        odd = next((entry for entry in made if not _is_entry(entry)), made[0])
        if is_scheduler(odd):
            return f"a {type(made).__name__} of schedulers, without their optimizer"
        what = "a dict without 'params'" if isinstance(odd, Mapping) else type(odd).__name__
        return f"a {type(made).__name__} with {what} in it"
    return described(made)
