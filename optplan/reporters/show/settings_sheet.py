"""The settings of a plan as a table, for Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable

from optplan.plan.setting_members import Members, member_patterns, members_of
from optplan.reporters.formats.bars import LogScale
from optplan.reporters.formats.page import (
    Heading,
    Sheet,
    Value,
    count_value,
    name_value,
    without_empty,
)
from optplan.reporters.formats.page_values import STATUS_TONES, span_value
from optplan.reporters.lr_scaling import lr_heading
from optplan.reporters.plan_summary import besides_text
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import kind_cells, lr_span, weight_decay_span
from optplan.reporters.show.tree import lr_scale
from optplan.reporters.words import carriers_of, count_text, origin_text, percent, plural

_HEADINGS: tuple[Heading, ...] = (
    Heading(text="setting"),
    Heading(text="lr", is_number=True),
    Heading(text="weight_decay", is_number=True),
    Heading(text="parameters", is_number=True),
    Heading(text="elements", is_number=True),
    Heading(text="share", is_number=True),
    Heading(text="rules"),
)


def settings_sheet(shown: Selection, *, with_members: bool) -> Sheet:
    """A row per setting.

    Args:
        shown: The rows to sort into settings.
        with_members: Whether to list their members as patterns.
    """
    found = members_of(shown.plan, shown.rows)
    scale, carriers = lr_scale(shown), carriers_of(shown.plan.parameters)
    headings = tuple(
        Heading(text=lr_heading(shown.plan), is_number=True) if heading.text == "lr" else heading
        for heading in _HEADINGS
    )
    rows = [_setting(members, shown, scale, carriers) for members in found]
    if with_members:
        headings = (*headings, Heading(text="members"))
        patterns = member_patterns(shown.plan, found)
        rows = [
            (*row, Value(lines=texts, is_name=True))
            for row, texts in zip(rows, patterns, strict=True)
        ]
    return without_empty(
        Sheet(title=plural(len(found), "setting"), headings=headings, rows=tuple(rows))
    )


def _beside(members: Members, shown: Selection) -> Value:
    """What a setting is besides its lr and weight decay, or why there is none."""
    if members.setting is None:
        return name_value(f"{members.status.value}, in no group", tone=STATUS_TONES[members.status])
    return name_value(besides_text(members.setting, shown.plan))


def _setting(
    members: Members, shown: Selection, scale: LogScale | None, carriers: frozenset[str]
) -> tuple[Value, ...]:
    whole = shown.plan.model.elements
    return (
        _beside(members, shown),
        span_value(lr_span(members.kinds), scale),
        span_value(weight_decay_span(members.kinds), None),
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
