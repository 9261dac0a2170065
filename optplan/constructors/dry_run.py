"""Make the real optimizer class once, on parameters without memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from optplan.config import OptimizerConfig
from optplan.constructors.optimizer_arguments import Group, Param
from optplan.constructors.optimizers import instantiate, optimizer_class
from optplan.errors import PlanError
from optplan.facts import OptimizerFacts, ParameterFacts
from optplan.model import class_name, parameters_by_name
from optplan.plan import hashable, plain
from optplan.planner.assign import DryRun
from optplan.planner.groups import PlannedGroup

# of parameters that are alike
_OF_A_KIND = 1
# of all, so that a group of them can be halved
_AT_LEAST = 2


def dry_run(section: OptimizerConfig, module: nn.Module, groups: Sequence[PlannedGroup]) -> DryRun:
    """Make the real optimizer class on meta parameters, groups of equal settings merged.

    torch compares each group with all parameters of the earlier ones, so that of those which are alike in
    all that an optimizer can see only one is there. Where the constructor made several groups at least
    two are left, so that a class which refuses groups is seen to.

    Raises:
        PlanError: There is no such class, or it refuses the arguments, the groups or some parameters.
    """
    try:
        stand_ins = _StandIns(module, groups, of_a_kind=_OF_A_KIND)
        optimizer = _made(section, stand_ins)
    except PlanError:
        # again with all of them: the message names each parameter that is refused
        stand_ins = _StandIns(module, groups, of_a_kind=sum(len(one.members) for one in groups))
        optimizer = _made(section, stand_ins)
    final = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    return DryRun(
        optimizer=optimizer_facts(optimizer),
        groups={
            tensor: final[id(stand_in)]
            for tensor, stand_in in stand_ins.by_tensor.items()
            if id(stand_in) in final
        },
    )


def optimizer_facts(optimizer: Optimizer) -> OptimizerFacts:
    """Return what is known of an optimizer."""
    return OptimizerFacts(
        type_name=getattr(optimizer, "TYPE_NAME", type(optimizer).__name__),
        class_name=class_name(optimizer),
        defaults=getattr(optimizer, "defaults", {}),
    )


class _StandIns:
    """The parameters for the throw-away optimizer, in groups of equal settings.

    Args:
        module: The model.
        groups: The groups as the constructor made them.
        of_a_kind: How many at most of those in one group that are alike.

    Attributes:
        groups: The groups, merged.
        by_tensor: What stands for each tensor, by its number.
        names: The names of the parameters in the groups, by their ``id``.
    """

    def __init__(
        self, module: nn.Module, groups: Sequence[PlannedGroup], *, of_a_kind: int
    ) -> None:
        is_plain = all(facts.is_plain for group in groups for facts in group.members)
        special = {} if is_plain else parameters_by_name(module)
        self.by_tensor: dict[int, Param] = {}
        self.names: dict[int, str] = {}
        merged: dict[Any, Group] = {}
        targets: dict[tuple[int, int], Group] = {}
        kinds: dict[Any, list[Param]] = {}
        for group in groups:
            verdicts = group.verdicts
            target = targets.get(verdicts)
            if target is None:
                key = hashable(plain(group.decision.entries))
                target = merged.setdefault(key, {"params": [], **group.decision.entries})
                targets[verdicts] = target
            for facts in group.members:
                parameter = None if facts.is_plain else special[facts.name]
                # no optimizer can tell apart what is equal in these; what is not plain is like no other
                kind = id(target), facts.shape, facts.dtype, facts.requires_grad, id(parameter)
                alike = kinds.get(kind)
                if alike is None:
                    alike = kinds[kind] = []
                if len(alike) < of_a_kind or len(self.names) < _AT_LEAST:
                    alike.append(_stand_in(facts) if parameter is None else _copy(parameter))
                    target["params"].append(alike[-1])
                    self.names[id(alike[-1])] = facts.name
                self.by_tensor[facts.tensor] = alike[-1]
        self.groups = list(merged.values())
        if len(groups) > 1:
            self.groups = _at_least_two(self.groups)


def _made(section: OptimizerConfig, stand_ins: _StandIns) -> Optimizer:
    return instantiate(
        optimizer_class(section.type or "", section.places["type"]),
        section.arguments,
        stand_ins.groups,
        names=stand_ins.names,
        written=section.optimizer,
        dry=True,
        type_place=section.places["type"],
    )


def _stand_in(facts: ParameterFacts) -> Param:
    values = torch.empty(facts.shape, dtype=getattr(torch, facts.dtype), device="meta")
    return nn.Parameter(values, requires_grad=facts.requires_grad)


def _copy(parameter: Param) -> Param:
    """Return a parameter that takes no memory, with the attributes that an optimizer may look at."""
    if parameter.is_meta:
        return parameter
    stand_in = nn.Parameter(
        torch.empty_like(parameter, device="meta"), requires_grad=parameter.requires_grad
    )
    stand_in.__dict__.update(parameter.__dict__)
    return stand_in


def _at_least_two(groups: list[Group]) -> list[Group]:
    if len(groups) > 1:
        return groups
    first, *others = groups[0]["params"]
    return [{**groups[0], "params": [first]}, {**groups[0], "params": others}]
