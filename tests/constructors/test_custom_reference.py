"""Constructors registered in the installed mmengine run unchanged, and make what mmengine makes with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import optplan
from optplan import OptplanError, Plan
from optplan.names import Rule
from tests.agreement import assert_same_optimizer, assert_same_plan, exact
from tests.conftest import SAMPLES, Invoke
from tests.constructors.registering import OUR_IMPORTS, THEIR_IMPORTS, register
from tests.constructors.test_custom_tutorial import NEWER, net
from tests.models import HARD_CASES, hard_case
from tests.reference import Entries, ReferenceOptimizer, run_reference

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mmengine import registry
    from mmengine.optim import AmpOptimWrapper, DefaultOptimWrapperConstructor, OptimWrapper
    from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMSEGS

    MMSEGS.import_from_location()

pytestmark = pytest.mark.usefixtures("registries")

NOTE = "as the default constructor"


class Inherits(DefaultOptimWrapperConstructor):  # type: ignore[misc]
    """Nothing of its own."""


class Halves(DefaultOptimWrapperConstructor):  # type: ignore[misc]
    """Changes some of what its base made."""

    def add_params(
        self, params: Any, module: Any, prefix: str = "", is_dcn_module: Any = None
    ) -> None:
        first = len(params)
        super().add_params(params, module, prefix=prefix, is_dcn_module=is_dcn_module)
        for group in params[first:]:
            if not prefix and group["params"][0].ndim > 1:
                group["lr"] = group.get("lr", self.base_lr) * self.paramwise_cfg.get("factor", 0.5)
                group["halved"] = True


class OwnRules(DefaultOptimWrapperConstructor):  # type: ignore[misc]
    """Makes groups of several parameters by rules of its own; takes whatever else it is given."""

    def add_params(self, params: Any, module: Any, **kwargs: Any) -> None:
        found: dict[int, list[nn.Parameter]] = {}
        for parameter in module.parameters():
            if parameter.requires_grad:
                found.setdefault(min(parameter.ndim, 2), []).append(parameter)
        for ndim, members in sorted(found.items()):
            decay = self.base_wd or 0.0 if ndim == 2 else 0.0
            params.append(
                {
                    "params": members,
                    "weight_decay": decay,
                    "lr": self.base_lr / (3 - ndim),
                    "ndim": ndim,
                }
            )


class Calls(DefaultOptimWrapperConstructor):  # type: ignore[misc]
    """Makes the wrapper itself, and reads its configs by attribute."""

    def __call__(self, model: nn.Module) -> OptimWrapper:
        groups: list[Any] = []
        self.add_params(groups, model)
        optimizer = torch.optim.AdamW(groups, lr=self.base_lr * 2, weight_decay=self.base_wd or 0.0)
        return OptimWrapper(optimizer)


class Fresh:
    """Inherits from nothing, and has mmengine build what it needs."""

    def __init__(self, optim_wrapper_cfg: dict[str, Any], paramwise_cfg: Any = None) -> None:
        self.cfg = optim_wrapper_cfg.copy()
        self.optimizer_cfg = self.cfg.pop("optimizer")

    def __call__(self, model: nn.Module) -> Any:
        optimizer_cfg = self.optimizer_cfg.copy()
        optimizer_cfg["params"] = [p for p in model.parameters() if p.ndim > 1] or list(
            model.parameters()
        )
        optimizer = registry.OPTIMIZERS.build(optimizer_cfg)
        self.cfg.setdefault("type", "OptimWrapper")
        return registry.OPTIM_WRAPPERS.build(self.cfg, default_args={"optimizer": optimizer})


CLASSES: tuple[type, ...] = (Inherits, Halves, OwnRules, Calls, Fresh)
SGD: Entries = {"type": "SGD", "lr": 0.3, "weight_decay": 0.07, "momentum": 0.9}
PARAMWISE: dict[str, Entries | None] = {
    "missing": None,
    "norm": {"norm_decay_mult": 0.0, "bias_lr_mult": 2.0, "bias_decay_mult": 0.5, "factor": 0.1},
    "keys": {
        "custom_keys": {"a": {"lr_mult": 0.1}, ".weight": {"decay_mult": 0.0, "foo": (1, 2)}},
        "flat_decay_mult": 0.0,
        "bypass_duplicate": True,
    },
}


def section(found: type, optimizer: Entries, paramwise: Entries | None, **wrapper: Any) -> Entries:
    options = {} if paramwise is None else {"paramwise_cfg": paramwise}
    return {
        "optim_wrapper": {
            "optimizer": optimizer,
            "constructor": found.__name__,
            **options,
            **wrapper,
        }
    }


def assert_as_in_the_reference(
    found: type, model: nn.Module, optimizer: Entries, paramwise: Entries | None
) -> Plan | None:
    """Both build the same, or both refuse; nothing where they refuse."""
    registry.OPTIM_WRAPPER_CONSTRUCTORS.register_module(module=found, force=True)
    theirs = run_reference(model, optimizer, paramwise, mmcv=False, constructor=found.__name__)
    config = section(found, optimizer, paramwise)
    if isinstance(theirs, Exception):
        for refuse in (optplan.make_plan, optplan.build_optimizer):
            with pytest.raises(OptplanError):
                refuse(model, config)
        return None
    plan = optplan.make_plan(model, config)
    assert_same_plan(plan, model, theirs)
    if paramwise is PARAMWISE["norm"]:
        assert_same_optimizer(optplan.build_optimizer(model, config), theirs)
    assert_rules_are_told(plan, theirs, found.__name__)
    return plan


def assert_rules_are_told(plan: Plan, theirs: ReferenceOptimizer, name: str) -> None:
    """Each rule is the constructor's, or says of whom it is known; and the product comes out."""
    base = {"lr": theirs.defaults["lr"], "weight_decay": theirs.defaults["weight_decay"]}
    for row in plan.parameters:
        for setting, use in (("lr", row.lr_rule), ("weight_decay", row.weight_decay_rule)):
            if use is None:
                continue
            value = getattr(row, setting)
            if use.rule is Rule.CONSTRUCTOR:
                assert (use.constructor, use.note) == (name, None)
            else:
                assert (use.constructor, use.note) == (None, NOTE)
                own = theirs.groups[row.group or 0].own
                assert (use.rule is Rule.DEFAULT) == (setting not in own)
            if use.mult is not None:
                assert value == pytest.approx(base[setting] * use.mult, rel=1e-12)


