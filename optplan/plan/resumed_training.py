"""Compare a plan with a whole checkpoint that is loaded over it: several optimizers, and the model's tensors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optplan.errors import listed
from optplan.plan.plan import Plan
from optplan.plan.resume import Resumed, resumed
from optplan.plan.saved_groups import SavedGroup, SavedTraining, members_of, sizes_text

Groups = tuple[SavedGroup, ...]
# The last parts of the names of buffers, for where nothing but a plan is known of a model.
_BUFFERS = frozenset(
    {
        "attn_mask",
        "inv_freq",
        "num_batches_tracked",
        "position_ids",
        "relative_position_index",
        "running_mean",
        "running_var",
    }
)


def resumed_training(
    plan: Plan, saved: SavedTraining, defaults: Sequence[Mapping[str, Any]]
) -> Resumed:
    """Return the plan with the values of a checkpoint, which overwrite the groups' own on resume.

    Args:
        plan: The plan of the config that is resumed with.
        saved: The checkpoint.
        defaults: For each optimizer its class's own options with their values, empty where unknown.
    """
    if len(saved.optimizers) != len(plan.optimizers):
        text = f"optimizers: {len(saved.optimizers)} saved, {len(plan.optimizers)} now"
        return Resumed(plan=plan, misfits=(text,), remarks=())
    found = plan
    misfits: list[str] = []
    remarks: list[str] = []
    for place, (one, own) in enumerate(zip(plan.optimizers, defaults, strict=True)):
        groups = _groups_of(saved, one.name, place)
        if groups is None:
            misfits.append(f"optimizer {one.name}: none saved of that name")
            continue
        part = _resumed_part(_part(plan, place), groups, own, is_by_name=saved.is_by_name)
        found = _with_part(found, part.plan, place)
        misfits += part.misfits
        remarks += part.remarks
    return Resumed(
        plan=plan if misfits else found,
        misfits=tuple(misfits),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def _groups_of(saved: SavedTraining, name: str | None, place: int) -> Groups | None:
    if len(saved.optimizers) == 1:
        return next(iter(saved.optimizers.values()))
    return saved.optimizers.get(name, saved.optimizers.get(place))


def _part(plan: Plan, place: int) -> Plan:
    """Return the plan of one optimizer alone."""
    rows = (row for row in plan.parameters if row.optimizer == place)
    return replace(
        plan,
        optimizers=(plan.optimizers[place],),
        parameters=tuple(row._replace(optimizer=0) for row in rows),
        empty_groups=tuple(
            replace(group, optimizer=0) for group in plan.empty_groups if group.optimizer == place
        ),
    )


def _with_part(plan: Plan, part: Plan, place: int) -> Plan:
    """Return a plan with the rows and the values of one of its optimizers."""
    rows = {row.name: row._replace(optimizer=place) for row in part.parameters}
    optimizers = list(plan.optimizers)
    optimizers[place] = part.optimizers[0]
    return replace(
        plan,
        optimizers=tuple(optimizers),
        parameters=tuple(rows.get(row.name, row) for row in plan.parameters),
    )


def _resumed_part(
    plan: Plan, groups: Groups, defaults: Mapping[str, Any], *, is_by_name: bool
) -> Resumed:
    if not is_by_name:
        return resumed(plan, groups, defaults)
    misfits = tuple(_misnamed(plan, groups))
    if misfits:
        return Resumed(plan=plan, misfits=misfits, remarks=())
    # groups without parameters have no names to be found by
    plan = replace(plan, empty_groups=())
    return resumed(plan, tuple(_regrouped(plan, groups)), defaults)


def _misnamed(plan: Plan, groups: Groups) -> Iterator[str]:
    """Yield why the groups of a plan cannot be given values by the names of their parameters."""
    owners = {name: number for number, group in enumerate(groups) for name in group.names or ()}
    missing = [
        row.name for row in plan.parameters if row.group is not None and row.name not in owners
    ]
    if missing:
        yield f"the checkpoint has no param group for {listed(missing)}"
        return
    for number, rows in members_of(plan).items():
        values = [groups[owners[row.name]].entries for row in rows]
        odd = [row.name for row, own in zip(rows, values, strict=True) if own != values[0]]
        if odd:
            yield (
                f"group {number} was several: its parameters were saved with other options,"
                f" {rows[0].name} and {listed(odd)}"
            )


def _regrouped(plan: Plan, groups: Groups) -> Iterator[SavedGroup]:
    """Yield the saved values in the groups of a plan."""
    places = {
        name: (group, shape)
        for group in groups
        for name, shape in zip(group.names or (), group.shapes, strict=True)
    }
    members = members_of(plan)
    for number in range(max(members, default=-1) + 1):
        found = [places[row.name] for row in members.get(number, [])]
        yield SavedGroup(
            entries=found[0][0].entries if found else {},
            shapes=tuple(shape for _, shape in found),
            names=tuple(row.name for row in members.get(number, [])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFit:
    """How the tensors of a checkpoint's model fit those of a plan's.

    Args:
        missing: Names that the checkpoint does not have.
        unexpected: Names that the model does not have.
        misfits: Why they cannot be loaded.
        remarks: What else there is to know.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misfits: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def fit_of(plan: Plan, saved: SavedTraining, tensors: Collection[str] | None) -> TensorFit:
    """Return how the checkpoint's model fits.

    Args:
        plan: The plan.
        saved: The checkpoint.
        tensors: The names in the state dict of the plan's model; None where the plan alone is known.
    """
    if not saved.model:
        return TensorFit()
    rows = {row.name: row for row in plan.parameters}
    wanted = dict.fromkeys([*rows, *(tensors or ())])
    there = {_bare(name): shape for name, shape in saved.model.items()}
    missing = [
        name
        for name in wanted
        if name not in there and not (name in rows and there.keys() & {*rows[name].aliases})
    ]
    unexpected = [
        name
        for name in there
        if name not in wanted and not (tensors is None and name.rpartition(".")[2] in _BUFFERS)
    ]
    shapes = [
        f"{name} is {sizes_text(row.shape)}, the saved one is {sizes_text(shape)}"
        for name, row in rows.items()
        if (shape := there.get(name)) is not None and shape != row.shape
    ]
    return TensorFit(
        missing=tuple(missing),
        unexpected=tuple(unexpected),
        misfits=tuple(_refusals(saved, missing, unexpected, shapes)),
        remarks=tuple(_prefixed(missing, unexpected)),
    )


def _bare(name: str) -> str:
    """Return a name without what wrappers put before it."""
    return name.replace("_orig_mod.", "").removeprefix("module.")


def _refusals(
    saved: SavedTraining, missing: Sequence[str], unexpected: Sequence[str], shapes: Sequence[str]
) -> Iterator[str]:
    if shapes:
        yield f"weights of other shapes: {listed(shapes)}"
    if missing and saved.needs_all:
        yield f"{saved.title} refuses it: the checkpoint has no {listed(missing)}"
    if unexpected and saved.refuses_more:
        yield f"{saved.title} refuses it: the model has no {listed(unexpected)}"


def _prefixed(missing: Sequence[str], unexpected: Sequence[str]) -> Iterator[str]:
    """Yield what tells the names of one side from those of the other, where all else of them is the same."""
    for longer, shorter, whose in (
        (unexpected, missing, "the checkpoint"),
        (missing, unexpected, "the model"),
    ):
        ends = {name.partition(".")[2] for name in longer}
        if shorter and ends and ends <= {*shorter}:
            yield f"the names of {whose} begin with {longer[0].partition('.')[0]}., the others do not"
