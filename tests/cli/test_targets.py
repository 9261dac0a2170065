"""Every command takes the model that the current folder's pyproject.toml names for a config."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Invoke, Run

NETS = """\
from torch import nn


class Net(nn.Linear):
    def __init__(self, width=8):
        super().__init__(width, 2)


def groups(model):
    return [{'params': list(model.parameters()), 'lr': 0.5}]
"""
SETTINGS = """\
[[tool.optplan.targets]]
configs = ['configs/*.py', 'nets.py:groups']
model = 'nets.py:Net'
arguments = {width = 3}

[[tool.optplan.targets]]
configs = ['configs/two.py']
model = 'resnet18'

[[tool.optplan.targets]]
configs = ['broken.py']
model = 'nets.py:Nett'
"""
CONFIG = "optimizer = dict(type='SGD', lr=0.1, weight_decay={})\n"
OWN = "model = dict(type='torch.nn.Linear', in_features=7, out_features=1)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    for name in ("configs/one.py", "configs/two.py", "broken.py", "other.py"):
        (tmp_path / name).write_text(CONFIG.format(0.1))
    (tmp_path / "configs" / "own.py").write_text(CONFIG.format(0.1) + OWN)
    return tmp_path


def test_the_settings_are_read_in_a_process_of_its_own(project: Path, run: Run) -> None:
    # only there is restricted what may be read
    done = run("show", "configs/one.py", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("nets.py:Net")


def test_a_function_is_meant_by_its_file(project: Path, invoke: Invoke) -> None:
    (project / "pyproject.toml").write_text(SETTINGS.replace("nets.py:groups", "nets.py"))
    done = invoke("check", "nets.py:groups", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "no findings in 1 config\n"


COMMANDS = {
    "show": ("show", "configs/one.py"),
    "explain": ("explain", "configs/one.py", "weight"),
    "schedule": ("schedule", "configs/one.py", "--iters", "3"),
    "verify": ("verify", "configs/one.py", "--device", "cpu", "--no-cost"),
    "diff": ("diff", "configs/one.py", "configs/one.py"),
    "a function": ("show", "nets.py:groups"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_every_command(invoke: Invoke, project: Path, words: tuple[str, ...]) -> None:
    done = invoke(*words, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")


def test_its_arguments_and_more(invoke: Invoke, project: Path) -> None:
    for more, width in (((), 3), (("-k", "width=5"), 5)):
        done = invoke("show", "configs/one.py", "-f", "json", *more, cwd=project)
        found = json.loads(done.stdout)
        assert found["model"]["spec"] == "nets.py:Net"
        assert [row["shape"] for row in found["parameters"]] == [[2, width], [2]]


def test_from_a_folder_below(invoke: Invoke, project: Path) -> None:
    done = invoke("show", "../configs/one.py", "-f", "json", cwd=project / "elsewhere")
    assert json.loads(done.stdout)["model"]["class"] == "nets.Net"


@pytest.mark.parametrize(
    ("word", "options", "name"),
    [
        ("configs/own.py", (), "torch.nn.modules.linear.Linear"),
        ("configs/two.py", ("-m", "nets.py:Net"), "nets.Net"),
    ],
    ids=["the config's own", "--model"],
)
def test_what_comes_before_a_target(
    invoke: Invoke, project: Path, word: str, options: tuple[str, ...], name: str
) -> None:
    done = invoke("show", word, *options, "-f", "json", cwd=project)
    assert json.loads(done.stdout)["model"]["class"] == name


def test_several(invoke: Invoke, project: Path) -> None:
    done = invoke("show", "configs/two.py", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: which model? pyproject.toml names 2 for configs/two.py: nets.py:Net (line 3), resnet18 (line 8)\n"
        "  hint: choose one: --model nets.py:Net\n"
    )


def test_none(invoke: Invoke, project: Path) -> None:
    done = invoke("show", "other.py", cwd=project)
    assert done.returncode == 2
    assert done.stderr == "error: which model?\n  hint: name one: --model resnet50\n"


def test_a_model_that_is_not_there(invoke: Invoke, project: Path) -> None:
    done = invoke("show", "broken.py", cwd=project)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: pyproject.toml:12:1: 'nets.py:Nett': there is no 'Nett'\n"
    )


def test_wrong_settings(invoke: Invoke, project: Path) -> None:
    (project / "pyproject.toml").write_text("[[tool.optplan.targets]]\nconfigs = ['*.py']\n")
    done = invoke("show", "other.py", cwd=project)
    assert done.returncode == 2
    assert "pyproject.toml:1:1: [[tool.optplan.targets]] has no 'model'" in done.stderr


def test_the_settings_beside_a_config_elsewhere_count_for_nothing(
    invoke: Invoke, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = invoke("show", project / "configs/one.py", cwd=tmp_path_factory.mktemp("mine"))
    assert done.returncode == 2
    assert "which model?" in done.stderr


def test_a_revision(invoke: Invoke, project: Path) -> None:
    def git(*words: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        subprocess.run(command, cwd=project, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    (project / "configs/one.py").write_text(CONFIG.format(0.2))
    for folder, word in ((project, "configs/one.py"), (project / "elsewhere", "../configs/one.py")):
        done = invoke("diff", "HEAD:configs/one.py", word, cwd=folder)
        assert (done.returncode, done.stderr) == (1, "")
        assert "weight_decay  0.1  →  0.2  2 parameters" in done.stdout
