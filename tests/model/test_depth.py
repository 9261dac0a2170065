"""Which layer a parameter is in, as the model says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import timm
import torch
from torch import nn

from optplan.errors import PlanError
from optplan.facts import Inventory, Layers
from optplan.model import make_inventory, model_layers
from optplan.names import LayerSource
from tests.layered_models import layered_model


def layers_of(model: nn.Module) -> Layers:
    found = model_layers(model, make_inventory(model))
    assert found is not None
    return found


def test_get_layer_depth_of_a_wrapped_model() -> None:
    found = layers_of(layered_model("Wrapper"))
    assert found.source is LayerSource.GET_LAYER_DEPTH
    assert found.unclaimed == frozenset()
    assert {name: found.depths[name] for name in list(found.depths)[:5]} == {
        "module.scale": (3, 4),
        "module.backbone.cls_token": (0, 4),
        "module.backbone.gamma": (3, 4),
        "module.backbone.blocks.0.conv.weight": (1, 4),
        "module.backbone.blocks.0.conv.bias": (1, 4),
    }


def test_group_matcher() -> None:
    with torch.device("meta"):
        model = timm.create_model("resnet18")
    found = layers_of(model)
    assert found.source is LayerSource.GROUP_MATCHER
    assert found.unclaimed == {"fc.weight", "fc.bias"}
    assert {layers for _, layers in found.depths.values()} == {10}
    assert {name: found.depths[name][0] for name in ("conv1.weight", "layer1.0.bn1.bias")} == {
        "conv1.weight": 0,
        "layer1.0.bn1.bias": 1,
    }
    assert (found.depths["layer4.1.conv1.weight"], found.depths["fc.bias"]) == ((8, 10), (9, 10))


class Matched(nn.Module):
    """Has a ``group_matcher`` of any kind, and one tensor under two names."""

    def __init__(self, matcher: Any) -> None:
        super().__init__()
        self.stem = nn.Linear(2, 2)
        self.blocks = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
        self.head = nn.Linear(2, 2)
        self.head.weight = self.stem.weight
        self._matcher = matcher

    def group_matcher(self, coarse: bool = False) -> Any:
        assert coarse is False
        if isinstance(self._matcher, Exception):
            raise self._matcher
        return self._matcher


def test_group_matcher_that_is_a_function() -> None:
    found = layers_of(Matched(lambda name: 0 if name.startswith("stem") else 1))
    assert found.unclaimed == frozenset()
    assert found.depths["stem.weight"] == found.depths["head.weight"] == (0, 2)
    assert found.depths["head.bias"] == (1, 2)


def test_patterns_of_several_forms() -> None:
    matcher = {
        "stem": "^stem",
        "none": None,
        "blocks": [(r"^blocks\.(\d+)", None), ("^head.w", (9,))],
    }
    found = layers_of(Matched(matcher))
    assert found.unclaimed == {"head.bias"}
    assert {name: layer for name, (layer, _) in found.depths.items()} == {
        "stem.weight": 0,
        "stem.bias": 0,
        "blocks.0.weight": 1,
        "blocks.0.bias": 1,
        "blocks.1.weight": 2,
        "blocks.1.bias": 2,
        "head.weight": 0,
        "head.bias": 3,
    }


@pytest.mark.parametrize("matcher", [ValueError("no"), {"stem": "("}, {"stem": "^(st)em"}])
def test_group_matcher_that_fails(matcher: Any) -> None:
    with pytest.raises(PlanError, match=r"group_matcher of the model .*Matched fails: \w+"):
        layers_of(Matched(matcher))


def test_nothing_is_known() -> None:
    model = nn.Linear(2, 2)
    assert model_layers(model, make_inventory(model)) is None


@pytest.mark.parametrize("name", ["Classifier", "Wrapper"])
def test_there_and_back(name: str) -> None:
    model = layered_model(name)
    layers = layers_of(model)
    assert Layers.from_dict(json.loads(json.dumps(layers.to_dict()))) == layers
    placed = make_inventory(model).with_layers(layers)
    assert Inventory.from_dict(json.loads(json.dumps(placed.to_dict()))) == placed
    token = placed.parameters[1]
    assert (token.layer, token.layers, token.in_layer_pattern) == (0, 4, True)
    plain = make_inventory(model).parameters[1]
    assert (plain.layer, plain.layers, plain.in_layer_pattern) == (None, None, True)
