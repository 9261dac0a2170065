"""Which files are looked at, and which of those are configs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from optplan.checks.discovery import discover
from optplan.checks.paths import fits
from optplan.checks.recognition import looks_like_config
from optplan.dialects import dialect_of
from tests.checks.conftest import Check, config

Write = Callable[..., Path]


@pytest.fixture
def tree(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "configs/a.py",
        "configs/sub/b.yaml",
        "configs/sub/c.yml",
        "configs/d.json",
        "configs/e.toml",
        "configs/notes.md",
        "configs/.hidden/f.py",
        "configs/__pycache__/g.py",
        "configs/node_modules/h.json",
        "configs/venv/pyvenv.cfg",
        "configs/venv/i.py",
        "configs/[x].py",
        ".mim/configs/j.py",
        "configs/.toml",
    ):
        write(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            ["configs"],
            "configs/[x].py configs/a.py configs/d.json configs/e.toml configs/sub/b.yaml "
            "configs/sub/c.yml",
        ),
        (["./configs/../configs/a.py"], "configs/a.py!"),
        (["configs/*.py"], "configs/[x].py configs/a.py"),
        (["configs/**/*.y*ml"], "configs/sub/b.yaml configs/sub/c.yml"),
        (["configs/s*"], "configs/sub/b.yaml configs/sub/c.yml"),
        (["configs/**"], "configs/[x].py configs/a.py configs/d.json configs/e.toml "
         "configs/node_modules/h.json configs/sub/b.yaml configs/sub/c.yml configs/venv/i.py"),
        (["configs/[x].py"], "configs/[x].py!"),
        (["configs/notes.md"], "configs/notes.md!"),
        (["configs/sub", "configs/sub/b.yaml"], "configs/sub/b.yaml! configs/sub/c.yml"),
        ([".mim"], ".mim/configs/j.py"),
        (["mmpretrain::resnet/resnet50_8xb32_in1k.py"],
         "mmpretrain::resnet/resnet50_8xb32_in1k.py!"),
        (["configs/a.py:make"], "configs/a.py:make!"),
        (["configs/a.py", "configs/nothing.py"], "configs/a.py! configs/nothing.py!"),
    ],
)  # fmt: skip
def test_files(words: list[str], found: str, tree: Path) -> None:
    discovery = discover(words)
    got = [f"{c.path}{'!' if c.named else ''}" for c in discovery.candidates]
    assert [name for name in got if "__pycache__" not in name] == found.split()
    assert discovery.problems == ()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nothing.py", "nothing.py: there is no such file"),
        ("configs/aa.py", "configs/aa.py: there is no such file (did you mean 'a.py'?)"),
        ("*.txt", "*.txt: no file matches"),
        ("", "'' is no path"),
        (
            "empty",
            "empty: there is no config in this folder "
            "(a config is a .py, .json, .yaml, .yml or .toml file)",
        ),
    ],
)
def test_leads_nowhere(word: str, message: str, tree: Path, check: Check) -> None:
    (tree / "empty").mkdir()
    done = check(word)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(discover([word]).problems[0]) == message


def test_outside_the_current_folder(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (candidate,) = discover([os.path.relpath(tree / "configs" / "a.py")]).candidates
    assert candidate.path == str(tree / "configs" / "a.py")


@pytest.mark.parametrize(
    ("pattern", "path", "is_meant"),
    [
        ("configs/*.py", "configs/a.py", True),
        ("configs/*.py", "configs/sub/a.py", False),
        ("configs/**/*.py", "configs/a.py", True),
        ("configs/**/*.py", "configs/sub/sub/a.py", True),
        ("configs", "configs/sub/a.py", True),
        ("configs/", "configs/sub/a.py", True),
        ("conf", "configs/sub/a.py", False),
        ("**/a.py", "a.py", True),
        ("configs/[ab].py", "configs/b.py", True),
        ("configs/[!ab].py", "configs/b.py", False),
        ("configs/?.py", "configs/b.py", True),
        ("**", "configs/sub/a.py", True),
        ("mmpretrain::resnet/*", "mmpretrain::resnet/resnet50.py", True),
    ],
)
def test_globs_of_settings(pattern: str, path: str, is_meant: bool, tmp_path: Path) -> None:
    whole = path if "::" in path else str(tmp_path / path)
    assert fits(pattern, whole, str(tmp_path)) is is_meant


SCRIPT = "import torch\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
FOREIGN = {
    "train.py": SCRIPT,
    "empty/__init__.py": "",
    "setup.py": "from setuptools import setup\nsetup(name='x')\n",
    "python2.py": "import os\nprint 'x'\n",
    "hyper.py": "lr = 0.1\nepochs = 3\n",
    "hooks.py": "optimizer_config = dict(type='Fp16OptimizerHook', loss_scale=512.)\n",
    "package.json": '{"type": "module", "dependencies": {"optimizer": "1.0"}}',
    "list.json": "[1, 2]",
    "broken.json": '{"a": ',
    "args.yaml": "model: resnet50\noptimizer: adamw\nlr: 0.1\n",
    "compose.yml": "a: 1\n---\nb: 2\n",
    "tags.yaml": "a: !include other.yaml\n",
    "pyproject.toml": "[project]\nname = 'x'\n",
    "broken.toml": "a = [",
    "model.py": "model = dict(type='ResNet')\n",
    "deepspeed.yaml": "optimizer:\n  type: Adam\n  params: {lr: 0.001, betas: [0.8, 0.999]}\n",
    "template.json": '{"optimizer": {"type": "Adam", "args": {"lr": 0.001, "amsgrad": true}}}',
    "testing.py": "optim_wrapper = None\ntrain_cfg = None\nparam_scheduler = None\n",
    "none.yaml": "optimizer:\n",
    "package/__init__.py": "try:\n    import x\nexcept ImportError:\n    x = None\n",
    "constants.py": "MEAN = [1, 2]\nKEY = lambda pair: pair[0]\n",
    "walrus.py": "if (n := 3) > 2:\n    m = n\n",
    "opened.py": "with open('x') as file:\n    text = file.read()\n",
    "loop.py": "while True:\n    break\n",
    "scheduler.py": "# own\nfrom a import Base\n\n\nclass ConstantLR(Base):\n    factor = 1\n",
    "classes.py": "@decorated\nclass A:\n    def optimizer(self):\n        return dict(type='SGD')\n",
    "plan.json": '{"format_version": "1.0", "parameters": [], "settings": [], "optimizers": []}',
}


def test_a_folder_of_other_files(write: Write, check: Check) -> None:
    for name, text in FOREIGN.items():
        write(f"repo/{name}", text)
    write("repo/config.py", config("bad"))
    done = check("repo")
    assert done.stdout.splitlines()[0].startswith("repo/config.py:3:5: OPT107 ")
    assert "1 error in 1 of 1 config\n" in done.stdout
    counts = [int(line.split()[0]) for line in done.stdout.splitlines() if "passed over" in line]
    assert sum(counts) == len(FOREIGN)


def test_only_other_files(write: Write, check: Check) -> None:
    write("repo/model.py", FOREIGN["model.py"])
    write("repo/list.json", FOREIGN["list.json"])
    done = check("repo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: there is no config to check, only 1 file without an optimizer and 1 file of another "
        "kind\n  hint: a config defines 'optim_wrapper' or 'optimizer'\n"
    )


BROKEN = {
    "syntax.py": "optimizer = dict(type='SGD'\n",
    "words.py": "this is no Python\n",
    "bases.py": "_base_ = ['nothing.py']\n",
    "optimiser.py": "optimiser = dict(type='SGD', lr=0.1)\n",
    "text.py": "optimizer = 'SGD'\n",
    "wrapper.json": '{"optim_wrapper": {"optimizer": {}}}',
    "half.json": '{"optimizer": {"type": ',
    "half.yaml": "optimizer:\n  type: [\n",
    "half.toml": "[optimizer]\ntype = \n",
    "untrained.py": "optim_wrapper = None\ntrain_cfg = dict(by_epoch=True, max_epochs=3)\n",
    "part.py": "param_scheduler = [dict(type='ConstantLR', factor=nothing)]\n",
    "runtime.py": "default_scope = 'mmdet'\nenv_cfg = dict(cudnn_benchmark=None or undefined)\n",
    "rate.yaml": "optimizer:\n  type: SGD\n  lr: 1e-3\n",
}


def test_a_folder_of_broken_configs(write: Write, check: Check) -> None:
    for name, text in BROKEN.items():
        write(f"repo/{name}", text)
    done = check("repo", "-q")
    files = {line.split(":")[0] for line in done.stdout.splitlines() if " OPT004 " in line}
    assert files == {f"repo/{name}" for name in BROKEN}
    assert (done.returncode, done.stderr) == (1, "")


def test_named_files_are_taken_at_their_word(write: Write, check: Check) -> None:
    for name in ("train.py", "list.json", "args.yaml", "plan.json"):
        write(name, FOREIGN[name])
    done = check("train.py", "list.json", "args.yaml", "plan.json", "nothing.py")
    codes = [" ".join(line.split()[:2]) for line in done.stdout.splitlines() if ": OPT" in line]
    assert codes == [
        "args.yaml:2:1: OPT004",
        "list.json: OPT004",
        "nothing.py: OPT004",
        "plan.json: OPT004",
        "train.py:2:13: OPT004",
    ]


@pytest.mark.parametrize(
    ("text", "suffix", "is_one"),
    [
        ("x = 1\n  optimizer = dict(\n", ".py", True),
        ("import os\nwith read_base():\n    (\n", ".py", True),
        ("def f(:\n", ".py", False),
        ("", ".py", False),
        ('{"a": {"optimizer": {}', ".json", True),
        ("a: [", ".yaml", False),
        ("anything", ".cfg", True),
    ],
)
def test_unreadable_text(text: str, suffix: str, is_one: bool) -> None:
    assert looks_like_config(text, suffix) is is_one


@pytest.mark.parametrize(
    ("data", "defines"),
    [
        ({"optimizer": None}, False),
        ({"optim_wrapper": None, "train_cfg": None}, False),
        ({"optim_wrapper": None, "optimizer": {"type": "SGD"}}, True),
        ({"optim_wrapper": None, "train_cfg": {"by_epoch": True, "max_epochs": 3}}, True),
        ({"optimizer": None, "train_cfg": {"rpn": {}}}, False),
        ({"type": "SGD", "lr": 0.1}, False),
        ({"type": "module"}, False),
        ({"optim_wraper": {"optimizer": {}}}, True),
        ({"optimizer_config": {"type": "OptimizerHook"}}, False),
        ({"optimizers": ["sgd"]}, False),
        ({3: {"type": "SGD"}}, False),
    ],
)
def test_defines_optimizer(data: dict[str, object], defines: bool) -> None:
    assert dialect_of(data).defines_optimizer(data) is defines


def test_a_folder_deeper_than_any_project_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    deepest = tmp_path.joinpath(*["d"] * 250)
    deepest.mkdir(parents=True)
    (deepest / "b.py").write_text("")
    for word in (str(tmp_path), f"{tmp_path}/**"):
        assert [one.path for one in discover([word]).candidates] == [str(tmp_path / "a.py")]
