"""Configs for mmcv 1.x on the command line: recognized, told, planned and scheduled by its rules."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from optplan.constructors import OPTIMIZER_CONSTRUCTORS
from optplan.dialects.mmengine.read_sections import SIGNS_OF_MMCV1
from tests.conftest import Invoke
from tests.schema import validate

NET = """\
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.head = nn.Linear(4, 2)
        self.head.weight.requires_grad_(False)
"""
OPTIMIZER = (
    "optimizer = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.5,"
    " paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0.))\n"
)
STEP = "lr_config = dict(policy='step', step=[2, 4])\n"
EPOCHS = "runner = dict(type='EpochBasedRunner', max_epochs=6)\n"
OLDER = OPTIMIZER + STEP + EPOCHS
MODEL = ("--model", "net.py:Net")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "a.py").write_text(OLDER)
    return tmp_path


def rows(stdout: str) -> dict[str, tuple[float, float]]:
    """lr and weight decay by name."""
    data = json.loads(stdout)
    return {row["name"]: (row["lr"], row["weight_decay"]) for row in data["parameters"]}


def test_show_says_whose_rules_hold(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", "a.py", *MODEL, cwd=folder)
    assert done.stdout.splitlines()[1] == " rules of mmcv 1.x (lr_config, runner)"
    found = rows(invoke("show", "a.py", *MODEL, "-f", "json", cwd=folder).stdout)
    # the bias of a norm and of a depthwise convolution keep their decay, as mmcv 1.7.2 has it
    assert found["norm.bias"] == (0.1, 0.5)
    assert found["depthwise.bias"] == (0.2, 0.5)
    assert found["conv.bias"] == found["head.bias"] == (0.2, 0.0)
    assert found["head.weight"] == (0.1, 0.5)  # frozen, and in a group


@pytest.mark.parametrize("sign", SIGNS_OF_MMCV1)
def test_each_sign(sign: str, folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(f"{OPTIMIZER}{sign} = dict(policy='fixed')\n")
    data = json.loads(invoke("show", "b.py", *MODEL, "-f", "json", cwd=folder).stdout)
    validate(data, "plan-1.0")
    assert data["generation"] == {"name": "mmcv 1.x", "signs": [sign]}


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        (OPTIMIZER, ["optimizer"]),
        (OPTIMIZER + STEP + "param_scheduler = dict(type='PolyLR')\n", ["param_scheduler"]),
        ("optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n" + STEP, ["optim_wrapper"]),
    ],
)
def test_what_is_for_mmengine(text: str, signs: list[str], folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(text)
    data = json.loads(invoke("show", "b.py", *MODEL, "-f", "json", cwd=folder).stdout)
    assert data["generation"] == {"name": "MMEngine", "signs": signs}


def test_the_option_decides(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", "a.py", *MODEL, "--dialect", "mmengine", cwd=folder)
    assert done.stdout.splitlines()[1] == " rules of MMEngine (--dialect)"
    data = invoke("show", "a.py", *MODEL, "--dialect", "mmengine", "-f", "json", cwd=folder).stdout
    assert rows(data)["norm.bias"] == (0.1, 0.0)
    (folder / "b.py").write_text(OPTIMIZER)
    data = invoke("show", "b.py", *MODEL, "--dialect", "mmcv1", "-f", "json", cwd=folder).stdout
    assert rows(data)["norm.bias"] == (0.1, 0.5)
    (folder / "c.py").write_text("optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n")
    done = invoke("show", "c.py", *MODEL, "--dialect", "mmcv1", cwd=folder)
    assert done.returncode == 2
    assert "mmcv 1.x reads 'optimizer', and the config has 'optim_wrapper' alone" in done.stderr


def test_every_command_has_the_head(folder: Path, invoke: Invoke) -> None:
    head = "rules of mmcv 1.x (lr_config, runner)"
    for words in (("schedule", "a.py"), ("explain", "a.py", "head.bias")):
        assert head in invoke(*words, *MODEL, cwd=folder).stdout
    for view in ("tree", "groups", "keys"):
        assert head in invoke("show", "a.py", *MODEL, "--view", view, cwd=folder).stdout
    assert invoke("config", "a.py", cwd=folder).stdout.startswith(
        "# for mmcv 1.x: lr_config, runner\n"
    )
    done = invoke("diff", "a.py", "a.py", *MODEL, cwd=folder)
    assert done.stdout == "a.py → a.py · net.py:Net · mmcv 1.x · no difference\n"
    assert "by the rules of mmcv 1.x" in invoke("check", "a.py", *MODEL, cwd=folder).stdout


def test_explain_tells_what_mmcv_leaves_out(folder: Path, invoke: Invoke) -> None:
    told = invoke("explain", "a.py", *MODEL, "norm.bias", "head.weight", cwd=folder).stdout
    assert "BatchNorm2d is a norm, whose biases go by norm_decay_mult alone" in told
    assert (
        "frozen (requires_grad is false), but in a group: mmcv 1.x takes them as they are" in told
    )


def test_schedule(folder: Path, invoke: Invoke) -> None:
    done = invoke("schedule", "a.py", *MODEL, "-f", "json", cwd=folder)
    data = json.loads(done.stdout)
    validate(data, "schedule-1.0")
    assert (data["unit"], data["length"]) == ("epoch", 6)
    assert [point["step"] for point in data["points"]] == [0, 2, 4, 5]
    assert data["settings"][0]["values"]["lr"] == [0.1, 0.1 * 0.1, 0.1 * 0.1**2, 0.1 * 0.1**2]
    warm = "lr_config = dict(policy='step', step=[2], warmup='linear', warmup_iters=5)\n"
    (folder / "b.py").write_text(OPTIMIZER + warm + EPOCHS)
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert done.returncode == 2
    assert "hint: give --iters-per-epoch N" in done.stderr
    done = invoke("diff", "a.py", "b.py", *MODEL, "--iters-per-epoch", "10", cwd=folder)
    assert "lr from iteration 0 on" in done.stdout


def test_a_policy_of_some_package(folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(OPTIMIZER + "lr_config = dict(policy='YOLOX')\n" + EPOCHS)
    done = invoke("schedule", "b.py", *MODEL, cwd=folder)
    assert done.returncode == 2
    assert (
        "some package registers YOLOXLrUpdaterHook, and what that does is not known" in done.stderr
    )
    assert invoke("check", "b.py", *MODEL, cwd=folder).returncode == 0
    (folder / "c.py").write_text(OPTIMIZER + "lr_config = dict(policy='CosineAnealing')\n" + EPOCHS)
    assert "did you mean 'CosineAnnealing'?" in invoke("check", "c.py", cwd=folder).stdout


@pytest.mark.parametrize(
    ("lr_config", "told"),
    [
        ("policy='CosineAnealing', min_lr=0", "did you mean 'CosineAnnealing'?"),
        ("policy='CosineAnnealingLR', min_lr=0", "did you mean 'CosineAnnealing'?"),
        ("policy='onecycle', max_lr=0.1", "did you mean 'OneCycle'?"),
        ("policy='stpe', step=[8]", "did you mean 'step'?"),
        (
            "policy='poly', warmup='liner', warmup_iters=5",
            "'exp', got str 'liner', did you mean 'linear'?",
        ),
        ("policy='poly', warmup='linear', warmup_iters=0.5", "warmup_iters must be a whole number"),
        (
            "policy='poly', min_Ir=1e-4",
            "the policy poly takes no argument 'min_Ir', did you mean 'min_lr'?",
        ),
        (
            "policy='step', steps=[8]",
            "the policy step takes no argument 'steps', did you mean 'step'?",
        ),
        (
            "policy='step', step=(8, 11)",
            "step must be a whole number above 0, or a list of such numbers",
        ),
        (
            "policy='cyclic', target_ratio=[10, 1]",
            "target_ratio must be a float, or a tuple of two numbers",
        ),
        ("polcy='step', step=[8]", "hint: rename 'polcy' to 'policy'"),
    ],
)
def test_mistakes_without_a_length(lr_config: str, told: str, folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(f"{OPTIMIZER}lr_config = dict({lr_config})\n")
    done = invoke("check", "b.py", cwd=folder)
    assert done.returncode == 1
    assert "OPT506" in done.stdout
    assert told in done.stdout


@pytest.mark.parametrize(
    "policy", ["YOLOX", "CosineAnnealingCooldown", "StepFixCosineAnnealing", "Linear", "TIN"]
)
def test_policies_of_packages_are_no_mistakes(policy: str, folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(f"{OPTIMIZER}lr_config = dict(policy={policy!r}, num=3)\n")
    assert "no findings" in invoke("check", "b.py", cwd=folder).stdout


def test_the_lr_is_scaled_before_groups_are_made(folder: Path, invoke: Invoke) -> None:
    """As mmdet 2 scales it: 0.02 × (6 / 16), then ×0.3; the other way round the last bit is another."""
    text = OPTIMIZER.replace("lr=0.1", "lr=0.02").replace("bias_lr_mult=2.", "bias_lr_mult=0.3")
    batch = (
        "data = dict(samples_per_gpu=2)\nauto_scale_lr = dict(enable=True, base_batch_size=16)\n"
    )
    (folder / "b.py").write_text(text + STEP + EPOCHS + batch)
    words = ("b.py", *MODEL, "--world-size", "3")
    done = invoke("show", *words, "-f", "json", cwd=folder)
    assert rows(done.stdout)["conv.weight"][0] == 0.0075
    assert rows(done.stdout)["conv.bias"][0] == 0.00225
    assert json.loads(done.stdout)["optimizers"][0]["lr"] == 0.02
    assert "lr 0.0075 = 0.02 × 0.375" in invoke("show", *words, cwd=folder).stdout
    done = invoke("show", *words, "--dialect", "mmengine", "-f", "json", cwd=folder)
    assert rows(done.stdout)["conv.bias"][0] == 0.0022500000000000003
    told = invoke("show", "b.py", *MODEL, cwd=folder).stdout
    assert told.startswith("the lr is not final: it is for a batch of 16")
    own = batch.replace(
        "samples_per_gpu=2", "samples_per_gpu=2, train_dataloader=dict(samples_per_gpu=4)"
    )
    (folder / "b.py").write_text(text + STEP + EPOCHS + own)
    found = rows(invoke("show", *words, "-f", "json", cwd=folder).stdout)
    assert found["conv.weight"][0] == 0.015
    (folder / "b.py").write_text(text + STEP + EPOCHS + batch.replace(", base_batch_size=16", ""))
    found = rows(invoke("show", *words, "-f", "json", cwd=folder).stdout)
    assert found["conv.weight"][0] == 0.02


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            "norm_decay_mult=None",
            "norm_decay_mult is None, and mmcv 1.x multiplies by it for 'norm.weight'",
        ),
        ("dcn_offset_lr_mult=None", None),
        ("custom_keys=dict(nor=dict(lr_mult=None))", "lr_mult of custom key 'nor' is None"),
        ("custom_keys=dict(none=dict(lr_mult=None))", None),
    ],
)
def test_none_in_the_place_of_a_multiplier(
    options: str, told: str | None, folder: Path, invoke: Invoke
) -> None:
    text = OPTIMIZER.replace("bias_lr_mult=2., bias_decay_mult=0.", options)
    (folder / "b.py").write_text(text + STEP + EPOCHS)
    done = invoke("show", "b.py", *MODEL, cwd=folder)
    assert done.returncode == (0 if told is None else 2), done.stderr
    if told is not None:
        assert told in done.stderr
        assert "b.py:1:" in done.stderr
    assert invoke("show", "b.py", *MODEL, "--dialect", "mmengine", cwd=folder).returncode == (
        2 if "custom_keys" in options else 0
    )


@pytest.mark.parametrize(
    ("lr_config", "told"),
    [
        ("policy='step', step=[2, 8]", "OPT504 warning: step: step 8 is never reached"),
        ("policy='poly', min_lr=0.2", "OPT502 min_lr 0.2 is not below the starting lr"),
        ("policy='step', stepp=[2]", "OPT506 the policy step takes no argument 'stepp'"),
    ],
)
def test_checks_of_schedules(lr_config: str, told: str, folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(f"{OPTIMIZER}lr_config = dict({lr_config})\n{EPOCHS}")
    assert told in invoke("check", "b.py", *MODEL, cwd=folder).stdout


def test_checks_of_options(folder: Path, invoke: Invoke) -> None:
    options = "flat_decay_mult=0., custom_keys={'head': dict(lr=0.2)}"
    text = OPTIMIZER.replace("bias_lr_mult=2.", options)
    (folder / "b.py").write_text(text + STEP + EPOCHS)
    told = invoke("check", "b.py", *MODEL, cwd=folder).stdout
    assert "'flat_decay_mult' in paramwise_cfg does nothing" in told
    assert "'lr' in custom_keys['head'] does nothing" in told
    assert "OPT111" not in told


def test_leftovers(folder: Path, invoke: Invoke) -> None:
    newer = "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
    (folder / "b.py").write_text(newer + STEP + EPOCHS + "total_epochs = 6\n")
    told = invoke("check", "b.py", cwd=folder).stdout
    assert "b.py:2:1: OPT008 warning: 'lr_config' is read by mmcv 1.x alone" in told
    assert "b.py:3:1: OPT008 warning: 'runner' is read by mmcv 1.x alone" in told
    assert "total_epochs" not in told  # numbers are variables of the config's own
    assert "OPT008" not in invoke("check", "a.py", cwd=folder).stdout


def test_a_checkpoint_with_frozen_parameters_among_its_groups(folder: Path, invoke: Invoke) -> None:
    code: dict[str, Any] = {}
    exec(NET, code)
    model = code["Net"]()
    groups = [{"params": [one], "lr": 0.1, "weight_decay": 0.5} for one in model.parameters()]
    for (name, _), group in zip(model.named_parameters(), groups, strict=True):
        if name.endswith("bias") and name != "norm.bias":
            group["lr"] = 0.2
        if name in ("conv.bias", "head.bias"):
            group["weight_decay"] = 0.0
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.5)
    saved = {"meta": {"epoch": 3}, "state_dict": model.state_dict()}
    torch.save({**saved, "optimizer": optimizer.state_dict()}, folder / "epoch_3.pth")
    done = invoke("diff", "epoch_3.pth", "a.py", *MODEL, cwd=folder)
    assert done.stdout == (
        "epoch_3.pth → a.py · net.py:Net · mmcv 1.x · no difference\n saved by torch: epoch 3\n"
    )
    (folder / "b.py").write_text(OLDER.replace("bias_decay_mult=0.", "bias_decay_mult=1."))
    done = invoke("diff", "epoch_3.pth", "b.py", *MODEL, cwd=folder)
    assert "2 of 8 parameters change" in done.stdout
    done = invoke("diff", "epoch_3.pth", "a.py", *MODEL, "--dialect", "mmengine", cwd=folder)
    assert "param groups: 8 saved, 7 now" in done.stdout


LAYERED = """\
optimizer = dict(type='AdamW', lr=0.1, weight_decay=0.05, constructor='LayerDecayOptimizerConstructor',
                 paramwise_cfg=dict(num_layers=12, layer_decay_rate=0.9))
