"""What ``check --fix`` changes, as a unified diff and in words."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from optplan.config.edits import Fixes
from optplan.reporters.formats.visible import visible
from optplan.reporters.words import plural

_CODES = {"---": "1", "+++": "1", "@@": "36", "-": "31", "+": "32"}
_NO_END = "\\ No newline at end of file\n"


def fixes_diff(fixes: Fixes, *, color: bool, is_terminal: bool) -> str:
    """Return all changes as a unified diff that ``patch -p1`` and ``git apply`` take.

    Args:
        fixes: The changes.
        color: Whether to colour it.
        is_terminal: Whether people read it: what a terminal would obey is then made visible.
    """
    return "".join(
        _line(line, color=color, is_terminal=is_terminal)
        for file in fixes.files
        for line in unified_diff(
            _lines(file.before), _lines(file.after), f"a/{file.path}", f"b/{file.path}"
        )
    )


def _lines(text: str) -> list[str]:
    """Return the lines as git has them: only a line feed ends one."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [
        line for line in text.split("\n")[-1:] if line
    ]


def _line(line: str, *, color: bool, is_terminal: bool) -> str:
    body, end = line.removesuffix("\n"), "\n"
    if not line.endswith("\n"):
        end = f"\n{_NO_END}"
    if is_terminal:
        body = visible(body.removesuffix("\r"))
    code = next((code for mark, code in _CODES.items() if body.startswith(mark)), None)
    return f"\x1b[{code}m{body}\x1b[0m{end}" if color and code else f"{body}{end}"


def remarks_on_fixes(fixes: Fixes, *, is_diff: bool) -> Iterator[str]:
    """Yield how much was mended, or would be, and what was left, with the reasons."""
    files = plural(len(fixes.files), "file")
    if fixes.count:
        yield f"{'would change' if is_diff else 'changed'} {_entries(fixes.count)} in {files}"
    for fix, reason in fixes.left:
        yield visible(f"left as it is: {fix}: {reason}")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
