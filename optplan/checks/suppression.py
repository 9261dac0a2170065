"""Suppressions that stand in a config: ``# optplan: ignore[OPT106] reason``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, replace

from optplan.places import Source

_MARK = "optplan:"
_DIRECTIVE = re.compile(r"(?:^|(?<=\s))#\s*optplan:\s*(.*)")
_IGNORE = re.compile(r"ignore(?:\s*\[([A-Za-z0-9,\s]*)\])?(?=\s|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One suppression.

    Args:
        file: The file that it stands in.
        line, column: Where in it, from 1.
        text: The whole line.
        codes: What it suppresses; empty for everything.
        malformed: It is meant for optplan, and cannot be understood.
    """

    file: str
    line: int
    column: int
    text: str
    codes: tuple[str, ...] = ()
    malformed: bool = False

    def covers(self, code: str) -> bool:
        """Return whether it suppresses the findings of a check."""
        return not self.malformed and (code in self.codes or not self.codes)


def comments_of(source: Source, file: str) -> tuple[Comment, ...]:
    """Return the suppressions in a text, which is called ``file`` in reports."""
    if _MARK not in source.text:
        return ()
    is_python = (source.path or source.name).endswith(".py")
    found = _python_comments(source) if is_python else _lines(source)
    return tuple(
        _comment(
            match[1],
            Comment(file=file, line=line, column=start + match.start() + 1, text=source.line(line)),
        )
        for line, start, text in found
        if (match := _DIRECTIVE.search(text))
    )


def _comment(words: str, comment: Comment) -> Comment:
    match = _IGNORE.match(words)
    codes = [] if match is None else [word.strip().upper() for word in (match[1] or "").split(",")]
    codes = [code for code in codes if code]
    malformed = match is None or (match[1] is not None and not codes)
    return replace(comment, codes=tuple(dict.fromkeys(codes)), malformed=malformed)


def _python_comments(source: Source) -> Iterator[tuple[int, int, str]]:
    """Yield line, offset and text of the comments of a Python text; where it breaks off, those before."""
    text = "\n".join(source.lines)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1], token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _lines(source: Source) -> Iterator[tuple[int, int, str]]:
    """Yield line, offset and text of each line of YAML or TOML: a comment is looked for in the whole line."""
    for number, line in enumerate(source.lines, 1):
        yield number, 0, line
