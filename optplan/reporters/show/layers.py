"""The layers of a plan and how the lr falls over them, for people."""

from __future__ import annotations

from collections.abc import Sequence

from optplan.plan.layer_table import LayerStep, ramp
from optplan.plan.setting_members import member_patterns
from optplan.reporters.formats.bars import LogScale, bar, span_of
from optplan.reporters.formats.terminal import Cell, Column, paint, table
from optplan.reporters.lr_scaling import lr_heading
from optplan.reporters.plan_summary import closing_lines, head_lines
from optplan.reporters.selection import Selection
from optplan.reporters.show.kinds import lr_span, span_cell, span_text
from optplan.reporters.show.tree import lr_scale
from optplan.reporters.words import count_text, number, plural

_COLUMNS = (
    Column(right=True),
    Column(right=True),
    Column(right=True),
    Column(),
    Column(right=True),
    Column(right=True, optional=True),
    Column(shrink_to=16),
)
_HEADS = tuple(
    Cell(title, "dim", short)
    for title, short in (
        ("layer", None),
        ("lr_scale", "scale"),
        ("lr", None),
        ("", None),
        ("parameters", "params"),
        ("elements", None),
        ("names", None),
    )
)
_MOST_PATTERNS = 2


def layers_text(shown: Selection, *, width: int | None, color: bool) -> str:
    """A line per layer, from the input on.

    Args:
        shown: The rows to sort into layers.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    steps, scale = ramp(shown.rows), lr_scale(shown)
    lines = head_lines(shown.plan, width, color)
    if steps:
        patterns = member_patterns(shown.plan, steps)
        rows = [_cells(*pair, scale) for pair in zip(steps, patterns, strict=True)]
        heads = [Cell(lr_heading(shown.plan), "dim") if h.text == "lr" else h for h in _HEADS]
        kept = [at for at in range(len(_HEADS)) if any(row[at].text for row in rows)]
        lines += table(
            [_COLUMNS[at] for at in kept],
            [[row[at] for at in kept] for row in (heads, *rows)],
            width=width,
            color=color,
        )
    alarm = "red" if len(_scales(steps)) == 1 else ""
    lines += ["", " " + paint(Cell(ramp_text(shown, steps), alarm), color)]
    lines += closing_lines(shown, color, width)
    return "\n".join(lines) + "\n"


def ramp_text(shown: Selection, steps: Sequence[LayerStep]) -> str:
    """How many layers there are, how far their scales reach, and who applies them."""
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


def layer_text(step: LayerStep) -> str:
    """The layer's number; '' for what is in none."""
    return "" if step.layer is None else str(step.layer)


def _scales(steps: Sequence[LayerStep]) -> list[float]:
    return sorted({scale for step in steps for scale in step.scales})


def _cells(step: LayerStep, patterns: Sequence[str], scale: LogScale | None) -> tuple[Cell, ...]:
    lr, more = lr_span(step.kinds), len(patterns) - _MOST_PATTERNS
    short = ", ".join(patterns[:_MOST_PATTERNS]) + (f" and {more} more" if more > 0 else "")
    return (
        Cell(layer_text(step)),
        span_cell(span_of(step.scales)),
        span_cell(lr, "bold"),
        Cell(bar(scale, lr), "blue"),
        Cell(str(len(step.names))),
        Cell(count_text(step.elements), "dim"),
        Cell(", ".join(patterns), "", short),
    )
