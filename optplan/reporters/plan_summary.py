"""Word what several reports of a plan share: the head, how the lr depends on the batch, a setting, labels, the closing lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.errors import listed
from optplan.names import Matcher, Status
from optplan.plan import LrScaling, Plan, PlannedOptimizer, PlannedParameter, RuleUse, Setting
from optplan.reporters.formats.report import Cell
from optplan.reporters.selection import Narrowing, Selection
from optplan.reporters.words import RULE_STYLES, count_text, number, plural, rules_of, where_text

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_LABELS = 3
Parts = list[tuple[str, str]]


def head_blocks(plan: Plan) -> Iterator[RenderableType]:
    """Yield what the plan is of; that its lr is not final above all else."""
    from optplan.reporters.formats.terminal import Paragraph, Sides

    yield Paragraph(not_final_text(plan), style="yellow", indent=0)
    model, optimizers = (model_text(plan), "bold"), optimizer_texts(plan)
    if len(optimizers) == 1:
        yield Sides(model, optimizers[0])
    else:
        yield Paragraph(model, indent=0, hanging=1)
        yield from map(Paragraph, optimizers)
    yield from map(Paragraph, [*constructor_texts(plan), *head_facts(plan)])


def plan_facts(plan: Plan) -> tuple[str, ...]:
    """Return the same as lines of a page, with the config."""
    config = [plan.config] if plan.config is not None else []
    lines = (model_text(plan), *optimizer_texts(plan), *constructor_texts(plan), *head_facts(plan))
    return (*filter(None, [not_final_text(plan)]), *config, *lines)


def head_facts(plan: Plan) -> list[str]:
    """Return whose rules hold, how the lr came about, and how patterns match."""
    return [text for text in (rules_text(plan), scaling_text(plan), matcher_text(plan)) if text]


def rules_text(plan: Plan) -> str:
    """Return whose rules the plan follows, and the signs of that; '' outside of OpenMMLab's trainers."""
    found = plan.generation
    return "" if found is None else f"rules of {found.title} ({listed(found.because, most=3)})"


def constructor_texts(plan: Plan) -> list[str]:
    """Return the constructor, where it is not the default one."""
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
    """Return what the model is and how large."""
    model = plan.model
    size = (plural(model.parameters, "parameter"), count_text(model.elements))
    return " · ".join((model_name(plan), model.source, *size))


def model_name(plan: Plan) -> str:
    """Return what the user calls the model; its class where that is all there is."""
    return plan.model.spec or plan.model.class_name.rpartition(".")[2]


def optimizer_texts(plan: Plan) -> list[str]:
    """Return each optimizer with its own values."""
    return [_optimizer_text(optimizer, plan) for optimizer in plan.optimizers]


def _optimizer_text(optimizer: PlannedOptimizer, plan: Plan) -> str:
    words = [f"{optimizer.name}: {optimizer.type}" if optimizer.name else optimizer.type]
    if optimizer.lr is not None:
        words += [f"lr {number(optimizer.lr)}{lr_end(plan)}"]
    if optimizer.weight_decay is not None:
        words += [f"weight_decay {number(optimizer.weight_decay)}"]
    words += [f"{name} {value_text(value)}" for name, value in optimizer.options.items()]
    return "  ".join(words)


