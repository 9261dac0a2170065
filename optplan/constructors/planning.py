"""From a model and a config to a plan: what makes the optimizers run dry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.config import (
    Config,
    FunctionConfig,
    OptimizerConfig,
    find_namespace,
    find_optimizer,
    find_sections,
)
from optplan.constructors.choosing import choose_constructor
from optplan.constructors.code_place import code_place
from optplan.constructors.functions import FunctionRun, section_of
from optplan.constructors.lookup import naming
from optplan.constructors.makers import (
    CodeMaker,
    FunctionMaker,
    Maker,
    RulesMaker,
    planned_by,
)
from optplan.constructors.observing import NamedOptimizers
from optplan.constructors.sections import SectionsMaker
from optplan.errors import PlanError
from optplan.facts import Inventory
from optplan.model import LoadedModel, make_inventory, open_model
from optplan.plan import Plan, Planned
from optplan.registries import run_custom_imports


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
    run_custom_imports(namespace)
    with naming(namespace):
        maker = maker_of(config)
        module, inventory = _inventory(model, model_arguments or {})
        path = config.entry.path if isinstance(config, Config) else None
        return planned_by(maker, module, inventory, path)[0]


def maker_of(config: Config | Mapping[str, Any]) -> Maker:
    """What makes the optimizers that a config asks for, by the names that are looked up now.

    Raises:
        ConfigError: The config's optimizer section is wrong.
        PlanError: There is no such constructor.
    """
    folder = _folder(config)
    if isinstance(config, FunctionConfig):
        place = code_place(config.function, folder)
        run = FunctionRun(config, place)
        return FunctionMaker(config.name, config.function, run, section_of(config), folder)
    if sections := find_sections(config):
        makers = {name: _maker(section, folder) for name, section in sections.items()}
        return SectionsMaker(makers, find_optimizer(config))
    return _maker(find_optimizer(config), folder)


def _maker(section: OptimizerConfig, folder: str | None) -> Maker:
    chosen = choose_constructor(section)
    if chosen.is_builtin and (rules := chosen.rules) is not None:
        return RulesMaker(chosen, section, rules)
    return CodeMaker(chosen, section, folder)


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
            f"the config makes {len(made)} optimizers", hint="use optplan.build_optimizers"
        )
    return made[0][1]


def build_optimizers(model: nn.Module | str, config: Config | Mapping[str, Any]) -> NamedOptimizers:
    """As :func:`build_optimizer` where there may be several: a list of names and optimizers.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`.
    """
    module = open_model(model, {}).module if isinstance(model, str) else model
    # refuses what no plan can be made of, with the plan's messages
    plan_with_facts(module, config)
    with naming(find_namespace(config)):
        return maker_of(config).build(module)


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
