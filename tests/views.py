"""Plans with what they were made from, for the tests of the views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from optplan.app.planning import plan_with_facts
from optplan.plan import Planned
from optplan.reporters.selection import Selection
from tests.models import HARD_CASES, hard_case

# The hard cases that a plan can be made of.
PLANNED = HARD_CASES.keys() - {"AllFrozen", "ModuleIsNoModule", "ModuleIsNone", "NoParameters"}


class MarkedUp(nn.Module):
    """Names that a terminal, Markdown or a browser would read as markup."""

    NAMES = ("[red]", "<script>alert(1)", "a|b", "tick`s``", "esc\x1b[31m", "&lt;b&gt;", "$x$*_y_")

    def __init__(self) -> None:
        super().__init__()
        for name in self.NAMES:
            self.add_module(name, nn.Linear(2, 2))


class Transformer(nn.Module):
    """Three blocks, a ``head`` that a key for it shares with ``multihead_attn``, and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, 4))
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(4),
                    "multihead_attn": nn.Linear(4, 4),
                    "norm2": nn.LayerNorm(4),
                    "mlp": nn.ModuleDict({"fc1": nn.Linear(4, 8), "fc2": nn.Linear(8, 4)}),
                }
            )
            for _ in range(3)
        )
        self.head = nn.Linear(4, 2)


def on_meta(model: type[nn.Module]) -> nn.Module:
    """The model without memory."""
    with torch.device("meta"):
        return model()


def planned(model: nn.Module | str, paramwise: Mapping[str, Any], **optimizer: Any) -> Planned:
    """AdamW, lr 0.001, weight decay 0.05, for a model or a hard case."""
    arguments = {"type": "AdamW", "lr": 0.001, "weight_decay": 0.05} | optimizer
    return plan_with_facts(
        hard_case(model) if isinstance(model, str) else model,
        {"optim_wrapper": {"optimizer": arguments, "paramwise_cfg": dict(paramwise)}},
    )


def selection(model: nn.Module | str, paramwise: Mapping[str, Any], **optimizer: Any) -> Selection:
    """All rows of such a plan."""
    plan = planned(model, paramwise, **optimizer).plan
    return Selection(plan=plan, rows=plan.parameters)
