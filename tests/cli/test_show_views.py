"""``optplan show --view``: each view in each format, and what does not go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Invoke
from tests.schema import validate

CONFIG = "sample_configs/backbone_and_head.py"
SEGMENTOR = ("--model", "sample_configs/models.py:Segmentor")

TREE = """\
sample_configs/models.py:Segmentor · file · 14 parameters · 25.0 k
 AdamW  lr 0.0002  weight_decay 0.05  betas (0.9, 0.999)
 rules of MMEngine (optim_wrapper)
 module          parameters  elements       lr              weight_decay  rule
 Segmentor               14    25.0 k  0–0.002  ░░░░░░░░░░        0–0.05
 ├ backbone              12    23.8 k  0–2e-05  ░                 0–0.05
 │ ├ layer0               4       480        0                         0  custom_key 'backbone.layer0' ×0
 │ └ layer{1,2}           8    23.3 k    2e-05  █                   0.05  custom_key 'backbone' lr ×0.1
 └ decode_head            2    1.24 k    0.002  ██████████          0.05  custom_key 'head' lr ×10

 decided by custom_key 14
 trainable 14 · in the optimizer 14 · frozen 0
"""
KEYS = """\
sample_configs/models.py:Segmentor · file · 14 parameters · 25.0 k
 AdamW  lr 0.0002  weight_decay 0.05  betas (0.9, 0.999)
 rules of MMEngine (optim_wrapper)
 option or key      gives    matched  won  lost to              words hit        place
 'backbone.layer0'  ×0             4    4                       backbone.layer0  backbone_and_head.py:8
 'backbone'         lr ×0.1       12    8  'backbone.layer0' 4  backbone         backbone_and_head.py:7
 'head'             lr ×10         2    2                       decode_head      backbone_and_head.py:9

 every option and key decides something
 decided by custom_key 14
 trainable 14 · in the optimizer 14 · frozen 0
"""


@pytest.mark.parametrize(("view", "text"), [("tree", TREE), ("keys", KEYS)])
def test_text(view: str, text: str, invoke: Invoke) -> None:
    done = invoke("show", CONFIG, *SEGMENTOR, "--view", view)
    assert (done.returncode, done.stdout, done.stderr) == (0, text, "")


def data(invoke: Invoke, *words: str) -> Any:
    done = invoke("show", CONFIG, *SEGMENTOR, "--format", "json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_tree_as_json(invoke: Invoke) -> None:
    found = data(invoke, "--view", "tree", "--depth", "1")
    validate(found, "tree-view-1.0")
    assert [(b["level"], b["pattern"], b["parameters"], b["lr"]) for b in found["branches"]] == [
        (0, "*", 14, [0.0, 0.002]),
        (1, "backbone.*", 12, [0.0, 2e-05]),
        (1, "decode_head.*", 2, [0.002, 0.002]),
    ]
    assert sum(kind["names"] for kind in found["branches"][0]["kinds"]) == 14


def test_groups_as_json(invoke: Invoke) -> None:
    found = data(invoke, "--view", "settings")
    validate(found, "groups-view-1.0")
    assert [(g["setting"], g["parameters"], g["patterns"]) for g in found["groups"]] == [
        (0, 4, ["*.layer0.*"]),
        (1, 8, ["*.layer{1,2}.*"]),
        (2, 2, ["decode_head.*"]),
    ]


def test_keys_as_json(invoke: Invoke) -> None:
    found = data(invoke, "--view", "keys", "--param", "backbone.*")
    validate(found, "keys-view-1.0")
    assert found["narrowed"] == "--param backbone.*"
    assert found["entries"][1] == {
        "option": None,
        "key": "backbone",
        "origin": {"file": "backbone_and_head.py", "line": 7, "column": 13},
        "lr_mult": 0.1,
        "decay_mult": 1.0,
        "is_read": True,
        "matched": 12,
        "won": 8,
        "lost": [{"option": None, "key": "backbone.layer0", "parameters": 4}],
        "skipped": 0,
        "words": ["backbone"],
    }


@pytest.mark.parametrize("view", ["params", "tree", "groups", "keys", "layers"])
@pytest.mark.parametrize(("form", "start"), [("md", "### "), ("html", "<!DOCTYPE html>")])
def test_pages(view: str, form: str, start: str, invoke: Invoke) -> None:
    done = invoke("show", CONFIG, *SEGMENTOR, "--view", view, "--format", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(start)
    assert ("no layers" if view == "layers" else "decode_head") in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--view", "tree", "--format", "csv"],
            "error: --format csv is for --view params and memory, not for tree\n"
            "  hint: --view tree --format json has the same for programs\n",
        ),
        (["--depth", "2"], "error: --depth is for --view tree, not for params\n"),
    ],
)
def test_what_does_not_go_together(words: list[str], message: str, invoke: Invoke) -> None:
    done = invoke("show", "missing.py", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


@pytest.fixture
def saved(invoke: Invoke, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    assert invoke("show", CONFIG, *SEGMENTOR, "-f", "json", "-o", path).returncode == 0
    return path


def test_saved_plan_has_a_tree(saved: Path, invoke: Invoke) -> None:
    assert invoke("show", saved, "--view", "tree").stdout == TREE


LAYERED = "sample_configs/layer_list.py"
LAYERS = """\
sample_configs/models.py:Segmentor · file · 14 parameters · 25.0 k
 AdamW  lr 0.001  weight_decay 0.05
 made by LayerDecayOptimizerConstructor
 rules of MMEngine (optim_wrapper)
 layer  lr_scale        lr              parameters  elements  names
     0     0.125  0.000125  █                    4       480  *.layer0.*
     1      0.25   0.00025  ████                 4    4.70 k  *.layer1.*
     2       0.5    0.0005  ███████              4    18.6 k  *.layer2.*
     3         1     0.001  ██████████           2    1.24 k  decode_head.*

 4 layers · lr_scale 0.125–1
 decided by norm 6 · layer_decay 14
 trainable 14 · in the optimizer 14 · frozen 0
