"""Find the files that files, folders, globs, ``package::path`` and ``REV:path`` mean."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from optplan.checks.ignore_rules import GitIgnore
from optplan.checks.paths import is_in_package, is_in_revision, shown_path
from optplan.dialects import opener_of
from optplan.errors import Problem, similar_files

SUFFIXES = (".py", ".json", ".yaml", ".yml", ".toml")
_DEEPEST = 200
_FOREIGN_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be a config.

    Args:
        path: The file.
        named: The user asked for this very file.
        text: What to read in its place: the text on stdin.
    """

    path: str
    named: bool
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files, sorted, each once; and what the words did not lead to."""

    candidates: tuple[FoundFile, ...]
    problems: tuple[Problem, ...]


def discover(words: Iterable[str]) -> Discovery:
    """Return the files that the words of a command line mean.

    A file that is named stays, whatever it is. A folder means all files below it with the ending of
    a config, but for hidden folders, virtual environments and installed packages. A glob means what
    it matches, where there is no file of that very name. What git ignores is left out of both, unless the
    folder itself is ignored. A file that is not there stays too, if there are others, so that it is reported
    among them.
    """
    found: dict[str, bool] = {}
    missing: list[str] = []
    nowhere: list[str] = []
    git = GitIgnore()
    for word in words:
        candidates = list(_candidates(word, git))
        if not candidates:
            (missing if _names_a_file(word) else nowhere).append(word)
        for candidate in candidates:
            found[candidate.path] = found.get(candidate.path, False) or candidate.named
    if found:  # reading it fails, and that is a finding beside those of the other files
        found |= {shown_path(word): True for word in missing}
    else:
        nowhere += missing
    ordered = tuple(FoundFile(path, named) for path, named in sorted(found.items()))
    return Discovery(ordered, tuple(_nothing(word) for word in nowhere))


def _names_a_file(word: str) -> bool:
    return word.endswith(SUFFIXES) and not glob.has_magic(word) and "\0" not in word


def _candidates(word: str, git: GitIgnore) -> Iterator[FoundFile]:
    if not word or "\0" in word:
        return
    expanded = os.path.expanduser(word)
    if is_in_package(word) or os.path.isfile(expanded) or _is_function(expanded):
        yield FoundFile(shown_path(word), named=True)
    elif os.path.isdir(expanded):
        yield from _below(expanded, git)
    elif os.path.exists(expanded) or is_in_revision(word):
        yield FoundFile(shown_path(word), named=True)
    elif glob.has_magic(expanded):
        for path in sorted(_globbed(expanded)):
            if os.path.isdir(path):
                yield from () if "**" in expanded else _below(path, git)
            elif _has_suffix(path) and not git.ignores(path, is_folder=False):
                yield FoundFile(shown_path(path), named=False)


def _globbed(pattern: str) -> set[str]:
    """Return what a glob matches, part by part, so that many ``**`` take no longer than one."""
    drive, rest = os.path.splitdrive(pattern.replace(os.sep, "/"))
    found = {drive + "/" if rest.startswith("/") else drive}
    for part in rest.split("/"):
        if part == "**":
            found = {path for folder in found for path in (folder, *_all_below(folder))}
        elif part:
            found = {
                os.path.join(folder, name)
                for folder in found
                for name in glob.glob(part, root_dir=folder or None)
            }
    if rest.endswith("/"):
        found = set(filter(os.path.isdir, found))
    return found - {""}


def _all_below(folder: str) -> Iterator[str]:
    """Yield all files and folders below a folder that are not hidden, each folder once."""
    seen: set[str] = set()
    for root, folders, files in _walked(folder or ".", followlinks=True):
        folders[:] = [name for name in folders if name[0] != "." and _is_new(root, name, seen)]
        start = "" if root == "." and not folder else root
        yield from (os.path.join(start, name) for name in (*folders, *files) if name[0] != ".")


def _walked(
    folder: str, *, followlinks: bool = False
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk as ``os.walk`` does, which calls itself for each level, to a depth that no project has."""
    start = folder.count(os.sep)
    for root, folders, files in os.walk(folder, followlinks=followlinks):
        yield root, folders, files
        if folders and root.count(os.sep) - start >= _DEEPEST:
            _log.warning("%s: no folder below it is searched, so deep it is", shown_path(root))
            folders.clear()


def _is_new(root: str, name: str, seen: set[str]) -> bool:
    real = os.path.realpath(os.path.join(root, name))
    is_new = real not in seen
    seen.add(real)
    return is_new


def _is_function(word: str) -> bool:
    file = word.rpartition(":")[0]
    return opener_of(word) is not None and (not file.endswith(".py") or os.path.isfile(file))


def _below(folder: str, git: GitIgnore) -> Iterator[FoundFile]:
    asked_for = git.ignores(folder, is_folder=True)
    for root, folders, files in _walked(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not _is_foreign(root, name)
            and (asked_for or not git.ignores(os.path.join(root, name), is_folder=True))
        )
        for name in sorted(filter(_has_suffix, files)):
            path = os.path.join(root, name)
            if asked_for or not git.ignores(path, is_folder=False):
                yield FoundFile(shown_path(path), named=False)


def _has_suffix(path: str) -> bool:
    """Return whether a file has the ending of a config; one named ``.toml`` has none."""
    return os.path.splitext(path)[1] in SUFFIXES


def _is_foreign(root: str, name: str) -> bool:
    if name.startswith(".") or name in _FOREIGN_FOLDERS:
        return True
    return os.path.exists(os.path.join(root, name, "pyvenv.cfg"))


def _nothing(word: str) -> Problem:
    expanded = os.path.expanduser(word)
    if not word or "\0" in word:
        return Problem(message=f"{word!r} is no path")
    if os.path.isdir(expanded):
        return Problem(
            message=f"{shown_path(word)}: there is no config in this folder",
            hint=f"a config is a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file",
        )
    if glob.has_magic(word):
        return Problem(message=f"{word}: no file matches")
    return Problem(message=f"{word}: there is no such file", hint=similar_files(expanded))
