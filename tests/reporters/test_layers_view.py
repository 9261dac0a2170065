"""The layers of a plan in each format, literally."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

import optplan
from optplan.names import Rule, Status
from optplan.plan import Plan, RuleUse
from optplan.plan.names.patterns import matching
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Narrowing, Selection, narrowed
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from optplan.reporters.words import rule_text
from tests.layered_models import layered_model
from tests.plans import DEFAULT, outside, plan, row
from tests.schema import validate

CONFIG = {
    "optim_wrapper": {
        "optimizer": {"type": "SGD", "lr": 0.5, "weight_decay": 0.25},
        "constructor": "LayerDecayOptimizerConstructor",
        "paramwise_cfg": {
            "layer_decay_rate": 0.1,
            "norm_decay_mult": 0.0,
            "custom_keys": {"head.bias": {"lr_mult": 3.0}},
        },
    }
}
# as timm makes them: a scale, but no layer, and the lr is left to its schedulers
OF_TIMM = plan(
    row("head", lr_scale=1.0, effective_lr=0.1),
    row("a.[x]", lr_scale=0.5, effective_lr=0.05),
    row("stem", lr_scale=0.25, effective_lr=0.025),
    row("new", effective_lr=0.1),
    outside("old", Status.FROZEN),
)
ONE = plan(*(row(name, layer=0, lr_scale=1.0, effective_lr=0.1) for name in "ab"))
NONE = plan(row("a"), row("b"))


def shown(made: Plan, *patterns: str) -> Selection:
    narrowing = Narrowing(patterns=patterns)
    return Selection(plan=made, rows=narrowed(made, narrowing), narrowing=narrowing)


def text(made: Plan, width: int | None = None, *patterns: str, color: bool = False) -> str:
    return show_report(
        ShowView.LAYERS, shown(made, *patterns), TableFormat.TEXT, width=width, color=color
    )


@pytest.fixture(scope="module")
def layered() -> Plan:
    return optplan.make_plan(layered_model("Classifier"), CONFIG)


RAMP = """\
Classifier · module · 17 parameters · 1.20 k                          SGD  lr 0.5  weight_decay 0.25
 made by LayerDecayOptimizerConstructor
 rules of MMEngine (optim_wrapper)
 layer  lr_scale       lr              parameters  elements  names
     0     0.001   0.0005  █                    1         4  backbone.cls_token
     1      0.01    0.005  ███▋                 2         8  *.blocks.0.norm.*
     2       0.1     0.05  ██████▏              4        16  *.blocks.1.*
     3         1  0.5–1.5  █████████░           8    1.16 k  scale, backbone.gamma, *.dcn.*, head.*

 4 layers · lr_scale 0.001–1
 decided by custom_key 1 · norm 4 · layer_decay 14
 trainable 15 · in the optimizer 15 · frozen 2
"""
NARROW = """\
Classifier · module · 17 parameters · 1.20 k
 SGD  lr 0.5  weight_decay 0.25
 made by LayerDecayOptimizerConstructor
 rules of MMEngine (optim_wrapper)
 layer  scale       lr  params  names
     0  0.001   0.0005       1  backbone.cls_token
     1   0.01    0.005       2  *.blocks.0.norm.*
     2    0.1     0.05       4  *.blocks.1.*
     3      1  0.5–1.5       8  scale, …and 2 more

 4 layers · lr_scale 0.001–1
 decided by custom_key 1 · norm 4 · layer_decay 14
 trainable 15 · in the optimizer 15 · frozen 2
"""
TIMM = """\
tiny · timm · 5 parameters · 50                                       SGD  lr 0.1  weight_decay 0.05
 lr_scale     lr              parameters  elements  names
     0.25  0.025  █                    1        10  stem
      0.5   0.05  █████▌               1        10  a.[x]
        1    0.1  ██████████           1        10  head
        –    0.1  ██████████           1        10  new

 lr_scale 0.25–1 · lr as it is once a scheduler has applied lr_scale
 decided by default 4
 trainable 4 · in the optimizer 4 · frozen 1
"""
NOTHING = """\
tiny · timm · 2 parameters · 20                                       SGD  lr 0.1  weight_decay 0.05

 no layers: no param group has a layer or an lr_scale, so the lr does not go by layers
 decided by default 2
 trainable 2 · in the optimizer 2 · frozen 0
"""
MD = """\
### `Classifier` · layers

- `Classifier · module · 17 parameters · 1.20 k`
- `SGD  lr 0.5  weight_decay 0.25`
- `made by LayerDecayOptimizerConstructor`
- `rules of MMEngine (optim_wrapper)`

**4 layers · lr_scale 0.001–1**

