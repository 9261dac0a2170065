"""What is known of one config when it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from optplan.checks.expectations import Expectation
from optplan.checks.facts.config_schedulers import Schedulers, schedulers_of
from optplan.checks.facts.unvalidated_section import RawSection, raw_section, raw_section_named
from optplan.config import NO_BATCH, Batch, Config, OptimizerConfig
from optplan.dialects import dialect_of, find_sections
from optplan.errors import OptplanError, Problem
from optplan.facts import ParameterFacts
from optplan.names import ProblemKind, Rule
from optplan.places import Place
from optplan.plan import Plan, Planned, PlannedParameter
from optplan.rules.regex_rules import RegexOptions
from optplan.rules.uses import KeyUse, PatternUse, key_uses, pattern_uses
from optplan.schedule import Schedule

_OPTION_WORDS = {"custom_keys": "a custom key"}
MakeSchedule = Callable[[Config, Plan, int | None], Schedule]


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that is known of one config when it is checked; what several checks ask is worked out once.

    Args:
        config: The config as it was read.
        section: Its optimizer section; None where that is wrong (``trouble`` says why).
        planned: The plan with what it was made from; None without a model, or where it is refused.
        trouble: What kept the section or the plan from being made.
        has_model: Whether there is a model to plan for.
        allow_group_keys: Names that the user lets stand in a custom key.
        expectations: What the project expects of its plans.
        part: The name of the section, if this is one of several.
        batch: What is known of the batch.
        make_schedule: Puts the config's schedulers to the plan, for so many iterations of an epoch; None
            without a model.
    """

    config: Config
    section: OptimizerConfig | None = None
    planned: Planned | None = None
    trouble: OptplanError | None = None
    has_model: bool = False
    allow_group_keys: frozenset[str] = field(default_factory=frozenset)
    expectations: tuple[Expectation, ...] = ()
    part: str | None = None
    batch: Batch = NO_BATCH
    make_schedule: MakeSchedule | None = None

    @property
    def read_options(self) -> frozenset[tuple[str, ...]] | None:
        """Paths inside ``paramwise_cfg`` that a constructor was seen to read; None if none was watched."""
        return self.planned.read if self.planned else None

    @property
    def wanted_options(self) -> frozenset[str]:
        """Entries of ``paramwise_cfg`` that the constructor asked for in vain."""
        wanted = self.planned.wanted if self.planned else frozenset()
        return frozenset(path[0] for path in wanted if len(path) == 1)

    @cached_property
    def raw(self) -> RawSection | None:
        """The optimizer section as it is written, mistakes and all; None where there is none."""
        options = self.planned.rules if self.planned else None
        raw = (
            raw_section(self.config)
            if self.part is None
            else raw_section_named(self.config, self.part)
        )
        if raw is None or options is None:
            return raw
        return replace(raw, followed=options.rules)

    @cached_property
    def parts(self) -> tuple[Context, ...]:
        """What is known of each section, where the config has several; else this."""
        try:
            sections = find_sections(self.config)
        except OptplanError:
            sections = {}
        plans: dict[str, Planned] = {}
        for optimizer, part in zip(*self._part_plans(), strict=True):
            plans.setdefault(optimizer.partition(".")[0], part)
        return tuple(
            replace(self, part=name, section=section, planned=plans.get(name))
            for name, section in sections.items()
        ) or (self,)

    def _part_plans(self) -> tuple[tuple[str, ...], tuple[Planned, ...]]:
        """Return the names of the optimizers of several sections, and the plans of the sections."""
        if self.planned is None or not self.planned.parts:
            return (), ()
        names = tuple(str(one.name) for one in self.planned.plan.optimizers)
        return names, self.planned.parts

    @cached_property
    def key_uses(self) -> tuple[KeyUse, ...]:
        """What each custom key does to the model, in the order that keys are tried."""
        planned = self.planned
        if planned is None or planned.options is None:
            return ()
        rules = ((row.name, row.lr_rule) for row in planned.plan.parameters)
        by_code = {name for name, use in rules if use and use.rule is Rule.CONSTRUCTOR}
        return key_uses(planned.inventory, planned.options, by_code)

    @cached_property
    def pattern_uses(self) -> tuple[PatternUse, ...]:
        """What each pattern does to the model, in the order that patterns are tried."""
        options = self.planned.tracer if self.planned else None
        if self.planned is None or not isinstance(options, RegexOptions):
            return ()
        return pattern_uses(self.planned.inventory, options)

    @cached_property
    def schedulers(self) -> Schedulers | None:
        """The config's schedulers; None where it has none, or they are wrong."""
        return schedulers_of(self.config)

    @cached_property
    def schedule(self) -> Schedule | None:
        """The schedulers with the plan's settings; None without a plan, or where they are wrong."""
        return self.schedule_with(self.schedulers.lengths[0]) if self.schedulers else None

    def schedule_with(self, per_epoch: int) -> Schedule | None:
        """Return the schedule where an epoch has so many iterations."""
        if self.planned is None or self.schedulers is None or self.make_schedule is None:
            return None
        try:
            return self.make_schedule(self.config, self.planned.plan, per_epoch)
        except OptplanError:
            return None

    @cached_property
    def rows(self) -> Mapping[str, PlannedParameter]:
        """Return the plan's rows by name; none without a plan."""
        return {row.name: row for row in self.planned.plan.parameters} if self.planned else {}

    @property
    def pairs(self) -> Iterator[tuple[PlannedParameter, ParameterFacts]]:
        """Return the plan's rows, each with what is known of its parameter; none without a plan."""
        return iter(()) if self.planned is None else self.planned.pairs()

    def remedy(self, *options: str, text: str = "{} reaches them") -> str | None:
        """Return what to do about the weight decay of some parameters.

        Args:
            options: The entries of ``paramwise_cfg`` that reach them; only those are named that the
                constructor reads.
            text: The hint, with a place for their names.
        """
        words = [_OPTION_WORDS.get(one, one) for one in options if self._is_read(one)]
        in_paramwise = text.format(" or ".join(words)) if words else ""
        return dialect_of(self.config).remedy(in_paramwise) or None

    def _is_read(self, option: str) -> bool:
        """Return whether the constructor is known to read an entry of ``paramwise_cfg``."""
        if self.planned is not None and self.planned.read is not None:
            return any(path[0] == option for path in self.planned.read | self.planned.wanted)
        known = self.raw.known if self.raw is not None else None
        return known is not None and option in known.options

    def is_inherited(self, place: Place | None) -> bool:
        """Return whether a place is in a file that the config inherits from."""
        own = self.config.entry
        return place is not None and any(
            place.source is source for source in self.config.sources if source is not own
        )

    def problems(self, kind: ProblemKind | None) -> tuple[Problem, ...]:
        """Return what kept the section or the plan from being made, as far as it is of one kind.

        A problem of no kind is told as an unreadable config or as a refused plan; one of a kind is
        left to the check for it.
        """
        found = self.trouble.problems if self.trouble else ()
        return tuple(problem for problem in found if problem.kind is kind)
