"""Checks on recipes of timm, on groups of patterns, and on an lr that depends on the batch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from optplan.checks import ALL_CHECKS
from optplan.checks.facts.unread_options import unread_options
from optplan.config import Batch
from optplan.dialects import find_optimizer
from tests.checks.given import context_of
from tests.conftest import Invoke

VIT = "vit_tiny_patch16_224"
RECIPE = """\
model: vit_tiny_patch16_224
opt: adamw
lr: 0.001
weight_decay: 0.05
layer_decay: 0.75
sched: cosine
batch_size: 64
"""
TITAN = """\
[optimizer]
lr = 0.001

[[optimizer.param_groups]]
pattern = 'norm|bias$|pos_embed|cls_token'
weight_decay_multiplier = 0.0

[[optimizer.param_groups]]
pattern = 'blocks\\.\\d+\\.norm1\\.'
lr_multiplier = 0.5

[[optimizer.param_groups]]
pattern = 'blocs'
"""


def check(invoke: Invoke, folder: Path, *words: str) -> list[str]:
    """The findings on the files of a folder, each as ``a.py:1:2 OPT103 error: message (hint)``."""
    done = invoke("check", *words, "--format", "json", cwd=folder)
    assert done.stderr == ""
    found = json.loads(done.stdout)["findings"]
    return [
        f"{one['file']}:{one['line']}:{one['column']} {one['code']} {one['severity']}: {one['message']}"
        + (f" ({one['hint']})" if one["hint"] else "")
        for one in found
    ]


def test_a_sane_recipe_has_no_findings(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "args.yaml").write_text(RECIPE)
    every = ",".join(c.code for c in ALL_CHECKS if not (c.opt_in and c.code == "OPT702"))
    assert check(invoke, tmp_path, "args.yaml", "-m", VIT, "--select", every) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"weight_decay": "weigth_decay"},
            "args.yaml:4:1 OPT101 error: 'weigth_decay' in the recipe does nothing: train.py takes it and"
            " never reads it (did you mean 'weight_decay'?)",
        ),
        ({"lr: 0.001": "lr: 1e-3x"}, "args.yaml:3:1 OPT004 error: lr must be a number, got the string '1e-3x'"),
        ({"opt: adamw": "opt: adamww"}, "args.yaml:2:1 OPT006 error: timm has no optimizer 'adamww' (did you mean 'adamw', 'radamw' or 'nadamw'?)"),
        (
            {"batch_size: 64": "opt_kwargs: {amsgrd: true}"},
            "args.yaml:7:14 OPT003 error: timm:adamw takes no argument 'amsgrd' (did you mean 'amsgrad'?)",
        ),
        (
            {"lr: 0.001": "lr: null"},
            "args.yaml:3:1 OPT007 warning: lr is not set: it becomes lr_base scaled by the total batch when"
            " the training starts (set lr, or give the world size: --world-size N)",
        ),
    ],
)  # fmt: skip
def test_mistakes_in_a_recipe(
    changes: dict[str, str], expected: str, tmp_path: Path, invoke: Invoke
) -> None:
    text = RECIPE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "args.yaml").write_text(text)
    assert check(invoke, tmp_path, "args.yaml", "-m", VIT) == [expected]


def test_layer_decay_that_does_nothing(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "args.yaml").write_text(RECIPE)
    model = tmp_path / "model.py"
    model.write_text(
        "from torch import nn\ndef net(): return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))\n"
    )
    found = check(invoke, tmp_path, "args.yaml", "-m", "model.py:net")
    assert found == [
        "args.yaml:5:1 OPT304 error: layer_decay=0.75 has no effect: all 4 parameters have lr 0.001"
    ]


def test_the_arguments_of_train_py_are_no_misspellings() -> None:
    """A file that train.py wrote has them all; none is so near an optimizer's that it is taken for one."""
    text = "".join(f"{name} = None\n" for name in TRAIN_PY if name not in SET)
    context = context_of(f"{text}{''.join(f'{n} = {v!r}' + chr(10) for n, v in SET.items())}")
    assert context.trouble is None
    assert context.section is not None
    assert unread_options(context) == ()
    assert find_optimizer(context.config).type == "timm:sgd"


