"""Explanations as text and as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from optplan.errors import quoted
from optplan.names import Rule
from optplan.places import Place
from optplan.plan import Plan, PlannedParameter
from optplan.plan.explanation import Explained, Explanation
from optplan.plan.serial import extras_to_dict, words_to_dict
from optplan.reporters.formats.terminal import Cell, Column, cell_len, paint, table, visible
from optplan.reporters.plan_summary import wrapped
from optplan.reporters.words import RULE_STYLES, number, shape_text, where_text
from optplan.rules import Candidate, Outcome, Verdict

_VALUE_COLUMNS = (Column(), Column(), Column(), Column(shrink_to=20), Column())
_CANDIDATE_COLUMNS = (Column(), Column(), Column(), Column(), Column())
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
) -> str:
    """The explanations one after another.

    Args:
        explanations: What to print.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
        warning: What to say above all else.
        rules: Whose rules hold.
    """
    told = ((warning, "yellow"), (rules, "dim"))
    head = [
        paint(Cell(line, style), color) for text, style in told for line in wrapped(text, width)
    ]
    blocks = [head] if head else []
    blocks += [_block(explanation, width, color) for explanation in explanations]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _block(explanation: Explanation, width: int | None, color: bool) -> list[str]:
    row = explanation.row
    words = [shape_text(row.shape), row.module.rpartition(".")[2]]
    if not row.requires_grad:
        words.append("frozen")
    if row.aliases:
        words.append("tied to " + ", ".join(row.aliases))
    lines = _head(visible(row.name), visible("   ".join(words)), width, color)
    if explanation.note:
        lines += _wrapped(visible(explanation.note), width, indent=2)
    if explanation.values:
        lines += _values(explanation, width, color)
        lines += _considered(explanation, width, color)
    return lines


def _head(name: str, facts: str, width: int | None, color: bool) -> list[str]:
    """The name and what it is, below it where there is no room beside it."""
    painted = paint(Cell(name, "bold"), color)
    if width is None or cell_len(name) + 3 + cell_len(facts) <= width:
        return [f"{painted}   {facts}"]
    return [painted, *_wrapped(facts, width, indent=2)]


def _wrapped(text: str, width: int | None, *, indent: int) -> list[str]:
    """A visible text in as many lines as it takes."""
    from textwrap import wrap

    parts = [text] if width is None else wrap(text, max(width - indent, 20))
    return [" " * indent + part for part in parts]


def _values(explanation: Explanation, width: int | None, color: bool) -> list[str]:
    rows = [
        (
            Cell(value.setting if value.effective is None else f"effective {value.setting}"),
            Cell(number(value.value if value.effective is None else value.effective), "bold"),
            Cell(_product(value)),
            Cell(_use_text(value, explanation.row), RULE_STYLES[value.use.rule]),
            Cell(_origin_text(value), "dim"),
        )
        for value in explanation.values
    ]
    lines = table(_VALUE_COLUMNS, rows, width=width, color=color, indent=2)
    for value in explanation.values:
        if value.effective is not None:
            scale = number(explanation.row.lr_scale)
            text = f"its group has {value.setting} {number(value.value)}; a scheduler of timm applies lr_scale {scale}"
            lines += _wrapped(text, width, indent=2)
    places = {
        (value.place.source.name, value.place.line): value.place
        for value in explanation.values
        if value.place
    }
    for place in places.values():
        lines += _source_line(place, width, color)
    return lines


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
    """Whether a function's group has no value of its own: then nobody multiplied anything."""
    return value.use.rule is Rule.DEFAULT and value.use.constructor is not None


def _origin_text(value: Explained) -> str:
    place = value.place
    if place is None:
        return "" if value.base_is_set else "not set in the config: the optimizer's own default"
    return _where(place) + (f":{place.column}" if place.line else "")


def _source_line(place: Place, width: int | None, color: bool) -> list[str]:
    """The line that a value comes from."""
    text = place.source.line(place.line).strip()
    if not text:
        return []
    cells = [Cell(f"{place.line:>5} │", "dim"), Cell(text, "dim")]
    return table(
        (Column(), Column(shrink_to=20)), [cells], width=width, color=color, indent=2, gap=1
    )


def _considered(explanation: Explanation, width: int | None, color: bool) -> list[str]:
    rows = []
    for candidate, settings in _merged(explanation):
        outcome = candidate.outcome
        style = _OUTCOME_STYLES[outcome]
        who = _candidate_text(candidate.verdict)
        rows.append(
            (
                Cell(_OUTCOME_WORDS[outcome], style),
                Cell(who),
                Cell(settings, "dim"),
                Cell(candidate.reason),
                Cell(_where(candidate.verdict.place), "dim"),
            )
        )
    if explanation.unmatched_keys:
        rows.append(
            (
                Cell("no", "dim"),
                Cell(_key_rule(explanation).value),
                Cell(""),
                Cell(_unmatched(explanation)),
                Cell(""),
            )
        )
    if not rows:
        return []
    # a line's styles take no room, so that its length is measured without them
    lines = table(_CANDIDATE_COLUMNS, rows, width=None, color=False, indent=4)
    if width is not None and any(cell_len(line) > width for line in lines):
        lines = _stacked(rows, width, color)
    elif color:
        lines = table(_CANDIDATE_COLUMNS, rows, width=None, color=True, indent=4)
    return ["  considered", *lines]


def _merged(explanation: Explanation) -> list[tuple[Candidate, str]]:
    """The candidates, those for lr and weight decay together where they fared alike."""
    found: dict[tuple[str | None, str | None, Outcome, str], tuple[Candidate, list[str]]] = {}
    for value in explanation.values:
        for candidate in value.candidates:
            verdict = candidate.verdict
            key = (verdict.key, verdict.option, candidate.outcome, candidate.reason)
            found.setdefault(key, (candidate, []))[1].append(candidate.setting)
    return [(candidate, ", ".join(settings)) for candidate, settings in found.values()]


def _where(place: Place | None) -> str:
    return where_text(place.source.name, place.line) if place is not None else ""


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
    """Whether keys or patterns were looked for."""
    return Rule.CUSTOM_KEY if explanation.matcher is None else Rule.REGEX


def _stacked(rows: Sequence[tuple[Cell, ...]], width: int, color: bool) -> list[str]:
    """For a narrow terminal: each reason on lines of its own, below its candidate."""
    lines = []
    for outcome, who, settings, reason, where in rows:
        words = [paint(outcome, color), visible(who.text)]
        words += [paint(Cell(visible(c.text), c.style), color) for c in (settings, where) if c.text]
        lines += ["    " + "  ".join(words), *_wrapped(visible(reason.text), width, indent=8)]
    return lines


def explain_json(plan: Plan, explanations: Sequence[Explanation]) -> str:
    """The explanations as ``schemas/explain-1.0.schema.json`` describes them."""
    data = {
        "format_version": "1.0",
        "config": plan.config,
        "model": plan.model.spec,
        **extras_to_dict(plan),
        "parameters": [_explanation_data(explanation) for explanation in explanations],
    }
    return json.dumps(data, indent=1) + "\n"


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
            "origin": _place_data(value.place),
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
        "origin": _place_data(verdict.place),
    }


def _place_data(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"file": place.source.name, "line": place.line, "column": place.column}
