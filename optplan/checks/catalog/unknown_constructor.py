"""OPT005: constructors that are not known."""

from __future__ import annotations

from collections.abc import Iterator

from optplan.checks.base import Check, Context, Finding
from optplan.checks.facts.unvalidated_section import RawSection
from optplan.config import Symbol
from optplan.config.layer_decay_options import is_for_custom_class, own_class_hint
from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.errors import PlanError, close_matches, did_you_mean
from optplan.names import ProblemKind, Severity
from optplan.rules import LAYER_DECAY_RULES


class UnknownConstructor(Check):
    """A constructor that optplan does not know and could not watch: its options were not checked.

    That is no proof of a mistake: the class may belong to a package that is not installed here. ::

        constructor='SwinOptimWrapperConstructor'    # of mmaction2

    With the package installed and a model given, what it reads of ``paramwise_cfg`` is checked as well.
    """

    code = "OPT005"
    name = "unknown-constructor"
    severity = Severity.INFO
    needs_plan = False
    is_folded = True
    of_section = True

    def run(self, context: Context) -> Iterator[Finding]:
        """Yield the constructor, if nothing is known of what it reads."""
        raw = context.raw
        if raw is None or context.read_options is not None:
            return
        constructor = raw.outer.get("constructor")
        untold = context.problems(ProblemKind.UNKNOWN_CONSTRUCTOR)
        if constructor is None:
            # a section of a form that only a constructor of the project's own can read
            for problem in untold:
                yield self.finding(
                    f"{problem.message}: it was not checked", key=raw.where, place=problem.place
                )
            return
        if not isinstance(constructor, str | Symbol) or (raw.known is not None and not untold):
            return
        if isinstance(context.trouble, PlanError) and not untold:
            return  # it was found, and refused this model or its options
        what = "paramwise_cfg was" if raw.paramwise else "the section was"
        name = str(constructor).rpartition(".")[2]
        yield self.finding(
            f"the constructor {name!r} is not known: {what} not checked",
            key=f"{raw.where}.constructor",
            place=raw.constructor_place,
            hint=_misspelt(name)
            or next((problem.hint for problem in untold), None)
            or _import_it(raw, name),
        )


def _import_it(raw: RawSection, name: str) -> str | None:
    """Return a hint where the class is the project's own, whatever is installed."""
    is_own = raw.is_mmcv1 or (
        name == LAYER_DECAY_RULES.constructor and is_for_custom_class(raw.paramwise)
    )
    return own_class_hint(name) if is_own else None


def _misspelt(name: str) -> str | None:
    """Return a hint only for what all but is the default constructor: the names of all are much alike."""
    return did_you_mean(name, close_matches(name, DEFAULT_CONSTRUCTORS, most=1, cutoff=0.94))
