"""A dialect is one folder and one line: a made-up one is added to a copy of the package, and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.added import CopiedPackage

DIALECT = '''
from collections.abc import Mapping

from optplan.dialects.protocol import Dialect, entries_of
from optplan.errors import ConfigError


class SgdRecipe(Dialect):
    """Recipes of a made-up trainer that knows SGD alone, and decays no bias."""

    name = "sgd_recipe"
    title = "a recipe for SGD"

    def recognize(self, data):
        """Return the only entry that it has."""
        found = isinstance(data.get("sgd_recipe"), Mapping)
        return self.recognized("sgd_recipe") if found else None

    def settable(self):
        """Return the entries of a file."""
        return frozenset({"sgd_recipe", "note"})

    def section_names(self, config):
        """Return the entry that is the optimizer."""
        return ["sgd_recipe"]

    def read(self, config):
        """Return the groups: biases, and the rest."""
        from optplan.config import place_of
        from optplan.config.regex_groups import (
            Pattern, RegexGroup, RegexGroups, RegexOptimizer, section_of_groups,
        )
        from optplan.names import Matcher

        recipe = entries_of(config)["sgd_recipe"]
        if not isinstance(recipe.get("lr"), float):
            raise ConfigError("lr must be a number", place=place_of(recipe, "lr"))
        place = place_of(recipe, "lr")
        arguments = {name: recipe[name] for name in ("lr", "weight_decay")}
        optimizer = RegexOptimizer(
            type="SGD", place=place, arguments=arguments, written=recipe, names={}
        )
        biases = RegexGroup(
            patterns=(Pattern(text="bias$", place=place),), place=place,
            entries={"weight_decay": 0.0}, places={"weight_decay": place},
        )
        return section_of_groups(RegexGroups(
            dialect=self.name, matcher=Matcher.SEARCH, groups=(biases,), optimizers=(optimizer,), place=place,
        ))

    def schedulers(self, data):
        """Return the steps at the milestones."""
        from optplan.schedule.written import Section, Written

        recipe = data["sgd_recipe"]
        raw = {"type": "MultiStepLR", "milestones": recipe["milestones"]}
        return Section(shared=(Written(kind="MultiStepLR", raw=raw, place=None),))

    def training(self, data, per_epoch):
        """Return the epochs."""
        from optplan.schedule.training import Training, count_in

        length = count_in(data["sgd_recipe"], "epochs")
        return Training(by_epoch=True, length=length, per_epoch=per_epoch)

    def build(self, section, request):
        """Return what sorts parameters by patterns."""
        from optplan.constructors.pattern_groups import PatternBuilder

        return PatternBuilder(section, section.recipe)
'''
RECIPE = """sgd_recipe:
  lr: 0.5
  weight_decay: 0.25
  epochs: 4
  milestones: [2]
"""
NET = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 3)
"""
# several commands in one process, since each would import torch
COMMANDS = """
import contextlib, io, json, sys
from optplan.cli import main

told = []
for argv in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["optplan", *argv]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main()
        except SystemExit as error:
            status = error.code
    told.append((status or 0, out.getvalue(), err.getvalue()))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """What each command said of the made-up dialect."""
    top = tmp_path_factory.mktemp("added")
    copy = CopiedPackage(top)
    copy.add("dialects/sgd_recipe/__init__.py", DIALECT)
    start = "_REGISTRY = (\n"
    copy.change("dialects/__init__.py", start, f'{start}    "sgd_recipe:SgdRecipe",\n')
    (top / "recipes").mkdir()
    (top / "recipes/recipe.yaml").write_text(RECIPE)
    (top / "net.py").write_text(NET)
    model = ["--model", "net.py:Net"]
    commands = {
        "show": ["show", "recipes/recipe.yaml", *model, "--format", "json", "--no-cache"],
        "check": ["check", "recipes/recipe.yaml", "--format", "json"],
        "folder": ["check", "recipes", "--format", "json"],
        "schedule": ["schedule", "recipes/recipe.yaml", *model, "--format", "json"],
        "config": ["config", "recipes/recipe.yaml"],
        "dead": ["config", "recipes/recipe.yaml", "--set", "nota=1"],
    }
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(list(commands.values()))],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(top), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(commands, map(tuple, json.loads(done.stdout)), strict=True))


def data_of(answer: tuple[int, str, str]) -> Any:
    assert answer[0] == 0, answer
    return json.loads(answer[1])


def test_show_plans_by_it(told: dict[str, tuple[int, str, str]]) -> None:
    plan = data_of(told["show"])
    assert plan["constructor"] == "sgd_recipe's groups"
    rows = {row["name"]: row for row in plan["parameters"]}
    assert [rows["fc.weight"]["lr"], rows["fc.weight"]["weight_decay"]] == [0.5, 0.25]
    assert [rows["fc.bias"]["lr"], rows["fc.bias"]["weight_decay"]] == [0.5, 0.0]


def test_check_finds_it_in_a_folder(told: dict[str, tuple[int, str, str]]) -> None:
    for command in ("check", "folder"):
        summary = data_of(told[command])["summary"]
        assert summary["configs"] == 1, command


def test_schedule_steps_its_schedulers(told: dict[str, tuple[int, str, str]]) -> None:
    found = data_of(told["schedule"])
    assert [found["unit"], found["length"]] == ["epoch", 4]
    steps = [point["step"] for point in found["points"]]
    values = dict(zip(steps, found["settings"][0]["values"]["lr"], strict=True))
    assert values == {0: 0.5, 2: pytest.approx(0.05), 3: pytest.approx(0.05)}


def test_config_shows_it_and_refuses_what_it_does_not_read(
    told: dict[str, tuple[int, str, str]],
) -> None:
    assert told["config"][0] == 0
    assert told["config"][1].startswith("sgd_recipe = dict(")
    assert told["dead"][0] == 2
    assert "did you mean 'note'?" in told["dead"][2]
