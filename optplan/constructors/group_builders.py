"""Plan and build the optimizers of a model, by a built-in constructor or by a constructor of other code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from importlib import metadata

from torch import nn

from optplan.config import OptimizerConfig, Scaling
from optplan.constructors.built_values import built_optimizer
from optplan.constructors.constructor_run import ConstructorRun
from optplan.constructors.dry_run import dry_run
from optplan.constructors.layer_decay_constructor import with_layers
from optplan.constructors.observed_groups import Observation, observe
from optplan.constructors.optimizers import optimizer_class
from optplan.constructors.resolve_constructor import ResolvedConstructor
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.constructors.rule_attribution import Decide, GroupMaker, attribute, empty_groups
from optplan.constructors.source_location import code_place
from optplan.constructors.world_size import WorldSize
from optplan.errors import ConfigError, PlanError
from optplan.facts import Inventory, ParameterFacts
from optplan.names import Rule
from optplan.plan import Assignment, Planned, PlannedOptimizer
from optplan.planner.builtin_plan import BuildResult, decided, options_of, planned
from optplan.planner.scaling import scaled_made
from optplan.rules import Decision, Options, RuleSet, Skipped, decide
from optplan.version import __version__


class GroupBuilder(ABC):
    """Plans and builds the optimizers that a config asks for: what ``Dialect.build`` returns.

    Attributes:
        name: What the plan calls it.
        section: The config's optimizer section.
    """

    name: str
    section: OptimizerConfig

    @abstractmethod
    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Return the groups, values and rules that a model would get; the model is left as it is.

        Raises:
            PlanError: The optimizer or the code that makes it refuses.
        """

    @abstractmethod
    def build(self, model: nn.Module) -> NamedOptimizers:
        """Return the real optimizers on the model's own parameters.

        Raises:
            PlanError: As :meth:`plan`.
        """


class RulesBuilder(GroupBuilder):
    """Plans a built-in constructor from facts alone: ``optplan.rules`` decide."""

    def __init__(
        self, chosen: ResolvedConstructor, section: OptimizerConfig, rules: RuleSet
    ) -> None:
        self.name = chosen.name
        self.section = section
        self._chosen = chosen
        self._options = options_of(section, rules)

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Decide by the rules, and make the optimizer dry."""
        return decided(
            self.section,
            with_layers(inventory, model, self._options),
            self._options,
            lambda groups: dry_run(self.section, model, groups),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Run the built-in constructor on the model."""
        section = self.section
        constructor = self._chosen.make(section.optimizer, section.paramwise)
        constructor.optimizer_cfg["type"] = optimizer_class(
            section.type or "", section.places["type"]
        )
        return [(None, constructor(model))]


class CodeBuilder(GroupBuilder):
    """Runs a constructor of other code on the model, and plans what it did."""

    def __init__(
        self,
        chosen: ResolvedConstructor,
        section: OptimizerConfig,
        folder: str | None,
        world_size: int | None = None,
    ) -> None:
        self.name = chosen.name
        self.section = section
        self._chosen = chosen
        self._world_size = world_size
        self._place = code_place(chosen.make, folder)

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Run the constructor, restore the model, and find the rule behind each group."""
        chosen, running = self._chosen, ConstructorRun(self._chosen, self.section)
        world_size = WorldSize(self._world_size)
        with world_size.answered():
            observation = observe(model, inventory, running, self._place)
        inventory, options = self._rules(model, inventory)
        delegated = {
            observation.numbers[key]: decision
            for key, decision in running.decisions.items()
            if key in observation.numbers
        }
        if not (chosen.is_reference_class or delegated):
            options = None
        maker = GroupMaker(
            who=self.name,
            place=self._place,
            decide=_by_rules(options)
            if chosen.is_reference_class
            else lambda facts: delegated.get(facts.tensor),
            note=chosen.likeness,
            as_whole=chosen.is_reference_class,
            bases={"lr": self.section.base_lr, "weight_decay": self.section.base_weight_decay},
        )
        assignments = attribute(observation, inventory, maker)
        is_accounted_for = chosen.is_double and _follow_rules(assignments)
        return BuildResult(
            assignments=assignments,
            optimizers=planned_optimizers(observation, self.section, is_written=True),
            options=options,
            trainable=observation.trainable,
            read=None if is_accounted_for else running.paramwise.read,
            inventory=inventory,
            wanted=running.paramwise.wanted,
            needs_world_size=world_size.is_missed,
            empty_groups=empty_groups(observation),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Run the constructor on the model."""
        with WorldSize(self._world_size).answered():
            return ConstructorRun(self._chosen, self.section)(model)

    def _rules(self, model: nn.Module, inventory: Inventory) -> tuple[Inventory, Options | None]:
        """Return the rules that it may follow, and the layers that they ask for; None where they refuse."""
        rules = self._chosen.rules
        if rules is None:
            return inventory, None
        try:
            options = options_of(self.section, rules)
            return with_layers(inventory, model, options), options
        except (ConfigError, PlanError):
            return inventory, None


