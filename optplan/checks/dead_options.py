"""What of ``paramwise_cfg`` its constructor never reads: the common ground of OPT101 and OPT105."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from optplan.checks.base import Context
from optplan.checks.group_names import MULTIPLIERS
from optplan.checks.known_constructors import ALL_OPTIONS
from optplan.checks.raw_section import RawSection
from optplan.checks.watched_keys import unmatched_keys
from optplan.config import place_of
from optplan.config.timm_args import OPTIMIZER_KEYS, TimmArgs
from optplan.dialects.huggingface.arguments import TrainerArgs, known_arguments
from optplan.places import Place

_DIRECTIVES = frozenset({"_delete_", "_scope_"})  # left over where a base had nothing to delete
# So close that it is no other argument of train.py.
_SAME_WORD = 0.85
TRAINING_ARGUMENTS = "the training arguments"
_FIELDS = MULTIPLIERS | {"lr", "weight_decay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadOption:
    """An entry that is never read.

    Args:
        name: Its own name.
        inside: What it stands in, for a message.
        key: Its config path.
        place: Where it is written.
        known: Whether some other constructor reads one of this name.
        known_names: What would have been read there.
    """

    name: str
    inside: str
    key: str
    place: Place | None
    known: bool
    known_names: frozenset[str]


def dead_options(context: Context) -> tuple[DeadOption, ...]:
    """All entries that are never read, as far as it is known what is read."""
    raw = context.raw
    if raw is None:
        recipe = context.section.recipe if context.section is not None else None
        match recipe:
            case TimmArgs():
                return tuple(_misspelt(recipe))
            case TrainerArgs():
                return tuple(_unknown(recipe))
        return ()
    if context.read_options is not None:
        looked_for = {one.path for one in unmatched_keys(context)}
        found = _unread(raw, context.read_options, context.wanted_options)
        return tuple(one for one in found if one.name not in looked_for)
    return tuple(_undeclared(raw))


def _misspelt(args: TimmArgs) -> Iterator[DeadOption]:
    """Entries of a recipe that nearly have the name of one for the optimizer: train.py takes any in silence."""
    for name in args.written:
        if name in OPTIMIZER_KEYS or not isinstance(name, str):
            continue
        if any(
            SequenceMatcher(None, name, known).ratio() >= _SAME_WORD for known in OPTIMIZER_KEYS
        ):
            yield DeadOption(
                name=name,
                inside="the recipe",
                key=name,
                place=args.place_of(name),
                known=False,
                known_names=OPTIMIZER_KEYS,
            )


def _unknown(args: TrainerArgs) -> Iterator[DeadOption]:
    """Yield the entries of a file that are no arguments of the installed library."""
    for name in args.unknown:
        yield DeadOption(
            name=name,
            inside=TRAINING_ARGUMENTS,
            key=name,
            place=args.place_of(name),
            known=False,
            known_names=known_arguments(),
        )


def _undeclared(raw: RawSection) -> Iterator[DeadOption]:
    """What a constructor whose options are known has no use for."""
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
) -> Iterator[DeadOption]:
    """What a constructor was seen not to read.

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


def _option(raw: RawSection, name: object, options: frozenset[str]) -> DeadOption:
    return DeadOption(
        name=str(name),
        inside="paramwise_cfg",
        key=f"{raw.path}.{name}",
        place=place_of(raw.paramwise, name),
        known=name in ALL_OPTIONS,
        known_names=options | _DIRECTIVES,
    )


def _field(raw: RawSection, key: str, name: str, fields: Mapping[Any, Any]) -> DeadOption:
    return DeadOption(
        name=name,
        inside=f"custom_keys[{key!r}]",
        key=f"{raw.path}.custom_keys.{key}.{name}",
        place=place_of(fields, name),
        known=name in _FIELDS,
        known_names=_FIELDS,
    )
