"""Plans of timm's recipes, held against what timm's own factory makes."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from timm.data.scheduled_sampler import ScheduledBatchSampler
from timm.optim import create_optimizer_v2
from torch import nn

import optplan
from optplan.config import Batch
from optplan.errors import ConfigError, PlanError
from optplan.names import Rule, Status
from optplan.plan import Plan
from tests.agreement import exact
from tests.conftest import Tell
from tests.grid import Entries

# A small model of each of thirty families; those that declare no_weight_decay() among them.
FAMILIES = (
    "beit_base_patch16_224",
    "cait_xxs24_224",
    "coatnet_nano_rw_224",
    "convnext_atto",
    "crossvit_tiny_240",
    "deit_tiny_distilled_patch16_224",
    "densenet121",
    "dla34",
    "edgenext_xx_small",
    "efficientformer_l1",
    "efficientnet_b0",
    "eva02_tiny_patch14_224",
    "fastvit_t8",
    "ghostnet_050",
    "gmlp_ti16_224",
    "hiera_tiny_224",
    "levit_128s",
    "mixer_s32_224",
    "mobilenetv3_small_050",
    "mobilevit_xxs",
    "mvitv2_tiny",
    "pit_ti_224",
    "poolformer_s12",
    "regnetx_002",
    "repvgg_a0",
    "resnet18",
    "swin_tiny_patch4_window7_224",
    "vgg11",
    "vit_tiny_patch16_224",
    "xcit_nano_12_p16_224",
)
OPTIMIZERS = ("sgd", "adamw", "lamb", "lion", "muon")


@cache
def model_of(name: str) -> nn.Module:
    with torch.device("meta"):
        model: nn.Module = timm.create_model(name)
    return model


def recipe_of(opt: str, layer_decay: float | None, **more: Any) -> Entries:
    return {"opt": opt, "lr": 0.01, "weight_decay": 0.05, "layer_decay": layer_decay, **more}


def assert_as_timm(model: nn.Module, recipe: Entries, *, build: bool = True, **given: Any) -> Plan:
    """The plan has timm's groups: the same tensors in the same order, with the same entries.

    Args:
        model: The model.
        recipe: The recipe.
        build: Build the real optimizer, too.
        given: What the factory is given for it.
    """
    flags = [parameter.requires_grad for parameter in model.parameters()]
    theirs = create_optimizer_v2(model, **given)
    trainable = {name: p.requires_grad for name, p in model.named_parameters()}
    for parameter, flag in zip(model.parameters(), flags, strict=True):
        parameter.requires_grad_(flag)
    plan = optplan.make_plan(model, recipe)
    by_name = dict(model.named_parameters())
    home = {id(p): at for at, group in enumerate(theirs.param_groups) for p in group["params"]}
    for row in plan.parameters:
        if row.status is Status.DUPLICATE:
            continue
        assert row.requires_grad is trainable[row.name], row.name
        assert row.group == home.get(id(by_name[row.name])), row.name
        if row.group is None:
            continue
        group = theirs.param_groups[row.group]
        assert exact(row.lr) == exact(group["lr"]), row.name
        assert exact(row.weight_decay) == exact(group["weight_decay"]), row.name
        assert exact(row.lr_scale) == exact(group.get("lr_scale")), row.name
        scale = group.get("lr_scale", 1.0)
        assert exact(row.effective_lr) == exact(group["lr"] * scale if scale != 1 else group["lr"])
    if not build:
        return plan
    members = [[id(p) for p in group["params"]] for group in theirs.param_groups]
    ours = optplan.build_optimizer(model, recipe)
    for parameter, flag in zip(model.parameters(), flags, strict=True):
        parameter.requires_grad_(flag)
    assert type(ours) is type(theirs)
    assert [[id(p) for p in group["params"]] for group in ours.param_groups] == members
    entries = [
        [{k: v for k, v in group.items() if k != "params"} for group in one.param_groups]
        for one in (ours, theirs)
    ]
    assert exact(entries[0]) == exact(entries[1])
    return plan


def assert_rules_fit(plan: Plan, model: nn.Module, layer_decay: float | None) -> None:
    """The rule that a row names can have given what its group holds, by timm's own conditions."""
    declared = set(getattr(model, "no_weight_decay", set)())
    for row in plan.parameters:
        if row.lr_rule is None or row.weight_decay_rule is None:
            continue
        assert row.lr_rule.rule is (Rule.DEFAULT if layer_decay is None else Rule.LAYER_DECAY)
        assert row.lr_rule.mult == (1.0 if layer_decay is None else row.lr_scale)
        if layer_decay is not None and hasattr(model, "group_matcher"):
            assert row.layer is not None, row.name
            last = max(one.layer for one in plan.parameters if one.layer is not None)
            assert exact(row.lr_scale) == exact(layer_decay ** (last - row.layer)), row.name
        else:
            assert row.layer is None
        is_flat = len(row.shape) <= 1 or (layer_decay is None and row.name.endswith(".bias"))
        if row.weight_decay == 0.05:
            assert row.weight_decay_rule.rule is Rule.DEFAULT, row.name
            assert not is_flat
            assert row.name not in declared
        else:
            assert row.weight_decay == 0
            expected = Rule.FLAT if is_flat else Rule.NO_WEIGHT_DECAY
            assert row.weight_decay_rule.rule is expected, row.name


