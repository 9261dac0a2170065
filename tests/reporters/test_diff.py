"""The reports of a diff: literal texts of small plans, and nothing a user wrote taken for markup."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from typing import Any

import pytest
from rich.cells import cell_len

from optplan.names import Status
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff
from optplan.plan.diff import diff_plans
from optplan.reporters.diff_data import diff_csv, diff_json
from optplan.reporters.diff_md import diff_md
from optplan.reporters.diff_text import diff_text
from optplan.reporters.markdown import code, escaped
from tests.plans import DEFAULT, NORM, key, optimizer, outside, plan, row
from tests.schema import validate

LABELS = "a.py", "b.py"
BEFORE = plan(
    *(row(f"blocks.{i}.{name}") for i in range(3) for name in ("norm.weight", "fc.weight")),
    row("head.weight"),
    row("head.bias"),
    row("old.weight"),
)
AFTER = plan(
    *(
        row(name, lr=0.01, weight_decay=0.0, weight_decay_rule=NORM)
        if "norm" in name
        else row(name, lr=0.01)
        for name in (r.name for r in BEFORE.parameters[:6])
    ),
    row("head.weight", lr=0.1, lr_rule=key("head", 10.0)),
    outside("head.bias", Status.FROZEN),
    row("new.weight"),
    optimizers=(optimizer(lr=0.01, options={"momentum": 0.9}),),
    versions={"optplan": "1", "torch": "3", "timm": "3"},
)
DIFF = diff_plans(BEFORE, AFTER)


def text(diff: PlanDiff, width: int | None = None, *, full: bool = False) -> str:
    return diff_text(diff, LABELS, full=full, width=width, color=False)


def test_in_a_pipe() -> None:
    assert text(DIFF) == """\
a.py → b.py · tiny · 7 of 8 parameters change
  weight_decay       0.05  →  0       3 parameters  norm ×0  b.py:9  *.norm.*
  status        optimized  →  frozen   1 parameter                   head.bias
 optimizer
  lr        0.1  →  0.01  6 parameters with it
  momentum    –  →  0.9
 only in a.py  1 parameter  old.weight
 only in b.py  1 parameter  new.weight
 the same lr by another rule: 1 parameter ('head' ×10)
 made with other versions: torch 2 → 3
 changes: lr of 6 · weight_decay of 3 · status of 1 · 1 only in a.py · 1 only in b.py · 1 option of the optimizer
"""


def test_on_a_narrow_terminal() -> None:
    assert text(DIFF, 60) == """\
a.py → b.py · tiny · 7 of 8 parameters change
  weight_decay       0.05  →  0       3  norm ×0  b.py:9
      *.norm.*
  status        optimized  →  frozen  1
      head.bias
 optimizer
  lr        0.1  →  0.01  6 parameters with it
  momentum    –  →  0.9
 only in a.py  1 parameter  old.weight
 only in b.py  1 parameter  new.weight
 the same lr by another rule: 1 parameter ('head' ×10)
 made with other versions: torch 2 → 3
 changes: lr of 6 · weight_decay of 3 · status of 1 · 1 only
   in a.py · 1 only in b.py · 1 option of the optimizer
"""


def test_full() -> None:
    assert text(DIFF, full=True).partition("\n\n")[2] == """\
    parameter             lr          weight_decay  rule               also
 ~  blocks.0.norm.weight  0.1 → 0.01  0.05 → 0      default → norm ×0
 ~  blocks.0.fc.weight    0.1 → 0.01  0.05          default
 ~  blocks.1.norm.weight  0.1 → 0.01  0.05 → 0      default → norm ×0
 ~  blocks.1.fc.weight    0.1 → 0.01  0.05          default
 ~  blocks.2.norm.weight  0.1 → 0.01  0.05 → 0      default → norm ×0
 ~  blocks.2.fc.weight    0.1 → 0.01  0.05          default
"""


def test_md() -> None:
    assert diff_md(DIFF, LABELS, full=False) == """\
"""


def test_csv() -> None:
    assert diff_csv(DIFF, full=False) == """\
"""
