"""Read configs of a git revision without touching the work tree."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from collections.abc import Callable, Sequence

from optplan.config.limits import MAX_FILE_BYTES
from optplan.config.loading import Config, load_config
from optplan.errors import ConfigError
from optplan.places import path_below

# A revision may hold a colon in braces: main^{/fix: the decay}
# a drive of Windows (C:\\a.py, C:/a.py; there C:a.py, too) and an address (https://...) are no revisions
_NO_REVISION = re.compile(r"[A-Za-z]:[\\/]|[A-Za-z][\w+.-]+://")
_SPEC = re.compile(r"((?:[^:{]|\{[^}]*\}|\{)+):(?!:)(.+)", re.DOTALL)
_SECONDS = 60


def names_revision(spec: str) -> bool:
    """Return whether a spec has the form ``REV:path``."""
    if "::" in spec or "\0" in spec or _NO_REVISION.match(spec) or os.path.splitdrive(spec)[0]:
        return False
    return _SPEC.fullmatch(spec) is not None


def is_revision(word: str) -> bool:
    """Return whether a word is a revision of the repository that the current folder is in."""
    try:
        _commit(word.removesuffix(":"), word)
    except ConfigError:
        return False
    return True


def in_revision(revision: str, path: str) -> str:
    """Return ``REV:path`` for a file of the work tree.

    Raises:
        ConfigError: It is in no repository, or not in that of the current folder.
    """
    top = os.path.realpath(os.fsdecode(_git("rev-parse", "--show-toplevel")).rstrip("\n"))
    folder, name = os.path.split(os.path.abspath(path))
    real = os.path.join(os.path.realpath(folder), name)
    inside = path_below(real, top)
    if not inside:
        raise ConfigError(f"'{path}' is outside of the repository of the current folder")
    return f"{revision}:{inside.replace(os.sep, '/')}"


def load_revision(
    spec: str,
    *,
    overrides: Sequence[str] = (),
    trust: bool = False,
    load: Callable[..., Config] = load_config,
) -> Config:
    """Load ``REV:path``: the config and its bases as they stand in a revision.

    As for git, a path counts from the top of the repository, and from the current folder where it
    starts with ``./`` or ``../``. The other arguments are those of ``load``, which reads the config.

    Raises:
        ConfigError: There is no git, no repository, no such revision, no such file in it; or the
            config cannot be read.
    """
    revision, inside, reader = _opened(spec)
    return load(f"{revision}:/{inside}", overrides=overrides, trust=trust, reader=reader)


def read_revision(spec: str) -> bytes:
    """Return the content of the file that ``REV:path`` names.

    Raises:
        ConfigError: As for :func:`load_revision`.
    """
    _, inside, reader = _opened(spec)
    return reader.content(inside)


def _opened(spec: str) -> tuple[str, str, RevisionReader]:
    """Return the revision, the path from the top of the repository, and what reads it."""
    found = _SPEC.fullmatch(spec)
    if found is None:
        raise ConfigError(f"'{spec}' does not name a file in a revision: write REV:path")
    revision, path = found.groups()
    reader = RevisionReader(revision, _commit(revision, spec))
    inside = _from_top(path, spec)
    if not reader.holds(inside):
        raise ConfigError(
            f"'{path}' is not a file in the revision '{revision}'",
            hint=_elsewhere(reader, revision, path),
        )
    return revision, inside, reader


class RevisionReader:
    """Read the files of one commit.

    To the loader they are below a folder ``REV:`` in the current one, so that messages call them
    ``REV:/path``.
    """

    def __init__(self, revision: str, commit: str) -> None:
        self._root = os.path.normpath(os.path.abspath(f"{revision}:"))
        self._commit = commit

    def exists(self, path: str) -> bool:
        """Return whether there is a file at ``path``."""
        inside = self._inside(path)
        return inside is not None and self.holds(inside)

    def holds(self, inside: str) -> bool:
        """Return whether there is a file at a path that counts from the top of the repository."""
        return _kind(self._ask("--batch-check", inside)) == "blob"

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        Raises:
            ConfigError: It is outside of the repository, or no file.
            FileNotFoundError: There is none.
        """
        inside = self._inside(path)
        if inside is None:
            raise ConfigError("it is outside of the repository")
        header = self._ask("--batch-check", inside)
        kind = _kind(header)
        if kind == "tree":
            raise ConfigError("it is a directory, not a config file")
        if kind != "blob":
            raise FileNotFoundError(path)
        if int(header.split()[2]) > MAX_FILE_BYTES:
            raise ConfigError(f"it is larger than {MAX_FILE_BYTES:,} bytes, too large for a config")
        return self.content(inside)

    def content(self, inside: str) -> bytes:
        """Return the content of a file that is known to be there."""
        return self._ask("--batch", inside).partition(b"\n")[2][:-1]

    def _inside(self, path: str) -> str | None:
        inside = path_below(path, self._root)
        return inside.replace(os.sep, "/") if inside else None

    def _ask(self, how: str, inside: str) -> bytes:
        if "\n" in inside:
            return b"missing"
        question = os.fsencode(f"{self._commit}:{inside}\n")
        return _git("cat-file", how, "--follow-symlinks", question=question)


