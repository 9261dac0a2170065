"""Remembering what a plan was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from optplan.cache.optimizers import optimizer_key
from optplan.constructors.optimizers import optimizer_class
from optplan.constructors.probing import probed
from optplan.constructors.remembered import Remembered, is_layered, own_names
from optplan.plan import Planned


def remember(
    remembered: Remembered, found: Planned, arguments: Mapping[str, Any], *, is_silent: bool
) -> None:
    """Remember the model and the optimizer of a plan.

    Args:
        remembered: Where.
        found: A plan that it vouches for.
        arguments: Those of its model.
        is_silent: Nothing was said while the model was built, which would be missed if it were not.
    """
    if is_silent:
        _remember_model(remembered, found, arguments)
    section, assigned = found.section, found.assignments.values()
    is_several = len({one.group for one in assigned}) > 1
    key = optimizer_key(
        section.type,
        section.arguments,
        entries=own_names(name for one in assigned for name in (*one.options, *one.extra)),
        is_several=is_several,
    )
    if key is None or remembered.optimizers.get(key, section.arguments) is not None:
        return
    made = probed(optimizer_class(section.type or ""), section.arguments, is_several=is_several)
    if made is not None:
        remembered.optimizers.put(key, *made)


def _remember_model(remembered: Remembered, found: Planned, arguments: Mapping[str, Any]) -> None:
    """The model's parameters, and those with layers if the model itself says them."""
    inventory, options = found.inventory, found.options
    if options is not None and is_layered(options):
        if options.layers is None:
            remembered.models.put(inventory, arguments, has_layers=True)
        plain = (
            facts._replace(layer=None, layers=None, in_layer_pattern=True)
            for facts in inventory.parameters
        )
        inventory = replace(inventory, parameters=tuple(plain))
    remembered.models.put(inventory, arguments)
