"""What a CONFIG of the command line is: a saved plan, a config, a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optplan.config import Config, load_config
from optplan.errors import UsageError
from optplan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan that was saved as JSON."""

    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A training checkpoint; reading it is left to those that can use it."""

    path: str


Opened = SavedPlan | Checkpoint | Config

_CONFIG_SUFFIXES = frozenset({".py", ".json", ".yaml", ".yml", ".toml"})
# how torch's files begin: a zip archive, or the pickle of older versions
_CHECKPOINT_STARTS = (b"PK\x03\x04", b"\x80")


def open_source(word: str, *, overrides: Sequence[str] = (), trust: bool = False) -> Opened:
    """What a word of the command line names: a file, ``package::path`` or ``REV:path``.

    Args:
        word: The word.
        overrides: ``a.b=value`` on top of a config; a saved plan and a checkpoint take none.
        trust: Whether a Python config may be executed.

    Raises:
        OptplanError: There is no such thing, or it cannot be read.
    """
    file = Path(word)
    if "\0" not in word and file.is_file():
        if (plan := saved_plan(file)) is not None:
            if overrides:
                raise UsageError(f"{word!r} is a saved plan, in which --set changes nothing")
            return SavedPlan(plan=plan)
        if file.suffix not in _CONFIG_SUFFIXES and _is_checkpoint(file):
            return Checkpoint(path=word)
        return load_config(word, overrides=overrides, trust=trust)
    from optplan.config.revisions import load_revision, names_revision

    load = load_revision if names_revision(word) else load_config
    return load(word, overrides=overrides, trust=trust)


def saved_plan(file: Path) -> Plan | None:
    """The plan in a file, None where the file holds something else."""
    if file.suffix != ".json":
        return None
    try:
        text = file.read_bytes()
        data = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None  # reading it as a config says what is wrong
    if not (isinstance(data, dict) and "format_version" in data):
        return None
    return Plan.from_json(text)


def _is_checkpoint(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(4).startswith(_CHECKPOINT_STARTS)
    except OSError:
        return False
