"""Runs the installed command in a folder of its own and tells what really happened in all its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.security.environment import Environment
from tests.security.verdicts import Event, forbidden

# What lies in files that no code of a config's naming may read, and on stdin.
SECRET = "q7xsecret"
SECONDS = 100
# The bounds on such code, of which the default is longer than a test should take.
BOUNDS = {"OPTPLAN_ISOLATED_SECONDS": "20", "OPTPLAN_ISOLATED_MEMORY": str(2 << 30)}
_END = b"watcher.end\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The folders of one run: what is checked, what lies outside it, and what may be written."""

    base: Path

    def __getattr__(self, name: str) -> Path:
        return self.base / name

    def make(self) -> Folders:
        """Make them, with secrets outside the project."""
        for name in ("project", "outside", "home/.ssh", "tmp", "cache"):
            (self.base / name).mkdir(parents=True)
        for file in ("outside/q7x_key", "home/.ssh/id_rsa", "home/.netrc", "stdin"):
            (self.base / file).write_text(f"{SECRET}\n" * 20)
        return self

    def named(self, text: str) -> str:
        """Return a text with the folders' names in it, written as ``{outside}``."""
        for name in ("project", "outside", "home", "cache"):
            text = text.replace("{" + name + "}", str(self.base / name))
        return text

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write a case's files; ``outside/…`` lies beside the project, ``-> path`` is a symbolic link."""
        for name, content in files.items():
            file = self.base / ("" if name.startswith(("outside/", "home/")) else "project") / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                file.write_bytes(content)
            elif content.startswith("-> "):
                file.symlink_to(self.named(content[3:]))
            else:
                file.write_text(self.named(content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What came of a run.

    Args:
        status: The exit status, None where it took too long.
        forbidden: The events that must not have happened.
        changed: The files outside the cache that are there, gone or changed.
        left: Processes that were left.
    """

    status: int | None
    stdout: str
    stderr: str
    seconds: float
    forbidden: tuple[str, ...]
    changed: tuple[str, ...]
    left: tuple[str, ...]
    stdin_read: bool

    @property
    def said(self) -> str:
        """All that it said."""
        return self.stdout + self.stderr

    def wrongs(self, token: str = "") -> list[str]:
        """Return what must not have happened, for one case where its token is given."""
        found = [*self.forbidden, *(f"changed: {name}" for name in self.changed)]
        if token:
            return [one for one in found if token in one]
        found += [f"left: {one}" for one in self.left]
        found += ["stdin was read"] if self.stdin_read else []
        found += ["a secret was shown"] if SECRET in self.said else []
        found += ["a traceback was shown"] if "Traceback (most recent" in self.said else []
        return found

    def report(self) -> Any:
        """Return the JSON that was printed, which must be all of stdout."""
        return json.loads(self.stdout)

    def said_of(self, name: str) -> str:
        """Return all that a ``check`` in JSON says of one file."""
        lines = [line for line in self.stderr.splitlines() if name in line]
        lines += [
            f"{one['code']} {one['message']} {one['hint']}"
            for one in self.report()["findings"]
            if name in (one["file"], *one["configs"])
        ]
        return "\n".join(lines)


def run_optplan(
    environment: Environment,
    files: Mapping[str, str | bytes],
    *words: str,
    seconds: float = SECONDS,
    cwd: str = "project",
    as_module: bool = False,
    **variables: str,
) -> Run:
    """Run the command in folders made for it.

    Args:
        environment: The watched environment.
        files: The files of the case.
        words: The command line.
        seconds: When it is ended.
        cwd: The current folder.
        as_module: Run as ``python -m optplan``.
        variables: Further environment variables, which may name folders.
    """
    number = len(list((environment.base / "runs").iterdir()))
    folders = Folders(base=environment.base / "runs" / f"r{number}").make()
    folders.write(files)
    before = _state(folders.base)
    command = [environment.python, "-m", "optplan"] if as_module else [environment.command]
    with _watched(environment) as lines, open(folders.stdin, "rb") as stdin:
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, *map(folders.named, words)],
            cwd=folders.base / cwd,
            env={**_variables(folders), **{k: folders.named(v) for k, v in variables.items()}},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        stdout, stderr, is_late = _talked(process, seconds)
        took = time.monotonic() - began
        left = _left(process.pid)
        stdin_read = os.lseek(stdin.fileno(), 0, os.SEEK_CUR) > 0
    events = [Event(**line) for line in lines]
    return Run(
        status=None if is_late else process.returncode,
        stdout=stdout.decode("utf-8", "replace"),
        stderr=stderr.decode("utf-8", "replace"),
        seconds=took,
        forbidden=tuple(forbidden(events, folders.base, environment.base / "env")),
        changed=tuple(sorted({name for name, _ in before ^ _state(folders.base)})),
        left=left,
        stdin_read=stdin_read,
    )


def _talked(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes, bool]:
    try:
        return *process.communicate(timeout=seconds), False
    except subprocess.TimeoutExpired:
        _end_session(process.pid)
        return *process.communicate(), True


def _variables(folders: Folders) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folders.home),
        "TMPDIR": str(folders.tmp),
        "OPTPLAN_CACHE_DIR": str(folders.cache / "optplan"),
        "XDG_CACHE_HOME": str(folders.cache),
        "MPLCONFIGDIR": str(folders.tmp / "mpl"),
        "COLUMNS": "200",
        "LANG": "C.UTF-8",
        "Q7X_SECRET": SECRET,
        **BOUNDS,
    }


@contextmanager
def _watched(environment: Environment) -> Iterator[list[dict[str, Any]]]:
    """Collect what processes report meanwhile."""
    if not environment.pipe.exists():
        os.mkfifo(environment.pipe)
    lines: list[dict[str, Any]] = []
    ours = os.open(
        environment.pipe, os.O_RDWR
    )  # so that there is a reader, and no end, from now on

    def collect() -> None:
        with open(environment.pipe, "rb") as pipe:
            for line in pipe:
                if line == _END:
                    return
                try:
                    lines.append(json.loads(line))
                except ValueError:  # what code that writes to every descriptor wrote
                    continue

    reader = threading.Thread(target=collect, daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        os.write(ours, b"\n" + _END)
        reader.join(20)
        os.close(ours)


def _state(base: Path) -> set[tuple[str, object]]:
    """Return all files and folders outside the cache and the scratch folder, with their contents."""
    found: set[tuple[str, object]] = set()
    for path in base.rglob("*"):
        name = str(path.relative_to(base))
        if not name.startswith(("tmp", "cache")):
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found.add((name, (path.lstat().st_mode, content)))
    return found


def _session(leader: int) -> Iterator[tuple[int, str]]:
    """The processes of a session."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                words = (
                    (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                yield int(entry.name), words


def _end_session(leader: int) -> None:
    for pid, _ in _session(leader):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _left(leader: int) -> tuple[str, ...]:
    """End what a run has left behind, which had a moment to leave by itself."""
    for _ in range(20):
        if not list(_session(leader)):
            return ()
        time.sleep(0.1)
    left = tuple(words for _, words in _session(leader))
    _end_session(leader)
    return left