# These no constructor has to do with.
REFUSED = {"ModuleIsNoModule", "ModuleIsNone", "NoParameters"}


@pytest.mark.parametrize("paramwise", PARAMWISE)
@pytest.mark.parametrize("case", sorted(set(HARD_CASES) - REFUSED))
def test_hard_cases(case: str, paramwise: str) -> None:
    model = hard_case(case)
    for found in CLASSES:
        assert_as_in_the_reference(found, model, SGD, PARAMWISE[paramwise])


@pytest.mark.parametrize(
    "optimizer",
    [
        {"type": "AdamW", "lr": 0.01, "betas": (0.8, 0.9)},
        {"type": "RMSprop", "lr": 1, "weight_decay": 0},
        {"type": "torch.optim.SGD", "lr": 0.1, "weight_decay": 0.1},
        {"type": "torch.optim.adamw.AdamW", "lr": 0.1},
        {"type": torch.optim.Adagrad, "lr": 0.1, "weight_decay": 0.1},
        {"type": "mmengine.SGD", "lr": 0.1},
        {"type": "SGD", "lr": 0.1, "_scope_": "mmengine"},
        {"type": "SGD", "lr": 0.1, "_scope_": "no_such_package"},
        {"type": "SGD", "lr": 0.1, "no_such": 1},
        {"type": "SGD", "lr": -0.1},
        {"type": "NoSuch", "lr": 0.1},
        {"type": "torch.optim.NoSuch", "lr": 0.1},
        {"type": "SGD"},
    ],
    ids=lambda optimizer: f"{optimizer['type']}-{len(optimizer)}",
)
@pytest.mark.parametrize("found", [Halves, OwnRules, Fresh])
def test_optimizers(found: type, optimizer: Entries) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))
    assert_as_in_the_reference(
        found,
        model,
        optimizer,
        {"norm_decay_mult": 0.0} if "weight_decay" in optimizer else {"bias_lr_mult": 2},
    )


AMP: dict[str, Entries] = {
    "plain": {"type": "AmpOptimWrapper"},
    "arguments": {
        "type": "AmpOptimWrapper",
        "loss_scale": "dynamic",
        "dtype": "bfloat16",
        "use_fsdp": True,
        "accumulative_counts": 4,
        "clip_grad": {"max_norm": 1.0},
    },
    "apex": {"type": "ApexOptimWrapper", "opt_level": "O1", "loss_scale": 512.0, "enabled": True},
    "scope": {"type": "mmengine.AmpOptimWrapper", "loss_scale": "dynamic"},
    "path": {"type": "mmengine.optim.AmpOptimWrapper"},
    "subclass": {"type": "OwnAmpWrapper", "own": 3, "loss_scale": 2.0},
}


class OwnAmpWrapper(AmpOptimWrapper):  # type: ignore[misc]
    """Takes an argument of its own."""

    def __init__(self, own: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)


