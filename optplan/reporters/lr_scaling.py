"""How the lr of a plan depends on the batch, in words."""

from __future__ import annotations

from optplan.names import Matcher
from optplan.plan import LrScaling, Plan
from optplan.reporters.words import number, where_text

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
