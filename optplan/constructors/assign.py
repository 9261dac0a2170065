"""What each tensor gets, read from the dry run's groups."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.config import OptimizerConfig
from optplan.constructors.dry_run import DryRun
from optplan.constructors.groups import PlannedGroup
from optplan.errors import PlanError, Problem, listed
from optplan.facts import Inventory
from optplan.model import class_name
from optplan.plan import Assignment, PlannedOptimizer, plain
from optplan.rules import Verdict


def assign(
    groups: Sequence[PlannedGroup], dry: DryRun, inventory: Inventory
) -> dict[int, Assignment]:
    """What each tensor gets, by its number.

    Args:
        groups: The groups as the constructor made them.
        dry: The throw-away optimizer, which has filled the groups with its defaults.
        inventory: The model's parameters, for messages.

    Raises:
        PlanError: An lr or weight decay that is negative or not finite.
    """
    defaults = getattr(dry.optimizer, "defaults", {})
    shared: dict[tuple[int, int], tuple[dict[str, Any], dict[str, Any]]] = {}
    assignments: dict[int, Assignment] = {}
    for index, group in enumerate(groups):
        if group.verdicts not in shared:
            shared[group.verdicts] = _split(group.decision.entries, defaults)
        options, extra = shared[group.verdicts]
        for facts in group.members:
            final = dry.groups.get(facts.tensor)
            if final is None:
                continue
            assignments[facts.tensor] = Assignment(
                optimizer=0,
                group=index,
                lr=_number(final.get("lr")),
                weight_decay=_number(final["weight_decay"]) if "weight_decay" in defaults else None,
                lr_verdict=group.decision.lr,
                weight_decay_verdict=group.decision.weight_decay,
                options=options,
                extra=extra,
            )
    _refuse_bad_values(assignments, inventory)
    return assignments


def _split(
    entries: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A group's own entries: hyper-parameters of the optimizer, and all else."""
    options: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in entries.items():
        if name == "lr" or (name == "weight_decay" and name in defaults):
            continue
        (options if name in defaults else extra)[name] = plain(value)
    return options, extra


def _number(value: Any) -> float | None:
    """A group's value as a number; torch takes a tensor for an lr too."""
    if isinstance(value, torch.Tensor):
        value = value.item()
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return inf if value > 0 else -inf  # the product of two whole numbers
    return value if isinstance(value, int | float) else None


def _refuse_bad_values(assignments: Mapping[int, Assignment], inventory: Inventory) -> None:
    """torch checks neither lr nor weight decay inside a group.

    Raises:
        PlanError: Values that are negative or not finite, with their parameters.
    """
    bad: dict[tuple[str, float, int], tuple[Verdict, list[str]]] = {}
    for tensor, assignment in assignments.items():
        for name, value, verdict in (
            ("lr", assignment.lr, assignment.lr_verdict),
            ("weight_decay", assignment.weight_decay, assignment.weight_decay_verdict),
        ):
            if value is not None and not (isfinite(value) and value >= 0):
                entry = bad.setdefault((name, value, id(verdict)), (verdict, []))
                entry[1].append(inventory.carriers[tensor].name)
    if bad:
        raise PlanError(
            [
                Problem(
                    message=f"{name} would be {value} for {listed(names)}"
                    f"{_because(verdict)}: it must be finite and not negative",
                    place=verdict.place,
                )
                for (name, value, _), (verdict, names) in bad.items()
            ]
        )


def _because(verdict: Verdict) -> str:
    if verdict.key is not None:
        return f" (custom key {verdict.key!r})"
    return f" ({verdict.option})" if verdict.option else ""


def planned_optimizer(section: OptimizerConfig, optimizer: Optimizer) -> PlannedOptimizer:
    """The optimizer as the plan names it: its class, its base values and what the config gave it."""
    defaults: Mapping[str, Any] = getattr(optimizer, "defaults", {})
    return PlannedOptimizer(
        name=None,
        type=section.type.__qualname__ if isinstance(section.type, type) else str(section.type),
        class_name=class_name(optimizer),
        lr=_number(defaults.get("lr")),
        weight_decay=_number(defaults.get("weight_decay")),
        options={
            name: plain(value)
            for name, value in section.arguments.items()
            if name not in ("lr", "weight_decay")
        },
    )
