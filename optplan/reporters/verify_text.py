"""A verification as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from optplan.errors import listed
from optplan.reporters.layout import Cell, Column, cell_len, paint, table, visible
from optplan.reporters.summary import head_lines, setting_text, value_text
from optplan.reporters.verify_cost import cost_lines
from optplan.reporters.words import number, plural, shape_text
from optplan.verify.results import (
    Mismatch,
    Movement,
    MovementResult,
    Oracle,
    ParameterResult,
    RealStep,
    Verification,
    count_movements,
)

_WORDS = {
    Movement.MOVED: "moved as planned",
    Movement.STILL: "stood still as planned",
    Movement.DEVIATES: "deviating",
    Movement.BELOW_RESOLUTION: "below resolution",
    Movement.UNCHECKED: "not checked",
}
_STYLES = {
    Movement.MOVED: "",
    Movement.STILL: "dim",
    Movement.DEVIATES: "red",
    Movement.BELOW_RESOLUTION: "red",
    Movement.UNCHECKED: "yellow",
}
_LABELS = 12
_MOST = 5
_MOST_DEPARTING = 24
_MOST_HOOKS = 8


def verify_text(found: Verification, *, width: int | None, color: bool) -> str:
    """What was verified, how, what was found, and the verdict.

    Args:
        found: What to print.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    lines = [
        *head_lines(found.plan, width, color),
        *_wrapped(_where(found), width, 1),
        "",
        *_stages(found, width, color),
        *_mismatches(found.mismatches, width, color),
        *_deviations(found, width, color),
        *_settings(found, width, color),
        *cost_lines(found.cost, width, color),
        "",
        *_remarks(found, width),
        _verdict(found, color),
    ]
    return "\n".join(lines) + "\n"


def _where(found: Verification) -> str:
    place = found.place
    device = f"on {place.device}" + (f" ({place.chosen})" if place.chosen else "")
    words = [device, _dtypes(found), plural(place.steps, "step"), f"seed {place.seed}"]
    if place.parallel is not None:
        words.append(f"{place.parallel} on {place.processes} processes")
    if found.plan_source is not None:
        words.append(f"against the plan in {found.plan_source}")
    return visible(" · ".join(words))


def _stages(found: Verification, width: int | None, color: bool) -> Iterator[str]:
    """One line for each thing that was done."""
    yield from _stage("groups", _groups_text(found), width, color)
    yield from _stage("float64", _moved_text(found, exact=True), width, color)
    if any(one.trained is not None for one in found.parameters):
        name = found.place.dtypes[0] if len(found.place.dtypes) == 1 else "training"
        yield from _stage(name, _moved_text(found, exact=False), width, color)
    for index, text in enumerate(map(_oracle_text, found.oracles)):
        yield from _stage("" if index else "formula", text, width, color)
    for index, text in enumerate(_hook_texts(found.hooks)):
        yield from _stage("" if index else "hooks", text, width, color)
    for index, text in enumerate(_step_texts(found)):
        yield from _stage("" if index else "real step", text, width, color)


def _oracle_text(one: Oracle) -> Cell:
    if one.formula is None:
        return Cell(f"no second oracle for {one.class_name}: {one.reason}", "dim")
    return Cell(f"{one.formula}, one tensor at a time: {one.reason}")


def _hook_texts(hooks: Sequence[str]) -> Iterator[Cell]:
    for text in hooks[:_MOST_HOOKS]:
        yield Cell(text, "yellow")
    if len(hooks) > _MOST_HOOKS:
        yield Cell(f"and {len(hooks) - _MOST_HOOKS} more", "yellow")


def _stage(label: str, cell: Cell, width: int | None, color: bool) -> list[str]:
    lines = _wrapped(visible(cell.text), width, _LABELS + 1)
    first, *others = [line.strip() for line in lines]
    return [
        f" {label:<{_LABELS}}{paint(Cell(first, cell.style), color)}",
        *(" " * (_LABELS + 1) + paint(Cell(line, cell.style), color) for line in others),
    ]


def _groups_text(found: Verification) -> Cell:
    count = plural(found.groups, "group")
    if found.mismatches:
        return Cell(f"{count}, not as planned", "red")
    return Cell(f"{count} as planned: values, members, order")


def _moved_text(found: Verification, *, exact: bool) -> Cell:
    moved = [one.exact if exact else one.trained for one in found.parameters]
    counts = count_movements(tuple(one for one in moved if one is not None))
    words = [f"{count} {_WORDS[movement]}" for movement, count in counts.items() if count]
    worst = max(
        (movement for movement, count in counts.items() if count),
        key=list(_STYLES).index,
        default=Movement.STILL,
    )
    style = _STYLES[worst] if worst is not Movement.STILL else ""
    return Cell(f"{plural(sum(counts.values()), 'parameter')}: " + ", ".join(words), style)


def _step_texts(found: Verification) -> Iterator[Cell]:
    step = found.step
    if not isinstance(step, RealStep):
        yield Cell(step.reason, "dim")
        return
    shapes = ", ".join(map(shape_text, step.inputs))
    amp = f", {step.amp} by autocast" if step.amp else ""
    yield Cell(f"input {shapes}{amp}, loss {number(step.loss)}")
    for names, noun, what, style in (
        (step.without_gradient, "parameter", "without gradient", "yellow"),
        (step.unmoved, "parameter", "too little to move, despite a gradient", "yellow"),
        (step.changed_parameters, "parameter", "changed, though frozen or of lr 0", "red"),
        (step.changed_buffers, "buffer", "changed in frozen parts or such of lr 0", "yellow"),
    ):
        if names:
            yield Cell(f"{plural(len(names), noun)} {what}: {listed(names, most=_MOST)}", style)


