"""The views of a plan as pages, for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from optplan.names import Status
from optplan.plan import PlannedParameter
from optplan.plan.layer_table import ramp
from optplan.plan.row_kinds import RowKind, kinds_by_rule
from optplan.plan.setting_members import member_patterns
from optplan.reporters.formats.bars import LogScale, span_of
from optplan.reporters.formats.page import (
    Heading,
    Page,
    Sheet,
    Value,
    count_value,
    name_value,
    without_empty,
)
from optplan.reporters.formats.page_values import STATUS_TONES, number_value, span_value
from optplan.reporters.lr_scaling import lr_heading, not_final_text
from optplan.reporters.plan_summary import (
    constructor_texts,
    coverage_lines,
    head_facts,
    model_name,
    model_text,
    narrowing_text,
    optimizer_texts,
)
from optplan.reporters.selection import Selection
from optplan.reporters.show.keys import (
    conclusion,
    does_nothing,
    effect_text,
    entry_text,
    losses,
    place_text,
    word_patterns,
)
from optplan.reporters.show.kinds import kind_cells, lr_span, weight_decay_span
from optplan.reporters.show.layers import layer_text, ramp_text
from optplan.reporters.show.settings_sheet import settings_sheet
from optplan.reporters.show.tree import TreeLine, lr_scale, root_name, tree_lines
from optplan.reporters.words import (
    carriers_of,
    count_text,
    origin_text,
    plural,
    shape_text,
)
from optplan.rules.statistics import EntryStatistics


def params_page(shown: Selection) -> Page:
    """A row per name."""
    sheet = Sheet(
        title=plural(len(shown.rows), "name"),
        headings=(
            Heading(text="parameter"),
            Heading(text="shape"),
            Heading(text="elements", is_number=True),
            Heading(text=lr_heading(shown.plan), is_number=True),
            Heading(text="weight_decay", is_number=True),
            Heading(text="rule"),
            Heading(text="place"),
            Heading(text="status"),
        ),
        rows=tuple(_parameters(shown)),
    )
    return _page(shown, "parameters", [sheet, settings_sheet(shown, with_members=False)])


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
            Heading(text=lr_heading(shown.plan), is_number=True),
            Heading(text="weight_decay", is_number=True),
            Heading(text="rule"),
        ),
        rows=tuple(_branch(line, shown, scale) for line in lines),
    )
    return _page(shown, "module tree", [sheet])


def groups_page(shown: Selection) -> Page:
    """A row per setting, with its members."""
    return _page(shown, "settings", [settings_sheet(shown, with_members=True)])


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
    return _page(shown, "options and keys", [without_empty(sheet)])


def layers_page(shown: Selection) -> Page:
    """A row per layer, from the input on."""
    found = ramp(shown.rows)
    scale, patterns = lr_scale(shown), member_patterns(shown.plan, found)
    sheet = Sheet(
        title=ramp_text(shown, found),
        headings=(
            Heading(text="layer", is_number=True),
            Heading(text="lr_scale", is_number=True),
            Heading(text=lr_heading(shown.plan), is_number=True),
            Heading(text="weight_decay", is_number=True),
            Heading(text="parameters", is_number=True),
            Heading(text="elements", is_number=True),
            Heading(text="names"),
        ),
        rows=tuple(
            (
                Value(lines=(layer_text(step),) if layer_text(step) else (), order=step.layer),
                span_value(span_of(step.scales), None) if step.scales else Value(),
                span_value(lr_span(step.kinds), scale),
                span_value(weight_decay_span(step.kinds), None),
                count_value(len(step.names)),
                count_value(step.elements, count_text(step.elements)),
                Value(lines=texts, is_name=True),
            )
            for step, texts in zip(found, patterns, strict=True)
        ),
    )
    return _page(shown, "layers", [without_empty(sheet)])


def _page(shown: Selection, view: str, sheets: Iterable[Sheet]) -> Page:
    plan = shown.plan
    config = [plan.config] if plan.config is not None else []
    narrowing = narrowing_text(plan, shown.rows, shown.narrowing) if shown.narrowing else ""
    return Page(
        title=model_name(plan),
        view=view,
        facts=(
            *filter(None, [not_final_text(plan)]),
            *config,
            model_text(plan),
            *optimizer_texts(plan),
            *constructor_texts(plan),
            *head_facts(plan),
        ),
        sheets=tuple(sheets),
        closing=(*coverage_lines(plan, color=False), *filter(None, [shown.idle])),
        narrowing=narrowing,
    )


def _parameters(shown: Selection) -> Iterator[tuple[Value, ...]]:
    carriers = carriers_of(shown.plan.parameters)
    kind_of = kinds_by_rule()
    shared: dict[Hashable, tuple[Value, ...]] = {}
    for row in shown.rows:
        tone, kind = STATUS_TONES[row.status], kind_of(row)
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
    (label,) = kind_cells([RowKind(first=row, names=1)], carriers)
    return (
        number_value(row.lr),
        number_value(row.weight_decay),
        name_value(label.text, tone=STATUS_TONES[row.status]),
        name_value(origin_text(row)),
        Value(lines=(row.status.value,), tone=STATUS_TONES[row.status]),
    )


def _branch(line: TreeLine, shown: Selection, scale: LogScale | None) -> tuple[Value, ...]:
    subtree = line.branch.subtree
    tone = STATUS_TONES[line.kinds[0].first.status] if len(line.kinds) == 1 else ""
    return (
        name_value(subtree.name or root_name(shown), above=line.above, tone=tone),
        count_value(subtree.parameters),
        count_value(subtree.elements, count_text(subtree.elements)),
        span_value(lr_span(line.kinds), scale),
        span_value(weight_decay_span(line.kinds), None),
        Value(lines=tuple(label.text for label in line.labels), is_name=True, tone=tone),
    )


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