| layer | lr_scale | lr | weight_decay | parameters | elements | names |
| ---: | ---: | ---: | ---: | ---: | ---: | --- |
| 0 | 0.001 | 0.0005 | 0.25 | 1 | 4 | `backbone.cls_token` |
| 1 | 0.01 | 0.005 | 0 | 2 | 8 | `*.blocks.0.norm.*` |
| 2 | 0.1 | 0.05 | 0–0.25 | 4 | 16 | `*.blocks.1.*` |
| 3 | 1 | 0.5–1.5 | 0.25 | 8 | 1.16 k | `scale`<br>`backbone.gamma`<br>`*.dcn.*`<br>`head.*` |

- decided by custom_key 1 · norm 4 · layer_decay 14
- trainable 15 · in the optimizer 15 · frozen 2
"""


def test_ramp(layered: Plan) -> None:
    assert text(layered) == RAMP
    assert text(layered, 50) == NARROW


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int, layered: Plan) -> None:
    assert max(map(cell_len, text(layered, width).splitlines())) <= width


def test_scales_alone() -> None:
    assert text(OF_TIMM) == TIMM


def test_no_layers() -> None:
    assert text(NONE) == NOTHING


def test_one_scale_is_told_in_red() -> None:
    told = "1 layer · one lr_scale, 1: the lr does not differ by layer"
    assert f"\n {told}\n" in text(ONE)
    assert f"\n \x1b[31m{told}\x1b[0m\n" in text(ONE, color=True)
    assert "\x1b[31m" not in text(OF_TIMM, color=True)


def test_narrowed(layered: Plan) -> None:
    lines = text(layered, None, "backbone.*").splitlines()
    assert lines[-1] == " 14 of 17 rows shown: --param backbone.*"
    (last,) = (line.split() for line in lines if line.startswith("     3 "))
    assert last == ["3", "1", "0.5", "██████████", "5", "1.15", "k", "backbone.gamma,", "*.dcn.*"]


def test_markdown(layered: Plan) -> None:
    assert show_report(ShowView.LAYERS, shown(layered), TableFormat.MD) == MD


def test_html(layered: Plan) -> None:
    html = show_report(ShowView.LAYERS, shown(layered), TableFormat.HTML)
    assert '0.005<span class="bar" aria-hidden="true" style="--low:0.359;--high:0.359">' in html
    assert "*.blocks.0.norm.*" in html
    nothing = show_report(ShowView.LAYERS, shown(NONE), TableFormat.HTML)
    assert "no layers: no param group has a layer or an lr_scale" in nothing


def as_json(made: Plan) -> Any:
    data = json.loads(show_report(ShowView.LAYERS, shown(made), TableFormat.JSON))
    validate(data, "layers-view-1.0")
    return data


def test_json(layered: Plan) -> None:
    data = as_json(layered)
    found = data["layers"]
    assert [(one["layer"], one["lr_scale"], one["lr"], one["parameters"]) for one in found] == [
        (0, [0.0010000000000000002] * 2, [0.0005000000000000001] * 2, 1),
        (1, [0.010000000000000002] * 2, [0.005000000000000001] * 2, 2),
        (2, [0.1] * 2, [0.05] * 2, 4),
        (3, [1.0, 1.0], [0.5, 1.5], 8),
    ]
    names = [r.name for r in layered.parameters]
    for one in found:
        fitting = {name for fits in matching(one["patterns"], names).values() for name in fits}
        assert fitting == {r.name for r in layered.parameters if r.layer == one["layer"]}


def test_json_without_numbers_or_layers() -> None:
    found = as_json(OF_TIMM)["layers"]
    assert [(one["layer"], one["lr_scale"], one["patterns"]) for one in found] == [
        (None, [0.25, 0.25], ["stem"]),
        (None, [0.5, 0.5], ["a.[x]"]),
        (None, [1.0, 1.0], ["head"]),
        (None, None, ["new"]),
    ]
    assert as_json(NONE)["layers"] == []


def test_saved_plan_has_the_same_layers(layered: Plan) -> None:
    assert text(Plan.from_json(layered.to_json())) == RAMP


LEFT_OVER = RuleUse(rule=Rule.LAYER_DECAY, mult=1.0, note="no layer pattern, last layer")
FLAT = RuleUse(rule=Rule.FLAT, option="flat_decay_mult", mult=0.0)
KEYS = RuleUse(rule=Rule.CUSTOM_KEY, key="head", mult=2.0, note="4 × 0.5 for layer 3")


@pytest.mark.parametrize(
    ("lr", "decay", "text"),
    [
        (LEFT_OVER, DEFAULT, "layer_decay lr ×1, no layer pattern, last layer"),
        (LEFT_OVER, FLAT, "layer_decay lr ×1 (no layer pattern, last layer), flat ×0"),
        (KEYS, replace(KEYS, note=None, mult=1.0), "custom_key 'head' lr ×2, 4 × 0.5 for layer 3"),
        (KEYS, FLAT, "custom_key 'head' lr ×2 (4 × 0.5 for layer 3), flat ×0"),
    ],
)
def test_rules_with_remarks(lr: RuleUse, decay: RuleUse, text: str) -> None:
    assert rule_text(row("a", lr_rule=lr, weight_decay_rule=decay)) == text
