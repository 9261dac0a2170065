"""What the checks say about the sample configs, each with the model that its first line names."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from optplan.app.plan import Planner
from optplan.app.sources import open_source
from optplan.checks import ALL_CHECKS, Context
from optplan.config import Config
from optplan.names import Severity
from optplan.runtime.user_code import import_for_user
from tests.checks.given import line
from tests.conftest import ROOT, SAMPLES
from tests.test_samples import IMPORTED

# Without the checks that run only when they are selected; names of parameters are left out.
EXPECTED: dict[str, list[str]] = {
    "backbone_and_head.py": [
        "OPT107 backbone_and_head.py:7:13 info: key 'backbone' loses 4 of its 12 parameters to"
        " 'backbone.layer0'",
        "OPT402 backbone_and_head.py:8:13 warning: 4 parameters have lr 0 (key 'backbone.layer0'), but are"
        " trainable: gradients and optimizer state are paid for (set requires_grad to false instead)",
        "OPT403 info: 1 batch norm that the optimizer leaves alone updates running statistics in training"
        " mode: backbone.layer0.1 (put them into eval mode)",
    ],
    "bag_of_tricks.py": [],
    "bias_lr.py": [
        "OPT111 bias_lr.py:8:41 info: bias_decay_mult=0 reaches 8 parameters of norms too, as"
        " norm_decay_mult is not set (set norm_decay_mult)",
    ],
    "custom_constructor.py": [],
    "deformable.py": [],
    "depthwise.py": [],
    "auto_scale_lr.py": [
        "OPT007 auto_scale_lr.py:8:22 warning: auto_scale_lr is enabled: every lr is multiplied by the total"
        " batch / 256 when the training starts (give the world size: --world-size N)",
    ],
    "fairseq2.yaml": [
        "OPT201 warning: 2 parameters of LayerNorm keep weight_decay 0.1, while 2 others have none:"
        " block.norm1.weight, block.norm2.weight (a group whose pattern matches them reaches them)",
    ],
    "timm_finetune.yaml": [],
    "timm_lamb.yaml": [
        "OPT007 timm_lamb.yaml:13:1 warning: lr is not set: it becomes lr_base scaled by the total batch when"
        " the training starts (set lr, or give the world size: --world-size N)",
    ],
    "torchtitan.toml": [],
    "gan.py": [],
    "inherited.py": [],
    "layer_decay.py": [],
    "layer_list.py": [],
    "own_class.py": [],
    "own_import.py": [],
    "own_model.py": [],
    "layer_ramp.py": [],
    "mmcv1_detector.py": [],
    "mmcv1_segmentor.py": [],
    "resnet18.json": [],
    "resnet18.toml": [
        "OPT108 resnet18.toml:10:42 warning: key 'layer1' sets no decay_mult and cancels bias_decay_mult=0:"
        " 4 parameters keep weight_decay 1e-05 (add a longer key with a decay_mult for them)",
        "OPT111 resnet18.toml:8:1 info: bias_decay_mult=0 reaches 16 parameters of norms too, as"
        " norm_decay_mult is not set (set norm_decay_mult)",
    ],
    "resnet18.yaml": [],
    "tied_weights.py": [],
    "train.py": [],
    "vit_adamw.py": [],
}


def samples() -> list[Path]:
    kinds = (".py", ".json", ".yaml", ".toml")
    found = [path for path in SAMPLES.iterdir() if path.suffix in kinds]
    return sorted(path for path in found if path.name not in IMPORTED)


def test_every_sample_is_expected() -> None:
    assert {path.name for path in samples()} == set(EXPECTED)


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_sample(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    first = path.read_text("utf-8").splitlines()[0]
    words = shlex.split(first[first.index("optplan ") :].rstrip(' ",'))
    options = dict(pairwise(words[3:]))
    if "--import" in options:
        import_for_user(options["--import"])
    config = open_source(words[2])
    assert isinstance(config, Config)
    planned = Planner().plan(config, options.get("--model"), {})
    context = Context(config=config, section=planned.section, planned=planned, has_model=True)
    findings = [f for check in ALL_CHECKS if not check.opt_in for f in check.run(context)]
    assert [f for f in findings if f.severity is Severity.ERROR] == []
    told = [f"{finding.code} {line(finding).partition(' [')[0]}" for finding in findings]
    assert told == EXPECTED[path.name]
