"""Configs in the pure-Python style: bases are imported in ``with read_base()``, classes by name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from optplan.config.base_dict import as_base
from optplan.config.evaluator import Frame
from optplan.config.evaluator.definitions import Definition
from optplan.config.files.python_frames import entries, run
from optplan.config.locations import module_location
from optplan.config.syntax import is_base_assignment, is_read_base, parsed
from optplan.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from optplan.config.loader import Loader
    from optplan.config.locations import ConfigLocation
    from optplan.config.placed import File, PlacedDict
    from optplan.places import Place


def load_pure(loader: Loader, file: File, location: ConfigLocation, tree: ast.Module) -> PlacedDict:
    """Return the entries of a pure-Python config, those of its bases among them.

    Raises:
        ConfigError: It cannot be evaluated.
    """
    return loader.unshared(entries(_evaluated(loader, file, location, tree)))


def _evaluated(loader: Loader, file: File, location: ConfigLocation, tree: ast.Module) -> Frame:
    frame = Frame(file, loader.steps)
    frame.pure = True
    frame.extras = {"__name__": "builtins", "__file__": location.path}
    run(loader, frame, _with_bases(loader, frame, location, tree.body))
    return frame


def _with_bases(
    loader: Loader, frame: Frame, location: ConfigLocation, statements: list[ast.stmt]
) -> list[ast.stmt]:
    """Bind what ``with read_base()`` imports, and return the other statements."""
    for node in statements:
        if is_base_assignment(node):
            raise ConfigError(
                "a config in the pure-Python style cannot have '_base_'",
                place=frame.place(node),
                hint="inherit with 'with read_base():', or import nothing",
            )
        if isinstance(node, ast.With):
            if not is_read_base(node):
                message = "only 'with read_base():' may stand in a config"
                raise ConfigError(message, place=frame.place(node))
            for inner in node.body:
                _bind_base(loader, frame, location, inner)
            return [other for other in statements if other is not node]
    return statements


def _bind_base(loader: Loader, frame: Frame, location: ConfigLocation, node: ast.stmt) -> None:
    place = frame.file.place(node.lineno, node.col_offset)
    if not isinstance(node, ast.ImportFrom) or node.module is None:
        raise ConfigError(
            "only 'from module import …' may stand in 'with read_base():'", place=place
        )
    module = "." * node.level + node.module
    base, imported = _load_base(
        loader, module_location(module, location, loader.entry, place), place
    )
    frame.imported |= imported
    for alias in node.names:
        if alias.name == "*":
            frame.names.update(base)
            frame.marks.update(base.raw_places)
        elif alias.name not in base:
            hint = did_you_mean(alias.name, list(base))
            raise ConfigError(f"'{module}' has no '{alias.name}'", place=place, hint=hint)
        else:
            name = alias.asname or alias.name
            frame.names[name] = base[alias.name]
            frame.marks[name] = base.raw_places.get(alias.name)


def _load_base(
    loader: Loader, location: ConfigLocation, place: Place
) -> tuple[PlacedDict, set[str]]:
    with loader.opened(location, place) as file:
        frame = _evaluated(loader, file, location, parsed(file))
        base = loader.unshared(_all_names(frame))
    loader.exposed = True
    as_base(base)
    return base, frame.imported


def _all_names(frame: Frame) -> PlacedDict:
    """Return the entries, and what imports and definitions bind: a child may import those too."""
    imported, frame.imported = frame.imported, set()
    result = entries(frame)
    frame.imported = imported
    for name, value in frame.names.items():
        if isinstance(value, Definition):
            result[name] = value
    return result
