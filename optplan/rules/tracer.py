"""Declare what ``explain`` asks of rules other than the default constructor's: ``RegexOptions``,
``TimmOptions``, and what a dialect saw of its library.

The default constructor's rules are traced by ``decide.trace``.
"""

from __future__ import annotations

from typing import Protocol

from optplan.facts import ParameterFacts
from optplan.rules.decision import Candidate


class Tracer(Protocol):
    """Rules that can be asked about one parameter."""

    def trace(self, facts: ParameterFacts) -> tuple[Candidate, ...]:
        """Return what was tried for it, in order; the settings that nothing was tried for are left out."""

    def unmatched(self, facts: ParameterFacts) -> tuple[str, ...]:
        """Return the keys or patterns that do not fit its name."""
