"""What each option and custom key of a config does to a model, counted over the traces of its parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from optplan.config.layer_decay_options import LAYER_RATE, LAYERS
from optplan.errors import PlanError
from optplan.facts import Inventory, ParameterFacts
from optplan.names import Rule
from optplan.places import Place
from optplan.rules.decide import trace
from optplan.rules.decision import Candidate, Outcome, Skipped
from optplan.rules.options import LR_OPTIONS, Options, Verdict
from optplan.rules.rule_sets import BYPASS


class EntryName(NamedTuple):
    """An option, or the text of a custom key: a config may have one name for both."""

    text: str
    is_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStatistics:
    """How one option or custom key fared.

    Args:
        name: Which.
        place: Where it is written.
        lr: What it gives to the lr; ``None`` where it has no say in it.
        weight_decay: The same for the weight decay.
        is_read: Whether the constructor reads it at all.
        matched: How many parameters it matched, out of those that get into a group; names that were
            left out for ``bypass_duplicate``.
        won: How many of them it decided.
        lost: To which others it lost the rest, those that took most first.
        skipped: How many frozen or left out names it would have matched.
        words: For a key the distinct components of names that its text occurs in.
    """

    name: EntryName
    place: Place | None
    lr: Verdict | None = None
    weight_decay: Verdict | None = None
    is_read: bool = True
    matched: int = 0
    won: int = 0
    lost: tuple[tuple[EntryName, int], ...] = ()
    skipped: int = 0
    words: tuple[str, ...] = ()


def entry_statistics(
    inventory: Inventory,
    options: Options,
    places: Mapping[str, Place | None],
    among: Collection[str] | None = None,
) -> tuple[EntryStatistics, ...]:
    """Every option and key, in the order in which they are tried, then those that nothing reads.

    Args:
        inventory: The model's parameters.
        options: What the rules work with.
        places: All entries of ``paramwise_cfg`` but the keys, with their places.
        among: The names to count; ``None`` for all.
    """
    tallies = {name: _Tally() for name in _names(options)}
    # options that decide no value themselves, with how many names they decide about
    at_work = dict.fromkeys((BYPASS, LAYERS), 0)
    for facts, skipped, candidates in _traces(inventory, options):
        if among is None or facts.name in among:
            at_work[BYPASS] += skipped is Skipped.DUPLICATE
            at_work[LAYERS] += skipped is None and facts.layer is not None
            _count(facts, candidates, tallies, options, is_skipped=skipped is not None)
    found = [_of_key(name, tallies[name], options) for name in tallies if name.is_key]
    found += [_of_option(name, tallies[name], options) for name in tallies if not name.is_key]
    for option, place in places.items():
        name = EntryName(option, is_key=False)
        if option in at_work and option in options.rules.options:
            count = at_work[option]
            found.append(EntryStatistics(name=name, place=place, matched=count, won=count))
        elif name not in tallies:
            found.append(EntryStatistics(name=name, place=place, is_read=False))
    return tuple(found)


@dataclass(slots=True)
class _Tally:
    matched: int = 0
    won: int = 0
    skipped: int = 0
    lost: dict[EntryName, int] = field(default_factory=dict)
    words: dict[str, None] = field(default_factory=dict)


def _names(options: Options) -> Iterator[EntryName]:
    yield from (EntryName(key.key, is_key=True) for key in options.keys)
    yield from (EntryName(option, is_key=False) for option in options.multipliers)
    if options.layer_decay is not None and options.layer_decay.rate is not None:
        yield EntryName(LAYER_RATE, is_key=False)


def _traces(
    inventory: Inventory, options: Options
) -> Iterator[tuple[ParameterFacts, Skipped | None, tuple[Candidate, ...]]]:
    """Each name that the constructor visits, with why it was skipped and all that was tried.

    What is skipped is tried on nothing; its candidates are those of a trainable tensor of this name.
    """
    grouped: set[int] = set()
    for facts in inventory.parameters if not options.is_empty else ():
        if not facts.visited:
            continue
        decision, candidates = trace(facts, options, in_group=facts.tensor in grouped)
        if not facts.requires_grad:
            decision = Skipped.FROZEN  # also where it is put into a group as it is
        if isinstance(decision, Skipped):
            with suppress(PlanError):  # a base lr is missing, which matters to trainable ones only
                candidates = trace(facts._replace(requires_grad=True), options)[1]
            yield facts, decision, candidates
        else:
            grouped.add(facts.tensor)
            yield facts, None, candidates


def _count(
    facts: ParameterFacts,
    candidates: tuple[Candidate, ...],
    tallies: Mapping[EntryName, _Tally],
    options: Options,
    *,
    is_skipped: bool,
) -> None:
    won = [candidate for candidate in candidates if candidate.outcome is Outcome.WON]
    winners = {candidate.setting: _entry(candidate) for candidate in won}
    # a key decides alone, also where it leaves a setting as it is
    alone = next((name for name in map(_entry, won) if name.is_key), None)
    counted: set[EntryName] = set()
    for candidate in candidates:
        name = _entry(candidate)
        if candidate.outcome is Outcome.NOT_APPLICABLE or name in counted:
            continue  # a key is tried for both settings at once
        if name not in tallies:
            continue  # a key, where there is no weight decay for it to decide
        counted.add(name)
        tally = tallies[name]
        if name.is_key:
            tally.words |= dict.fromkeys(words_hit(name.text, options.rules.match_name(facts)))
        if is_skipped:
            tally.skipped += 1
            continue
        tally.matched += 1
        if candidate.outcome is Outcome.WON:
            tally.won += 1
        else:
            rival = alone or winners[candidate.setting]
            tally.lost[rival] = tally.lost.get(rival, 0) + 1


def _entry(candidate: Candidate) -> EntryName:
    key = candidate.verdict.key
    if key is not None:
        return EntryName(key, is_key=True)
    return EntryName(str(candidate.verdict.option), is_key=False)


def words_hit(key: str, name: str) -> Iterator[str]:
    """The components of a name, whole and with what lies between, in which a key's text occurs."""
    at = name.find(key)
    while at >= 0:
        end = at + len(key)
        begin = at if key.startswith(".") else name.rfind(".", 0, at) + 1
        following = end if key.endswith(".") else name.find(".", end)
        word = name[begin : following if following >= 0 else None].strip(".")
        if word:
            yield word
        at = name.find(key, at + 1)


