"""Optimizers that couple parameters: found by stepping a few alone and together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from optplan.verify.judging import Way, judge_exact
from optplan.verify.reference import Member, UpdateRule, alone, together
from optplan.verify.results import AS_PLANNED
from optplan.verify.seeded import Draws

_COMPANIONS = 3
# What the companions' gradients are larger by: a bound on the norm of all of them must be exceeded.
_LOUDER = 1000.0


def is_coupled(
    suspects: Sequence[Member], others: Sequence[Member], base: UpdateRule, draws: Draws, steps: int
) -> bool:
    """Whether a parameter moves otherwise where others move too.

    Args:
        suspects: Parameters that did not move as they do alone.
        others: All parameters of the same optimizer.
        base: Its own values.
        draws: Values and gradients.
        steps: How many.
    """
    return any(
        _moves_otherwise(suspect, _companions(suspect, others), base, draws, steps)
        for suspect in _one_for_each_group(suspects)
    )


def _one_for_each_group(suspects: Iterable[Member]) -> list[Member]:
    """The smallest suspects, of a few groups."""
    by_group: dict[int | None, Member] = {}
    for suspect in sorted(suspects, key=_size):
        by_group.setdefault(suspect.held.row.group, suspect)
    return list(by_group.values())[:_COMPANIONS]


def _companions(suspect: Member, others: Sequence[Member]) -> list[Member]:
    """The smallest parameters of the suspect's own group and of others."""
    small = sorted((other for other in others if other.held is not suspect.held), key=_size)
    group = suspect.held.row.group
    own = [other for other in small if other.held.row.group == group][:_COMPANIONS]
    foreign = [other for other in small if other.held.row.group != group][:_COMPANIONS]
    return own + foreign


def _moves_otherwise(
    suspect: Member, companions: Sequence[Member], base: UpdateRule, draws: Draws, steps: int
) -> bool:
    held = {member.held.name: member.held for member in (suspect, *companions)}
    mine = suspect.held.name

    def louder(name: str, step: int) -> Tensor:
        gradient = draws.gradient(held[name], step)
        return gradient if name == mine else gradient * _LOUDER

    # in a group of its own too: whether its class follows a group's values is another question
    (by_itself,) = together([suspect], base, draws.value, louder, steps).values()
    among = together([suspect, *companions], base, draws.value, louder, steps)[mine]
    way = Way(start=draws.value(suspect.held), end=among, expected=by_itself)
    return judge_exact(way).movement not in AS_PLANNED


def follows_its_group(member: Member, base: UpdateRule, draws: Draws, steps: int) -> bool:
    """Whether the class steps a parameter by the values of its group as by those of its own arguments."""
    start = draws.value(member.held)

    def gradients(_: str, step: int) -> Tensor:
        return draws.gradient(member.held, step)

    as_arguments = alone(member.rule, start, gradients, steps)
    (in_group,) = together([member], base, draws.value, gradients, steps).values()
    way = Way(start=start, end=in_group, expected=as_arguments)
    return judge_exact(way).movement in AS_PLANNED


def _size(member: Member) -> int:
    return member.held.tensor.numel()
