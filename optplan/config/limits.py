"""The bounds within which a config is read, so that none can hang or fill the memory."""

from __future__ import annotations

from typing import Any

MAX_FILE_BYTES = 1 << 20
MAX_BASE_DEPTH = 50
MAX_FILES = 500
MAX_DEPTH = 100
MAX_INT_BITS = 10_000
MAX_TEXT = 1_000_000
MAX_WORK = 500_000
# A character is cheaper than a step: this many of them count as one.
CHARS_PER_STEP = 16

_PLAIN = frozenset({int, float, bool, type(None), complex, range})
_CONTAINERS: tuple[type[Any], ...] = (
    dict, list, tuple, set, frozenset, type({}.keys()), type({}.values()), type({}.items()),
)  # fmt: skip
# Below this, no two whole numbers have the same hash.
_OWN_HASH = 1 << 60


class Refusal(Exception):  # noqa: N818 - a message on its way to a ConfigError
    """Something that is not done for a config; the evaluator adds the place."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


class Budget:
    """The work that reading one config, bases included, may take."""

    __slots__ = ("left", "odd_keys")

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left
        self.odd_keys = 0

    def spend(self, steps: int) -> None:
        """Take ``steps`` off what is left.

        Raises:
            Refusal: Nothing is left.
        """
        self.left -= steps
        if self.left < 0:
            raise Refusal("reading this config takes too much work", "shorten its loops or data")

    def spend_text(self, length: int) -> None:
        """Take a text of ``length`` characters off what is left.

        Raises:
            Refusal: The text is too long, or nothing is left.
        """
        if length > MAX_TEXT:
            raise Refusal(f"a text of {length:,} characters is too long")
        self.spend(length // CHARS_PER_STEP)

    def spend_search(self, text: str, parts: Any) -> None:
        """Take off a search that compares each part at each position of a text.

        Raises:
            Refusal: Nothing is left.
        """
        for part in parts:
            if isinstance(part, str):
                self.spend(len(text) * len(part) // 1024)

    def spend_key(self, key: Any) -> None:
        """Take off what looking a key up takes: many keys can be made to have one hash.

        A text's hash is random, and that of a number of a sane size is its own.

        Raises:
            Refusal: Nothing is left, or the key is nested too deeply.
        """
        kind = key.__class__
        if kind is str or (kind is int and -_OWN_HASH < key < _OWN_HASH):
            return
        self.odd_keys += 1
        self.spend(self.odd_keys // 16)
        self.spend_tree(key)

    def spend_tree(self, value: Any, depth: int = 0) -> None:
        """Take everything inside ``value`` off what is left, as often as it occurs.

        Raises:
            Refusal: It is too much, or nested too deeply.
        """
        kind = value.__class__
        if kind in _PLAIN:
            self.left -= 1
        elif kind is str:
            self.spend(1 + len(value) // CHARS_PER_STEP)
        elif isinstance(value, _CONTAINERS):
            if depth > MAX_DEPTH:
                raise Refusal("the data is nested too deeply")
            self.spend(1 + len(value))
            for item in value:
                self.spend_tree(item, depth + 1)
            if isinstance(value, dict):
                for item in dict.values(value):
                    self.spend_tree(item, depth + 1)


def check_int(value: Any) -> Any:
    """The value itself, unless it is an int too large to be meant.

    Raises:
        Refusal: It has too many digits.
    """
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        raise Refusal("the number is too large")
    return value
