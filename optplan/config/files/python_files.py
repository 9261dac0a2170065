"""Python configs: a file's own entries, evaluated and merged into those of its bases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optplan.config.evaluator import Frame
from optplan.config.files.pure_python import load_pure
from optplan.config.files.python_frames import entries, run
from optplan.config.loader import placing_errors
from optplan.config.substitution import substituted
from optplan.config.syntax import base_assignment, is_pure, parsed, parsed_base, without_base
from optplan.errors import ConfigError

if TYPE_CHECKING:
    import ast

    from optplan.config.loader import Loader
    from optplan.config.locations import ConfigLocation
    from optplan.config.placed import File, PlacedDict


def load_python(loader: Loader, file: File, location: ConfigLocation) -> PlacedDict:
    """Return the entries of a Python config, merged into those of its bases.

    Raises:
        ConfigError: It cannot be evaluated.
    """
    tree = parsed_base(file) if loader.is_base and not loader.trust else parsed(file)
    if is_pure(file, tree):
        if loader.is_base:
            raise ConfigError(
                f"'{location.shown}' is in the pure-Python style and cannot be inherited by '_base_'",
                place=file.place(1, 0),
                hint="use one style for the whole chain",
            )
        return load_pure(loader, file, location, tree)
    if "{{" in file.text:
        with placing_errors(file.source):
            file = substituted(file, location.path)
        tree = parsed(file)
    base = _bases(loader, file, location, tree)
    frame = Frame(file, loader.steps)
    frame.base = lambda: loader.exposed_base(base)
    frame.extras = {"__name__": "builtins"}
    run(loader, frame, without_base(tree.body) if "_base_" in file.text else tree.body)
    return loader.merged(entries(frame), base, file)


def _bases(loader: Loader, file: File, location: ConfigLocation, tree: ast.Module) -> PlacedDict:
    node = base_assignment(tree) if "_base_" in file.text else None
    if node is None:
        return loader.bases([], None, location, file)
    frame = Frame(file, loader.steps)
    return loader.bases(frame.value(node.value), frame.raw(node.value), location, file)