def assert_groups_are_timms(
    name: str, opt: str, layer_decay: float | None, *, build: bool = True
) -> Plan:
    given: Entries = {"opt": opt, "lr": 0.01, "weight_decay": 0.05, "momentum": 0.9}
    if layer_decay is not None:
        given["layer_decay"] = layer_decay
    model = model_of(name)
    plan = assert_as_timm(model, recipe_of(opt, layer_decay), build=build, **given)
    assert_rules_fit(plan, model, layer_decay)
    return plan


FEW: list[tuple[str, str, float | None]] = [
    ("resnet18", "sgd", None),
    ("resnet18", "lamb", 0.7),
    ("vit_tiny_patch16_224", "adamw", 0.75),
    ("vit_tiny_patch16_224", "muon", None),
    ("xcit_nano_12_p16_224", "lion", None),
    ("xcit_nano_12_p16_224", "adamw", 0.5),
]


@pytest.mark.parametrize(("name", "opt", "layer_decay"), FEW)
def test_groups_are_timms(name: str, opt: str, layer_decay: float | None) -> None:
    assert_groups_are_timms(name, opt, layer_decay)


@pytest.mark.sweep
def test_groups_are_timms_in_all_families(tell: Tell) -> None:
    rules: dict[Rule, int] = dict.fromkeys(Rule, 0)
    plans = 0
    for name in FAMILIES:
        for opt in OPTIMIZERS:
            for layer_decay in (None, 0.75):
                plan = assert_groups_are_timms(name, opt, layer_decay, build=False)
                plans += 1
                for row in plan.parameters:
                    for use in (row.lr_rule, row.weight_decay_rule):
                        if use is not None:
                            rules[use.rule] += 1
    assert plans == 300
    assert rules[Rule.NO_WEIGHT_DECAY] > 100
    assert rules[Rule.CONSTRUCTOR] == 0
    tell(
        f"timm recipes: {plans} plans of {len(FAMILIES)} families have the groups of create_optimizer_v2; "
        + ", ".join(f"{rule.value} {count}" for rule, count in rules.items() if count)
    )


def test_the_families_are_thirty_of_timms() -> None:
    modules = {timm.models.model_entrypoint(name).__module__ for name in FAMILIES}
    assert len(set(FAMILIES)) == len(FAMILIES) == 30
    assert len(modules) >= 28


