"""Open what a CONFIG of the command line is: a saved plan, a config, a checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optplan.checkpoints.recognition import checkpoints_in, layout_of
from optplan.config import Config
from optplan.dialects import load_config, load_config_file, opener_of, with_answers
from optplan.errors import PlanError, UsageError, listed
from optplan.plan import Plan
from optplan.runtime.audit import lifted


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


@lifted()
def open_source(
    word: str,
    *,
    overrides: Sequence[str] = (),
    trust: bool = False,
    arguments: Mapping[str, Any] | None = None,
) -> Opened:
    """Return what a word of the command line names: a file, a function, ``package::path`` or ``REV:path``.

    Args:
        word: The word.
        overrides: ``a.b=value`` on top of a config; a saved plan and a checkpoint take none.
        trust: Whether a Python config may be executed.
        arguments: What a function is given beside the model, or a trainer in a file says; nothing else takes any.

    Raises:
        OptplanError: There is no such thing, or it cannot be read.
    """
    found = _opened(word, overrides, arguments or {}, trust=trust)
    if not arguments or (isinstance(found, Config) and found.word):
        return found
    told = with_answers(found, arguments) if isinstance(found, Config) else None
    if told is None:
        raise UsageError(
            f"-a gives arguments to a function, and {word!r} is none",
            hint="change a config with --set, and give arguments to the model with -k",
        )
    return told


def _opened(
    word: str, overrides: Sequence[str], arguments: Mapping[str, Any], *, trust: bool
) -> Opened:
    from optplan.config.revisions import load_revision, names_revision, read_revision

    file = Path(word)
    is_json = file.suffix == ".json"
    if "\0" not in word and file.is_file():
        if is_json and (plan := _saved_plan(_content(file), word)) is not None:
            return SavedPlan(plan=plan)
        if file.suffix not in _CONFIG_SUFFIXES and layout_of(file) is not None:
            return Checkpoint(path=word)
    elif "\0" not in word and (found := _checkpoint_folder(file, word)) is not None:
        return found
    elif (opener := opener_of(word)) is not None:
        return opener.open(word, overrides=overrides, arguments=arguments)
    elif names_revision(word):
        if is_json and (plan := _saved_plan(read_revision(word), word)) is not None:
            return SavedPlan(plan=plan)
        return load_revision(word, overrides=overrides, trust=trust, load=load_config)
    else:
        _refuse_no_file(word)
    return load_config_file(word, overrides=overrides, trust=trust)


def _refuse_no_file(word: str) -> None:
    """Raise UsageError where a word is known to mean something else than a file."""
    from optplan.config.revisions import is_revision

    if word == "-":
        raise UsageError("'-' is no file", hint="only optplan check reads a config from stdin")
    if "://" in word:
        raise UsageError(f"{word!r} is no file", hint="download it first: optplan fetches nothing")
    if not os.path.lexists(word) and is_revision(word):
        raise UsageError(
            f"{word!r} is a git revision, and names no file in it",
            hint=f"write {word.removesuffix(':')}:FILE",
        )


def _checkpoint_folder(folder: Path, word: str) -> Checkpoint | None:
    """Return the checkpoint that a folder is; None where it has nothing to do with checkpoints.

    Raises:
        UsageError: It holds several.
    """
    if not folder.is_dir():
        return None
    if layout_of(folder) is not None:
        return Checkpoint(path=word)
    inner = checkpoints_in(folder)
    if not inner:
        return None
    raise UsageError(
        f"{word!r} is a folder of checkpoints: {listed(inner)}",
        hint=f"name one of them: {word.rstrip('/')}/{inner[-1]}",
    )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # reading it as a config says what is wrong


def _saved_plan(text: bytes, word: str) -> Plan | None:
    """Return the plan in a JSON text, None where it holds something else.

    Raises:
        PlanError: It is a plan, and a field of it is wrong.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(data, dict) and "format_version" in data):
        return None
    try:
        return Plan.from_data(data)
    except PlanError as error:
        raise PlanError(
            [
                replace(
                    one,
                    hint=f"it is in {word!r}: {one.hint or 'save it again with --format json'}",
                )
                for one in error.problems
            ]
        ) from None
