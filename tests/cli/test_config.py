"""``optplan config``: the resolved config, each line with its place; and values set on top."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Invoke
from tests.schema import validate


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Three levels of bases."""
    (tmp_path / "_base_" / "deep").mkdir(parents=True)
    (tmp_path / "_base_" / "deep" / "opt.py").write_text(
        "lr = 0.1\n"
        "optim_wrapper = dict(\n"
        "    optimizer=dict(type='SGD', lr=lr, momentum=0.9),\n"
        "    clip_grad=None)\n"
    )
    (tmp_path / "_base_" / "mid.py").write_text(
        "_base_ = 'deep/opt.py'\n"
        "optim_wrapper = dict(\n"
        "    paramwise_cfg=dict(\n"
        "        norm_decay_mult=0.,\n"
        "        custom_keys={'backbone.x': dict(lr_mult=0.1)}))\n"
    )
    (tmp_path / "top.py").write_text(
        "_base_ = ['./_base_/mid.py']\n"
        "optim_wrapper = dict(optimizer=dict(lr=_base_.lr * 2))\n"
        "optim_wrapper['optimizer'].update(betas=(0.9, 0.99))\n"
        "stages = [dict(a=1), [1, 2]]\n"
    )
    return tmp_path


TEXT = """\
optim_wrapper = dict(             top.py:2
    optimizer=dict(               top.py:2
        type='SGD',               _base_/deep/opt.py:3
        lr=0.2,                   top.py:2
        momentum=0.9,             _base_/deep/opt.py:3
        betas=(0.9, 0.99),        top.py:3
    ),
    clip_grad=None,               _base_/deep/opt.py:4
    paramwise_cfg=dict(           _base_/mid.py:3
        norm_decay_mult=0.0,      _base_/mid.py:4
        custom_keys={             _base_/mid.py:5
            'backbone.x': dict(   _base_/mid.py:5
                lr_mult=0.1,      _base_/mid.py:5
            ),
        },
    ),
)
"""


def test_text(chain: Path, invoke: Invoke) -> None:
    done = invoke("config", "top.py", cwd=chain)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TEXT


def test_all_of_it(chain: Path, invoke: Invoke) -> None:
    done = invoke("config", "top.py", "--all", cwd=chain)
    assert done.stdout == (
        "lr = 0.1                          _base_/deep/opt.py:1\n"
        + TEXT
        + "stages = [                        top.py:4\n"
        "    dict(                         top.py:4\n"
        "        a=1,                      top.py:4\n"
        "    ),\n"
        "    [1, 2],                       top.py:4\n"
        "]\n"
    )


def test_the_text_is_a_config_of_the_same_meaning(chain: Path, invoke: Invoke) -> None:
    shown = invoke("config", "top.py", "--all", cwd=chain).stdout
    code = "\n".join(
        line.split("   _base_")[0].split("   top.py")[0] for line in shown.splitlines()
    )
    (chain / "again.py").write_text(code)
    values = json.loads(invoke("config", "top.py", "--all", "-f", "json", cwd=chain).stdout)[
        "values"
    ]
    again = json.loads(invoke("config", "again.py", "--all", "-f", "json", cwd=chain).stdout)[
        "values"
    ]
    assert values == again
    assert values["optim_wrapper"]["optimizer"]["lr"] == 0.2


def test_json(chain: Path, invoke: Invoke) -> None:
    data = json.loads(invoke("config", "top.py", "--format", "json", cwd=chain).stdout)
    validate(data, "config-1.0")
    assert data["values"]["optim_wrapper"]["optimizer"] == {
        "type": "SGD",
        "lr": 0.2,
        "momentum": 0.9,
        "betas": [0.9, 0.99],
    }
    assert data["places"]["/optim_wrapper/paramwise_cfg/custom_keys/backbone.x/lr_mult"] == {
        "file": "_base_/mid.py",
        "line": 5,
        "column": 41,
    }


@pytest.mark.parametrize(
    "options",
    [
        ["--set", "optim_wrapper.optimizer.lr=3", "--set", "optim_wrapper.optimizer.betas.0=0.5"],
        ["--cfg-options", "optim_wrapper.optimizer.lr=3", "optim_wrapper.optimizer.betas.0=0.5"],
    ],
)
def test_overrides(chain: Path, invoke: Invoke, options: list[str]) -> None:
    lines = invoke("config", "top.py", *options, cwd=chain).stdout.splitlines()
    assert lines[3].split() == ["lr=3,", "--set", "optim_wrapper.optimizer.lr=3"]
    assert lines[5].split()[:2] == ["betas=(0.5,", "0.99),"]


def test_options_before_the_config(chain: Path, invoke: Invoke) -> None:
    done = invoke("config", "--cfg-options", "optim_wrapper.optimizer.lr=3", "top.py", cwd=chain)
    assert done.returncode == 0
    assert "lr=3," in done.stdout


