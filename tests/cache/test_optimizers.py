"""What torch's optimizers make of arguments within the cache's domain is what their defaults and these say."""

from __future__ import annotations

import random
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from optplan.cache import Store
from optplan.cache.optimizers import DTYPES, KNOWN_CLASSES, CachedOptimizers, takes
from optplan.constructors.dry_run import optimizer_facts
from optplan.facts import OptimizerFacts
from tests.reference import torch_optimizers

SHAPES = ((), (1,), (2, 3), (2, 3, 4), (2, 3, 4, 5))
KNOWN = {one.rpartition(".")[2]: one for one in KNOWN_CLASSES}


def parameters() -> list[nn.Parameter]:
    made = [
        nn.Parameter(torch.empty(shape, dtype=getattr(torch, dtype), device="meta"))
        for dtype in DTYPES
        for shape in SHAPES
    ]
    made[-1].requires_grad_(False)
    return made


def class_of(name: str) -> Any:
    return getattr(torch.optim, name)


def test_the_known_classes_are_those_that_take_every_parameter() -> None:
    """Not LBFGS, which takes no groups, and not Muon, which takes matrices alone."""
    found = set()
    for name in torch_optimizers():
        one = class_of(name.removeprefix("Torch"))
        try:
            one([{"params": [parameter]} for parameter in parameters()])
            one(parameters())
        except ValueError:
            continue
        found.add(f"{one.__module__}.{one.__qualname__}")
    assert found == KNOWN_CLASSES


NUMBERS = (
    0,
    1,
    0.0,
    1e-12,
    0.5,
    0.9,
    0.999999,
    1.0,
    1.6,
    30.0,
    1e300,
    inf,
    nan,
    -0.1,
    True,
    None,
    "x",
)


def argument(default: object, coin: random.Random) -> Any:
    if isinstance(default, tuple):
        kind = coin.choice((tuple, list))
        return kind(coin.choice(NUMBERS[2:7] if coin.random() < 0.9 else NUMBERS) for _ in default)
    if isinstance(default, bool):
        return coin.random() < 0.5
    return coin.choice(NUMBERS)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_what_is_taken_is_what_the_class_makes_of_it(name: str) -> None:
    """For any arguments: where the cache takes them, so does the class, and its options are those."""
    coin, taken = random.Random(name), 0
    defaults = optimizer_facts(class_of(name)(parameters())).defaults
    for _ in range(600):
        chosen = coin.sample(sorted(defaults), coin.randint(1, 4))
        given = {one: argument(defaults[one], coin) for one in chosen}
        if not takes(defaults, given):
            continue
        taken += 1
        groups = [{"params": [parameter]} for parameter in parameters()]
        made = class_of(name)(groups, **given)
        assert list(made.defaults.items()) == list({**defaults, **given}.items())
        for group in made.param_groups:
            assert {key: group[key] for key in defaults} == made.defaults
    assert taken > 10


@pytest.mark.parametrize(
    ("name", "given", "is_taken"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4}, True),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, True),
        ("SGD", {"lr": 0.1, "nesterov": True}, False),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "nesterov": True}, False),
        ("SGD", {"lr": 0.0}, False),
        ("SGD", {"lr": 0.1, "momentum": None}, False),
        ("SGD", {"lr": True}, False),
        ("SGD", {"betas": (0.9, 0.99)}, False),
        ("AdamW", {"lr": 1e-3, "betas": (0.9, 0.95), "eps": 1e-6, "amsgrad": True}, True),
        ("AdamW", {"betas": [0.9, 0.95]}, False),
        ("AdamW", {"betas": (0.9,)}, False),
        ("AdamW", {"betas": (0.9, 1.0)}, False),
        ("AdamW", {"decoupled_weight_decay": True}, False),
        ("AdamW", {"foreach": True}, False),
        ("Adafactor", {"eps": 1e-3}, True),
    ],
)
def test_domain(name: str, given: dict[str, Any], is_taken: bool) -> None:
    defaults = optimizer_facts(class_of(name)(parameters())).defaults
    assert takes(defaults, given) is is_taken


def test_kept_and_found_again(tmp_path: Path) -> None:
    cached = CachedOptimizers(Store(str(tmp_path)), {})
    for name, class_name in KNOWN.items():
        made = optimizer_facts(class_of(name)(parameters()))
        cached.put(name, made)
        assert cached.get(name) == made
        assert made.class_name == class_name
    assert cached.get("Muon") is None


def test_other_classes_are_not_kept(tmp_path: Path) -> None:
    cached = CachedOptimizers(Store(str(tmp_path)), {})
    for name in ("mine.SGD", "torch.optim.lbfgs.LBFGS"):
        cached.put("SGD", OptimizerFacts(type_name="SGD", class_name=name, defaults={"lr": 0.1}))
    cached.put(
        "SGD",
        OptimizerFacts(
            type_name="SGD", class_name="torch.optim.sgd.SGD", defaults={"lr": object()}
        ),
    )
    assert cached.get("SGD") is None
