"""Commands on configs that name a constructor of the project's own, or one of another package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import optplan
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.conftest import Invoke
from tests.constructors.registering import OUR_IMPORTS, THEIR_IMPORTS, restored_registries
from tests.schema import validate

NET = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 2)
"""
# The class's name is as long as such names are.
OURS = """

@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class StageWiseLearningRateOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    def add_params(self, params, module, prefix='', is_dcn_module=None):
        first = len(params)
        super().add_params(params, module, prefix, is_dcn_module)
        rate = self.paramwise_cfg.get('stage_rate', 0.1)
        for group in params[first:]:
            if prefix == 'backbone':
                group['lr'] = self.base_lr * rate


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class Merging(DefaultOptimWrapperConstructor):
    def __call__(self, model):
        from torch.optim import SGD
        rate = self.paramwise_cfg['rate']
        groups = [
            dict(params=list(model.backbone.parameters()), lr=self.base_lr * rate),
            dict(params=[model.head.weight]),
        ]
        return SGD(groups, lr=self.base_lr, weight_decay=0.5)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class Raising(DefaultOptimWrapperConstructor):
    def add_params(self, params, module, prefix='', is_dcn_module=None):
        rate = self.paramwise_cfg['stage_rate']


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class Freezing(DefaultOptimWrapperConstructor):
    def __call__(self, model):
        model.head.requires_grad_(False)
        return super().__call__(model)
"""
LONG = "StageWiseLearningRateOptimWrapperConstructor"
CONFIG = """\
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.5, weight_decay=0.5),
    paramwise_cfg=dict({options}),
    constructor='{name}')
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The current folder of a project."""
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "own_ours.py").write_text(OUR_IMPORTS + OURS)
    (tmp_path / "own_theirs.py").write_text(THEIR_IMPORTS + OURS)
    with restored_registries():
        yield tmp_path


def words(folder: Path, options: str, name: str = LONG, *, whose: str = "ours") -> list[str]:
    """What stands behind a command: the config, the model and the file to import."""
    (folder / "a.py").write_text(CONFIG.format(options=options, name=name))
    return ["a.py", "--model", "net.py:Net", "--import", f"own_{whose}.py"]


OPTIONS = "stage_rate=0.1, norm_decay_mult=0., bypass_duplicate=True, custom_keys=dict(head=dict(lr_mult=2.), nope=dict(lr_mult=2.))"