@pytest.mark.parametrize("wrapper", AMP)
@pytest.mark.parametrize("found", [Halves, Fresh])
def test_wrappers_for_mixed_precision(found: type, wrapper: str) -> None:
    """The reference makes them on a GPU only; the groups are those of the plain wrapper."""
    registry.OPTIM_WRAPPER_CONSTRUCTORS.register_module(module=found)
    registry.OPTIM_WRAPPERS.register_module(module=OwnAmpWrapper)
    model, paramwise = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)), {"norm_decay_mult": 0.0}
    theirs = run_reference(model, SGD, paramwise, constructor=found.__name__)
    assert isinstance(theirs, ReferenceOptimizer)
    config = section(found, SGD, paramwise, **AMP[wrapper])
    before = section(found, SGD, paramwise, **AMP[wrapper])
    assert_same_plan(optplan.make_plan(model, config), model, theirs)
    assert_same_optimizer(optplan.build_optimizer(model, config), theirs)
    assert config == before


@pytest.mark.parametrize(
    ("wrapper", "said"),
    [
        ({"type": "OptimWrapper", "no_such": 1}, "unexpected keyword argument 'no_such'"),
        ({"type": "AmpOptimWrapper", "los_scale": 1}, "unexpected keyword argument 'los_scale'"),
        ({"type": "NoSuchWrapper"}, "NoSuchWrapper is not in the mmengine::optim_wrapper registry"),
        ({"type": "torch.nn.Linear"}, "'torch.nn.Linear' is no optimizer wrapper"),
        ({"type": "no.such.Wrapper"}, "there is no optimizer wrapper 'no.such.Wrapper'"),
    ],
)
def test_wrappers_that_the_reference_refuses(wrapper: Entries, said: str) -> None:
    registry.OPTIM_WRAPPER_CONSTRUCTORS.register_module(module=Halves)
    with pytest.raises(OptplanError, match=said):
        optplan.make_plan(
            nn.Linear(1, 1), section(Halves, SGD, {"norm_decay_mult": 0.0}, **wrapper)
        )


def test_the_older_form() -> None:
    """There is no reference for it; it is the newer one with the optimizer alone."""
    registry.OPTIM_WRAPPER_CONSTRUCTORS.register_module(module=Halves)
    model, paramwise = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)), {"norm_decay_mult": 0.0}
    theirs = run_reference(model, SGD, paramwise, constructor="Halves")
    assert isinstance(theirs, ReferenceOptimizer)
    config = {"optimizer": {**SGD, "constructor": "Halves", "paramwise_cfg": paramwise}}
    assert_same_plan(optplan.make_plan(model, config), model, theirs)


CONVNEXT: Entries = {"decay_rate": 0.7, "decay_type": "layer_wise", "num_layers": 6}
STAGES: Entries = {"decay_rate": 0.7, "decay_type": "stage_wise", "num_layers": 4}
BEIT: Entries = {"decay_rate": 0.7, "num_layers": 2}
OLD_BEIT: Entries = {"layer_decay_rate": 0.7, "num_layers": 2}
MMSEG: list[tuple[str, str, Entries]] = [
    ("LearningRateDecayOptimizerConstructor", "ConvNeXt", CONVNEXT),
    ("LearningRateDecayOptimizerConstructor", "ConvNeXt", STAGES),
    ("LearningRateDecayOptimizerConstructor", "BEiT", BEIT),
    ("LayerDecayOptimizerConstructor", "BEiT", OLD_BEIT),
    ("ForceDefaultOptimWrapperConstructor", "BEiT", PARAMWISE["norm"] or {}),
    (
        "ForceDefaultOptimWrapperConstructor",
        "ConvNeXt",
        {
            "custom_keys": {"backbone": {"lr_mult": 0.1, "decay_mult": 0.5}},
            "norm_decay_mult": 0.0,
            "force_default_settings": True,
        },
    ),
]


class ConvNeXt(nn.Module):
    """The names of the backbone that the constructor knows by its class's name."""

    def __init__(self) -> None:
        super().__init__()
        self.downsample_layers = nn.ModuleList([nn.Conv2d(3, 4, 4), nn.LayerNorm(4)])
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Linear(4, 4)) for _ in range(4)
        )
        self.norm3 = nn.LayerNorm(4)


class BEiT(nn.Module):
    """The same of the other."""

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.patch_embed = nn.Conv2d(3, 4, 4)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4)) for _ in range(2)
        )


