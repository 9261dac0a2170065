"""Text that a user wrote, in Markdown that shows it as it is."""

from __future__ import annotations

import string

from optplan.reporters.formats.terminal import visible

_LITERAL = frozenset(string.ascii_letters + string.digits + " .-")


def code(text: str) -> str:
    """Text in the code style, literal inside of a table too."""
    shown = visible(text)
    if not shown:
        return ""
    if "`" in shown or "|" in shown or shown != shown.strip() or shown.endswith("\\"):
        # a span of backticks cannot hold these in a table; in an element all else needs escaping
        return f"<code>{escaped(shown)}</code>"
    return f"`{shown}`"


def escaped(text: str) -> str:
    """Plain text without any character that Markdown or HTML gives a meaning to."""
    return "".join(
        character if character in _LITERAL or not character.isascii() else f"&#{ord(character)};"
        for character in visible(text)
    )