"""


@pytest.mark.parametrize("rest", [STEP, ""])
def test_layer_decay_of_somebodys_own(rest: str, folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(LAYERED + rest)
    told = invoke("check", "b.py", cwd=folder).stdout
    assert "OPT005 info: the constructor 'LayerDecayOptimizerConstructor' is not known" in told
    assert "--import FILE, the file that registers it" in told
    assert "OPT1" not in told
    done = invoke("show", "b.py", *MODEL, cwd=folder)
    assert done.returncode == 2
    assert "--import FILE, the file that registers it" in done.stderr


OWN = """\
from mmcv.runner import OPTIMIZER_BUILDERS, DefaultOptimizerConstructor, get_dist_info


@OPTIMIZER_BUILDERS.register_module()
class LayerDecayOptimizerConstructor(DefaultOptimizerConstructor):
    def add_params(self, params, module, prefix="", is_dcn_module=None):
        groups = {}
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad:
                continue
            depth = 0 if name.startswith("conv") else self.paramwise_cfg["num_layers"]
            group = groups.setdefault(depth, {
                "params": [], "param_names": [], "weight_decay": self.base_wd, "group_name": f"layer_{depth}",
                "lr": self.base_lr * self.paramwise_cfg["layer_decay_rate"] ** (12 - depth)})
            group["params"].append(parameter)
            group["param_names"].append(name)
        if get_dist_info()[0] == 0:
            print(sorted(groups))
        params.extend(groups.values())
