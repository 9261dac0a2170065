"""Code is imported by name and executed in one package alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import optplan

HOME = Path(optplan.__file__).parent
_CALLS = frozenset(
    [
        "import_module",
        "__import__",
        "exec",
        "eval",
        "compile",
        "spec_from_file_location",
        "exec_module",
        "load_module",
        "run_path",
        "run_module",
        "SourceFileLoader",
    ]
)
_MODULES = frozenset({"runpy", "imp", "code", "marshal", "shelve", "dill", "cloudpickle", "pty"})
# optplan's own modules under names that no file has a say in, and texts that hold nothing.
ALLOWED = {
    "__init__.py": {"import_module"},
    "constructors/__init__.py": {"import_module"},
    "dialects/__init__.py": {"import_module"},
    "reporters/formats/__init__.py": {"import_module"},
    "reporters/show/view.py": {"import_module"},
    "cli/app.py": {"import_module"},
    "delegation.py": {"import_module"},
    "callable_module.py": {"import_module"},
    # the trainer of Lightning, and the registries that lie in the folder of the installed torchtitan
    "dialects/function/trainer_length.py": {"import_module"},
    "model/torchtitan_models.py": {"import_module"},
    # torch's own optimizers once more, from the files of the torch that is loaded
    "verify/formulas.py": {"exec_module"},
    "cli/running.py": {"exec"},
    # a config that the user has had executed, with --trust
    "config/trusted.py": {"exec", "compile"},
    # the evaluator's own function, which imports nothing
    "config/evaluator/statements.py": {"import_module"},
}


def _is_of_re(node: ast.Call) -> bool:
    function = node.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
    )


def _uses(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not _is_of_re(node):
            function = node.func
            name = getattr(function, "id", None) or getattr(function, "attr", "")
            if name in _CALLS:
                yield name
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.partition(".")[0] in _MODULES)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from {str(node.module)} & _MODULES


def test_nothing_else_imports_or_executes() -> None:
    found: dict[str, set[str]] = {}
    for file in sorted(HOME.rglob("*.py")):
        name = file.relative_to(HOME).as_posix()
        if name.startswith("runtime/"):
            continue
        uses = set(_uses(ast.parse(file.read_text()))) - ALLOWED.get(name, set())
        if uses:
            found[name] = uses
    assert found == {}


def test_a_call_is_seen() -> None:
    text = "import runpy\nfrom importlib import import_module as m\nimportlib.import_module(a)\nre.compile(b)\n"
    assert set(_uses(ast.parse(text))) == {"runpy", "import_module"}
