"""The bounds within which a config is read, so that none can hang or fill the memory."""

from __future__ import annotations

import re
from typing import Any

from optplan.config.symbols import Symbol

MAX_FILE_BYTES = 1 << 20
MAX_BASE_DEPTH = 50
MAX_FILES = 500
# What opening one file takes beside reading it.
FILE_STEPS = 100
MAX_DEPTH = 100
MAX_INT_BITS = 10_000
MAX_TEXT = 1_000_000
# What evaluating one syntax node takes, about a microsecond, is one step.
MAX_WORK = 500_000
# Words, signs and line breaks of all files of one config: a syntax tree takes 1 kB for each.
MAX_TOKENS = 512_000
# A character is cheaper than a step: this many of them count as one.
CHARS_PER_STEP = 16
# And this many constants in a list or call, which are not evaluated.
CONSTANTS_PER_STEP = 4
# Up to here a file counts as if each second character were a token.
_SHORT_FILE = 16_000
_FILE_CHARS_PER_STEP = 64
_TOKEN = re.compile(r"\d[\w.:]*+|\w++|[^\w. ]")

_SMALL = frozenset({float, bool, type(None), complex})
_TEXTS: tuple[type[Any], ...] = (str, bytes)
_TABLES: tuple[type[Any], ...] = (dict, set, frozenset)
_CONTAINERS: tuple[type[Any], ...] = (
    *_TABLES, list, tuple, type({}.keys()), type({}.values()), type({}.items()),
)  # fmt: skip
# Below this, no two whole numbers have the same hash.
_OWN_HASH = 1 << 60


class Refusal(Exception):  # noqa: N818 - a message on its way to a ConfigError
    """Report what is not done for a config; the evaluator adds the place."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def table_steps(table: dict[Any, Any] | set[Any] | frozenset[Any]) -> int:
    """Return the steps that going over the empty places of a dict or set takes."""
    return table.__sizeof__() >> 12


def size_of(value: Any) -> int:
    """Return the steps that going once through a value takes, but not into its elements.

    Whole numbers count by their bits, squared where they are long: that is what division and
    decimal digits take. Dicts and sets count by the room they take, which entries that were
    deleted keep.
    """
    if isinstance(value, int):
        bits = value.bit_length()
        return (bits * bits >> 19) + (bits >> 10)
    if isinstance(value, _TEXTS):
        return len(value) // CHARS_PER_STEP
    if isinstance(value, _TABLES):
        return len(value) + table_steps(value)
    if isinstance(value, _CONTAINERS):
        return len(value)
    if isinstance(value, range):
        return size_of(value.start) + size_of(value.stop) + size_of(value.step)
    return len(value.dotted) // CHARS_PER_STEP if isinstance(value, Symbol) else 0


class StepCounter:
    """Count the steps that reading one config, bases included, may take.

    Every operation is charged by the size of what it works on.

    Args:
        left: The steps that may be taken.
    """

    __slots__ = ("left", "odd_keys", "tokens")

    def __init__(self, left: int = MAX_WORK) -> None:
        self.left = left
        self.tokens = MAX_TOKENS
        # By hash, the keys that have it and are of a kind for which equal hashes can be made.
        self.odd_keys: dict[int, list[Any]] = {}

    def charge(self, steps: int) -> None:
        """Take a number of steps.

        Raises:
            Refusal: There are none left; so for all methods here.
        """
        self.left -= steps
        if self.left < 0:
            raise Refusal("reading this config takes too much work", "shorten its loops or data")

    def charge_sizes(self, *values: Any) -> None:
        """Charge going once through each value, but not into its elements."""
        for value in values:
            self.charge(size_of(value))

    def charge_file(self, text: str, *, as_tree: bool = True) -> None:
        """Charge parsing the text of a file.

        Args:
            text: The text.
            as_tree: Whether it becomes a tree of large nodes, as all but JSON does.

        Raises:
            Refusal: The files of the config are too large together.
        """
        length = len(text)
        tokens = length // 2 if length <= _SHORT_FILE else len(_TOKEN.findall(text))
        self.tokens -= tokens if as_tree else 0
        if self.tokens < 0:
            raise Refusal(
                f"the files of this config hold more than {MAX_TOKENS:,} words and signs",
                "shorten them, or inherit from fewer",
            )
        self.charge(FILE_STEPS + length // _FILE_CHARS_PER_STEP + tokens // 4)

    def charge_text(self, length: int) -> None:
        """Charge a text of ``length`` characters.

        Raises:
            Refusal: The text is too long.
        """
        if length > MAX_TEXT:
            raise Refusal(f"a text of {length:,} characters is too long")
        self.charge(length // CHARS_PER_STEP)

    def charge_result(self, value: Any) -> None:
        """Charge what a function returned."""
        if isinstance(value, str):
            self.charge_text(len(value))
        else:
            self.charge_sizes(check_int(value))

    def charge_search(self, text: str, parts: Any) -> None:
        """Charge a search that compares each part at each position of a text."""
        for part in parts:
            if isinstance(part, str):
                self.charge(len(text) * len(part) // 1024)

    def charge_key(self, key: Any) -> None:
        """Charge looking a key up: many keys can be made to have one hash.

        The hash of a text is random, and that of a number of a sane size is its own.

        Raises:
            TypeError: It is not hashable.
        """
        kind = key.__class__
        if kind is str or (kind in _SMALL and kind is not complex):
            return
        if kind is int and -_OWN_HASH < key < _OWN_HASH:
            return
        before = self.left
        self.charge_tree(key)
        alike = self.odd_keys.setdefault(hash(key), [])
        self.charge(4 * len(alike) * (1 + before - self.left))
        if not any(key is other or key == other for other in alike):
            alike.append(key)

    def charge_tree(self, value: Any, depth: int = 0) -> None:
        """Charge everything inside a value, as often as it occurs.

        Raises:
            Refusal: It is nested too deeply.
        """
        kind = value.__class__
        if kind in _SMALL or (kind is int and -_OWN_HASH < value < _OWN_HASH):
            self.left -= 1
            return
        self.charge(1 + size_of(value))
        if isinstance(value, range):
            count = max(0, (value.stop - value.start) // value.step + 1)
            self.charge(count * (1 + size_of(value)))
        elif isinstance(value, _CONTAINERS):
            if depth > MAX_DEPTH:
                raise Refusal("the data is nested too deeply")
            for item in value:
                self.charge_tree(item, depth + 1)
            if isinstance(value, dict):
                for item in dict.values(value):
                    self.charge_tree(item, depth + 1)


def check_int(value: Any) -> Any:
    """Return the value, unless it is an int too large to be meant.

    Raises:
        Refusal: It has too many digits.
    """
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        raise Refusal("the number is too large")
    return value
