"""What a class takes, read from its source: nothing is imported or run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optplan.runtime.audit import lifted
from optplan.runtime.installed import find_installed

_MOST_HOPS = 12  # from a name to the module that defines its class, and on to its bases
_MOST_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class _Module:
    name: str
    file: Path


def source_arguments(path: str, folders: tuple[str, ...] = ()) -> frozenset[str] | None:
    """Return the arguments of a class; None where its source does not tell.

    Args:
        path: Its import path.
        folders: Where modules may stand that no distribution has.
    """
    module, _, name = path.rpartition(".")
    return _arguments(module, name, folders, _MOST_HOPS) if module else None


def _arguments(name: str, kind: str, folders: tuple[str, ...], hops: int) -> frozenset[str] | None:
    module = _found(name, folders)
    tree = _parsed(str(module.file), module.file.stat().st_mtime_ns) if module else None
    if module is None or tree is None or not hops:
        return None
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            return _of_class(node, module, folders, hops)
        if isinstance(node, ast.ImportFrom):
            known = {one.asname or one.name: one.name for one in node.names}
            if kind in known:
                return _arguments(_origin(node, module), known[kind], folders, hops - 1)
    return None


def _of_class(
    node: ast.ClassDef, module: _Module, folders: tuple[str, ...], hops: int
) -> frozenset[str] | None:
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    init = next((one for one in methods if one.name == "__init__"), None)
    if init is None:
        # several bases or a metaclass may each have one
        is_plain = len(node.bases) == 1 and not node.keywords and not node.decorator_list
        base = node.bases[0] if is_plain else None
        if not isinstance(base, ast.Name):
            return None
        return _arguments(module.name, base.id, folders, hops - 1)
    if init.args.kwarg or init.args.vararg or node.decorator_list:
        return None
    named = (*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs)
    return frozenset(one.arg for one in named[1:])


def _origin(node: ast.ImportFrom, module: _Module) -> str:
    """Return the module that an import statement is from."""
    if not node.level:
        return node.module or ""
    depth = node.level - (module.file.name == "__init__.py")
    parts = module.name.split(".")
    return ".".join([*parts[: len(parts) - depth], *([node.module] if node.module else [])])


def _found(name: str, folders: tuple[str, ...]) -> _Module | None:
    top, *rest = name.split(".")
    if not all(part.isidentifier() for part in (top, *rest)):
        return None  # a path in the place of a module
    spec = find_installed(top)
    roots = [Path(one).parent for one in (spec and spec.submodule_search_locations) or ()]
    if spec is not None and spec.origin and not roots:
        roots = [Path(spec.origin).parent]
    for root in roots if spec is not None else [Path(one) for one in folders]:
        stem = root.joinpath(top, *rest)
        for file in (stem / "__init__.py", stem.with_name(f"{stem.name}.py")):
            if file.is_file():
                return _Module(name, file)
    return None


@cache
def _parsed(file: str, _: int) -> ast.Module | None:
    try:
        with lifted(), Path(file).open("rb") as opened:  # it is this package that reads
            data = opened.read(_MOST_TEXT + 1)
        return ast.parse(data) if len(data) <= _MOST_TEXT else None
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
