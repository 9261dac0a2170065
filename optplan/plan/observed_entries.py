"""What each option and key does under a constructor that follows rules of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from optplan.config import place_of
from optplan.names import Rule, Status
from optplan.plan.plan import PlannedParameter
from optplan.plan.planned import Planned
from optplan.rules import BYPASS
from optplan.rules.statistics import EntryName, EntryStatistics, words_hit

_KEYS = "custom_keys"


def observed_entries(planned: Planned, among: Collection[str]) -> tuple[EntryStatistics, ...]:
    """The keys, the longest first, then the options, as far as it was seen what reads them.

    Args:
        planned: A plan whose constructor was watched.
        among: The names to count.
    """
    shown = [row for row in planned.plan.parameters if row.name in among]
    rows = [row for row in shown if row.group is not None]
    duplicates = sum(row.status is Status.DUPLICATE for row in shown)
    return (*_keys(planned, rows), *_options(planned, rows, duplicates))


def _keys(planned: Planned, rows: list[PlannedParameter]) -> Iterator[EntryStatistics]:
    """A key counts where it is in a name, and wins what the constructor itself decided there, too."""
    keys = planned.section.paramwise.get(_KEYS)
    if not isinstance(keys, Mapping):
        return
    texts = sorted((key for key in keys if isinstance(key, str)), key=lambda key: (-len(key), key))
    for key in texts:
        name, place, path = EntryName(key, is_key=True), place_of(keys, key), (_KEYS, key)
        hit = [row for row in rows if key in f".{row.name}"]
        # of a key that matches nothing there is no more to read
        if not (_is_read(planned, path, keys[key]) or (not hit and path in (planned.read or ()))):
            yield EntryStatistics(name=name, place=place, is_read=False)
            continue
        won = [row for row in hit if _winner(row, texts) == key]
        if not hit and _is_read(planned, path, keys[key]) and not re.fullmatch(r"\w+", key):
            hit = won = _decided_by_code(rows)  # it may be a pattern of the constructor's own kind
        yield EntryStatistics(
            name=name,
            place=place,
            matched=len(hit),
            won=len(won),
            words=tuple({word: None for row in hit for word in words_hit(key, f".{row.name}")}),
        )


def _winner(row: PlannedParameter, keys: list[str]) -> str | None:
    use = row.lr_rule
    if use is not None and use.rule is Rule.CONSTRUCTOR:
        return next((key for key in keys if key in f".{row.name}"), None)
    return use.key if use is not None else None


def _options(
    planned: Planned, rows: list[PlannedParameter], duplicates: int
) -> Iterator[EntryStatistics]:
    """An option that is read has a part in all that the constructor itself decided.

    One that the rules know does what they say, and nothing else.
    """
    own = _decided_by_code(rows)
    paramwise = planned.section.paramwise
    for name, value in paramwise.items():
        if name == _KEYS:
            continue
        is_read = _is_read(planned, (str(name),), value)
        is_rule = planned.options is not None and name in planned.options.multipliers
        by_rule = [
            row
            for row in rows
            if name in [use.option for use in (row.lr_rule, row.weight_decay_rule) if use]
        ]
        count = len(by_rule) + (len(own) if is_read and not is_rule else 0)
        if name == BYPASS:
            count = duplicates if is_read else 0
        yield EntryStatistics(
            name=EntryName(str(name), is_key=False),
            place=place_of(paramwise, name),
            is_read=is_read,
            matched=count,
            won=count,
        )


def _decided_by_code(rows: list[PlannedParameter]) -> list[PlannedParameter]:
    return [
        row
        for row in rows
        if any(u and u.rule is Rule.CONSTRUCTOR for u in (row.lr_rule, row.weight_decay_rule))
    ]


def _is_read(planned: Planned, path: tuple[str, ...], value: Any) -> bool:
    """Whether an entry was read; a dict is where something in it was."""
    read = planned.read or frozenset()
    if isinstance(value, Mapping) and value:
        return any(one[: len(path)] == path and len(one) > len(path) for one in read)
    return path in read
