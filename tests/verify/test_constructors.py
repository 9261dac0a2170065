"""Constructors of other people verify as the default one does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.optim import DefaultOptimWrapperConstructor as OfReference
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn

from optplan import OPTIMIZER_CONSTRUCTORS, DefaultOptimizerConstructor
from optplan.verify.results import Movement
from tests.verify.given import Cnn, config, source, verified


class Halved(DefaultOptimizerConstructor):
    """Leaves all to the default constructor, and halves the lr of biases then: at each level of the model."""

    def add_params(self, params: list[Any], module: nn.Module, *args: Any, **kwargs: Any) -> None:
        before = len(params)
        super().add_params(params, module, *args, **kwargs)
        for group in params[before:]:
            if group["params"][0].ndim == 1:
                group["lr"] = group.get("lr", self.base_lr) / 2


class Backwards(OfReference):  # type: ignore[misc]
    """mmengine's own with other decay for matrices; it prints."""

    def add_params(self, params: list[Any], module: nn.Module, **kwargs: Any) -> None:
        print("at work")
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                params.append({"params": [parameter], "weight_decay": 0.2, "param_name": name})


@pytest.fixture(autouse=True)
def registered() -> Any:
    OPTIMIZER_CONSTRUCTORS.register_module("HalvedForVerify", force=True, module=Halved)
    OPTIM_WRAPPER_CONSTRUCTORS.register_module(
        name="BackwardsForVerify", force=True, module=Backwards
    )
    yield
    OPTIM_WRAPPER_CONSTRUCTORS.module_dict.pop("BackwardsForVerify")


@pytest.mark.parametrize("name", ["HalvedForVerify", "BackwardsForVerify"])
def test_it_verifies(name: str) -> None:
    made = config("AdamW", {"norm_decay_mult": 0.0})
    made["optim_wrapper"]["constructor"] = name
    found = verified(source(Cnn, made))
    assert found.matches
    assert {one.exact.movement for one in found.parameters} == {Movement.MOVED}
    bias = next(one for one in found.parameters if one.name == "head.bias")
    expected = {"HalvedForVerify": (0.01 / 4, 0.1), "BackwardsForVerify": (0.01, 0.2)}[name]
    assert (bias.measured.lr, bias.measured.weight_decay) == pytest.approx(expected)


class Counted(Cnn):
    """Has a frozen parameter of whole numbers, as quantized models do."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.ones(3, dtype=torch.int8), requires_grad=False)


@pytest.mark.parametrize("paramwise", [{}, {"norm_decay_mult": 0.0}])
def test_whole_numbers_are_left_alone(paramwise: dict[str, Any]) -> None:
    found = verified(source(Counted, config("SGD", paramwise)))
    assert found.matches
    assert "table" not in {one.name for one in found.parameters}
