"""The param groups that code of any kind makes of a model, seen while it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.chatter import chatter_to_stderr
from optplan.constructors.optimizers import Group
from optplan.errors import OptplanError, PlanError, Problem, described_exception, listed
from optplan.facts import Inventory
from optplan.model.untouched import untouched
from optplan.names import Mistake
from optplan.places import Place
from optplan.plan import plain
from optplan.runtime.audit import RefusedError, refusal

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


NamedOptimizers = list[tuple[str | None, Optimizer]]


def observe(
    model: nn.Module, inventory: Inventory, make: Callable[[nn.Module], NamedOptimizers]
) -> Observation:
    """Make optimizers of a model, which is left as it was.

    Args:
        model: The model.
        inventory: Its parameters.
        make: Makes the optimizers.

    Raises:
        OptplanError: Whatever ``make`` raises of this kind.
    """
    by_name = dict(nn.Module.named_parameters(model, remove_duplicate=False))
    numbers = tensor_numbers(model, inventory)
    with untouched(model):
        with own_entries() as own:
            made = make(model)
        trainable = {
            facts.tensor: by_name[facts.name].requires_grad for facts in inventory.parameters
        }
        observed = tuple(_observed_optimizer(*one, own, numbers) for one in made)
        _look_for_others(model, made, numbers)
    return Observation(optimizers=observed, trainable=trainable, numbers=numbers)


def _look_for_others(model: nn.Module, made: NamedOptimizers, numbers: Mapping[int, int]) -> None:
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
            hint="plan the model as it is afterwards: change it in its own factory",
        )
    _log.warning("%d tensors in the groups are no parameters of the model", len(others))


def observe_made(
    model: nn.Module, inventory: Inventory, made: NamedOptimizers
) -> tuple[ObservedOptimizer, ...]:
    """Optimizers that exist already: a group's own entries are those that are not the defaults.

    Args:
        model: The model.
        inventory: Its parameters.
        made: The optimizers.
    """
    numbers = tensor_numbers(model, inventory)
    return tuple(_observed_optimizer(*one, {}, numbers) for one in made)


def tensor_numbers(model: nn.Module, inventory: Inventory) -> dict[int, int]:
    """The number of each tensor by its ``id``."""
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
) -> ObservedOptimizer:
    defaults = getattr(optimizer, "defaults", {})
    groups = tuple(
        _observed(_initial(group), own.get(id(group)), defaults, numbers)
        for group in optimizer.param_groups
    )
    return ObservedOptimizer(name=name, optimizer=optimizer, groups=groups)


def _initial(group: Group) -> Group:
    """A group as it was before any scheduler: a plan holds at the start."""
    initial = {name: name.removeprefix("initial_") for name in group if name.startswith("initial_")}
    kept = {name: value for name, value in group.items() if name not in initial}
    return kept | {name: group[saved] for saved, name in initial.items() if name in kept}


# Not what a group gives its members, but which they are.
_MEMBERS = ("params", "param_names")


def _observed(
    group: Group,
    given: frozenset[str] | None,
    defaults: Mapping[str, Any],
    numbers: Mapping[int, int],
) -> ObservedGroup:
    final = {name: value for name, value in group.items() if name not in _MEMBERS}
    # what was written into a group later is its own as well
    own = {
        name: value
        for name, value in final.items()
        if (given is not None and name in given) or _differs(value, defaults.get(name, _ABSENT))
    }
    members = tuple(numbers[id(p)] for p in group["params"] if id(p) in numbers)
    return ObservedGroup(members=members, own=own, final=final, is_empty=not group["params"])


_ABSENT = object()


def _differs(value: object, default: object) -> bool:
    return value is not default and plain(value) != plain(default)


@contextmanager
def own_entries() -> Iterator[dict[int, frozenset[str]]]:
    """The names that each group of an optimizer is made with, by the ``id`` of the group.

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


def optimizers_of(made: object, who: str, place: Place | None) -> NamedOptimizers:
    """The optimizers in what a constructor has made: one, one in a wrapper, or several by name.

    Raises:
        PlanError: There are none in it.
    """
    found = find_optimizers(made)
    if not found:
        raise PlanError(
            f"{who} made no optimizer but {_described(made)}",
            place=place,
            hint="it must return an optimizer, an object with an attribute 'optimizer', or several by name",
        )
    return found


def find_optimizers(made: object) -> NamedOptimizers:
    """The optimizers in what some code has made, none where it made something else."""
    return list(_named(made, None))


def _named(made: object, name: str | None) -> Iterator[tuple[str | None, Optimizer]]:
    if (optimizer := _optimizer_in(made)) is not None:
        yield name, optimizer
        return
    several = getattr(made, "optim_wrappers", made)
    if isinstance(several, Mapping):
        parts: Iterable[tuple[str | None, object]] = several.items()
    elif isinstance(several, list | tuple):
        parts = ((None, part) for part in several)
    else:
        return
    for inner_name, part in parts:
        if _optimizer_in(part) is not None:
            yield from _named(part, None if inner_name is None else str(inner_name))


def _optimizer_in(made: object) -> Optimizer | None:
    """What was made, or what is in that, if it is an optimizer with groups."""
    for found in (made, getattr(made, "optimizer", None)):
        if isinstance(found, Optimizer) and isinstance(getattr(found, "param_groups", None), list):
            return found
    return None


def _described(made: object) -> str:
    if made is None:
        return "nothing"
    if isinstance(made, list | tuple | Mapping) and not made:
        return f"an empty {type(made).__name__}"
    return f"a value of type {type(made).__name__}"


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
        with chatter_to_stderr():
            yield
    except OptplanError:
        raise
    except (Exception, SystemExit) as error:
        raise PlanError([_problem(who, place, error, home)]) from error


def _problem(who: str, place: Place | None, error: BaseException, home: str | None) -> Problem:
    if isinstance(error, RefusedError):
        return replace(refusal(who, error), place=place)
    message = f"{who} raises {described_exception(error, home)}"
    if "appear in more than one parameter group" in message:
        return Problem(message=message, place=place, kind=Mistake.TIED)
    return Problem(message=message, place=place)
