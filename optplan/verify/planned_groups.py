"""The groups of an optimizer as the plan says that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.constructors.built_values import NO_ENTRY, PlannedEntries, plain_value
from optplan.plan import plain
from optplan.plan.compare import differ
from optplan.verify.hooks import strip
from optplan.verify.subject import ModelUnderTest, PlannedTensor

_MEMBERS = frozenset({"params", "param_names", "param_name"})


class PlannedValues:
    """What the plan gives the parameters of a subject.

    Args:
        subject: The subject.
    """

    def __init__(self, subject: ModelUnderTest) -> None:
        pairs = zip(subject.plan.optimizers, subject.optimizers, strict=False)
        self._optimizers = [PlannedEntries(planned, real.inner) for planned, real in pairs]
        self._real = [real.inner for real in subject.optimizers]
        self._tensor_lr = {
            id(one): group["lr"]
            for real in subject.optimizers
            for group in real.optimizer.param_groups
            if isinstance(group.get("lr"), torch.Tensor)
            for one in group["params"]
        }

    def tensor_lr(self, held: PlannedTensor) -> torch.Tensor | None:
        """Return the tensor in which the real group of a parameter keeps its lr; None for a plain number."""
        return self._tensor_lr.get(id(held.tensor))

    def entries(self, held: PlannedTensor) -> dict[str, Any]:
        """Return all entries that a parameter's group should have, but its members."""
        number = held.row.optimizer or 0
        if number >= len(self._optimizers):
            return {}
        defaults = self._real[number].defaults
        wanted = self._optimizers[number].of(held.row)
        return {
            name: _real_object(value, defaults.get(name))
            for name, value in wanted.items()
            if name not in _MEMBERS
        }


def _real_object(value: Any, real: Any) -> Any:
    """Return the real value for a text of the plan that it reads as: the plan has text for what is no plain data."""
    return real if isinstance(value, str) and plain(real) == value else value


def make_reference(subject: ModelUnderTest) -> None:
    """Make the optimizers of a subject those of the plan: its groups and values, and no hooks on them.

    Groups that are as planned stay as they are, since a class may have taken note of them.
    """
    values = PlannedValues(subject)
    for number, named in enumerate(subject.optimizers):
        strip(named.optimizer)
        members: dict[Any, list[PlannedTensor]] = {}
        for held in subject.held:
            if held.row.optimizer == number and held.row.group is not None:
                members.setdefault(held.row.group, []).append(held)
        _correct(named.optimizer, members, values)


def _correct(
    optimizer: Optimizer, members: Mapping[int, Sequence[PlannedTensor]], values: PlannedValues
) -> None:
    planned = {
        group: {id(held.tensor) for held in held_there} for group, held_there in members.items()
    }
    real = {
        index: ids
        for index, group in enumerate(optimizer.param_groups)
        if (ids := {id(one) for one in group["params"]})
    }
    if real == planned and all(_are_alike(held, values) for held in members.values()):
        for index, held_there in members.items():
            _give(optimizer.param_groups[index], values.entries(held_there[0]))
        return
    optimizer.param_groups[:] = [
        {"params": [held.tensor for held in alike], **values.entries(alike[0])}
        for _, held_there in sorted(members.items())
        for alike in _alike(held_there, values)
    ]


def _give(group: dict[str, Any], wanted: Mapping[str, Any]) -> None:
    for name in set(group) - _MEMBERS - set(wanted):
        del group[name]
    for name, value in wanted.items():
        if value == NO_ENTRY:
            group.pop(name, None)
        elif name not in group or differ(plain_value(group[name]), plain_value(value)):
            group[name] = value


def _are_alike(several: Sequence[PlannedTensor], values: PlannedValues) -> bool:
    return len(_alike(several, values)) == 1


def _alike(several: Sequence[PlannedTensor], values: PlannedValues) -> list[list[PlannedTensor]]:
    found: dict[str, list[PlannedTensor]] = {}
    for held in several:
        found.setdefault(values_key(values.entries(held)), []).append(held)
    return list(found.values())


def values_key(entries: Mapping[str, Any]) -> str:
    """Return a text that is the same for equal entries."""
    return repr(sorted((name, repr(value)) for name, value in entries.items()))
