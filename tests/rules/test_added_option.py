"""An option of ``paramwise_cfg`` with a rule of its own is two files: tried on a copy of the package."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.added import CopiedPackage

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
def copied(tmp_path_factory: pytest.TempPathFactory) -> CopiedPackage:
    """Return a copy of the package that has one more option, beside a config and a model."""
    copy = CopiedPackage(tmp_path_factory.mktemp("added"))
    for change in _CHANGES:
        copy.change(*change)
    (copy.folder / "a.py").write_text(_CONFIG, "utf-8")
    (copy.folder / "net.py").write_text(_NET, "utf-8")
    return copy


def test_an_option_is_two_files(copied: CopiedPackage) -> None:
    assert set(copied.touched) == {"names.py", "rules/conditions.py"}
    done = copied.run("show", "a.py", "--model", "net.py:Net", "-f", "json", "--no-cache")
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    found = {row["name"]: row["weight_decay"] for row in plan["parameters"]}
    assert found == {"stem.weight": 0, "stem.bias": 0, "head.weight": 0.5, "head.bias": 0.5}
    assert plan["parameters"][0]["weight_decay_rule"]["rule"] == "stem"


def test_its_plan_is_read_again_and_shown_by_every_view(copied: CopiedPackage) -> None:
    """In one process: text, explanation, and a saved plan, whose schema is that of the rules."""
    script = """
from pathlib import Path
import torch, sys
sys.path.insert(0, {folder!r});
from optplan.config import load_config
from optplan.app.planning import plan_with_facts
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
        [sys.executable, "-c", script.format(folder=str(copied.folder))],
        cwd=copied.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "stem ×0 bright_red",
        "['it is not in the stem', 'bias_decay_mult is not set', 'flat_decay_mult is not set']",
        "[('stem_decay_mult', 2, 2)]",
    ]