def test_layers_are_numbered_as_timm_numbers_them() -> None:
    plan = optplan.make_plan(model_of("vit_tiny_patch16_224"), recipe_of("adamw", 0.75))
    layers = {row.name.removesuffix(".weight"): row.layer for row in plan.parameters}
    assert (layers["cls_token"], layers["pos_embed"], layers["patch_embed.proj"]) == (0, 0, 0)
    assert [layers[f"blocks.{block}.mlp.fc1"] for block in range(12)] == list(range(1, 13))
    assert (layers["norm"], layers["head"]) == (12, 13)
    plan = optplan.make_plan(
        model_of("vit_tiny_patch16_224"), recipe_of("adamw", 0.75, layer_decay_min_scale=0.5)
    )
    assert {row.lr_scale for row in plan.parameters if row.layer == 1} == {0.5}


class Odd(nn.Module):
    """Names and shapes that timm's two ways of grouping take differently."""

    def __init__(self) -> None:
        super().__init__()
        self.pos = nn.Parameter(torch.zeros(2, 3))
        self.scale = nn.Parameter(torch.zeros(()))
        self.heads = nn.ModuleDict({"bias_table": nn.Linear(2, 2)})
        self.table = nn.Module()
        self.table.bias = nn.Parameter(torch.zeros(2, 2))  # two dimensions, and called a bias
        self.frozen = nn.Linear(2, 2)
        self.frozen.weight.requires_grad_(False)

    def no_weight_decay(self) -> set[str]:
        return {"pos", "heads.*.weight", "scale"}


EXPECTED_ODD = {
    None: {
        "pos": (Rule.NO_WEIGHT_DECAY, 0.0),
        "scale": (Rule.FLAT, 0.0),
        "heads.bias_table.weight": (Rule.NO_WEIGHT_DECAY, 0.0),
        "heads.bias_table.bias": (Rule.FLAT, 0.0),
        "table.bias": (Rule.FLAT, 0.0),
        "frozen.bias": (Rule.FLAT, 0.0),
    },
    0.5: {
        "pos": (Rule.NO_WEIGHT_DECAY, 0.0),
        "scale": (Rule.FLAT, 0.0),
        "heads.bias_table.weight": (Rule.NO_WEIGHT_DECAY, 0.0),
        "heads.bias_table.bias": (Rule.FLAT, 0.0),
        "table.bias": (Rule.DEFAULT, 0.05),  # by layers, timm looks at the dimensions alone
        "frozen.bias": (Rule.FLAT, 0.0),
    },
}


@pytest.mark.parametrize("layer_decay", [None, 0.5])
def test_odd_names_and_shapes(layer_decay: float | None) -> None:
    given: Entries = {"opt": "adamw", "lr": 0.01, "weight_decay": 0.05}
    if layer_decay is not None:
        given["layer_decay"] = layer_decay
    plan = assert_as_timm(Odd(), recipe_of("adamw", layer_decay), **given)
    got = {
        row.name: (row.weight_decay_rule.rule, row.weight_decay)
        for row in plan.parameters
        if row.weight_decay_rule is not None
    }
    assert got == EXPECTED_ODD[layer_decay]
    assert plan.constructor == "timm.optim.create_optimizer_v2"


@pytest.mark.parametrize(
    ("recipe", "given"),
    [
        # each the recipe's own way to say what the factory is given
        ({"weight_decay": 0.0}, {"weight_decay": 0.0}),
        ({"momentum": 0.8}, {"momentum": 0.8}),
        ({"opt": "adamw", "opt_eps": 1e-6}, {"opt": "adamw", "eps": 1e-6}),
        ({"opt": "adamw", "opt_betas": [0.8, 0.9]}, {"opt": "adamw", "betas": [0.8, 0.9]}),
        ({"opt_foreach": False}, {"foreach": False}),
        ({"opt_kwargs": {"nesterov": False}}, {"nesterov": False}),
        ({"opt_kwargs": {"filter_bias_and_bn": False}}, {"filter_bias_and_bn": False}),
        (
            {"opt": "muon", "opt_kwargs": {"fallback_list": ["fc.*"]}},
            {"opt": "muon", "fallback_list": ["fc.*"]},
        ),
        (
            {"layer_decay": 0.5, "layer_decay_min_scale": 0.2},
            {"layer_decay": 0.5, "layer_decay_min_scale": 0.2},
        ),
        (
            {"layer_decay": 0.5, "layer_decay_no_opt_scale": 0.1},
            {"layer_decay": 0.5, "layer_decay_no_opt_scale": 0.1},
        ),
        ({"opt": "lookahead_adamw"}, {"opt": "lookahead_adamw"}),
        ({"opt": "AdamW"}, {"opt": "AdamW"}),
    ],
)
def test_each_argument_reaches_the_factory(recipe: Entries, given: Entries) -> None:
    base: Entries = {"opt": "sgd", "lr": 0.01, "weight_decay": 0.05, "momentum": 0.9}
    plan = assert_as_timm(model_of("resnet18"), {**base, **recipe}, **{**base, **given})
    assert {use.rule for row in plan.parameters if (use := row.weight_decay_rule)} <= {
        Rule.FLAT,
        Rule.DEFAULT,
    }


