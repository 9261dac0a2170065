"""Find the parameters that break what a project expects of its plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from optplan.checks.bounds import Bound
from optplan.checks.paths import fits
from optplan.errors import UsageError
from optplan.names import Rule, Status
from optplan.plan import Plan, PlannedParameter
from optplan.plan.names.patterns import matching

_NO_VALUES = (Status.FROZEN, Status.DUPLICATE)
# What a weight decay may be called instead of a number.
DECAYED, NOT_DECAYED = "decayed", "not decayed"
DECAY_WORDS = {DECAYED: Bound(written=DECAYED, comparisons=((">", 0.0),)), NOT_DECAYED: Bound(written=NOT_DECAYED, comparisons=(("=", 0.0),))}  # fmt: skip

# By name, the least and the last lr over the training: a pair for each training that it may be.
LrCourse = Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One ``[[tool.optplan.expect]]``.

    Args:
        where: The place it is written at, ``pyproject.toml:12``.
        folder: The folder that ``configs`` is relative to.
        configs: Globs of the configs that it is meant for; none for all.
        parameters: Patterns of names; none for all.
        modules: Names of classes of modules, or patterns of them; none for all.
        rule: A rule.
        bounds: What every such parameter that is optimized must get: of ``weight-decay``, ``lr``,
            ``lr-mult`` and ``lr-at-end``.
        frozen: Whether every such parameter must be frozen.
        never_zero: Whether their lr must not be 0 at any step of the training.
        share: Of how much of their elements this must hold.
        min_parameters: How many there must be at least.
    """

    where: str
    folder: str
    configs: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    rule: Rule | None = None
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    frozen: bool | None = None
    never_zero: bool = False
    share: float = 1.0
    min_parameters: int = 1

    @property
    def subject(self) -> str:
        """Return the parameters it is about, in words."""
        words = [f"rule {self.rule.value}"] if self.rule else []
        words += [f"module {' or '.join(self.modules)}"] if self.modules else []
        patterns = " or ".join(map(repr, self.parameters))
        if not words:
            return patterns or "all parameters"
        return " of ".join(words) + (f" in {patterns}" if patterns else "")

    def is_for(self, config: str) -> bool:
        """Return whether it says anything about a config."""
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
    parameters: tuple[PlannedParameter, ...] = ()


def breaches(
    expectation: Expectation, plan: Plan, course: Callable[[], LrCourse | None]
) -> Iterator[Breach]:
    """Yield everything in a plan that breaks an expectation.

    Args:
        expectation: What is expected.
        plan: The plan.
        course: Gives the lr over the training, where that is asked for.
    """
    try:
        rows = _meant(expectation, plan)
    except UsageError as error:  # its pattern takes too long
        yield Breach(what="parameters", message=error.problems[0].message)
        return
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
    for what, bound in expectation.bounds.items():
        if what != "lr-at-end":
            values = [_VALUES[what](plan, row) for row in trained]
            yield from _outside(expectation, what, bound, trained, values)
    yield from _over_training(expectation, trained, course)


def _meant(expectation: Expectation, plan: Plan) -> list[PlannedParameter]:
    """Return the rows that an expectation is about.

    Raises:
        UsageError: A pattern takes too long to match.
    """
    rows: Sequence[PlannedParameter] = plan.parameters
    if expectation.parameters:
        found = matching(expectation.parameters, [row.name for row in rows])
        names = frozenset[str]().union(*found.values())
        rows = [row for row in rows if row.name in names]
    if expectation.modules:
        rows = [row for row in rows if _is_of(row.module, expectation.modules)]
    if expectation.rule is not None:
        rows = [row for row in rows if _is_by(row, expectation.rule)]
    return list(rows)


def _is_of(module: str, patterns: Sequence[str]) -> bool:
    """Return whether a module's class, with or without its package, is one of these."""
    name = module.rpartition(".")[2]
    return any(fnmatchcase(name, one) or fnmatchcase(module, one) for one in patterns)


def _is_by(row: PlannedParameter, rule: Rule) -> bool:
    return any(use is not None and use.rule is rule for use in (row.lr_rule, row.weight_decay_rule))


