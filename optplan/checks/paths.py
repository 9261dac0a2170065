"""Paths of configs: how reports write them, and the globs that settings name them by."""

from __future__ import annotations

import os
import re
from functools import cache

from optplan.config.revisions import names_revision


def is_in_package(path: str) -> bool:
    """Whether a path is ``package::path``, a config of an installed package."""
    return "::" in path and not os.path.exists(path)


def is_in_revision(path: str) -> bool:
    """Whether a path is ``REV:path``, a config as it stands in a git revision."""
    return ":" in path and names_revision(path) and not os.path.exists(path)


def shown_path(path: str) -> str:
    """A path as reports write it: relative to the current folder where it is below that."""
    return path if is_in_package(path) else relative_to(path, os.getcwd())


def relative_to(path: str, folder: str) -> str:
    """A path with slashes, relative to a folder where it is below that, otherwise absolute."""
    absolute = os.path.normpath(os.path.abspath(os.path.expanduser(path)))
    start = folder.rstrip(os.sep) + os.sep
    return absolute.removeprefix(start).replace(os.sep, "/")


@cache
def glob_expression(pattern: str) -> re.Pattern[str]:
    """The expression of a glob over paths: ``**`` crosses folders, a folder means all below it."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    text = "/" if pattern.startswith("/") else ""
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            text += ".*" if last else "(?:[^/]+/)*"
        else:
            text += _part_expression(part) + ("(?:/.*)?" if last else "/")
    return re.compile(text, re.DOTALL)


def _part_expression(part: str) -> str:
    text, at = "", 0
    while at < len(part):
        character = part[at]
        close = part.find("]", at + 2) if character == "[" else -1
        if close > 0:
            inside = part[at + 1 : close].replace("\\", "\\\\")
            text += f"[{'^' + inside[1:] if inside[0] == '!' else inside}]"
            at = close
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character)
        at += 1
    return text


def fits(pattern: str, path: str, folder: str) -> bool:
    """Whether a glob that is relative to a folder means a config."""
    if is_in_package(path):
        return glob_expression(pattern).fullmatch(path) is not None
    return glob_expression(pattern).fullmatch(relative_to(path, folder)) is not None
