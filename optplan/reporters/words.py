"""Write numbers, shapes and rules in the words that every reporter uses."""

from __future__ import annotations

from collections.abc import Container, Iterable

from optplan.errors import quoted
from optplan.names import LR_OPTIONS, WEIGHT_DECAY_OPTIONS, Rule, Status
from optplan.places import Place
from optplan.plan import PlannedParameter, RuleUse

RULE_STYLES = {rule: rule.style for rule in Rule}

STATUS_STYLES = {
    Status.OPTIMIZED: "",
    Status.FROZEN: "quiet",
    Status.DUPLICATE: "quiet",
    Status.UNCOVERED: "alarm",
}

# These can only ever decide one of the two, so that it goes without saying which.
_ONE_SIDED = {*LR_OPTIONS.values()} ^ {*WEIGHT_DECAY_OPTIONS.values(), Rule.NO_WEIGHT_DECAY}


def number(value: float | None) -> str:
    """Return a value in at most six significant digits; '–' for none."""
    return "–" if value is None else f"{value:.6g}"


def shape_text(shape: tuple[int, ...], times: str = "×") -> str:
    """Return ``64×3×7×7``; ``scalar`` for no dimensions."""
    return times.join(map(str, shape)) if shape else "scalar"


def count_text(count: int) -> str:
    """Return a count in three significant digits: ``25.6 M``."""
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if count >= size * 0.9995:
            return f"{count / size:#.3g}".rstrip(".") + f" {unit}"
    return str(count)


def plural(count: int, noun: str) -> str:
    """Return ``1 parameter``, ``2 parameters``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}".replace(",", " ")


def percent(part: int, whole: int) -> str:
    """Return a share; what is there but too small to show is ``<0.1%``."""
    if not whole:
        return "0%"
    share = 100 * part / whole
    return "<0.1%" if 0 < share < 0.05 else f"{share:.1f}%"


def rule_text(parameter: PlannedParameter, *, short: bool = False) -> str:
    """Return what decided a parameter, in one cell; the status where nothing did.

    Args:
        parameter: A row of the plan.
        short: Leave out the word ``custom_key``, which the quotes around a key stand for.
    """
    lr, decay = parameter.lr_rule, parameter.weight_decay_rule
    if lr is None:
        return parameter.status.value
    text = _uses_text(lr, decay, short)
    if not short and Rule.SET in (lr.rule, decay and decay.rule):
        text += f", group {parameter.group}"
    return f"{text} · frozen" if parameter.status is Status.FROZEN else text


def duplicate_text(parameter: PlannedParameter, primary: Container[str]) -> str:
    """Return which name carries the tensor of a duplicate."""
    carrier = next(name for name in parameter.aliases if name in primary)
    return f"{parameter.status.value} of {carrier}"


def primary_names(parameters: Iterable[PlannedParameter]) -> frozenset[str]:
    """Return the names that carry their tensors."""
    return frozenset(row.name for row in parameters if row.status is not Status.DUPLICATE)


def rule_style(parameter: PlannedParameter) -> str:
    """Return the colour of the rule that is worth one: the first that is not the default."""
    return uses_style(parameter.lr_rule, parameter.weight_decay_rule)


def origin_text(parameter: PlannedParameter) -> str:
    """Return ``file:line`` of the rule that is not the default; '' where only the default decides."""
    return uses_place(parameter.lr_rule, parameter.weight_decay_rule)


def uses_style(*uses: RuleUse | None) -> str:
    """Return the colour of the first rule that is not the default."""
    for use in uses:
        if use is not None and use.rule is not Rule.DEFAULT:
            return RULE_STYLES[use.rule]
    return ""


def uses_place(*uses: RuleUse | None) -> str:
    """Return ``file:line`` of the first rule that is not the default and has a place."""
    for use in uses:
        if use is not None and use.rule is not Rule.DEFAULT and use.origin is not None:
            return where_text(use.origin.file, use.origin.line)
    return ""


def where_text(file: str, line: int) -> str:
    """Return ``a.py:3``; the word alone for what stands in no file, such as ``--set``."""
    return f"{file}:{line}" if line else file


def place_text(place: Place | None) -> str:
    """Return ``file:line``; '' for no place."""
    return where_text(place.source.name, place.line) if place is not None else ""


def place_data(place: Place | None) -> dict[str, object] | None:
    """Return a place for JSON."""
    if place is None:
        return None
    return {"file": place.source.name, "line": place.line, "column": place.column}


def rules_of(parameters: Iterable[PlannedParameter]) -> dict[Rule, int]:
    """Return how many parameters each rule decides, alone or beside another, in the rules' order."""
    counts = dict.fromkeys(Rule, 0)
    for parameter in parameters:
        for rule in deciding_rules(parameter):
            counts[rule] += 1
    return {rule: count for rule, count in counts.items() if count}


