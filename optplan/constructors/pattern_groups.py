"""Plan and build optimizers with groups by regular expressions, and find the pattern behind each group."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from optplan.config import OptimizerConfig, place_of
from optplan.config.regex_groups import RegexGroups, RegexOptimizer
from optplan.constructors.dry_run import optimizer_facts
from optplan.constructors.group_builders import GroupBuilder
from optplan.constructors.observed_groups import ObservedOptimizer, observe
from optplan.constructors.optimizer_arguments import Group, Param
from optplan.constructors.optimizers import class_defaults, instantiate, optimizer_class
from optplan.constructors.regex_timeout import refuse_endless
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.errors import PlanError, Problem, listed, quoted
from optplan.facts import Inventory, ParameterFacts
from optplan.model import make_inventory
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.plan import Assignment, PlannedOptimizer, plain
from optplan.plan.compare import differ
from optplan.planner.assign import GroupReader, as_number, planned_optimizer, refuse_bad_values
from optplan.planner.builtin_plan import BuildResult
from optplan.rules import Skipped
from optplan.rules.regex_rules import (
    GroupRule,
    RegexOptions,
    Taken,
    decide_group,
    make_regex_options,
    matches,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """The parameters by groups.

    Args:
        options: The rules.
        taken: What took each tensor, by its number.
        members: The first names of the tensors in each group, by its index; None for the rest.
    """

    options: RegexOptions
    taken: Mapping[int, Taken]
    members: Mapping[int | None, list[str]]


class PatternBuilder(GroupBuilder):
    """Plans and builds the optimizers of a list of groups with patterns.

    Args:
        section: The list as an optimizer section.
        groups: The list.
    """

    def __init__(self, section: OptimizerConfig, groups: RegexGroups) -> None:
        self.name = f"{groups.dialect}'s {groups.entry}"
        self.section = section
        self._groups = groups

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Decide the group of each parameter by its name, and make the optimizers dry.

        Raises:
            PlanError: A pattern that takes too long, a parameter that no pattern matches or a pattern that
                matches none where that is refused, or a refusal by the optimizer's class.
        """
        groups, found = self._groups, _sorted(self._groups, inventory)
        if groups.unset:
            _log.warning(
                "%s: the file leaves %s to the recipe's code; %s's own defaults are shown for what that sets",
                groups.place,
                listed(groups.unset),
                groups.dialect,
            )
        observation = observe(model, inventory, lambda model: _make(groups, found, model))
        assignments: dict[int, Assignment] = {}
        for number, one in enumerate(observation.optimizers):
            assignments |= _assignments(number, one, found)
        refuse_bad_values(assignments, inventory)
        pairs = zip(observation.optimizers, groups.optimizers, strict=True)
        return BuildResult(
            assignments=assignments,
            optimizers=[_planned(one, optimizer) for one, optimizer in pairs],
            tracer=found.options,
            matcher=groups.matcher if groups.groups else None,
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Build the optimizers on the model."""
        return _make(self._groups, _sorted(self._groups, make_inventory(model)), model)


def _sorted(groups: RegexGroups, inventory: Inventory) -> _Sorted:
    several = len(groups.optimizers) > 1 or not groups.has_rest
    base = {} if several else groups.optimizers[0].arguments
    options = make_regex_options(
        groups,
        base_lr=base.get("lr"),
        base_weight_decay=base.get("weight_decay"),
        lr_place=None if several else _place(groups.optimizers[0], "lr"),
        weight_decay_place=None if several else _place(groups.optimizers[0], "weight_decay"),
    )
    first = _first_names(inventory)
    refuse_endless(groups, [facts.name for facts in first])
    _refuse_twice(groups, options, first)
    taken: dict[int, Taken] = {}
    members: dict[int | None, list[str]] = {}
    missed: list[str] = []
    for facts in first:
        decided = decide_group(facts, options)
        if decided is None:
            missed.append(facts.name)
        elif not isinstance(decided, Skipped):
            taken[facts.tensor] = decided
            members.setdefault(decided.group, []).append(facts.name)
    _refuse(groups, members, missed)
    return _Sorted(options=options, taken=taken, members=members)


def _place(optimizer: RegexOptimizer, name: str) -> Place | None:
    return place_of(optimizer.written, optimizer.names.get(name, name))


def _first_names(inventory: Inventory) -> list[ParameterFacts]:
    """Return each tensor under its first name, as ``named_parameters`` gives it."""
    seen: dict[int, ParameterFacts] = {}
    for facts in inventory.parameters:
        seen.setdefault(facts.tensor, facts)
    return list(seen.values())


def _refuse_twice(groups: RegexGroups, options: RegexOptions, first: list[ParameterFacts]) -> None:
    trainable = (facts for facts in first if facts.requires_grad) if groups.refuses_twice else ()
    twice = [
        facts.name
        for facts in trainable
        if sum(_matches_any(group, facts.name, options) for group in options.groups) > 1
    ]
    if twice:
        raise PlanError(
            f"several patterns match {listed(twice)}",
            place=groups.place,
            hint=f"{groups.dialect} refuses that: let the patterns exclude each other",
        )


def _matches_any(group: GroupRule, name: str, options: RegexOptions) -> bool:
    return any(matches(pattern, name, options.matcher) for pattern in group.patterns)


def _refuse(
    groups: RegexGroups, members: Mapping[int | None, list[str]], missed: list[str]
) -> None:
    problems = [
        Problem(
            message=f"the pattern {quoted(group.patterns[0].text)} takes no parameter",
            place=group.patterns[0].place,
            hint=f"{groups.dialect} refuses that",
            kind=ProblemKind.UNMATCHED,
        )
        for index, group in enumerate(groups.groups)
        if groups.refuses_empty and index not in members
    ]
    if missed:
        problems.append(
            Problem(
                message=f"no pattern matches {listed(missed)}",
                place=groups.place,
                hint=f"{groups.dialect} refuses that: end the list with the pattern '.*'",
                parameters=tuple(missed),
            )
        )
    if not members:
        problems.append(Problem(message="the optimizer would get no parameter", place=groups.place))
    if problems:
        raise PlanError(problems)


def _make(groups: RegexGroups, found: _Sorted, module: nn.Module) -> NamedOptimizers:
    by_name = dict(nn.Module.named_parameters(module))
    names = {id(parameter): name for name, parameter in by_name.items()}
    made: NamedOptimizers = []
    for index, optimizer in enumerate(groups.optimizers):
        several = len(groups.optimizers) > 1
        one = instantiate(
            optimizer_class(optimizer.type, optimizer.place),
            optimizer.arguments,
            list(_param_groups(groups, found, by_name, index)),
            names=names,
            written=optimizer.written,
            dry=False,
            type_place=optimizer.place,
        )
        made.append((optimizer.type if several else None, one))
    return made


def _param_groups(
    groups: RegexGroups, found: _Sorted, by_name: Mapping[str, Param], optimizer: int
) -> list[Group]:
    """Return the groups of one optimizer, in the trainer's order."""
    result = []
    for index, rule in enumerate(found.options.groups):
        if groups.groups[index].optimizer != optimizer:
            continue
        members = found.members.get(index, [])
        if members or groups.keeps_empty:
            result.append({"params": [by_name[name] for name in members], **rule.entries})
    rest = [by_name[name] for name in found.members.get(None, [])]
    if rest:
        result.insert(0 if groups.rest_first else len(result), {"params": rest})
    return result


def _assignments(number: int, one: ObservedOptimizer, found: _Sorted) -> dict[int, Assignment]:
    reader = GroupReader(one.optimizer, (group.own for group in one.groups))
    assignments = {}
    for index, group in enumerate(one.groups):
        values = reader.values(group.own, group.final)
        for tensor in group.members:
            decision = found.taken[tensor].decision
            assignments[tensor] = Assignment(
                optimizer=number,
                group=index,
                lr_verdict=decision.lr,
                weight_decay_verdict=decision.weight_decay,
                **values,
            )
    return assignments


def _planned(one: ObservedOptimizer, optimizer: RegexOptimizer) -> PlannedOptimizer:
    """Return the optimizer with the arguments that are written, and the trainer's where they are not the class's own."""
    planned = planned_optimizer(optimizer_facts(one.optimizer), None, one.name)
    defaults = class_defaults(planned.class_name)
    options = {
        name: plain(value)
        for name, value in optimizer.arguments.items()
        if name not in ("lr", "weight_decay")
        and (
            name in optimizer.written
            or optimizer.names.get(name) in optimizer.written
            or differ(plain(value), defaults.get(name))
        )
    }
    return PlannedOptimizer(
        name=planned.name,
        type=optimizer.type,
        class_name=planned.class_name,
        lr=as_number(optimizer.arguments.get("lr")) if optimizer.arguments else planned.lr,
        weight_decay=planned.weight_decay,
        options=options,
    )
