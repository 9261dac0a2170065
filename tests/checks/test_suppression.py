"""Comments in configs, baselines, and what of them nothing needs any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from optplan.checks.suppression import comments_of
from optplan.places import Source
from tests.checks.conftest import Check, config
from tests.checks.test_settings import codes
from tests.schema import validate

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# optplan: ignore[OPT107]", ""),
        ("# optplan: ignore[OPT107] it is meant", ""),
        ("#optplan:ignore[opt102, OPT107]", "OPT901"),
        ("# optplan: ignore[ OPT107 ]", ""),
        ("# noqa # optplan: ignore[OPT107]", ""),
        ("# optplan: ignore", ""),
        ("# optplan: ignore because", ""),
        ("# optplan: ignore[OPT102]", "OPT107 OPT901"),
        ("# optplan: ignore[OPT109]", "OPT107 OPT901"),
        ("# optplan: ignore[", "OPT107 OPT901"),
        ("# optplan: ignore[]", "OPT107 OPT901"),
        ("# optplan: ignored", "OPT107 OPT901"),
        ("# optplan: OPT 107", "OPT107 OPT901"),
        ("# optplan does this", "OPT107"),
        ("# see#optplan: ignore", "OPT107"),
    ],
)
def test_comment(comment: str, found: str, write: Write, check: Check) -> None:
    write("a.py", config("bad", comment=f"  {comment}"))
    assert codes(check("a.py").stdout) == [f"a.py {code}" for code in found.split()]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("ignore[OPT102]", "nothing on this line needs 'ignore[OPT102]'"),
        (
            "ignore[OPT170]",
            "there is no check 'OPT170', did you mean 'OPT110', 'OPT107' or 'OPT106'?",
        ),
        ("ignroe", "this comment suppresses nothing: write '# optplan: ignore[OPT103] reason'"),
    ],
)
def test_messages(comment: str, message: str, write: Write, check: Check) -> None:
    write("a.py", config("good", comment=f"  # optplan: {comment}"))
    done = check("a.py")
    assert done.returncode == 0
    assert done.stdout.startswith(f"a.py:3:33: OPT901 warning: {message}\n")


def test_only_what_was_looked_for_is_unused(write: Write, check: Check) -> None:
    write("a.py", config("good", comment="  # optplan: ignore[OPT103]"))
    write("b.py", config("good", comment="  # optplan: ignore"))
    write("models.py", "from torch import nn\nNet = nn.Sequential(nn.Linear(2, 2))\n")
    assert codes(check("a.py", "b.py").stdout) == []
    with_model = check("a.py", "b.py", "-m", "models.py:Net").stdout
    assert codes(with_model) == []  # the key does match nothing
    write("a.py", config("weight", comment="  # optplan: ignore[OPT103]"))
    write("b.py", config("weight", comment="  # optplan: ignore"))
    assert codes(check("a.py", "b.py").stdout) == []
    assert codes(check("a.py", "b.py", "-m", "models.py:Net").stdout) == [
        "a.py OPT901",
        "b.py OPT901",
    ]
    narrowed = check("a.py", "b.py", "-m", "models.py:Net", "--select", "OPT107,OPT901")
    assert codes(narrowed.stdout) == []


def test_a_comment_in_a_base_is_needed_by_any_config(write: Write, check: Check) -> None:
    write("_base_/base.py", "keys = {'bad': dict(lr_mult=1)}  # optplan: ignore[OPT107]\n")
    start = "_base_ = '_base_/base.py'\noptimizer = dict(type='SGD', lr=1, paramwise_cfg=dict("
    write("a.py", f"{start}custom_keys={{{{_base_.keys}}}}))\n")
    write("b.py", f"{start}))\n")
    assert codes(check("a.py", "b.py").stdout) == []
    (line,) = [line for line in check("b.py").stdout.splitlines() if "OPT901" in line]
    assert line.startswith("_base_/base.py:1:34: OPT901 ")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", "x = '# optplan: ignore'\n# optplan: ignore\n", [(2, 1)]),
        ("a.py", "x = '''\n# optplan: ignore\n'''  # optplan: ignore", [(3, 6)]),
        ("a.py", "# optplan: ignore\nx = (", [(1, 1)]),
        ("a.yaml", "a: 1 # optplan: ignore\r\n# x # optplan: ignore\n", [(1, 6), (2, 5)]),
        ("a.toml", "a = 1\t# optplan: ignore", [(1, 7)]),
        ("a.toml", "a = 'x#optplan: ignore'", []),
    ],
)
def test_where_comments_are(name: str, text: str, found: list[tuple[int, int]]) -> None:
    comments = comments_of(Source(name=name, path=name, text=text), name)
    assert [(comment.line, comment.column) for comment in comments] == found


def test_yaml(write: Write, check: Check) -> None:
    write(
        "a.yaml",
        "optimizer:\n  type: SGD\n  lr: 0.1\n  paramwise_cfg:\n    custom_keys:\n"
        "      bad: {lr_mult: 1}  # optplan: ignore[OPT107]\n",
    )
    assert check("a.yaml").stdout.endswith(
        "no findings in 1 config\n1 finding suppressed\n"
        "2 checks skipped: no model given; name one with --model\n"
    )


def test_baseline_survives_edits(write: Write, check: Check, tmp_path: Path) -> None:
    write("configs/a.py", config("bad", "bad_w"))
    written = check("configs", "--baseline", "known/base.json", "--write-baseline")
    assert (written.returncode, written.stdout[:22]) == (2, "")
    (tmp_path / "known").mkdir()
    written = check("configs", "--baseline", "known/base.json", "--write-baseline")
    assert (written.returncode, written.stderr) == (0, "")
    assert written.stdout.startswith("no findings in 1 config\n2 findings suppressed\n")
    text = (tmp_path / "known" / "base.json").read_text("utf-8")
    assert text == (
        '{\n "format_version": "1.0",\n "findings": [\n'
        '  {"code": "OPT107", "config": "../configs/a.py", "key": "custom_keys.bad"},\n'
        '  {"code": "OPT107", "config": "../configs/a.py", "key": "custom_keys.bad_w"}\n ]\n}\n'
    )
    validate(json.loads(text), "baseline-1.0")
    write("configs/a.py", "# a new line\n" * 5 + config("new", "bad_w", "other", "bad", "bad_n"))
    done = check("configs", "--baseline", "known/base.json")
    assert [line for line in done.stdout.splitlines() if "OPT" in line] == [
        "configs/a.py:12:5: OPT107 key 'bad_n' is bad"
    ]


def test_baseline_entries_that_no_longer_fire(write: Write, check: Check, tmp_path: Path) -> None:
    write("a.py", config("bad"))
    write("b.py", config("bad"))
    check("a.py", "b.py", "--baseline", "base.json", "--write-baseline")
    write("a.py", config("good"))
    write("b.py", config("good"))
    done = check("a.py", "--baseline", "base.json")
    assert done.returncode == 0
    assert done.stdout.startswith(
        "base.json:4:4: OPT901 warning: a.py no longer has OPT107 at 'custom_keys.bad'\n"
        '    4 │ {"code": "OPT107", "config": "a.py", "key": "custom_keys.bad"},\n'
    )
    assert codes(done.stdout) == ["base.json OPT901"]
    assert codes(check("a.py", "--baseline", "base.json", "--ignore", "OPT107").stdout) == []


def test_a_baseline_of_a_part_keeps_the_rest(write: Write, check: Check, tmp_path: Path) -> None:
    write("a.py", config("bad"))
    write("b.py", config("bad"))
    check("a.py", "b.py", "--baseline", "base.json", "--write-baseline")
    write("a.py", config("bad_w"))
    check("a.py", "--baseline", "base.json", "--write-baseline")
    data = json.loads((tmp_path / "base.json").read_text("utf-8"))
    assert [(entry["config"], entry["key"]) for entry in data["findings"]] == [
        ("a.py", "custom_keys.bad_w"),
        ("b.py", "custom_keys.bad"),
    ]


def test_a_base_file_in_a_baseline_counts_for_each_config(write: Write, check: Check) -> None:
    write("_base_/base.py", config("bad"))
    write("a.py", "_base_ = '_base_/base.py'\n")
    check("a.py", "--baseline", "base.json", "--write-baseline")
    write("b.py", "_base_ = '_base_/base.py'\n")
    done = check("a.py", "b.py", "--baseline", "base.json")
    assert done.stdout.splitlines()[0].startswith("_base_/base.py:3:5: OPT107 ")
    assert "  affects 1 config: b.py" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read the baseline 'base.json': "),
        ("[]", "'base.json' is no baseline"),
        ('{"format_version": "2.0"}', "'base.json' is of format 2.0, and this optplan reads 1.x"),
        (
            '{"format_version": "1.0", "findings": [{"code": "OPT107"}]}',
            "'base.json': finding 1 needs a code, a config and a key",
        ),
    ],
)
def test_a_broken_baseline(text: str, message: str, write: Write, check: Check) -> None:
    write("base.json", text)
    write("a.py", config("bad"))
    done = check("a.py", "--baseline", "base.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")


SETTINGS = """\
[tool.optplan]
allow-group-keys = ["group", "gone"]
[tool.optplan.per-config-ignores]
"a.py" = ["OPT107", "OPT102"]
"c.py" = ["OPT107"]
"""


def test_settings_that_nothing_needs(write: Write, check: Check) -> None:
    write("pyproject.toml", SETTINGS)
    write("a.py", config("bad", field="group"))
    done = check("a.py")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if "OPT901" in line] == [
        "pyproject.toml:2:1: OPT901 warning: no custom key has a field 'gone'",
        "pyproject.toml:4:1: OPT901 warning: no config that 'a.py' means needs 'OPT102'",
    ]
    narrowed = check("a.py", "--select", "OPT107,OPT901")
    assert codes(narrowed.stdout) == []
    assert codes(check("a.py", "--ignore", "OPT901").stdout) == []