def test_show_in_a_pipe(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", *words(folder, OPTIONS), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1] == f" made by {LONG}  own_ours.py:10"
    rules = [line.partition("  ")[2].rpartition("  ")[2] for line in lines[4:10]]
    own = f"constructor {LONG} lr ×0.1"
    assert rules == [
        own,
        own,
        f"{own}, norm ×0",
        f"{own}, norm ×0",
        "custom_key 'head' lr ×2",
        "custom_key 'head' lr ×2",
    ]


def test_show_on_a_narrow_terminal(folder: Path, invoke: Invoke) -> None:
    """No line is broken: the long name stands at the head, once."""
    plan = invoke("show", *words(folder, OPTIONS), "--format", "json", cwd=folder).stdout
    shown = optplan.Plan.from_json(plan)
    selection = Selection(plan=shown, rows=shown.parameters)
    text = show_report(ShowView.PARAMS, selection, TableFormat.TEXT, width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count(LONG) == 1
    assert " backbone.1.bias    4        0.05      0  constructor lr ×0.1, norm ×0\n" in text


def test_json_says_whose_code_decided(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", *words(folder, OPTIONS), "--format", "json", cwd=folder)
    plan = json.loads(done.stdout)
    validate(plan, "plan-1.0")
    rows = {row["name"]: row for row in plan["parameters"]}
    origin = {"file": "own_ours.py", "line": 10, "column": 1}
    assert rows["backbone.1.bias"]["lr_rule"] == {
        "rule": "constructor",
        "option": None,
        "key": None,
        "mult": 0.1,
        "origin": origin,
        "constructor": LONG,
    }
    assert rows["backbone.1.bias"]["weight_decay_rule"]["rule"] == "norm"
    assert "constructor" not in rows["backbone.1.bias"]["weight_decay_rule"]


def test_json_of_a_class_of_mmengines(folder: Path, invoke: Invoke) -> None:
    """Of such a class it is not known what it leaves to its base: only whole groups are told alike."""
    done = invoke("show", *words(folder, OPTIONS, whose="theirs"), "--format", "json", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {row["name"]: row for row in json.loads(done.stdout)["parameters"]}
    assert rows["backbone.1.bias"]["weight_decay_rule"]["rule"] == "constructor"
    assert rows["backbone.1.bias"]["lr_rule"]["constructor"] == LONG
    assert rows["head.bias"]["lr_rule"]["rule"] == "custom_key"
    assert rows["head.bias"]["lr_rule"]["note"] == "as the default constructor"


def test_view_keys(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", *words(folder, OPTIONS + ", other=1"), "--view", "keys", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    table = [line.split() for line in done.stdout.splitlines()[4:10]]
    assert table == [
        ["'head'", "2", "2", "head", "a.py:3"],
        ["'nope'", "0", "0", "matches", "nothing", "a.py:3"],
        ["stage_rate", "4", "4", "a.py:3"],
        ["norm_decay_mult", "2", "2", "a.py:3"],
        ["bypass_duplicate", "0", "0", "matches", "nothing", "a.py:3"],
        ["other", "0", "0", "nothing", "reads", "it", "a.py:3"],
    ]


def test_explain(folder: Path, invoke: Invoke) -> None:
    done = invoke(
        "explain", *words(folder, "rate=0.1", "Merging"), "backbone.1.weight", "head.*", cwd=folder
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == EXPLAINED


EXPLAINED = """\
rules of MMEngine (optim_wrapper)

backbone.1.weight   4   BatchNorm2d
  in group 0 of 2, 4 parameters: backbone.*
  lr            0.05  = 0.5 × 0.1  constructor Merging  own_ours.py:21:1
  weight_decay  0.5   = 0.5 × 1    constructor Merging  own_ours.py:21:1
     21 │ class Merging(DefaultOptimWrapperConstructor):

head.weight   2×4   Linear
  alone in group 1 of 2
  lr            0.5  = 0.5 × 1  constructor Merging  own_ours.py:21:1
  weight_decay  0.5  = 0.5 × 1  constructor Merging  own_ours.py:21:1
     21 │ class Merging(DefaultOptimWrapperConstructor):

head.bias   2   Linear
  trainable, but in no group: Merging leaves it out
"""


@pytest.mark.parametrize(
    ("whose", "note"), [("ours", ""), ("theirs", "  as the default constructor\n")]
)
def test_explain_what_was_left_to_the_default(
    whose: str, note: str, folder: Path, invoke: Invoke
) -> None:
    arguments = words(folder, OPTIONS, whose=whose)
    done = invoke("explain", *arguments, "head.bias", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "rules of MMEngine (optim_wrapper)\n\n"
        f"head.bias   2   Linear\n{note}  lr            1    = 0.5 × 2  custom_key 'head'  a.py:3:"
    )
    reason = "    won  custom_key 'head'  lr, weight_decay  the longest key in the name"
    assert reason in done.stdout
    done = invoke("explain", *arguments, "head.bias", "--format", "json", cwd=folder)
    validate(json.loads(done.stdout), "explain-1.0")


def test_check(folder: Path, invoke: Invoke) -> None:
    """Options that it was not seen to read, with the names that it asked for."""
    arguments = words(
        folder,
        "stage_rat=0.1, rate=0.1, norm_decay_mult=0., custom_keys=dict(nope=dict(lr_mult=1))",
    )
    done = invoke("check", *arguments, cwd=folder)
    assert done.returncode == 1
    told = [line for line in done.stdout.splitlines() if line.startswith("a.py")]
    assert told == [
        "a.py:3:24: OPT101 'stage_rat' in paramwise_cfg does nothing: the constructor never reads it,"
        " did you mean 'stage_rate'?",
        "a.py:3:39: OPT101 'rate' in paramwise_cfg does nothing: the constructor never reads it",
        "a.py:3:86: OPT103 key 'nope' matches no parameter",
    ]


def test_check_known_options_that_it_ignores(folder: Path, invoke: Invoke) -> None:
    arguments = words(
        folder, "rate=0.1, norm_decay_mult=0., custom_keys=dict(head=dict(lr_mult=1))", "Merging"
    )
    done = invoke("check", *arguments, "--select", "OPT105", "--select", "OPT401", cwd=folder)
    assert done.returncode == 1
    told = [line for line in done.stdout.splitlines() if line.startswith("a.py")]
    assert told == [
        "a.py: OPT401 1 parameter is trainable, but in no group: head.bias",
        "a.py:3:34: OPT105 'norm_decay_mult' in paramwise_cfg does nothing: Merging does not use it",
        "a.py:3:54: OPT105 'custom_keys' in paramwise_cfg does nothing: Merging does not use it",
    ]


def test_check_one_that_raises(folder: Path, invoke: Invoke) -> None:
    done = invoke("check", *words(folder, "norm_decay_mult=0.", "Raising"), cwd=folder)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == (
        "a.py:4:5: OPT006 the constructor Raising raises KeyError: 'stage_rate' (own_ours.py:35)"
    )


def test_show_one_that_raises(folder: Path, invoke: Invoke) -> None:
    done = invoke("show", *words(folder, "norm_decay_mult=0.", "Raising"), cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == (
        "error: a.py:4:5: the constructor Raising raises KeyError: 'stage_rate' (own_ours.py:35)"
    )


def test_check_one_that_freezes(folder: Path, invoke: Invoke) -> None:
    done = invoke(
        "check", *words(folder, "norm_decay_mult=0.", "Freezing"), "--select", "OPT408", cwd=folder
    )
    assert done.stdout.splitlines()[0] == (
        "a.py:4:5: OPT408 warning: the constructor froze 2 parameters of the model: head.weight, head.bias"
    )


def test_diff(folder: Path, invoke: Invoke) -> None:
    arguments = words(folder, "stage_rate=0.1")
    (folder / "b.py").write_text((folder / "a.py").read_text().replace("0.1", "0.2"))
    done = invoke("diff", "a.py", "b.py", *arguments[1:], cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[:2] == [
        "a.py → b.py · net.py:Net · MMEngine · 4 of 6 parameters change",
        "  lr  0.05  →  0.1  4 parameters  constructor ×0.1 → ×0.2  own_ours.py:10  backbone.*",
    ]


def test_a_saved_plan_is_the_same(folder: Path, invoke: Invoke) -> None:
    arguments = words(folder, OPTIONS)
    invoke("show", *arguments, "--format", "json", "--output", "plan.json", cwd=folder)
    done = invoke("diff", "plan.json", *arguments, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