COMMANDS = ("config", "show", "check", "schedule", "verify")


@pytest.mark.parametrize("option", ["--set", "--cfg-options"])
@pytest.mark.parametrize("words", [(command,) for command in COMMANDS] + [("explain", "weight")])
def test_a_dead_override_is_refused_by_every_command(
    tmp_path: Path, invoke: Invoke, words: tuple[str, ...], option: str
) -> None:
    (tmp_path / "a.py").write_text("optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n")
    (command, *names) = words
    done = invoke(command, "a.py", *names, option, "lr=0.5", cwd=tmp_path)
    assert done.returncode == (1 if command == "check" else 2)  # a finding of check
    said = done.stdout + done.stderr
    assert "--set lr=0.5: " in said
    assert "the config has no 'lr', and nothing would read it" in said
    assert "did you mean 'optim_wrapper.optimizer.lr'?" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--set", "optim_wraper.optimizer.lr=3"],
            "error: --set optim_wraper.optimizer.lr=3: ",
        ),
        (["--set", "nonsense"], "error: "),
        (["--cfg-options"], "error: --cfg-options needs a value\n"),
    ],
)
def test_bad_overrides(chain: Path, invoke: Invoke, options: list[str], message: str) -> None:
    done = invoke("config", "top.py", *options, cwd=chain)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


def test_overrides_reach_the_plan(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    model = ("-m", "torch.nn:Linear", "-k", "in_features=1", "-k", "out_features=1")
    done = invoke("show", "a.py", *model, "--set", "optimizer.lr=0.5", "-f", "json", cwd=tmp_path)
    row = json.loads(done.stdout)["parameters"][0]
    assert row["lr"] == 0.5
    assert row["lr_rule"]["origin"] == {"file": "--set", "line": 0, "column": 0}
    done = invoke(
        "explain", "a.py", "weight", *model, "--cfg-options", "optimizer.lr=0.5", cwd=tmp_path
    )
    assert "= 0.5 × 1" in done.stdout


def test_what_cannot_be_evaluated_needs_trust(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text(
        "def rate():\n    return 0.25\noptimizer = dict(type='SGD', lr=rate())\n"
    )
    refused = invoke("config", "a.py", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a.py:3:33: " in refused.stderr
    assert "--trust" in refused.stderr
    trusted = invoke("config", "a.py", "--trust", cwd=tmp_path)
    assert (trusted.returncode, trusted.stdout) == (
        0,
        "optimizer = dict(\n    type='SGD',\n    lr=0.25,\n)\n",
    )


def test_no_section(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text("optim_wraper = 3\n")
    done = invoke("config", "a.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rename 'optim_wraper' to 'optim_wrapper'" in done.stderr
    assert invoke("config", "a.py", "--all", cwd=tmp_path).stdout == "optim_wraper = 3   a.py:1\n"


def test_what_is_inside_lists_is_shown(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text("a = (1, [2, dict(x=float('-inf'))], [[3], []])\n")
    done = invoke("config", "a.py", "--all", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    code = [
        line.rpartition("   a.py:1")[0].strip() or line.strip() for line in done.stdout.splitlines()
    ]
    assert code == [
        "a = (",
        "1,",
        "[",
        "2,",
        "dict(",
        "x=float('-inf'),",
        "),",
        "],",
        "[[3], []],",
        ")",
    ]


def test_a_saved_plan_is_no_config(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    made = invoke(
        "show", tmp_path / "a.py", "-m", "sample_configs/models.py:Segmentor", "-f", "json"
    )
    (tmp_path / "plan.json").write_text(made.stdout)
    done = invoke("config", "plan.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: 'plan.json' is no config, but a saved plan")


def test_a_file_of_a_revision(tmp_path: Path, invoke: Invoke) -> None:
    path = tmp_path / "a.py"
    path.write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "a.py"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    path.write_text("optimizer = dict(type='SGD', lr=0.2)\n")
    done = invoke("config", "HEAD:a.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "    lr=0.1," in done.stdout


def test_many_places_take_no_longer_than_few(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "a.json").write_text(
        '{"é": 1, ' + ", ".join(f'"k{at}": {at}' for at in range(30000)) + "}"
    )
    (tmp_path / "b.py").write_text(
        "x = '{{ fileBasename }}'\n" + "".join(f"k{at} = {at}\n" for at in range(30000))
    )
    start = time.process_time()
    for name in ("a.json", "b.py"):
        done = invoke("config", name, "--all", "-f", "json", cwd=tmp_path)
        assert done.returncode == 0
        place = json.loads(done.stdout)["places"]["/k29999"]
        assert place["line"] == (1 if name == "a.json" else 30001)
    assert time.process_time() - start < 15
