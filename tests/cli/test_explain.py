"""``optplan explain``: text, JSON, and statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Invoke
from tests.schema import validate

CONFIG = """\
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.,
        custom_keys={
            'backbone': dict(lr_mult=0.1),
            'backbone.layer0': dict(lr_mult=0.5),
            'theta': dict(lr_mult=2.),
        }))
"""

TEXT = """\
rules of MMEngine (optim_wrapper)

backbone.layer0.1.weight   16   BatchNorm2d
  lr            0.0005  = 0.001 × 0.5  custom_key 'backbone.layer0'  a.py:7:13
  weight_decay  0.05    = 0.05 × 1     custom_key 'backbone.layer0'  a.py:7:13
      7 │ 'backbone.layer0': dict(lr_mult=0.5),
  considered
    won   custom_key 'backbone.layer0'  lr, weight_decay  the longest key in the name                                  a.py:7
    lost  custom_key 'backbone'         lr, weight_decay  'backbone' matches too, but 'backbone.layer0' is longer      a.py:6
    lost  norm                          weight_decay      norm_decay_mult would have given 0, a custom key cancels it  a.py:4
    no    custom_key                                      not in 'backbone.layer0.1.weight': 'theta'

decode_head.bias   19   Conv2d
  lr            0.001  = 0.001 × 1  default  a.py:2:34
  weight_decay  0.05   = 0.05 × 1   default  a.py:2:44
      2 │ optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
  considered
    no  bias        lr            bias_lr_mult is not set
    no  norm        weight_decay  Conv2d is not one of the classes that norm_decay_mult knows        a.py:4
    no  bias        weight_decay  bias_decay_mult is not set
    no  flat        weight_decay  flat_decay_mult is not set
    no  custom_key                not in 'decode_head.bias': 'backbone.layer0', 'backbone', 'theta'
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(CONFIG)
    models = Path(__file__).parents[2] / "sample_configs" / "models.py"
    (tmp_path / "models.py").write_text(models.read_text("utf-8"))
    return tmp_path


WORDS = ("explain", "a.py", "--model", "models.py:Segmentor")


def test_text(folder: Path, invoke: Invoke) -> None:
    done = invoke(*WORDS, "decode_head.bias", "*.layer0.1.weight", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TEXT


def test_json(folder: Path, invoke: Invoke) -> None:
    done = invoke(*WORDS, "*", "--format", "json", cwd=folder)
    data = json.loads(done.stdout)
    validate(data, "explain-1.0")
    assert len(data["parameters"]) == 14
    value = data["parameters"][2]["weight_decay"]
    assert value["line"] == "            'backbone.layer0': dict(lr_mult=0.5),"
    assert {name: value[name] for name in ("value", "base", "mult", "rule", "key", "origin")} == {
        "value": 0.05,
        "base": 0.05,
        "mult": 1.0,
        "rule": "custom_key",
        "key": "backbone.layer0",
        "origin": {"file": "a.py", "line": 7, "column": 13},
    }
    assert [c["outcome"] for c in value["candidates"]] == ["won", "lost", "lost"]


def test_a_name_that_matches_nothing(folder: Path, invoke: Invoke) -> None:
    done = invoke(*WORDS, "decode_head.bias", "decode_haed.bias", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "error: 'decode_haed.bias' matches no parameter\n  hint: did you mean 'decode_head.bias'"
    )


def test_a_saved_plan_keeps_winners_only(folder: Path, invoke: Invoke) -> None:
    assert invoke("show", *WORDS[1:], "-f", "json", "-o", "plan.json", cwd=folder).returncode == 0
    done = invoke("explain", "plan.json", "decode_head.bias", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: 'plan.json' is a saved plan, which keeps the rules that won and not those that lost\n"
        "  hint: name the config that it was made from\n"
    )


def test_markup_and_control_characters_are_literal(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1, paramwise_cfg=dict(custom_keys={\n"
        "    '[red]': dict(lr_mult=2.), 'wei': dict(), '\\x1b[31m<script>': dict()}))\n"
    )
    done = invoke(
        "explain",
        "a.py",
        "-m",
        "torch.nn:Linear",
        "-k",
        "in_features=1",
        "-k",
        "out_features=1",
        "weight",
        "--color",
        "always",
        cwd=tmp_path,
    )
    assert done.returncode == 0
    assert "not in '.weight': '\\x1b[31m<script>', '[red]'" in done.stdout


def test_a_value_of_the_command_line_has_no_line(folder: Path, invoke: Invoke) -> None:
    """Wherever a place is printed; '--set:0' would be none that one can look up."""
    words = ("--set", "optim_wrapper.paramwise_cfg.norm_decay_mult=0.5")
    done = invoke(*WORDS, "backbone.layer0.1.weight", *words, cwd=folder)
    assert "a custom key cancels it  --set\n" in done.stdout
    base = ("--set", "optim_wrapper.optimizer.lr=0.3")
    done = invoke(*WORDS, "decode_head.bias", *base, cwd=folder)
    assert "  lr            0.3   = 0.3 × 1   default  --set\n" in done.stdout
    for view in ("params", "groups", "keys"):
        done = invoke("show", *WORDS[1:], "--view", view, *words, "--param", "*", cwd=folder)
        assert "--set:" not in done.stdout
    assert [line.split()[-1] for line in done.stdout.splitlines() if "norm_decay" in line] == [
        "--set"
    ]


LAYERED = """\
rules of MMEngine (optim_wrapper)

pos_embed   1×197×384   VisionTransformer
  lr            2.37573e-05  = 0.001 × 0.0237573  layer_decay (layer_decay_rate)  layer_decay.py:7:9
  weight_decay  0            = 0.05 × 0           custom_key '.pos_embed'         layer_decay.py:11:13
      7 │ layer_decay_rate=0.75,
     11 │ '.pos_embed': dict(decay_mult=0.),
  considered
    won  layer_decay              lr            layer 0 of 0–13, 0.75 ^ 13                        layer_decay.py:7
    won  custom_key '.pos_embed'  weight_decay  the longest key in the name                       layer_decay.py:11
    no   flat                     weight_decay  it has 3 dimensions, not 1                        layer_decay.py:8
    no   custom_key                             not in '.pos_embed': 'head.weight', '.cls_token'

head.weight   1000×384   Linear
  lr            0.002  = 0.001 × 2  custom_key 'head.weight'  layer_decay.py:12:13
  weight_decay  0.05   = 0.05 × 1   custom_key 'head.weight'  layer_decay.py:12:13
     12 │ 'head.weight': dict(lr_mult=2.),  # on top of its layer's scale
  considered
    won  custom_key 'head.weight'  lr, weight_decay  the longest key in the name                                                              layer_decay.py:12
    won  layer_decay               lr                no layer pattern, last layer: layer 13 of 0–13, 0.75 ^ 0, multiplies what the key gives  layer_decay.py:7
    no   flat                      weight_decay      it has 2 dimensions, not 1                                                               layer_decay.py:8
    no   custom_key                                  not in 'head.weight': '.cls_token', '.pos_embed'
"""


def test_layer_decay(invoke: Invoke) -> None:
    words = ("sample_configs/layer_decay.py", "--model", "vit_small_patch16_224")
    done = invoke("explain", *words, "pos_embed", "head.weight")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == LAYERED
