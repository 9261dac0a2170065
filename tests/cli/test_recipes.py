"""Recipes of timm, groups of patterns and the lr that depends on the batch, in every command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from optplan.plan import Plan
from tests.conftest import SAMPLES, Invoke
from tests.schema import validate

LANGUAGE = f"{SAMPLES}/models.py:TiedLanguageModel"

LAMB_HEAD = """\
resnet18 · timm · 62 parameters · 11.7 M                       timm:lamb  lr 0.01  weight_decay 0.02
 made by timm.optim.create_optimizer_v2
 lr 0.01 = 0.005 × 2   lr_base √(8192 / 2048), batch 8192 = 4 × 2048   timm_lamb.yaml:13
"""
LAMB_NOT_FINAL = """\
the lr is not final: it is for a batch of 2048, and grows with world size × 2048 (square root); give --world-size
resnet18 · timm · 62 parameters · 11.7 M          timm:lamb  lr 0.005 (not final)  weight_decay 0.02
"""
SCALE_HEAD = """\
resnet18 · timm · 62 parameters · 11.7 M          SGD  lr 0.1 × 2  weight_decay 0.0001  momentum 0.9
 rules of MMEngine (optim_wrapper)
 lr 0.2 = 0.1 × 2   auto_scale_lr (512 / 256), batch 512 = 16 × 32   auto_scale_lr.py:8
"""
TITAN_HEAD = """\
 made by torchtitan's param_groups
 matcher search: a pattern may match anywhere in a name, the first that does wins
"""
FAIR_HEAD = """\
 made by fairseq2's groups
 matcher prefix-anchored: a pattern must match from the beginning of a name, the first that does wins
"""

SAMPLE = {
    "timm_lamb.yaml": ("resnet18", "fc.bias"),
    "timm_finetune.yaml": ("vit_tiny_patch16_224", "blocks.3.norm1.bias"),
    "auto_scale_lr.py": ("resnet18", "fc.bias"),
    "torchtitan.toml": (LANGUAGE, "block.norm1.bias"),
    "fairseq2.yaml": (LANGUAGE, "block.norm1.bias"),
}


@pytest.mark.parametrize(
    ("name", "words", "head"),
    [
        ("timm_lamb.yaml", ["--world-size", "4"], LAMB_HEAD),
        ("timm_lamb.yaml", [], LAMB_NOT_FINAL),
        ("auto_scale_lr.py", ["--world-size", "16"], SCALE_HEAD),
        ("torchtitan.toml", [], TITAN_HEAD),
        ("fairseq2.yaml", [], FAIR_HEAD),
    ],
)
def test_the_head_says_it(name: str, words: list[str], head: str, invoke: Invoke) -> None:
    model, parameter = SAMPLE[name]
    for view in (["--param", parameter], ["--view", "tree"], ["--view", "settings"]):
        done = invoke("show", SAMPLES / name, "-m", model, *words, *view)
        assert (done.returncode, done.stderr) == (0, "")
        assert head in done.stdout
        if "not final" in head:
            assert done.stdout.startswith("the lr is not final")


@pytest.mark.parametrize("name", SAMPLE)
def test_every_command_works_on_it(name: str, tmp_path: Path, invoke: Invoke) -> None:
    model, parameter = SAMPLE[name]
    path, given = SAMPLES / name, ("-m", model, "--world-size", "2")
    shown = invoke("show", path, *given, "--format", "json")
    assert (shown.returncode, shown.stderr) == (0, "")
    validate(json.loads(shown.stdout), "plan-1.0")
    assert Plan.from_json(shown.stdout).to_json() + "\n" == shown.stdout
    for view in ("tree", "groups", "keys", "layers"):
        done = invoke("show", path, *given, "--view", view, "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
        validate(json.loads(done.stdout), f"{view}-view-1.0")
    explained = invoke("explain", path, parameter, *given, "--format", "json")
    assert (explained.returncode, explained.stderr) == (0, "")
    validate(json.loads(explained.stdout), "explain-1.0")
    saved = tmp_path / "plan.json"
    saved.write_text(shown.stdout)
    same = invoke("diff", saved, path, *given)
    assert (same.returncode, same.stderr) == (0, "")
    assert "no difference" in same.stdout
    checked = invoke("check", path, *given)
    assert (checked.returncode, checked.stderr) == (0, "")
    for output_format in ("md", "html", "csv"):
        done = invoke("show", path, *given, "--format", output_format)
        assert (done.returncode, done.stderr) == (0, "")
        assert parameter in done.stdout
    resolved = invoke("config", path)
    assert (resolved.returncode, resolved.stderr) == (0, "")
    assert "lr" in resolved.stdout


FINETUNE = """\
blocks.3.norm1.bias   192   LayerNorm
  effective lr  3.75423e-05  = 0.0005 × 0.0750847  layer_decay (layer_decay)  timm_finetune.yaml:10:1
  weight_decay  0            = 0.05 × 0            flat (filter_bias_and_bn)
  its group has lr 0.0005; a scheduler of timm applies lr_scale 0.0750847
     10 │ layer_decay: 0.75
  considered
    won  flat             weight_decay  it has one dimension
    no   no_weight_decay  weight_decay  the model's no_weight_decay() does not name it