def test_what_layer_decay_freezes_is_frozen() -> None:
    model = model_of("resnet18")
    plan = optplan.make_plan(
        model, recipe_of("sgd", 0.5, layer_decay_no_opt_scale=0.1, momentum=0.9)
    )
    frozen = [row for row in plan.parameters if row.status is Status.FROZEN]
    assert frozen
    assert all(row.group is None and not row.requires_grad for row in frozen)
    assert all(parameter.requires_grad for parameter in model.parameters())


# lr, lr_base, lr_base_size, lr_base_scale, opt, batch_size, grad_accum_steps, world size → lr.
# Worked out by hand from what train.py does: lr_base × (batch / lr_base_size), or × its square root.
LRS: list[tuple[Entries, int, float]] = [
    ({"opt": "sgd", "lr": None}, 1, 0.05),  # 0.1 × 128 / 256
    ({"opt": "sgd", "lr": None}, 8, 0.4),
    ({"opt": "sgd", "lr": None, "batch_size": 64, "grad_accum_steps": 4}, 2, 0.2),
    ({"opt": "sgd", "lr": None, "grad_accum_steps": 0}, 2, 0.1),
    ({"opt": "lamb", "lr": None, "lr_base": 0.005, "batch_size": 512}, 2, 0.01),  # √4
    ({"opt": "adamw", "lr": None, "lr_base": 0.001, "batch_size": 256}, 4, 0.002),
    ({"opt": "NAdamW", "lr": None, "lr_base": 0.001, "batch_size": 256}, 16, 0.004),
    (
        {"opt": "lion", "lr": None, "lr_base": 0.001, "batch_size": 256},
        4,
        0.004,
    ),  # no 'ada', no 'lamb'
    (
        {
            "opt": "adamw",
            "lr": None,
            "lr_base": 0.001,
            "lr_base_scale": "linear",
            "batch_size": 256,
        },
        4,
        0.004,
    ),
    (
        {"opt": "sgd", "lr": None, "lr_base": 0.5, "lr_base_scale": "sqrt", "batch_size": 256},
        9,
        1.5,
    ),
    ({"opt": "sgd", "lr": None, "lr_base": 0.1, "lr_base_size": 1024, "batch_size": 256}, 8, 0.2),
    ({"opt": "sgd", "lr": 0.0, "lr_base": 0.1, "batch_size": 256}, 2, 0.2),  # 0 is as good as none
    ({"opt": "sgd", "lr": 0.3, "lr_base": 0.1, "batch_size": 256}, 2, 0.3),  # lr is set
]


@pytest.mark.parametrize(("recipe", "world_size", "lr"), LRS)
def test_the_lr_is_what_train_py_computes(recipe: Entries, world_size: int, lr: float) -> None:
    model = nn.Linear(2, 2)
    plan = optplan.make_plan(model, recipe, batch=Batch(world_size=world_size))
    assert {row.lr for row in plan.parameters} == {lr}
    assert plan.optimizers[0].lr == lr
    assert plan.is_final
    assert (plan.lr_scaling is None) == bool(recipe["lr"])
    optimizer = optplan.build_optimizer(model, recipe, batch=Batch(world_size=world_size))
    assert {group["lr"] for group in optimizer.param_groups} == {lr}