"""


@pytest.fixture(autouse=True)
def _without_stand_ins() -> Iterator[None]:
    """Leave nothing behind that files register; of what --trust puts in the place of mmcv's nothing stays."""
    registered = dict(OPTIMIZER_CONSTRUCTORS._filled())
    yield
    OPTIMIZER_CONSTRUCTORS._entries = registered
    assert "mmcv.runner" not in sys.modules


def test_constructors_written_for_mmcv(folder: Path, invoke: Invoke) -> None:
    (folder / "b.py").write_text(LAYERED + STEP)
    (folder / "own.py").write_text(OWN)
    words = ("show", "b.py", *MODEL, "--import", "own.py", "-f", "json")
    refused = invoke(*words, cwd=folder)
    assert refused.returncode == 2
    assert "change line 1 of" in refused.stderr
    assert "or give --trust" in refused.stderr
    done = invoke(*words, "--trust", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout)["conv.weight"] == (0.1 * 0.9**12, 0.05)
    assert rows(done.stdout)["head.bias"] == (0.1, 0.05)


SHARED = """\
from optplan import OPTIMIZER_CONSTRUCTORS as OPTIMIZER_BUILDERS, DefaultOptimizerConstructor


@OPTIMIZER_BUILDERS.register_module()
class HalvingConstructorOfMmcv(DefaultOptimizerConstructor):
    def add_params(self, params, module, prefix="", is_dcn_module=None):
        super().add_params(params, module, prefix, is_dcn_module)
        for group in params:
            group["lr"] = self.base_lr / 2
"""