def _frozen(expectation: Expectation, rows: list[PlannedParameter]) -> Iterator[Breach]:
    wrong = [row for row in rows if row.requires_grad is expectation.frozen]
    expected, found = ("frozen", "trainable") if expectation.frozen else ("trainable", "frozen")
    if not _is_enough(expectation, rows, wrong):
        yield _breach(expectation, "frozen", f"be {expected}", rows, wrong, f"be {found}")


def _decay(_plan: Plan, row: PlannedParameter) -> float | None:
    return row.weight_decay


def _lr(_plan: Plan, row: PlannedParameter) -> float | None:
    return row.effective_lr


def _multiple(plan: Plan, row: PlannedParameter) -> float | None:
    if row.effective_lr is None or row.optimizer is None:
        return None
    base = plan.optimizers[row.optimizer].lr
    if not base:
        return 0.0 if row.effective_lr == 0 else None
    return row.effective_lr / base


_VALUES = {"weight-decay": _decay, "lr": _lr, "lr-mult": _multiple}


def _over_training(
    expectation: Expectation, rows: list[PlannedParameter], course: Callable[[], LrCourse | None]
) -> Iterator[Breach]:
    at_end = expectation.bounds.get("lr-at-end")
    if at_end is None and not expectation.never_zero:
        return
    known = course() or {}
    if unknown := [row for row in rows if row.name not in known]:
        yield Breach(
            what="lr-at-end" if at_end is not None else "never-zero",
            message=f"the lr of {expectation.subject} over the training is not known here",
            parameters=tuple(unknown),
        )
        return
    if at_end is not None:
        lasts = [[last for _, last in known[row.name]] for row in rows]
        values: list[float | None] = [next(filter(at_end.holds, one), one[0]) for one in lasts]
        yield from _outside(expectation, "lr-at-end", at_end, rows, values)
    zero = [row for row in rows if all(least == 0 for least, _ in known[row.name])]
    if expectation.never_zero and not _is_enough(expectation, rows, zero):
        text = "never have lr 0"
        yield _breach(expectation, "never-zero", text, rows, zero, "have it at some step")


def _outside(
    expectation: Expectation,
    what: str,
    bound: Bound,
    rows: list[PlannedParameter],
    values: list[float | None],
) -> Iterator[Breach]:
    """Yield the rows whose values a bound does not allow."""
    if bound.written == NOT_DECAYED:
        values = [value or 0.0 for value in values]
    pairs = list(zip(rows, values, strict=True))
    wrong = [row for row, value in pairs if not bound.holds(value)]
    if _is_enough(expectation, rows, wrong):
        return
    found = sorted({_text(value) for _, value in pairs if not bound.holds(value)})
    more = f" and {len(found) - 3} other values" if len(found) > 3 else ""
    demand = f"be {bound}" if bound.written in DECAY_WORDS else f"have {what} {bound}"
    shown = f"have {', '.join(found[:3])}{more}"
    yield _breach(expectation, what, demand, rows, wrong, shown)


def _is_enough(
    expectation: Expectation, rows: list[PlannedParameter], wrong: list[PlannedParameter]
) -> bool:
    """Return whether what is expected holds for as many elements as it must."""
    total = sum(row.elements for row in rows)
    right = total - sum(row.elements for row in wrong)
    return not wrong or (expectation.share < 1 and right >= expectation.share * total)


def _breach(
    expectation: Expectation,
    what: str,
    demand: str,
    rows: list[PlannedParameter],
    wrong: list[PlannedParameter],
    found: str,
) -> Breach:
    verb, _, rest = found.partition(" ")
    verb = {"be": ("is", "are"), "have": ("has", "have")}[verb][len(wrong) != 1]
    share = f" in {100 * expectation.share:g} % of their elements" if expectation.share < 1 else ""
    return Breach(
        what=what,
        message=f"{expectation.subject} should {demand}{share}, but {len(wrong)} of {_count(len(rows))}"
        f" {verb} {rest}",
        parameters=tuple(wrong),
    )


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"


def _count(number: int) -> str:
    return f"{number} parameter{'' if number == 1 else 's'}"
