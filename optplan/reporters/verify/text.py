"""A verification as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType

from optplan.errors import listed
from optplan.plan import Setting
from optplan.reporters.formats import terminal
from optplan.reporters.formats.report import Cell, Field, Only, count_cell, sheet_of
from optplan.reporters.formats.terminal import Blank, Paragraph, sheet_table
from optplan.reporters.plan_summary import head_blocks, setting_text, value_text
from optplan.reporters.verify.cost import cost_blocks
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
    Movement.DEVIATES: "alarm",
    Movement.BELOW_RESOLUTION: "alarm",
    Movement.UNCHECKED: "yellow",
}
_LABELS = 12
_MOST = 5
_MOST_DEPARTING = 24
_MOST_HOOKS = 8


def render(found: Verification, *, width: int | None, color: bool) -> str:
    """Return what was verified, how, what was found, and the verdict.

    Args:
        found: The verification.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    return terminal.render(_blocks(found), width=width, color=color)


def _blocks(found: Verification) -> Iterator[RenderableType]:
    yield from head_blocks(found.plan)
    yield Paragraph(_where(found))
    yield Blank()
    yield from _stages(found)
    yield from _mismatches(found.mismatches)
    yield from _deviations(found)
    yield from _settings(found)
    yield from cost_blocks(found.cost)
    yield Blank()
    yield from map(Paragraph, found.remarks)
    yield _verdict(found)


def _where(found: Verification) -> str:
    place = found.place
    device = f"on {place.device}" + (f" ({place.chosen})" if place.chosen else "")
    words = [device, _dtypes(found), plural(place.steps, "step"), f"seed {place.seed}"]
    if place.parallel is not None:
        words.append(f"{place.parallel} on {place.processes} processes")
    if found.plan_source is not None:
        words.append(f"against the plan in {found.plan_source}")
    return " · ".join(words)


def _stages(found: Verification) -> Iterator[RenderableType]:
    """Yield a line for each thing that was done, with its name before the first of each kind."""
    name = found.place.dtypes[0] if len(found.place.dtypes) == 1 else "training"
    is_trained = any(one.trained is not None for one in found.parameters)
    stages: tuple[tuple[str, Iterable[Cell]], ...] = (
        ("groups", [_groups_text(found)]),
        ("float64", [_moved_text(found, exact=True)]),
        (name, [_moved_text(found, exact=False)] if is_trained else []),
        ("formula", map(_oracle_text, found.oracles)),
        ("hooks", _hook_texts(found.hooks)),
        ("real step", _step_texts(found)),
    )
    for label, cells in stages:
        for index, cell in enumerate(cells):
            told = "" if index else label
            text = (cell.text, cell.style)
            yield Paragraph(f"{told:<{_LABELS}}", text, hanging=_LABELS)


def _oracle_text(one: Oracle) -> Cell:
    if one.formula is None:
        return Cell(f"no second oracle for {one.class_name}: {one.reason}", "dim")
    return Cell(f"{one.formula}, one tensor at a time: {one.reason}")


def _hook_texts(hooks: Sequence[str]) -> Iterator[Cell]:
    for text in hooks[:_MOST_HOOKS]:
        yield Cell(text, "yellow")
    if len(hooks) > _MOST_HOOKS:
        yield Cell(f"and {len(hooks) - _MOST_HOOKS} more", "yellow")


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


def _mismatches(found: Sequence[Mismatch]) -> Iterator[RenderableType]:
    """Yield both sides of each mismatch, and the parameters that it concerns."""
    if not found:
        return
    yield Blank()
    yield Paragraph("not as planned", style="alarm")
    for one in found:
        sides = f"planned {_side(one.planned)}, built {_side(one.built)}"
        yield Paragraph(f"{one.what}: {sides}", indent=2)
        if one.parameters:
            yield Paragraph(
                f"{plural(len(one.parameters), 'parameter')}: {listed(one.parameters, most=_MOST)}",
                indent=4,
            )


def _side(value: object) -> str:
    return repr(value) if isinstance(value, float) else value_text(value)


def _deviations(found: Verification) -> Iterator[RenderableType]:
    """Yield the parameters that moved otherwise, those with one reason together."""
    for movement in (Movement.DEVIATES, Movement.BELOW_RESOLUTION, Movement.UNCHECKED):
        by_reason = _by_reason(found.parameters, movement)
        if not by_reason:
            continue
        title = _title(movement, found, sum(map(len, by_reason.values())))
        yield Blank()
        yield Paragraph(title, style=_STYLES[movement])
        for (is_exact, reason), names in by_reason.items():
            most = _MOST_DEPARTING if movement is Movement.DEVIATES else _MOST
            yield Paragraph(listed(names, most=most), indent=2)
            if reason:
                where = "float64" if is_exact else _dtypes(found)
                yield Paragraph(f"in {where}: {reason}", indent=4)


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


def _settings(found: Verification) -> Iterator[RenderableType]:
    """Yield each setting with the values that were measured."""
    members: dict[int | None, list[ParameterResult]] = {}
    for one in found.parameters:
        members.setdefault(one.setting, []).append(one)

    def of(setting: Setting) -> list[ParameterResult]:
        return members.get(setting.index, [])

    def lr(setting: Setting) -> Cell:
        return _seen([one.measured.lr for one in of(setting)], setting.lr)

    def decay(setting: Setting) -> Cell:
        return _seen([one.measured.weight_decay for one in of(setting)], setting.weight_decay)

    fields: tuple[Field[Setting], ...] = (
        Field("setting", lambda one: Cell(setting_text(one, found.plan)), shrink_to=20),
        Field("parameters", lambda one: count_cell(len(of(one))), short="params", is_number=True),
        Field("lr measured", lr, short="lr", is_number=True),
        Field("decay measured", decay, short="decay", is_number=True),
    )
    yield Blank()
    yield sheet_table(sheet_of("", fields, found.plan.settings, Only.TEXT))


def _seen(measured: Iterable[float | None], planned: float | None) -> Cell:
    """Return one value where all agree in what is shown, else the ends of their range."""
    values = [value for value in measured if value is not None]
    if not values:
        return Cell("–", "dim")
    ends = (_without_rounding(value, planned) for value in (min(values), max(values)))
    texts = list(dict.fromkeys(map(number, ends)))
    agrees = planned is not None and all(abs(v - planned) <= 1e-6 * abs(planned) for v in values)
    return Cell(" to ".join(texts), "green" if agrees else "red")


def _without_rounding(value: float, planned: float | None) -> float:
    """Return the planned value where only rounding is between them."""
    is_planned = planned is not None and abs(value - planned) <= 1e-9 * abs(planned)
    return planned if is_planned and planned is not None else value


def _verdict(found: Verification) -> Paragraph:
    if not found.matches:
        return Paragraph(_failure(found), style="alarm")
    unchecked = [f"what {name} does around its optimizer" for name in found.wrappers]
    if found.unchecked:
        unchecked.insert(0, plural(len(found.unchecked), "parameter"))
    if unchecked:
        text = f"matches as far as it was checked: {' and '.join(unchecked)} could not be"
        return Paragraph(text, style="yellow")
    return Paragraph("matches: every parameter got what the plan says", style="green")


def _failure(found: Verification) -> str:
    concerned = {name for mismatch in found.mismatches for name in mismatch.parameters}
    concerned |= {one.name for one in found.against_plan}
    if isinstance(found.step, RealStep):
        concerned |= set(found.step.changed_parameters)
    if not concerned:
        return "does not match"
    return f"does not match: {plural(len(concerned), 'parameter')} not as planned"
