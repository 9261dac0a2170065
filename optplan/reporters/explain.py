"""Lay out explanations as text and as data, and what a module gets in short; reasons are worded in ``rules``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from optplan.errors import quoted
from optplan.names import Rule, Status
from optplan.plan import Plan, PlannedParameter
from optplan.plan.explanation import Explained, Explanation
from optplan.plan.serial import extras_to_dict, words_to_dict
from optplan.reporters.formats.json import json_text
from optplan.reporters.formats.report import Cell, Column
from optplan.reporters.selection import Selection
from optplan.reporters.show.settings import declare
from optplan.reporters.words import (
    RULE_STYLES,
    count_text,
    number,
    place_data,
    place_text,
    plural,
    shape_text,
    use_text,
)
from optplan.rules import Candidate, Outcome, Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType

_VALUE_COLUMNS = (Column(), Column(), Column(optional=1), Column(shrink_to=12), Column())
_CANDIDATE_COLUMNS = (Column(), Column(), Column(), Column(below=8), Column())
_OUTCOME_STYLES = {Outcome.WON: "green", Outcome.LOST: "yellow", Outcome.NOT_APPLICABLE: "dim"}
_OUTCOME_WORDS = {Outcome.WON: "won", Outcome.LOST: "lost", Outcome.NOT_APPLICABLE: "no"}
_MOST_KEYS = 5


def explain_text(
    explanations: Sequence[Explanation],
    *,
    width: int | None,
    color: bool,
    warning: str = "",
    rules: str = "",
    more: Sequence[Iterable[RenderableType]] = (),
) -> str:
    """Return the explanations one after another.

    Args:
        explanations: What to print.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
        warning: What to say above all else.
        rules: Whose rules hold.
        more: What to say after them.
    """
    from optplan.reporters.formats.terminal import Blank, Paragraph, render

    told = [(text, style) for text, style in ((warning, "yellow"), (rules, "dim")) if text]
    blocks: list[RenderableType] = [Paragraph(one, indent=0) for one in told]
    for part in (*map(_blocks, explanations), *more):
        blocks += [*([Blank()] if blocks else []), *part]
    return render(blocks, width=width, color=color)


def _blocks(explanation: Explanation) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Paragraph, Table

    row = explanation.row
    words = [shape_text(row.shape), row.module.rpartition(".")[2]]
    if not row.requires_grad:
        words.append("frozen")
    if row.aliases:
        words.append("tied to " + ", ".join(row.aliases))
    head = [(Cell(row.name, "bold"), Cell("   ".join(words)))]
    yield Table((Column(), Column(below=2)), head, indent=0, gap=3)
    yield Paragraph(explanation.note or "", indent=2)
    if explanation.values:
        yield from _values(explanation)
        yield from _considered(explanation)


def _values(explanation: Explanation) -> Iterator[RenderableType]:
    from optplan.reporters.formats.excerpt import source_line
    from optplan.reporters.formats.terminal import Paragraph, Table

    rows = [
        (
            Cell(value.setting if value.effective is None else f"effective {value.setting}"),
            Cell(number(value.value if value.effective is None else value.effective), "bold"),
            Cell(_product(value)),
            Cell(
                _use_text(value, explanation.row), RULE_STYLES[value.use.rule], use_text(value.use)
            ),
            Cell(_origin_text(value), "dim"),
        )
        for value in explanation.values
    ]
    yield Table(_VALUE_COLUMNS, rows, indent=2)
    for value in explanation.values:
        if value.effective is not None:
            group = f"its group has {value.setting} {number(value.value)}"
            scale = f"a scheduler of timm applies lr_scale {number(explanation.row.lr_scale)}"
            yield Paragraph(f"{group}; {scale}", indent=2)
    places = {
        (value.place.source.name, value.place.line): value.place
        for value in explanation.values
        if value.place
    }
    for place in places.values():
        yield from source_line(place)


def _product(value: Explained) -> str:
    if value.use.mult is None:
        who = "group" if value.use.rule is Rule.REGEX else "key"
        return f"= set by the {who}" if value.use.key is not None else ""
    if value.base is None or _is_left_open(value):
        return ""
    product = f"= {number(value.base)} × {number(value.use.mult)}"
    if value.batch_factor is None:
        return product
    return f"{product} × {number(value.batch_factor)} (batch)"


def _use_text(value: Explained, row: PlannedParameter) -> str:
    use = value.use
    if use.key is not None:
        return f"{use.rule.value} {quoted(use.key)}"
    if use.option is not None:
        return f"{use.rule.value} ({use.option})"
    if use.constructor is not None and use.rule is not Rule.DEFAULT:
        if use.rule is Rule.SET:
            return f"set by {use.constructor}, group {row.group}"
        return f"{use.rule.value} {use.constructor}"
    if _is_left_open(value):
        return f"{use.rule.value} of the optimizer, group {row.group} sets none"
    return use.rule.value


def _is_left_open(value: Explained) -> bool:
    """Return whether a function's group has no value of its own: then nobody multiplied anything."""
    return value.use.rule is Rule.DEFAULT and value.use.constructor is not None


def _origin_text(value: Explained) -> str:
    place = value.place
    if place is None:
        return "" if value.base_is_set else "not set in the config: the optimizer's own default"
    return place_text(place) + (f":{place.column}" if place.line else "")


