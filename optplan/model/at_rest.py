"""Modules that stay out of training mode, because their model keeps them so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optplan.chatter import hushed
from optplan.model.untouched import untouched

if TYPE_CHECKING:
    from torch import nn


def at_rest(model: nn.Module) -> frozenset[int]:
    """The modules that ``model.train()`` leaves in eval mode, by their ``id``.

    Many backbones override it, to keep the running statistics of what they freeze. The model is left as
    it was; one whose ``train`` raises keeps nothing at rest.
    """
    from torch import nn

    if all(type(module).train is nn.Module.train for module in model.modules()):
        return frozenset()
    try:
        with untouched(model), hushed():
            model.train()
            return frozenset(id(module) for module in model.modules() if not module.training)
    except Exception:  # noqa: BLE001 - a stranger's method may raise anything
        return frozenset()