"""
TITAN = """\
block.norm1.bias   32   LayerNorm
  lr            0.0003  = 0.0003 × 1  default             torchtitan.toml:5:1
  weight_decay  0       = 0.1 × 0     regex 'bias$|norm'  torchtitan.toml:10:1
      5 │ lr = 3e-4
     10 │ weight_decay_multiplier = 0.0
  considered
    won  regex 'bias$|norm'  weight_decay  the first pattern that matches                  torchtitan.toml:10
    no   regex                             no match in 'block.norm1.bias': '^embedding\\.'
"""
FAIR = """\
block.norm1.bias   32   LayerNorm
  lr            0.0003  = 0.0003 × 1        default         fairseq2.yaml:6:5
  weight_decay  0       = set by the group  regex '.*bias'  fairseq2.yaml:10:7
      6 │ lr: 3.0e-4
     10 │ weight_decay: 0.0
  considered
    won  regex '.*bias'  weight_decay  the first pattern that matches                       fairseq2.yaml:10
    no   regex                         no match in 'block.norm1.bias': 'norm', 'embedding'
"""
SCALED = """\
rules of MMEngine (optim_wrapper)

fc.bias   1000   Linear
  lr            2       = 0.1 × 10 × 2 (batch)  custom_key 'fc'  auto_scale_lr.py:5:37
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("timm_finetune.yaml", FINETUNE),
        ("torchtitan.toml", TITAN),
        ("fairseq2.yaml", FAIR),
        ("auto_scale_lr.py", SCALED),
    ],
)
def test_explain(name: str, text: str, invoke: Invoke) -> None:
    model, parameter = SAMPLE[name]
    done = invoke("explain", SAMPLES / name, parameter, "-m", model, "--world-size", "16")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(text)


def test_explain_names_the_patterns_that_would_have_matched(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.toml").write_text(
        "[optimizer]\nparam_groups = [\n  {pattern = 'norm1'},\n  {pattern = 'bias'},\n  {pattern = '^b'},\n]\n"
    )
    done = invoke(
        "explain", "a.toml", "block.norm1.bias", "-m", LANGUAGE, "--format", "json", cwd=tmp_path
    )
    (found,) = json.loads(done.stdout)["parameters"]
    assert [(one["key"], one["outcome"], one["reason"]) for one in found["lr"]["candidates"]] == [
        ("norm1", "won", "the first pattern that matches"),
        ("bias", "lost", "matches too, but 'norm1' comes first"),
        ("^b", "lost", "matches too, but 'norm1' comes first"),
    ]


HEADINGS = ["parameter", "shape", "lr,", "not", "final"]