def planned_by(
    builder: GroupBuilder, model: nn.Module, inventory: Inventory, config: str | None
) -> tuple[Planned, BuildResult]:
    """Return the plan of what a builder makes of a model, with what it was made from.

    Args:
        builder: What plans the optimizers.
        model: The model, which is left as it is.
        inventory: Its parameters.
        config: The config's path as the user gave it.

    Raises:
        PlanError: As :meth:`GroupBuilder.plan`.
    """
    made = builder.plan(model, inventory)
    found = planned(
        made,
        constructor=builder.name,
        inventory=inventory,
        section=builder.section,
        config=config,
        versions=versions(),
    )
    return found, made


def planned_optimizers(
    observation: Observation, section: OptimizerConfig, *, is_written: bool
) -> list[PlannedOptimizer]:
    """Return the optimizers that some code has made, the section being that of the only one."""
    made = observation.optimizers
    only = section if len(made) == 1 else None
    return [built_optimizer(one, only, is_written=is_written) for one in made]


def _by_rules(options: Options | None) -> Decide:
    """Return a function that decides a parameter by the default rules, or returns None where they would refuse it."""

    def decide_one(facts: ParameterFacts) -> Decision | None:
        if options is None:
            return None
        try:
            decision = decide(facts, options)
        except PlanError:
            return None
        return None if isinstance(decision, Skipped) else decision

    return decide_one


def _follow_rules(assignments: Mapping[int, Assignment]) -> bool:
    """Return whether the rules account for all that a constructor did."""
    return all(
        verdict.rule is not Rule.CONSTRUCTOR
        for one in assignments.values()
        for verdict in (one.lr_verdict, one.weight_decay_verdict)
    )


def versions() -> dict[str, str | None]:
    """Return the versions of optplan, torch and timm, without importing them."""
    return {"optplan": __version__, **{name: _version(name) for name in ("torch", "timm")}}


@cache  # reading it takes 4 ms, as long as planning a small model
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def scaled(builder: GroupBuilder, scaling: Scaling | None) -> GroupBuilder:
    """Return a builder whose lrs are multiplied as the trainer does; the builder itself where they are not.

    Args:
        builder: The builder, of a scaled section where the lr is multiplied before groups are made.
        scaling: How the lr depends on the batch.
    """
    return builder if scaling is None else _ScaledBuilder(builder, scaling)


class _ScaledBuilder(GroupBuilder):
    def __init__(self, builder: GroupBuilder, scaling: Scaling) -> None:
        self.name = builder.name
        self.section = builder.section
        self._builder = builder
        self._scaling = scaling

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Plan as the inner builder, and multiply the planned lrs."""
        return scaled_made(self._builder.plan(model, inventory), self._scaling)

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Build as the inner builder, and multiply the lr of each group."""
        made = self._builder.build(model)
        factor = None if self._scaling.before_groups else self._scaling.factor
        for _, optimizer in made if factor is not None else ():
            for group in optimizer.param_groups:
                group["lr"] = group["lr"] * factor
        return made