def _of_key(name: EntryName, tally: _Tally, options: Options) -> EntryStatistics:
    key = next(key for key in options.keys if key.key == name.text)
    return _statistics(name, tally, key.lr.place, lr=key.lr, weight_decay=key.weight_decay)


def _of_option(name: EntryName, tally: _Tally, options: Options) -> EntryStatistics:
    layer_decay = options.layer_decay
    if name.text == LAYER_RATE and layer_decay is not None:
        rate = Verdict(rule=Rule.LAYER_DECAY, option=LAYER_RATE, mult=layer_decay.rate)
        return _statistics(name, tally, layer_decay.place, lr=rate)
    verdict = options.multipliers[name.text]
    if name.text in LR_OPTIONS:
        return _statistics(name, tally, verdict.place, lr=verdict)
    return _statistics(name, tally, verdict.place, weight_decay=verdict)


def _statistics(
    name: EntryName,
    tally: _Tally,
    place: Place | None,
    *,
    lr: Verdict | None = None,
    weight_decay: Verdict | None = None,
) -> EntryStatistics:
    return EntryStatistics(
        name=name,
        place=place,
        lr=lr,
        weight_decay=weight_decay,
        matched=tally.matched,
        won=tally.won,
        lost=tuple(sorted(tally.lost.items(), key=lambda rival: -rival[1])),
        skipped=tally.skipped,
        words=tuple(tally.words),
    )