def test_an_lr_that_is_not_final_is_never_printed_as_if_it_were(invoke: Invoke) -> None:
    path, given = SAMPLES / "auto_scale_lr.py", ("-m", "resnet18")
    text = invoke("show", path, *given)
    assert text.stdout.splitlines()[0] == (
        "the lr is not final: it is for a batch of 256, and grows with world size × 32; give --world-size"
    )
    lines = [line for line in text.stdout.splitlines() if "lr 0.1" in line or "lr 1" in line]
    assert lines
    assert all("not final" in line or "custom_key" in line for line in lines)
    assert any(line.split()[:5] == HEADINGS for line in text.stdout.splitlines())
    read = csv.DictReader(io.StringIO(invoke("show", path, *given, "--format", "csv").stdout))
    assert {"lr_not_final", "effective_lr_not_final"} <= set(read.fieldnames or ())
    assert not {"lr", "effective_lr"} & set(read.fieldnames or ())
    data = json.loads(invoke("show", path, *given, "--format", "json").stdout)
    assert data["lr_scaling"]["final"] is False
    for output_format in ("md", "html"):
        assert "not final" in invoke("show", path, *given, "--format", output_format).stdout
    assert invoke("explain", path, "fc.bias", *given).stdout.startswith("the lr is not final")
    changed = invoke("diff", path, SAMPLES / "resnet18.yaml", *given)
    assert "the lr of the first plan is not final" in changed.stdout


def test_what_the_batch_is_made_of(invoke: Invoke) -> None:
    path = SAMPLES / "auto_scale_lr.py"
    done = invoke(
        "show",
        path,
        "-m",
        "resnet18",
        "--world-size",
        "4",
        "--batch-size",
        "128",
        "--format",
        "json",
    )
    data = json.loads(done.stdout)
    scaling = data["lr_scaling"]
    assert scaling.pop("origin") == {"file": "auto_scale_lr.py", "line": 8, "column": 22}
    assert scaling == {
        "source": "auto_scale_lr",
        "rule": "linear",
        "base_lr": 0.1,
        "base_batch": 256,
        "batch_size": 128,
        "accumulation": 1,
        "world_size": 4,
        "batch": 512,
        "factor": 2.0,
        "lr": 0.2,
        "final": True,
    }
    assert [setting["lr"] for setting in data["settings"]] == [0.2, 2.0]


def test_a_saved_plan_has_its_lr(tmp_path: Path, invoke: Invoke) -> None:
    saved = tmp_path / "plan.json"
    saved.write_text(
        invoke("show", SAMPLES / "resnet18.yaml", "-m", "resnet18", "--format", "json").stdout
    )
    done = invoke("show", saved, "--world-size", "8")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a saved plan, whose lr is what it is" in done.stderr
    done = invoke("diff", saved, saved, "--auto-scale-lr")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("words", [["--world-size", "0"], ["--batch-size", "-1"]])
def test_a_batch_has_something_in_it(words: list[str], invoke: Invoke) -> None:
    done = invoke("show", SAMPLES / "auto_scale_lr.py", "-m", "resnet18", *words)
    assert (done.returncode, done.stdout) == (2, "")


def test_auto_scale_lr_needs_something_to_scale_by(invoke: Invoke) -> None:
    done = invoke("show", SAMPLES / "resnet18.yaml", "-m", "resnet18", "--auto-scale-lr")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: the lr cannot be scaled: the config has no auto_scale_lr\n"
        "  hint: write auto_scale_lr = dict(base_batch_size=256)\n"
    )


