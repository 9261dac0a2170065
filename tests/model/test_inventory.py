"""What the inventory says of the hard-case models."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from torch import nn

from optplan import OptplanError
from optplan.errors import ModelError
from optplan.facts import Inventory, ParameterFacts
from optplan.model import make_inventory
from tests.checks.models import DeclaringInside
from tests.grid import FAMILIES, family
from tests.models import HARD_CASES, hard_case

REFUSED = ("ModuleIsNoModule", "ModuleIsNone", "NoParameters")
TAKEN = [name for name in HARD_CASES if name not in REFUSED]


def inventory(case: str) -> Inventory:
    return make_inventory(hard_case(case))


def those(case: str, flag: str) -> set[str]:
    """Names of the parameters for which a fact holds."""
    return {facts.name for facts in inventory(case).parameters if getattr(facts, flag)}


def both(*modules: str) -> set[str]:
    return {f"{module}.{name}" for module in modules for name in ("weight", "bias")}


@pytest.mark.parametrize("case", TAKEN)
def test_one_entry_for_each_registered_name_in_the_models_order(case: str) -> None:
    model = hard_case(case)
    parameters = make_inventory(model).parameters
    registered = list(nn.Module.named_parameters(model, remove_duplicate=False))
    assert [facts.name for facts in parameters] == [name for name, _ in registered]
    assert [facts.shape for facts in parameters] == [tuple(p.shape) for _, p in registered]
    assert [facts.requires_grad for facts in parameters] == [p.requires_grad for _, p in registered]
    numbers = {id(p): facts.tensor for facts, (_, p) in zip(parameters, registered, strict=True)}
    assert [numbers[id(p)] for _, p in registered] == [facts.tensor for facts in parameters]
    assert sorted(numbers.values()) == list(range(len(numbers)))


@pytest.mark.parametrize("family_name", FAMILIES)
def test_counts_of_real_models_are_torchs(family_name: str) -> None:
    model = family(family_name)
    found = make_inventory(model)
    assert len(found.primary_names) == len(list(model.parameters()))
    assert found.elements == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("case", TAKEN)
def test_survives_json(case: str) -> None:
    found = inventory(case)
    assert Inventory.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_facts_of_one_parameter() -> None:
    model = hard_case("Dcn")
    found = {
        facts.name: facts for facts in make_inventory(model, spec="a:b", source="import").parameters
    }
    assert found["nested.depthwise.weight"] == ParameterFacts(
        name="nested.depthwise.weight",
        prefix="nested.depthwise",
        local="weight",
        shape=(4, 1, 3, 3),
        dtype="float32",
        requires_grad=True,
        module="torch.nn.modules.conv.Conv2d",
        tensor=14,
        visited=True,
        owner_is_norm=False,
        owner_is_conv2d=True,
        owner_is_depthwise=True,
        parent_is_dcn=True,
    )
    assert found["nested.depthwise.weight"].elements == 36
    assert found["nested.depthwise.weight"].owner_class == "Conv2d"


def test_norms() -> None:
    assert those("Norms", "owner_is_norm") == both(
        *("bn1d", "bn2d", "bn3d", "sync", "instance", "group", "layer", "own_layer")
    ) | {"layer_without_bias.weight"}
    assert those("NormsWithoutParameters", "owner_is_norm") == set()
    # the owner of a parametrized weight is the list of its parametrizations
    assert those("WeightNormed", "owner_is_norm") == {"norm.bias"}


def test_depthwise() -> None:
    assert those("Convolutions", "owner_is_depthwise") == both("one_channel", "depthwise") | {
        "multiplied.weight"
    }
    assert those("Convolutions", "owner_is_conv2d") == both(
        "one_channel", "depthwise", "grouped"
    ) | {"multiplied.weight"}
    assert those("WeightNormed", "owner_is_depthwise") == {"depthwise.bias"}


def test_one_group() -> None:
    assert those("Convolutions", "owner_has_one_group") == both("one_channel")


def test_running_statistics() -> None:
    assert those("Norms", "owner_keeps_statistics") == both("bn1d", "bn2d", "bn3d", "sync")
    found = make_inventory(nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False)))
    assert not any(facts.owner_keeps_statistics for facts in found.parameters)


def test_declared_no_decay() -> None:
    found = make_inventory(DeclaringInside())
    assert {facts.name for facts in found.parameters if facts.declared_no_decay} == {
        "backbone.cls_token",
        "backbone.a_log",
        "backbone.relative_position.weight",
        "backbone.block_1.weight",
    }


def test_children_of_deformable_convolutions() -> None:
    assert those("Dcn", "parent_is_dcn") == both(
        "pack.conv_offset",
        "nested.norm",
        "nested.other",
        "nested.depthwise",
        "torchvision.conv_offset",
        "other.conv_offset",
        "other.my_conv_offset_2",
        "other.transposed_conv_offset",
        "conv_offset.0.conv_offset",
    )


# model, the names that the walk does not come by
UNVISITED = {
    "TiedAcrossParents": set(),
    "ModuleOfTwoParents": set(),
    "TiedInOneModule": {"second", "body.again"},
    "ModuleTwiceBelowOneParent": {"second.weight", "second.bias"},
    "Wrapper": {"scale", *both("before", "after")},
    "WrapperInWrapper": set(),
    "ModuleProperty": both("head"),
    "ModulePropertyOfItself": set(),
}


@pytest.mark.parametrize("case", UNVISITED)
def test_what_the_walk_leaves_out(case: str) -> None:
    names = {facts.name for facts in inventory(case).parameters}
    assert names - those(case, "visited") == UNVISITED[case]


def test_paths_are_counted_from_the_walked_module() -> None:
    found = {facts.name: facts.match_name for facts in inventory("Wrapper").parameters}
    assert found == {
        "scale": ".scale",
        "before.weight": "before.weight",
        "before.bias": "before.bias",
        "module.tok": ".tok",
        "module.body.weight": "body.weight",
        "module.body.bias": "body.bias",
        "module.tokens.weight": "tokens.weight",
        "after.weight": "after.weight",
        "after.bias": "after.bias",
    }
    walked = [facts.match_name for facts in inventory("ModuleProperty").parameters]
    assert walked == ["head.weight", "head.bias", "0.weight", "0.bias", "1.weight", "1.bias"]


def test_the_first_visited_name_carries_a_tensor() -> None:
    found = inventory("Wrapper")
    carried = {facts.name for facts in found.primary_names.values()}
    assert "before.weight" not in carried
    assert "module.body.weight" in carried
    names = {tuple(names) for names in found.names_by_tensor.values() if len(names) > 1}
    assert names == {
        ("before.weight", "module.body.weight"),
        ("module.body.bias", "after.weight"),
    }
    assert found.elements == 1 + 16 + 4 + 4 + 4 + 12 + 4


def test_dtypes() -> None:
    found = {facts.name: facts.dtype for facts in inventory("MixedDtypes").parameters}
    assert found == {
        "in_complex": "complex64",
        "in_whole": "int8",
        "in_half.weight": "float16",
        "in_half.bias": "float16",
        "in_bfloat.weight": "bfloat16",
        "in_bfloat.bias": "bfloat16",
        "in_double.weight": "float64",
        "in_double.bias": "float64",
    }


def test_odd_names_are_kept() -> None:
    assert [facts.name for facts in inventory("OddNames").parameters] == [
        "back\\slash",
        "0",
        *("[red].weight", "[red].bias"),
        *("[/x].weight", "[/x].bias"),
        *("a b.weight", "a b.bias"),
        *("größe.weight", "größe.bias"),
        *("{a,b}*.weight", "{a,b}*.bias"),
    ]


class Unregistered(nn.Module):
    """``module`` gives a module that has no name in the model."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.hidden = (nn.Linear(3, 3),)

    @property
    def module(self) -> nn.Module:
        return self.hidden[0]


def recursive() -> nn.Module:
    inner = nn.Sequential(nn.LayerNorm(2))
    model = nn.Sequential(nn.Linear(2, 2), inner)
    inner.append(model)
    return model


REFUSALS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "no parameters": (
        lambda: hard_case("NoParameters"),
        r"^the model tests\.models\.NoParameters has no parameters \(is this the network",
    ),
    "module is text": (
        lambda: hard_case("ModuleIsNoModule"),
        r"^the model's attribute 'module' is a str: .*\(rename the attribute\)$",
    ),
    "module is not registered": (
        Unregistered,
        r"^the model's attribute 'module' is a module that is not registered",
    ),
    "a module in itself": (recursive, r"^the module '1\.1' contains itself$"),
    "lazy": (
        lambda: nn.Sequential(nn.LazyLinear(3)),
        r"^the parameter 0\.weight is lazy: it has no shape before the first forward",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str) -> None:
    build, said = REFUSALS[name]
    with pytest.raises(ModelError, match=said) as raised:
        make_inventory(build())
    assert isinstance(raised.value, OptplanError)


def test_the_model_is_only_read() -> None:
    model = HARD_CASES["TiedAcrossParents"]()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    make_inventory(model)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
