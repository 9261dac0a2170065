"""Count what options and keys do under a constructor with rules of its own, as far as its run showed it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from optplan.config import place_of
from optplan.names import Rule
from optplan.rules.options import key_order
from optplan.rules.rule_sets import BYPASS
from optplan.rules.statistics import EntryName, EntryStatistics, words_hit

_KEYS = "custom_keys"


class Decider(Protocol):
    """What decided a value."""

    @property
    def rule(self) -> Rule:
        """The rule."""

    @property
    def option(self) -> str | None:
        """The option that it reads."""

    @property
    def key(self) -> str | None:
        """The custom key."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A constructor of other code as it was watched.

    Args:
        deciders: By name of each parameter in a group, what decided its lr and its weight decay.
        duplicates: How many names of tensors were left out.
        paramwise: ``paramwise_cfg`` as written.
        read: The paths in it that were read.
        multipliers: The options that the rules know, where they took part.
    """

    deciders: Mapping[str, tuple[Decider | None, Decider | None]]
    duplicates: int
    paramwise: Mapping[str, Any]
    read: frozenset[tuple[str, ...]]
    multipliers: frozenset[str]

    def statistics(self) -> tuple[EntryStatistics, ...]:
        """Return the keys, the longest first, then the options, as far as it was seen what reads them."""
        return (*self._keys(), *self._options())

    @cached_property
    def _by_code(self) -> list[str]:
        """The names that the constructor itself decided."""
        return [
            name
            for name, uses in self.deciders.items()
            if any(use and use.rule is Rule.CONSTRUCTOR for use in uses)
        ]

    def _keys(self) -> Iterator[EntryStatistics]:
        """Yield the keys; each counts where it is in a name, and wins what the constructor itself decided there."""
        keys = self.paramwise.get(_KEYS)
        if not isinstance(keys, Mapping):
            return
        texts = sorted((key for key in keys if isinstance(key, str)), key=key_order)
        for key in texts:
            name, place, path = EntryName(key, is_key=True), place_of(keys, key), (_KEYS, key)
            hit = [one for one in self.deciders if key in f".{one}"]
            is_read = self._is_read(path, keys[key])
            # of a key that matches nothing there is no more to read
            if not (is_read or (not hit and path in self.read)):
                yield EntryStatistics(name=name, place=place, is_read=False)
                continue
            won = [one for one in hit if self._winner(one, texts) == key]
            if not hit and is_read and not re.fullmatch(r"\w+", key):
                hit = won = self._by_code  # it may be a pattern of the constructor's own kind
            yield EntryStatistics(
                name=name,
                place=place,
                matched=len(hit),
                won=len(won),
                words=tuple(dict.fromkeys(w for one in hit for w in words_hit(key, f".{one}"))),
            )

    def _winner(self, name: str, keys: Sequence[str]) -> str | None:
        use = self.deciders[name][0]
        if use is not None and use.rule is Rule.CONSTRUCTOR:
            return next((key for key in keys if key in f".{name}"), None)
        return use.key if use is not None else None

    def _options(self) -> Iterator[EntryStatistics]:
        """Yield the options; one that is read has a part in all that the constructor itself decided.

        One that the rules know does what they say, and nothing else.
        """
        for name, value in self.paramwise.items():
            if name == _KEYS:
                continue
            is_read = self._is_read((str(name),), value)
            uses = self.deciders.values()
            count = sum(any(use and use.option == name for use in both) for both in uses)
            if is_read and name not in self.multipliers:
                count += len(self._by_code)
            if name == BYPASS:
                count = self.duplicates if is_read else 0
            yield EntryStatistics(
                name=EntryName(str(name), is_key=False),
                place=place_of(self.paramwise, name),
                is_read=is_read,
                matched=count,
                won=count,
            )

    def _is_read(self, path: tuple[str, ...], value: Any) -> bool:
        """Return whether an entry was read; a dict is where something in it was."""
        if isinstance(value, Mapping) and value:
            return any(one[: len(path)] == path and len(one) > len(path) for one in self.read)
        return path in self.read
