"""Find where code stands, as the place of what it decides."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from optplan.places import Place, Source, path_below, relative_path
from optplan.runtime.audit import lifted
from optplan.runtime.installed import site_folders


def code_place(code: Callable[..., Any], folder: str | None) -> Place | None:
    """Return the file and line that a class or function is defined at, None where there is no file.

    Args:
        code: The class or function.
        folder: The entry config's folder, which the file is named from; None for the current one.
    """
    file = source_file(code)
    if file is None:
        return None
    line, text = _definition(code)
    if line == 0:
        return None
    name, path = _names(os.path.realpath(file), folder)
    # only the line of the definition is ever shown
    return Place(Source(name=name, path=path, text="\n" * (line - 1) + text), line, 1)


def source_file(code: Callable[..., Any]) -> str | None:
    """Return the file that a class or function is defined in, None where there is none."""
    try:
        return inspect.getsourcefile(code)
    except TypeError:
        return None


_STARTS = ("class ", "def ", "async def ")


@cache  # the whole file is parsed for it
def _definition(code: Callable[..., Any]) -> tuple[int, str]:
    """Return the number and the text of the line that a class or function is defined at; 0 for none."""
    try:
        with lifted():
            lines, first = inspect.getsourcelines(code)
    except (TypeError, OSError):
        return 0, ""
    found = (n for n, line in enumerate(lines) if line.lstrip().startswith(_STARTS))
    at = next(found, 0)
    return first + at, lines[at].rstrip()


def _names(file: str, folder: str | None) -> tuple[str, str]:
    """Return what reports and messages call a file: ``package::path``, or a relative path."""
    for site in map(os.path.realpath, site_folders()):
        if inside := path_below(file, site):
            package, _, rest = inside.replace(os.sep, "/").partition("/")
            return (f"{package}::{rest}" if rest else package,) * 2
    name = relative_path(file, os.path.realpath(folder or Path.cwd()))
    return name, path_below(file, str(Path.cwd())) or file
