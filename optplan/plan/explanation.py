"""Gather for ``explain`` the row of a parameter with the candidates that ``rules`` tried and worded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from optplan.errors import Problem, UsageError, did_you_mean, listed
from optplan.facts import ParameterFacts
from optplan.names import Matcher, Rule, Status
from optplan.places import Place
from optplan.plan.names.patterns import matching
from optplan.plan.names.summarize import Summarizer
from optplan.plan.plan import Plan, PlannedParameter, RuleUse
from optplan.plan.planned import Planned
from optplan.rules import Candidate, Options, Skipped, trace

_BY_CODE = (Rule.CONSTRUCTOR, Rule.SET)


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
        batch_factor: What the batch multiplies the product by; None where it does not.
        effective: An lr with the factor that a scheduler applies to it later; None where there is none.
    """

    setting: str
    value: float | None
    base: float | None
    base_is_set: bool
    use: RuleUse
    place: Place | None
    candidates: tuple[Candidate, ...]
    batch_factor: float | None = None
    effective: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A row of the plan and the reasons for it.

    Args:
        row: The row.
        match_name: What custom keys, or patterns, were looked for in.
        carrier: For a duplicate the name that stands for its tensor.
        values: Its lr and weight decay; empty where it is in no group.
        unmatched_keys: Custom keys that are not in its name, or patterns that do not match it.
        note: Why it is in no group, or what is special about it; '' for nothing.
        matcher: How patterns were held against its name; None where keys were looked for.
    """

    row: PlannedParameter
    match_name: str
    carrier: str | None
    values: tuple[Explained, ...]
    unmatched_keys: tuple[str, ...]
    note: str
    matcher: Matcher | None = None


def explain(planned: Planned, patterns: Sequence[str]) -> tuple[Explanation, ...]:
    """Explain the parameters that some pattern names, in the model's order.

    Args:
        planned: The plan with what it was made from.
        patterns: Names or patterns of names.

    Raises:
        UsageError: Patterns that fit no parameter, all of them.
    """
    wanted = _wanted([row.name for row in planned.plan.parameters], patterns)
    members = _GroupMembers(planned.plan)
    return tuple(
        _explanation(planned, members, row, facts)
        for row, facts in planned.pairs()
        if row.name in wanted
    )


def modules_among(
    plan: Plan, patterns: Sequence[str]
) -> Mapping[str, tuple[PlannedParameter, ...]]:
    """Return the parameters below each pattern that fits no parameter but paths of modules."""
    names = [row.name for row in plan.parameters]
    own = matching(patterns, names)
    below = matching([f"{one}.*" for one in patterns if not own[one]], names)
    rows = {row.name: row for row in plan.parameters}
    return {
        pattern.removesuffix(".*"): tuple(rows[name] for name in names if name in found)
        for pattern, found in below.items()
        if found
    }


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
    planned: Planned, members: _GroupMembers, row: PlannedParameter, facts: ParameterFacts
) -> Explanation:
    if (inner := planned.part_of(row)) is not None:
        part, own_row = inner
        own_facts = next(f for one, f in part.pairs() if one is own_row)
        found = _explanation(part, _GroupMembers(part.plan), own_row, own_facts)
        return replace(found, row=row)
    carrier = planned.inventory.primary_names[facts.tensor]
    values = tuple(_values(planned, row, facts)) if row.lr_rule is not None else ()
    return Explanation(
        row=row,
        match_name=_match_name(planned, facts),
        carrier=None if carrier is facts else carrier.name,
        values=values,
        unmatched_keys=_unmatched(planned, facts) if values else (),
        note=_note(planned, members, row, facts),
        matcher=planned.plan.matcher,
    )


def _match_name(planned: Planned, facts: ParameterFacts) -> str:
    """Return what keys, or patterns, are looked for in."""
    if planned.tracer is not None:
        return facts.name
    return planned.rules.rules.match_name(facts) if planned.rules else facts.match_name


def _unmatched(planned: Planned, facts: ParameterFacts) -> tuple[str, ...]:
    if planned.tracer is not None:
        return planned.tracer.unmatched(facts)
    keys = planned.rules.keys if planned.rules is not None else ()
    return tuple(key.key for key in keys if key.key not in _match_name(planned, facts))


def _values(planned: Planned, row: PlannedParameter, facts: ParameterFacts) -> Iterator[Explained]:
    """Yield the lr and the weight decay, each with its rule and what else was tried."""
    section, optimizer = planned.section, planned.plan.optimizers[row.optimizer or 0]
    assignment = planned.assignments[facts.tensor]
    candidates = _tried(planned, row, facts)
    later = row.effective_lr if row.effective_lr != row.lr else None
    for setting, value, base, set_value, use, verdict in (
        ("lr", row.lr, optimizer.lr, section.base_lr, row.lr_rule, assignment.lr_verdict),
        (
            "weight_decay",
            row.weight_decay,
            optimizer.weight_decay,
            section.base_weight_decay,
            row.weight_decay_rule,
            assignment.weight_decay_verdict,
        ),
    ):
        if use is not None:
            yield Explained(
                setting=setting,
                value=value,
                base=base,
                base_is_set=set_value is not None or planned.rules is None,
                use=use,
                place=verdict.place,
                candidates=tuple(c for c in candidates if c.setting == setting),
                batch_factor=_batch_factor(planned) if setting == "lr" else None,
                effective=later if setting == "lr" else None,
            )


def _batch_factor(planned: Planned) -> float | None:
    """Return what the batch multiplies the products of this config by; in a recipe of timm the base has it already."""
    scaling = planned.plan.lr_scaling
    return None if scaling is None or scaling.source == "lr_base" else scaling.factor


def _tried(planned: Planned, row: PlannedParameter, facts: ParameterFacts) -> tuple[Candidate, ...]:
    """Return what the rules tried, where it was they that decided."""
    if planned.tracer is not None:
        return planned.tracer.trace(facts)
    uses = {"lr": row.lr_rule, "weight_decay": row.weight_decay_rule}
    by_rules = [name for name, use in uses.items() if use and use.rule not in _BY_CODE]
    if planned.options is None or not by_rules:
        return ()
    carrier = planned.inventory.primary_names[facts.tensor]
    decision, candidates = trace(facts, planned.options, in_group=carrier is not facts)
    if isinstance(decision, Skipped):
        return ()
    decided = {"lr": decision.lr, "weight_decay": decision.weight_decay}
    # code that delegates to the rules may do so under other names
    told = {
        name
        for name in by_rules
        if (use := uses[name]) and (decided[name].rule, decided[name].key) == (use.rule, use.key)
    }
    return tuple(candidate for candidate in candidates if candidate.setting in told)


class _GroupMembers:
    """Words which parameters share a group that code has made."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._groups: dict[tuple[int | None, int | None], list[str]] = {}
        for row in plan.parameters:
            if row.group is not None:
                self._groups.setdefault((row.optimizer, row.group), []).append(row.name)
        self._summarizer: Summarizer | None = None

    def of(self, row: PlannedParameter) -> str:
        """Return the number of a row's group, and the patterns of all names in it."""
        names = self._groups[row.optimizer, row.group]
        groups = sum(1 for optimizer, _ in self._groups if optimizer == row.optimizer)
        if len(names) == 1:
            return f"alone in group {row.group} of {groups}"
        if self._summarizer is None:
            self._summarizer = Summarizer([one.name for one in self._plan.parameters])
        patterns = self._summarizer.patterns(names)
        return f"in group {row.group} of {groups}, {len(names)} parameters: {listed(patterns)}"


