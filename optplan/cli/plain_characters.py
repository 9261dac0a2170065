"""Replace characters that an encoding lacks: a pipe of Windows has cp1252, LC_ALL=C may have ASCII."""

from __future__ import annotations

import codecs

# The name of what is registered here, for a stream's ``errors``.
PLAIN = "optplan.plain_characters"

_WORDS = {
    "→": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "×": "x",
    "·": "-",
    "…": "...",
    "√": "sqrt",
    "α": "alpha",
    "β": "beta",
    "η": "eta",
    "λ": "lambda",
    "π": "pi",
    "∏": "prod",
    "″": '"',
    "′": "'",
}
_LETTERS = str.maketrans(
    "–—−‐‑‒─━│┃├└┌┐┘┬┴┤┼╭╮╰╯₀₁₂₃" + "▁▂▃▄▅▆▇█" + "▏▎▍▌▋▊▉░" + "‘’“”",
    "------==||+++++++++" + "++++0123" + "_.-=+*##" + "---####." + "''\"\"",
)
_BRAILLE = range(0x2800, 0x2900)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written for the characters that an encoder refused, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    return "".join(_written(one) for one in refused), error.end


def _written(character: str) -> str:
    if ord(character) in _BRAILLE:  # a part of a curve
        return " " if ord(character) == _BRAILLE[0] else "*"
    plain = _WORDS.get(character) or character.translate(_LETTERS)
    return plain.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(PLAIN, _plain)
