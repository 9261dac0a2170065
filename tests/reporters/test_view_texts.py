"""The views as text, literally; what holds of them at any width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from optplan.app.option_use import entries_of
from optplan.reporters.formats import TableFormat
from optplan.reporters.selection import Narrowing, Selection, narrowed
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.views import PLANNED, MarkedUp, Transformer, on_meta, planned, selection

LAYER_DECAY = {
    "norm_decay_mult": 0.0,
    "custom_keys": {
        **{f"blocks.{block}.": {"lr_mult": 0.1 ** (3 - block)} for block in range(3)},
        "cls_token": {"lr_mult": 0.0},
        "head": {"lr_mult": 10.0},
        "theta": {"lr_mult": 3.0},
    },
}
NO_DECAY = {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0}


def tree(shown: Selection, width: int | None, depth: int | None = None) -> str:
    return show_report(ShowView.TREE, replace(shown, depth=depth), TableFormat.TEXT, width=width)


def groups(shown: Selection, width: int | None) -> str:
    return show_report(ShowView.SETTINGS, shown, TableFormat.TEXT, width=width)


def keys(paramwise: Mapping[str, Any], width: int | None, model: Any = None) -> str:
    made = planned(model or on_meta(Transformer), paramwise)
    shown = Selection(plan=made.plan, rows=made.plan.parameters)
    entries = entries_of(made, shown.rows)
    return show_report(
        ShowView.KEYS, replace(shown, entries=entries), TableFormat.TEXT, width=width
    )


RAMP = """\
Transformer · module · 33 parameters · 350                        AdamW  lr 0.001  weight_decay 0.05
 rules of MMEngine (optim_wrapper)
 module       parameters  elements            lr              weight_decay  rule
 Transformer          33       350        0–0.01  ░░░░░░░░░░          0.05
 ├ cls_token           1         4             0                      0.05  custom_key 'cls_token' lr ×0
 ├ blocks             30       336  1e-06–0.0001  █░░░░░              0.05
 │ ├ 0                10       112         1e-06  █                   0.05  custom_key 'blocks.0.' lr ×0.001
 │ ├ 1                10       112         1e-05  ███▎                0.05  custom_key 'blocks.1.' lr ×0.01
 │ └ 2                10       112        0.0001  █████▌              0.05  custom_key 'blocks.2.' lr ×0.1
 └ head                2        10          0.01  ██████████          0.05  custom_key 'head' lr ×10

 decided by custom_key 33
 trainable 33 · in the optimizer 33 · frozen 0
"""

FOLDED = """\
Transformer · module · 33 parameters · 350    AdamW  lr 0.001  weight_decay 0.05
 rules of MMEngine (optim_wrapper)
 module              parameters  elements     lr  weight_decay  rule
 Transformer                 33       350  0.001        0–0.05
 ├ cls_token                  1         4  0.001          0.05  default
 ├ blocks.{0-2}              30       336  0.001        0–0.05
 │ ├ norm{1,2}               12        48  0.001             0  norm ×0
 │ ├ multihead_attn           6        60  0.001        0–0.05
 │ │ ├ weight                 3        48  0.001          0.05  default
 │ │ └ bias                   3        12  0.001             0  bias decay ×0
 │ └ mlp.fc{1,2}             12       228  0.001        0–0.05
 │   ├ weight                 6       192  0.001          0.05  default
 │   └ bias                   6        36  0.001             0  bias decay ×0
 └ head                       2        10  0.001        0–0.05
   ├ weight                   1         8  0.001          0.05  default
   └ bias                     1         2  0.001             0  bias decay ×0

 decided by norm 12 · bias 10 · default 11
 trainable 33 · in the optimizer 33 · frozen 0
