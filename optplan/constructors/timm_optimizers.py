"""timm's optimizers by the names that timm gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from torch.optim import Optimizer

from optplan.errors import PlanError, did_you_mean, quoted
from optplan.places import Place

PREFIX = "timm:"
_LOOKAHEAD = "lookahead_"


def timm_optimizer(name: str, place: Place | None = None) -> Callable[..., Optimizer]:
    """Return what makes the optimizer that timm calls ``name``, as ``create_optimizer_v2`` does.

    It takes the arguments of the class, and the defaults are timm's: those that it registers for the
    name, a momentum of 0.9 for those that have one, and no weight decay.

    Args:
        name: The name without ``timm:``; ``lookahead_NAME`` wraps the optimizer into timm's Lookahead.
        place: Where it is written.

    Raises:
        PlanError: timm has no such optimizer, or it cannot be had here.
    """
    from timm.optim import create_optimizer_v2

    found = timm_class(name, place)

    @wraps(found)
    def make(*params: Any, **arguments: Any) -> Optimizer:
        made: Optimizer = create_optimizer_v2(
            *params, *_taken(arguments, first), opt=name, **arguments
        )
        return made

    first = next(iter(inspect.signature(found).parameters))
    make.__name__ = f"{PREFIX}{name}"
    return make


def _taken(arguments: dict[str, Any], name: str) -> tuple[Any, ...]:
    """Return the parameters, which the class may call something else than timm's factory."""
    return (arguments.pop(name),) if name in arguments else ()


def require_timm_name(name: str, place: Place | None) -> None:
    """Refuse a name that timm does not have.

    Raises:
        PlanError: timm has no such optimizer.
    """
    from timm.optim import list_optimizers

    known = list_optimizers()
    lower = name.lower()
    if lower.removeprefix(_LOOKAHEAD) not in known:
        raise PlanError(
            f"timm has no optimizer {quoted(name)}",
            place=place,
            hint=did_you_mean(lower.removeprefix(_LOOKAHEAD), known),
        )


def timm_class(name: str, place: Place | None) -> type[Optimizer]:
    """Return the class that timm registers under a name; for a wrapper that of the inner optimizer.

    Raises:
        PlanError: timm has no such optimizer, or it cannot be had here.
    """
    from timm.optim import get_optimizer_class

    require_timm_name(name, place)
    try:
        found: type[Optimizer] = get_optimizer_class(
            name.lower().removeprefix(_LOOKAHEAD), bind_defaults=False
        )
    except (AssertionError, ImportError) as error:  # as timm says that CUDA or a package is missing
        raise PlanError(f"'{PREFIX}{name}' cannot be had here: {error}", place=place) from error
    return found
