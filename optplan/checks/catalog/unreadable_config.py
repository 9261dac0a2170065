"""OPT004: configs that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.config import find_namespace
from optplan.errors import ConfigError, ModelError, Problem
from optplan.names import Severity
from optplan.places import Place

_NUMBERS = re.compile(r":\d+(?::\d+)?\b")


class UnreadableConfig(Check):
    """A config that cannot be read, or whose optimizer section is wrong.

    There is a finding for each mistake that no other check tells. No plan can be made of such a config,
    so that most other checks say nothing of it: mend this first.

    Bad::

        optim_wrapper = dict(optimizer=dict(type='SGD', lr='0.1'))

    Good::

        optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))

    A module of ``custom_imports`` that no installed package has is an info where a plan was made without it.
    In a folder, files that are no configs at all are passed over. A model that a target of
    pyproject.toml names, and that cannot be built, is reported where the target stands.
    """

    code = "OPT004"
    name = "unreadable-config"
    severity = Severity.ERROR
    needs_plan = False
    is_folded = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield every mistake that kept the section from being read, or the model from being built."""
        yield from self._not_imported(context)
        if isinstance(context.trouble, ConfigError | ModelError):
            yield from self.of(context.problems(None), Place(context.config.entry, 0, 0))

    def _not_imported(self, context: Context) -> Iterator[Finding]:
        for name in context.planned.not_imported if context.planned else ():
            yield self.finding(
                f"custom_imports: no installed package provides {name!r}: the plan is made without it",
                key=f"custom_imports.{name}",
                place=find_namespace(context.config).imports_place,
                hint=f"pass --import {name}, or install the package that has it",
                severity=Severity.INFO,
            )

    def of(self, problems: Iterable[Problem], otherwise: Place | None = None) -> Iterator[Finding]:
        """Yield a finding for each problem.

        Args:
            problems: What went wrong.
            otherwise: Where a problem stands that has no place of its own.
        """
        for problem in problems:
            key = _NUMBERS.sub("", problem.message)
            yield self.of_problem(problem, key=key, otherwise=otherwise)
