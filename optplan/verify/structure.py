"""Compare the real groups with the plan, by the identity of tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.constructors.built_values import PlannedEntries
from optplan.constructors.observed_groups import at_start
from optplan.model import class_name
from optplan.names import Status
from optplan.plan import PlannedParameter, hashable, plain
from optplan.verify.results import Mismatch
from optplan.verify.subject import ModelUnderTest, PlannedTensor
from optplan.verify.tensors import digest

NOWHERE = "in no group"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a tensor really is: the optimizer, the group, its place in the group, the group's entries."""

    optimizer: int
    group: int
    position: int
    entries: Mapping[str, Any]
    inner: Optimizer
    tensor: Tensor


def compare_structure(subject: ModelUnderTest) -> tuple[Mismatch, ...]:
    """Return all in which the real groups are not the plan's; equal ones of several parameters are one."""
    spots = _spots(subject)
    found: dict[Any, tuple[str, Any, Any, list[str]]] = {}
    for name, what, planned, built in _differences(subject, spots):
        key = what, hashable(plain(planned)), hashable(plain(built))
        found.setdefault(key, (what, planned, built, []))[3].append(name)
    return (
        *_optimizers(subject),
        *_names(subject),
        *_strangers(subject, spots),
        *(
            Mismatch(what=what, planned=planned, built=built, parameters=tuple(names))
            for what, planned, built, names in found.values()
        ),
    )


def _spots(subject: ModelUnderTest) -> dict[int, _Spot]:
    found: dict[int, _Spot] = {}
    for number, named in enumerate(subject.optimizers):
        for index, group in enumerate(named.optimizer.param_groups):
            entries = {name: value for name, value in at_start(group).items() if name != "params"}
            for position, tensor in enumerate(group["params"]):
                found[id(tensor)] = _Spot(
                    optimizer=number,
                    group=index,
                    position=position,
                    entries=entries,
                    inner=named.inner,
                    tensor=tensor,
                )
    return found


def _optimizers(subject: ModelUnderTest) -> Iterator[Mismatch]:
    """Yield optimizers that are not as planned: their number, and their classes."""
    planned, built = subject.plan.optimizers, subject.optimizers
    if len(planned) != len(built):
        yield Mismatch(what="optimizers", planned=len(planned), built=len(built))
    for plan, named in zip(planned, built, strict=False):
        real = class_name(named.inner)
        if plan.class_name != real:
            yield Mismatch(what="optimizer", planned=plan.class_name, built=real)


def _names(subject: ModelUnderTest) -> Iterator[Mismatch]:
    """Yield names that the plan or the model lacks: a saved plan may be of another model."""
    planned = dict.fromkeys(row.name for row in subject.plan.parameters)
    if missing := tuple(name for name in planned if name not in subject.tensors):
        yield Mismatch(
            what="model", planned="a parameter", built="no such name", parameters=missing
        )
    if new := tuple(name for name in subject.tensors if name not in planned):
        yield Mismatch(what="model", planned="no such name", built="a parameter", parameters=new)


def _strangers(subject: ModelUnderTest, spots: Mapping[int, _Spot]) -> Iterator[Mismatch]:
    """Yield tensors in the groups that are none of the model's, with the parameters that they stand for."""
    by_group: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
    for key, spot in spots.items():
        if key not in subject.names:
            by_group[spot.optimizer, spot.group].append(spot.tensor)
    left = [held for held in subject.held if id(held.tensor) not in spots]
    for (_, group), tensors in by_group.items():
        copied = {held.name for one in tensors for held in _copied(one, left or subject.held)}
        count = len(tensors)
        text = f"{count} tensor{'s' * (count != 1)} in group {group}, none of the model's"
        yield Mismatch(
            what="coverage",
            planned="the model's parameters",
            built=f"{text}, but of the shape of some" if copied else text,
            parameters=tuple(held.name for held in subject.held if held.name in copied),
        )


def _copied(tensor: Tensor, candidates: Sequence[PlannedTensor]) -> Sequence[PlannedTensor]:
    """Return the parameters that a tensor may be a copy of: those of equal values, else of equal shape."""
    alike = [held for held in candidates if held.tensor.shape == tensor.shape]
    equal = [held for held in alike if torch.equal(digest(held.tensor), digest(tensor))]
    return equal or alike


def _differences(
    subject: ModelUnderTest, spots: Mapping[int, _Spot]
) -> Iterator[tuple[str, str, Any, Any]]:
    """Name, what, planned, built: of every tensor in every respect."""
    last: dict[tuple[int, int], int] = {}
    planned_entries: dict[tuple[int, int], PlannedEntries] = {}
    # of other constructors the plan does not know in which order they fill a group
    has_order = subject.plan.constructor in DEFAULT_CONSTRUCTORS
    for held in subject.held:
        row, spot = held.row, spots.get(id(held.tensor))
        if tuple(held.tensor.shape) != row.shape:
            yield row.name, "shape", row.shape, tuple(held.tensor.shape)
        if held.tensor.requires_grad != row.requires_grad:
            words = {True: "trainable", False: "frozen"}
            yield row.name, "status", words[row.requires_grad], words[held.tensor.requires_grad]
        if row.group is None or spot is None:
            if row.group is not None or spot is not None:
                yield row.name, "coverage", _place(row), _real_place(spot)
            continue
        if (row.optimizer, row.group) != (spot.optimizer, spot.group):
            yield row.name, "group", _place(row), _real_place(spot)
        if has_order and spot.position < last.get((spot.optimizer, spot.group), -1):
            yield row.name, "order", "in the model's order", f"place {spot.position} of its group"
        last[spot.optimizer, spot.group] = spot.position
        wanted = row.optimizer or 0, id(spot.inner)
        if wanted not in planned_entries:
            planned_entries[wanted] = PlannedEntries(subject.plan.optimizers[wanted[0]], spot.inner)
        for what, planned, built in planned_entries[wanted].differences(row, spot.entries):
            yield row.name, what, planned, built


def _place(row: PlannedParameter) -> str:
    if row.group is None:
        return NOWHERE if row.status is not Status.FROZEN else f"frozen, {NOWHERE}"
    return f"group {row.group}" + (f" of optimizer {row.optimizer}" if row.optimizer else "")


def _real_place(spot: _Spot | None) -> str:
    if spot is None:
        return NOWHERE
    return f"group {spot.group}" + (f" of optimizer {spot.optimizer}" if spot.optimizer else "")