def _note(
    planned: Planned, members: _GroupMembers, row: PlannedParameter, facts: ParameterFacts
) -> str:
    """Return what there is to say besides the rules."""
    options, carrier = planned.options, planned.inventory.primary_names[facts.tensor]
    if row.status is Status.DUPLICATE:
        return f"the tensor of {carrier.name}, {_why_duplicate(facts, options)}"
    if row.status is Status.UNCOVERED:
        if planned.parts:
            names = listed([str(one.name) for one in planned.plan.optimizers])
            return f"trainable, but in no optimizer: it is not below {names}"
        if planned.rules is None:
            return f"trainable, but in no group: {planned.plan.constructor} leaves it out"
        return "trainable, but in no group: only what is below the child 'module' is optimized"
    if planned.rules is None:
        changed = row.requires_grad is not facts.requires_grad
        words = [f"{'unfrozen' if row.requires_grad else 'frozen'} by {planned.plan.constructor}"]
        words = words if changed else ["frozen (requires_grad is false)"] * (not row.requires_grad)
        uses = (row.lr_rule, row.weight_decay_rule)
        if any(use is not None and use.rule in _BY_CODE for use in uses):
            words.append(members.of(row))
        words += dict.fromkeys(use.note for use in uses if use is not None and use.note)
        return "; ".join(words)
    if row.status is Status.FROZEN:
        if row.group is None:
            return "frozen (requires_grad is false), so it is in no group"
        who = (
            "mmcv 1.x takes them as they are"
            if planned.rules.rules.takes_frozen
            else "an empty paramwise_cfg takes all"
        )
        return f"frozen (requires_grad is false), but in a group: {who}"
    if planned.rules.is_empty:
        return "paramwise_cfg is empty: one group of all parameters, no rule runs"
    return ""


def _why_duplicate(facts: ParameterFacts, options: Options | None) -> str:
    if not facts.visited:
        return "and under this name it is never visited"
    if options is None or options.is_empty:
        return "which is optimized once"
    if not facts.requires_grad:
        return "which is frozen"
    return "which is in a group already (bypass_duplicate)"