SCHEDULED: list[Entries] = [
    {},
    {"train_batch_sizes": [256, 64]},
    {"train_batch_sizes": [256, 64], "train_size_probs": [1, 3]},
    {"train_batch_sizes": [256, 64], "train_size_probs": [0.0, 2.5]},
    {"train_batch_sizes": [96, 33], "train_size_schedule": "progressive"},
    {"train_batch_sizes": [96, 33], "train_size_schedule": "progressive", "epochs": 1},
    {
        "train_batch_sizes": [96, 33],
        "train_size_schedule": "progressive",
        "train_size_schedule_spread": 0,
        "train_size_random_mix": 0.0,
        "train_size_probs": [1, 0],
        "epochs": 7,
    },
]


@pytest.mark.parametrize("given", SCHEDULED)
def test_batches_of_several_sizes_count_with_timms_average(given: Entries) -> None:
    sampler = ScheduledBatchSampler(
        range(100_000),
        batch_sizes=given.get("train_batch_sizes", [128, 128]),
        choice_weights=given.get("train_size_probs"),
        choice_schedule=given.get("train_size_schedule", "constant"),
        schedule_epochs=given.get("epochs", 300),
        schedule_spread=given.get("train_size_schedule_spread", 0.65),
        schedule_random_mix=given.get("train_size_random_mix", 0.1),
    )
    recipe = {"opt": "sgd", "lr": None, "train_img_sizes": [160, 224], **given}
    plan = optplan.make_plan(nn.Linear(2, 2), recipe, batch=Batch(world_size=2))
    lr = 0.1 * 2 * sampler.average_batch_size / 256
    assert plan.parameters[0].lr == pytest.approx(lr, rel=1e-14)
    assert optplan.Plan.from_json(plan.to_json()) == plan


def test_the_average_of_two_batch_sizes() -> None:
    sizes = {"train_img_sizes": [160, 224], "train_batch_sizes": [256, 64]}
    plan = optplan.make_plan(
        nn.Linear(2, 2), {"opt": "sgd", "lr": None, **sizes}, batch=Batch(world_size=1)
    )
    assert plan.parameters[0].lr == 0.0625


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train_img_sizes": 224}, "train_img_sizes must be a list of sizes, got int 224"),
        ({"train_batch_sizes": [256]}, "train_batch_sizes must be a list of 2, one for each"),
        ({"train_batch_sizes": [256, 0]}, "train_batch_sizes must be a list of numbers"),
        ({"train_size_probs": [0, 0]}, "train_size_probs must be a list of numbers that are not"),
        ({"train_size_random_mix": 2}, "train_size_random_mix must be"),
    ],
)
def test_batch_sizes_that_timm_refuses(given: Entries, message: str) -> None:
    recipe = {"opt": "sgd", "lr": None, "train_img_sizes": [160, 224], **given}
    with pytest.raises(ConfigError, match=message):
        optplan.make_plan(nn.Linear(2, 2), recipe, batch=Batch(world_size=1))


def test_bit_for_bit() -> None:
    recipe = {"opt": "adamw", "lr": None, "lr_base": 0.0003, "lr_base_size": 300, "batch_size": 77}
    plan = optplan.make_plan(nn.Linear(2, 2), recipe, batch=Batch(world_size=7))
    assert plan.parameters[0].lr is not None
    assert plan.parameters[0].lr.hex() == (0.0003 * (539 / 300) ** 0.5).hex()


