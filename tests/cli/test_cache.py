"""Commands without torch, and ``optplan cache``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_start import HEAVY, PROBE
from tests.conftest import SAMPLES, Run

TRICKS, INHERITED, RAMP = (
    str(SAMPLES / name) for name in ("bag_of_tricks.py", "inherited.py", "layer_ramp.py")
)
MODEL = ("--model", "resnet18")

COMMANDS = {
    "show": ["show", TRICKS, *MODEL],
    "show json": ["show", TRICKS, *MODEL, "--format", "json"],
    "show keys": ["show", TRICKS, *MODEL, "--view", "keys"],
    "show tree": ["show", TRICKS, *MODEL, "--view", "tree"],
    "explain": ["explain", TRICKS, "layer1.0.bn1.weight", *MODEL],
    "diff": ["diff", TRICKS, INHERITED, *MODEL],
    "check": ["check", TRICKS, INHERITED, *MODEL],
    "diff of schedules": ["diff", RAMP, TRICKS, *MODEL],
    "check of a schedule": ["check", RAMP, *MODEL],
    "schedule": ["schedule", RAMP, *MODEL, "--iters-per-epoch", "10"],
}


def loaded(*words: str) -> tuple[str, str]:
    """What a command prints, and which heavy modules it loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(arguments=list(words), heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr.splitlines()[-1]


@pytest.fixture(scope="module", autouse=True)
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPTPLAN_CACHE_DIR", str(tmp_path_factory.mktemp("own")))
        for name in ("diff", "schedule"):
            loaded(*COMMANDS[name])
        yield


@pytest.mark.parametrize("name", COMMANDS)
def test_known_models_load_neither_torch_nor_timm(name: str) -> None:
    assert loaded(*COMMANDS[name])[1] == "loaded"


@pytest.mark.parametrize("name", ["show json", "check"])
def test_nothing_in_a_report_tells_the_difference(name: str) -> None:
    cold, modules = loaded(*COMMANDS[name], "--no-cache")
    assert modules.startswith("loaded torch timm")
    assert loaded(*COMMANDS[name])[0] == cold


def test_another_lr_needs_no_torch_either() -> None:
    report, modules = loaded(*COMMANDS["show"], "--set", "optim_wrapper.optimizer.lr=0.7")
    assert "lr 0.7" in report
    assert modules == "loaded"


def test_other_options_need_no_torch_where_every_class_takes_them() -> None:
    nesterov = "optim_wrapper.optimizer.nesterov=True"
    assert loaded(*COMMANDS["show"], "--set", nesterov)[1] == "loaded"
    for _ in range(2):
        _, modules = loaded(*COMMANDS["show"], "--set", "optim_wrapper.optimizer.momentum=1.5")
        assert modules.startswith("loaded torch timm")


def test_check_builds_each_model_once_and_remembers_all(run: Run, tmp_path: Path) -> None:
    """Models that were built after another are remembered, too."""
    (tmp_path / "pyproject.toml").write_text(
        "[tool.optplan]\n"
        + "".join(
            f'[[tool.optplan.targets]]\nconfigs = ["{n}.py"]\nmodel = "{model}"\n'
            for n, model in enumerate(["resnet18", "resnet34", "mobilenetv2_100"])
        )
    )
    for n in range(3):
        (tmp_path / f"{n}.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    folder = tmp_path / "cache"
    first = run("check", cwd=tmp_path, OPTPLAN_CACHE_DIR=str(folder))
    assert first.returncode == 0, first.stderr
    assert len(list(folder.glob("optplan-model-*"))) == 3
    again = run("check", cwd=tmp_path, OPTPLAN_CACHE_DIR=str(folder))
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, first.stderr)


def test_no_cache_writes_nothing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    done = run(*COMMANDS["show"], "--no-cache", OPTPLAN_CACHE_DIR=str(folder))
    assert done.returncode == 0
    assert not folder.exists()


def test_info_and_clear(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    for name in (
        f"optplan-model-{'ab' * 20}.json",
        f"optplan-model-{'cd' * 20}.json",
        f"optplan-optimizer-{'ab' * 20}.json",
    ):
        (tmp_path / "cache" / name).write_text("x" * 1000)
    info = run("cache", "info", OPTPLAN_CACHE_DIR=folder)
    assert (info.returncode, info.stderr) == (0, "")
    assert info.stdout == (
        f"folder  {folder}\nholds   2 models, 1 optimizer\nsize    3.00 kB of at most 67.1 MB\n"
    )
    cleared = run("cache", "clear", OPTPLAN_CACHE_DIR=folder)
    assert (cleared.returncode, cleared.stderr) == (0, "")
    assert cleared.stdout == f"removed 3 files from {folder}\n"
    assert "nothing yet" in run("cache", "info", OPTPLAN_CACHE_DIR=folder).stdout


@pytest.mark.parametrize("words", [(), ("nothing",), ("info", "more")])
def test_wrong_use(run: Run, words: tuple[str, ...]) -> None:
    done = run("cache", *words)
    assert done.returncode == 2
    assert not re.search("Traceback", done.stderr)


def test_a_folder_that_cannot_be_used_does_no_harm(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(*COMMANDS["show"], OPTPLAN_CACHE_DIR=str(tmp_path / "file"))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_function_of_the_users_own_may_have_changed_anything(run: Run, tmp_path: Path) -> None:
    """It runs before the other side is planned."""
    (tmp_path / "mine.py").write_text(
        "def groups(model):\n    return [{'params': list(model.parameters())}]\n"
    )
    (tmp_path / "plain.py").write_text("optimizer = dict(type='SGD', lr=0.1)\n")
    folder = tmp_path / "cache"
    done = run(
        "diff", "plain.py", "mine.py:groups", *MODEL, cwd=tmp_path, OPTPLAN_CACHE_DIR=str(folder)
    )
    assert done.returncode == 1, done.stderr
    assert list(folder.glob("optplan-model-*")) == []
