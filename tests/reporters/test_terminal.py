"""What rich makes of terminals: colours, widths, excerpts; and a format that somebody adds."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest
from rich.cells import cell_len

from optplan.app.memory import memory_of
from optplan.app.option_use import entries_of
from optplan.cli.delivery import Terminal
from optplan.errors import Problem
from optplan.places import Place, Source
from optplan.reporters.formats import TableFormat
from optplan.reporters.formats.excerpt import Excerpt, window
from optplan.reporters.formats.report import Report
from optplan.reporters.formats.terminal import Paragraph, Sides, render
from optplan.reporters.problem import problem_text
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.plans import plan, row
from tests.views import Transformer, on_meta, planned

VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM", "COLUMNS", "LINES", "TERM")


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "stream", "expected"),
    [
        ({"TERM": "xterm-256color"}, Tty(), (80, True)),
        ({"TERM": "xterm"}, Tty(), (80, True)),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Tty(), (80, False)),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Tty(), (80, True)),
        ({"TERM": "dumb"}, Tty(), (80, False)),
        ({"TERM": "dumb", "COLUMNS": "50"}, Tty(), (50, False)),
        ({"TERM": "xterm", "COLUMNS": "120"}, Tty(), (120, True)),
        ({"TERM": "xterm"}, io.StringIO(), (None, False)),
        ({"TERM": "xterm", "COLUMNS": "50"}, io.StringIO(), (None, False)),
        ({"TERM": "xterm", "FORCE_COLOR": "1"}, io.StringIO(), (None, True)),
        ({"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, io.StringIO(), (None, False)),
        ({}, None, (None, False)),
    ],
)
def test_terminals(
    environment: Mapping[str, str],
    stream: Any,
    expected: tuple[int | None, bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "80", "LINES": "25", **environment}.items():
        monkeypatch.setenv(name, value)
    found = Terminal.of(stream)
    assert (found.width, found.has_color) == expected


PARAMWISE = {
    "norm_decay_mult": 0.0,
    "bias_decay_mult": 0.0,
    "custom_keys": {"blocks.0.": {"lr_mult": 0.1}, "multihead_attn": {"lr_mult": 0.5}, "no": {}},
}


@pytest.mark.parametrize("view", ShowView)
@pytest.mark.parametrize("width", [50, 80, 120])
def test_every_view_fits_and_colours_change_no_text(view: ShowView, width: int) -> None:
    made = planned(on_meta(Transformer), PARAMWISE)
    shown = Selection(plan=made.plan, rows=made.plan.parameters)
    shown = replace(
        shown,
        entries=entries_of(made, shown.rows),
        memory=memory_of(made.plan, shown.rows, processes=None, trusted=False),
    )
    text = show_report(view, shown, TableFormat.TEXT, width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert not any(line.endswith(" ") for line in text.splitlines())
    colored = show_report(view, shown, TableFormat.TEXT, width=width, color=True)
    assert "\x1b[" in colored
    assert without_styles(colored) == text


def without_styles(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_paragraph_wraps_at_words_and_breaks_none() -> None:
    text = "the plan is not final: give --world-size, see a/very/long/path/to/config.py"
    paragraph = Paragraph(text, hanging=2)
    assert render([paragraph], width=30, color=False) == (
        " the plan is not final: give\n   --world-size, see\n   a/very/long/path/to/config.py\n"
    )
    assert render([paragraph], width=None, color=False) == f" {text}\n"


def test_two_texts_stand_beside_or_below_each_other() -> None:
    sides = Sides(("resnet50", "bold"), "SGD  lr 0.1")
    assert render([sides], width=30, color=False) == "resnet50           SGD  lr 0.1\n"
    assert render([sides], width=21, color=False) == "resnet50\n SGD  lr 0.1\n"
    assert render([sides], width=30, color=True).startswith("\x1b[1mresnet50\x1b[0m")


WIDE = "名前 = dict(鍵='値', lr='x')  # 学習率を直してください、必ず"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            None,
            [
                "    3 │ 名前 = dict(鍵='値', lr='x')  # 学習率を直してください、必ず",
                "      │                      ^^",
            ],
        ),
        (30, ["    3 │ t(鍵='値', lr='x')  #", "      │            ^^"]),
        (24, ["    3 │ (鍵='値', lr='x')  #", "      │           ^^"]),
    ],
)
def test_the_mark_stands_under_the_right_cell(width: int | None, lines: list[str]) -> None:
    excerpt = Excerpt(WIDE, "a.py", 3, WIDE.index("lr") + 1, length=2)
    found = render([excerpt], width=width, color=False).splitlines()
    assert found == lines
    place = cell_len(found[1].partition("^")[0])
    before = next(end for end in range(len(found[0])) if cell_len(found[0][:end]) == place)
    assert found[0][before:].startswith("l")


def test_the_window_is_as_full_as_it_can_be() -> None:
    text = "x" * 200 + "HERE" + "y" * 10
    assert window(text, 200, 50) == (164, "x" * 36 + "HERE" + "y" * 10)
    assert window("    " + "z" * 10, 4, 50) == (4, "z" * 10)


def test_excerpts_are_coloured_as_their_language() -> None:
    for file, number in (("a.py", "\x1b[94m0.1\x1b[0m"), ("a.yaml", "\x1b[94mlr\x1b[0m")):
        text = "lr = 0.1" if file == "a.py" else "lr: 0.1"
        colored = render([Excerpt(text, file, 1, 1)], width=80, color=True)
        assert number in colored
        plain = render([Excerpt(text, file, 1, 1)], width=80, color=False)
        assert without_styles(colored) == plain


def test_a_problem_fits_its_terminal() -> None:
    place = Place(Source(name="a.py", path="a.py", text=WIDE), 1, WIDE.index("'x'") + 1)
    problem = Problem(
        message="lr must be a number, not the text that stands there", place=place, hint="write 0.1"
    )
    assert problem_text(problem, width=40, color=False) == (
        "error: a.py:1:21: lr must be a number,\n"
        "  not the text that stands there\n"
        "    1 │ ict(鍵='値', lr='x')  # 学習率を\n"
        "      │                 ^\n"
        "  hint: write 0.1\n"
    )


def test_a_format_is_a_module_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class More(StrEnum):
        LOUD = "loud"

    def made(report: Report, *, width: int | None, color: bool) -> str:
        return f"{report.title} {report.view} {width} {color}".upper()

    module = ModuleType("optplan.reporters.formats.loud")
    module.render = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    shown = Selection(plan=plan(row("a")), rows=())
    loud: Any = More.LOUD
    assert show_report(ShowView.TREE, shown, loud, width=80) == "TINY MODULE TREE 80 FALSE"


def test_a_view_is_a_module_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from optplan.reporters.formats.report import Cell, Field
    from optplan.reporters.show.view import View

    def declare(shown: Selection) -> View:
        name: Field[Any] = Field("name", lambda one: Cell(one.name, data=one.name), "name")
        return View(title="names", sheet="names", fields=[name], rows=shown.rows, key="names")

    class More(StrEnum):
        NAMES = "names"

    module = ModuleType("optplan.reporters.show.names")
    module.declare = declare  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    whole = plan(row("a"), row("b"))
    shown = Selection(plan=whole, rows=whole.parameters)
    names: Any = More.NAMES
    assert " name\n a\n b\n\n" in show_report(names, shown, TableFormat.TEXT)
    assert "| name |\n| --- |\n| a |\n| b |\n" in show_report(names, shown, TableFormat.MD)
    assert show_report(names, shown, TableFormat.CSV) == "name\na\nb\n"
    for output_format in (TableFormat.JSON, TableFormat.HTML):
        assert "names" in show_report(names, shown, output_format)