def value_text(value: object) -> str:
    """Return a value of the config on one line."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(map(value_text, value)) + ")"
    return str(value)


def setting_text(setting: Setting, plan: Plan) -> str:
    """Return a setting's values, after the optimizer's name where there are several."""
    lr = f"lr {number(setting.lr)}" + ("" if plan.is_final else " (not final)")
    words = [*_optimizer_name(setting, plan), lr]
    if setting.weight_decay is not None:
        words.append(f"weight_decay {number(setting.weight_decay)}")
    return "  ".join([*words, *_entries(setting)])


def besides_text(setting: Setting, plan: Plan) -> str:
    """Return the same without lr and weight decay."""
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
    """Return labels as one cell: the first ones and how many more there are, all of them on a page."""
    if not labels:
        return Cell()
    more = len(labels) - _MOST_LABELS
    end = f" and {more} more" if more > 0 else ""
    shown = labels[:_MOST_LABELS]
    return Cell(
        " | ".join(label.text for label in shown) + end,
        labels[0].style,
        " | ".join(label.short or label.text for label in shown) + end,
        lines=tuple(label.text for label in labels),
    )


def closing_blocks(shown: Selection) -> Iterator[RenderableType]:
    """Yield what decided how much, whether all is covered, what narrowed the rows, and what decides nothing."""
    from optplan.reporters.formats.terminal import Paragraph

    for parts in _coverage(shown.plan):
        yield Paragraph(*parts)
    yield Paragraph(narrowing_text(shown.plan, shown.rows, shown.narrowing), style="bold")
    yield Paragraph(shown.idle, style="alarm")
    yield Paragraph(shown.folded, style="bold")


def coverage_lines(plan: Plan) -> list[str]:
    """Return what decided how much, whether all is covered, and which groups are empty."""
    return ["".join(text for text, _ in parts) for parts in _coverage(plan)]


def narrowing_text(plan: Plan, rows: Sequence[PlannedParameter], narrowing: Narrowing) -> str:
    """Return how many rows are shown, and what narrowed them; '' for nothing."""
    return f"{len(rows)} of {len(plan.parameters)} rows shown: {narrowing}" if narrowing else ""


def _coverage(plan: Plan) -> Iterator[Parts]:
    counts = rules_of(plan.parameters)
    if counts:
        words = [(f"{rule.value} {count}", RULE_STYLES[rule]) for rule, count in counts.items()]
        yield [("decided by ", ""), *_separated(words)]
    yield list(_separated(_coverage_words(plan.parameters)))
    for group in plan.empty_groups:
        whose = ""
        if len(plan.optimizers) > 1:
            whose = f" of optimizer {plan.optimizers[group.optimizer].name or group.optimizer}"
        text = f"group {group.group}{whose} (lr {number(group.lr)}) has no parameters"
        yield [(text, "yellow")]


def _separated(parts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for number_, part in enumerate(parts):
        if number_:
            yield " · ", ""
        yield part


def _coverage_words(rows: Sequence[PlannedParameter]) -> Iterator[tuple[str, str]]:
    primary = [row for row in rows if row.status is not Status.DUPLICATE]
    trainable = sum(row.requires_grad for row in primary)
    yield f"trainable {trainable}", ""
    yield f"in the optimizer {sum(row.group is not None for row in primary)}", ""
    yield f"frozen {len(primary) - trainable}", ""
    if duplicates := len(rows) - len(primary):
        yield plural(duplicates, "duplicate name"), ""
    if uncovered := sum(row.status is Status.UNCOVERED for row in primary):
        yield f"uncovered {uncovered}", "alarm"


_MATCHERS = {
    Matcher.SEARCH: "a pattern may match anywhere in a name",
    Matcher.PREFIX: "a pattern must match from the beginning of a name",
    Matcher.FULL: "a pattern must match a whole name",
}


def not_final_text(plan: Plan) -> str:
    """Return what to say above all else of a plan whose lr is not that of the training, '' where it is."""
    if plan.needs_world_size:
        return (
            f"the plan is not final: {plan.constructor} asks for the world size, which is not known; these are"
            " the values of one process; give --world-size"
        )
    scaling = plan.lr_scaling
    if scaling is None or scaling.final:
        return ""
    return (
        f"the lr is not final: it is for a batch of {number(scaling.base_batch)}, and grows"
        f" with {_product(scaling)}{_root(scaling)}; give {_options(scaling)}"
    )


def _product(scaling: LrScaling) -> str:
    """Return ``world size × 32``: what makes up the batch, as far as it is known."""
    factors = [
        "world size" if scaling.world_size is None else str(scaling.world_size),
        "batch size" if scaling.batch_size is None else number(scaling.batch_size),
    ]
    if scaling.accumulation != 1:
        factors.append(str(scaling.accumulation))
    return " × ".join(factors)


def _root(scaling: LrScaling) -> str:
    return "" if scaling.rule == "linear" else " (square root)"


def _options(scaling: LrScaling) -> str:
    options = [
        option
        for option, value in (
            ("--world-size", scaling.world_size),
            ("--batch-size", scaling.batch_size),
        )
        if value is None
    ]
    return " and ".join(options)


def scaling_text(plan: Plan) -> str:
    """Return how the lr came about, '' where it does not depend on the batch or is not final."""
    scaling = plan.lr_scaling
    if scaling is None or scaling.factor is None:
        return ""
    lr = f"lr × {number(scaling.factor)}"
    if scaling.base_lr is not None:
        lr = f"lr {number(scaling.lr)} = {number(scaling.base_lr)} × {number(scaling.factor)}"
    batch = f"batch {number(scaling.batch)} = {_product(scaling)}"
    root = "√" if scaling.rule != "linear" else ""
    over = f"{root}({number(scaling.batch)} / {number(scaling.base_batch)})"
    origin = scaling.origin
    where = f"   {where_text(origin.file, origin.line)}" if origin is not None else ""
    return f"{lr}   {scaling.source} {over}, {batch}{where}"


def matcher_text(plan: Plan) -> str:
    """Return how patterns are held against names, '' where there are none."""
    if plan.matcher is None:
        return ""
    return f"matcher {plan.matcher.value}: {_MATCHERS[plan.matcher]}, the first that does wins"


def lr_end(plan: Plan) -> str:
    """Return what follows the base lr of an optimizer: the factor that its groups have, or that it is not known."""
    scaling = plan.lr_scaling
    if scaling is None:
        return ""
    if scaling.factor is None:
        return " (not final)"
    # a recipe of timm gives its optimizer the product
    return "" if scaling.source == "lr_base" else f" × {number(scaling.factor)}"


def lr_heading(plan: Plan) -> str:
    """Return what a column of lrs is called."""
    return "lr" if plan.is_final else "lr, not final"