"""


def test_layers(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("show", LAYERED, *SEGMENTOR, "--view", "layers")
    assert (done.returncode, done.stdout, done.stderr) == (0, LAYERS, "")
    path = tmp_path / "plan.json"
    assert invoke("show", LAYERED, *SEGMENTOR, "-f", "json", "-o", path).returncode == 0
    plan = json.loads(path.read_text("utf-8"))
    validate(plan, "plan-1.0")
    first = plan["parameters"][0]
    fields = ("lr", "lr_scale", "effective_lr", "layer")
    assert [first[name] for name in fields] == [0.000125, 0.125, 0.000125, 0]
    assert first["lr_rule"] == {
        "rule": "layer_decay",
        "option": "layer_decay_rate",
        "key": None,
        "mult": 0.125,
        "origin": {"file": "layer_list.py", "line": 7, "column": 9},
    }
    assert invoke("show", path, "--view", "layers").stdout == LAYERS


def test_layers_as_json(invoke: Invoke) -> None:
    done = invoke("show", LAYERED, *SEGMENTOR, "--view", "layers", "-f", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    validate(found, "layers-view-1.0")
    assert [(one["layer"], one["lr"], one["patterns"]) for one in found["layers"]] == [
        (0, [0.000125, 0.000125], ["*.layer0.*"]),
        (1, [0.00025, 0.00025], ["*.layer1.*"]),
        (2, [0.0005, 0.0005], ["*.layer2.*"]),
        (3, [0.001, 0.001], ["decode_head.*"]),
    ]


def test_no_layers_to_be_had(invoke: Invoke) -> None:
    done = invoke(
        "show",
        "sample_configs/layer_decay.py",
        "--model",
        "sample_configs/models.py:TiedLanguageModel",
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: sample_configs/layer_decay.py:7:9: the model models.TiedLanguageModel does not say which"
        " layer a parameter is in: it has neither get_layer_depth nor timm's group_matcher\n"
        "    7 │ layer_decay_rate=0.75,\n"
        "      │ ^\n"
        "  hint: list the layers in paramwise_cfg, as"
        " layers=['stem.*', 'blocks.0.*', 'blocks.1.*', '*']\n"
    )


def test_saved_plan_has_no_keys(saved: Path, invoke: Invoke) -> None:
    done = invoke("show", saved, "--view", "keys")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: {str(saved)!r} is a saved plan, which keeps no options and keys, "
        "only what they decided\n"
        "  hint: name the config that it was made from\n"
    )


def test_view_is_no_saved_plan(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "tree.json"
    words = ("--view", "tree", "-f", "json", "-o", path)
    assert invoke("show", CONFIG, *SEGMENTOR, *words).returncode == 0
    done = invoke("show", path)
    assert (done.returncode, done.stderr) == (
        2,
        "error: not a saved plan: it is the tree view of one\n"
        f"  hint: it is in {str(path)!r}: save it without --view\n",
    )


def test_the_word_of_earlier_versions(invoke: Invoke) -> None:
    for words in (["--view", "groups"], ["--view=groups"]):
        done = invoke("show", CONFIG, *SEGMENTOR, *words)
        assert done.stdout == invoke("show", CONFIG, *SEGMENTOR, "--view", "settings").stdout
