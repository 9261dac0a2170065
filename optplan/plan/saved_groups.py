"""Param groups and schedulers as a checkpoint holds them, and whether the groups fit those of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from optplan.errors import listed
from optplan.plan.changes import ABSENT
from optplan.plan.plan import Plan, PlannedParameter

_SHOWN = 5
# What torch fills in for states of its older versions.
_FILLED_IN = frozenset(
    {
        "amsgrad",
        "capturable",
        "decoupled_weight_decay",
        "differentiable",
        "foreach",
        "fused",
        "maximize",
        "nesterov",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedGroup:
    """A param group as a checkpoint holds it.

    Args:
        entries: Its entries as plain data, without the parameters.
        shapes: For each parameter the shape that its state was saved with, None where that is not
            known.
        names: The parameters' names, where they were saved.
    """

    entries: Mapping[str, Any]
    shapes: tuple[tuple[int, ...] | None, ...]
    names: tuple[str, ...] | None = None

    def value(self, name: str) -> Any:
        """Return an entry as it was before any schedule; ``ABSENT`` where there is none."""
        first, betas = self.entries.get("initial_momentum"), self.entries.get("betas")
        if name == "betas" and first is not None and isinstance(betas, list | tuple):
            return type(betas)((first, *betas[1:]))
        return self.entries.get(f"initial_{name}", self.entries.get(name, ABSENT))


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSchedulers:
    """The states that a trainer saved of its schedulers, as plain data.

    Args:
        shared: Those of mmengine's runner with one optimizer.
        own: Those of mmengine's runner with several optimizers, by their names.
        torchs: Those of torch's own classes, as other trainers save them.
        unread: The names of further entries that seem to hold schedulers, and are not read.
    """

    shared: Sequence[Mapping[str, Any]] = ()
    own: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    torchs: Sequence[Mapping[str, Any]] = ()
    unread: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many there are of mmengine's."""
        return len(self.shared) + sum(map(len, self.own.values()))


Shape = tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTraining:
    """What a checkpoint holds of a training, as plain data.

    Args:
        title: Who saved it: ``Lightning``.
        optimizers: The param groups, by the optimizer's name or place; None for the only one.
        schedulers: The states of schedulers.
        progress: How far the training had come: ``epoch``, ``step``.
        model: The shapes of the model's tensors by name, None where a shape is not known; nothing without a model.
        needs_all: Loading refuses a model of which a tensor is not in the checkpoint.
        refuses_more: Loading refuses a checkpoint with a tensor that the model does not have.
        is_by_name: Loading gives values to parameters by their names, and not by their places.
        is_adapter: The tensors are those of an adapter of peft alone, named as peft saves them.
    """

    title: str
    optimizers: Mapping[str | int | None, tuple[SavedGroup, ...]]
    schedulers: SavedSchedulers = SavedSchedulers()
    progress: Mapping[str, int | float] = field(default_factory=dict)
    model: Mapping[str, Shape] = field(default_factory=dict)
    needs_all: bool = False
    refuses_more: bool = False
    is_by_name: bool = False
    is_adapter: bool = False


def members_of(plan: Plan) -> dict[int, list[PlannedParameter]]:
    """Return the rows of each group that has some."""
    found: dict[int, list[PlannedParameter]] = {}
    for row in plan.parameters:
        if row.group is not None:
            found.setdefault(row.group, []).append(row)
    return found


def misfits(plan: Plan, groups: Sequence[SavedGroup], defaults: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a checkpoint's groups cannot be loaded into those of a plan, or would go wrong then.

    torch refuses other numbers and sizes of groups. It accepts parameters in another order and groups
    of another optimizer, and fails or goes astray in the next step.

    Args:
        plan: The plan of the config that is resumed with.
        groups: The checkpoint's groups.
        defaults: The optimizer class's own options with their values, empty where unknown.
    """
    members = members_of(plan)
    # a trainer may make a group for which the model has no parameters
    count = max([*members, *(group.group for group in plan.empty_groups)], default=-1) + 1
    if len(groups) != count:
        yield f"param groups: {len(groups)} saved, {count} now"
        return
    pairs = [(members.get(index, []), group) for index, group in enumerate(groups)]
    sizes = [
        f"group {index}: {len(group.shapes)} saved, {len(rows)} now ({listed([r.name for r in rows])})"
        for index, (rows, group) in enumerate(pairs)
        if len(rows) != len(group.shapes)
    ]
    if sizes:
        yield f"param groups of other sizes: {_some(sizes)}"
        return
    wanted = [*plan.optimizers[0].options, *(name for name in defaults if name != "weight_decay")]
    if plan.optimizers[0].weight_decay is not None:
        wanted.append("weight_decay")
    yield from _missing(["lr", *wanted], groups)
    yield from _odd_values(groups)
    shapes = [
        f"{row.name} is {sizes_text(row.shape)}, the state in its place is {sizes_text(shape)}"
        for rows, group in pairs
        for row, shape in zip(rows, group.shapes, strict=True)
        if shape is not None and shape != row.shape
    ]
    if shapes:
        yield f"the parameters were others, or in another order: {_some(shapes)}"
    else:
        yield from _moved(pairs)


def _missing(wanted: Sequence[str], groups: Sequence[SavedGroup]) -> Iterator[str]:
    missing = [
        name
        for name in dict.fromkeys(wanted)
        if name not in _FILLED_IN and any(name not in group.entries for group in groups)
    ]
    if missing:
        yield f"its groups have no {listed(missing)}: another optimizer saved them"


def _odd_values(groups: Sequence[SavedGroup]) -> Iterator[str]:
    """Yield values that no training goes on with: JSON's plain data has text for them."""
    for name in ("lr", "weight_decay"):
        values = [group.value(name) for group in groups]
        odd = [str(value) for value in values if not (value is ABSENT or is_number(value))]
        if odd:
            yield f"its {name} is no finite number: {listed(list(dict.fromkeys(odd)))}"


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value of a group can be reckoned with."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moved(pairs: Sequence[tuple[Sequence[PlannedParameter], SavedGroup]]) -> Iterator[str]:
    """Yield parameters in another order, where the checkpoint has names and they are the same ones."""
    now = [row.name for rows, _ in pairs for row in rows]
    saved = [name for _, group in pairs for name in group.names or ()]
    if now != saved and sorted(now) == sorted(saved):
        moved = [
            f"{b} was saved in the place of {a}" for a, b in zip(now, saved, strict=True) if a != b
        ]
        yield f"the parameters are in another order: {_some(moved)}"


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _SHOWN
    return "; ".join(texts[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def sizes_text(shape: tuple[int, ...]) -> str:
    """Return a shape in a message: ``64×3``."""
    return "×".join(map(str, shape)) or "a scalar"
