"""The real optimizer class, made once on parameters without memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from optplan.config import OptimizerConfig
from optplan.constructors.groups import PlannedGroup
from optplan.constructors.optimizers import Group, Param, instantiate, optimizer_class
from optplan.plan import hashable, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """A throw-away optimizer, and the group that each tensor ended up in, by the tensor's number."""

    optimizer: Optimizer
    groups: Mapping[int, Group]


def dry_run(section: OptimizerConfig, module: nn.Module, groups: Sequence[PlannedGroup]) -> DryRun:
    """Make the real optimizer class on meta parameters, groups of equal settings merged.

    torch compares each group with all earlier ones, which is quadratic. Where the constructor made
    several groups at least two are left, so that a class which refuses groups is seen to.
    """
    # not module.named_parameters: a model that overrides it may know no remove_duplicate, or hide some
    by_name = dict(nn.Module.named_parameters(module, remove_duplicate=False))
    stand_ins: dict[int, Param] = {}
    merged: dict[Any, Group] = {}
    keys: dict[tuple[int, int], Any] = {}
    for group in groups:
        if group.verdicts not in keys:
            keys[group.verdicts] = hashable(plain(group.decision.entries))
        target = merged.setdefault(keys[group.verdicts], {"params": [], **group.decision.entries})
        for facts in group.members:
            stand_in = stand_ins[facts.tensor] = _stand_in(by_name[facts.name])
            target["params"].append(stand_in)
    names = {id(stand_ins[facts.tensor]): facts.name for group in groups for facts in group.members}
    optimizer = instantiate(
        optimizer_class(section.type or "", section.places["type"]),
        section.arguments,
        _at_least_two(list(merged.values())) if len(groups) > 1 else list(merged.values()),
        names=names,
        written=section.optimizer,
        dry=True,
        type_place=section.places["type"],
    )
    final = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    return DryRun(
        optimizer=optimizer,
        groups={
            tensor: final[id(stand_in)]
            for tensor, stand_in in stand_ins.items()
            if id(stand_in) in final
        },
    )


def _stand_in(parameter: Param) -> Param:
    """A parameter that takes no memory, with the attributes that an optimizer may look at."""
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
