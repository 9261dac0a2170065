"""How parameters change with a model's width, declared once for all formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optplan.errors import listed
from optplan.plan import Plan
from optplan.plan.names.summarize import Summarizer
from optplan.plan.width import (
    ESTIMATED,
    EXACT,
    MUP,
    MUP_MULTIPLIED_OUTPUT,
    Exponent,
    ScaledParameter,
    WidthKind,
    exponent,
    update_kind,
)
from optplan.reporters.formats.report import (
    Cell,
    Field,
    Only,
    Report,
    count_cell,
    list_cell,
    records_of,
    sheet_of,
)
from optplan.reporters.plan_summary import head_blocks, model_name, optimizer_texts
from optplan.reporters.words import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

# An estimate differs where chance alone would hardly make it so.
_DEVIATIONS = 3
SCALE_FORMAT_VERSION = "1.0"
_TABLE = "µP: table 3 of Yang et al. (arXiv:2203.03466), exponents of width, for SGD and Adam; init is the standard deviation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleView:
    """What each parameter gets at each width.

    Args:
        plan: The plan at the first width.
        argument: The argument of the model that varies.
        widths: Its values, ascending.
        parameters: The parameters that the model has at each of them.
        apart: Those that it has at some.
        unmeasured: The widths at which the initialization is not known.
    """

    plan: Plan
    argument: str
    widths: tuple[int | float, ...]
    parameters: tuple[ScaledParameter, ...]
    apart: tuple[str, ...]
    unmeasured: tuple[int | float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRow:
    """Parameters of one kind whose values follow the same powers of the width."""

    kind: WidthKind
    optimizer: str | None
    members: tuple[ScaledParameter, ...]
    patterns: tuple[str, ...]
    lr: Exponent
    weight_decay: Exponent
    init: Exponent

    @property
    def wanted_lr(self) -> float | None:
        """Return the exponent of the lr in the table."""
        column = update_kind(self.optimizer)
        return None if column is None or self.kind not in MUP else MUP[self.kind].lr[column]

    @property
    def wanted_init(self) -> float | None:
        """Return the exponent of the standard deviation in the table."""
        return MUP[self.kind].init if self.kind in MUP else None

    @property
    def differs(self) -> tuple[str, ...]:
        """Return what follows another power than that of the table: ``lr``, ``init``."""
        is_off = {
            "lr": _is_off(self.lr, self.wanted_lr, EXACT),
            "init": _is_off(self.init, self.wanted_init, ESTIMATED),
        }
        return tuple(name for name, is_one in is_off.items() if is_one)

    @property
    def is_multiplied_output(self) -> bool:
        """Return whether it follows the table in which the forward multiplies the output by 1/width."""
        column, other = update_kind(self.optimizer), MUP_MULTIPLIED_OUTPUT
        return (
            self.kind is WidthKind.OUTPUT
            and column is not None
            and self.lr.value is not None
            and not _is_off(self.lr, other.lr[column], EXACT)
            and not _is_off(self.init, other.init, ESTIMATED)
        )


def _is_off(found: Exponent, wanted: float | None, most: float) -> bool:
    most = max(most, _DEVIATIONS * found.error)
    return found.value is not None and wanted is not None and abs(found.value - wanted) > most


def scale_report(view: ScaleView) -> Report:
    """Return a row for each kind of parameter and the powers that its values follow."""
    rows = _rows(view)
    fields = _fields()
    sheet = f"powers of {view.argument}"
    return Report(
        title=model_name(view.plan),
        view="scale",
        text=lambda: _blocks(view, rows),
        data=lambda: _data(view, rows),
        records=lambda: _records(rows),
        facts=(_widths_text(view), *optimizer_texts(view.plan)),
        sheets=lambda: [sheet_of(sheet, fields, rows, Only.PAGE)],
        closing=tuple(_notes(view, rows)),
    )


def _rows(view: ScaleView) -> list[ScaleRow]:
    found: dict[Any, list[tuple[ScaledParameter, Exponent, Exponent, Exponent]]] = {}
    for one in view.parameters:
        exact = [exponent(view.widths, values) for values in (one.lr, one.weight_decay)]
        estimated = exponent(view.widths, one.init, one.elements)
        key = (
            list(WidthKind).index(one.kind),
            one.optimizer or "",
            *((power.value, power.is_zero) for power in exact),
            None if estimated.value is None else round(estimated.value * 5),
            estimated.is_zero,
        )
        found.setdefault(key, []).append((one, exact[0], exact[1], estimated))
    summarizer = Summarizer([one.name for one in view.parameters])
    rows = []
    for _, members in sorted(found.items(), key=lambda item: (item[0][0], item[0][1])):
        first, lr, decay, init = members[0]
        values = [one.value for *_, one in members if one.value is not None]
        rows.append(
            ScaleRow(
                kind=first.kind,
                optimizer=first.optimizer,
                members=tuple(one for one, *_ in members),
                patterns=summarizer.patterns([one.name for one, *_ in members]),
                lr=lr,
                weight_decay=decay,
                init=Exponent(
                    value=sum(values) / len(values) if values else None,
                    error=max(one.error for *_, one in members),
                    is_zero=init.is_zero,
                ),
            )
        )
    return rows


def _power_cell(found: Exponent, wanted: float | None, *, is_estimate: bool = False) -> Cell:
    if found.is_zero:
        return Cell("all 0", "dim")
    if found.value is None:
        return Cell("–", "dim")
    most = ESTIMATED if is_estimate else EXACT
    text = f"{found.value:.2f}" if is_estimate else f"{found.value:.4g}"
    text = "0" if float(text) == 0 else text
    style = "yellow" if _is_off(found, wanted, most) else ""
    return Cell(f"≈ {text}" if is_estimate else text, style, data=found.value, order=found.value)


def _wanted_cell(wanted: float | None) -> Cell:
    return (
        Cell("–", "dim")
        if wanted is None
        else Cell(f"{wanted:g}", "dim", data=wanted, order=wanted)
    )


def _fields() -> Sequence[Field[ScaleRow]]:
    return (
        Field("kind", lambda row: Cell(row.kind.value, "bold", data=row.kind.value), "kind"),
        Field(
            "parameters",
            lambda row: count_cell(len(row.members)),
            "parameters",
            short="params",
            is_number=True,
            optional=1,
        ),
        Field(key="optimizer", data=lambda row: row.optimizer),
        Field("lr", lambda row: _power_cell(row.lr, row.wanted_lr), "lr", is_number=True),
        Field("µP lr", lambda row: _wanted_cell(row.wanted_lr), "mup_lr", is_number=True),
        Field(
            "init",
            lambda row: _power_cell(row.init, row.wanted_init, is_estimate=True),
            "init_estimate",
            is_number=True,
        ),
        Field("µP init", lambda row: _wanted_cell(row.wanted_init), "mup_init", is_number=True),
        Field(
            "weight_decay",
            lambda row: _power_cell(row.weight_decay, None),
            "weight_decay",
            short="decay",
            is_number=True,
        ),
        Field("differs", _differs_cell, "differs"),
        Field(
            "names", lambda row: list_cell(row.patterns, most=4), "patterns", is_name=True, below=4
        ),
    )


def _differs_cell(row: ScaleRow) -> Cell:
    if row.is_multiplied_output and row.differs:
        return Cell("as table 8", "yellow", data=list(row.differs))
    return Cell(", ".join(row.differs), "yellow", data=list(row.differs))


def _widths_text(view: ScaleView) -> str:
    return f"{view.argument} {', '.join(f'{width:g}' for width in view.widths)}"


def _blocks(view: ScaleView, rows: Sequence[ScaleRow]) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Blank, Paragraph, sheet_table

    yield from head_blocks(view.plan)
    yield Paragraph(f"powers of {_widths_text(view)}", style="bold")
    yield sheet_table(sheet_of("", _fields(), rows, Only.TEXT))
    yield Blank()
    for note in _notes(view, rows):
        yield Paragraph(note, hanging=1)


def _notes(view: ScaleView, rows: Sequence[ScaleRow]) -> Iterator[str]:
    off = sum(len(row.members) for row in rows if row.differs)
    of = plural(len(view.parameters), "parameter")
    yield (
        f"{off} of {of} follow another power than µP's"
        if off
        else f"no difference from µP among {of}"
    )
    if any(row.is_multiplied_output and row.differs for row in rows):
        yield "table 8: the output follows µP all the same if the forward multiplies it by 1/width, which is not read"
    others = dict.fromkeys(
        (row.optimizer or "").rpartition(".")[2]
        for row in rows
        if row.optimizer is not None and update_kind(row.optimizer) is None
    )
    if others:
        yield f"the table has no lr for {listed(list(others))}: only initialization is compared"
    if view.unmeasured:
        widths = listed([f"{width:g}" for width in view.unmeasured])
        yield f"initialization is not known: the model was not built with memory at {view.argument} {widths}"
    else:
        yield "init is an estimate: the root mean square of one draw of the weights at each width"
    if view.apart:
        yield f"not at each width, and left out: {listed(view.apart)}"
    yield _TABLE
    yield "multipliers in the forward, such as 1/d in attention, are not read; µP says nothing of weight decay there"


def _data(view: ScaleView, rows: Sequence[ScaleRow]) -> dict[str, Any]:
    """Return the values as ``schemas/scale-1.0.schema.json`` describes them."""
    return {
        "format_version": SCALE_FORMAT_VERSION,
        "config": view.plan.config,
        "model": view.plan.model.spec or view.plan.model.class_name,
        "argument": view.argument,
        "widths": list(view.widths),
        "kinds": list(records_of(_fields(), rows)),
        "parameters": [
            {
                "name": one.name,
                "kind": one.kind.value,
                "lr": list(one.lr),
                "weight_decay": list(one.weight_decay),
                "init": list(one.init),
            }
            for one in view.parameters
        ],
        "notes": list(_notes(view, rows)),
    }


def _records(rows: Sequence[ScaleRow]) -> Iterator[Sequence[object]]:
    fields = [field for field in _fields() if field.key]
    yield [field.key for field in fields]
    for record in records_of(fields, rows):
        yield [", ".join(one) if isinstance(one, list) else one for one in record.values()]
