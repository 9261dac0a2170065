"""Find modules that ``model.train()`` leaves in eval mode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from optplan.runtime.stdio import suppress_output

if TYPE_CHECKING:
    from torch import nn


def modules_in_eval_mode(model: nn.Module, kinds: Iterable[type[nn.Module]]) -> frozenset[int]:
    """Return the modules that ``model.train()`` leaves in eval mode, by their ``id``.

    Many backbones override it, to keep the running statistics of what they freeze. Modes and
    ``requires_grad`` are put back; where ``train`` raises, no module counts.

    Args:
        model: The model.
        kinds: The classes of its modules.
    """
    from torch import nn

    if all(kind.train is nn.Module.train for kind in kinds):
        return frozenset()
    modules = list(nn.Module.modules(model))
    modes = [(module, module.training) for module in modules]
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        with suppress_output():
            model.train()
        return frozenset(id(module) for module in modules if not module.training)
    except Exception:  # noqa: BLE001 - a stranger's method may raise anything
        return frozenset()
    finally:
        for module, mode in modes:
            module.training = mode
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
