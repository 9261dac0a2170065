"""From a model and a config to a plan: the constructor run dry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from torch import nn
from torch.optim import Optimizer

import optplan
from optplan.config import Config, OptimizerConfig, Symbol, find_optimizer
from optplan.constructors.assign import assign, planned_optimizer
from optplan.constructors.default import (
    OPTIMIZER_CONSTRUCTORS,
    DefaultOptimizerConstructor,
    make_default_options,
)
from optplan.constructors.dry_run import dry_run
from optplan.constructors.groups import default_groups
from optplan.constructors.optimizers import optimizer_class
from optplan.errors import PlanError, Problem, did_you_mean
from optplan.facts import Inventory
from optplan.model import LoadedModel, make_inventory, open_model
from optplan.names import Mistake
from optplan.plan import Plan, Planned, build_plan


def make_plan(
    model: nn.Module | LoadedModel | str,
    config: Config | Mapping[str, Any],
    *,
    model_arguments: Mapping[str, Any] | None = None,
) -> Plan:
    """What every parameter of a model gets under a config, and why.

    Args:
        model: A module, which is only read, a spec as for :func:`optplan.load_model`, or what was
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
    section = find_optimizer(config)
    _require_default(section)
    options = make_default_options(
        section.base_lr, section.base_weight_decay, section.paramwise, section.optimizer
    )
    module, inventory = _inventory(model, model_arguments or {})
    groups = default_groups(inventory, options)
    dry = dry_run(section, module, groups)
    plan = build_plan(
        inventory,
        assign(groups, dry, inventory),
        [planned_optimizer(section, dry.optimizer)],
        constructor=DefaultOptimizerConstructor.__name__,
        config=config.entry.path if isinstance(config, Config) else None,
        versions={"optplan": optplan.__version__, **_versions("torch", "timm")},
    )
    return Planned(plan=plan, inventory=inventory, section=section, options=options)


def build_optimizer(model: nn.Module | str, config: Config | Mapping[str, Any]) -> Optimizer:
    """The real optimizer on the model's own parameters, with the groups as the constructor makes them.

    Args:
        model: The module to optimize, or a spec.
        config: As for :func:`make_plan`.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`.
    """
    module = open_model(model, {}).module if isinstance(model, str) else model
    # refuses what no plan can be made of, with the plan's messages
    section = plan_with_facts(module, config).section
    constructor = DefaultOptimizerConstructor(section.optimizer, section.paramwise)
    constructor.optimizer_cfg["type"] = optimizer_class(
        section.type, section.places["type"], trusted=section.trusted
    )
    return constructor(module)


def _require_default(section: OptimizerConfig) -> None:
    """Only the default constructor is built in.

    Raises:
        PlanError: The config names another one.
    """
    name = section.constructor
    if name is None:
        return
    found = None if isinstance(name, Symbol) else OPTIMIZER_CONSTRUCTORS.get(name)
    if found is not DefaultOptimizerConstructor:
        raise PlanError(
            [
                Problem(
                    message=f"there is no optimizer constructor {str(name)!r}",
                    place=section.places["constructor"],
                    hint=did_you_mean(str(name), OPTIMIZER_CONSTRUCTORS),
                    kind=Mistake.UNKNOWN_CONSTRUCTOR,
                )
            ]
        )


def _inventory(
    model: nn.Module | LoadedModel | str, arguments: Mapping[str, Any]
) -> tuple[nn.Module, Inventory]:
    if isinstance(model, nn.Module):
        return model, make_inventory(model)
    loaded = open_model(model, arguments) if isinstance(model, str) else model
    return loaded.module, make_inventory(loaded.module, spec=loaded.spec, source=loaded.source)


def _versions(*packages: str) -> dict[str, str | None]:
    return {package: _version(package) for package in packages}


@cache  # reading it takes 4 ms, as long as planning a small model
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
