"""Watch code of any kind make param groups of a model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.constructors.optimizer_arguments import Group
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.errors import OptplanError, PlanError, Problem, described_exception, listed
from optplan.facts import Inventory
from optplan.model.restore_model import restored_model
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.plan import plain
from optplan.runtime.audit import refusal
from optplan.runtime.stdio import stdout_to_stderr
from optplan.runtime.where import IsolationNeededError, RefusedError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedGroup:
    """A param group of an optimizer.

    Args:
        members: Its tensors by number, in order; those that are not the model's are left out.
        own: The entries that it was made with, besides ``params``.
        final: Its entries with the defaults that the optimizer has filled in.
        is_empty: It has no parameters, the model's or others.
    """

    members: tuple[int, ...]
    own: Mapping[str, Any]
    final: Mapping[str, Any]
    is_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedOptimizer:
    """An optimizer: its name among several, and its groups in their order."""

    name: str | None
    optimizer: Optimizer
    groups: tuple[ObservedGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was made of a model.

    Args:
        optimizers: One or several.
        trainable: ``requires_grad`` of each tensor afterwards, by its number.
        numbers: The number of each tensor by its ``id``.
    """

    optimizers: tuple[ObservedOptimizer, ...]
    trainable: Mapping[int, bool]
    numbers: Mapping[int, int]


def observe(
    model: nn.Module,
    inventory: Inventory,
    make: Callable[[nn.Module], NamedOptimizers],
    place: Place | None = None,
) -> Observation:
    """Make optimizers of a model, which is left as it was.

    Args:
        model: The model.
        inventory: Its parameters.
        make: Makes the optimizers.
        place: Where it is defined.

    Raises:
        OptplanError: Whatever ``make`` raises of this kind.
    """
    by_name = dict(nn.Module.named_parameters(model, remove_duplicate=False))
    numbers = tensor_numbers(model, inventory)
    with restored_model(model):
        with own_entries() as own:
            made = make(model)
        trainable = {
            facts.tensor: by_name[facts.name].requires_grad for facts in inventory.parameters
        }
        observed = tuple(_observed_optimizer(*one, own, numbers) for one in made)
        _look_for_others(model, made, numbers, place)
    return Observation(optimizers=observed, trainable=trainable, numbers=numbers)


def _look_for_others(
    model: nn.Module, made: NamedOptimizers, numbers: Mapping[int, int], place: Place | None
) -> None:
    """Refuse parameters that came into the model only now; others may be those of a loss.

    Raises:
        PlanError: The model was changed, so that the plan would be one of another model.
    """
    others = {
        id(parameter)
        for _, optimizer in made
        for group in optimizer.param_groups
        for parameter in group["params"]
        if id(parameter) not in numbers
    }
    if not others:
        return
    new = [name for name, parameter in model.named_parameters() if id(parameter) in others]
    if new:
        raise PlanError(
            f"the model is changed while the groups are made: {listed(new)} were put into it",
            place=place,
            hint="plan the model as it is afterwards: change it in its own factory",
        )
    _log.warning("%d tensors in the groups are no parameters of the model", len(others))


def observe_made(
    model: nn.Module,
    inventory: Inventory,
    made: NamedOptimizers,
    members: Mapping[int, Sequence[Sequence[Any]]],
) -> tuple[ObservedOptimizer, ...]:
    """Observe optimizers that exist already: a group's own entries are those that are not the defaults.

    Args:
        model: The model.
        inventory: Its parameters.
        made: The optimizers.
        members: The model's parameters of each group, by the ``id`` of an optimizer that steps copies.
    """
    numbers = tensor_numbers(model, inventory)
    return tuple(
        _observed_optimizer(*one, {}, numbers, members.get(id(one[1])) or ()) for one in made
    )


def tensor_numbers(model: nn.Module, inventory: Inventory) -> dict[int, int]:
    """Return the number of each tensor by its ``id``."""
    parameters = nn.Module.named_parameters(model, remove_duplicate=False)
    return {
        id(parameter): facts.tensor
        for (_, parameter), facts in zip(parameters, inventory.parameters, strict=True)
    }


