"""Markdown and HTML: the same numbers as the text, and every name as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from optplan.app.option_use import entries_of
from optplan.reporters.formats import TableFormat
from optplan.reporters.formats.md import code
from optplan.reporters.selection import Narrowing, Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.views import MarkedUp, Transformer, on_meta, planned, selection

NO_DECAY = {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0}

MD = """\
### `Transformer` · module tree

- `Transformer · module · 33 parameters · 350`
- `AdamW  lr 0.001  weight_decay 0.05`
- `rules of MMEngine (optim_wrapper)`

**7 rows**

| module | parameters | elements | lr | weight_decay | rule |
| --- | ---: | ---: | ---: | ---: | --- |
| `Transformer` | 33 | 350 | 0–0.001 | 0–0.05 |  |
| `cls_token` | 1 | 4 | 0.001 | 0.05 | `default` |
| `blocks.{0-2}` | 30 | 336 | 0.001 | 0–0.05 |  |
| `blocks.{0-2}.norm{1,2}` | 12 | 48 | 0.001 | 0 | `norm ×0` |
| `blocks.{0-2}.multihead_attn` | 6 | 60 | 0.001 | 0.05 | `default` |
| `blocks.{0-2}.mlp` | 12 | 228 | 0.001 | 0.05 | `default` |
| `head` | 2 | 10 | 0 | 0.05 | `custom_key 'head.' lr ×0` |

- decided by custom_key 2 · norm 12 · default 19
- trainable 33 · in the optimizer 33 · frozen 0
"""


def report(view: str, form: TableFormat, paramwise: dict[str, object], model: type) -> str:
    made = planned(on_meta(model), paramwise)
    shown = Selection(plan=made.plan, rows=made.plan.parameters)
    if view == "tree":
        return show_report(ShowView.TREE, shown, form)
    if view == "groups":
        return show_report(ShowView.SETTINGS, shown, form)
    if view == "keys":
        return show_report(
            ShowView.KEYS, replace(shown, entries=entries_of(made, shown.rows)), form
        )
    return show_report(ShowView.PARAMS, shown, form)


def test_md_literally() -> None:
    paramwise = {"norm_decay_mult": 0.0, "custom_keys": {"head.": {"lr_mult": 0.0}}}
    assert report("tree", TableFormat.MD, paramwise, Transformer) == MD


class Cells(HTMLParser):
    """The texts of a page's cells and what else it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [f"{name}={value}" for name, value in attrs if name in ("src", "href")]
        if tag == "td":
            self._open = True
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] += data


def parsed(text: str) -> Cells:
    cells = Cells()
    cells.feed(text)
    return cells


SHOWN = ("[red]", "<script>alert(1)", "a|b", "tick`s``", r"esc\x1b[31m", "&lt;b&gt;", "$x$*_y_")


@pytest.mark.parametrize("view", ["params", "tree", "groups", "keys"])
def test_html_is_one_file_with_every_name_as_it_is(view: str) -> None:
    keys = {name: {"lr_mult": 0.5 / number} for number, name in enumerate(MarkedUp.NAMES, 1)}
    text = report(view, TableFormat.HTML, {"custom_keys": keys}, MarkedUp)
    page = parsed(text)
    assert page.links == []
    assert page.tags.count("script") == 1
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|https?:", text)
    everything = "\n".join(page.cells).replace("\\*", "*")
    for shown in SHOWN:
        assert shown in everything
    assert "\x1b" not in text


@pytest.mark.parametrize("view", ["params", "tree", "groups", "keys"])
def test_md_rows_have_as_many_cells_as_the_head(view: str) -> None:
    keys = {name: {"lr_mult": 0.5} for name in MarkedUp.NAMES}
    lines = report(view, TableFormat.MD, {"custom_keys": keys}, MarkedUp).splitlines()
    width = 0
    for line in lines:
        if not line.startswith("|"):
            width = 0
            continue
        width = width or line.count("|")
        assert line.count("|") == width
    assert "<script>" not in "\n".join(lines).replace("`", "\x00").split("\x00")[0::2][0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("blocks.{0-2}.*", "`blocks.{0-2}.*`"),
        ("<script>", "`<script>`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("`", "<code>&#96;</code>"),
        ("\x1b[31m", r"`\x1b[31m`"),
        (r"blocks\.[a-z]+", r"`blocks\.[a-z]+`"),
    ],
)
def test_code(text: str, shown: str) -> None:
    assert code(text) == shown


def test_bars_stand_beside_different_lrs_alone() -> None:
    keys: dict[str, object] = {"custom_keys": {"head.": {"lr_mult": 0.1}}}
    with_bars = report("tree", TableFormat.HTML, keys, Transformer)
    assert (
        '0.0001<span class="bar" aria-hidden="true" style="--low:0.100;--high:0.100">' in with_bars
    )
    assert (
        '0.0001–0.001<span class="bar" aria-hidden="true" style="--low:0.100;--high:1.000">'
        in with_bars
    )
    assert 'class="bar"' not in report("tree", TableFormat.HTML, {**NO_DECAY}, Transformer)


def test_narrowing_is_told() -> None:
    shown = selection(on_meta(Transformer), NO_DECAY)
    part = Selection(
        plan=shown.plan, rows=shown.rows[:1], narrowing=Narrowing(patterns=("cls|*<b>",))
    )
    md = show_report(ShowView.TREE, part, TableFormat.MD)
    assert md.splitlines()[-1].startswith("- <code>1 of 33 rows shown&#58; --param cls&#124;")
    html = show_report(ShowView.TREE, part, TableFormat.HTML)
    assert '<p class="narrowing">1 of 33 rows shown: --param cls|*&lt;b&gt;</p>' in html
