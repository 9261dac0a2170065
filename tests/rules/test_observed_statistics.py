"""What options and keys do under a constructor that was watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from optplan import OPTIMIZER_CONSTRUCTORS, DefaultOptimizerConstructor
from optplan.app.option_use import observed_entries
from optplan.app.planning import plan_with_facts
from optplan.rules.statistics import EntryStatistics


class Net(nn.Module):
    """A tied weight, a norm and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(3, 3)
        self.norm = nn.LayerNorm(3)
        self.twin = nn.Linear(3, 3)
        self.twin.weight = self.stem.weight
        self.head = nn.Linear(3, 1)


Change = Callable[[Any, list[dict[str, Any]]], object]


def entries(
    change: Change,
    paramwise: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    among: set[str] | None = None,
) -> dict[str, EntryStatistics]:
    """The entries by name, for a constructor that does this to what its base made."""

    class Watched(DefaultOptimizerConstructor):
        def add_params(
            self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
        ) -> None:
            super().add_params(params, module, prefix, is_dcn_module)
            if not prefix:
                change(self, params)

    registered = {**OPTIMIZER_CONSTRUCTORS.module_dict, "Watched": Watched}
    monkeypatch.setattr(OPTIMIZER_CONSTRUCTORS, "_entries", registered)
    wrapper = {
        "optimizer": {"type": "SGD", "lr": 0.1, "weight_decay": 0.1},
        "constructor": "Watched",
        "paramwise_cfg": {"bypass_duplicate": True, **paramwise},
    }
    planned = plan_with_facts(Net(), {"optim_wrapper": wrapper})
    rows = tuple(r for r in planned.plan.parameters if among is None or r.name in among)
    return {entry.name.text: entry for entry in observed_entries(planned, rows)}


def counts(found: dict[str, EntryStatistics]) -> dict[str, tuple[bool, int, int]]:
    return {name: (entry.is_read, entry.matched, entry.won) for name, entry in found.items()}


def nothing(constructor: Any, params: Any) -> None:
    """Leaves all as it is."""


def halve(constructor: Any, params: Any) -> None:
    """Halves the lr of matrices, by an option of its own."""
    for group in params:
        if group["params"][0].ndim > 1:
            group["lr"] = constructor.base_lr * constructor.paramwise_cfg["half"]


def test_what_is_left_to_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"head": {"lr_mult": 10}, "head.w": {"lr_mult": 5}, "nowhere": {"lr_mult": 1}}
    found = entries(nothing, {"norm_decay_mult": 0, "custom_keys": keys, "mine": 1}, monkeypatch)
    assert counts(found) == {
        "nowhere": (True, 0, 0),
        "head.w": (True, 1, 1),
        "head": (True, 2, 1),
        "bypass_duplicate": (True, 1, 1),
        "norm_decay_mult": (True, 2, 2),
        "mine": (False, 0, 0),
    }
    assert found["head"].words == ("head",)


def test_what_the_constructor_decides_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"norm_decay_mult": 0, "half": 0.5, "custom_keys": {"head": {"decay_mult": 0}}}
    assert counts(entries(halve, options, monkeypatch)) == {
        "head": (True, 2, 2),
        "bypass_duplicate": (True, 1, 1),
        "norm_decay_mult": (True, 2, 2),
        "half": (True, 2, 2),
    }


def test_only_some_names(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"norm_decay_mult": 0, "half": 0.5, "custom_keys": {"head": {"decay_mult": 0}}}
    assert counts(entries(halve, options, monkeypatch, {"head.weight", "norm.bias"})) == {
        "head": (True, 1, 1),
        "bypass_duplicate": (True, 0, 0),
        "norm_decay_mult": (True, 1, 1),
        "half": (True, 1, 1),
    }


class OwnRules(DefaultOptimizerConstructor):
    """Reads one of its options, and looks at the names of keys."""

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        keys = list(self.paramwise_cfg["custom_keys"])
        rate = self.paramwise_cfg["rate"]
        for name, parameter in module.named_parameters():
            first = any(key in name for key in keys)
            params.append({"params": [parameter], "lr": rate if first else self.base_lr})


def test_what_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = {**OPTIMIZER_CONSTRUCTORS.module_dict, "OwnRules": OwnRules}
    monkeypatch.setattr(OPTIMIZER_CONSTRUCTORS, "_entries", registered)
    options = {
        "rate": 1.0,
        "norm_decay_mult": 0.0,
        "bypass_duplicate": True,
        "layers": {"a": 1},
        "custom_keys": {"head": {"lr_mult": 2}, "nowhere": {"lr_mult": 2}},
    }
    wrapper = {
        "optimizer": {"type": "SGD", "lr": 0.1, "weight_decay": 0.1},
        "constructor": "OwnRules",
        "paramwise_cfg": options,
    }
    planned = plan_with_facts(Net(), {"optim_wrapper": wrapper})
    rows = planned.plan.parameters
    found = {entry.name.text: entry for entry in observed_entries(planned, rows)}
    assert counts(found) == {
        "nowhere": (True, 0, 0),
        "head": (False, 0, 0),
        "rate": (True, 7, 7),
        "norm_decay_mult": (False, 0, 0),
        "bypass_duplicate": (False, 0, 0),
        "layers": (False, 0, 0),
    }