def _observed_optimizer(
    name: str | None,
    optimizer: Optimizer,
    own: Mapping[int, frozenset[str]],
    numbers: Mapping[int, int],
    members: Sequence[Sequence[Any]] = (),
) -> ObservedOptimizer:
    defaults = getattr(optimizer, "defaults", {})
    groups = []
    for index, group in enumerate(optimizer.param_groups):
        given = own.get(id(group), frozenset())
        entries = at_start(group, given)
        if index < len(members):
            entries = {**entries, "params": members[index]}
        groups.append(_observed(entries, given, defaults, numbers))
    return ObservedOptimizer(name=name, optimizer=optimizer, groups=tuple(groups))


# What cyclic schedulers of torch write into groups beside the initial lr.
_OF_SCHEDULERS = ("max_lr", "min_lr", "max_momentum", "base_momentum")


def at_start(group: Group, given: Container[str] = ()) -> Group:
    """Return the entries of a group as they are before any scheduler moves them: a plan holds at the start.

    Args:
        group: The group.
        given: The entries that it was made with, which no scheduler has written.
    """
    group = {str(name): value for name, value in group.items()}
    initial = {
        name: name.removeprefix("initial_")
        for name in group
        if name.startswith("initial_")
        and name.removeprefix("initial_") in group
        and name not in given
    }
    written = [*initial, *(_OF_SCHEDULERS if initial else ())]
    kept = {name: value for name, value in group.items() if name not in written or name in given}
    return kept | {name: group[saved] for saved, name in initial.items() if name in kept}


def rewind(optimizer: Optimizer) -> None:
    """Give the groups of an optimizer the values that they have before any scheduler moves them."""
    for group in optimizer.param_groups:
        start = at_start(group)
        group.clear()
        group.update(start)


# Not what a group gives its members, but which they are.
_MEMBERS = ("params", "param_names")


def _observed(
    group: Group, given: frozenset[str], defaults: Mapping[str, Any], numbers: Mapping[int, int]
) -> ObservedGroup:
    final = {name: value for name, value in group.items() if name not in _MEMBERS}
    # what was written into a group later is its own as well
    own = {
        name: value
        for name, value in final.items()
        if name in given or _differs(value, defaults.get(name, _ABSENT))
    }
    members = tuple(numbers[id(p)] for p in group["params"] if id(p) in numbers)
    return ObservedGroup(members=members, own=own, final=final, is_empty=not group["params"])


_ABSENT = object()


def _differs(value: object, default: object) -> bool:
    return value is not default and plain(value) != plain(default)


@contextmanager
def own_entries() -> Iterator[dict[int, frozenset[str]]]:
    """Collect the names that each group of an optimizer is made with meanwhile, by the ``id`` of the group.

    torch fills its defaults into the very dict that it is given.
    """
    seen: dict[int, frozenset[str]] = {}
    kept: list[Group] = []  # so that no other group gets the id of one that is gone
    real = Optimizer.add_param_group

    def add_param_group(self: Optimizer, param_group: Group) -> None:
        names = frozenset(param_group)
        real(self, param_group)
        kept.append(self.param_groups[-1])
        seen[id(kept[-1])] = names

    Optimizer.add_param_group = add_param_group  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        Optimizer.add_param_group = real  # type: ignore[method-assign]


@contextmanager
def others_code(who: str, place: Place | None, home: str | None = None) -> Iterator[None]:
    """Run other people's code: its prints go to stderr, what it raises becomes a message.

    Args:
        who: What the message calls it.
        place: Where it is named.
        home: The file that it is in, if that is known.

    Raises:
        PlanError: It raises, with the file and line.
    """
    try:
        with stdout_to_stderr():
            yield
    except OptplanError:
        raise
    except (KeyboardInterrupt, IsolationNeededError):
        raise
    except BaseException as error:
        raise PlanError([_problem(who, place, error, home)]) from error


def _problem(who: str, place: Place | None, error: BaseException, home: str | None) -> Problem:
    if isinstance(error, RefusedError):
        return replace(refusal(who, error), place=place)
    message = f"{who} raises {described_exception(error, home)}"
    if "appear in more than one parameter group" in message:
        return Problem(message=message, place=place, kind=ProblemKind.TIED)
    return Problem(message=message, place=place)