def _considered(explanation: Explanation) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Paragraph, Table

    rows = []
    for candidate, settings in _merged(explanation):
        outcome, verdict = candidate.outcome, candidate.verdict
        rows.append(
            (
                Cell(_OUTCOME_WORDS[outcome], _OUTCOME_STYLES[outcome]),
                Cell(_candidate_text(verdict)),
                Cell(settings, "dim"),
                Cell(candidate.reason),
                Cell(place_text(verdict.place), "dim"),
            )
        )
    if explanation.unmatched_keys:
        rule, unmatched = Cell(_key_rule(explanation).value), Cell(_unmatched(explanation))
        rows.append((Cell("no", "dim"), rule, Cell(), unmatched, Cell()))
    if rows:
        yield Paragraph("considered", indent=2)
        yield Table(_CANDIDATE_COLUMNS, rows, indent=4)


def _merged(explanation: Explanation) -> list[tuple[Candidate, str]]:
    """Return the candidates, those for lr and weight decay together where they fared alike."""
    found: dict[tuple[str | None, str | None, Outcome, str], tuple[Candidate, list[str]]] = {}
    for value in explanation.values:
        for candidate in value.candidates:
            verdict = candidate.verdict
            key = (verdict.key, verdict.option, candidate.outcome, candidate.reason)
            found.setdefault(key, (candidate, []))[1].append(candidate.setting)
    return [(candidate, ", ".join(settings)) for candidate, settings in found.values()]


def _candidate_text(verdict: Verdict) -> str:
    rule = verdict.rule.value
    return rule if verdict.key is None else f"{rule} {quoted(verdict.key)}"


def _unmatched(explanation: Explanation) -> str:
    keys = explanation.unmatched_keys
    more = len(keys) - _MOST_KEYS
    shown = ", ".join(map(quoted, keys[:_MOST_KEYS])) + (f" and {more} more" if more > 0 else "")
    what = "no match in" if _key_rule(explanation) is Rule.REGEX else "not in"
    return f"{what} {quoted(explanation.match_name)}: {shown}"


def _key_rule(explanation: Explanation) -> Rule:
    """Return whether keys or patterns were looked for."""
    return Rule.CUSTOM_KEY if explanation.matcher is None else Rule.REGEX


def explain_json(plan: Plan, explanations: Sequence[Explanation]) -> str:
    """Return the explanations as ``schemas/explain-1.0.schema.json`` describes them."""
    data = {
        "format_version": "1.0",
        "config": plan.config,
        "model": plan.model.spec,
        **extras_to_dict(plan),
        "parameters": [_explanation_data(explanation) for explanation in explanations],
    }
    return json_text(data)


def _explanation_data(explanation: Explanation) -> dict[str, Any]:
    row = explanation.row
    data: dict[str, Any] = {
        "name": row.name,
        "match_name": explanation.match_name,
        "shape": list(row.shape),
        "module": row.module,
        "status": row.status.value,
        "aliases": list(row.aliases),
        "note": explanation.note,
        "lr": None,
        "weight_decay": None,
        "unmatched_keys": list(explanation.unmatched_keys),
    }
    for value in explanation.values:
        factors = {"batch_factor": value.batch_factor, "effective": value.effective}
        data[value.setting] = {
            "value": value.value,
            **{name: factor for name, factor in factors.items() if factor is not None},
            "base": value.base,
            "mult": value.use.mult,
            "rule": value.use.rule.value,
            "option": value.use.option,
            "key": value.use.key,
            **words_to_dict(value.use),
            "origin": place_data(value.place),
            "line": value.place.source.line(value.place.line) if value.place else None,
            "candidates": [_candidate_data(candidate) for candidate in value.candidates],
        }
    return data


def _candidate_data(candidate: Candidate) -> dict[str, Any]:
    verdict = candidate.verdict
    return {
        "rule": verdict.rule.value,
        "option": verdict.option,
        "key": verdict.key,
        "value": verdict.value,
        "outcome": candidate.outcome.value,
        "reason": candidate.reason,
        "origin": place_data(verdict.place),
    }


def module_blocks(
    plan: Plan, module: str, rows: Sequence[PlannedParameter]
) -> Iterator[RenderableType]:
    """Yield how many parameters a module has, and each setting with what decided it.

    Args:
        plan: The plan.
        module: Its path, or a pattern of paths.
        rows: Its parameters.
    """
    from optplan.reporters.formats.terminal import Blank, Paragraph, Table

    counted = [row for row in rows if row.status is not Status.DUPLICATE]
    owners = dict.fromkeys(row.module.rpartition(".")[2] for row in rows)
    size = (
        plural(len(counted), "parameter"),
        count_text(sum(row.elements for row in counted)),
        ", ".join(owners),
    )
    head = [(Cell(module, "bold"), Cell("   ".join(size)))]
    yield Table((Column(), Column(below=2)), head, indent=0, gap=3)
    view = declare(Selection(plan=plan, rows=tuple(rows)))
    if view.blocks is not None:
        yield from view.blocks()
    yield Blank()
    yield Paragraph(f"each of them: optplan explain … '{module}.*'", style="dim", hanging=2)
