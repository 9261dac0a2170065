"""Read what each tensor gets from the groups of an optimizer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isclose, isfinite
from typing import TYPE_CHECKING, Any

from optplan.config import OptimizerConfig
from optplan.errors import PlanError, Problem, listed
from optplan.facts import Inventory, OptimizerFacts
from optplan.plan import Assignment, PlannedOptimizer, plain
from optplan.planner.groups import PlannedGroup
from optplan.rules import Verdict

if TYPE_CHECKING:
    from torch.optim import Optimizer

Entries = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What came of a throw-away optimizer, really made or known from before.

    Args:
        optimizer: The optimizer.
        groups: The entries of the group that each tensor ended up in, by the tensor's number.
    """

    optimizer: OptimizerFacts
    groups: Mapping[int, Entries]


def assign(
    groups: Sequence[PlannedGroup], dry: DryRun, inventory: Inventory
) -> dict[int, Assignment]:
    """Return what each tensor gets, by its number.

    Args:
        groups: The groups as the constructor made them.
        dry: The throw-away optimizer, which has filled the groups with its defaults.
        inventory: The model's parameters, for messages.

    Raises:
        PlanError: An lr or weight decay that is negative or not finite.
    """
    # the rules multiply the lr itself, where they know layers
    by_layer = any(group.decision.name is not None for group in groups)
    own = {group.verdicts: group.decision.entries for group in groups}
    reader = GroupReader(dry.optimizer, own.values(), is_scaled=by_layer)
    shared: dict[tuple[int, int], dict[str, Any]] = {}
    assignments: dict[int, Assignment] = {}
    for index, group in enumerate(groups):
        final = dry.groups.get(group.members[0].tensor) or next(
            (f for m in group.members if (f := dry.groups.get(m.tensor))), None
        )
        if final is None:
            continue
        verdicts = group.verdicts
        values = shared.get(verdicts)
        if values is None:
            values = shared[verdicts] = reader.values(group.decision.entries, final)
        if (name := group.decision.name) is not None:
            values = values | {"extra": values["extra"] | {"param_name": name}}
        assignment = Assignment(
            optimizer=0,
            group=index,
            lr_verdict=group.decision.lr,
            weight_decay_verdict=group.decision.weight_decay,
            **values,
        )
        for member in group.members:
            if member.tensor in dry.groups:
                assignments[member.tensor] = assignment
    if any(is_bad(values[name]) for values in shared.values() for name in ("lr", "weight_decay")):
        refuse_bad_values(assignments, inventory)
    return assignments


class GroupReader:
    """Reads what the groups of one optimizer give their members.

    Args:
        optimizer: The optimizer.
        own: The entries that each group was made with.
        is_scaled: The lr of a group is known to have its scale in it.
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimizerFacts,
        own: Iterable[Entries],
        *,
        is_scaled: bool = False,
    ) -> None:
        self.defaults: Entries = getattr(optimizer, "defaults", {})
        home = getattr(optimizer, "class_name", type(optimizer).__module__)
        self._is_torchs = home.startswith("torch.optim.")
        self.base_lr = as_number(self.defaults.get("lr"))
        self.bases = {
            "lr": self.base_lr,
            "weight_decay": as_number(self.defaults.get("weight_decay")),
        }
        self._is_scaled = is_scaled or any(self._holds_scale(entries) for entries in own)

    def values(self, own: Entries, final: Entries) -> dict[str, Any]:
        """Return the values of an :class:`Assignment` that a group gives.

        Args:
            own: The entries that it was made with.
            final: The same with the optimizer's defaults.
        """
        lr, scale = as_number(final.get("lr")), _scale(own)
        options, extra = self._split(own)
        return {
            "lr": lr,
            "weight_decay": as_number(final.get("weight_decay")) if self._decays else None,
            "lr_scale": scale,
            "effective_lr": lr if lr is None or scale is None or self._is_scaled else lr * scale,
            "layer": _layer(own),
            "options": options,
            "extra": extra,
        }

    @property
    def _decays(self) -> bool:
        """Whether a group's weight decay counts: torch's own classes ignore what is not in their defaults."""
        return "weight_decay" in self.defaults or not self._is_torchs

    def _holds_scale(self, own: Entries) -> bool:
        """Return whether an lr has its scale in it already; timm leaves that to its schedulers."""
        scale, lr = _scale(own), as_number(own.get("lr"))
        if scale is None or scale == 1 or lr is None or self.base_lr is None:
            return False
        return isclose(lr, self.base_lr * scale, rel_tol=1e-9)

    def _split(self, entries: Entries) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a group's own entries: hyper-parameters of the optimizer, and all else."""
        options: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, value in entries.items():
            if name == "lr" or (name == "weight_decay" and self._decays):
                continue
            (options if name in self.defaults else extra)[name] = plain(value)
        return options, extra


def _scale(own: Entries) -> float | None:
    scale = own.get("lr_scale")
    return float(scale) if isinstance(scale, int | float) and not isinstance(scale, bool) else None


def _layer(own: Entries) -> int | None:
    layer = own.get("layer_id")
    return layer if isinstance(layer, int) and not isinstance(layer, bool) else None


def as_number(value: Any) -> float | None:
    """Return a group's value as a number; torch takes a tensor for an lr too."""
    torch = sys.modules.get("torch")  # without it there are no tensors
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.item() if value.numel() == 1 and not value.is_meta else None
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return inf if value > 0 else -inf  # the product of two whole numbers
    return value if isinstance(value, int | float) else None


def is_bad(value: float | None) -> bool:
    """Return whether a value is negative or not finite."""
    return value is not None and not (isfinite(value) and value >= 0)


def refuse_bad_values(assignments: Mapping[int, Assignment], inventory: Inventory) -> None:
    """Refuse a bad lr or weight decay inside a group: torch checks neither.

    Raises:
        PlanError: Values that are negative or not finite, with their parameters.
    """
    bad: dict[tuple[str, float, int], tuple[Verdict, list[str]]] = {}
    for tensor, assignment in assignments.items():
        for name, value, verdict in (
            ("lr", assignment.lr, assignment.lr_verdict),
            ("weight_decay", assignment.weight_decay, assignment.weight_decay_verdict),
        ):
            if value is not None and is_bad(value):
                entry = bad.setdefault((name, value, id(verdict)), (verdict, []))
                entry[1].append(inventory.primary_names[tensor].name)
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
    who = verdict.option or verdict.constructor
    return f" ({who})" if who else ""


def planned_optimizer(
    optimizer: OptimizerFacts, section: OptimizerConfig | None, name: str | None = None
) -> PlannedOptimizer:
    """Return the optimizer as the plan names it: its class, its base values and what the config gave it.

    Args:
        optimizer: The optimizer.
        section: The config's section; None where there is none, or one of several optimizers.
        name: Its name among several.
    """
    defaults = optimizer.defaults
    kind = None if section is None else section.type
    given = {} if section is None else section.arguments
    return PlannedOptimizer(
        name=name,
        type=kind.__qualname__ if isinstance(kind, type) else str(kind or optimizer.type_name),
        class_name=optimizer.class_name,
        lr=as_number(defaults.get("lr")),
        weight_decay=as_number(defaults.get("weight_decay")),
        options={
            name: plain(value)
            for name, value in given.items()
            if name not in ("lr", "weight_decay")
        },
    )