SET = {"opt": "sgd", "weight_decay": 0.1, "momentum": 0.9, "lr_base": 0.1}

# As read in the repository of timm: the arguments of its train.py.
TRAIN_PY = [
    "data",
    "data_dir",
    "dataset",
    "train_split",
    "val_split",
    "train_num_samples",
    "val_num_samples",
    "dataset_download",
    "class_map",
    "input_img_mode",
    "input_key",
    "target_key",
    "dataset_trust_remote_code",
    "model",
    "pretrained",
    "pretrained_path",
    "initial_checkpoint",
    "resume",
    "no_resume_opt",
    "num_classes",
    "gp",
    "img_size",
    "in_chans",
    "input_size",
    "crop_pct",
    "mean",
    "std",
    "interpolation",
    "batch_size",
    "validation_batch_size",
    "channels_last",
    "fuser",
    "grad_accum_steps",
    "grad_checkpointing",
    "fast_norm",
    "head_init_scale",
    "head_init_bias",
    "torchcompile_mode",
    "torchscript",
    "torchcompile",
    "device",
    "amp",
    "amp_dtype",
    "amp_impl",
    "model_dtype",
    "no_ddp_bb",
    "synchronize_step",
    "local_rank",
    "device_modules",
    "opt",
    "opt_eps",
    "momentum",
    "weight_decay",
    "clip_grad",
    "clip_mode",
    "layer_decay",
    "layer_decay_min_scale",
    "layer_decay_no_opt_scale",
    "sched",
    "sched_on_updates",
    "lr",
    "lr_base",
    "lr_base_size",
    "lr_base_scale",
    "lr_noise",
    "lr_noise_pct",
    "lr_noise_std",
    "lr_cycle_mul",
    "lr_cycle_decay",
    "lr_cycle_limit",
    "lr_k_decay",
    "warmup_lr",
    "min_lr",
    "epochs",
    "epoch_repeats",
    "start_epoch",
    "decay_milestones",
    "decay_epochs",
    "warmup_epochs",
    "warmup_prefix",
    "cooldown_epochs",
    "patience_epochs",
    "decay_rate",
    "no_aug",
    "train_crop_mode",
    "scale",
    "ratio",
    "hflip",
    "vflip",
    "color_jitter",
    "color_jitter_prob",
    "grayscale_prob",
    "gaussian_blur_prob",
    "aa",
    "aug_repeats",
    "aug_splits",
    "jsd_loss",
    "bce_loss",
    "bce_sum",
    "bce_target_thresh",
    "bce_pos_weight",
    "reprob",
    "remode",
    "recount",
    "resplit",
    "mixup",
    "cutmix",
    "mixup_prob",
    "mixup_switch_prob",
    "mixup_mode",
    "mixup_off_epoch",
    "smoothing",
    "train_interpolation",
    "drop",
    "drop_connect",
    "drop_path",
    "drop_block",
    "bn_momentum",
    "bn_eps",
    "sync_bn",
    "dist_bn",
    "split_bn",
    "model_ema",
    "model_ema_force_cpu",
    "model_ema_decay",
    "model_ema_warmup",
    "seed",
    "worker_seeding",
    "log_interval",
    "recovery_interval",
    "checkpoint_hist",
    "workers",
    "save_images",
    "pin_mem",
    "no_prefetcher",
    "output",
    "experiment",
    "eval_metric",
    "tta",
    "use_multi_epochs_loader",
    "log_wandb",
    "wandb_project",
    "wandb_tags",
    "wandb_resume_id",
]