def test_an_lr_that_is_not_final_is_that_of_the_base_batch() -> None:
    recipe = {"opt": "sgd", "lr": None, "lr_base": 0.4, "batch_size": 64}
    plan = optplan.make_plan(nn.Linear(2, 2), recipe)
    assert {row.lr for row in plan.parameters} == {0.4}
    assert not plan.is_final
    scaling = plan.lr_scaling
    assert scaling is not None
    assert (scaling.base_lr, scaling.base_batch, scaling.batch_size) == (0.4, 256, 64)
    assert (scaling.world_size, scaling.batch, scaling.factor, scaling.lr) == (
        None,
        None,
        None,
        None,
    )
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("opt: adamww\nlr: 0.1\n", "1:1: timm has no optimizer 'adamww' (did you mean 'adamw'"),
        ("opt: sgd\nlr: 1e-3x\n", "2:1: lr must be a number, got the string '1e-3x'"),
        ("opt: sgd\nlr: 1\nopt_betas: [0.9, 1e-1]\n", "3:1: opt_betas must be a list of numbers"),
        ("opt: sgd\nlr: null\nbatch_size: 1e2\n", "3:1: batch_size must be a whole number above 0"),
        ("opt: [sgd]\nlr: 1\nsched: x\nmodel: y\n", "1:1: opt must be a name, got list ['sgd']"),
        ("opt: sgd\nlr: -1\n", "2:1: lr must not be negative, got -1"),
        ("opt: sgd\nlr: .nan\n", "2:1: lr must be finite, got nan"),
        (
            "opt: sgd\nlr: 1\nweight_decay: null\n",
            "3:1: weight_decay must be a number, got NoneType",
        ),
        (
            "opt: sgd\nlr: 1\nopt_betas: 0.9\n",
            "3:1: opt_betas must be a list of numbers, got float 0.9",
        ),
        ("opt: sgd\nlr: null\nbatch_size: 0\n", "3:1: batch_size must be a whole number above 0"),
        ("opt: sgd\nlr: null\nlr_base_size: 0\n", "3:1: lr_base_size must be a number above 0"),
        (
            "opt: sgd\nlr: null\nlr_base_scale: squrt\n",
            "3:1: lr_base_scale must be 'linear' or 'sqrt', got str 'squrt' (did you mean 'sqrt'?)",
        ),
        (
            "opt: sgd\nlr: 1\nopt_kwargs: 3\n",
            "3:1: opt_kwargs must be a mapping of names to values",
        ),
        (
            "opt: sgd\nlr: 1\nopt_kwargs: {lr: 2}\n",
            "3:14: opt_kwargs repeats 'lr', which train.py gives to the optimizer already (set lr",
        ),
        (
            "opt: sgd\nlr: 1\nopt_kwargs: {nestrov: true}\n",
            "3:14: timm:sgd takes no argument 'nestrov' (did you mean 'nesterov'?)",
        ),
        (
            "opt: sgd\nlr: 1\nmodel_kwargs: {num_classes: 3}\n",
            "3:16: model_kwargs repeats 'num_classes', which train.py gives to the model already",
        ),
        (
            "opt: adamw\nlr: 1\nopt_betas: [0.9, 1.5]\n",
            "1:1: timm.optim.create_optimizer_v2 raises ValueError: Invalid beta parameter",
        ),
    ],
)
def test_mistakes_are_told_at_their_place(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text(text)
    config = optplan.load_config(tmp_path / "args.yaml")
    with pytest.raises((ConfigError, PlanError)) as raised:
        optplan.make_plan(nn.Linear(2, 2), config)
    assert str(raised.value).startswith(f"{tmp_path}/args.yaml:{message}")
    assert len(raised.value.problems) == 1


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        optplan.make_plan(nn.Linear(2, 2), {"opt": "sgd", "lr": "1e-3x", "momentum": "x", "gp": 3})
    assert len(raised.value.problems) == 3


def test_what_the_rules_do_not_explain_is_told_as_the_factorys_own_code() -> None:
    asked = count()

    class Named(nn.Linear):
        def no_weight_decay(self) -> list[str]:
            # the inventory asks first, then the factory, then the plan
            return ["weight"] if next(asked) == 1 else []

    plan = optplan.make_plan(Named(2, 2), {"opt": "sgd", "lr": 0.1, "weight_decay": 0.05})
    use = plan.parameters[0].weight_decay_rule
    assert use is not None
    assert (plan.parameters[0].weight_decay, use.rule) == (0.0, Rule.CONSTRUCTOR)
    assert use.constructor == "timm.optim.create_optimizer_v2"