def test_what_is_left_to_the_base_is_mmcvs(folder: Path, invoke: Invoke) -> None:
    text = OLDER.replace(
        "weight_decay=0.5", "weight_decay=0.5, constructor='HalvingConstructorOfMmcv'"
    )
    (folder / "b.py").write_text(text)
    (folder / "shared.py").write_text(SHARED)
    done = invoke("show", "b.py", *MODEL, "--import", "shared.py", "-f", "json", cwd=folder)
    found = rows(done.stdout)
    assert found["norm.bias"] == (0.05, 0.5)
    assert found["conv.bias"] == (0.05, 0.0)
    assert found["head.weight"] == (0.05, 0.5)


GAN = """\
optimizer = dict(
    generator=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999)),
    discriminator=dict(type='SGD', lr=4e-4, momentum=0.9, weight_decay=0.1, paramwise_cfg=dict(bias_lr_mult=2.)))
lr_config = dict(policy='OneCycle', max_lr=dict(generator=[0.1], discriminator=[0.2, 0.4]))
momentum_config = dict(
    policy='OneCycle', base_momentum=dict(generator=[0.8], discriminator=[0.7, 0.75]), max_momentum=0.9)
runner = dict(type='IterBasedRunner', max_iters=10)
"""
GAN_NET = """\
from torch import nn
class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator = nn.Linear(2, 2)
        self.discriminator = nn.Linear(2, 2)
"""

