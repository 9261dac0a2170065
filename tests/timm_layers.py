"""Layer decay as timm gives it to a model, held against optplan's."""

from __future__ import annotations

from timm.optim import param_groups_layer_decay
from torch import nn

import optplan

RATE = 0.75
CONFIG = {
    "optim_wrapper": {
        "optimizer": {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05},
        "constructor": "LayerDecayOptimizerConstructor",
        # some of timm's models share parameters
        "paramwise_cfg": {"layer_decay_rate": RATE, "bypass_duplicate": True},
    }
}


def timm_scales(model: nn.Module) -> dict[str, float]:
    """timm's ``lr_scale`` of every parameter, by name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {
        names[id(parameter)]: group["lr_scale"]
        for group in param_groups_layer_decay(model, layer_decay=RATE)
        for parameter in group["params"]
    }


def differences(model: nn.Module) -> dict[str, tuple[float | None, float | None]]:
    """Where optplan's ``lr_scale`` and timm's differ, or an lr is not the base lr times that."""
    plan = optplan.make_plan(model, CONFIG)
    theirs = timm_scales(model)
    ours = {row.name: row.lr_scale for row in plan.parameters if row.group is not None}
    found: dict[str, tuple[float | None, float | None]] = {
        name: (ours.get(name), theirs.get(name))
        for name in ours.keys() | theirs.keys()
        if ours.get(name) != theirs.get(name)
    }
    for row in plan.parameters:
        if row.name in theirs and not row.lr == row.effective_lr == 0.001 * theirs[row.name]:
            found[row.name] = (row.lr, row.effective_lr)
    return found
