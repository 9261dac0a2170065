"""Plans of optimizers that exist already, and whether these are as planned."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.constructors.built_values import NO_ENTRY, PlannedEntries, built_optimizer
from optplan.constructors.group_builders import versions
from optplan.constructors.observed_groups import Observation, ObservedGroup, observe_made
from optplan.constructors.only_groups import OnlyGroups
from optplan.constructors.returned_optimizers import (
    NamedOptimizers,
    described,
    model_groups,
    read_return,
)
from optplan.constructors.rule_attribution import GroupMaker, attribute, empty_groups
from optplan.errors import MismatchError, PlanError, Problem, listed
from optplan.facts import Inventory
from optplan.model import class_name
from optplan.model.wrappers import bare_inventory, unwrapped
from optplan.plan import Plan, PlannedParameter, build_plan
from optplan.plan.compare import states_rule

_ONLY_GROUPS = f"{OnlyGroups.__module__}.{OnlyGroups.__qualname__}"
_MAKER = "from_optimizer"

Live = Optimizer | Mapping[str, Any] | Iterable[Any]


def plan_from_optimizer(model: nn.Module, optimizer: Live) -> Plan:
    """Return what each parameter of a model gets from an optimizer that exists.

    Where a scheduler has changed a value already, the initial one counts: a plan holds at the start.

    Args:
        model: The model, bare or wrapped for parallel training or compilation; names are the bare ones.
        optimizer: The optimizer, a wrapper with an attribute ``optimizer``, or several by name.

    Raises:
        ModelError: The model has no parameters, or wrappers have merged them.
        PlanError: A parameter is in several groups, or these are no optimizers.
    """
    inventory, observation = _observed(model, optimizer)
    plan = build_plan(
        inventory,
        attribute(observation, inventory, GroupMaker(who=_MAKER, place=None, leaves_unset=True)),
        [built_optimizer(one, None, is_written=False) for one in observation.optimizers],
        constructor=_MAKER,
        config=None,
        versions=versions(),
    )
    return replace(plan, empty_groups=empty_groups(observation))


def _observed(model: nn.Module, optimizer: Live) -> tuple[Inventory, Observation]:
    made = _optimizers(model, optimizer)
    inner = unwrapped(model)
    inventory = bare_inventory(inner)
    observed = observe_made(inner, inventory, made, model_groups(optimizer))
    return inventory, Observation(optimizers=observed, trainable={}, numbers={})


def _optimizers(model: nn.Module, optimizer: Live) -> NamedOptimizers:
    """Return the optimizers that are given.

    Raises:
        PlanError: There is none, or the model is none.
    """
    if not isinstance(model, nn.Module):
        raise PlanError(
            f"there is no model to compare but {'nothing' if model is None else type(model).__name__}",
            hint="the model comes first, and its optimizer second",
        )
    found = read_return(optimizer).optimizers
    if not found:
        is_model = isinstance(optimizer, nn.Module)
        raise PlanError(
            f"there is no optimizer to compare but {described(optimizer)}",
            hint="the model comes first, and its optimizer second"
            if is_model
            else "compare once the trainer has made and prepared it: the optimizer, its wrapper, or several by name",
        )
    return found


def assert_matches(plan: Plan, model: nn.Module, optimizer: Live, *, groups: bool = True) -> None:
    """Raise unless an optimizer gives each parameter of a model what a plan says.

    Args:
        plan: The plan.
        model, optimizer: As for :func:`plan_from_optimizer`.
        groups: Whether the params have to be in the planned groups, too: False where equal groups were
            merged.

    Raises:
        MismatchError: What differs, with the names of the parameters; it is an ``AssertionError`` too.
    """
    inventory, observation = _observed(model, optimizer)
    homes: dict[int, list[tuple[int, int, ObservedGroup]]] = {}
    for number, one in enumerate(observation.optimizers):
        for index, group in enumerate(one.groups):
            for tensor in group.members:
                homes.setdefault(tensor, []).append((number, index, group))
    _refuse_strangers(plan, homes)
    if len(observation.optimizers) != len(plan.optimizers):
        raise MismatchError(
            f"{len(observation.optimizers)} optimizers, planned {len(plan.optimizers)}"
        )
    _refuse_other_classes(plan, observation)
    pairs = zip(plan.optimizers, observation.optimizers, strict=True)
    entries = [PlannedEntries(planned, _stepping(one.optimizer)) for planned, one in pairs]
    differences = _Differences(groups)
    rows = {row.name: row for row in plan.parameters}
    for facts in inventory.primary_names.values():
        row = rows.get(facts.name)
        if row is None:
            differences.add("not in the plan", facts.name)
        else:
            differences.compare(row, homes.get(facts.tensor, []), entries)
            if facts.requires_grad != row.requires_grad:
                words = ("frozen", "trainable")
                now, planned = words[facts.requires_grad], words[row.requires_grad]
                differences.add(f"{now}, planned {planned}", facts.name)
    known = {facts.name for facts in inventory.parameters}
    for name in rows.keys() - known:
        differences.add("not in the model", name)
    if problems := differences.problems():
        raise MismatchError(problems)


def _refuse_strangers(plan: Plan, homes: Mapping[int, object]) -> None:
    """Raise where parameters are planned to be trained, and the optimizer has none of the model's."""
    names = tuple(row.name for row in plan.parameters if row.group is not None)
    if names and not homes:
        problem = Problem(
            message=f"the optimizer has none of the model's parameters: {listed(names)}",
            hint="make it of the model as it is trained: after that is moved, sharded or copied",
            parameters=names,
        )
        raise MismatchError([problem])


