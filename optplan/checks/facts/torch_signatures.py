"""The arguments of torch's optimizers, read from the installed torch's source: importing it takes seconds."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optplan.runtime.installed import package_folder

_ALL_OWN = ("self", "params")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerArguments:
    """What a class takes.

    Args:
        class_name: Its name.
        arguments: What its ``__init__`` takes besides the parameters; None where it takes anything.
        group_names: What may stand in a param group: its own arguments and those of its bases.
    """

    class_name: str
    arguments: frozenset[str] | None
    group_names: frozenset[str]


def torch_optimizer(kind: str) -> OptimizerArguments | None:
    """Return the arguments of the optimizer that a config's ``type`` names, None where it is not torch's."""
    package, _, name = kind.rpartition(".")
    if package:
        return _arguments(name) if package.startswith("torch.optim") else None
    if name == "Adafactor":  # the bare name is that of transformers' class
        return None
    return _arguments("Adafactor" if name == "TorchAdafactor" else name)


@cache
def _arguments(name: str) -> OptimizerArguments | None:
    module = _modules().get(name)
    classes = _classes(module) if module else {}
    found = classes.get(name)
    if module is None or found is None:
        return None
    own = _init(found)
    inherited = [_arguments(base.id) for base in found.bases if isinstance(base, ast.Name)]
    known = [base for base in inherited if base is not None]
    if own is None and not known:
        return None
    names = _names(own) if own is not None else known[0].group_names
    return OptimizerArguments(
        class_name=name,
        arguments=None if own is not None and own.args.kwarg else names,
        group_names=names.union(*(base.group_names for base in known)),
    )


def _init(found: ast.ClassDef) -> ast.FunctionDef | None:
    return next(
        (f for f in found.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None
    )


def _names(init: ast.FunctionDef) -> frozenset[str]:
    arguments = (*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs)
    return frozenset(argument.arg for argument in arguments) - set(_ALL_OWN)


@cache
def _modules() -> dict[str, str]:
    """Return the module of ``torch.optim`` that each exported class stands in."""
    tree = _parsed("__init__")
    return {
        alias.asname or alias.name: node.module.rpartition(".")[2]
        for node in (tree.body if tree else ())
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.name[:1].isupper() and alias.name != "Optimizer"
    }


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    """Return the classes of a module, and those that it imports from its neighbours."""
    tree = _parsed(module)
    return {
        node.name: node for node in (tree.body if tree else ()) if isinstance(node, ast.ClassDef)
    }


def _parsed(module: str) -> ast.Module | None:
    folder = package_folder("torch")
    if folder is None:
        return None
    try:
        return ast.parse((Path(folder) / "optim" / f"{module}.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
