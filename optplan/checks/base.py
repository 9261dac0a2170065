"""Declare a check, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from optplan.checks.facts.context import Context
from optplan.config.edits import Fix
from optplan.errors import Problem
from optplan.names import Severity
from optplan.places import Place

__all__ = ["Check", "Context", "Finding", "FindingData"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingData:
    """What a check has found, apart from where it stands.

    Args:
        code: The check's code, ``OPT103``.
        name: The check's name, ``unmatched-key``.
        severity: How bad it is.
        message: What is wrong, in one line.
        key: What it is about, never a line number: a config path or a custom key. Code, config and
            key make the same finding known again after the file was edited.
        hint: What to do about it: a did-you-mean.
        parameters: The names of the parameters that it concerns, in the model's order.
        fix: What mends it for certain.
    """

    code: str
    name: str
    severity: Severity
    message: str
    key: str
    hint: str | None = None
    parameters: tuple[str, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(FindingData):
    """One thing that a check has found in one config: None is the place of what has none there."""

    place: Place | None = None


class Check(ABC):
    """One check. Its docstring is its reference page: what it finds, a bad config, the mended one.

    Attributes:
        code: ``OPT`` and three digits.
        name: Its name in words with hyphens.
        severity: The severity of its findings, unless it says otherwise for one of them.
        needs_plan: It can say nothing without a model. It copes with a plan that is refused.
        opt_in: It runs only when it is selected by name.
        of_section: It looks at one section and its keys: it runs for each where there are several.
        is_folded: Equal findings of several files are reported once, at the first.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    needs_plan: ClassVar[bool] = True
    opt_in: ClassVar[bool] = False
    of_section: ClassVar[bool] = False
    is_folded: ClassVar[bool] = False

    @abstractmethod
    def run(self, context: Context) -> Iterator[Finding]:
        """Return everything that it finds in one config."""

    def finding(
        self,
        message: str,
        *,
        key: str,
        place: Place | None = None,
        hint: str | None = None,
        parameters: tuple[str, ...] = (),
        severity: Severity | None = None,
        fix: Fix | None = None,
    ) -> Finding:
        """Return a finding under the check's own code and name."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=message,
            key=key,
            place=place,
            hint=hint,
            parameters=parameters,
            fix=fix,
        )

    def of_problem(self, problem: Problem, *, key: str, otherwise: Place | None = None) -> Finding:
        """Return the finding that tells a problem, at its own place or, without one, at another."""
        return self.finding(
            problem.message,
            key=key,
            place=problem.place or otherwise,
            hint=problem.hint,
            parameters=problem.parameters,
        )
