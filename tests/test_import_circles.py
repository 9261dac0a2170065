"""No import circle, counting the imports inside functions and those for type checkers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import optplan

HOME = Path(optplan.__file__).parent


def _dotted(file: Path) -> str:
    parts = file.relative_to(HOME.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imported(tree: ast.AST, modules: dict[str, Path]) -> Iterator[str]:
    """Every module of the package that a module may import, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in modules:
                    yield name
                elif node.module in modules:
                    yield node.module


def graph_of(home: Path) -> dict[str, set[str]]:
    modules = {_dotted(file): file for file in sorted(home.rglob("*.py"))}
    return {
        name: set(imported(ast.parse(file.read_text(encoding="utf-8")), modules)) - {name}
        for name, file in modules.items()
    }


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = graph_of(HOME)
    assert len(graph) > 400
    assert sum(map(len, graph.values())) > 3 * len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
