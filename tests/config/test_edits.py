"""Single entries are changed in the text of a config, and all else stays byte by byte."""

from __future__ import annotations

import pytest

from optplan.config.edits import Fix, FixKind, InexactError, edited


def fix(kind: FixKind, text: str, old: str, new: str = "") -> Fix:
    """A fix of the one place where a key stands in a text."""
    assert text.count(old) == 1
    before = text[: text.index(old)].replace("\r\n", "\n").rstrip("'\"")
    line = before.rpartition("\n")[2]
    return Fix(
        kind=kind,
        file="a.py",
        line=before.count("\n") + 1,
        column=len(line) + 1,
        old=old,
        new=new,
    )


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (".py", "a = dict(lr_mul=1)  # b\n", "a = dict(lr_mult=1)  # b\n"),
        (".py", "a = {'lr_mul': 1}", "a = {'lr_mult': 1}"),
        (".py", 'a = {"é": 1, "lr_mul": 1}\r\n', 'a = {"é": 1, "lr_mult": 1}\r\n'),
        (".json", '{"a":\n {"lr_mul" : 1}}', '{"a":\n {"lr_mult" : 1}}'),
        (".yaml", "a:\n  - lr_mul:   1 # b\n", "a:\n  - lr_mult:   1 # b\n"),
        (".yaml", "a: {'lr_mul': 1}\n", "a: {'lr_mult': 1}\n"),
        (".toml", '[a]\n"lr_mul"=1 # b\n', '[a]\n"lr_mult"=1 # b\n'),
        (".toml", "[a.lr_mul]\nb = 1\n", "[a.lr_mult]\nb = 1\n"),
    ],
)
def test_rename(suffix: str, text: str, expected: str) -> None:
    assert edited(text, suffix, [fix(FixKind.RENAME, text, "lr_mul", "lr_mult")]) == expected


def test_rename_where_the_place_is_that_of_the_statement() -> None:
    text = "é = {}\na['é']['lr_mul'] = 1\n"
    one = Fix(kind=FixKind.RENAME, file="a.py", line=2, column=1, old="lr_mul", new="lr_mult")
    assert edited(text, ".py", [one]) == "é = {}\na['é']['lr_mult'] = 1\n"


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (".py", "a = dict(foo=1, b=2)", "a = dict(b=2)"),
        (".py", "a = dict(b=2, foo=1)", "a = dict(b=2)"),
        (".py", "a = dict(b=2, foo=[1, (2, 3)], c=3)", "a = dict(b=2, c=3)"),
        (".py", "a = dict(b=2, foo=(1),)\n", "a = dict(b=2,)\n"),
        (".py", "a = {'b': 2, 'foo': {1: 2}}", "a = {'b': 2}"),
        (
            ".py",
            "a = dict(\n    b=1,  # b\n    foo=dict(\n        c=1),  # c\n    # d\n    d=2)\n",
            "a = dict(\n    b=1,  # b\n    # d\n    d=2)\n",
        ),
        (".py", "a = dict(\n    b=1,  # b\n    foo=2)\n", "a = dict(\n    b=1,  # b\n    )\n"),
        (".py", "a = dict(\r\n    b=1,\r\n    foo=2)\r\n", "a = dict(\r\n    b=1)\r\n"),
        (".py", "a = dict(b=1, foo=2,  # c\n    d=3)", "a = dict(b=1,  # c\n    d=3)"),
        (".json", '{"b": 1, "foo": {"c": [true, -1e5]}}', '{"b": 1}'),
        (".json", '{\n  "foo": null,\n  "b": 1\n}\n', '{\n  "b": 1\n}\n'),
        (".json", '{\n  "b": 1,\n  "foo": "}"\n}\n', '{\n  "b": 1\n}\n'),
        (".yaml", "a:\n  b: 1\n  foo: [1, 2]  # c\n  # d\n  d: 1\n", "a:\n  b: 1\n  # d\n  d: 1\n"),
        (".toml", "[a]\nb = 1\nfoo = {c = 1} # c\n\n[d]\n", "[a]\nb = 1\n\n[d]\n"),
    ],
)
def test_remove(suffix: str, text: str, expected: str) -> None:
    assert edited(text, suffix, [fix(FixKind.REMOVE, text, "foo")]) == expected


@pytest.mark.parametrize(
    ("suffix", "text", "expected"),
    [
        (".py", "a = dict(type='A')", "a = dict(_delete_=True, type='A')"),
        (".py", "a = {'type': 'A'}", "a = {'_delete_': True, 'type': 'A'}"),
        (
            ".py",
            "a = dict(\r\n    type='A',\r\n    b=1)",
            "a = dict(\r\n    _delete_=True,\r\n    type='A',\r\n    b=1)",
        ),
        (".json", '{\n "type": "A"\n}', '{\n "_delete_": true,\n "type": "A"\n}'),
        (".json", '{"type": "A"}', '{"_delete_": true, "type": "A"}'),
        (".yaml", "a:\n  type: A\n", "a:\n  _delete_: true\n  type: A\n"),
        (".yaml", "a: {type: A}\n", "a: {_delete_: true, type: A}\n"),
        (".toml", "[a]\ntype = 1\n", "[a]\n_delete_ = true\ntype = 1\n"),
    ],
)
def test_replace_base(suffix: str, text: str, expected: str) -> None:
    assert edited(text, suffix, [fix(FixKind.REPLACE_BASE, text, "type")]) == expected


def test_several_at_once() -> None:
    text = "a = dict(lr_mul=1, foo=2, bar=3)\n"
    fixes = [
        fix(FixKind.RENAME, text, "lr_mul", "lr_mult"),
        fix(FixKind.REMOVE, text, "foo"),
        fix(FixKind.REMOVE, text, "bar"),
    ]
    assert edited(text, ".py", fixes) == "a = dict(lr_mult=1)\n"


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (".py", "a = dict(foobar=1)", "'foo' is not written there"),
        (".py", "a = foo()", "no entry of a dict"),
        (".py", "foo = 1\n", "no entry of a dict"),
        (".yaml", "a: {foo: 1, b: 2}\n", "'foo' is not alone on its line"),
        (".yaml", "foo:\n  b: 2\n", "'foo' is not alone on its line"),
        (".yaml", "foo: |\n  b\n", "'foo' is not alone on its line"),
        (".yaml", "- foo: 1\n", "'foo' is not alone on its line"),
        (".toml", "foo = [\n 1]\n", "'foo' is not alone on its line"),
        (".toml", "[foo]\nb = 1\n", "'foo' is not alone on its line"),
    ],
)
def test_what_cannot_be_removed_alone_is_left(suffix: str, text: str, message: str) -> None:
    with pytest.raises(InexactError, match=message):
        edited(text, suffix, [fix(FixKind.REMOVE, text, "foo")])
