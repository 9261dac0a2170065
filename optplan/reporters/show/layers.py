"""The layers of a plan, and how the lr falls over them."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.plan.layer_table import LayerStep, ramp
from optplan.plan.setting_members import member_patterns
from optplan.reporters.formats.bars import span_of
from optplan.reporters.formats.report import Cell, Field, list_cell
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import (
    KINDS,
    Patterned,
    lr_fields,
    size_fields,
    span_cell,
    span_text,
)
from optplan.reporters.show.view import View
from optplan.reporters.words import number, plural

_MOST_PATTERNS = 2


_Row = Patterned[LayerStep]


def declare(shown: Selection) -> View:
    """Return a row per layer, from the input on."""
    steps = ramp(shown.rows)
    told = ramp_text(shown, steps)
    return View(
        title="layers",
        sheet=told,
        fields=_fields(shown),
        rows=list(map(Patterned, steps, member_patterns(shown.plan, steps))) if steps else (),
        key="layers",
        note=(told, "alarm" if len(_scales(steps)) == 1 else ""),
    )


def ramp_text(shown: Selection, steps: Sequence[LayerStep]) -> str:
    """Return how many layers there are, how far their scales reach, and who applies them."""
    scales = _scales(steps)
    if not steps:
        return (
            "no layers: no param group has a layer or an lr_scale, so the lr does not go by layers"
        )
    layers = sum(step.layer is not None for step in steps)
    words = [plural(layers, "layer")] if layers else []
    if len(scales) == 1:
        words.append(f"one lr_scale, {number(scales[0])}: the lr does not differ by layer")
    elif scales:
        words.append(f"lr_scale {span_text(span_of(scales))}")
    if any(row.lr_scale is not None and row.lr != row.effective_lr for row in shown.rows):
        words.append("lr as it is once a scheduler has applied lr_scale")
    return " · ".join(words)


def _scales(steps: Sequence[LayerStep]) -> list[float]:
    return sorted({scale for step in steps for scale in step.scales})


def _layer_cell(step: LayerStep) -> Cell:
    text = "" if step.layer is None else str(step.layer)
    return Cell(text, data=step.layer, order=step.layer)


def _scale_cell(step: LayerStep) -> Cell:
    cell = span_cell(span_of(step.scales))
    return cell if step.scales else Cell(cell.text, lines=())


def _fields(shown: Selection) -> Sequence[Field[_Row]]:
    return (
        Field("layer", lambda row: _layer_cell(row.part), "layer", is_number=True),
        Field(
            "lr_scale",
            short="scale",
            cell=lambda row: _scale_cell(row.part),
            key="lr_scale",
            is_number=True,
        ),
        *lr_fields(shown, lambda _: "", is_short=True),
        *size_fields(lambda row: (len(row.part.names), row.part.elements)),
        Field(
            "names",
            lambda row: list_cell(row.patterns, most=_MOST_PATTERNS),
            "patterns",
            is_name=True,
            shrink_to=16,
        ),
        KINDS,
    )
