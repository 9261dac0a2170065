"""What of ``paramwise_cfg`` its constructor never reads: the common ground of OPT101 and OPT105."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optplan.checks.facts.context import Context
from optplan.checks.facts.group_names import MULTIPLIERS
from optplan.checks.facts.known_constructors import ALL_OPTIONS
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.checks.facts.watched_keys import unmatched_keys
from optplan.config import place_of
from optplan.dialects import dialect_of
from optplan.places import Place

_DIRECTIVES = frozenset({"_delete_", "_scope_"})  # left over where a base had nothing to delete
_FIELDS = MULTIPLIERS | {"lr", "weight_decay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadOption:
    """An entry that is never read.

    Args:
        name: Its own name.
        inside: What it stands in, for a message.
        key: Its config path.
        place: Where it is written.
        known: Whether some other constructor reads one of this name.
        consequence: What follows its name in a message, where its dialect says that.
        is_mistake: It was meant for what it stands in; else it may be another program's.
        is_table: It holds entries of its own.
        known_names: What would have been read there.
        custom_key: The custom key that it stands in.
    """

    name: str
    inside: str
    key: str
    place: Place | None
    known: bool
    known_names: frozenset[str]
    custom_key: str | None = None
    consequence: str | None = None
    is_mistake: bool = True
    is_table: bool = False


def unread_options(context: Context) -> tuple[UnreadOption, ...]:
    """Return all entries that are never read, as far as it is known what is read."""
    raw = context.raw
    if raw is None:
        return () if context.section is None else (*_misspelt(context), *_nested(context))
    if context.read_options is not None:
        looked_for = {one.path for one in unmatched_keys(context)}
        found = _unread(raw, context.read_options, context.wanted_options)
        return tuple(one for one in found if one.name not in looked_for)
    return tuple(_undeclared(raw))


def _misspelt(context: Context) -> Iterator[UnreadOption]:
    """Yield flat entries that are none of those for the optimizer, as far as the dialect tells them."""
    data, dialect = context.config.data, dialect_of(context.config)
    entries = dialect.flat_entries()
    for name in data:
        if not entries or name in entries or not isinstance(name, str):
            continue
        if (unknown := dialect.unknown_entry(name)) is not None:
            yield UnreadOption(
                name=name,
                inside="",
                key=name,
                place=place_of(data, name),
                known=False,
                known_names=entries,
                consequence=unknown.text,
                is_mistake=unknown.is_mistake,
            )


def _nested(context: Context) -> Iterator[UnreadOption]:
    """Yield entries of sections that the dialect knows all names of, and that are none of these."""
    data = context.config.data
    for section, (entries, known, text) in dialect_of(context.config).nested_entries(data).items():
        for name in entries:
            if name not in known:
                yield UnreadOption(
                    name=str(name),
                    inside="",
                    key=f"{section}.{name}",
                    place=place_of(entries, name),
                    known=False,
                    known_names=known,
                    consequence=f"in {section} {text}",
                )


def _undeclared(raw: RawSection) -> Iterator[UnreadOption]:
    """Yield what a constructor whose options are known has no use for."""
    known = raw.known
    if known is None:
        return
    for name in raw.paramwise:
        if name not in known.options | _DIRECTIVES:
            yield _option(raw, name, known.options)
    if "custom_keys" in known.options:
        for key, name, fields in raw.key_fields():
            if name in known.overwritten:
                yield _field(raw, key, name, fields)


def _unread(
    raw: RawSection, read: frozenset[tuple[str, ...]], wanted: frozenset[str]
) -> Iterator[UnreadOption]:
    """Yield what a constructor was seen not to read.

    A dict counts as read where something inside it was; its leaves are told one by one only where a
    leaf beside them was read, for a key that matches nothing is another mistake.
    """
    below = {path[:depth] for path in read for depth in range(1, len(path))}
    used = frozenset(
        name
        for name, value in raw.paramwise.items()
        if (name,) in (below if isinstance(value, Mapping) and value else read)
    )
    for name in raw.paramwise:
        if name not in used | _DIRECTIVES:
            yield _option(raw, name, used | wanted)
    for key, name, fields in raw.key_fields():
        if ("custom_keys", key) in below and ("custom_keys", key, name) not in read:
            yield _field(raw, key, name, fields)


def _option(raw: RawSection, name: object, options: frozenset[str]) -> UnreadOption:
    return UnreadOption(
        name=str(name),
        inside="paramwise_cfg",
        key=f"{raw.path}.{name}",
        place=place_of(raw.paramwise, name),
        known=name in ALL_OPTIONS,
        known_names=options | _DIRECTIVES,
        is_table=isinstance(raw.paramwise.get(str(name)), Mapping),
    )


def _field(raw: RawSection, key: str, name: str, fields: Mapping[Any, Any]) -> UnreadOption:
    return UnreadOption(
        name=name,
        inside=f"custom_keys[{key!r}]",
        key=f"{raw.path}.custom_keys.{key}.{name}",
        place=place_of(fields, name),
        known=name in _FIELDS,
        known_names=_FIELDS,
        custom_key=key,
    )
