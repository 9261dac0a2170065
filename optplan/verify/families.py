"""Find the published formula that an optimizer follows, by its class or by how it moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch.optim import Optimizer

from optplan.verify.explain import Explainer
from optplan.verify.formula_oracle import Expected, FormulaOracle
from optplan.verify.formulas import Formula, candidates, declared_formula, formulas
from optplan.verify.own_rules import has_own_rule
from optplan.verify.runs import Trace, looked_at, samples
from optplan.verify.stepping import failure_of
from optplan.verify.subject import ModelUnderTest, PlannedTensor

# Shares of an optimizer's parameters that must move by a formula, for the others to be held to it.
_ENOUGH = 1 / 3
_MOST = 0.5
_PARALLEL = 1e-9
_MOST_SOLO = 3
# Steps that have the planned values: what departs later is held to the formula all the same.
_FEW_STEPS = 2
_ALL = 1 << 30
_KINDS = {True: "tensors of several dimensions", False: "flat tensors"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedFormula:
    """The formula of an optimizer.

    Args:
        optimizer: The number of the optimizer.
        class_name: Its class.
        formula: The formula; None where it follows none.
        reason: Why it is held to this one, or to none.
        own_kinds: Of matrices (true) and flat tensors (false) those that a rule of its own steps.
        is_claimed: The class is torch's, derived from it, or has its name.
        may_stand_still: It has options that no formula knows, so that nobody can say when it moves.
    """

    optimizer: int
    class_name: str
    formula: Formula | None
    reason: str
    own_kinds: frozenset[bool] = frozenset()
    is_claimed: bool = False
    may_stand_still: bool = False


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The runs that show how optimizers move.

    Args:
        subject: The parameters.
        oracle: Steps them by formulas.
        real, reference: What the real optimizers and the references did.
        alone: Runs the real optimizers with a gradient for one parameter only; None where several processes
            would have to.
    """

    subject: ModelUnderTest
    oracle: FormulaOracle
    real: Trace
    reference: Trace
    alone: Callable[[PlannedTensor], Trace] | None


def find_family(number: int, evidence: Evidence) -> MatchedFormula:
    """Return the formula that an optimizer is held to.

    That of torch's class which it is or is derived from; else one by which a third of its parameters move in
    the first steps, or most of them with another value of the plan, or alone, or at another speed after the
    first step. A class with options that a formula does not know is not held to it.

    Args:
        number: The optimizer.
        evidence: How it moved.
    """
    return _Search(number, evidence).family()


