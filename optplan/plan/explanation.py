"""Why a parameter gets what it gets: the plan's row with all candidates that were tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optplan.errors import Problem, UsageError, did_you_mean
from optplan.facts import Inventory, ParameterFacts
from optplan.names import Status
from optplan.places import Place
from optplan.plan.patterns import matching
from optplan.plan.plan import Plan, PlannedParameter, RuleUse
from optplan.rules import Candidate, Options, Skipped, trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One value of a parameter as a product, with its rule and the candidates for it.

    Args:
        setting: ``lr`` or ``weight_decay``.
        value: The value in the param group.
        base: The optimizer's own value, which the rule multiplies.
        base_is_set: Whether the config sets it, or it is the optimizer class's own default.
        use: The rule that decided.
        place: Where its option, its key or the base value is written.
        candidates: What was tried, in order.
    """

    setting: str
    value: float | None
    base: float | None
    base_is_set: bool
    use: RuleUse
    place: Place | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A row of the plan and the reasons for it.

    Args:
        row: The row.
        match_name: What custom keys were looked for in.
        carrier: For a duplicate the name that stands for its tensor.
        values: Its lr and weight decay; empty where it is in no group.
        unmatched_keys: Custom keys that are not in its name.
        note: Why it is in no group, or what is special about it; '' for nothing.
    """

    row: PlannedParameter
    match_name: str
    carrier: str | None
    values: tuple[Explained, ...]
    unmatched_keys: tuple[str, ...]
    note: str


def explain(
    plan: Plan, inventory: Inventory, options: Options, patterns: Sequence[str]
) -> tuple[Explanation, ...]:
    """Explain the parameters that some pattern names, in the model's order.

    Args:
        plan: The plan.
        inventory: The facts it was made from.
        options: The options it was made from.
        patterns: Names or patterns of names.

    Raises:
        UsageError: Patterns that fit no parameter, all of them.
    """
    wanted = _wanted([row.name for row in plan.parameters], patterns)
    return tuple(
        _explanation(plan, inventory, options, row, facts)
        for row, facts in zip(plan.parameters, inventory.parameters, strict=True)
        if row.name in wanted
    )


def _wanted(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    found = matching(patterns, names)
    problems = [
        Problem(message=f"{pattern!r} matches no parameter", hint=did_you_mean(pattern, names))
        for pattern, fits in found.items()
        if not fits
    ]
    if problems:
        raise UsageError(problems)
    return {name for fits in found.values() for name in fits}


def _explanation(
    plan: Plan,
    inventory: Inventory,
    options: Options,
    row: PlannedParameter,
    facts: ParameterFacts,
) -> Explanation:
    carrier = inventory.carriers[facts.tensor]
    decision, candidates = trace(facts, options, in_group=carrier is not facts)
    values: tuple[Explained, ...] = ()
    if not isinstance(decision, Skipped) and row.lr_rule is not None:
        base = plan.optimizers[row.optimizer or 0]
        values = tuple(
            Explained(
                setting=setting,
                value=value,
                base=base_value,
                base_is_set=set_value is not None,
                use=use,
                place=verdict.place,
                candidates=tuple(c for c in candidates if c.setting == setting),
            )
            for setting, value, base_value, set_value, use, verdict in (
                ("lr", row.lr, base.lr, options.base_lr, row.lr_rule, decision.lr),
                (
                    "weight_decay",
                    row.weight_decay,
                    base.weight_decay,
                    options.base_weight_decay,
                    row.weight_decay_rule,
                    decision.weight_decay,
                ),
            )
            if use is not None
        )
    keys = [key.key for key in options.keys if key.key not in facts.match_name]
    return Explanation(
        row=row,
        match_name=facts.match_name,
        carrier=None if carrier is facts else carrier.name,
        values=values,
        unmatched_keys=tuple(keys) if values else (),
        note=_note(row, facts, carrier, options),
    )


def _note(
    row: PlannedParameter, facts: ParameterFacts, carrier: ParameterFacts, options: Options
) -> str:
    """What there is to say besides the rules."""
    if row.status is Status.DUPLICATE:
        return f"the tensor of {carrier.name}, {_why_duplicate(facts, options)}"
    if row.status is Status.FROZEN:
        if row.group is None:
            return "frozen (requires_grad is false), so it is in no group"
        return "frozen (requires_grad is false), but in a group: an empty paramwise_cfg takes all"
    if row.status is Status.UNCOVERED:
        return "trainable, but in no group: only what is below the child 'module' is optimized"
    if options.is_empty:
        return "paramwise_cfg is empty: one group of all parameters, no rule runs"
    return ""


def _why_duplicate(facts: ParameterFacts, options: Options) -> str:
    if not facts.visited:
        return "and under this name it is never visited"
    if options.is_empty:
        return "which is optimized once"
    if not facts.requires_grad:
        return "which is frozen"
    return "which is in a group already (bypass_duplicate)"
