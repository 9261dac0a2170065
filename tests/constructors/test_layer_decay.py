"""optplan's own layer decay, with the values written by hand: base lr 0.5, base decay 0.25, rate 0.5."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn
from torch.optim import SGD

import optplan
from optplan import LayerDecayOptimizerConstructor, OptplanError
from optplan.app.planning import plan_with_facts
from optplan.errors import ConfigError, PlanError
from optplan.plan import PlannedParameter, RuleUse
from tests.agreement import exact
from tests.layered_models import Answers, Tied, layered_model
from tests.models import hard_case

Entries = dict[str, Any]
# lr, lr_scale, layer, weight decay, what decided the lr, what decided the weight decay
Row = tuple[float | None, float | None, int | None, float | None, str, str]

OPTIMIZER: Entries = {"type": "SGD", "lr": 0.5, "weight_decay": 0.25}


def config_of(optimizer: Entries = OPTIMIZER, **paramwise: Any) -> Entries:
    return {
        "optim_wrapper": {
            "optimizer": optimizer,
            "constructor": "LayerDecayOptimizerConstructor",
            "paramwise_cfg": paramwise,
        }
    }


def said(use: RuleUse | None) -> str:
    """``rule 'key' ×mult, note``."""
    if use is None:
        return ""
    words = [use.rule.value, *([repr(use.key)] if use.key else []), f"×{use.mult}"]
    return " ".join(words) + (f", {use.note}" if use.note else "")


def row_of(row: PlannedParameter) -> Row:
    assert row.effective_lr == row.lr  # the lr holds its scale already
    rules = said(row.lr_rule), said(row.weight_decay_rule)
    return (row.lr, row.lr_scale, row.layer, row.weight_decay, *rules)


def rows(model: nn.Module, **paramwise: Any) -> dict[str, Row]:
    plan = optplan.make_plan(model, config_of(**paramwise))
    return {row.name: row_of(row) for row in plan.parameters}


FROZEN: Row = (None, None, None, None, "", "")


def at(layer: int, decay: float = 0.25, rule: str = "default ×1.0") -> Row:
    """What the layers of a classifier give, where nothing else has a say in the lr."""
    scale = {0: 0.125, 1: 0.25, 2: 0.5, 3: 1.0}[layer]
    return 0.5 * scale, scale, layer, decay, f"layer_decay ×{scale}", rule


def test_rate_alone() -> None:
    assert rows(layered_model("Classifier"), layer_decay_rate=0.5) == {
        "scale": at(3),
        "backbone.cls_token": (0.0625, 0.125, 0, 0.25, "layer_decay ×0.125", "default ×1.0"),
        "backbone.gamma": at(3),
        "backbone.blocks.0.conv.weight": FROZEN,
        "backbone.blocks.0.conv.bias": FROZEN,
        "backbone.blocks.0.norm.weight": (
            0.125,
            0.25,
            1,
            0.25,
            "layer_decay ×0.25",
            "default ×1.0",
        ),
        "backbone.blocks.0.norm.bias": at(1),
        "backbone.blocks.1.conv.weight": (0.25, 0.5, 2, 0.25, "layer_decay ×0.5", "default ×1.0"),
        "backbone.blocks.1.conv.bias": at(2),
        "backbone.blocks.1.norm.weight": at(2),
        "backbone.blocks.1.norm.bias": at(2),
        "backbone.dcn.weight": at(3),
        "backbone.dcn.bias": at(3),
        "backbone.dcn.conv_offset.weight": at(3),
        "backbone.dcn.conv_offset.bias": at(3),
        "head.weight": (0.5, 1.0, 3, 0.25, "layer_decay ×1.0", "default ×1.0"),
        "head.bias": at(3),
    }


KEYS = {
    "blocks.1.": {"lr_mult": 4.0},
    "cls_token": {"lr": 0.75, "decay_mult": 2.0},
    "head": {"decay_mult": 0.0, "momentum": 0.9},
    # the default constructor's: with the dot of the root
    ".scale": {"lr_mult": 3.0},
    "gamma": {"weight_decay": 0.0},
    "norm": {"lr_mult": 1.0},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "backbone.blocks.1.conv.weight",
            (1.0, 0.5, 2, 0.25, "custom_key 'blocks.1.' ×2.0, 4 × 0.5 for layer 2"),
        ),
        ("backbone.cls_token", (0.75, 1.0, 0, 0.5, "custom_key 'cls_token' ×None")),
        ("head.weight", (0.5, 1.0, 3, 0.0, "layer_decay ×1.0")),
        ("scale", (1.5, 1.0, 3, 0.25, "custom_key '.scale' ×3.0")),
        ("backbone.gamma", (0.5, 1.0, 3, 0.0, "layer_decay ×1.0")),
        ("backbone.blocks.0.norm.bias", (0.125, 0.25, 1, 0.25, "layer_decay ×0.25")),
        ("backbone.dcn.bias", (0.5, 1.0, 3, 0.25, "layer_decay ×1.0")),
    ],
)
def test_keys(name: str, expected: tuple[Any, ...]) -> None:
    found = rows(layered_model("Classifier"), layer_decay_rate=0.5, custom_keys=KEYS)
    assert found[name][:5] == expected


def test_entries_of_a_key() -> None:
    plan = optplan.make_plan(
        layered_model("Classifier"), config_of(layer_decay_rate=0.5, custom_keys=KEYS)
    )
    by_name = {row.name: row for row in plan.parameters}
    head, token = by_name["head.bias"], by_name["backbone.cls_token"]
    assert dict(head.options) == {"momentum": 0.9}
    assert dict(head.extra) == {
        "decay_mult": 0.0,
        "lr_scale": 1.0,
        "layer_id": 3,
        "param_name": "head.bias",
    }
    assert dict(token.extra) == {
        "decay_mult": 2.0,
        "lr_scale": 1.0,
        "layer_id": 0,
        "param_name": "backbone.cls_token",
    }


def test_other_options_are_the_default_constructors() -> None:
    found = rows(
        layered_model("Classifier"),
        layer_decay_rate=0.5,
        bias_lr_mult=2.0,
        dcn_offset_lr_mult=0.5,
        norm_decay_mult=0.0,
        bias_decay_mult=0.5,
        dwconv_decay_mult=2.0,
        flat_decay_mult=4.0,
    )
    assert found["backbone.blocks.1.conv.bias"][:5] == (
        0.5,
        0.5,
        2,
        0.125,
        "bias ×1.0, 2 × 0.5 for layer 2",
    )
    assert found["backbone.blocks.1.conv.weight"] == at(2, 0.5, "dwconv ×2.0")
    assert found["backbone.blocks.1.norm.bias"] == at(2, 0.0, "norm ×0.0")
    assert found["backbone.gamma"] == at(3, 1.0, "flat ×4.0")
    assert found["backbone.dcn.conv_offset.weight"][0] == 0.25
    assert found["head.bias"] == (1.0, 1.0, 3, 0.125, "bias ×2.0", "bias ×0.5")


def test_optimizer_without_weight_decay() -> None:
    config = config_of({"type": "SGD", "lr": 0.5}, layer_decay_rate=0.5)
    (group, *_) = optplan.build_optimizer(layered_model("Classifier"), config).param_groups
    assert (
        "weight_decay"
        not in LayerDecayOptimizerConstructor(
            {"type": "SGD", "lr": 0.5}, {"layer_decay_rate": 0.5}
        ).optimizer_cfg
    )
    assert group["weight_decay"] == 0
    plan = optplan.make_plan(layered_model("Classifier"), config)
    assert "weight_decay" not in plan.parameters[0].extra


@pytest.mark.parametrize("name", ["Wrapper", "OnlyItsBackboneKnows"])
def test_who_is_asked_for_layers(name: str) -> None:
    found = rows(layered_model(name), layer_decay_rate=0.5)
    inner = "module." if name == "Wrapper" else ""
    assert found[f"{inner}backbone.cls_token"] == at(0)
    assert found[f"{inner}backbone.blocks.1.conv.weight"] == at(2)
    assert found[f"{inner}head.weight"] == at(3)


def test_last_layer_of_what_no_pattern_of_timm_matches() -> None:
    plan = optplan.make_plan("vit_tiny_patch16_224", config_of(layer_decay_rate=0.5))
    by_name = {row.name: row for row in plan.parameters}
    left = "layer_decay ×1.0, no layer pattern, last layer"
    assert {name for name, row in by_name.items() if row.lr_rule and row.lr_rule.note} == {
        "head.weight",
        "head.bias",
    }
    assert row_of(by_name["head.weight"])[:5] == (0.5, 1.0, 13, 0.25, left)
    assert row_of(by_name["norm.weight"])[:5] == (0.25, 0.5, 12, 0.25, "layer_decay ×0.5")
    assert row_of(by_name["cls_token"])[:3] == (0.5 * 0.5**13, 0.0001220703125, 0)


LISTED = {
    "one_a_layer": ["*.cls_token", "*blocks.0.*", "*blocks.1.*", "*"],
    "alternatives": ["{a,module.backbone,backbone}.cls_token", "*.{0-0}.*", "*.{1-9}.*", "*"],
}


@pytest.mark.parametrize("name", ["Classifier", "Wrapper"])
@pytest.mark.parametrize("layers", LISTED.values(), ids=list(LISTED))
def test_listed_layers(layers: list[str], name: str) -> None:
    listed = rows(layered_model(name), layer_decay_rate=0.5, layers=layers)
    assert listed == rows(layered_model(name), layer_decay_rate=0.5)


def test_list_comes_before_what_the_model_says() -> None:
    found = rows(layered_model("Classifier"), layer_decay_rate=0.5, layers=["head.*", "*"])
    assert found["head.weight"][:3] == (0.25, 0.5, 0)
    assert found["backbone.cls_token"][:3] == (0.5, 1.0, 1)


def test_names_behind_a_child_called_module_may_be_written_either_way() -> None:
    model = layered_model("Wrapper")
    for first in ("backbone.cls_token", "module.backbone.cls_token"):
        found = rows(model, layer_decay_rate=0.5, layers=[first, "*"])
        assert {name for name, row in found.items() if row[2] == 0} == {"module.backbone.cls_token"}


def test_tied_parameters() -> None:
    with pytest.raises(PlanError, match=r"tied .*set bypass_duplicate=True"):
        optplan.make_plan(Tied(), config_of(layer_decay_rate=0.5))
    found = rows(Tied(), layer_decay_rate=0.5, bypass_duplicate=True)
    assert found["backbone.blocks.1.conv.bias"] == at(2)
    assert found["head.bias"] == FROZEN


def test_equal_groups_are_merged_in_the_dry_run_alone() -> None:
    planned = plan_with_facts(layered_model("Classifier"), config_of(layer_decay_rate=0.5))
    groups = [row.group for row in planned.plan.parameters if row.group is not None]
    assert groups == list(range(15))
    assert len(planned.plan.settings) == 4


@pytest.mark.parametrize("model", ["Classifier", "Wrapper"])
@pytest.mark.parametrize("form", ["wrapper", "optimizer"])
def test_the_class_makes_what_the_plan_says(form: str, model: str) -> None:
    paramwise: Entries = {"layer_decay_rate": 0.5, "custom_keys": KEYS, "norm_decay_mult": 0.0}
    given = {"optimizer": OPTIMIZER} if form == "wrapper" else OPTIMIZER
    module = layered_model(model)
    made = LayerDecayOptimizerConstructor(given, paramwise)(module)
    assert isinstance(made, SGD)
    names = {id(p): name for name, p in module.named_parameters()}
    plan = optplan.make_plan(module, config_of(**paramwise))
    by_name = {row.name: row for row in plan.parameters}
    for index, group in enumerate(made.param_groups):
        row = by_name[names[id(group["params"][0])]]
        assert (row.group, row.lr, row.weight_decay) == (index, group["lr"], group["weight_decay"])
        assert exact(dict(row.extra)) == exact({name: group[name] for name in row.extra})
    built = optplan.build_optimizer(module, config_of(**paramwise))
    assert exact([{**g, "params": 0} for g in built.param_groups]) == exact(
        [{**g, "params": 0} for g in made.param_groups]
    )


def test_user_may_subclass_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class FreezesTokens(LayerDecayOptimizerConstructor):
        def add_params(
            self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
        ) -> None:
            super().add_params(params, module, prefix, is_dcn_module)
            for group in params:
                if group["param_name"].endswith("cls_token"):
                    group["lr"] = 0.0

    registered = optplan.OPTIMIZER_CONSTRUCTORS._entries
    monkeypatch.setitem(registered, "FreezesTokens", FreezesTokens)
    config = config_of(layer_decay_rate=0.5)
    config["optim_wrapper"]["constructor"] = "FreezesTokens"
    plan = optplan.make_plan(layered_model("Classifier"), config)
    by_name = {row.name: row for row in plan.parameters}
    assert row_of(by_name["head.weight"]) == at(3)
    assert by_name["backbone.cls_token"].lr == 0.0
    assert said(by_name["backbone.cls_token"].lr_rule) == "constructor ×0.0"


def test_part_of_a_model_has_no_layers() -> None:
    constructor = LayerDecayOptimizerConstructor(OPTIMIZER, {"layer_decay_rate": 0.5})
    with pytest.raises(PlanError, match=r"it is not known which layer 'blocks\.weight' is in"):
        constructor.add_params([], nn.Linear(2, 2), prefix="blocks")
    constructor(layered_model("Classifier"))
    with pytest.raises(PlanError, match="call add_params with the whole model first"):
        constructor.add_params([], nn.Linear(2, 2), prefix="other")


@pytest.mark.parametrize(
    ("paramwise", "message"),
    [
        ({}, r"paramwise_cfg has no 'layer_decay_rate'.* \(write layer_decay_rate=0.75"),
        ({"layer_decay_rate": "0.5"}, "layer_decay_rate must be a number, got the string '0.5'"),
        ({"layer_decay_rate": None}, "layer_decay_rate must be a number, got NoneType None"),
        ({"layer_decay_rate": -0.5}, "layer_decay_rate must not be negative, got -0.5"),
        ({"layer_decay_rate": float("nan")}, "layer_decay_rate must be finite"),
        ({"layer_decay_rate": 0.5, "layers": "*"}, "'layers' must be a list of name patterns"),
        ({"layer_decay_rate": 0.5, "layers": []}, "'layers' must be a list of name patterns"),
        (
            {"layer_decay_rate": 0.5, "layers": [["a"], "*"]},
            r"a layer in 'layers' .* got list \['a'\]",
        ),
        ({"layer_decay_rate": 0.5, "norm_decay_mult": "x"}, "norm_decay_mult must be a number"),
    ],
)
def test_mistakes_in_options(paramwise: Entries, message: str) -> None:
    for refuse in (
        lambda: optplan.make_plan(layered_model("Classifier"), config_of(**paramwise)),
        lambda: LayerDecayOptimizerConstructor(OPTIMIZER, paramwise),
    ):
        with pytest.raises(ConfigError, match=message):
            refuse()


@pytest.mark.parametrize(
    ("layers", "messages"),
    [
        (
            ["head.*"],
            [
                "no layer of 'layers' claims 13 parameters: scale, backbone.cls_token, backbone.gamma,"
                " backbone.blocks.0.norm.weight, backbone.blocks.0.norm.bias and 8 more (add a pattern for"
                " them; a last '*' takes all that is left)"
            ],
        ),
        (
            ["hed.weight", "*"],
            ["the layer 'hed.weight' matches no parameter (did you mean 'head.weight' or"],
        ),
        (
            ["backbone.*", "*.gamma", "backbone.cls_token", "*"],
            [
                "the layer '*.gamma' has no parameter: layers before it claim all that it matches"
                " (backbone.gamma) (put it before them, or leave it out)",
                "the layer 'backbone.cls_token' has no parameter: layers before it claim all that it matches"
                " (backbone.cls_token) (put it before them, or leave it out)",
            ],
        ),
        (
            ["*", "*"],
            ["the layer '*' has no parameter: layers before it claim all that it matches"],
        ),
        (["zzz", "{head,backbone}.*"], ["the layer 'zzz' matches no", "claims 1 parameter: scale"]),
    ],
)
def test_layers_that_do_not_fit(layers: list[str], messages: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        optplan.make_plan(
            layered_model("Classifier"), config_of(layer_decay_rate=0.5, layers=layers)
        )
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == len(messages)
    for text, message in zip(told, messages, strict=True):
        assert message in text


def test_frozen_parameters_need_no_layer() -> None:
    found = rows(
        layered_model("Classifier"),
        layer_decay_rate=0.5,
        layers=["*.{cls_token,gamma,norm.*,dcn.*}", "*.1.*", "{scale,head.*}"],
    )
    assert found["backbone.blocks.0.conv.weight"] == FROZEN


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (3, r"gives no layer for 'stem.weight': TypeError"),
        ((1, "2"), r"TypeError: expected two whole numbers, got \(1, '2'\)"),
        ((1.0, 2), r"expected two whole numbers, got \(1.0, 2\)"),
        (NotImplementedError("not yet"), r"NotImplementedError: not yet .*layered_models.py:\d+\)"),
    ],
)
def test_models_that_give_no_layer(answer: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        optplan.make_plan(Answers(answer), config_of(layer_decay_rate=0.5))


def test_frozen_parameters_need_no_answer() -> None:
    found = rows(Answers((0, 2)), layer_decay_rate=0.5)
    assert (found["stem.weight"][:3], found["head.weight"]) == ((0.25, 0.5, 0), FROZEN)


def test_scale_without_end_is_refused() -> None:
    for rate, answer in ((10.0, (0, 400)), (0.0, (9, 2))):
        with pytest.raises(
            PlanError, match=r"lr would be inf for stem.weight, stem.bias \(layer_decay_rate\)"
        ):
            optplan.make_plan(Answers(answer), config_of(layer_decay_rate=rate))


def test_model_that_says_nothing_of_layers() -> None:
    with pytest.raises(PlanError) as caught:
        optplan.make_plan(hard_case("PartlyFrozen"), config_of(layer_decay_rate=0.5))
    (problem,) = caught.value.problems
    assert problem.message == (
        "the model tests.models.PartlyFrozen does not say which layer a parameter is in: it has neither"
        " get_layer_depth nor timm's group_matcher"
    )
    assert problem.hint is not None
    assert problem.hint.startswith("list the layers in paramwise_cfg")


def test_base_lr_is_needed() -> None:
    config = config_of({"type": "SGD", "weight_decay": 0.25}, layer_decay_rate=0.5)
    for refuse in (optplan.make_plan, optplan.build_optimizer):
        with pytest.raises(OptplanError, match="layer_decay_rate multiplies a base lr for 'scale'"):
            refuse(layered_model("Classifier"), config)
