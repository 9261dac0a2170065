"""What torch's optimizers make of arguments follows from the kind of these."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from optplan.cache import Store
from optplan.cache.optimizers import RememberedOptimizers, Source, kind_of, optimizer_key
from optplan.config import Symbol
from optplan.constructors.optimizers import OPTIMIZERS
from optplan.constructors.probing import probed
from optplan.facts import OptimizerFacts
from tests.reference import torch_optimizers

ALIKE: list[tuple[Any, Any, bool]] = [
    (0.1, 0.9, True),
    (1e-12, 0.5, True),
    (2.0, 1e30, True),
    (-0.1, -7.0, True),
    (0.1, 1.0, False),
    (0.1, 0.0, False),
    (0.1, -0.1, False),
    (1.5, inf, False),
    (0.1, nan, False),
    (1, 1.0, False),
    (2, 3, True),
    (2, 10**400, True),
    (True, 1, False),
    (True, False, False),
    (None, 0.0, False),
    ("a", "b", False),
    ((0.9, 0.999), (0.8, 0.95), True),
    ((0.9, 0.999), (0.9, 1.0), False),
    ((0.9, 0.999), [0.9, 0.999], False),
    ((0.9, 0.999), (0.9,), False),
    ((0.9, (0.1,)), (0.9, (0.2,)), True),
]


@pytest.mark.parametrize(("one", "other", "alike"), ALIKE, ids=repr)
def test_kinds(one: object, other: object, alike: bool) -> None:
    assert kind_of(one) is not None
    assert (kind_of(one) == kind_of(other)) is alike


@pytest.mark.parametrize("value", [{}, {"a": 1}, Symbol("a.b"), (0.1, {}), [None, object()]])
def test_what_has_no_kind(value: object) -> None:
    assert kind_of(value) is None
    assert optimizer_key("SGD", {"x": value}, entries=(), is_several=True) is None


def test_a_class_has_no_key() -> None:
    assert optimizer_key(torch.optim.SGD, {}, entries=(), is_several=True) is None


REMEMBERED = {
    "ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop",
    "SGD", "SparseAdam", "TorchAdafactor",
}  # fmt: skip


def first_try(
    name: str, *, is_several: bool = True
) -> tuple[OptimizerFacts, dict[str, Source]] | None:
    found = OPTIMIZERS.get(name)
    assert found is not None
    return probed(found, {"lr": 0.1}, is_several=is_several)


def test_which_optimizers_are_remembered() -> None:
    """Not LBFGS, which takes no groups, and not Muon, which takes matrices alone."""
    assert {name for name in torch_optimizers() if first_try(name)} == REMEMBERED
    alone = {name for name in torch_optimizers() if first_try(name, is_several=False)}
    assert alone == REMEMBERED | {"LBFGS"}


def test_what_an_optimizer_says_of_itself() -> None:
    made = probed(torch.optim.SGD, {"lr": 0.1, "nesterov": True, "momentum": 0.9}, is_several=True)
    assert made is not None
    facts, sources = made
    assert (facts.type_name, facts.class_name) == ("SGD", "torch.optim.sgd.SGD")
    assert facts.defaults["momentum"] == 0.9
    given = {name for name, source in sources.items() if source is Source.ARGUMENT}
    assert given == {"lr", "momentum", "nesterov"}
    assert set(sources) == set(facts.defaults)


class Lookalike(torch.optim.SGD):
    """A class of the user's own."""


Lookalike.__module__ = "torch.optim.sgd"


class Stern(torch.optim.SGD):
    """One that knows numbers of its own."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        if lr > 0.5:
            raise ValueError(lr)
        super().__init__(params, lr)


Stern.__module__ = "torch.optim.stern"


def test_other_classes_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    assert probed(Lookalike, {"lr": 0.1}, is_several=True) is None
    stern = ModuleType("torch.optim.stern")
    stern.Stern = Stern  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.optim.stern", stern)
    assert probed(Stern, {"lr": 0.1}, is_several=True) is None


def test_what_is_refused_is_not_remembered() -> None:
    assert probed(torch.optim.SGD, {"lr": -0.1}, is_several=True) is None
    assert probed(torch.optim.SGD, {"lr": 0.1, "nesterov": True}, is_several=True) is None


NUMBERS: dict[str, Callable[[random.Random], float]] = {
    "< 0": lambda coin: -coin.uniform(1e-9, 10),
    "0.0": lambda _: 0.0,
    "< 1": lambda coin: coin.choice((1e-12, 0.5, 0.999999, coin.random() or 0.1)),
    "1.0": lambda _: 1.0,
    "> 1": lambda coin: coin.choice((1.0000001, 2.0, 1e9, 1 + coin.random() or 1.5)),
    "inf": lambda _: inf,
    "nan": lambda _: nan,
}


def model() -> list[dict[str, Any]]:
    layers = (nn.Linear(3, 4), nn.Conv2d(3, 4, 1), nn.LayerNorm(3))
    return [{"params": [p]} for layer in layers for p in layer.parameters()]


@pytest.mark.parametrize("name", sorted(REMEMBERED))
def test_a_remembered_optimizer_is_the_real_one(name: str, tmp_path: Path) -> None:
    """For two arguments of one kind: whatever the first was found to make, the second makes."""
    import inspect

    found: Any = OPTIMIZERS.get(name)
    memory = RememberedOptimizers(Store(str(tmp_path)), {})
    coin = random.Random(name)
    defaults = {
        parameter.name: parameter.default
        for parameter in list(inspect.signature(found).parameters.values())[1:]
    }
    hits = 0
    for _ in range(80):
        chosen = {
            one: coin.choice(sorted(NUMBERS)) if coin.random() < 0.3 else "< 1"
            for one in coin.sample(sorted(defaults), coin.randint(1, 4))
        }
        first, second = (
            {one: argument(defaults[one], region, coin) for one, region in chosen.items()}
            for _ in range(2)
        )
        flags = {one: coin.random() < 0.5 for one, value in defaults.items() if value is False}
        given = {one: flags[one] for one in flags if coin.random() < 0.2}
        first, second = {**first, **given}, {**second, **given}
        key = optimizer_key(name, first, entries=(), is_several=True)
        assert key is not None
        assert key == optimizer_key(name, second, entries=(), is_several=True)
        made = probed(found, first, is_several=True)
        if made is None:
            continue
        hits += 1
        memory.put(key, *made)
        known = memory.get(key, second)
        real = found(model(), **second)
        assert known is not None
        assert repr(known.defaults) == repr(real.defaults)
        assert known.class_name == f"{found.__module__}.{found.__qualname__}"
    assert hits > 15


def argument(default: object, region: str, coin: random.Random) -> Any:
    if isinstance(default, tuple):
        return tuple(NUMBERS["< 1" if region != "0.0" else region](coin) for _ in default)
    if isinstance(default, bool) or default is None:
        return default
    return NUMBERS[region](coin)