"""

SETTINGS = """\
Transformer · module · 33 parameters · 350                        AdamW  lr 0.001  weight_decay 0.05
 rules of MMEngine (optim_wrapper)

 lr 0  weight_decay 0.05                     1 parameter    4   1.1%
    custom_key 'cls_token' lr ×0
    cls_token

 lr 1e-06  weight_decay 0.05   █           10 parameters  112  32.0%
    custom_key 'blocks.0.' lr ×0.001
    blocks.0.*

 lr 1e-05  weight_decay 0.05   ███▎        10 parameters  112  32.0%
    custom_key 'blocks.1.' lr ×0.01
    blocks.1.*

 lr 0.0001  weight_decay 0.05  █████▌      10 parameters  112  32.0%
    custom_key 'blocks.2.' lr ×0.1
    blocks.2.*

 lr 0.01  weight_decay 0.05    ██████████   2 parameters   10   2.9%
    custom_key 'head' lr ×10
    head.*

 decided by custom_key 33
 trainable 33 · in the optimizer 33 · frozen 0
"""

KEYS = """\
Transformer · module · 33 parameters · 350                        AdamW  lr 0.001  weight_decay 0.05
 rules of MMEngine (optim_wrapper)
 option or key    gives      matched  won  lost to                 words hit
 'blocks.0.'      lr ×0.001       10   10                          blocks.0
 'blocks.1.'      lr ×0.01        10   10                          blocks.1
 'blocks.2.'      lr ×0.1         10   10                          blocks.2
 'cls_token'      lr ×0            1    1                          cls_token
 'theta'          lr ×3            0    0  matches nothing
 'head'           lr ×10           8    2  'blocks.{0-2}.' 2 each  multihead_attn, head
 norm_decay_mult  decay ×0        12    0  'blocks.{0-2}.' 4 each

 2 of 7 options and keys decide nothing
 decided by custom_key 33
 trainable 33 · in the optimizer 33 · frozen 0
