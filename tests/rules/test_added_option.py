"""An option of ``paramwise_cfg`` with a rule of its own is two files: tried on a copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import optplan

# file, what is found there, and what comes in its place
_CHANGES = [
    ("names.py", '    FLAT = "flat"', '    STEM = "stem", "bright_red"\n    FLAT = "flat"'),
    (
        "names.py",
        '    "flat_decay_mult"',
        '    "stem_decay_mult": Rule.STEM,\n    "flat_decay_mult"',
    ),
    (
        "rules/conditions.py",
        "_IS_FLAT = ",
        "_IN_STEM = Condition(\n"
        '    lambda facts: facts.prefix.startswith("stem"),\n'
        '    lambda _: "it is not in the stem",\n'
        '    lambda _: "it is in the stem",\n'
        ")\n_IS_FLAT = ",
    ),
    (
        "rules/conditions.py",
        '        "flat_decay_mult": (_IS_FLAT, _PARENT_IS_NO_DCN),',
        '        "stem_decay_mult": (_IN_STEM,),\n'
        '        "flat_decay_mult": (_IS_FLAT, _PARENT_IS_NO_DCN),',
    ),
]
_CONFIG = """\
optimizer = dict(type='SGD', lr=0.1, weight_decay=0.5, paramwise_cfg=dict(stem_decay_mult=0.))
"""
_NET = """\
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(2, 2)
        self.head = nn.Linear(2, 2)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a config, a model, and a copy of the package that has one more option."""
    found = tmp_path_factory.mktemp("added")
    package = Path(optplan.__file__).parent
    shutil.copytree(package, found / "optplan", ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, after in _CHANGES:
        file = found / "optplan" / name
        text = file.read_text("utf-8")
        assert text.count(before) == 1
        file.write_text(text.replace(before, after), "utf-8")
    (found / "a.py").write_text(_CONFIG, "utf-8")
    (found / "net.py").write_text(_NET, "utf-8")
    return found


def _run(folder: Path, *words: str) -> str:
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); from optplan.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--no-cache"],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_an_option_is_two_files(folder: Path) -> None:
    assert {name for name, *_ in _CHANGES} == {"names.py", "rules/conditions.py"}
    plan = json.loads(_run(folder, "show", "a.py", "--model", "net.py:Net", "-f", "json"))
    found = {row["name"]: row["weight_decay"] for row in plan["parameters"]}
    assert found == {"stem.weight": 0, "stem.bias": 0, "head.weight": 0.5, "head.bias": 0.5}
    assert plan["parameters"][0]["weight_decay_rule"]["rule"] == "stem"


def test_its_plan_is_read_again_and_shown_by_every_view(folder: Path) -> None:
    """In one process: text, explanation, and a saved plan, whose schema is that of the rules."""
    script = """
from pathlib import Path
import torch, sys
sys.path.insert(0, {folder!r});
from optplan.config import load_config
from optplan.constructors import plan_with_facts
from optplan.plan import Plan
from optplan.plan.explanation import explain
from optplan.app.option_use import entries_of
from optplan.reporters.words import rule_style, rule_text
from net import Net
planned = plan_with_facts(Net(), load_config('a.py'))
assert Plan.from_json(planned.plan.to_json()) == planned.plan
row = planned.plan.parameters[0]
print(rule_text(row), rule_style(row))
print([c.reason for c in explain(planned, ['head.bias'])[0].values[1].candidates])
print([(e.name.text, e.matched, e.won) for e in entries_of(planned, planned.plan.parameters)])
"""
    done = subprocess.run(
        [sys.executable, "-c", script.format(folder=str(folder))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "stem ×0 bright_red",
        "['it is not in the stem', 'bias_decay_mult is not set', 'flat_decay_mult is not set']",
        "[('stem_decay_mult', 2, 2)]",
    ]