def _mismatches(found: Sequence[Mismatch], width: int | None, color: bool) -> Iterator[str]:
    """Both sides of each, and whom it concerns."""
    if not found:
        return
    yield ""
    yield " " + paint(Cell("not as planned", "red"), color)
    for one in found:
        sides = f"planned {_side(one.planned)}, built {_side(one.built)}"
        yield from _wrapped(visible(f"{one.what}: {sides}"), width, 2)
        if one.parameters:
            yield from _wrapped(visible(_whom(one.parameters)), width, 4)


def _side(value: object) -> str:
    return repr(value) if isinstance(value, float) else value_text(value)


def _whom(names: Sequence[str]) -> str:
    return f"{plural(len(names), 'parameter')}: {listed(names, most=_MOST)}"


def _deviations(found: Verification, width: int | None, color: bool) -> Iterator[str]:
    """Parameters that went otherwise, those with one reason together."""
    for movement in (Movement.DEVIATES, Movement.BELOW_RESOLUTION, Movement.UNCHECKED):
        by_reason = _by_reason(found.parameters, movement)
        if not by_reason:
            continue
        title = _title(movement, found, sum(map(len, by_reason.values())))
        yield ""
        yield " " + paint(Cell(visible(title), _STYLES[movement]), color)
        for (is_exact, reason), names in by_reason.items():
            most = _MOST_DEPARTING if movement is Movement.DEVIATES else _MOST
            yield from _wrapped(visible(listed(names, most=most)), width, 2)
            if reason:
                where = "float64" if is_exact else _dtypes(found)
                yield from _wrapped(visible(f"in {where}: {reason}"), width, 4)


def _title(movement: Movement, found: Verification, count: int) -> str:
    if movement is not Movement.BELOW_RESOLUTION:
        return _WORDS[movement]
    return f"update below {_dtypes(found)} resolution: {plural(count, 'parameter')} would not move"


def _dtypes(found: Verification) -> str:
    return ", ".join(found.place.dtypes)


def _by_reason(
    parameters: Iterable[ParameterResult], movement: Movement
) -> Mapping[tuple[bool, str], list[str]]:
    found: dict[tuple[bool, str], list[str]] = {}
    for one in parameters:
        # what departs in float64 departs in the training's dtype for the same reason
        trained = None if one.exact.movement is Movement.DEVIATES else one.trained
        pairs: tuple[tuple[bool, MovementResult | None], ...] = (
            (True, one.exact),
            (False, trained),
        )
        for is_exact, moved in pairs:
            if moved is not None and moved.movement is movement:
                # how much is lost is another for each, and in the JSON
                reason = moved.reason if movement is not Movement.BELOW_RESOLUTION else ""
                found.setdefault((is_exact, reason), []).append(one.name)
    return found


def _settings(found: Verification, width: int | None, color: bool) -> Iterator[str]:
    """Each setting with the values that were seen."""
    rows = [(Cell("setting", "dim"), *(Cell(w, "dim") for w in _HEADS))]
    for setting in found.plan.settings:
        members = [one for one in found.parameters if one.setting == setting.index]
        rates = [one.measured.lr for one in members if one.measured.lr is not None]
        decays = [
            one.measured.weight_decay for one in members if one.measured.weight_decay is not None
        ]
        rows.append(
            (
                Cell(setting_text(setting, found.plan)),
                Cell(str(len(members))),
                _seen(rates, setting.lr),
                _seen(decays, setting.weight_decay),
            )
        )
    yield ""
    columns = (Column(shrink_to=24), Column(right=True), Column(right=True), Column(right=True))
    yield from table(columns, rows, width=width, color=color, indent=1)


_HEADS = ("parameters", "lr measured", "decay measured")


def _seen(values: Sequence[float], planned: float | None) -> Cell:
    """One value where all agree in what is shown, else the ends of their range."""
    if not values:
        return Cell("–", "dim")
    ends = (_without_rounding(value, planned) for value in (min(values), max(values)))
    texts = list(dict.fromkeys(map(number, ends)))
    agrees = planned is not None and all(abs(v - planned) <= 1e-6 * abs(planned) for v in values)
    return Cell(" to ".join(texts), "green" if agrees else "red")


def _without_rounding(value: float, planned: float | None) -> float:
    """The planned value where only rounding is between them."""
    is_planned = planned is not None and abs(value - planned) <= 1e-9 * abs(planned)
    return planned if is_planned and planned is not None else value


def _remarks(found: Verification, width: int | None) -> Iterator[str]:
    for remark in found.remarks:
        yield from _wrapped(visible(remark), width, 1)


def _verdict(found: Verification, color: bool) -> str:
    if not found.matches:
        return " " + paint(Cell(_failure(found), "red"), color)
    unchecked = [f"what {name} does around its optimizer" for name in found.wrappers]
    if found.unchecked:
        unchecked.insert(0, plural(len(found.unchecked), "parameter"))
    if unchecked:
        text = f"matches as far as it was checked: {' and '.join(unchecked)} could not be"
        return " " + paint(Cell(text, "yellow"), color)
    return " " + paint(Cell("matches: every parameter got what the plan says", "green"), color)


def _failure(found: Verification) -> str:
    concerned = {name for mismatch in found.mismatches for name in mismatch.parameters}
    concerned |= {one.name for one in found.against_plan}
    if isinstance(found.step, RealStep):
        concerned |= set(found.step.changed_parameters)
    if not concerned:
        return "does not match"
    return f"does not match: {plural(len(concerned), 'parameter')} not as planned"


def _wrapped(text: str, width: int | None, indent: int) -> list[str]:
    """A visible text in as many lines as it takes."""
    if width is None or cell_len(text) + indent <= width:
        return [" " * indent + text]
    return [" " * indent + part for part in wrap(text, max(width - indent, 20))]
