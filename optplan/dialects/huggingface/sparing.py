"""Ask the library's own function which parameters a trainer's rules spare weight decay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from optplan.facts import ParameterFacts
from optplan.names import Rule
from optplan.rules import Verdict
from optplan.rules.decision import Candidate, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A class of modules, or a pattern of names, that spares parameters weight decay.

    Args:
        verdict: What it gives.
        names: The names that it spares.
        words: Why it spares a parameter, and why it does not.
    """

    verdict: Verdict
    names: frozenset[str]
    words: tuple[str, str]


@dataclass(slots=True)
class Sparing:
    """The reasons that a trainer was seen to go by, in the order in which it tries them.

    Attributes:
        reasons: All of them.
        has_decay: Whether there is any weight decay to be spared.
    """

    reasons: list[Reason] = field(default_factory=list)
    has_decay: bool = False

    def of(self, name: str) -> Verdict | None:
        """Return the verdict of the first reason that spares a parameter."""
        return next((one.verdict for one in self.reasons if name in one.names), None)

    def trace(self, facts: ParameterFacts) -> tuple[Candidate, ...]:
        """Return every reason, and whether it decides the weight decay of a parameter."""
        if not self.has_decay:
            return ()
        winner = self.of(facts.name)
        return tuple(_candidate(one, facts.name, winner) for one in self.reasons)

    def unmatched(self, facts: ParameterFacts) -> tuple[str, ...]:
        """Return nothing: no parameter is matched by keys."""
        return ()


def _candidate(reason: Reason, name: str, winner: Verdict | None) -> Candidate:
    is_spared, (why, why_not) = name in reason.names, reason.words
    outcome = Outcome.NOT_APPLICABLE
    if is_spared:
        outcome = Outcome.WON if reason.verdict is winner else Outcome.LOST
    return Candidate(
        setting="weight_decay",
        verdict=reason.verdict,
        outcome=outcome,
        reason=why if is_spared else why_not,
    )


@contextmanager
def sparing_seen(sparing: Sparing) -> Iterator[None]:
    """Note what the library's trainer goes by while it makes an optimizer."""
    from transformers import trainer

    real: Callable[..., list[str]] = trainer.get_parameter_names

    def noting(model: Any, types: Any, patterns: Any = None) -> list[str]:
        kept = real(model, types, patterns)
        sparing.reasons = list(_reasons(real, model, types or (), patterns or ()))
        return kept

    trainer.get_parameter_names = noting
    try:
        yield
    finally:
        trainer.get_parameter_names = real


def _reasons(
    keep: Callable[..., list[str]], model: Any, types: Any, patterns: Any
) -> Iterator[Reason]:
    """Yield what each class and each pattern spares, as the library's function says of it alone."""
    everything = frozenset(keep(model, [], None))
    for kind in types:
        yield Reason(
            verdict=_verdict(Rule.NORM, option=kind.__name__),
            names=everything.difference(keep(model, [kind], None)),
            words=(f"it is in a {kind.__name__}", f"it is in no {kind.__name__}"),
        )
    for pattern in patterns:
        yield Reason(
            verdict=_verdict(Rule.REGEX, key=pattern),
            names=everything.difference(keep(model, [], [pattern])),
            words=("it is found in the lower-case name", "it is not found in the lower-case name"),
        )


def _verdict(rule: Rule, **named: str) -> Verdict:
    words: Mapping[str, Any] = named
    return Verdict(rule=rule, mult=0.0 if "option" in named else None, value=0.0, **words)
