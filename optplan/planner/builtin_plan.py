"""Make the plan of a built-in constructor, from facts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from optplan.config import OptimizerConfig
from optplan.facts import Inventory
from optplan.names import Matcher
from optplan.plan import EmptyParamGroup, LrScaling, Planned, PlannedOptimizer, build_plan
from optplan.plan.layer_patterns import listed_layers
from optplan.plan.planned import Decisions
from optplan.planner.assign import DryRun, assign, planned_optimizer
from optplan.planner.groups import PlannedGroup, default_groups
from optplan.rules import Options, RuleSet, read_options

MakeDry = Callable[[Sequence[PlannedGroup]], DryRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult(Decisions):
    """What was made of a model, and what is known of the way there.

    Args:
        optimizers: The optimizers that the assignments refer to.
        trainable: ``requires_grad`` of each tensor afterwards, where it may have changed.
        inventory: The parameters with their layers, where the rules asked for them.
        lr_scaling: How the lr depends on the batch, where it does.
        matcher: How regular expressions are held against names, where there are some.
        needs_world_size: Third-party code asked for the world size, which is not known.
        empty_groups: The groups without parameters that third-party code made.
    """

    optimizers: list[PlannedOptimizer]
    trainable: Mapping[int, bool] = field(default_factory=dict)
    inventory: Inventory | None = None
    lr_scaling: LrScaling | None = None
    matcher: Matcher | None = None
    needs_world_size: bool = False
    empty_groups: tuple[EmptyParamGroup, ...] = ()


def options_of(section: OptimizerConfig, rules: RuleSet) -> Options:
    """Return what a constructor that follows these rules works with.

    Raises:
        ConfigError: Every mistake in them.
    """
    return read_options(
        rules, section.base_lr, section.base_weight_decay, section.paramwise, section.optimizer
    )


def layered(inventory: Inventory, options: Options, ask: Callable[[], Inventory]) -> Inventory:
    """Return the parameters with the layers that an option lists, or else the model itself knows.

    Args:
        inventory: The model's parameters.
        options: The constructor's options.
        ask: The parameters with the layers that the model says.

    Raises:
        PlanError: The layers are not known, or do not fit the model.
    """
    if options.layer_decay is None or options.is_empty:
        return inventory
    if options.layers is not None:
        return inventory.with_layers(listed_layers(inventory, options.layers))
    return ask()


def decided(
    section: OptimizerConfig, inventory: Inventory, options: Options, make_dry: MakeDry
) -> BuildResult:
    """Return what a built-in constructor makes.

    Args:
        section: The config's optimizer section.
        inventory: The model's parameters, with their layers where the rules ask for them.
        options: The constructor's options.
        make_dry: Makes the optimizer of the groups, or knows what comes of it.

    Raises:
        PlanError: The rules or the optimizer refuse.
    """
    groups = default_groups(inventory, options)
    dry = make_dry(groups)
    return BuildResult(
        assignments=assign(groups, dry, inventory),
        optimizers=[planned_optimizer(dry.optimizer, section)],
        options=options,
        inventory=inventory,
    )


def planned(
    made: BuildResult,
    *,
    constructor: str,
    inventory: Inventory,
    section: OptimizerConfig,
    config: str | None,
    versions: Mapping[str, str | None],
) -> Planned:
    """Return the plan of what was made, with what it was made from.

    Args:
        made: What was made.
        constructor: What the plan calls the constructor, function or factory that made the groups.
        inventory: The model's parameters.
        section: The config's optimizer section.
        config: The config's path as the user gave it.
        versions: Versions of the packages that took part.
    """
    inventory = made.inventory or inventory
    plan = build_plan(
        inventory,
        made.assignments,
        made.optimizers,
        constructor=constructor,
        config=config,
        versions=versions,
        trainable=made.trainable,
    )
    plan = replace(
        plan,
        lr_scaling=made.lr_scaling,
        matcher=made.matcher,
        needs_world_size=made.needs_world_size,
        empty_groups=made.empty_groups,
        generation=section.recognized,
    )
    decisions = {one.name: getattr(made, one.name) for one in fields(Decisions)}
    return Planned(plan=plan, inventory=inventory, section=section, **decisions)
