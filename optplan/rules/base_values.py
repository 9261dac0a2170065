"""Refuse a rule that would multiply a base value that is not set, or multiply by None."""

from __future__ import annotations

from optplan.config.layer_decay_options import LAYER_RATE
from optplan.errors import PlanError
from optplan.facts import ParameterFacts
from optplan.names import ProblemKind
from optplan.rules.options import Options, Verdict


def require_lr(is_missing: bool, who: str, verdict: Verdict, facts: ParameterFacts) -> None:
    """Refuse to multiply a base lr that is not set.

    Raises:
        PlanError: It is missing.
    """
    if is_missing:
        raise PlanError(
            f"{who} multiplies a base lr for {facts.name!r}, but the optimizer sets no lr",
            place=verdict.place,
            hint="set lr in the optimizer",
            kind=ProblemKind.NO_BASE_VALUE,
            parameters=(facts.name,),
        )


def refuse_none(option: str, verdict: Verdict, facts: ParameterFacts) -> None:
    """Refuse to multiply by None, which a config for mmcv 1.x gives.

    Raises:
        PlanError: Always.
    """
    raise PlanError(
        f"{option} is None, and mmcv 1.x multiplies by it for {facts.name!r}",
        place=verdict.place,
        hint="leave it out, or write 1.0",
    )


def layers_need(options: Options, facts: ParameterFacts) -> float:
    """Return the base lr, which must be there.

    Raises:
        PlanError: It is not, or no weight decay where the constructor takes that for granted.
    """
    lr, who = options.default_lr, options.rules.constructor
    rate = Verdict(rule=lr.rule, place=options.layer_decay.place if options.layer_decay else None)
    require_lr(options.base_lr is None, LAYER_RATE, rate, facts)
    if options.rules.needs_weight_decay and options.base_weight_decay is None:
        raise PlanError(
            f"{who} fails where the optimizer sets no weight_decay",
            place=lr.place,
            hint="set weight_decay in the optimizer",
            kind=ProblemKind.NO_BASE_VALUE,
        )
    return options.base_lr or 0.0
