"""A plan together with what it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optplan.config import OptimizerConfig
from optplan.facts import Inventory, ParameterFacts
from optplan.plan.build import Assignment
from optplan.plan.plan import Plan, PlannedParameter
from optplan.rules import Options, Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What each tensor gets, with what is known of who decided.

    Args:
        assignments: What each tensor gets, by its number.
        options: The options that the rules worked with; None where other code decided, of which it is
            not known what it makes of them.
        read: The paths inside ``paramwise_cfg`` that a constructor of other code read; None where none
            ran.
        wanted: The paths there that it asked for in vain.
        parts: Where the config has several sections, for each optimizer the plan of its section alone,
            whose names begin below the child that it is for.
        tracer: What tells why, where rules of another kind than ``paramwise_cfg`` decided.
    """

    assignments: Mapping[int, Assignment]
    options: Options | None = None
    read: frozenset[tuple[str, ...]] | None = None
    wanted: frozenset[tuple[str, ...]] = frozenset()
    parts: tuple[Planned, ...] = ()
    tracer: Tracer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Decisions):
    """A plan with the facts and options behind it, for those that explain or check it.

    Args:
        plan: The plan.
        inventory: The model's parameters, as they were before the constructor ran.
        section: The config's optimizer section.
        not_imported: The modules of ``custom_imports`` that no installed package has.
    """

    plan: Plan
    inventory: Inventory
    section: OptimizerConfig
    not_imported: tuple[str, ...] = ()

    @property
    def rules(self) -> Options | None:
        """The options, where the rules alone decided and no other code did."""
        return self.options if self.read is None else None

    def part_of(self, row: PlannedParameter) -> tuple[Planned, PlannedParameter] | None:
        """Return the plan of the section that a row belongs to, with its row there; None where there is but one."""
        if not self.parts or row.optimizer is None:
            return None
        name = self.plan.optimizers[row.optimizer].name or ""
        part = self.parts[row.optimizer]
        inner = {one.name: one for one in part.plan.parameters}
        while name:
            if (found := inner.get(row.name.removeprefix(f"{name}."))) is not None:
                return part, found
            name = name.rpartition(".")[0]
        return None

    def pairs(self) -> Iterator[tuple[PlannedParameter, ParameterFacts]]:
        """Yield every row of the plan with its facts."""
        return zip(self.plan.parameters, self.inventory.parameters, strict=True)
