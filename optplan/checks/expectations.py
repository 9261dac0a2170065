"""What a project expects of its plans, and which parameters break it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from optplan.checks.paths import fits
from optplan.errors import UsageError
from optplan.names import Rule, Status
from optplan.plan import Plan, PlannedParameter
from optplan.plan.names.patterns import matching

_NO_VALUES = (Status.FROZEN, Status.DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One ``[[tool.optplan.expect]]``.

    Args:
        where: The place it is written at, ``pyproject.toml:12``.
        folder: The folder that ``configs`` is relative to.
        configs: Globs of the configs that it is meant for; none for all.
        parameters: A pattern of names.
        rule: A rule; with a pattern too, what both mean.
        weight_decay, lr, lr_mult: What every such parameter that is optimized must get.
        frozen: Whether every such parameter must be frozen.
        min_parameters: How many there must be at least.
    """

    where: str
    folder: str
    configs: tuple[str, ...] = ()
    parameters: str | None = None
    rule: Rule | None = None
    weight_decay: float | None = None
    lr: float | None = None
    lr_mult: float | None = None
    frozen: bool | None = None
    min_parameters: int = 1

    @property
    def subject(self) -> str:
        """The parameters it is about, in words."""
        pattern = None if self.parameters is None else repr(self.parameters)
        return (
            f"rule {self.rule.value}" + (f" in {pattern}" if pattern else "")
            if self.rule
            else (pattern or "all parameters")
        )

    def is_for(self, config: str) -> bool:
        """Whether it says anything about a config."""
        return not self.configs or any(fits(glob, config, self.folder) for glob in self.configs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One thing that does not hold.

    Args:
        what: Which: ``weight-decay``.
        message: What was expected, and what is there.
        parameters: The rows that break it, in the model's order.
    """

    what: str
    message: str
    parameters: tuple[PlannedParameter, ...]


def breaches(expectation: Expectation, plan: Plan) -> Iterator[Breach]:
    """Everything in a plan that breaks an expectation; that its pattern takes too long is a breach too."""
    try:
        named = _named(expectation, plan)
    except UsageError as error:
        yield Breach(what="parameters", message=error.problems[0].message, parameters=())
        return
    rows = [row for row in named if _is_meant(expectation, row)]
    if len(rows) < expectation.min_parameters:
        yield Breach(
            what="min-parameters",
            message=f"{expectation.subject} should be at least "
            f"{_count(expectation.min_parameters)}, but is {len(rows) or 'none'}",
            parameters=tuple(rows),
        )
    if expectation.frozen is not None:
        yield from _frozen(expectation, rows)
    trained = [row for row in rows if row.status not in _NO_VALUES]
    for what, expected, values in (
        ("weight-decay", expectation.weight_decay, [row.weight_decay for row in trained]),
        ("lr", expectation.lr, [row.effective_lr for row in trained]),
        ("lr-mult", expectation.lr_mult, [_multiple(plan, row) for row in trained]),
    ):
        if expected is not None:
            yield from _unequal(expectation, what, expected, trained, values)


def _named(expectation: Expectation, plan: Plan) -> list[PlannedParameter]:
    """Return the rows whose names fit the pattern; all where there is none."""
    if expectation.parameters is None:
        return list(plan.parameters)
    fitting = matching([expectation.parameters], [row.name for row in plan.parameters])
    names = frozenset(fitting[expectation.parameters])
    return [row for row in plan.parameters if row.name in names]


def _is_meant(expectation: Expectation, row: PlannedParameter) -> bool:
    uses = (row.lr_rule, row.weight_decay_rule)
    return expectation.rule is None or any(
        use is not None and use.rule is expectation.rule for use in uses
    )


def _frozen(expectation: Expectation, rows: list[PlannedParameter]) -> Iterator[Breach]:
    wrong = tuple(row for row in rows if row.requires_grad is expectation.frozen)
    if wrong:
        expected, found = ("frozen", "trainable") if expectation.frozen else ("trainable", "frozen")
        yield Breach(
            what="frozen",
            message=f"{expectation.subject} should be {expected}, but {len(wrong)} of "
            f"{_count(len(rows))} {'is' if len(wrong) == 1 else 'are'} {found}",
            parameters=wrong,
        )


def _multiple(plan: Plan, row: PlannedParameter) -> float | None:
    if row.effective_lr is None or row.optimizer is None:
        return None
    base = plan.optimizers[row.optimizer].lr
    if not base:
        return 0.0 if row.effective_lr == 0 else None
    return row.effective_lr / base


def _unequal(
    expectation: Expectation,
    what: str,
    expected: float,
    rows: list[PlannedParameter],
    values: list[float | None],
) -> Iterator[Breach]:
    wrong = [
        (row, value)
        for row, value in zip(rows, values, strict=True)
        if value is None or not math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-15)
    ]
    if not wrong:
        return
    found = sorted({"none" if value is None else f"{value:.6g}" for _, value in wrong})
    yield Breach(
        what=what,
        message=f"{expectation.subject} should have {what} {expected:.6g}, but {len(wrong)} of "
        f"{_count(len(rows))} {'has' if len(wrong) == 1 else 'have'} {', '.join(found[:3])}"
        + (f" and {len(found) - 3} other values" if len(found) > 3 else ""),
        parameters=tuple(row for row, _ in wrong),
    )


def _count(number: int) -> str:
    return f"{number} parameter{'' if number == 1 else 's'}"