"""


def test_layer_decay_is_a_ramp() -> None:
    assert tree(selection(on_meta(Transformer), LAYER_DECAY), None) == RAMP


def test_no_bars_where_all_lrs_are_equal() -> None:
    assert tree(selection(on_meta(Transformer), NO_DECAY), 80) == FOLDED


def test_settings_with_members() -> None:
    assert groups(selection(on_meta(Transformer), LAYER_DECAY), None) == SETTINGS


def test_keys() -> None:
    assert keys(LAYER_DECAY, None) == KEYS


def test_a_terminal_without_room_gets_shorter_words() -> None:
    assert tree(selection(on_meta(Transformer), LAYER_DECAY), 70).splitlines()[3:8] == [
        " module       params            lr              decay  rule",
        " Transformer      33        0–0.01  ░░░░░░░░░░   0.05",
        " ├ cls_token       1             0               0.05  'cls_token'",
        " ├ blocks         30  1e-06–0.0001  █░░░░░       0.05",
        " │ ├ 0            10         1e-06  █            0.05  'blocks.0.'",
    ]


def test_depth_closes_what_is_mixed() -> None:
    lines = tree(selection(on_meta(Transformer), NO_DECAY), None, depth=1).splitlines()
    assert lines[3:7] == [
        " Transformer             33       350  0.001        0–0.05",
        " ├ cls_token              1         4  0.001          0.05  default",
        " ├ blocks.{0-2}          30       336  0.001        0–0.05  norm ×0 | default | bias decay ×0",
        " └ head                   2        10  0.001        0–0.05  default | bias decay ×0",
    ]


def test_zero_and_one_other_lr_has_one_full_bar() -> None:
    paramwise = {"custom_keys": {"head.": {"lr_mult": 0.0}}}
    lines = tree(selection(on_meta(Transformer), paramwise), None).splitlines()
    assert [line.count("█") for line in lines[3:7]] == [0, 10, 10, 0]


def test_what_is_in_no_group() -> None:
    shown = selection("FrozenAndTied", {**NO_DECAY, "bypass_duplicate": True})
    assert tree(shown, None).splitlines()[3:7] == [
        " FrozenAndTied           2        25  0.001             0",
        " ├ embedding             1        20      –             –  frozen",
        " └ decoder               1         5  0.001             0",
        "   ├ weight              0         0      –             –  duplicate of embedding.weight",
    ]
    assert groups(shown, None).splitlines()[3:13] == [
        " lr 0.001  weight_decay 0    1 parameter   5  20.0%",
        "    bias decay ×0",
        "    decoder.bias",
        "",
        " frozen, in no group         1 parameter  20  80.0%",
        "    embedding.weight",
        "",
        " duplicate, in no group           1 name   0   0.0%",
        "    decoder.weight",
        "",
    ]


def test_narrowed_views_say_so() -> None:
    shown = selection(on_meta(Transformer), NO_DECAY)
    narrowing = Narrowing(patterns=("blocks.0.*",))
    part = replace(shown, rows=narrowed(shown.plan, narrowing), narrowing=narrowing)
    assert tree(part, None).splitlines()[3].split()[:2] == ["Transformer", "10"]
    for text in (tree(part, None), groups(part, None)):
        assert text.splitlines()[-1] == " 10 of 33 rows shown: --param blocks.0.*"


def test_no_rows_at_all() -> None:
    shown = replace(selection(on_meta(Transformer), NO_DECAY), rows=())
    assert tree(shown, 80).splitlines()[3].split() == ["Transformer", "0", "0", "–", "–"]
    assert "1 setting" not in groups(shown, 80)


def test_no_entries_at_all() -> None:
    assert keys({}, 80).splitlines()[3] == (
        " no options and no custom keys: every parameter gets the optimizer's own values"
    )


def test_only_frozen() -> None:
    assert "only frozen or duplicate: 1" in keys(
        {"custom_keys": {"embedding": {"lr_mult": 0.1}}, "bypass_duplicate": True},
        None,
        "FrozenAndTied",
    )


def test_option_that_nothing_reads_stands_out() -> None:
    made = planned(on_meta(Transformer), {"norm_decay_mul": 0.0, "norm_decay_mult": 0.0})
    shown = Selection(plan=made.plan, rows=made.plan.parameters)
    text = show_report(
        ShowView.KEYS,
        replace(shown, entries=entries_of(made, shown.rows)),
        TableFormat.TEXT,
        color=True,
    )
    assert "\x1b[31mnorm_decay_mul\x1b[0m" in text
    assert "\x1b[31mnothing reads it\x1b[0m" in text
    assert "\x1b[31m1 of 2 options and keys decides nothing\x1b[0m" in text


VIEWS: dict[str, Callable[[Mapping[str, Any], Any, int | None], str]] = {
    "tree": lambda paramwise, model, width: tree(selection(model, paramwise), width),
    "groups": lambda paramwise, model, width: groups(selection(model, paramwise), width),
    "keys": lambda paramwise, model, width: keys(paramwise, width, model),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("paramwise", [LAYER_DECAY, NO_DECAY])
def test_nothing_wraps_at_80_columns(view: str, paramwise: dict[str, Any]) -> None:
    text = VIEWS[view](paramwise, on_meta(Transformer), 80)
    assert max(map(cell_len, text.splitlines())) <= 80


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_cut_in_a_pipe(view: str) -> None:
    paramwise = {**NO_DECAY, "custom_keys": {"multihead_attn" + letter: {} for letter in "abcdef"}}
    assert "…" not in VIEWS[view](paramwise, on_meta(Transformer), None)


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_every_element_is_in_a_setting(name: str) -> None:
    shown = selection(name, {**NO_DECAY, "bypass_duplicate": True})
    text = groups(shown, None)
    heads = [line for line in text.splitlines() if line.endswith("%")]
    counts = [int(line.split(" parameter")[0].split()[-1]) for line in heads if "parameter" in line]
    assert sum(counts) == shown.plan.model.parameters


@pytest.mark.parametrize("view", VIEWS)
def test_markup_is_literal(view: str) -> None:
    paramwise = {"custom_keys": {name: {"lr_mult": 0.5} for name in [*MarkedUp.NAMES, r"\.[a-z]+"]}}
    text = VIEWS[view](paramwise, on_meta(MarkedUp), None)
    for shown in ("[red]", "<script>alert(1)", "a|b", "tick`s``", r"esc\x1b[31m", "&lt;b&gt;"):
        assert shown in text
    assert "\x1b" not in text
    assert (r"'\.[a-z]+'" in text) is (view == "keys")