def deciding_rules(parameter: PlannedParameter) -> frozenset[Rule]:
    """Return the rules behind a row; the default only where it decides alone."""
    uses = (parameter.lr_rule, parameter.weight_decay_rule)
    rules = frozenset(use.rule for use in uses if use is not None)
    return rules - {Rule.DEFAULT} or rules


def _uses_text(lr: RuleUse, decay: RuleUse | None, short: bool) -> str:
    if decay is None or decay.rule is Rule.DEFAULT:
        return _noted(_one(lr, "lr", short), lr, short)
    if lr.rule is Rule.DEFAULT:
        return _noted(_one(decay, "decay", short), decay, short)
    if (lr.rule, lr.key) != (decay.rule, decay.key) and lr.note and lr.note != decay.note:
        aside = "" if short else f" ({lr.note})"
        return f"{_one(lr, 'lr', short)}{aside}, {_one(decay, 'decay', short)}"
    return _noted(_both(lr, decay, short), lr, short)


def _noted(text: str, use: RuleUse, short: bool) -> str:
    return text if short or use.note is None else f"{text}, {use.note}"


def _both(lr: RuleUse, decay: RuleUse, short: bool) -> str:
    if lr.rule is decay.rule is Rule.SET:
        return _name(lr, short)
    if (lr.rule, lr.key) != (decay.rule, decay.key):
        return f"{_one(lr, 'lr', short)}, {_one(decay, 'decay', short)}"
    name = _name(lr, short)
    if lr.mult == decay.mult and lr.mult is not None:
        return f"{name} {_factor(lr)}"
    changes = [
        f"{setting} {_factor(use)}"
        for setting, use in (("lr", lr), ("decay", decay))
        if use.mult != 1
    ]
    return f"{name} {', '.join(changes)}"


def _one(use: RuleUse, setting: str, short: bool) -> str:
    if use.rule is Rule.DEFAULT:
        return "default"
    if use.rule is Rule.SET:
        return f"{setting} {_name(use, short)}"
    which = "" if use.rule in _ONE_SIDED else f"{setting} "
    return f"{_name(use, short)} {which}{_factor(use)}"


def _name(use: RuleUse, short: bool = False) -> str:
    if use.constructor is not None and not short:
        by = "by " if use.rule is Rule.SET else ""
        return f"{use.rule.value} {by}{use.constructor}"
    if use.key is None:
        return use.rule.value
    return quoted(use.key) if short else f"{use.rule.value} {quoted(use.key)}"


def _factor(use: RuleUse) -> str:
    return "set" if use.mult is None else f"×{use.mult:.6g}"


def use_text(use: RuleUse) -> str:
    """Return what one rule does to one value: ``norm ×0``, ``'head' ×10``, ``default``."""
    if use.rule is Rule.DEFAULT:
        return "default"
    return _name(use) if use.rule is Rule.SET else f"{_name(use, short=True)} {_factor(use)}"
