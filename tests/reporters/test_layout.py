"""Columns fit their width, and nothing a user wrote steers the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.formats.terminal import Table, render
from optplan.reporters.formats.visible import cut, visible
from optplan.reporters.words import count_text, number, percent, shape_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("layer1.weight", "layer1.weight"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\u202eevil", r"\u202eevil"),
        ("\x9b31m", r"\x9b31m"),
        ("naïve × 名前", "naïve × 名前"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("\ud800", r"\ud800"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("blocks.10.attn.qkv.weight", 25, "blocks.10.attn.qkv.weight"),
        ("blocks.10.attn.qkv.weight", 15, "blocks…v.weight"),
        ("名前名前名前", 7, "名…前"),
        ("abcdef", 2, "ab"),
    ],
)
def test_cut(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown
    assert cell_len(shown) <= width


COLUMNS = (Column(shrink_to=8), Column(optional=True), Column(is_number=True), Column(shrink_to=6))
ROWS = [
    (
        Cell("layer1.0.conv1.weight"),
        Cell("64×3"),
        Cell("0.1", "dim"),
        Cell("custom_key 'a'", "", "'a'"),
    ),
    (Cell("fc"), Cell("10"), Cell("0.01"), Cell("norm ×0")),
]


def table(width: int | None, *, color: bool = False) -> list[str]:
    return render([Table(COLUMNS, ROWS)], width=width, color=color).splitlines()


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            None,
            [
                " layer1.0.conv1.weight  64×3   0.1  custom_key 'a'",
                " fc                     10    0.01  norm ×0",
            ],
        ),
        (
            45,
            [
                " layer1.0.conv1.weight  64×3   0.1  'a'",
                " fc                     10    0.01  norm ×0",
            ],
        ),
        (
            38,
            [
                " layer1.0.conv1.weight   0.1  'a'",
                " fc                     0.01  norm ×0",
            ],
        ),
        (26, [" laye…eight   0.1  'a'", " fc          0.01  norm ×0"]),
    ],
)
def test_table(width: int | None, lines: list[str]) -> None:
    assert table(width) == lines


@pytest.mark.parametrize("width", range(30, 120))
def test_never_wider_than_asked(width: int) -> None:
    assert max(map(len, table(width))) <= width


def test_colour_changes_no_text() -> None:
    plain_lines = table(None)
    colored = table(None, color=True)
    assert [line.replace("\x1b[2m", "").replace("\x1b[0m", "") for line in colored] == plain_lines
    assert colored != plain_lines


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1 * 0.05, "0.005"),
        (1e-5, "1e-05"),
        (0.0, "0"),
        (1, "1"),
        (None, "–"),
        (1 / 3, "0.333333"),
    ],
)
def test_number(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 k"),
        (25_557_032, "25.6 M"),
        (999_999, "1.00 M"),
        (70_553_706_496, "70.6 B"),
    ],
)
def test_count(count: int, shown: str) -> None:
    assert count_text(count) == shown


def test_shares_and_shapes() -> None:
    assert [percent(1, 3), percent(0, 3), percent(1, 10**6), percent(3, 3)] == [
        "33.3%",
        "0.0%",
        "<0.1%",
        "100.0%",
    ]
    assert [shape_text(()), shape_text((64, 3)), shape_text((2, 3), "x")] == [
        "scalar",
        "64×3",
        "2x3",
    ]
