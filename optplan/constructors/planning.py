"""From a model and a config to a plan: the constructor run dry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

import optplan
from optplan.config import Config, OptimizerConfig, find_namespace, find_optimizer
from optplan.constructors.assign import assign, planned_optimizer
from optplan.constructors.attributing import AS_DEFAULT, attribute
from optplan.constructors.choosing import Chosen, choose_constructor
from optplan.constructors.code_place import code_place
from optplan.constructors.default import make_default_options
from optplan.constructors.dry_run import dry_run
from optplan.constructors.groups import default_groups
from optplan.constructors.lookup import naming
from optplan.constructors.observing import observe
from optplan.constructors.optimizers import optimizer_class
from optplan.constructors.running import Running
from optplan.errors import ConfigError, PlanError
from optplan.facts import Inventory, ParameterFacts
from optplan.model import LoadedModel, make_inventory, open_model
from optplan.plan import Assignment, Plan, Planned, PlannedOptimizer, build_plan
from optplan.registries import run_custom_imports
from optplan.rules import Decision, Options, Skipped, decide


def make_plan(
    model: nn.Module | LoadedModel | str,
    config: Config | Mapping[str, Any],
    *,
    model_arguments: Mapping[str, Any] | None = None,
) -> Plan:
    """What every parameter of a model gets under a config, and why.

    Args:
        model: A module, which is left as it is, a spec as for :func:`optplan.load_model`, or what was
            loaded from one.
        config: A loaded config, or a dict with ``optim_wrapper`` or ``optimizer`` in it.
        model_arguments: Arguments for the factory that a spec names.

    Raises:
        ConfigError: The config's optimizer section is wrong.
        ModelError: There is no such model, or it cannot be built.
        PlanError: The optimizer or its constructor refuses.
    """
    return plan_with_facts(model, config, model_arguments=model_arguments).plan


def plan_with_facts(
    model: nn.Module | LoadedModel | str,
    config: Config | Mapping[str, Any],
    *,
    model_arguments: Mapping[str, Any] | None = None,
) -> Planned:
    """As :func:`make_plan`, with the facts and options that the plan was made from.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`.
    """
    namespace = find_namespace(config)
    section = find_optimizer(config)
    run_custom_imports(namespace)
    with naming(namespace):
        chosen = choose_constructor(section)
        options = _options(section) if chosen.is_default else None
        module, inventory = _inventory(model, model_arguments or {})
        if options is None:
            made = _run(chosen, section, module, inventory, _folder(config))
        else:
            made = _decided(section, module, inventory, options)
    plan = build_plan(
        inventory,
        made.assignments,
        made.optimizers,
        constructor=chosen.name,
        config=config.entry.path if isinstance(config, Config) else None,
        versions={"optplan": optplan.__version__, **_versions("torch", "timm")},
        trainable=made.trainable,
    )
    return Planned(
        plan=plan,
        inventory=inventory,
        assignments=made.assignments,
        section=section,
        options=made.options,
        read=made.read,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What a constructor has made of a model, and what is known of the way there."""

    assignments: Mapping[int, Assignment]
    optimizers: list[PlannedOptimizer]
    options: Options | None
    trainable: Mapping[int, bool] = field(default_factory=dict)
    read: frozenset[tuple[str, ...]] | None = None


def _decided(
    section: OptimizerConfig, module: nn.Module, inventory: Inventory, options: Options
) -> _Made:
    """The groups of a built-in constructor, from facts alone."""
    groups = default_groups(inventory, options)
    dry = dry_run(section, module, groups)
    return _Made(
        assignments=assign(groups, dry, inventory),
        optimizers=[planned_optimizer(dry.optimizer, section)],
        options=options,
    )


def _run(
    chosen: Chosen,
    section: OptimizerConfig,
    module: nn.Module,
    inventory: Inventory,
    folder: str | None,
) -> _Made:
    """The groups of any other constructor, which is run on the model."""
    running = Running(chosen, section)
    observation = observe(module, inventory, running)
    made = observation.optimizers
    options = None
    if chosen.is_reference_class:
        options = _options_if_valid(section)
        decide_one, note = _by_rules(options), AS_DEFAULT
    else:
        delegated = {
            observation.numbers[key]: decision
            for key, decision in running.decisions.items()
            if key in observation.numbers
        }
        if delegated:
            options = _options_if_valid(section)
        decide_one, note = (lambda facts: delegated.get(facts.tensor)), None
    return _Made(
        assignments=attribute(
            observation,
            inventory,
            who=chosen.name,
            place=code_place(chosen.make, folder),
            decide=decide_one,
            note=note,
        ),
        optimizers=[
            planned_optimizer(one.optimizer, section if len(made) == 1 else None, one.name)
            for one in made
        ],
        options=options,
        trainable=observation.trainable,
        read=running.paramwise.read,
    )


def _by_rules(options: Options | None) -> Any:
    """What the default rules would decide of a parameter, None where they would refuse it."""

    def decide_one(facts: ParameterFacts) -> Decision | None:
        if options is None:
            return None
        try:
            decision = decide(facts, options)
        except PlanError:
            return None
        return None if isinstance(decision, Skipped) else decision

    return decide_one


def _options(section: OptimizerConfig) -> Options:
    return make_default_options(
        section.base_lr, section.base_weight_decay, section.paramwise, section.optimizer
    )


def _options_if_valid(section: OptimizerConfig) -> Options | None:
    """The default constructor's options, None where it would refuse what another one reads."""
    try:
        return _options(section)
    except ConfigError:
        return None


def build_optimizer(model: nn.Module | str, config: Config | Mapping[str, Any]) -> Optimizer:
    """The real optimizer on the model's own parameters, with the groups as the constructor makes them.

    Args:
        model: The module to optimize, or a spec.
        config: As for :func:`make_plan`.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`; there are several optimizers.
    """
    made = build_optimizers(model, config)
    if len(made) > 1:
        raise PlanError(
            f"the constructor makes {len(made)} optimizers", hint="use optplan.build_optimizers"
        )
    return made[0][1]


def build_optimizers(
    model: nn.Module | str, config: Config | Mapping[str, Any]
) -> list[tuple[str | None, Optimizer]]:
    """As :func:`build_optimizer`, for constructors that make several: each with its name.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`.
    """
    module = open_model(model, {}).module if isinstance(model, str) else model
    # refuses what no plan can be made of, with the plan's messages
    section = plan_with_facts(module, config).section
    with naming(find_namespace(config)):
        chosen = choose_constructor(section)
        if not chosen.is_default:
            return Running(chosen, section)(module)
        constructor = chosen.make(section.optimizer, section.paramwise)
        constructor.optimizer_cfg["type"] = optimizer_class(
            section.type or "", section.places["type"]
        )
        return [(None, constructor(module))]


def _inventory(
    model: nn.Module | LoadedModel | str, arguments: Mapping[str, Any]
) -> tuple[nn.Module, Inventory]:
    if isinstance(model, nn.Module):
        return model, make_inventory(model)
    loaded = open_model(model, arguments) if isinstance(model, str) else model
    return loaded.module, make_inventory(loaded.module, spec=loaded.spec, source=loaded.source)


def _folder(config: Config | Mapping[str, Any]) -> str | None:
    path = config.entry.path if isinstance(config, Config) else None
    return str(Path(path).absolute().parent) if path and "::" not in path else None


def _versions(*packages: str) -> dict[str, str | None]:
    return {package: _version(package) for package in packages}


@cache  # reading it takes 4 ms, as long as planning a small model
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
