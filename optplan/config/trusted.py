"""Execute a Python config that the user trusts."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

from optplan.config.evaluator.frame import HANDLERS
from optplan.config.evaluator.modules import Module
from optplan.config.symbols import LiveSymbol, Symbol
from optplan.errors import ConfigError
from optplan.runtime.stdio import stdout_to_stderr
from optplan.runtime.third_party_runs import note_third_party_run

if TYPE_CHECKING:
    from optplan.config.evaluator.frame import Frame


def execute(frame: Frame, body: list[ast.stmt], base: Any) -> None:
    """Execute a block; the names it binds become the frame's, their places unknown.

    What it prints goes to stderr.

    Raises:
        ConfigError: It raises, or leaves the program.
    """
    scope: dict[str, Any] = dict(frame.names)
    if base is not None:
        scope["_base_"] = base
    if "__file__" in frame.extras:
        scope["__file__"] = frame.extras["__file__"]
    with stdout_to_stderr():
        for node in body:
            _execute(frame, node, scope)
    old = frame.names
    frame.names = {
        name: value for name, value in scope.items() if name != "_base_" and name[:2] != "__"
    }
    frame.marks = {
        name: frame.marks.get(name) if old.get(name) is value else None
        for name, value in frame.names.items()
    }


def _execute(frame: Frame, node: ast.stmt, scope: dict[str, Any]) -> None:
    note_third_party_run()
    try:
        if frame.pure and isinstance(node, ast.Import | ast.ImportFrom):
            _import(frame, node, scope)
        else:
            module = ast.Module([copy.copy(node)], [])
            name = frame.file.source.path or frame.file.source.name
            exec(compile(module, name, "exec"), scope)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}"
        raise ConfigError(f"executing it failed: {what}", place=frame.place(node)) from error


def _import(frame: Frame, node: ast.Import | ast.ImportFrom, scope: dict[str, Any]) -> None:
    """Bind symbols; what comes from the standard library is really imported."""
    before = dict(frame.names)
    HANDLERS[type(node)](frame, node)
    for name, value in frame.names.items():
        if before.get(name) is value:
            continue
        if isinstance(value, Symbol):
            scope[name] = LiveSymbol(value.dotted, value.printed)
        elif isinstance(value, Module) or value is not None:
            exec(compile(ast.Module([node], []), "<import>", "exec"), scope)
            break
