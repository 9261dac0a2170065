"""What several reports of a plan say alike: the head, a setting, labels, the closing lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.cells import cell_len

from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.errors import listed
from optplan.names import Status
from optplan.plan import Plan, PlannedOptimizer, PlannedParameter, RuleUse, Setting
from optplan.reporters.layout import Cell, paint, visible
from optplan.reporters.rows import Narrowing, Selection
from optplan.reporters.scaling_words import lr_end, matcher_text, not_final_text, scaling_text
from optplan.reporters.words import RULE_STYLES, count_text, number, plural, rules_of

_MOST_LABELS = 3


def head_lines(plan: Plan, width: int | None, color: bool) -> list[str]:
    """What the plan is of; that its lr is not final above all else."""
    warning = wrapped(not_final_text(plan), width)
    return [
        *(paint(Cell(line, "yellow"), color) for line in warning),
        *_model_and_optimizers(plan, width, color),
        *(f" {line}" for text in head_facts(plan) for line in wrapped(visible(text), width)),
    ]


def head_facts(plan: Plan) -> list[str]:
    """What else there is to say of the whole plan: whose rules hold, how its lr came about, how patterns match."""
    return [text for text in (rules_text(plan), scaling_text(plan), matcher_text(plan)) if text]


def rules_text(plan: Plan) -> str:
    """Whose rules the plan goes by, and what told so; '' for what is no config of OpenMMLab's trainers."""
    found = plan.generation
    return "" if found is None else f"rules of {found.generation} ({listed(found.signs, most=3)})"


def wrapped(text: str, width: int | None) -> list[str]:
    """A text in as many lines as it takes; none for none."""
    if not text or width is None:
        return [text] if text else []
    return wrap(text, max(width - 1, 20), break_long_words=False, break_on_hyphens=False)


def _model_and_optimizers(plan: Plan, width: int | None, color: bool) -> list[str]:
    """The model on the left, the optimizer on the right, below each other where there is no room."""
    left, rights = visible(model_text(plan)), optimizer_texts(plan)
    painted = paint(Cell(left, "bold"), color)
    below = [f" {visible(line)}" for line in constructor_texts(plan)]
    if len(rights) == 1:
        room = (width or 100) - cell_len(left) - cell_len(rights[0])
        if room >= 3:
            return [painted + " " * room + rights[0], *below]
    return [painted, *(f" {right}" for right in rights), *below]


def constructor_texts(plan: Plan) -> list[str]:
    """The constructor, where it is not the default one, which goes without saying."""
    if plan.constructor in DEFAULT_CONSTRUCTORS:
        return []
    origins = (use.origin for row in plan.parameters for use in _own_uses(row))
    place = next((f"  {origin.file}:{origin.line}" for origin in origins if origin), "")
    return [f"made by {plan.constructor}{place}"]


def _own_uses(row: PlannedParameter) -> Iterator[RuleUse]:
    for use in (row.lr_rule, row.weight_decay_rule):
        if use is not None and use.constructor is not None:
            yield use


def model_text(plan: Plan) -> str:
    """What the model is and how large."""
    model = plan.model
    size = (plural(model.parameters, "parameter"), count_text(model.elements))
    return " · ".join((model_name(plan), model.source, *size))


def model_name(plan: Plan) -> str:
    """What the user calls the model; its class where that is all there is."""
    return plan.model.spec or plan.model.class_name.rpartition(".")[2]


def optimizer_texts(plan: Plan) -> list[str]:
    """Each optimizer with its own values."""
    return [_optimizer_text(optimizer, plan) for optimizer in plan.optimizers]


def _optimizer_text(optimizer: PlannedOptimizer, plan: Plan) -> str:
    words = [f"{optimizer.name}: {optimizer.type}" if optimizer.name else optimizer.type]
    if optimizer.lr is not None:
        words += [f"lr {number(optimizer.lr)}{lr_end(plan)}"]
    if optimizer.weight_decay is not None:
        words += [f"weight_decay {number(optimizer.weight_decay)}"]
    words += [f"{name} {value_text(value)}" for name, value in optimizer.options.items()]
    return visible("  ".join(words))


def value_text(value: object) -> str:
    """A value of the config on one line."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(value_text, value)) + ")"
    return str(value)


def setting_text(setting: Setting, plan: Plan) -> str:
    """A setting's values, after the optimizer's name where there are several."""
    lr = f"lr {number(setting.lr)}" + ("" if plan.is_final else " (not final)")
    words = [*_optimizer_name(setting, plan), lr]
    if setting.weight_decay is not None:
        words.append(f"weight_decay {number(setting.weight_decay)}")
    return "  ".join([*words, *_entries(setting)])


def besides_text(setting: Setting, plan: Plan) -> str:
    """The same without lr and weight decay."""
    return "  ".join([*_optimizer_name(setting, plan), *_entries(setting)])


def _optimizer_name(setting: Setting, plan: Plan) -> list[str]:
    if len(plan.optimizers) == 1:
        return []
    return [plan.optimizers[setting.optimizer].name or str(setting.optimizer)]


def _entries(setting: Setting) -> list[str]:
    words = [] if setting.lr_scale is None else [f"lr_scale {number(setting.lr_scale)}"]
    entries = {**setting.options, **setting.extra}
    return words + [f"{name} {value_text(value)}" for name, value in entries.items()]


def label_cell(labels: Sequence[Cell]) -> Cell:
    """The first labels in one cell, and how many more there are."""
    more = len(labels) - _MOST_LABELS
    end = f" and {more} more" if more > 0 else ""
    return Cell(
        " | ".join(label.text for label in labels[:_MOST_LABELS]) + end,
        labels[0].style,
        " | ".join(label.short or label.text for label in labels[:_MOST_LABELS]) + end,
    )


def closing_lines(shown: Selection, color: bool, width: int | None = None) -> list[str]:
    """What decided how much, whether all is covered, what narrowed the rows, and what decides nothing."""
    lines = [f" {line}" for line in coverage_lines(shown.plan, color)]
    if shown.narrowing:
        text = narrowing_text(shown.plan, shown.rows, shown.narrowing)
        lines.append(" " + paint(Cell(visible(text), "bold"), color))
    idle = wrapped(visible(shown.idle), width)
    return lines + [" " + paint(Cell(line, "red"), color) for line in idle]


def coverage_lines(plan: Plan, color: bool) -> list[str]:
    """What decided how much, and whether all is covered."""
    counts = rules_of(plan.parameters)
    words = [paint(Cell(f"{r.value} {n}", RULE_STYLES[r]), color) for r, n in counts.items()]
    coverage = " · ".join(_coverage(plan.parameters, color))
    empty = [paint(Cell(visible(text), "yellow"), color) for text in empty_group_texts(plan)]
    return [*(["decided by " + " · ".join(words)] if words else []), coverage, *empty]


def empty_group_texts(plan: Plan) -> list[str]:
    """``group 1 (lr 1e-05) has no parameters``, for each such group."""
    return [
        f"group {group.group}{_of_optimizer(plan, group.optimizer)}"
        f" (lr {number(group.lr)}) has no parameters"
        for group in plan.empty_groups
    ]


def _of_optimizer(plan: Plan, index: int) -> str:
    return (
        f" of optimizer {plan.optimizers[index].name or index}" if len(plan.optimizers) > 1 else ""
    )


def narrowing_text(plan: Plan, rows: Sequence[PlannedParameter], narrowing: Narrowing) -> str:
    """How many rows are shown, and what narrowed them."""
    return f"{len(rows)} of {len(plan.parameters)} rows shown: {narrowing}"


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
