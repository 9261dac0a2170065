"""The views of a plan as pages, for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from optplan.names import Status
from optplan.plan import PlannedParameter
from optplan.plan.kinds import Kind, kinds_by_rule
from optplan.plan.members import Members, member_patterns, members_of
from optplan.reporters.bars import LogScale, Span
from optplan.reporters.keys_view import (
    conclusion,
    does_nothing,
    effect_text,
    entry_text,
    losses,
    place_text,
    word_patterns,
)
from optplan.reporters.kind_words import kind_cells, lr_span, span_text, weight_decay_span
from optplan.reporters.page import Heading, Page, Sheet, Value, count_value, name_value
from optplan.reporters.rows import Selection
from optplan.reporters.summary import (
    besides_text,
    coverage_lines,
    model_name,
    model_text,
    narrowing_text,
    optimizer_texts,
)
from optplan.reporters.tree_view import TreeLine, lr_scale, root_name, tree_lines
from optplan.reporters.words import (
    carriers_of,
    count_text,
    number,
    origin_text,
    percent,
    plural,
    shape_text,
)
from optplan.rules.statistics import EntryStatistics

_TONES = {
    Status.OPTIMIZED: "",
    Status.FROZEN: "quiet",
    Status.DUPLICATE: "quiet",
    Status.UNCOVERED: "alarm",
}
_SETTING_HEADINGS: tuple[Heading, ...] = (
    Heading(text="setting"),
    Heading(text="lr", is_number=True),
    Heading(text="weight_decay", is_number=True),
    Heading(text="parameters", is_number=True),
    Heading(text="elements", is_number=True),
    Heading(text="share", is_number=True),
    Heading(text="rules"),
)


def params_page(shown: Selection) -> Page:
    """A row per name."""
    sheet = Sheet(
        title=plural(len(shown.rows), "name"),
        headings=(
            Heading(text="parameter"),
            Heading(text="shape"),
            Heading(text="elements", is_number=True),
            Heading(text="lr", is_number=True),
            Heading(text="weight_decay", is_number=True),
            Heading(text="rule"),
            Heading(text="place"),
            Heading(text="status"),
        ),
        rows=tuple(_parameters(shown)),
    )
    return _page(shown, "parameters", [sheet, _settings(shown, with_members=False)])


def tree_page(shown: Selection, *, depth: int | None) -> Page:
    """A row per branch of the module tree."""
    scale = lr_scale(shown)
    lines = list(tree_lines(shown, depth))
    sheet = Sheet(
        title=plural(len(lines), "row"),
        headings=(
            Heading(text="module"),
            Heading(text="parameters", is_number=True),
            Heading(text="elements", is_number=True),
            Heading(text="lr", is_number=True),
            Heading(text="weight_decay", is_number=True),
            Heading(text="rule"),
        ),
        rows=tuple(_branch(line, shown, scale) for line in lines),
    )
    return _page(shown, "module tree", [sheet])


def groups_page(shown: Selection) -> Page:
    """A row per setting, with its members."""
    return _page(shown, "settings", [_settings(shown, with_members=True)])


def keys_page(shown: Selection, statistics: Sequence[EntryStatistics]) -> Page:
    """A row per option and key."""
    sheet = Sheet(
        title=conclusion(statistics),
        headings=(
            Heading(text="option or key"),
            Heading(text="gives"),
            Heading(text="matched", is_number=True),
            Heading(text="won", is_number=True),
            Heading(text="lost to"),
            Heading(text="words hit"),
            Heading(text="place"),
        ),
        rows=tuple(_entry(entry) for entry in statistics),
    )
    return _page(shown, "options and keys", [_without_empty(sheet)])


def _page(shown: Selection, view: str, sheets: Iterable[Sheet]) -> Page:
    plan = shown.plan
    config = [plan.config] if plan.config is not None else []
    narrowing = narrowing_text(plan, shown.rows, shown.narrowing) if shown.narrowing else ""
    return Page(
        title=model_name(plan),
        view=view,
        facts=(*config, model_text(plan), *optimizer_texts(plan)),
        sheets=tuple(sheets),
        closing=tuple(coverage_lines(plan, color=False)),
        narrowing=narrowing,
    )


def _parameters(shown: Selection) -> Iterator[tuple[Value, ...]]:
    carriers = carriers_of(shown.plan.parameters)
    kind_of = kinds_by_rule()
    shared: dict[Hashable, tuple[Value, ...]] = {}
    for row in shown.rows:
        tone, kind = _TONES[row.status], kind_of(row)
        if row.status is Status.DUPLICATE:
            kind = row.name
        if kind not in shared:
            shared[kind] = _decided(row, carriers)
        yield (
            name_value(row.name, tone=tone),
            Value(lines=(shape_text(row.shape),), order=row.elements),
            count_value(row.elements),
            *shared[kind],
        )


def _decided(row: PlannedParameter, carriers: frozenset[str]) -> tuple[Value, ...]:
    """What a row gets and why."""
    (label,) = kind_cells([Kind(first=row, names=1)], carriers)
    return (
        _number(row.lr),
        _number(row.weight_decay),
        name_value(label.text, tone=_TONES[row.status]),
        name_value(origin_text(row)),
        Value(lines=(row.status.value,), tone=_TONES[row.status]),
    )


def _branch(line: TreeLine, shown: Selection, scale: LogScale | None) -> tuple[Value, ...]:
    subtree = line.branch.subtree
    tone = _TONES[line.kinds[0].first.status] if len(line.kinds) == 1 else ""
    return (
        name_value(subtree.name or root_name(shown), above=line.above, tone=tone),
        count_value(subtree.parameters),
        count_value(subtree.elements, count_text(subtree.elements)),
        _span(lr_span(line.kinds), scale),
        _span(weight_decay_span(line.kinds), None),
        Value(lines=tuple(label.text for label in line.labels), is_name=True, tone=tone),
    )


def _settings(shown: Selection, *, with_members: bool) -> Sheet:
    found = members_of(shown.plan, shown.rows)
    scale, carriers = lr_scale(shown), carriers_of(shown.plan.parameters)
    headings = _SETTING_HEADINGS
    rows = [_setting(members, shown, scale, carriers) for members in found]
    if with_members:
        headings = (*headings, Heading(text="members"))
        patterns = member_patterns(shown.plan, found)
        rows = [
            (*row, Value(lines=texts, is_name=True))
            for row, texts in zip(rows, patterns, strict=True)
        ]
    return _without_empty(
        Sheet(title=plural(len(found), "setting"), headings=headings, rows=tuple(rows))
    )


def _without_empty(sheet: Sheet) -> Sheet:
    """The sheet without the columns in which nothing stands."""
    kept = [
        column
        for column in range(len(sheet.headings))
        if any(row[column].lines for row in sheet.rows)
    ]
    return Sheet(
        title=sheet.title,
        headings=tuple(sheet.headings[column] for column in kept),
        rows=tuple(tuple(row[column] for column in kept) for row in sheet.rows),
    )


def _beside(members: Members, shown: Selection) -> Value:
    """What a setting is besides its lr and weight decay, or why there is none."""
    if members.setting is None:
        return name_value(f"{members.status.value}, in no group", tone=_TONES[members.status])
    return name_value(besides_text(members.setting, shown.plan))


def _setting(
    members: Members, shown: Selection, scale: LogScale | None, carriers: frozenset[str]
) -> tuple[Value, ...]:
    whole = shown.plan.model.elements
    return (
        _beside(members, shown),
        _span(lr_span(members.kinds), scale),
        _span(weight_decay_span(members.kinds), None),
        count_value(members.parameters),
        count_value(members.elements, count_text(members.elements)),
        Value(lines=(percent(members.elements, whole),), order=members.elements),
        Value(lines=tuple(_rules(members, carriers)), is_name=True),
    )


def _rules(members: Members, carriers: frozenset[str]) -> Iterable[str]:
    """What decided the members, each with its place."""
    for kind in sorted(members.kinds, key=lambda kind: -kind.names):
        (label,) = kind_cells([kind], carriers)
        place = origin_text(kind.first)
        yield f"{label.text}  {place}" if place else label.text


def _entry(entry: EntryStatistics) -> tuple[Value, ...]:
    tone = "alarm" if does_nothing(entry) else ""
    return (
        name_value(entry_text(entry.name), tone=tone),
        Value(lines=(effect_text(entry),) if effect_text(entry) else ()),
        count_value(entry.matched),
        count_value(entry.won),
        Value(lines=tuple(losses(entry)), is_name=True, tone=tone),
        Value(lines=tuple(word_patterns(entry.words)), is_name=True),
        name_value(place_text(entry)),
    )


def _number(value: float | None) -> Value:
    return Value(lines=(number(value),), order=value)


def _span(span: Span | None, scale: LogScale | None) -> Value:
    """A span; bars are drawn to its ends, and it is sorted by its larger one."""
    ends = None
    if span is not None and scale is not None:
        ends = scale.length(span.low), scale.length(span.high)
    return Value(lines=(span_text(span),), order=span.high if span else None, bar=ends)
