"""Count what each option, custom key and pattern matches, wins and loses: the view ``keys`` of ``show``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from optplan.config.layer_decay_options import LAYER_RATE, LAYERS
from optplan.facts import Inventory
from optplan.names import LR_OPTIONS, Rule
from optplan.places import Place
from optplan.rules.decide import applicable
from optplan.rules.decision import Skipped
from optplan.rules.options import Options, Verdict
from optplan.rules.regex_rules import RegexOptions
from optplan.rules.rule_sets import BYPASS
from optplan.rules.uses import KeyUse, PatternUse, Use, Visit, add_visit, pattern_uses, visits


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
    """Return every option and key, in the order in which they are tried, then those that nothing reads.

    Args:
        inventory: The model's parameters.
        options: What the rules work with.
        places: All entries of ``paramwise_cfg`` but the keys, with their places.
        among: The names to count; ``None`` for all.
    """
    uses = {key.key: Use(rule=key, text=key.key) for key in options.keys}
    tallies = {option: _Tally() for option in _deciding(options)}
    # options that decide no value themselves, with how many names they decide about
    at_work = dict.fromkeys((BYPASS, LAYERS), 0)
    for visit in visits(inventory, options, every_name=True):
        if among is None or visit.facts.name in among:
            at_work[BYPASS] += visit.rest is Skipped.DUPLICATE
            is_layered = not isinstance(visit.rest, Skipped) and visit.facts.layer is not None
            at_work[LAYERS] += is_layered
            add_visit(uses, visit)
            _count(visit, tallies, options)
    found = [_of_key(use, options) for use in uses.values()]
    found += [_of_option(option, tally, options) for option, tally in tallies.items()]
    for option, place in places.items():
        name = EntryName(option, is_key=False)
        if option in at_work and option in options.rules.options:
            count = at_work[option]
            found.append(EntryStatistics(name=name, place=place, matched=count, won=count))
        elif option not in tallies:
            found.append(EntryStatistics(name=name, place=place, is_read=False))
    return tuple(found)


def pattern_statistics(
    inventory: Inventory, options: RegexOptions, among: Collection[str]
) -> tuple[EntryStatistics, ...]:
    """Return the same for the patterns of a list of groups."""
    return tuple(
        _of_use(use, use.rule.place, _say(use.rule.lr), _say(use.rule.weight_decay))
        for use in pattern_uses(inventory, options, among)
    )


def _say(verdict: Verdict) -> Verdict | None:
    """Return what a pattern gives; None where its group leaves a value to the optimizer."""
    return None if verdict.rule is Rule.DEFAULT else verdict


def verdict_statistics(verdicts: Iterable[tuple[str, Verdict]]) -> Iterator[EntryStatistics]:
    """Count what the rules of a recipe decide, by the option that switches each on.

    Args:
        verdicts: ``lr`` or ``weight_decay`` with what decided it, for each parameter.
    """
    found: dict[str, list[tuple[str, Verdict]]] = {}
    for setting, verdict in verdicts:
        if verdict.option is not None:
            found.setdefault(verdict.option, []).append((setting, verdict))
    for option, counted in found.items():
        setting, verdict = counted[0]
        falls = verdict.rule is Rule.LAYER_DECAY  # a factor for each layer, which are not told here
        yield EntryStatistics(
            name=EntryName(option, is_key=False),
            place=verdict.place,
            lr=verdict if setting == "lr" and not falls else None,
            weight_decay=verdict if setting == "weight_decay" else None,
            matched=len(counted),
            won=len(counted),
        )


@dataclass(slots=True)
class _Tally:
    won: int = 0
    skipped: int = 0
    lost: Counter[EntryName] = field(default_factory=Counter)

    def add(self, option: str, winner: EntryName, *, is_skipped: bool) -> None:
        """Count a parameter that an option applies to."""
        if is_skipped:
            self.skipped += 1
        elif winner == (option, False):
            self.won += 1
        else:
            self.lost[winner] += 1


def _deciding(options: Options) -> Iterator[str]:
    """Yield the options that decide values, in the order that they are tried."""
    yield from options.multipliers
    if options.layer_decay is not None and options.layer_decay.rate is not None:
        yield LAYER_RATE


def _count(visit: Visit, tallies: Mapping[str, _Tally], options: Options) -> None:
    """Count a parameter for each option that applies to it; a key decides alone."""
    is_skipped = isinstance(visit.rest, Skipped)
    key = visit.keys[0] if visit.keys else None
    for setting in ("lr", "weight_decay"):
        tried = applicable(setting, visit.facts, options)
        for option in tried:
            name = EntryName(key.key, True) if key else EntryName(tried[0], is_key=False)
            tallies[option].add(option, name, is_skipped=is_skipped)
    if LAYER_RATE in tallies and visit.facts.layer is not None:
        is_set = key is not None and key.decides_lr and key.lr.mult is None
        name = EntryName(key.key, True) if key and is_set else EntryName(LAYER_RATE, is_key=False)
        tallies[LAYER_RATE].add(LAYER_RATE, name, is_skipped=is_skipped)


def words_hit(key: str, name: str) -> Iterator[str]:
    """Yield the components of a name, whole and with what lies between, in which a key's text occurs."""
    at = name.find(key)
    while at >= 0:
        end = at + len(key)
        begin = at if key.startswith(".") else name.rfind(".", 0, at) + 1
        following = end if key.endswith(".") else name.find(".", end)
        word = name[begin : following if following >= 0 else None].strip(".")
        if word:
            yield word
        at = name.find(key, at + 1)


def _of_key(use: KeyUse, options: Options) -> EntryStatistics:
    names = (options.rules.match_name(facts) for facts, _ in use.hits)
    words = dict.fromkeys(word for name in names for word in words_hit(use.text, name))
    rule = use.rule
    return _of_use(use, rule.lr.place, rule.lr, rule.weight_decay, tuple(words))


def _of_use(
    use: KeyUse | PatternUse,
    place: Place | None,
    lr: Verdict | None,
    weight_decay: Verdict | None,
    words: tuple[str, ...] = (),
) -> EntryStatistics:
    lost = Counter(EntryName(winner, is_key=True) for _, winner in use.lost)
    won = len(use.won)
    return EntryStatistics(
        name=EntryName(use.text, is_key=True),
        place=place,
        lr=lr,
        weight_decay=weight_decay,
        matched=won + lost.total(),
        won=won,
        lost=tuple(lost.most_common()),
        skipped=len(use.hits) - won - lost.total(),
        words=words,
    )


def _of_option(option: str, tally: _Tally, options: Options) -> EntryStatistics:
    layer_decay = options.layer_decay
    if option == LAYER_RATE and layer_decay is not None:
        place = layer_decay.place
        verdict = Verdict(rule=Rule.LAYER_DECAY, option=LAYER_RATE, mult=layer_decay.rate)
    else:
        verdict = options.multipliers[option]
        place = verdict.place
    for_lr = option == LAYER_RATE or option in LR_OPTIONS
    return EntryStatistics(
        name=EntryName(option, is_key=False),
        place=place,
        lr=verdict if for_lr else None,
        weight_decay=None if for_lr else verdict,
        matched=tally.won + tally.lost.total(),
        won=tally.won,
        lost=tuple(tally.lost.most_common()),
        skipped=tally.skipped,
    )
