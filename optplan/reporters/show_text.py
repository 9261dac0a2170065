"""A plan as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from optplan.names import Status
from optplan.plan import Plan, PlannedOptimizer, PlannedParameter, Setting
from optplan.reporters.layout import Cell, Column, paint, table, visible
from optplan.reporters.rows import Narrowing
from optplan.reporters.words import (
    RULE_STYLES,
    count_text,
    number,
    origin_text,
    percent,
    plural,
    rule_style,
    rule_text,
    rules_of,
    shape_text,
)

_COLUMNS = (
    Column(shrink_to=24),
    Column(optional=True),
    Column(right=True),
    Column(right=True),
    Column(shrink_to=22),
)
_SETTING_COLUMNS = (
    Column(),
    Column(right=True),
    Column(right=True, optional=True),
    Column(right=True),
    Column(shrink_to=16),
    Column(optional=True),
)
_HEADINGS = ("parameter", "shape", "lr", "weight_decay", "rule")
_MOST_LABELS = 3


def show_text(
    plan: Plan,
    rows: Sequence[PlannedParameter],
    narrowing: Narrowing,
    *,
    width: int | None,
    color: bool,
) -> str:
    """The whole report.

    Args:
        plan: The plan.
        rows: The rows to show.
        narrowing: What narrowed them.
        width: The terminal's width in cells; None cuts nothing.
        color: Whether to write styles.
    """
    lines = [*_head(plan, width, color), *_rows(plan, rows, width, color), ""]
    lines += _settings(plan, width, color)
    lines += _footer(plan, rows, narrowing, color)
    return "\n".join(lines) + "\n"


def _head(plan: Plan, width: int | None, color: bool) -> list[str]:
    model = plan.model
    what = model.spec or model.class_name.rpartition(".")[2]
    left = " · ".join(
        visible(word)
        for word in (
            what,
            model.source,
            plural(model.parameters, "parameter"),
            count_text(model.elements),
        )
    )
    rights = [_optimizer_text(optimizer) for optimizer in plan.optimizers]
    painted = paint(Cell(left, "bold"), color)
    if len(rights) == 1:
        room = (width or 100) - cell_len(left) - cell_len(rights[0])
        if room >= 3:
            return [painted + " " * room + rights[0]]
    return [painted, *(f" {right}" for right in rights)]


def _optimizer_text(optimizer: PlannedOptimizer) -> str:
    words = [f"{optimizer.name}: {optimizer.type}" if optimizer.name else optimizer.type]
    words += [f"lr {number(optimizer.lr)}"]
    if optimizer.weight_decay is not None:
        words += [f"weight_decay {number(optimizer.weight_decay)}"]
    words += [f"{name} {_value_text(value)}" for name, value in optimizer.options.items()]
    return visible("  ".join(words))


def _value_text(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_value_text, value)) + ")"
    return str(value)


def _rows(
    plan: Plan, rows: Sequence[PlannedParameter], width: int | None, color: bool
) -> list[str]:
    carriers = {row.name for row in plan.parameters if row.status is not Status.DUPLICATE}
    body = [tuple(Cell(heading, "dim") for heading in _HEADINGS)]
    body += [_row(row, carriers) for row in rows]
    return table(_COLUMNS, body, width=width, color=color)


def _row(row: PlannedParameter, carriers: set[str]) -> tuple[Cell, ...]:
    style = _ROW_STYLES.get(row.status, "")
    rule, short = rule_text(row), rule_text(row, short=True)
    if row.status is Status.DUPLICATE:
        rule = short = f"{rule} of {next(name for name in row.aliases if name in carriers)}"
    return (
        Cell(row.name, style),
        Cell(shape_text(row.shape), style or "dim"),
        Cell(number(row.lr), style),
        Cell(number(row.weight_decay), style),
        Cell(rule, style or rule_style(row), short),
    )


_ROW_STYLES = {Status.FROZEN: "dim", Status.DUPLICATE: "dim", Status.UNCOVERED: "red"}


def _settings(plan: Plan, width: int | None, color: bool) -> list[str]:
    labels: dict[int, dict[str, Cell]] = {}
    places: dict[int, str] = {}
    for row in plan.parameters:
        if row.setting is not None:
            places.setdefault(row.setting, origin_text(row))
            text = rule_text(row)
            if text not in (known := labels.setdefault(row.setting, {})):
                known[text] = Cell(text, rule_style(row), rule_text(row, short=True))
    lines = [f" {plural(len(plan.settings), 'setting')}"]
    body = [
        (
            Cell(_setting_text(setting, plan)),
            Cell(plural(setting.parameters, "parameter")),
            Cell(count_text(setting.elements)),
            Cell(percent(setting.elements, plan.model.elements)),
            _label_cell(list(labels[setting.index].values())),
            Cell(places[setting.index], "dim"),
        )
        for setting in plan.settings
    ]
    return lines + table(_SETTING_COLUMNS, body, width=width, color=color, indent=2, gap=3)


def _setting_text(setting: Setting, plan: Plan) -> str:
    words = [f"lr {number(setting.lr)}"]
    if setting.weight_decay is not None:
        words.append(f"weight_decay {number(setting.weight_decay)}")
    if setting.lr_scale is not None:
        words.append(f"lr_scale {number(setting.lr_scale)}")
    words += [f"{name} {_value_text(value)}" for name, value in setting.options.items()]
    if len(plan.optimizers) > 1:
        words.insert(0, plan.optimizers[setting.optimizer].name or str(setting.optimizer))
    return "  ".join(words)


def _label_cell(labels: Sequence[Cell]) -> Cell:
    more = len(labels) - _MOST_LABELS
    end = f" and {more} more" if more > 0 else ""
    return Cell(
        " | ".join(label.text for label in labels[:_MOST_LABELS]) + end,
        labels[0].style,
        " | ".join(label.short or label.text for label in labels[:_MOST_LABELS]) + end,
    )


def _footer(
    plan: Plan, rows: Sequence[PlannedParameter], narrowing: Narrowing, color: bool
) -> list[str]:
    lines = []
    counts = rules_of(plan.parameters)
    if counts:
        words = [paint(Cell(f"{r.value} {n}", RULE_STYLES[r]), color) for r, n in counts.items()]
        lines.append(" decided by " + " · ".join(words))
    lines.append(" " + " · ".join(_coverage(plan.parameters, color)))
    if narrowing:
        shown = f" {len(rows)} of {len(plan.parameters)} rows shown: {visible(str(narrowing))}"
        lines.append(paint(Cell(shown, "bold"), color))
    return lines


def _coverage(rows: Sequence[PlannedParameter], color: bool) -> list[str]:
    carriers = [row for row in rows if row.status is not Status.DUPLICATE]
    duplicates = sum(1 for row in rows if row.status is Status.DUPLICATE)
    trainable = sum(row.requires_grad for row in carriers)
    covered = sum(row.group is not None for row in carriers)
    uncovered = sum(row.status is Status.UNCOVERED for row in carriers)
    words = [
        f"trainable {trainable}",
        f"in the optimizer {covered}",
        f"frozen {len(carriers) - trainable}",
    ]
    if duplicates:
        words.append(plural(duplicates, "duplicate name"))
    if uncovered:
        words.append(paint(Cell(f"uncovered {uncovered}", "red"), color))
    return words