def _stepping(optimizer: Optimizer) -> Optimizer:
    """Return what steps the tensors: ``ZeroRedundancyOptimizer`` has one of the planned class for its shard."""
    zero = sys.modules.get("torch.distributed.optim.zero_redundancy_optimizer")
    if zero is not None and isinstance(optimizer, zero.ZeroRedundancyOptimizer):
        inner: Optimizer = optimizer.optim
        return inner
    return optimizer


def _refuse_other_classes(plan: Plan, observation: Observation) -> None:
    """Raise where an optimizer is of another class than planned."""
    pairs = [
        (planned.class_name, class_name(_stepping(one.optimizer)))
        for planned, one in zip(plan.optimizers, observation.optimizers, strict=True)
    ]
    problems = [
        Problem(message=f"the optimizer is {now}, planned {planned}")
        for planned, now in pairs
        if planned not in (now, _ONLY_GROUPS)
    ]
    if problems:
        raise MismatchError(problems)


# They change how a step is computed, not what it does.
_HOW = frozenset({"foreach", "fused", "capturable", "differentiable"})


class _Differences:
    """What differs, each kind with the parameters that it concerns."""

    def __init__(self, groups: bool) -> None:
        self._groups = groups
        self._found: dict[str, list[str]] = {}

    def add(self, what: str, name: str) -> None:
        """Note a difference of one parameter."""
        self._found.setdefault(what, []).append(name)

    def problems(self) -> list[Problem]:
        """Return all differences, in the order in which they were found."""
        return [
            Problem(message=f"{listed(names)}: {what}", parameters=tuple(names))
            for what, names in self._found.items()
        ]

    def compare(
        self,
        row: PlannedParameter,
        homes: list[tuple[int, int, ObservedGroup]],
        entries: Sequence[PlannedEntries],
    ) -> None:
        """Note what one parameter gets otherwise."""
        if len(homes) > 1:
            places = ", ".join(str(index) for _, index, _ in homes)
            self.add(f"in several groups ({places})", row.name)
            return
        if not homes or row.group is None:
            if homes:
                self.add(f"in group {homes[0][1]}, planned in none", row.name)
            elif row.group is not None:
                self.add(f"in no group, planned in group {row.group}", row.name)
            return
        number, index, group = homes[0]
        if number != row.optimizer:
            self.add(f"in optimizer {number}, planned in optimizer {row.optimizer}", row.name)
            return
        for name, planned, now in entries[number].differences(row, group.final):
            if name not in _HOW and not _is_left_out(name, row, now):
                if not self._groups and (name in row.extra or planned == NO_ENTRY):
                    continue  # merged groups keep no entries of their own
                self.add(f"{name} is {now}, planned {planned}", row.name)
        if self._groups and index != row.group:
            self.add(f"in group {index}, planned in group {row.group}", row.name)


def _is_left_out(name: str, row: PlannedParameter, now: object) -> bool:
    """Return whether a group lacks a multiplier that is in its lr and weight decay already."""
    return now == NO_ENTRY and name in row.extra and name != "lr_scale" and states_rule(row, name)