class _Search:
    def __init__(self, number: int, evidence: Evidence) -> None:
        self._number = number
        self._evidence = evidence
        self._optimizer = evidence.subject.optimizers[number].inner
        self._options = _common_options(self._optimizer)
        self._program = replace(evidence.oracle.program, tail=0)
        known = [
            held
            for held in samples(evidence.subject)
            if held.row.optimizer == number and held.row.lr
        ]
        self._sample = [held for held in known if not own_rule(held)]
        self._counts = self._kinds()

    def family(self) -> MatchedFormula:
        name = type(self._optimizer).__name__
        declared = declared_formula(self._optimizer)
        if declared is not None and not declared.unknown_options(self._optimizer.defaults):
            is_own = name == declared.name
            return self._made(declared, "it is torch's" if is_own else f"{name} is derived from it")
        tried = [declared] if declared is not None else candidates(name)
        if self._sample and (found := self._followed(tried)) is not None:
            return self._with_own_kinds(self._made(found, f"{name} moves its parameters by it"))
        if declared is None:
            return self._none("it follows none of the formulas that are known")
        options = ", ".join(declared.unknown_options(self._optimizer.defaults))
        return self._none(f"{options} is no part of the formula of {declared.name}")

    def _made(self, formula: Formula | None, reason: str) -> MatchedFormula:
        name = type(self._optimizer).__name__
        return MatchedFormula(
            optimizer=self._number,
            class_name=name,
            formula=formula,
            reason=reason,
            is_claimed=formula is not None and self._is_named_like(formula),
        )

    def _with_own_kinds(self, family: MatchedFormula) -> MatchedFormula:
        evidence = self._evidence
        explainer = Explainer(evidence.subject, evidence.oracle, evidence.real)
        assert family.formula is not None
        found = set()
        for is_matrix in (True, False):
            members = [one for one in self._sample if (one.tensor.ndim > 1) is is_matrix]
            if members and self._follow_another(members, family.formula):
                found.add(is_matrix)
                continue
            if not members or not has_own_rule(
                members, family.formula, evidence.oracle, evidence.real, explainer
            ):
                continue
            if evidence.alone is not None:
                trace = evidence.alone(members[0])
                if self._is_followed(family.formula, trace, _FEW_STEPS)(members[0]):
                    continue
            found.add(is_matrix)
        if not found:
            return family
        kinds = " and ".join(_KINDS[one] for one in sorted(found))
        reason = f"{family.reason}, but {kinds}, which it steps by a rule of its own"
        return replace(family, own_kinds=frozenset(found), reason=reason)

    def _follow_another(self, members: Sequence[PlannedTensor], formula: Formula) -> bool:
        """Return whether all of a kind follow one formula to the end, and none of a name like the other's."""
        real = self._evidence.real
        if any(map(self._is_followed(formula, real), members)):
            return False
        word = formula.name.split()[0].lower()
        others = (one for one in formulas().values() if not _are_related(one.name, word))
        return any(all(map(self._is_followed(one, real), members)) for one in others)

    def _none(self, reason: str) -> MatchedFormula:
        may_stand_still = all(one.unknown_options(self._options) for one in formulas().values())
        return replace(self._made(None, reason), may_stand_still=may_stand_still)

    def _followed(self, tried: Sequence[Formula]) -> Formula | None:
        plain = [one for one in tried if not one.unknown_options(self._options)]
        return (
            self._best(plain, self._whole, _ENOUGH)
            or self._best(self._likely(plain), self._varied, _MOST)
            or self._best(self._likely(plain), self._alone, _MOST)
            or self._best(self._likely(plain), self._slowed, _MOST)
        )

    def _best(
        self, tried: Iterable[Formula], share: Callable[[Formula], float], least: float
    ) -> Formula | None:
        shares = [(share(one), one) for one in tried]
        best = max(shares, key=lambda pair: pair[0], default=(0.0, None))
        return best[1] if best[0] >= least else None

    def _is_named_like(self, formula: Formula) -> bool:
        word = formula.name.split()[0].lower()
        return any(word in base.__name__.lower() for base in type(self._optimizer).__mro__)

    def _follows_a_matrix(self, formula: Formula) -> bool:
        matrices = [held for held in self._sample if held.tensor.ndim > 1]
        follows = self._is_followed(formula, self._evidence.real, _FEW_STEPS)
        return not matrices or any(map(follows, matrices))

    def _likely(self, tried: Sequence[Formula]) -> list[Formula]:
        """Return the formulas that take all that the optimizer has, or are named like it."""
        names = {"lr", *self._options}
        like = [one for one in tried if self._is_named_like(one)]
        return like or [one for one in tried if names <= set(one.options)]

    def _whole(self, formula: Formula) -> float:
        """Return the share that follows; 0 where no matrix does and the class is not named like the formula.

        Classes with a rule of their own for matrices often step flat tensors by a published one.
        """
        if not self._is_named_like(formula) and not self._follows_a_matrix(formula):
            return 0.0
        traces = self._evidence.real, self._evidence.reference
        return max(self._share(self._is_followed(formula, trace, _FEW_STEPS)) for trace in traces)

    def _varied(self, formula: Formula) -> float:
        evidence = self._evidence
        explainer = Explainer(evidence.subject, evidence.oracle, evidence.real)
        follows = self._is_followed(formula, evidence.real, _FEW_STEPS)
        return self._share(
            lambda held: follows(held) or bool(explainer.words(held, formula, steps=_FEW_STEPS)),
        )

    def _alone(self, formula: Formula) -> float:
        alone = self._evidence.alone
        if alone is None or formula is not self._likely([formula])[0]:
            return 0.0
        few = self._sample[:_MOST_SOLO]
        seen = [self._is_followed(formula, alone(held))(held) for held in few]
        return sum(seen) / len(few) if few else 0.0

    def _slowed(self, formula: Formula) -> float:
        return self._share(lambda held: self._is_parallel(formula, held))

    def _share(self, test: Callable[[PlannedTensor], bool]) -> float:
        """Return which share of the parameters those stand for that pass a test."""
        total = sum(self._counts[held.name] for held in self._sample)
        return sum(self._counts[held.name] for held in self._sample if test(held)) / max(total, 1)

    def _is_followed(
        self, formula: Formula, trace: Trace, least: int = _ALL
    ) -> Callable[[PlannedTensor], bool]:
        """Return a test whether a parameter moves by a formula in so many first steps."""

        def test(held: PlannedTensor) -> bool:
            found = self._expected(formula, held, trace)
            return found is not None and (found.first is None or found.first >= least)

        return test

    def _is_parallel(self, formula: Formula, held: PlannedTensor) -> bool:
        """Return whether the first step is the formula's, and each later one a multiple of it."""
        found = self._expected(formula, held, self._evidence.real)
        if found is None or found.first in (None, 0) or held.row.weight_decay:
            return False
        real = [one for _, one in looked_at(self._evidence.real, held.name)]
        for before, step, mine_before, mine in zip(
            real, real[1:], found.digests, found.digests[1:], strict=False
        ):
            way, wanted = step - before, mine - mine_before
            length = float(wanted @ wanted)
            ratio = float(way @ wanted) / length if length else 0.0
            if float((way - ratio * wanted).abs().max()) > _PARALLEL * float(way.abs().max()):
                return False
        return True

    def _expected(self, formula: Formula, held: PlannedTensor, trace: Trace) -> Expected | None:
        found: list[Expected] = []

        def run() -> None:
            expected = self._evidence.oracle.expected
            found.extend(expected([held], formula, trace, program=self._program))

        return found[0] if failure_of(run) is None else None

    def _kinds(self) -> Mapping[str, int]:
        """Return how many parameters each of the sample stands for: those of its setting and dimensions."""
        kinds: dict[Any, int] = {}
        for held in self._evidence.subject.stepped:
            if held.row.optimizer == self._number and held.takes_gradient:
                key = held.row.setting, held.tensor.ndim
                kinds[key] = kinds.get(key, 0) + 1
        return {one.name: kinds[one.row.setting, one.tensor.ndim] for one in self._sample}


def _are_related(name: str, word: str) -> bool:
    other = name.split(maxsplit=1)[0].lower()
    return other in word or word in other


def _common_options(optimizer: Optimizer) -> dict[str, Any]:
    """Return the options of an optimizer: its defaults, and what its class has written into all groups."""
    first, *others = optimizer.param_groups or [{}]
    common = {
        name: value
        for name, value in first.items()
        if isinstance(value, bool | int | float | str)
        and all(name in group and group[name] == value for group in others)
    }
    return {**(common if others else {}), **optimizer.defaults}


def own_rule(held: PlannedTensor, family: MatchedFormula | None = None) -> bool:
    """Return whether a parameter is of a kind with a rule of its own, or an entry of its group says so, as ``use_muon``."""
    if family is not None and (held.tensor.ndim > 1) in family.own_kinds:
        return True
    return any(
        value is True or (isinstance(value, str) and not name.endswith(("name", "names")))
        for name, value in held.row.extra.items()
    )
