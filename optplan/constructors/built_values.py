"""Read the options and the entries of groups from an optimizer that was built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import isclose
from typing import Any

import torch
from torch.optim import Optimizer

from optplan.config import OptimizerConfig
from optplan.constructors.dry_run import optimizer_facts
from optplan.constructors.observed_groups import ObservedGroup, ObservedOptimizer
from optplan.constructors.only_groups import OnlyGroups
from optplan.constructors.optimizers import class_defaults
from optplan.model import class_name
from optplan.plan import PlannedOptimizer, PlannedParameter, plain
from optplan.plan.compare import differ, is_label
from optplan.planner.assign import planned_optimizer

_VALUES = ("lr", "weight_decay")
# Entries that say which parameters a group has, not what it gives them.
_NAMES = frozenset({"param_name", "param_names"})


def built_optimizer(
    one: ObservedOptimizer, section: OptimizerConfig | None, *, is_written: bool
) -> PlannedOptimizer:
    """Return an optimizer as the plan names it, with every option that is not its class's own default.

    Args:
        one: The optimizer that was built.
        section: The config's section; None where there is none.
        is_written: The base values are those of a config. Otherwise a base value that no group has is
            left out, since nobody wrote it and it decides nothing.
    """
    planned = planned_optimizer(optimizer_facts(one.optimizer), section, one.name)
    if isinstance(one.optimizer, OnlyGroups):
        return planned
    own = class_defaults(planned.class_name)
    base = base_options(one, is_written=is_written)
    given = {name: base.get(name, value) for name, value in planned.options.items()}
    built = {
        name: value for name, value in base.items() if name not in own or differ(value, own[name])
    }
    planned = replace(planned, options={**given, **built})
    if is_written:
        return planned
    lr, weight_decay = (
        base if _is_used(name, base, one.groups) else None
        for name, base in (("lr", planned.lr), ("weight_decay", planned.weight_decay))
    )
    return replace(planned, lr=lr, weight_decay=weight_decay)


def base_options(one: ObservedOptimizer, *, is_written: bool) -> dict[str, Any]:
    """Return the options of an optimizer that count for groups which have none of their own.

    Those that a config writes are its arguments. Else they follow from the groups alone, so that optimizers
    which train alike have the same ones, wherever they are written: the class's own default where a group
    has it, or the value of the first group.
    """
    own = class_defaults(class_name(one.optimizer))
    filled = [group.final for group in one.groups if group.members]
    found = {}
    for name, default in optimizer_facts(one.optimizer).defaults.items():
        if name in _VALUES:
            continue
        values = [plain_value(entries.get(name, default)) for entries in filled]
        if is_written or not values:
            found[name] = plain_value(default)
        elif name in own and not all(differ(value, own[name]) for value in values):
            found[name] = own[name]
        else:
            found[name] = values[0]
    return found


def _is_used(name: str, base: float | None, groups: Iterable[ObservedGroup]) -> bool:
    return any(not differ(plain_value(group.final.get(name)), base) for group in groups)


def plain_value(value: Any) -> Any:
    """Return an entry of a group as plain data, a tensor of one element as its number."""
    if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_meta:
        return plain(value.item())
    if isinstance(value, tuple | list):
        return tuple(plain_value(item) for item in value)
    return plain(value)


def telling_entries(groups: Sequence[ObservedGroup], defaults: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of entries, besides options, by which settings differ.

    An entry counts where it differs between groups, is no label, and is no multiplier that the groups' lr
    or weight decay has in it already.
    """
    filled = [group.final for group in groups if group.members]
    names = {name for entries in filled for name in entries if name not in defaults}
    return frozenset(
        name
        for name in names - {*_VALUES, *_NAMES, "lr_scale"}
        if _tells(name, [entries.get(name, _ABSENT) for entries in filled])
        and not any(_is_applied(name, value, filled) for value in _VALUES)
    )


_ABSENT = "(none)"


def _tells(name: str, values: Sequence[Any]) -> bool:
    return len({repr(plain(value)) for value in values}) > 1 and not is_label(name, values)


def _is_applied(name: str, value: str, groups: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a value of all groups is one base value times an entry, which is 1 where it is missing."""
    pairs = [(group.get(value), group.get(name, 1.0)) for group in groups]
    if not all(_is_number(product) and _is_number(factor) for product, factor in pairs):
        return False
    bases = [product / factor for product, factor in pairs if factor]
    return (
        any(bases)
        and all(isclose(base, bases[0], rel_tol=1e-9) for base in bases)
        and not any(product for product, factor in pairs if not factor)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class PlannedEntries:
    """What the groups of an optimizer should hold.

    Args:
        planned: The optimizer in the plan.
        real: The optimizer that was built.
    """

    def __init__(self, planned: PlannedOptimizer, real: Optimizer) -> None:
        facts = optimizer_facts(real)
        entries = _entry_names(real, facts.defaults)
        found = {
            name: plain_value(value) for name, value in facts.defaults.items() if name in entries
        }
        found |= {
            name: value for name, value in class_defaults(facts.class_name).items() if name in found
        }
        # a plan that states every option means None as a value, others leave it to the class
        is_whole = found.keys() - set(_VALUES) <= planned.options.keys()
        self._base = found | {
            name: value
            for name, value in planned.options.items()
            if name in found and (is_whole or value is not None)
        }

    def of(self, row: PlannedParameter) -> dict[str, Any]:
        """Return all that the group of a parameter should hold."""
        found = self._base | {"lr": row.lr, **row.options, **row.extra}
        if "weight_decay" in found or row.weight_decay is not None:
            found["weight_decay"] = row.weight_decay
        return found

    def _has_none(self, row: PlannedParameter, name: str, entries: Mapping[str, Any]) -> bool:
        """Return whether there is no such lr or weight decay: not in the plan, the class or the group."""
        return getattr(row, name) is None and name not in self._base and name not in entries

    def differences(
        self, row: PlannedParameter, entries: Mapping[str, Any]
    ) -> Iterator[tuple[str, Any, Any]]:
        """Yield each entry of a parameter's group that is not as planned: name, planned, built.

        Args:
            row: The parameter.
            entries: Its group there, as at the start of the training.
        """
        wanted = self.of(row)
        for name in dict.fromkeys([*wanted, *entries]):
            if name in _NAMES or (name in _VALUES and self._has_none(row, name, entries)):
                continue
            now = plain_value(entries[name]) if name in entries else NO_ENTRY
            then = wanted.get(name, NO_ENTRY)
            if differ(now, then):
                yield name, then, now


def _entry_names(real: Optimizer, defaults: Mapping[str, Any]) -> set[str]:
    """Return which defaults are entries of groups: all of them, unless a class fills its groups otherwise."""
    if type(real).add_param_group is Optimizer.add_param_group:
        return set(defaults)
    return {name for name in defaults if any(name in group for group in real.param_groups)}


NO_ENTRY = "no such entry"
