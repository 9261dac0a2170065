"""Unwrap models of parallel training and compilation, and remove the wrappers from names."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from optplan.errors import ModelError
from optplan.facts import Inventory, ParameterFacts
from optplan.model.inventory import class_name, make_inventory

if TYPE_CHECKING:
    from torch import nn

# What torch.compile, FSDP and activation checkpointing put into names, at any depth.
_PARTS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
_OUTER = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module")


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model that stands inside wrappers of torch; a model's own child ``module`` is none."""
    from torch import nn

    while True:
        names = _OUTER if _is_parallel(model) else _OUTER[:-1]
        inner = next((c for n in names if isinstance(c := model._modules.get(n), nn.Module)), None)  # noqa: SLF001
        if inner is None:
            return model
        model = inner


def bare_inventory(model: nn.Module) -> Inventory:
    """Return the facts of a model that :func:`unwrapped` gave, with what wrappers inside it add left out.

    Raises:
        ModelError: As :func:`optplan.model.make_inventory`; wrappers merged parameters into one.
    """
    inventory = make_inventory(model)
    bare = tuple(_bare(facts) for facts in inventory.parameters)
    flat = [facts.name for facts in bare if facts.local == "_flat_param"]
    if flat:
        raise ModelError(
            f"FullyShardedDataParallel has merged parameters into {flat[0]}",
            hint="wrap with use_orig_params=True, or with fully_shard",
        )
    return replace(inventory, parameters=bare, class_name=_class_name(model))


def _is_parallel(model: nn.Module) -> bool:
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    engine = getattr(sys.modules.get("deepspeed.runtime.engine"), "DeepSpeedEngine", None)
    is_engine = isinstance(engine, type) and isinstance(model, engine)
    return is_engine or isinstance(model, nn.DataParallel | DistributedDataParallel)


def _bare(facts: ParameterFacts) -> ParameterFacts:
    name, prefix = _without_parts(facts.name), _without_parts(facts.prefix)
    if name == facts.name:
        return facts
    return facts._replace(name=name, prefix=prefix)


def _without_parts(path: str) -> str:
    return ".".join(part for part in path.split(".") if part not in _PARTS)


def _class_name(model: nn.Module) -> str:
    """Return the model's own class: ``fully_shard`` puts one of its own in its place."""
    kind = type(model)
    if kind.__mro__[1:2] and kind.__mro__[1].__name__ == "FSDPModule":
        kind = kind.__mro__[2]
    return class_name(model) if kind is type(model) else f"{kind.__module__}.{kind.__qualname__}"