def test_patterns_without_effect(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.toml").write_text(TITAN)
    assert check(invoke, tmp_path, "a.toml", "-m", VIT) == [
        r"a.toml:9:1 OPT107 error: pattern 'blocks\.\d+\.norm1\.' does nothing: it matches 24 parameters,"
        " which 'norm|bias$|pos_embed|cls_token' took before (put it before)",
        "a.toml:13:1 OPT103 error: pattern 'blocs' matches no parameter",
    ]


def test_a_pattern_that_its_trainer_refuses_for_want_of_a_match(
    tmp_path: Path, invoke: Invoke
) -> None:
    (tmp_path / "a.yaml").write_text(
        "optimizer:\n  param_groups:\n"
        "  - {pattern: blocs, optimizer_name: AdamW, optimizer_kwargs: {lr: 0.1}}\n"
        "  - {pattern: .*, optimizer_name: AdamW, optimizer_kwargs: {lr: 0.1}}\n"
    )
    assert check(invoke, tmp_path, "a.yaml", "-m", VIT, "--ignore", "OPT203") == [
        "a.yaml:3:6 OPT103 error: the pattern 'blocs' takes no parameter (torchtitan refuses that)"
    ]


def test_an_argument_that_torch_copies_unread(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.yaml").write_text(
        "optimizer:\n  param_groups:\n  - pattern: .*\n    optimizer_name: AdamW\n"
        "    optimizer_kwargs:\n      lr: 0.1\n      weigth_decay: 0\n      foo: 1\n      betas: [0, 0.9]\n"
    )
    assert check(invoke, tmp_path, "a.yaml") == [
        "a.yaml:7:7 OPT102 error: 'weigth_decay' in the group '.*' does nothing (did you mean 'weight_decay'?)",
        "a.yaml:8:7 OPT102 warning: 'foo' in the group '.*' does nothing",
    ]


def test_a_norm_that_no_pattern_spares(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.yaml").write_text(
        "optimizer:\n  name: adamw\n  config:\n    weight_decay: 0.1\n    groups:\n"
        "    - {params: '.*(norm1|bias)', weight_decay: 0.0}\n"
    )
    found = check(invoke, tmp_path, "a.yaml", "-m", VIT, "--select", "OPT201")
    assert len(found) == 1
    assert found[0].endswith("(a group whose pattern matches them reaches them)")


def test_other_programs_files_in_a_folder_are_passed_over(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "args.yaml").write_text(RECIPE)
    (tmp_path / "a.toml").write_text(TITAN.rpartition("[[")[0].rpartition("[[")[0])
    for name, text in {
        "few.yaml": "opt: adam\nlr: 1e-3\nmodel: mine\n",
        "name.yaml": "optimizer: {name: adam, config: {lr: 0.1}}\n",
        "list.yaml": "optimizer: {param_groups: [1, 2]}\n",
        "word.yaml": "optimizer: adamw\nlr: 0.1\n",
        "script.py": "opt = 'sgd'\nlr = 0.1\nlr_base = 1\nmomentum = 0.9\nweight_decay = 0\nbatch_size = 1\n",
    }.items():
        (tmp_path / name).write_text(text)
    done = invoke("check", ".", "--format", "json", "-m", VIT, cwd=tmp_path)
    assert json.loads(done.stdout)["findings"] == []
    assert json.loads(done.stdout)["summary"]["configs"] == 2


def test_the_lr_is_final_where_the_batch_is_known(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1)\n"
        "auto_scale_lr = dict(enable=True, base_batch_size=256)\n"
        "train_dataloader = dict(batch_size=32)\n"
    )
    assert check(invoke, tmp_path, "a.py") == [
        "a.py:2:22 OPT007 warning: auto_scale_lr is enabled: every lr is multiplied by the total batch / 256"
        " when the training starts (give the world size: --world-size N)"
    ]
    assert check(invoke, tmp_path, "a.py", "--world-size", "8") == []
    (tmp_path / "b.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1)\nauto_scale_lr = dict(base_batch_size=256)\n"
    )
    assert check(invoke, tmp_path, "b.py") == []
    assert check(invoke, tmp_path, "b.py", "--auto-scale-lr") == [
        "b.py:2:1 OPT007 warning: auto_scale_lr is enabled: every lr is multiplied by the total batch / 256"
        " when the training starts (give the world size and the batch size: --world-size N --batch-size N)"
    ]


def test_a_wrong_auto_scale_lr_is_told_once(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1)\nauto_scale_lr = dict(enable=True)\n"
    )
    assert check(invoke, tmp_path, "a.py", "--world-size", "8") == [
        "a.py:2:1 OPT004 error: auto_scale_lr has no base_batch_size (write the batch that the lr is meant"
        " for: base_batch_size=256)"
    ]


def test_a_context_knows_its_batch() -> None:
    assert context_of("optimizer = dict(type='SGD', lr=0.1)\n").batch == Batch()
