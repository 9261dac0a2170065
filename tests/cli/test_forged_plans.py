"""Commands on saved plans of which one field was changed: a report or one message, never a bug."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from optplan.errors import PlanError
from optplan.plan import Plan
from tests.conftest import Invoke
from tests.plan.forged import all_forged, plans

SHOWS: list[tuple[str, ...]] = [
    (),
    ("-f", "json"),
    ("-f", "csv"),
    ("-f", "md"),
    ("-f", "html"),
    ("--view", "tree"),
    ("--view", "settings"),
    ("--view", "settings", "-f", "html"),
    ("-o", "out.txt", "--color", "always"),
]
DIFFS: list[tuple[str, ...]] = [
    (),
    ("--full",),
    ("-f", "json", "--full"),
    ("-f", "csv"),
    ("-f", "csv", "--full"),
    ("-f", "md", "--full"),
]


def outcomes(plan: Plan) -> tuple[list[str], list[str]]:
    """The forged plans that are refused, and those that are read."""
    refused, read = [], []
    for _, _, data in all_forged(plan):
        text = json.dumps(data)
        try:
            Plan.from_json(text)
        except PlanError:
            refused.append(text)
        else:
            read.append(text)
    return refused, read


@pytest.mark.parametrize("name", ["keys", "layers", "scaled", "several", "live"])
def test_show_and_diff(name: str, invoke: Invoke, tmp_path: Path) -> None:
    plan = plans()[name]
    (tmp_path / "plan.json").write_text(plan.to_json())
    refused, read = outcomes(plan)
    shows, diffs = cycle(SHOWS), cycle(DIFFS)
    for text in read[:: max(1, len(read) // 30)]:
        (tmp_path / "x.json").write_text(text)
        assert invoke("show", "x.json", *next(shows), cwd=tmp_path).returncode == 0
        for pair in (("x.json", "plan.json"), ("plan.json", "x.json")):
            done = invoke("diff", *pair, *next(diffs), cwd=tmp_path)
            assert done.returncode in (0, 1), done.stderr
    for text in refused[:: len(refused) // 10]:
        (tmp_path / "x.json").write_text(text)
        for words in (("show", "x.json"), ("diff", "plan.json", "x.json")):
            done = invoke(*words, cwd=tmp_path)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr.startswith("error: ")
            assert done.stderr.count("error: ") == 1


NET = "from torch import nn\ndef net():\n    return nn.Linear(2, 2)\n"
CONFIG = "optimizer = dict(type='SGD', lr=0.1, weight_decay=0.01)\n"


def test_verify(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "a.py").write_text(CONFIG)
    words = ("a.py", "-m", "net.py:net")
    done = invoke("show", *words, "-f", "json", "-o", "plan.json", cwd=tmp_path)
    assert done.returncode == 0
    plan = Plan.from_json((tmp_path / "plan.json").read_bytes())
    refused, read = outcomes(plan)
    for text in [*read[:: len(read) // 10], *refused[:: len(refused) // 10]]:
        (tmp_path / "x.json").write_text(text)
        done = invoke("verify", *words, "--plan", "x.json", cwd=tmp_path)
        assert done.returncode == 2 if text in refused else done.returncode in (0, 1), done.stderr


def test_the_message_names_field_and_file(invoke: Invoke, tmp_path: Path) -> None:
    data: dict[str, Any] = json.loads(plans()["keys"].to_json())
    data["parameters"][3]["lr"] = "x"
    (tmp_path / "x.json").write_text(json.dumps(data))
    done = invoke("show", "x.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'error: the saved plan is damaged: parameters[3].lr: expected a number or null, got "x"\n'
        "  hint: it is in 'x.json': save it again with --format json\n"
    )
