"""What each option and custom key of a config does to a model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from optplan.errors import quoted
from optplan.names import Rule
from optplan.plan.key_hints import key_hint, near
from optplan.plan.names.name_shapes import Stem, Words, numbered, written
from optplan.reporters.formats.report import Cell, Field, count_cell, list_cell
from optplan.reporters.selection import Selection
from optplan.reporters.show.view import View
from optplan.reporters.words import number, place_data, place_text
from optplan.rules.options import Verdict
from optplan.rules.statistics import EntryName, EntryStatistics

_MOST_WORDS = 3


def declare(shown: Selection) -> View:
    """Return a row per option and key, in the order in which they are tried."""
    told = conclusion(shown.entries)
    return View(
        title="options and keys",
        sheet=told,
        fields=_FIELDS,
        rows=shown.entries,
        key="entries",
        note=(told, "alarm" if any(map(does_nothing, shown.entries)) else ""),
    )


def conclusion(statistics: Sequence[EntryStatistics]) -> str:
    """Return whether each entry does something."""
    if not statistics:
        return "no options and no custom keys: every parameter gets the optimizer's own values"
    idle = sum(does_nothing(entry) for entry in statistics)
    if not idle:
        return "every option and key decides something"
    verb = "decides" if idle == 1 else "decide"
    return f"{idle} of {len(statistics)} options and keys {verb} nothing"


def does_nothing(entry: EntryStatistics) -> bool:
    """Return whether it decides nothing."""
    return not entry.won


def entry_text(name: EntryName) -> str:
    """Return a key in quotes, an option as it is."""
    return quoted(name.text) if name.is_key else name.text


def _effect_text(entry: EntryStatistics) -> str:
    """Return what it does to the values: ``lr ×0.1, decay ×0``."""
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


def _losses(entry: EntryStatistics) -> list[str]:
    """Return what won over it, keys that differ by a number as one, or why nothing had to."""
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


def _word_patterns(words: Iterable[str]) -> list[str]:
    """Return the words, those that differ by a number as one pattern: ``norm{1,2}``."""
    found: dict[Stem | str, list[str]] = {}
    for word in words:
        parts = numbered(word)
        found.setdefault(parts[0] if parts else word, []).append(word)
    return [written((Words(frozenset(alike)),)) for alike in found.values()]


def _style(entry: EntryStatistics) -> str:
    return "alarm" if does_nothing(entry) else ""


def _name_cell(entry: EntryStatistics) -> Cell:
    return Cell(entry_text(entry.name), _style(entry) or ("cyan" if entry.name.is_key else ""))


def _name_data(name: EntryName) -> dict[str, str | None]:
    return {"option": None if name.is_key else name.text, "key": name.text if name.is_key else None}


def _lost_data(entry: EntryStatistics) -> list[dict[str, object]]:
    return [{**_name_data(name), "parameters": count} for name, count in entry.lost]


_FIELDS: Sequence[Field[EntryStatistics]] = (
    Field(key="option", data=lambda entry: _name_data(entry.name)["option"]),
    Field(key="key", data=lambda entry: _name_data(entry.name)["key"]),
    Field(key="origin", data=lambda entry: place_data(entry.place)),
    Field("option or key", _name_cell, is_name=True, shrink_to=12),
    Field("gives", lambda entry: Cell(_effect_text(entry)), optional=2),
    Field(key="lr_mult", data=lambda entry: entry.lr and entry.lr.mult),
    Field(key="decay_mult", data=lambda entry: entry.weight_decay and entry.weight_decay.mult),
    Field(key="is_read", data=lambda entry: entry.is_read),
    Field(
        "matched",
        lambda entry: count_cell(entry.matched, style=_style(entry)),
        "matched",
        is_number=True,
    ),
    Field("won", lambda entry: count_cell(entry.won, style=_style(entry)), "won", is_number=True),
    Field(
        "lost to",
        lambda entry: list_cell(_losses(entry), _style(entry), most=1),
        "lost",
        data=_lost_data,
        is_name=True,
        shrink_to=10,
    ),
    Field(key="skipped", data=lambda entry: entry.skipped),
    Field(
        "words hit",
        lambda entry: list_cell(_word_patterns(entry.words), most=_MOST_WORDS),
        "words",
        data=lambda entry: list(entry.words),
        is_name=True,
        shrink_to=8,
    ),
    Field(
        "place",
        lambda entry: Cell(place_text(entry.place), "dim"),
        is_name=True,
        shrink_to=10,
        optional=1,
    ),
)


_MOST = 5


def idle_text(
    statistics: Sequence[EntryStatistics], names: Sequence[str], options: Collection[str]
) -> str:
    """Return ``1 of 6 options and keys decides nothing: 'patch_embd' (did you mean 'patch_embed'?)``; '' for none.

    Args:
        statistics: What each option and key does.
        names: The names of the model's parameters.
        options: The options that the constructor reads.
    """
    idle = [entry for entry in statistics if does_nothing(entry)]
    if not idle:
        return ""
    told = [_described(entry, names, options) for entry in idle[:_MOST]]
    more = f" and {len(idle) - _MOST} more" if len(idle) > _MOST else ""
    return f"{conclusion(statistics)}: {', '.join(told)}{more}"


def _described(entry: EntryStatistics, names: Sequence[str], options: Collection[str]) -> str:
    # of several sections the text begins with the section's name
    text = entry.name.text.rpartition(": ")[2]
    hint = None
    if entry.name.is_key and not entry.matched and not entry.skipped:
        hint = key_hint(text, names)
    elif not entry.name.is_key and not entry.is_read:
        hint = near(text, options)
    return entry_text(entry.name) + (f" ({hint})" if hint else "")
