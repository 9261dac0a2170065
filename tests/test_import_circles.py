"""No import circle, counting the imports inside functions and those for type checkers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import optplan

HOME = Path(optplan.__file__).parent


def modules(room: str) -> dict[str, Path]:
    """The modules below a folder, or one module, by their dotted names."""
    path = HOME / room
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return {_dotted(file): file for file in files}


def _dotted(file: Path) -> str:
    parts = file.relative_to(HOME.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imported(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that a module may import, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
            yield node.module


ROOMS = {
    "reading": (
        "config/evaluator", "config/files", "config/base_dict", "config/limits", "config/loader", "config/loading",
        "config/locations", "config/overrides", "config/placed", "config/revisions", "config/substitution",
        "config/symbols", "config/syntax", "config/trees", "config/trusted",
    ),
    "model": ("model",),
    "runtime": ("runtime",),
}  # fmt: skip


@pytest.mark.parametrize("name", ROOMS)
def test_no_module_imports_itself_by_way_of_others(name: str) -> None:
    found = {dotted: file for room in ROOMS[name] for dotted, file in modules(room).items()}
    assert len(found) > 10
    graph = {
        dotted: {one for one in imported(ast.parse(file.read_text())) if one in found} - {dotted}
        for dotted, file in found.items()
    }
    assert sum(map(len, graph.values())) > len(found) // 2
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
