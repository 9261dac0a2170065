"""What weight decay does to each setting over the training, declared once for all formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optplan.plan import Plan, Setting
from optplan.plan.serial import generation_to_dict
from optplan.reporters.formats.report import (
    Cell,
    Field,
    Only,
    Report,
    count_cell,
    records_of,
    sheet_of,
)
from optplan.reporters.plan_summary import (
    head_blocks,
    model_name,
    model_text,
    optimizer_texts,
    setting_text,
)
from optplan.reporters.schedule.view import unread_notes
from optplan.reporters.selection import Narrowing
from optplan.reporters.words import number, plural
from optplan.schedule.effective_decay import FACTORED, DecayKind, EffectiveDecay
from optplan.schedule.scheduled_settings import ScheduledSetting
from optplan.schedule.unread import Unread

if TYPE_CHECKING:
    from rich.console import RenderableType

DECAY_FORMAT_VERSION = "1.0"
_FORMULAS = (
    (
        "left at the end: the product of 1 − ηλ over all steps, η the lr, λ the weight decay (Loshchilov and Hutter, "
        "arXiv:1711.05101)"
    ),
    "timescale: 1/(ηλ) steps at the largest ηλ, and as a share of the training (Wang and Aitchison, arXiv:2405.13698)",
    (
        "rotation per step: an estimate for weights whose scale has no effect, in equilibrium at the largest ηλ; AdamW "
        "√(2ηλ(1−β₁)/(1+β₁)), Lion √(πηλ((1−β₁)² + β₁²(1−β₂)/(1+β₂))), SGD √(2ηλ/(1+α)) (Kosson et al., "
        "arXiv:2305.17212)"
    ),
)
_WHY = {
    DecayKind.COUPLED: "coupled L2: {0} adds λw to the gradient, which its momentum keeps or its step scales, so that "
    "decay shrinks no weight by a factor: share left and timescale do not apply",
    DecayKind.PLAIN_L2: "L2 without momentum: {0} adds λw to the gradient and keeps none of it, so that each step "
    "multiplies a weight by 1 − ηλ as decoupled decay does",
    DecayKind.PROXIMAL: "proximal: {0} divides a weight by 1 + ηλ",
    DecayKind.UNKNOWN: "not known: stepping {0} shows neither decoupled decay nor L2, so nothing is told of it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayRow:
    """A setting, how its optimizer decays it, and what that does; ``effect`` is None where that is not known."""

    scheduled: ScheduledSetting
    setting: Setting
    kind: DecayKind
    effect: EffectiveDecay | None

    @property
    def is_decayed(self) -> bool:
        """Return whether the setting has weight decay at all."""
        return self.setting.weight_decay is not None and (
            self.effect is None or self.effect.peak != 0 or self.setting.weight_decay != 0
        )

    @property
    def factored(self) -> EffectiveDecay | None:
        """Return what decay does where it multiplies weights by a factor."""
        return self.effect if self.is_decayed and self.kind in FACTORED else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayView:
    """A plan, its settings and what decay does to them; ``steps`` is None where iterations are not known."""

    plan: Plan
    rows: tuple[DecayRow, ...]
    steps: int | None
    depends_on_metric: bool
    unread: tuple[Unread, ...]
    narrowing: Narrowing


def decay_report(view: DecayView) -> Report:
    """Return a row per setting: what is left of a weight, the timescale, and the rotation."""
    plan = view.plan
    config = [plan.config] if plan.config is not None else []
    fields = _fields(view)
    return Report(
        title=model_name(plan),
        view="effective weight decay",
        text=lambda: _blocks(view),
        data=lambda: _data(view),
        records=lambda: _records(view),
        facts=(*config, model_text(plan), *optimizer_texts(plan), _length_text(view)),
        sheets=lambda: [sheet_of("effective weight decay", fields, view.rows, Only.PAGE)],
        closing=(*_notes(view), *_FORMULAS),
        narrowing=str(view.narrowing),
    )


def _length_text(view: DecayView) -> str:
    return "" if view.steps is None else plural(view.steps, "iteration")


def _blocks(view: DecayView) -> Iterator[RenderableType]:
    from optplan.reporters.formats.terminal import Blank, Paragraph, sheet_table

    yield from head_blocks(view.plan)
    yield Paragraph(_length_text(view))
    yield Blank()
    yield sheet_table(sheet_of("", _fields(view), view.rows, Only.TEXT))
    yield Blank()
    yield from (Paragraph(note, hanging=2) for note in _notes(view))
    yield from (Paragraph(line, style="dim", hanging=2) for line in _FORMULAS)


def _notes(view: DecayView) -> Iterator[str]:
    """Yield what is not told, and why."""
    if view.steps is None:
        yield "the iterations of an epoch are not known: give --iters-per-epoch N"
    if view.depends_on_metric:
        yield "lr or weight_decay depends on a metric: what decay leaves cannot be told before the training"
    optimizers = view.plan.optimizers
    for kind, text in _WHY.items():
        found = [row for row in view.rows if row.is_decayed and row.kind is kind]
        names = {optimizers[row.scheduled.optimizer].class_name.rpartition(".")[2] for row in found}
        yield from (text.format(name) for name in sorted(names))
    yield from unread_notes(view.unread)
    if view.narrowing:
        yield f"{plural(len(view.rows), 'setting')} shown: {view.narrowing}"


def _kind_cell(row: DecayRow) -> Cell:
    if not row.is_decayed:
        return Cell("not decayed", "dim", data=None)
    return Cell(
        str(row.kind), "yellow" if row.kind is DecayKind.UNKNOWN else "", data=str(row.kind)
    )


def _left_cell(row: DecayRow) -> Cell:
    if not row.is_decayed:
        return Cell("100%", "dim", data=1.0, order=1.0)
    effect = row.factored
    if effect is None:
        return Cell("–")
    text = f"{100 * effect.left:.4g}%"
    return Cell(text, "bold", data=effect.left, order=effect.left)


def _number_cell(value: float | None, text: str = "") -> Cell:
    return Cell("–") if value is None else Cell(text or number(value), data=value, order=value)


def _share_cell(row: DecayRow) -> Cell:
    share = _share(row)
    text = "" if share is None else f"{share:.3g}×" if share >= 10 else f"{100 * share:.4g}%"
    return _number_cell(share, text)


def _share(row: DecayRow) -> float | None:
    effect = row.factored
    if effect is None or effect.timescale is None:
        return None
    return effect.timescale / effect.steps


def _rotation_cell(row: DecayRow) -> Cell:
    value = row.effect.rotation if row.effect is not None and row.is_decayed else None
    return _number_cell(value, "" if value is None else f"≈ {value:.3g} rad")


def _fields(view: DecayView) -> Sequence[Field[DecayRow]]:
    return (
        Field(key="setting", data=lambda row: row.scheduled.setting),
        Field(key="optimizer", data=lambda row: row.scheduled.optimizer),
        Field(key="lr", data=lambda row: row.setting.lr),
        Field(key="weight_decay", data=lambda row: row.setting.weight_decay),
        Field(
            "setting",
            lambda row: Cell(setting_text(row.setting, view.plan)),
            is_name=True,
            shrink_to=20,
        ),
        Field(
            "parameters",
            lambda row: count_cell(row.scheduled.parameters),
            "parameters",
            short="params",
            is_number=True,
            optional=1,
        ),
        Field("decay", _kind_cell, "decay"),
        Field("left at the end", _left_cell, "left", short="left", is_number=True),
        Field("timescale", _steps_cell, "timescale", is_number=True),
        Field("of the training", _share_cell, "timescale_share", short="share", is_number=True),
        Field(key="mean_timescale", data=lambda row: row.factored and row.factored.mean_timescale),
        Field(
            "rotation per step",
            _rotation_cell,
            "rotation_estimate",
            short="rotation",
            is_number=True,
        ),
        Field(key="names", data=lambda row: list(row.scheduled.names)),
    )


def _steps_cell(row: DecayRow) -> Cell:
    steps = None if row.factored is None else row.factored.timescale
    return _number_cell(steps, f"{number(steps)} steps")


def _data(view: DecayView) -> dict[str, Any]:
    """Return the values as ``schemas/decay-view-1.0.schema.json`` describes them."""
    return {
        "format_version": DECAY_FORMAT_VERSION,
        "view": "decay",
        "config": view.plan.config,
        "model": view.plan.model.spec or view.plan.model.class_name,
        **generation_to_dict(view.plan),
        "iterations": view.steps,
        "narrowed": str(view.narrowing) or None,
        "notes": list(_notes(view)),
        "formulas": list(_FORMULAS),
        "settings": list(records_of(_fields(view), view.rows)),
    }


def _records(view: DecayView) -> Iterator[Sequence[object]]:
    fields = [field for field in _fields(view) if field.key != "names"]
    yield [field.key for field in fields if field.key]
    yield from (list(record.values()) for record in records_of(fields, view.rows))
