"""The house keeps its limits: the length of functions and files, the number of parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

FUNCTION, FILE, PARAMETERS = 60, 300, 8


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in sorted((ROOT / "optplan").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path.relative_to(ROOT), node


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {(path, node.name): node.end_lineno - node.lineno + 1 for path, node in functions()}  # type: ignore[operator]
    assert len(lengths) > 3000
    assert {one: count for one, count in lengths.items() if count > FUNCTION} == {}


def test_no_function_takes_more_than_a_hand_can_count() -> None:
    found = {}
    for path, node in functions():
        if any(ast.unparse(one) == "with_options" for one in node.decorator_list):
            continue  # a command: its parameters are its options
        given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if len(given) > PARAMETERS:
            found[path, node.name] = len(given)
    assert found == {}


def test_no_file_is_longer_than_it_may_be() -> None:
    lengths = {
        path.relative_to(ROOT): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / "optplan").rglob("*.py")
    }
    assert {path: count for path, count in lengths.items() if count > FILE} == {}


def test_nothing_is_left_to_be_written() -> None:
    """An abstract method is abstract: whoever leaves one out learns of it before anything is run."""
    for path in (ROOT / "optplan").rglob("*.py"):
        raised = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)
        ]
        assert not raised, path