class Segmentor(nn.Module):
    """A backbone and a head, whose bias is frozen."""

    def __init__(self, backbone: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.backbone = backbone()
        self.decode_head = nn.Conv2d(4, 2, 1)
        self.decode_head.bias.requires_grad_(False)  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "backbone", "paramwise"), MMSEG)
@pytest.mark.parametrize("scope", ["default", "written"])
@pytest.mark.filterwarnings("ignore")
def test_mmsegs(name: str, backbone: str, paramwise: Entries, scope: str) -> None:
    model = Segmentor({"ConvNeXt": ConvNeXt, "BEiT": BEiT}[backbone])
    before = {
        name: dict(value) if isinstance(value, dict) else value for name, value in paramwise.items()
    }
    theirs = run_reference(model, SGD, before, mmcv=False, constructor=f"mmseg.{name}")
    assert isinstance(theirs, ReferenceOptimizer)
    wrapper = {"optimizer": SGD, "paramwise_cfg": paramwise, "constructor": name}
    config: Entries = {"default_scope": "mmseg", "optim_wrapper": wrapper}
    if scope == "written":
        config = {"optim_wrapper": {**wrapper, "constructor": f"mmseg.{name}"}}
    plan = optplan.make_plan(model, config)
    assert plan.constructor == name
    by_name = dict(model.named_parameters())
    home = {id(p): (i, g) for i, g in enumerate(theirs.groups) for p in g.params}
    for row in plan.parameters:
        if id(by_name[row.name]) not in home:
            assert (row.group, row.status) == (None, "frozen")
            continue
        index, group = home[id(by_name[row.name])]
        final = group.final
        assert (row.group, exact(row.lr)) == (index, exact(final["lr"]))
        assert exact(row.weight_decay) == exact(final["weight_decay"])
        # which members it has is no entry of a group
        own = {n: v for n, v in group.own.items() if n not in ("lr", "weight_decay", "param_names")}
        assert exact(dict(row.extra)) == exact(own)
        assert row.lr_scale == group.own.get("lr_scale")
    assert paramwise == before or "layer_decay_rate" in paramwise


TALKS = """\
from mmengine.logging import MMLogger, print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class Talks(DefaultOptimWrapperConstructor):
    def __call__(self, model):
        print('I am called')
        print_log('I say so')
        return super().__call__(model)
"""


def test_what_is_said_goes_to_stderr(tmp_path: Path, invoke: Invoke) -> None:
    """What the reference logs of each group stands in the plan, and is left out."""
    register(tmp_path, TALKS, imports="", name="own_talks")
    (tmp_path / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, weight_decay=0.1),"
        " paramwise_cfg=dict(norm_decay_mult=0.), constructor='Talks')\n"
    )
    done = invoke("show", "a.py", "--model", "resnet18", "--format", "csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "I am called\nI say so\n")
    assert len(done.stdout.splitlines()) == 63


@pytest.mark.parametrize("example", ["tutorial", "sample"])
def test_a_class_runs_in_both_after_its_import_lines(example: str, tmp_path: Path) -> None:
    """The same class on optplan's base makes the groups that mmengine makes with it on its own."""
    if example == "tutorial":
        text, paramwise = NEWER, {"decay_factor": 0.5}
        name, model = "LayerDecayOptimWrapperConstructor", net()
    else:
        text = (SAMPLES / "stage_decay.py").read_text("utf-8")
        text = text.replace(SAMPLE_IMPORT, "")
        paramwise = {"stages": 3, "stage_decay_rate": 0.5, "norm_decay_mult": 0.0}
        name, model = "StageDecayOptimWrapperConstructor", Segmentor(Backbone)
    assert SAMPLE_IMPORT not in text
    register(tmp_path, text, imports=THEIR_IMPORTS, name="own_theirs")
    theirs = run_reference(model, SGD, dict(paramwise), constructor=name)
    assert isinstance(theirs, ReferenceOptimizer)
    assert any(group.own.get("lr") != SGD["lr"] for group in theirs.groups)
    register(tmp_path, text, imports=OUR_IMPORTS, name="own_ours")
    wrapper = {"optimizer": SGD, "paramwise_cfg": paramwise, "constructor": name}
    plan = optplan.make_plan(model, {"optim_wrapper": wrapper})
    assert_same_plan(plan, model, theirs)
    assert_same_optimizer(optplan.build_optimizer(model, {"optim_wrapper": wrapper}), theirs)


SAMPLE_IMPORT = "from optplan import OPTIM_WRAPPER_CONSTRUCTORS, DefaultOptimWrapperConstructor\n"


class Backbone(nn.Module):
    """The names that the sample's constructor knows."""

    def __init__(self) -> None:
        super().__init__()
        for stage in range(3):
            self.add_module(f"layer{stage}", nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)))