LR_OF_GAN = [
    [0.0040000000000000036, 0.052000000000000005, 0.06112620219362893, 4.0000000000000003e-07],
    [0.008000000000000007, 0.10400000000000001, 0.12225240438725786, 8.000000000000001e-07],
    [0.016000000000000014, 0.20800000000000002, 0.24450480877451572, 1.6000000000000001e-06],
]
MOMENTUM_OF_GAN = [
    [0.9, 0.8500000000000001, 0.8388739533021843, 0.9],
    [0.9, 0.8, 0.7777479066043685, 0.9],
    [0.9, 0.825, 0.8083109299532765, 0.9],
]


def test_values_by_the_names_of_several_optimizers(folder: Path, invoke: Invoke) -> None:
    """As mmcv 1.7.2 set them at iterations 0, 1, 5 and 9 with the same sections and model."""
    (folder / "gan.py").write_text(GAN_NET)
    (folder / "b.py").write_text(GAN)
    at = [word for step in "0159" for word in ("--at", step)]
    words = ("schedule", "b.py", "--model", "gan.py:Gan", *at, "-f", "json")
    done = invoke(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    values = [one["values"] for one in json.loads(done.stdout)["settings"]]
    assert [one["lr"] for one in values] == LR_OF_GAN
    assert [one["momentum"] for one in values] == MOMENTUM_OF_GAN
    (folder / "b.py").write_text(GAN.replace("discriminator=[0.2, 0.4]", "dis=[0.2, 0.4]"))
    done = invoke(*words, cwd=folder)
    assert done.returncode == 2
    assert "max_lr has no list of values for the optimizer 'discriminator'" in done.stderr
