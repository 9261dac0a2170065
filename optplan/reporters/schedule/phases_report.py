"""What each parameter has over the phases of a training, declared once for all formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from optplan.errors import listed
from optplan.names import Status
from optplan.reporters.formats.plot import axis_for, curve_style
from optplan.reporters.formats.report import (
    Cell,
    Chart,
    ChartCurve,
    Column,
    Field,
    Only,
    Report,
    Sheet,
    count_cell,
    list_cell,
    sheet_of,
)
from optplan.reporters.formats.visible import cut
from optplan.reporters.plan_summary import model_name, model_text, optimizer_texts
from optplan.reporters.schedule.data import phases_data, phases_records
from optplan.reporters.schedule.phases import (
    InPhase,
    PhasedParameters,
    PhasesView,
    PhaseView,
    trained_course,
)
from optplan.reporters.schedule.report import SPEC_FIELDS
from optplan.reporters.schedule.view import ScheduleView, metric_notes, unread_notes, word_of
from optplan.reporters.words import number, plural
from optplan.schedule.specs import AnySpec

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

_ANEW = (
    "each phase makes its optimizer and schedulers anew: no state of an optimizer is carried over, "
    "schedulers begin at their step 0, and what an earlier phase froze is trained unless this one freezes it"
)
_NumberedPhase = tuple[int, PhaseView]
_PHASES: tuple[Field[_NumberedPhase], ...] = (
    Field("phase", lambda one: Cell(str(one[0]), "bold"), is_number=True),
    Field("config", lambda one: Cell(one[1].label, "cyan"), is_name=True, shrink_to=16),
    Field("steps", lambda one: Cell(f"{one[1].view.unit} {one[1].begin}–{one[1].end}")),
    Field("optimizer", lambda one: _optimizers(one[1]), shrink_to=16, is_name=True),
    Field("parameters", lambda one: Cell(_counts_text(one[1]), "dim"), below=6),
)
_Scheduler = tuple[int, AnySpec]


def phases_report(view: PhasesView) -> Report:
    """Return what each parameter has over the phases: a chart and a table per hyper-parameter."""
    plans = [phase.view.plan for phase in view.phases]
    models = list(dict.fromkeys(map(model_text, plans)))
    return Report(
        title=model_name(plans[0]),
        view="schedule",
        text=lambda: _blocks(view, models),
        data=lambda: phases_data(view),
        records=lambda: phases_records(view),
        facts=(*models, _length_text(view)),
        charts=lambda: [_chart(view, field) for field in view.fields],
        sheets=lambda: [
            _phases(view, Only.PAGE),
            _schedulers(view, Only.PAGE),
            *(_sheet(view, field) for field in view.fields),
        ],
        closing=_closing_lines(view),
        narrowing=str(view.narrowing),
    )


def _blocks(view: PhasesView, models: Sequence[str]) -> Iterator[RenderableType]:
    from optplan.reporters.formats.plot import Plot
    from optplan.reporters.formats.terminal import Blank, Paragraph, Table

    for model in models:
        yield Paragraph(model, style="bold", indent=0, hanging=1)
    yield Paragraph(_length_text(view))
    for sheet in (_phases(view, Only.TEXT), _schedulers(view, Only.TEXT)):
        yield Table(sheet.columns, sheet.rows, indent=2, gap=3)
    for field in view.fields:
        yield Blank()
        yield Paragraph(f"{field} by {view.unit}", style="bold")
        yield Plot(view.steps, [view.course(own, field) for own in view.members], list(view.points))
        yield _PhasedTable(view, field)
    yield Blank()
    yield from (Paragraph(line, hanging=2) for line in _closing_lines(view))
    if view.narrowing:
        yield Paragraph(f"only the parameters of {view.narrowing}", style="bold")


class _PhasedTable:
    """A row per set of parameters and a column per point, in as many parts as the terminal's width asks for."""

    def __init__(self, view: PhasesView, field: str) -> None:
        self.view, self.field = view, field

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        from optplan.reporters.formats.terminal import has_width
        from optplan.reporters.formats.wide_table import WideTable

        view, has_color = self.view, console.color_system is not None
        room = max(12, options.max_width // 3) if has_width(options) else None
        points = list(_points(view, self.field, "{:.4g}".format))
        heads = [(Cell(), Cell(), Cell())] * (len(points[0]) - len(view.members) - 1)
        heads.append((Cell(), Cell("parameters", "dim"), Cell()))
        labels = [
            (
                Cell("━" if has_color else "", curve_style(index)),
                Cell(_shortened(", ".join(own.patterns), room)),
                Cell(str(len(own.names))),
            )
            for index, own in enumerate(view.members)
        ]
        rows = [
            (*label, *cells)
            for label, cells in zip([*heads, *labels], zip(*points, strict=True), strict=True)
        ]
        number_column = Column(is_number=True)
        columns = (Column(), Column(), number_column, *[number_column] * len(points))
        yield WideTable(columns, rows, labels=3)


def _shortened(text: str, room: int | None) -> str:
    return text if room is None or len(text) <= room else cut(text, room)


def _points(view: PhasesView, field: str, text_of: Callable[[float], str]) -> Iterator[list[Cell]]:
    """Yield for each point its headings and the values of all parameters."""
    for place, phase in enumerate(view.phases):
        columns = [_values(phase.view, own.places[place], field, text_of) for own in view.members]
        for at, (step, reasons) in enumerate(phase.view.points.items()):
            cells = [Cell(f"phase {place + 1}", "dim"), Cell(str(phase.begin + step), "bold")]
            if view.per_epoch is not None:
                cells.append(Cell(f"ep {(phase.begin + step) // view.per_epoch}", "dim"))
            cells.append(Cell(word_of(reasons), "dim"))
            yield [*cells, *(column[at] for column in columns)]


def _values(
    view: ScheduleView, place: InPhase, field: str, text_of: Callable[[float], str]
) -> list[Cell]:
    """Return the values at the points of a phase, or why there are none."""
    course = trained_course(view, place, field)
    if course is None:
        is_other = place.setting is not None and place.status == Status.OPTIMIZED
        return [Cell("–" if is_other else place.status, "dim")] * len(view.points)
    assert place.setting is not None
    metric = view.courses.metrics.get((view.settings[place.setting].optimizer, field))
    return [
        Cell("metric", "dim")
        if metric is not None and step >= metric.step
        else Cell("–" if value is None else text_of(value), order=value)
        for step, value in zip(view.points, view.at_points(course), strict=True)
    ]


def _length_text(view: PhasesView) -> str:
    text = f"{plural(len(view.phases), 'phase')} · {plural(view.length, view.unit.value)}"
    if view.per_epoch is not None:
        text += f" · {plural(view.per_epoch, 'iteration')} an epoch"
    return text


def _optimizers(phase: PhaseView) -> Cell:
    plan = phase.view.plan
    short = ", ".join(one.name or one.type for one in plan.optimizers)
    return Cell("; ".join(optimizer_texts(plan)), short=short)


def _counts_text(phase: PhaseView) -> str:
    rows = [row for row in phase.view.plan.parameters if row.status is not Status.DUPLICATE]
    counts = {status: sum(row.status is status for row in rows) for status in Status}
    return " · ".join(f"{status.value} {count}" for status, count in counts.items() if count)


def _phases(view: PhasesView, only: Only) -> Sheet:
    return sheet_of("phases", _PHASES, list(enumerate(view.phases, start=1)), only)


def _schedulers(view: PhasesView, only: Only) -> Sheet:
    """Return the schedulers of each phase, in the order in which they act."""
    specs = [
        (place, spec)
        for place, phase in enumerate(view.phases, start=1)
        for spec in phase.view.courses.schedule.all_specs
    ]
    phase: Field[_Scheduler] = Field("phase", lambda pair: Cell(str(pair[0])), is_number=True)
    fields = (phase, *(_of_scheduler(one) for one in SPEC_FIELDS))
    return sheet_of(plural(len(specs), "scheduler"), fields, specs, only)


def _of_scheduler(field: Field[AnySpec]) -> Field[_Scheduler]:
    """Return the column for schedulers that stand beside their phases."""
    make = field.cell
    assert make is not None

    def cell(pair: _Scheduler) -> Cell:
        return make(pair[1])

    return Field(
        field.heading,
        cell,
        is_name=field.is_name,
        shrink_to=field.shrink_to,
        optional=field.optional,
    )


def _chart(view: PhasesView, field: str) -> Chart:
    courses = [view.course(own, field) for own in view.members]
    axis = axis_for([value for course in courses for value in course])
    return Chart(
        title=field,
        unit=view.unit.value,
        per_epoch=view.per_epoch,
        steps=view.steps,
        ticks=tuple(view.points),
        curves=tuple(
            ChartCurve(label=_label(own), values=course)
            for own, course in zip(view.members, courses, strict=True)
        ),
        is_log=axis is not None and axis.is_log,
    )


def _label(own: PhasedParameters) -> str:
    return f"{listed(own.patterns, most=3)} · {plural(len(own.names), 'parameter')}"


def _sheet(view: PhasesView, field: str) -> Sheet:
    """Return a row per set of parameters and a column per point."""
    points = list(_points(view, field, number))
    heads = len(points[0]) - len(view.members)
    titles = [" ".join(cell.text for cell in point[:heads] if cell.text) for point in points]
    rows = [
        (list_cell(own.patterns), count_cell(len(own.names)), *cells)
        for own, cells in zip(
            view.members, zip(*(point[heads:] for point in points), strict=True), strict=True
        )
    ]
    numbers = [Column(title, is_number=True) for title in ("parameters", *titles)]
    return Sheet(
        title=f"{field} by {view.unit}",
        columns=(Column("names", is_name=True), *numbers),
        rows=tuple(rows),
    )


def _closing_lines(view: PhasesView) -> tuple[str, ...]:
    """Return what begins anew with each phase, and what of each cannot be told."""
    lines = [_ANEW]
    for phase in view.phases:
        schedule, notes = phase.view.courses.schedule, metric_notes(phase.view)
        notes += unread_notes(schedule.unread)
        if not schedule.all_specs and not schedule.unread:
            notes.append("no scheduler: every parameter keeps its values")
        if phase.end - phase.begin < schedule.length:
            whole = plural(schedule.length, view.unit.value)
            notes.append(f"ends after {phase.end - phase.begin} of its {whole}")
        lines += [f"{phase.label}: {note}" for note in notes]
    return tuple(lines)