def _kind(header: bytes) -> str:
    """Return the kind of an object in git's answer; other words than kinds where there is none."""
    words = header.split(b"\n", 1)[0].split()
    return words[1].decode() if len(words) == 3 and words[1] in (b"blob", b"tree") else "none"


def _commit(revision: str, spec: str) -> str:
    """Return the commit that a revision names.

    Raises:
        ConfigError: There is none, or no repository.
    """
    try:
        _git("rev-parse", "--git-dir")
    except ConfigError as error:
        problem = error.problems[0]
        message = f"there is no file '{spec}', nor a git repository with it: {problem.message}"
        raise ConfigError(message, hint=problem.hint) from None
    if not revision.startswith("-"):
        try:
            answer = _git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
            )
            return answer.decode().strip()
        except ConfigError:
            pass
    raise ConfigError(
        f"there is no revision '{revision}' for '{spec}'",
        hint=f"nor is there a file '{spec}'; list revisions with: git log --oneline",
    )


def _from_top(path: str, spec: str) -> str:
    """Return a path as it counts from the top of the repository.

    Raises:
        ConfigError: It leaves the repository.
    """
    path = path.replace(os.sep, "/")  # git knows slashes alone
    if path.startswith(("./", "../")):
        path = os.fsdecode(_git("rev-parse", "--show-prefix")).rstrip("\n") + path
    path = posixpath.normpath(path)
    if path.startswith(("../", "/")) or path in ("..", "."):
        raise ConfigError(
            f"'{spec}' is outside of the repository",
            hint="write a path from the top of the repository, or ./path from the current folder",
        )
    return path


def _elsewhere(reader: RevisionReader, revision: str, path: str) -> str | None:
    """Return a hint where the path is meant from the current folder."""
    try:
        nearby = _from_top(f"./{path}", path)
    except ConfigError:
        return None
    if nearby != path and reader.holds(nearby):
        return f"did you mean '{revision}:./{path}'?"
    return f"list its files with: git ls-tree -r --name-only {revision}"


def _git(*arguments: str, question: bytes = b"") -> bytes:
    """Return what git answers; it fetches nothing, asks nobody, and changes nothing.

    Raises:
        ConfigError: There is no git, or it refuses.
    """
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
    }
    try:
        done = subprocess.run(
            ["git", "--no-pager", *arguments],
            input=question,
            capture_output=True,
            env=environment,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError(
            "git is not installed, which reads configs of a revision", hint="install git"
        ) from None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"git cannot be run: {error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise ConfigError(f"git {arguments[0]}: {said or 'it fails'}")
    return done.stdout
