"""Store the model and the optimizer of a plan in the cache."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from optplan.app.cached_plan import CachedPlans, is_layered
from optplan.cache.optimizers import KNOWN_CLASSES
from optplan.constructors.dry_run import optimizer_facts
from optplan.constructors.optimizers import optimizer_class
from optplan.plan import Planned


def store(
    cached: CachedPlans, found: Planned, arguments: Mapping[str, Any], *, is_silent: bool
) -> None:
    """Store the model and the optimizer of a plan.

    Args:
        cached: The cache.
        found: A plan whose parts may be stored.
        arguments: Those of its model.
        is_silent: Nothing was printed while the model was built: what is printed is not stored.
    """
    if is_silent:
        _store_model(cached, found, arguments)
    _store_optimizer(cached, str(found.section.type))


def _store_optimizer(cached: CachedPlans, kind: str) -> None:
    if cached.optimizers.get(kind) is not None:
        return
    make: Any = optimizer_class(kind)
    class_name = f"{make.__module__}.{make.__qualname__}"
    is_torchs = getattr(sys.modules.get(make.__module__), make.__name__, None) is make
    if not is_torchs or class_name not in KNOWN_CLASSES:
        return
    made = optimizer_facts(make([nn.Parameter(torch.empty(1, device="meta"))]))
    for name in {kind, class_name}:
        cached.optimizers.put(name, made)


def _store_model(cached: CachedPlans, found: Planned, arguments: Mapping[str, Any]) -> None:
    """Store the model's parameters, and those with layers if the model itself says them."""
    inventory, options = found.inventory, found.options
    if options is not None and is_layered(options):
        if options.layers is None:
            cached.models.put(inventory, arguments, has_layers=True)
        plain = (
            facts._replace(layer=None, layers=None, in_layer_pattern=True)
            for facts in inventory.parameters
        )
        inventory = replace(inventory, parameters=tuple(plain))
    cached.models.put(inventory, arguments)
