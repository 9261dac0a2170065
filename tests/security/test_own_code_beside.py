"""The user's own model, and a stranger's config that names code: each runs where it should, and once."""

from __future__ import annotations

import pytest

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


def test_the_users_module_runs_once(watched: Environment) -> None:
    config = (
        "optim_wrapper = dict("
        "optimizer=dict(type='dangerous_nets.optim.LateSGD', lr=0.1, command='mkdir q7x_ran'))\n"
    )
    run = run_optplan(
        watched, {**FILES, "a.py": config}, "show", "a.py", "--model", "own/net.py:Net"
    )
    assert run.status == 2
    assert not _of_others(run)
    assert "does not let code that a file names run or end a process" in run.stderr
    assert run.stderr.count("own module runs") == 1


def _of_others(run: Run) -> list[str]:
    """What went wrong, apart from what the module does that the command line names."""
    return [one for one in run.wrongs() if "beside" in one or "q7x" in one]
