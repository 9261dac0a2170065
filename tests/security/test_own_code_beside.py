"""The user's own model, and a stranger's config that names code: each runs where it should, and once."""

from __future__ import annotations

import pytest

from tests.security.cases import SGD
from tests.security.environment import Environment
from tests.security.harness import Run, run_optplan

OWN = """\
import sys
from torch import nn
print("own module runs", file=sys.stderr)
class Net(nn.Linear):
    def __init__(self):
        super().__init__(2, 2)
"""
BESIDE = "import os\nos.mkdir('q7x_ran')\nimport torch\nclass Opt(torch.optim.SGD): pass\n"
FILES = {"own/__init__.py": "", "own/net.py": OWN, "own/beside.py": BESIDE}
NAMED = {
    "optimizer": "optim_wrapper = dict(optimizer=dict(type='own.beside.Opt', lr=0.1))\n",
    "constructor": (
        "optim_wrapper = dict(constructor='own.beside.Opt', optimizer=dict(type='SGD', lr=0.1))\n"
    ),
    "import": (
        "custom_imports = dict(imports=['own.beside'])\n"
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
    ),
}


@pytest.mark.parametrize("place", NAMED)
def test_a_neighbour_of_the_users_module_is_not_imported(place: str, watched: Environment) -> None:
    files = {**FILES, "a.py": NAMED[place]}
    run = run_optplan(watched, files, "show", "a.py", "--model", "own/net.py:Net")
    assert not _of_others(run)
    assert "no installed package provides 'own.beside" in run.stderr


LATE = "type='dangerous_nets.optim.LateSGD', lr=0.1, command='mkdir q7x_ran'"
EVALUATING = "dict(type='dangerous_nets.optim.EvaluatingLR', text='1')"
ONCE = {
    "optimizer": (("show",), f"optim_wrapper = dict(optimizer=dict({LATE}))\n"),
    "scheduler": (("schedule", "--iters", "9"), f"{SGD}param_scheduler = {EVALUATING}\n"),
    "inner scheduler": (
        ("schedule", "--iters", "9"),
        f"{SGD}param_scheduler = dict(type='torch:SequentialLR', schedulers=[{EVALUATING}], milestones=[], by_epoch=False)\n",
    ),
}


@pytest.mark.parametrize("case", ONCE)
def test_the_users_module_runs_once(case: str, watched: Environment) -> None:
    (command, *options), config = ONCE[case]
    words = (command, "a.py", "--model", "own/net.py:Net", *options)
    run = run_optplan(watched, {**FILES, "a.py": config}, *words)
    assert run.status == 2
    assert not _of_others(run)
    assert "does not let code that a file names" in run.stderr
    assert run.stderr.count("own module runs") == 1


def _of_others(run: Run) -> list[str]:
    """What went wrong, apart from what the module does that the command line names."""
    return [one for one in run.wrongs() if "beside" in one or "q7x" in one]
