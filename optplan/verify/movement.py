"""Every parameter's movement under the real optimizer, held against its reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from optplan.chatter import chatter_to_stderr
from optplan.verify.attempts import what_it_says
from optplan.verify.coupling import follows_its_group, is_coupled
from optplan.verify.devices import is_out_of_memory
from optplan.verify.opinions import Judge, Opinions
from optplan.verify.reference import Member, UpdateRule, base_rule, rule_of, together
from optplan.verify.results import Moved, Movement
from optplan.verify.seeded import Draws
from optplan.verify.stepping import take_steps
from optplan.verify.subject import Held, Subject
from optplan.verify.tensors import put_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """One run: how each parameter moved, by its name.

    Args:
        moved: The verdicts.
        coupled: The optimizers, by number, whose parameters were held against a joint run.
        noisy: How far the plainest computation was off where the real one was matched on the device alone.
    """

    moved: Mapping[str, Moved]
    coupled: frozenset[int] = frozenset()
    noisy: Mapping[str, float] = field(default_factory=dict)


def find_movements(
    subject: Subject,
    draws: Draws,
    steps: int,
    judge: Judge,
    coupled: frozenset[int] | None = None,
    *,
    in_float64: bool,
) -> Movements:
    """Step the real optimizers from drawn values with drawn gradients, and judge every parameter.

    Args:
        subject: Freshly built; its parameters' values are overwritten.
        draws: Values and gradients.
        steps: How many.
        judge: Gives the verdict on a way.
        coupled: The optimizers that are known to couple parameters; None where that is to be found.
        in_float64: Whether the subject is, as its references are.
    """
    failures = _drive(subject, draws, steps)
    return _Run(subject, draws, steps, judge, failures, in_float64=in_float64).judged(coupled)


def _drive(subject: Subject, draws: Draws, steps: int) -> dict[int, str]:
    """Do the steps; what each optimizer said that raised, by its number."""
    held = {one.name: one for one in subject.stepped}
    for one in held.values():
        put_value(one.tensor, draws.value(one), draws.dtypes[one.name])
    failures = {}
    for number, named in enumerate(subject.optimizers):
        foreign = subject.foreign_to(number)
        trainable = [
            (name, one.tensor)
            for name, one in held.items()
            if one.tensor.requires_grad and id(one.tensor) not in foreign
        ]
        run = partial(
            take_steps,
            [named.optimizer],
            trainable,
            lambda name, step: draws.gradient(held[name], step),
            steps,
        )
        if (failure := what_it_says(run)) is not None:
            failures[number] = failure
    return failures


class _Run:
    """The verdicts after the real steps."""

    def __init__(
        self,
        subject: Subject,
        draws: Draws,
        steps: int,
        judge: Judge,
        failures: Mapping[int, str],
        *,
        in_float64: bool,
    ) -> None:
        self._subject = subject
        self._draws = draws
        self._steps = steps
        self._failures = failures
        self._opinions = Opinions(draws, steps, judge, in_float64=in_float64)
        self._moved: dict[str, Moved] = {}
        self._members: dict[int, list[Member]] = {}

    def judged(self, coupled: frozenset[int] | None) -> Movements:
        suspects: dict[int, list[Member]] = {}
        known = coupled or frozenset()
        for held in self._subject.stepped:
            member = self._member(held)
            failure = self._failures.get(-1 if held.row.optimizer is None else held.row.optimizer)
            if failure is not None:
                self._moved[held.name] = Moved(movement=Movement.UNCHECKED, reason=failure)
            elif member is None:
                self._moved[held.name] = self._opinions.judged(held, None)
            elif held.row.optimizer not in known:
                self._moved[held.name] = self._opinions.alone(member)
                if self._moved[held.name].movement in (Movement.DEVIATES, Movement.UNCHECKED):
                    suspects.setdefault(held.row.optimizer or 0, []).append(member)
        found = {
            optimizer
            for optimizer, members in suspects.items()
            if coupled is None and self._is_coupled(optimizer, members)
        }
        for optimizer in sorted((found | known) - set(self._failures)):
            self._moved |= self._together(optimizer)
        order = (held.name for held in self._subject.stepped)
        return Movements(
            moved={name: self._moved[name] for name in order},
            coupled=frozenset(found | known),
            noisy=self._opinions.noisy,
        )

    def _member(self, held: Held) -> Member | None:
        """A parameter that the plan has stepped; None for one that shall stand still."""
        optimizer = held.row.optimizer
        if optimizer is None or optimizer >= len(self._subject.optimizers):
            return None
        if not held.row.requires_grad:
            return None
        member = Member(held=held, rule=rule_of(self._subject, held))
        self._members.setdefault(optimizer, []).append(member)
        return member

    def _is_coupled(self, optimizer: int, suspects: list[Member]) -> bool:
        base = base_rule(self._subject, optimizer)
        if any(self._moved[one.held.name].movement is Movement.UNCHECKED for one in suspects):
            return True
        with chatter_to_stderr():
            try:
                return is_coupled(
                    suspects, self._members[optimizer], base, self._draws, self._steps
                )
            except Exception as error:  # whatever an optimizer of any package may raise
                if is_out_of_memory(error):
                    raise
                return False

    def _together(self, optimizer: int) -> dict[str, Moved]:
        """The verdicts on one optimizer's parameters against a run of all of them."""
        members = self._members[optimizer]
        held = {member.held.name: member.held for member in members}
        base = base_rule(self._subject, optimizer)
        ends: dict[str, Tensor] = {}

        def run() -> None:
            ends.update(
                together(
                    members,
                    base,
                    self._draws.value,
                    lambda name, step: self._draws.gradient(held[name], step),
                    self._steps,
                )
            )

        failure = what_it_says(run)
        if failure is not None:
            reason = f"no joint reference could be made: {failure}"
            return dict.fromkeys(held, Moved(movement=Movement.UNCHECKED, reason=reason))
        unruly = self._unruly(members, base)
        return {
            name: self._opinions.judged(one, ends[name]) if name not in unruly else _DEAF
            for name, one in held.items()
        }

    def _unruly(self, members: Iterable[Member], base: UpdateRule) -> set[str]:
        """Parameters whose groups' values the class does not follow: no joint run would show it."""
        by_setting: dict[int | None, list[Member]] = {}
        for member in members:
            by_setting.setdefault(member.held.row.setting, []).append(member)
        found: set[str] = set()
        for alike in by_setting.values():
            smallest = min(alike, key=lambda member: member.held.tensor.numel())
            if not self._follows(smallest, base):
                found.update(member.held.name for member in alike)
        return found

    def _follows(self, member: Member, base: UpdateRule) -> bool:
        """Whether its class steps a parameter by its group's values, as far as that can be seen."""
        seen: list[bool] = []
        what_it_says(lambda: seen.append(follows_its_group(member, base, self._draws, self._steps)))
        return all(seen)


_DEAF = Moved(
    movement=Movement.DEVIATES, reason="its optimizer does not follow the values of its group"
)
