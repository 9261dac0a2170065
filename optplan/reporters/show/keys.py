"""What each option and custom key of a config does to a model, for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optplan.errors import quoted
from optplan.names import Rule
from optplan.plan.names.name_shapes import Stem, Words, numbered, written
from optplan.reporters.formats.terminal import Cell, Column, paint, table
from optplan.reporters.plan_summary import closing_lines, head_lines
from optplan.reporters.selection import Selection
from optplan.reporters.words import number, where_text
from optplan.rules.options import Verdict
from optplan.rules.statistics import EntryName, EntryStatistics

_COLUMNS = (
    Column(shrink_to=14),
    Column(optional=True),
    Column(right=True),
    Column(right=True),
    Column(shrink_to=12),
    Column(shrink_to=10),
    Column(shrink_to=10),
)
_TITLES = ("option or key", "gives", "matched", "won", "lost to", "words hit", "place")
_MOST_WORDS = 3


def keys_text(
    shown: Selection,
    statistics: Sequence[EntryStatistics],
    *,
    width: int | None,
    color: bool,
) -> str:
    """A line per option and key, in the order in which they are tried.

    Args:
        shown: The plan, and the rows that were counted.
        statistics: What was counted.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    rows = [_cells(entry) for entry in statistics]
    kept = [place for place in range(len(_TITLES)) if any(row[place].text for row in rows)]
    body = [[Cell(title, "dim") for title in _TITLES], *rows]
    lines = head_lines(shown.plan, width, color)
    lines += table(
        [_COLUMNS[place] for place in kept],
        [[row[place] for place in kept] for row in body if kept],
        width=width,
        color=color,
    )
    alarm = "red" if any(map(does_nothing, statistics)) else ""
    lines += ["", " " + paint(Cell(conclusion(statistics), alarm), color)]
    lines += closing_lines(shown, color)
    return "\n".join(lines) + "\n"


def conclusion(statistics: Sequence[EntryStatistics]) -> str:
    """Whether each entry does something."""
    if not statistics:
        return "no options and no custom keys: every parameter gets the optimizer's own values"
    idle = sum(does_nothing(entry) for entry in statistics)
    if not idle:
        return "every option and key decides something"
    verb = "decides" if idle == 1 else "decide"
    return f"{idle} of {len(statistics)} options and keys {verb} nothing"


def does_nothing(entry: EntryStatistics) -> bool:
    """Whether it decides nothing."""
    return not entry.won


def entry_text(name: EntryName) -> str:
    """A key in quotes, an option as it is."""
    return quoted(name.text) if name.is_key else name.text


def place_text(entry: EntryStatistics) -> str:
    """``file:line``; '' where it is not known."""
    place = entry.place
    return where_text(place.source.name, place.line) if place else ""


def effect_text(entry: EntryStatistics) -> str:
    """What it does to the values: ``lr ×0.1, decay ×0``."""
    verdicts = {"lr": entry.lr, "decay": entry.weight_decay}
    changes = {
        setting: _change(verdict)
        for setting, verdict in verdicts.items()
        if verdict is not None and verdict.rule is not Rule.DEFAULT
    }
    if len(set(changes.values())) == 1 and len(changes) == 2:
        return next(iter(changes.values()))
    told = {setting: change for setting, change in changes.items() if change != "×1"} or changes
    return ", ".join(f"{setting} {change}" for setting, change in told.items())


def _change(verdict: Verdict) -> str:
    if verdict.mult is None:
        return number(verdict.value)
    a_layer = " a layer" if verdict.rule is Rule.LAYER_DECAY else ""
    return f"×{number(verdict.mult)}{a_layer}"


def losses(entry: EntryStatistics) -> list[str]:
    """Who took what it did not get, keys that differ by a number as one, or why nobody had to."""
    if not entry.is_read:
        return ["nothing reads it"]
    if not entry.matched:
        return [
            f"only frozen or duplicate: {entry.skipped}" if entry.skipped else "matches nothing"
        ]
    alike: dict[tuple[Stem | str, bool, int], list[str]] = {}
    for name, count in entry.lost:
        parts = numbered(name.text) if name.is_key else None
        family = parts[0] if parts else name.text
        alike.setdefault((family, name.is_key, count), []).append(name.text)
    return [_rivals(texts, is_key, count) for (_, is_key, count), texts in alike.items()]


def _rivals(texts: list[str], is_key: bool, count: int) -> str:
    if not is_key or len(texts) == 1:
        return f"{entry_text(EntryName(texts[0], is_key))} {count}"
    return f"{quoted(written((Words(frozenset(texts)),)))} {count} each"


def _some(words: list[str], most: int | None) -> str:
    if most is None or len(words) <= most:
        return ", ".join(words)
    return ", ".join(words[:most]) + f" and {len(words) - most} more"


def word_patterns(words: Iterable[str]) -> list[str]:
    """The words, those that differ by a number as one pattern: ``norm{1,2}``."""
    found: dict[Stem | str, list[str]] = {}
    for word in words:
        parts = numbered(word)
        found.setdefault(parts[0] if parts else word, []).append(word)
    return [written((Words(frozenset(alike)),)) for alike in found.values()]


def _cells(entry: EntryStatistics) -> list[Cell]:
    style = "red" if does_nothing(entry) else ""
    words, rivals = word_patterns(entry.words), losses(entry)
    return [
        Cell(entry_text(entry.name), style or ("cyan" if entry.name.is_key else "")),
        Cell(effect_text(entry)),
        Cell(str(entry.matched), style),
        Cell(str(entry.won), style),
        Cell(_some(rivals, None), style, _some(rivals, 1)),
        Cell(_some(words, None), "", _some(words, _MOST_WORDS)),
        Cell(place_text(entry), "dim"),
    ]
