"""The reports of a diff: literal texts of small plans, and nothing a user wrote taken for markup."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from optplan.names import Status
from optplan.plan import Plan
from optplan.plan.changes import PlanDiff
from optplan.plan.diff import diff_plans
from optplan.reporters.diff.csv import render as diff_csv
from optplan.reporters.diff.json import render as diff_json
from optplan.reporters.diff.md import render as diff_md
from optplan.reporters.diff.text import render as diff_text
from optplan.reporters.diff.words import cause_text, values_text
from optplan.reporters.formats.md import code, escaped
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
    assert (
        text(DIFF)
        == """\
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
    )


def test_on_a_narrow_terminal() -> None:
    assert (
        text(DIFF, 60)
        == """\
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
    )


def test_full() -> None:
    assert (
        text(DIFF, full=True).partition("\n\n")[2]
        == """\
    parameter             lr          weight_decay  rule                                also
 ~  blocks.0.norm.weight  0.1 → 0.01  0.05 → 0      default → norm ×0
 ~  blocks.0.fc.weight    0.1 → 0.01  0.05          default
 ~  blocks.1.norm.weight  0.1 → 0.01  0.05 → 0      default → norm ×0
 ~  blocks.1.fc.weight    0.1 → 0.01  0.05          default
 ~  blocks.2.norm.weight  0.1 → 0.01  0.05 → 0      default → norm ×0
 ~  blocks.2.fc.weight    0.1 → 0.01  0.05          default
    head.weight           0.1         0.05          default → custom_key 'head' lr ×10
 ~  head.bias             0.1 → –     0.05 → –      default → frozen                    status optimized → frozen
 +  new.weight            0.1         0.05          default
 -  old.weight            0.1         0.05          default
 changes: lr of 6 · weight_decay of 3 · status of 1 · 1 only in a.py · 1 only in b.py · 1 option of the optimizer
"""
    )


def test_nothing() -> None:
    same = diff_plans(BEFORE, BEFORE)
    assert text(same) == "a.py → b.py · tiny · no difference\n"
    assert diff_md(same, LABELS, full=False) == (
        "### optplan diff: `a.py` → `b.py`\n\n`tiny` · **no difference**\n"
    )
    assert diff_csv(same, full=False).count("\n") == 1
    assert json.loads(diff_json(same, LABELS, full=False))["same"] is True


def test_md() -> None:
    assert (
        diff_md(DIFF, LABELS, full=False)
        == """\
### optplan diff: `a.py` → `b.py`

`tiny` · **7 of 8 parameters change**

| what | before | after | parameters | why | where | names |
| --- | --- | --- | --- | --- | --- | --- |
| `weight_decay` | `0.05` | `0` | 3 | `norm ×0` | `b.py:9` | `*.norm.*` |
| `status` | `optimized` | `frozen` | 1 |  |  | `head.bias` |

| optimizer | before | after |  |
| --- | --- | --- | --- |
| `lr` | `0.1` | `0.01` | 6 parameters with it |
| `momentum` | `–` | `0.9` |  |

Only in `a.py`: 1 × `old.weight`

Only in `b.py`: 1 × `new.weight`

<details><summary>No difference: another rule gives the same value, or one that follows the base value (1)</summary>

| what | before | after | parameters | why | where | names |
| --- | --- | --- | --- | --- | --- | --- |
| `lr` | `0.1` | `0.1` | 1 | `'head' ×10` | `b.py:7` | `head.weight` |

</details>

<sub>made with other versions&#58; torch 2 → 3</sub>
"""
    )


def test_csv() -> None:
    assert (
        diff_csv(DIFF, full=False)
        == """\
section,optimizer,kind,field,before,after,parameters,rule,place,patterns
parameters,,value,weight_decay,0.05,0.0,3,norm ×0,b.py:9,*.norm.*
parameters,,parameter,status,optimized,frozen,1,,,head.bias
optimizer,,optimizer,lr,0.1,0.01,6,,,
optimizer,,option,momentum,,0.9,,,,
only before,,,,,,1,,,old.weight
only after,,,,,,1,,,new.weight
another rule,,value,lr,0.1,0.1,1,'head' ×10,b.py:7,head.weight
"""
    )


def test_csv_of_each_parameter() -> None:
    lines = diff_csv(DIFF, full=True).splitlines()
    assert lines[0] == (
        "name,status_before,shape_before,lr_before,weight_decay_before,rule_before,"
        "status_after,shape_after,lr_after,weight_decay_after,rule_after"
    )
    assert lines[1] == (
        "blocks.0.norm.weight,optimized,10,0.1,0.05,default,optimized,10,0.01,0.0,norm ×0"
    )
    assert lines[8:] == [
        "head.bias,optimized,10,0.1,0.05,default,frozen,10,,,frozen",
        "new.weight,,,,,,optimized,10,0.1,0.05,default",
        "old.weight,optimized,10,0.1,0.05,default,,,,,",
    ]


@pytest.mark.parametrize("full", [False, True])
def test_json(full: bool) -> None:
    data = json.loads(diff_json(DIFF, LABELS, full=full))
    validate(data, "diff-1.0")
    assert data["clusters"][0] == {
        "kind": "value",
        "field": "weight_decay",
        "before": 0.05,
        "after": 0.0,
        "rule_before": {
            "rule": "default",
            "option": None,
            "key": None,
            "mult": 1.0,
            "origin": None,
        },
        "rule_after": {
            "rule": "norm",
            "option": "norm_decay_mult",
            "key": None,
            "mult": 0.0,
            "origin": {"file": "b.py", "line": 9, "column": 3},
        },
        "parameters": 3,
        "elements": 30,
        "patterns": ["*.norm.*"],
        "names": ["blocks.0.norm.weight", "blocks.1.norm.weight", "blocks.2.norm.weight"],
    }
    # an entry that a side does not have is left out
    assert data["optimizers"][1] == {
        "optimizer": None,
        "kind": "option",
        "field": "momentum",
        "after": 0.9,
        "parameters": None,
    }
    assert len(data.get("rows", ())) == (10 if full else 0)


ODD = "[red]a[/red]|`b`<script>*_\\x\x1b[31m\n{c}"


def odd(**given: Any) -> Plan:
    return plan(row(f"{ODD}.weight", **given), row("plain"))


ODD_DIFF = diff_plans(
    odd(),
    odd(lr=1.0, lr_rule=key(ODD, 10.0), extra={ODD: ODD}),
)
SHOWN = "[red]a[/red]|`b`<script>*_\\x\\x1b[31m\\n{c}"
AS_PATTERN = r"[red]a[/red]|`b`<script>\*_\\x\x1b[31m\n\{c\}.weight"


@pytest.mark.parametrize("width", [None, 40, 80, 200])
@pytest.mark.parametrize("full", [False, True])
def test_markup_in_text(width: int | None, full: bool) -> None:
    found = diff_text(ODD_DIFF, (ODD, "b"), full=full, width=width, color=False)
    assert AS_PATTERN in found
    assert "\x1b" not in found
    assert found.startswith(SHOWN) or width == 40


def test_markup_in_md() -> None:
    found = diff_md(ODD_DIFF, (ODD, "b"), full=True)
    assert "<script>" not in found
    tables = [line for line in found.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {8}
    spans = {html.unescape(span) for span in re.findall(r"<code>(.*?)</code>", found)}
    assert {SHOWN, f"{SHOWN}.weight", AS_PATTERN} <= spans
    assert {"*", "_", "[", "`", "\\"}.isdisjoint("".join(re.findall(r"<code>(.*?)</code>", found)))


def test_markup_in_data() -> None:
    data = json.loads(diff_json(ODD_DIFF, (ODD, "b"), full=True))
    validate(data, "diff-1.0")
    assert data["clusters"][0]["names"] == [f"{ODD}.weight"]
    assert data["before"]["label"] == ODD
    rows = list(csv.reader(io.StringIO(diff_csv(ODD_DIFF, full=True))))
    assert rows[1][0] == f"{ODD}.weight"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("layer1.*", "`layer1.*`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("`", "<code>&#96;</code>"),
        (" a", "<code> a</code>"),
        ("a\\", "<code>a&#92;</code>"),
        ("", ""),
        ("\n", "`\\n`"),
    ],
)
def test_code(given: str, shown: str) -> None:
    assert code(given) == shown


def test_escaped() -> None:
    assert escaped("@you *see* <b>#1</b> ×") == (
        "&#64;you &#42;see&#42; &#60;b&#62;&#35;1&#60;&#47;b&#62; ×"
    )


@pytest.mark.parametrize("width", range(60, 140, 7))
def test_never_wider_than_asked(width: int) -> None:
    assert max(map(cell_len, text(DIFF, width, full=True).splitlines())) <= width


def test_colours_change_no_text() -> None:
    colored = diff_text(DIFF, LABELS, full=True, width=None, color=True)
    assert re.sub(r"\x1b\[\d*m", "", colored) == text(DIFF, full=True)
    assert colored != text(DIFF, full=True)


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        (DEFAULT, NORM, "norm ×0"),
        (NORM, DEFAULT, "no longer norm ×0"),
        (key("a", 0.5), key("a", 0.25), "'a' ×0.5 → ×0.25"),
        (key("a", 0.5), key("b", 0.25), "'a' ×0.5 → 'b' ×0.25"),
        (key("a", 0.5), key("a", None), "'a' ×0.5 → 'a' set"),
        (key("a", None), key("a", None), "'a' set"),
        (key("a", 0.5), None, "checkpoint, not 'a' ×0.5"),
        (None, key("a", 0.5), "'a' ×0.5, not the checkpoint"),
        (None, None, ""),
    ],
)
def test_causes(before: Any, after: Any, cause: str) -> None:
    diff = diff_plans(plan(row("w", lr_rule=before)), plan(row("w", lr=1.0, lr_rule=after)))
    assert [cause_text(cluster) for cluster in diff.clusters] == [cause]


def test_digits_that_tell_values_apart() -> None:
    diff = diff_plans(plan(row("w")), plan(row("w", lr=0.10000000000000002)))
    assert [values_text(cluster.change) for cluster in diff.clusters] == [
        ("0.1", "0.10000000000000002")
    ]


def test_many_patterns() -> None:
    patterns = tuple(f"pattern_{index}" for index in range(20))
    clusters = (replace(DIFF.clusters[0], patterns=patterns),)
    diff = replace(DIFF, clusters=clusters)
    assert ", ".join(patterns) in text(diff)
    shown = " ".join(text(diff, 80).split())
    assert f"{', '.join(patterns[:8])} and 12 more" in shown


def test_the_key_behind_an_extra_entry_is_spelled_as_it_is() -> None:
    use = key(r"blocks\.[a-z]+", 1.0)
    after = row("a")._replace(lr_rule=use, weight_decay_rule=use, extra={"foo": 1})
    found = diff_plans(plan(row("a")), plan(after))
    assert [cause_text(cluster) for cluster in found.clusters] == [r"'blocks\.[a-z]+'"]
    back = diff_plans(plan(after), plan(row("a")))
    assert [cause_text(cluster) for cluster in back.clusters] == [r"no longer 'blocks\.[a-z]+'"]


def test_another_rule_whose_value_follows_the_base_is_not_called_the_same() -> None:
    use = key("head", 1.0)
    after = row("head.weight", lr=0.01, lr_rule=use, weight_decay_rule=use)
    diff = diff_plans(
        plan(row("a"), row("head.weight")),
        plan(row("a", lr=0.01), after, optimizers=(optimizer(lr=0.01),)),
    )
    assert text(diff).splitlines()[3:5] == [
        " lr as its base value by another rule: 1 parameter ('head' ×1)",
        " the same weight_decay by another rule: 1 parameter ('head' ×1)",
    ]
