"""Python configs: a file's own entries, evaluated and merged into those of its bases."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from optplan.config.base_dict import as_base
from optplan.config.evaluator import Frame
from optplan.config.evaluator.definitions import Definition
from optplan.config.evaluator.modules import Module
from optplan.config.placed import PlacedDict
from optplan.config.substitution import substituted
from optplan.config.symbols import Symbol
from optplan.config.syntax import base_assignment, is_pure, parsed, without_base
from optplan.errors import ConfigError

if TYPE_CHECKING:
    import ast

    from optplan.config.loading import Loader
    from optplan.config.locations import Location
    from optplan.config.placed import File


def load_python(loader: Loader, file: File, location: Location) -> PlacedDict:
    """The entries of a Python config, merged into those of its bases.

    Raises:
        ConfigError: It cannot be evaluated.
    """
    tree = parsed(file)
    if is_pure(file, tree):
        if len(loader.chain) > 1:
            raise ConfigError(
                f"'{location.shown}' is in the pure-Python style and cannot be inherited by '_base_'",
                place=file.place(1, 0),
                hint="use one style for the whole chain",
            )
        from optplan.config.pure_python import load_pure

        return load_pure(loader, file, location, tree)
    if "{{" in file.text:
        file = loader.checked(lambda: substituted(file, location.path), file)
        tree = parsed(file)
    base = _bases(loader, file, location, tree)
    data = _evaluated(loader, file, tree, base)
    return loader.merged(data, base, file)


def _bases(loader: Loader, file: File, location: Location, tree: ast.Module) -> PlacedDict:
    node = base_assignment(tree) if "_base_" in file.text else None
    if node is None:
        return loader.bases([], None, location, file)
    frame = Frame(file, loader.budget)
    raw = frame.raw(node.value)
    return loader.bases(frame.value(node.value), raw, location, file)


def _evaluated(loader: Loader, file: File, tree: ast.Module, base: PlacedDict) -> PlacedDict:
    frame = Frame(file, loader.budget)
    frame.base = lambda: _exposed(loader, base)
    body = without_base(tree.body) if "_base_" in file.text else tree.body
    if loader.trust:
        loader.exposed = True
        from optplan.config.trusted import execute

        execute(frame, body, _exposed(loader, base))
    else:
        frame.extras = {"__name__": "builtins"}
        frame.run_file(body)
    return entries(frame)


def _exposed(loader: Loader, base: PlacedDict) -> PlacedDict:
    if base.__class__ is PlacedDict:
        loader.exposed = True
        own = loader.unshared(base)
        dict.update(base, own)
        base.raw_places = own.raw_places
        as_base(base)
    return base


def entries(frame: Frame) -> PlacedDict:
    """The top-level names of a file that are entries of the config."""
    result = PlacedDict()
    for name, value in frame.names.items():
        if name.startswith("__") or _is_no_entry(frame, name, value):
            continue
        result[name] = value
    result.raw_places = frame.marks
    return result


def _is_no_entry(frame: Frame, name: str, value: Any) -> bool:
    if isinstance(value, Module | Definition | FunctionType | ModuleType):
        return True
    if name == "_base_" and not frame.pure:
        return True
    return name in frame.imported and (frame.pure or isinstance(value, Symbol))