def test_config_shows_what_makes_up_the_optimizer(invoke: Invoke) -> None:
    done = invoke("config", SAMPLES / "timm_finetune.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert "layer_decay" in done.stdout
    assert "model_kwargs" not in done.stdout
    assert names


def test_narrow_terminals_wrap_the_warning(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    from optplan.reporters.formats.terminal import render
    from optplan.reporters.plan_summary import head_blocks

    plan = Plan.from_json(
        invoke("show", SAMPLES / "timm_lamb.yaml", "-m", "resnet18", "--format", "json").stdout
    )
    lines = render(head_blocks(plan), width=60, color=False).splitlines()
    assert lines[0].startswith("the lr is not final")
    assert all(len(line) <= 60 for line in lines)


OWN = "opt: sgd\nlr: 0.1\n"


@pytest.mark.parametrize(
    ("text", "name", "shape"),
    [
        ("model: resnet18\nnum_classes: 7\n", "fc.weight", [7, 512]),
        ("model: resnet18\nnum_classes: null\n", "fc.weight", [1000, 512]),
        ("model: resnet18\nin_chans: 1\n", "conv1.weight", [64, 1, 7, 7]),
        ("model: resnet18\ninput_size: [4, 64, 64]\n", "conv1.weight", [64, 4, 7, 7]),
        ("model: resnet18\ngp: catavgmax\n", "fc.weight", [1000, 1024]),
        (
            "model: vit_tiny_patch16_224\nmodel_kwargs: {img_size: 32, depth: 1}\npretrained: true\n",
            "pos_embed",
            [1, 5, 192],
        ),
    ],
)
def test_the_model_is_the_recipes_own(
    text: str, name: str, shape: list[int], tmp_path: Path, invoke: Invoke
) -> None:
    (tmp_path / "args.yaml").write_text(OWN + text)
    done = invoke("show", "args.yaml", "--param", name, "--format", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert [row["shape"] for row in data["parameters"]] == [shape]
    assert data["model"]["source"] == "config"
    other = invoke("show", "args.yaml", "-m", "resnet18", "--format", "json", cwd=tmp_path)
    assert json.loads(other.stdout)["model"]["parameters"] == 62


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "which model?"),
        ("model: resnet1\n", "args.yaml:3:1: timm has no model 'resnet1'"),
        ("model: hf_hub:a/b\n", "args.yaml:3:1: 'timm:hf_hub:a/b' would have to be fetched"),
        ("model: [a]\n", "args.yaml:3:1: model must be a name, got list ['a']"),
        (
            "model: resnet18\nsplit_bn: true\n",
            "args.yaml:4:1: split_bn makes train.py add batch norms to the model",
        ),
        (
            "model: resnet18\nmodel_kwargs: {nope: 1}\n",
            "args.yaml:3:1: the timm model 'resnet18' raises",
        ),
    ],
)
def test_a_recipe_without_a_model_that_can_be_built(
    text: str, message: str, tmp_path: Path, invoke: Invoke
) -> None:
    (tmp_path / "args.yaml").write_text(OWN + text)
    done = invoke("show", "args.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")


def test_overrides_reach_recipes_and_patterns(invoke: Invoke) -> None:
    words = ("--set", "lr=0.5", "--set", "layer_decay=None", "--format", "json")
    done = invoke("show", SAMPLES / "timm_finetune.yaml", *words)
    assert [one["lr"] for one in json.loads(done.stdout)["settings"]] == [0.5, 0.5]
    again = ("--set", "optimizer.param_groups.0.pattern=zzz", "--format", "json")
    done = invoke("show", SAMPLES / "torchtitan.toml", "-m", LANGUAGE, *again)
    assert [one["weight_decay"] for one in json.loads(done.stdout)["settings"]] == [0.1, 0.1]


def test_patterns_in_json(tmp_path: Path, invoke: Invoke) -> None:
    groups = [{"pattern": "bias$", "lr_multiplier": 2.0}]
    (tmp_path / "a.json").write_text(json.dumps({"optimizer": {"lr": 0.1, "param_groups": groups}}))
    done = invoke("show", "a.json", "-m", "resnet18", "--format", "json", cwd=tmp_path)
    assert [one["lr"] for one in json.loads(done.stdout)["settings"]] == [0.1, 0.2]
