"""CSV is read back exactly, and no cell begins as a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from optplan.plan.diff import diff_plans
from optplan.reporters.diff.csv import render as diff_csv
from optplan.reporters.formats import TableFormat
from optplan.reporters.formats.csv import csv_text
from optplan.reporters.selection import Selection
from optplan.reporters.show import ShowView
from optplan.reporters.show.view import show_report
from tests.conftest import Invoke
from tests.plans import key, plan, row

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\x00=1", "＝1", "'=1"]
# what OWASP lists under "CSV Injection"
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
CELLS = st.one_of(
    st.none(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.text(alphabet="=+-@'\t\r\n;,\" \x00\x1b\x85\u2028a"),
)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=3))
@example([["a\rb", None], ["\r", ""]])
def test_reads_back(rows: list[list[Any]]) -> None:
    found = read(csv_text(rows))
    assert len(found) == len(rows)
    for cells, given_cells in zip(found, rows, strict=True):
        for cell, one in zip(cells, given_cells, strict=True):
            if isinstance(one, str):
                assert cell in (one, f"'{one}")
                assert not cell.startswith(STARTS)
                assert not cell.strip().startswith(STARTS)
            else:
                assert cell == ("" if one is None else str(one))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(alphabet="=+-@' \ta", max_size=4), st.text(alphabet="=+-@' \ta", max_size=4))
def test_different_texts_stay_different(first: str, second: str) -> None:
    assert (read(csv_text([[first, 0]])) == read(csv_text([[second, 0]]))) is (first == second)


def test_literal() -> None:
    rows: list[list[Any]] = [
        ["name", "lr"],
        ["=1", 0.1],
        ["'=", -0.5],
        ["'a' ×10", -1],
        ["a\rb", None],
        ["a=b", True],
        ['"', ","],
    ]
    assert csv_text(rows) == (
        'name,lr\n\'=1,0.1\n\'\'=,-0.5\n\'a\' ×10,-1\n"a\rb",""\na=b,True\n"""",","\n'
    )


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_every_report(name: str) -> None:
    first = plan(row(name, lr_rule=key(name, 1.0), dtype=name, module=name))
    second = plan(row(name, lr=0.5, lr_rule=key(name, 5.0), extra={name: name}))
    diff = diff_plans(first, second)
    whole = Selection(plan=first, rows=first.parameters)
    shown = read(show_report(ShowView.PARAMS, whole, TableFormat.CSV))
    assert shown[1][0] == f"'{name}"
    for rows in (shown, read(diff_csv(diff, full=False)), read(diff_csv(diff, full=True))):
        assert len({len(cells) for cells in rows}) == 1
        for cell in [cell for cells in rows for cell in cells if not is_number(cell)]:
            assert not cell.strip().startswith(STARTS)


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


MODEL = """
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("=cmd|x", "@a", "a\\rb", "lone\\ud800", "\\x1b[2J"):
            self.register_parameter(name, nn.Parameter(__import__("torch").ones(2)))
"""


@pytest.mark.parametrize("to_file", [True, False])
def test_commands(to_file: bool, invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODEL)
    (tmp_path / "a.py").write_text(
        "optimizer = dict(type='SGD', lr=0.1)\nparam_scheduler = dict(type='ExponentialLR', gamma=0.5)\n"
        "train_cfg = dict(by_epoch=True, max_epochs=3)\n"
    )
    output = ("-o", "out.csv") if to_file else ()
    model = ("-m", "net.py:Net", "-f", "csv")
    for words in (("show", "a.py"), ("schedule", "a.py"), ("diff", "a.py", "a.py", "--full")):
        done = invoke(*words, *model, *output, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        text = (tmp_path / "out.csv").read_bytes().decode() if to_file else done.stdout
        if words[0] == "show":
            assert [cells[0] for cells in read(text)[1:]] == [
                "'=cmd|x", "'@a", "a\rb", "lone\\ud800", "\x1b[2J",
            ]  # fmt: skip
