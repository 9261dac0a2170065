"""Changes of single entries in the text of a config, which leave all else of it as it stands."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from optplan.config.inherited import DELETE, entry_written

BREAK = re.compile(r"\r\n|\r|\n")
_QUOTES = "'\""
_DATA = (".yaml", ".yml", ".toml")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_PASSED_OVER = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT})


class FixKind(StrEnum):
    """What becomes of an entry."""

    RENAME = "rename"
    REMOVE = "remove"
    REPLACE_BASE = "_delete_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of one entry that mends a mistake for certain.

    Args:
        kind: What becomes of the entry.
        file: The file, as messages write it.
        line, column: Where its key stands, from 1.
        old: The key.
        new: What it is renamed to.
    """

    kind: FixKind
    file: str
    line: int
    column: int
    old: str
    new: str = ""

    @property
    def what(self) -> str:
        """What it changes, in words."""
        words = {
            FixKind.RENAME: f"{self.old!r} to {self.new!r}",
            FixKind.REMOVE: f"{self.old!r} removed",
            FixKind.REPLACE_BASE: f"{DELETE} before {self.old!r}",
        }
        return words[self.kind]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedFile:
    """A file and its new text.

    Args:
        path: The file, as messages write it.
        before, after: Its texts, line ends as they are in it.
        fixes: What was changed.
    """

    path: str
    before: str
    after: str
    fixes: tuple[Fix, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixes:
    """What was mended, and what was not, with the reason.

    Args:
        files: The new texts.
        left: The fixes that were left out, each with the reason.
    """

    files: tuple[FixedFile, ...] = ()
    left: tuple[tuple[Fix, str], ...] = ()

    @property
    def count(self) -> int:
        """How many entries were changed."""
        return sum(len(file.fixes) for file in self.files)


class InexactError(Exception):
    """The text has no entry that can be changed alone."""


def edited(text: str, suffix: str, fixes: Sequence[Fix]) -> str:
    """Return a config's text with some of its entries changed.

    Args:
        text: The text, line ends as in the file.
        suffix: The file's ending, which says in which format it is written.
        fixes: The changes.

    Raises:
        InexactError: An entry is not written where its place says, or not alone.
    """
    for fix in sorted(fixes, key=lambda one: (one.line, one.column), reverse=True):
        starts = [0, *(found.end() for found in BREAK.finditer(text))]
        at = starts[fix.line - 1] + fix.column - 1
        if suffix == ".py" and not _key_end(text, at, fix.old):
            at = _assigned_key(text, fix, starts)
        end = _key_end(text, at, fix.old)
        if not end:
            raise InexactError(f"{fix.old!r} is not written there")
        if fix.kind is FixKind.RENAME:
            text = text[:at] + text[at:end].replace(fix.old, fix.new) + text[end:]
        elif fix.kind is FixKind.REPLACE_BASE:
            text = text[:at] + _added(text, at, suffix) + text[at:]
        elif suffix in _DATA:
            text = _without_line(text, at, fix.old, suffix)
        else:
            text = _without_item(text, at, starts)
    return text


def _key_end(text: str, at: int, key: str) -> int:
    """Return where a key ends that begins at an offset, bare or in quotes; 0 where another text stands there."""
    quote = text[at : at + 1]
    if quote and quote in _QUOTES:
        end = at + len(key) + 2
        return end if text[at:end] == quote + key + quote else 0
    end = at + len(key)
    is_whole = not re.match(r"\w", text[end : end + 1])
    return end if text[at:end] == key and is_whole else 0


def _assigned_key(text: str, fix: Fix, starts: Sequence[int]) -> int:
    """Return the offset of the key in ``a['b']['key'] = value``, whose place is that of the statement.

    Raises:
        InexactError: There is no such statement.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        raise InexactError("it is not plain Python") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno == fix.line:
            target = node.targets[0]
            if isinstance(target, ast.Subscript) and target.col_offset == fix.column - 1:
                line = text[starts[target.slice.lineno - 1] :].encode()
                return starts[target.slice.lineno - 1] + len(
                    line[: target.slice.col_offset].decode()
                )
    raise InexactError(f"{fix.old!r} is not written there")


def _added(text: str, at: int, suffix: str) -> str:
    """Return the entry to put before a key, on a line of its own where the key begins one."""
    start = _line_start(text, at)
    entry, indent = entry_written(suffix), text[start:at]
    if suffix == ".py" and text[at] in _QUOTES:
        entry = f"{text[at]}{DELETE}{text[at]}: True"
    if indent.strip() or start == 0:
        return f"{entry}, "
    found = BREAK.search(text, at)
    line_end = found[0] if found else "\n"
    return f"{entry}{'' if suffix in _DATA else ','}{line_end}{indent}"


def _without_line(text: str, at: int, key: str, suffix: str) -> str:
    """Return a text of YAML or TOML without the line that holds one entry alone.

    Raises:
        InexactError: The entry is not alone on its line, or goes on after it.
    """
    import tomllib

    import yaml  # a check without a fix needs neither

    start = _line_start(text, at)
    found = BREAK.search(text, at)
    end = found.end() if found else len(text)
    try:
        line = text[at:end]
        alone = tomllib.loads(line) if suffix == ".toml" else yaml.safe_load(line)
    except (tomllib.TOMLDecodeError, yaml.YAMLError):
        alone = None
    is_one = (
        isinstance(alone, dict) and list(alone) == [key] and alone[key] not in (None, "", {}, [])
    )
    if text[start:at].strip() or not is_one:
        raise InexactError(f"{key!r} is not alone on its line")
    return text[:start] + text[end:]


def _without_item(text: str, at: int, starts: Sequence[int]) -> str:
    """Return a text of Python or JSON without one entry of a call, a dict or an object, and its comma.

    A comment behind an entry on a line of its own goes with it, and all others stay.

    Raises:
        InexactError: The text cannot be taken apart.
    """
    try:
        tokens = [
            (token.type, token.string, starts[token.start[0] - 1] + token.start[1])
            for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline)
            if token.start[0] <= len(starts)
        ]
    except (tokenize.TokenError, SyntaxError):
        raise InexactError("it is not plain Python") from None
    words = [one for one in tokens if one[0] not in _PASSED_OVER]
    index = next((index for index, one in enumerate(words) if one[2] == at), 0)
    last, depth = index, 0
    while words[last][1] not in {",", *_CLOSING} or depth:
        depth += (words[last][1] in _OPENING) - (words[last][1] in _CLOSING)
        last += 1
        if last == len(words):
            raise InexactError("it is no entry of a dict")
    has_comma, before = words[last][1] == ",", words[index - 1]
    if not index or before[1] not in {",", "(", "{"}:
        raise InexactError("it is no entry of a dict")
    end = words[last][2] + 1 if has_comma else words[last - 1][2] + len(words[last - 1][1])
    if not has_comma:
        gap = text[before[2] + 1 : at]
        return text[: before[2] if before[1] == "," and not gap.strip() else at] + text[end:]
    line = _line_start(text, at)
    rest = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)").match(text, end)
    if rest is not None and not text[line:at].strip():
        return text[:line] + text[rest.end() :]
    if rest is not None or text[end:].lstrip(" \t")[:1] in _CLOSING:
        return text[:at].rstrip(" \t") + text[end:].lstrip(" \t" if rest is None else "")
    return text[:at] + text[end:].lstrip(" \t")


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
