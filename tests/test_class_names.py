"""A class name says one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.conftest import ROOT

# Configs name MMEngine's constructor and mmcv 1.x's by one word, and users subclass each.
_SHARED = {"DefaultOptimizerConstructor"}


def test_no_class_is_defined_twice() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "optplan").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(ROOT)))
    assert len(found) > 300
    assert {name: files for name, files in found.items() if len(files) > 1}.keys() == _SHARED
