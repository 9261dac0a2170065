"""Hold what was decided for a parameter, and the candidates that were tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from optplan.facts import ParameterFacts
from optplan.rules.options import Verdict


class Decision(NamedTuple):
    """What a parameter gets.

    Args:
        lr: The verdict on its lr.
        weight_decay: The verdict on its weight decay.
        entries: What its param group holds besides ``params``, and besides its name.
        key: The custom key that decides, if one does.
        name: What the group holds as ``param_name``, if it does.
    """

    lr: Verdict
    weight_decay: Verdict
    entries: Mapping[str, Any]
    key: str | None = None
    name: str | None = None

    @property
    def group(self) -> dict[str, Any]:
        """All that the group holds besides ``params``."""
        return {**self.entries} if self.name is None else {**self.entries, "param_name": self.name}


class Skipped(StrEnum):
    """Why a parameter gets into no group."""

    DUPLICATE = "duplicate"
    FROZEN = "frozen"


class Outcome(StrEnum):
    """Whether a candidate won."""

    WON = "won"
    LOST = "lost"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One rule that was tried for the lr or the weight decay of one parameter.

    Args:
        setting: ``lr`` or ``weight_decay``.
        verdict: What it gives, or would have given.
        outcome: Whether it won.
        reason: Why it won, who beat it, or why it did not apply.
    """

    setting: str
    verdict: Verdict
    outcome: Outcome
    reason: str


class Tracer(Protocol):
    """Rules that can be asked about one parameter."""

    def trace(self, facts: ParameterFacts) -> tuple[Candidate, ...]:
        """Return what was tried for it, in order; the settings that nothing was tried for are left out."""

    def unmatched(self, facts: ParameterFacts) -> tuple[str, ...]:
        """Return the keys or patterns that do not fit its name."""
