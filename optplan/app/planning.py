"""Make a plan of a model and a config: the optimizers are made without memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.config import NO_BATCH, Batch, Config, Namespace, OptimizerConfig, find_namespace
from optplan.constructors.group_builders import GroupBuilder, planned_by, scaled
from optplan.constructors.lookup import naming
from optplan.constructors.mmcv1_runner import names_of_mmcv1
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.constructors.sections import SectionsBuilder
from optplan.dialects import dialect_of, find_scaling
from optplan.dialects.protocol import BuildRequest
from optplan.errors import PlanError
from optplan.facts import Inventory
from optplan.model import LoadedModel, make_inventory, open_model
from optplan.plan import Plan, Planned
from optplan.planner.scaling import scaled_section
from optplan.registries import run_custom_imports


def make_plan(
    model: nn.Module | LoadedModel | str,
    config: Config | Mapping[str, Any],
    *,
    model_arguments: Mapping[str, Any] | None = None,
    batch: Batch = NO_BATCH,
) -> Plan:
    """Plan what every parameter of a model gets under a config, and why.

    Args:
        model: A module, which is left as it is, a spec as for :func:`optplan.load_model`, or what was
            loaded from one.
        config: A loaded config, or a dict with ``optim_wrapper`` or ``optimizer`` in it.
        model_arguments: Arguments for the factory that a spec names.
        batch: What is known of the batch of the training, where the lr depends on it.

    Raises:
        ConfigError: The config's optimizer section is wrong.
        ModelError: There is no such model, or it cannot be built.
        PlanError: The optimizer or its constructor refuses.
    """
    found = plan_with_facts(model, config, model_arguments=model_arguments, batch=batch)
    return replace(found.plan, made_from=found)


def plan_with_facts(
    model: nn.Module | LoadedModel | str,
    config: Config | Mapping[str, Any],
    *,
    model_arguments: Mapping[str, Any] | None = None,
    batch: Batch = NO_BATCH,
) -> Planned:
    """Plan as :func:`make_plan`, with the facts and options that the plan was made from.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`.
    """
    namespace = _namespace(config)
    missing = _run_custom_imports(namespace)
    with naming(namespace):
        builder = builder_of(config, batch)
        module, inventory = _inventory(model, model_arguments or {})
        path = config.entry.path if isinstance(config, Config) else None
        return replace(planned_by(builder, module, inventory, path)[0], not_imported=missing)


def _namespace(config: Config | Mapping[str, Any]) -> Namespace:
    """Return where the names of a config are looked up."""
    return replace(find_namespace(config), is_mmcv1=dialect_of(config).names_mmcv1)


def _run_custom_imports(namespace: Namespace) -> tuple[str, ...]:
    """Import what a config names in ``custom_imports``; a trusted one for mmcv 1.x finds mmcv's names."""
    needs_names = namespace.is_mmcv1 and namespace.trusted and namespace.imports
    with names_of_mmcv1() if needs_names else nullcontext():
        return run_custom_imports(namespace)


def builder_of(config: Config | Mapping[str, Any], batch: Batch = NO_BATCH) -> GroupBuilder:
    """Return what plans and builds the optimizers that a config asks for, by the names that are looked up now.

    Raises:
        ConfigError: The config's optimizer section is wrong.
        PlanError: There is no such constructor.
    """
    dialect, scaling = dialect_of(config), find_scaling(config, batch)
    request = BuildRequest(config=config, folder=_folder(config), batch=batch, scaling=scaling)

    def builder(section: OptimizerConfig) -> GroupBuilder:
        made = dialect.build(scaled_section(section, scaling), request)
        return made if dialect.applies_scaling else scaled(made, scaling)

    sections = dialect.read_several(config)
    builders = {name: builder(section) for name, section in sections.items()}
    section = dialect.read(config)
    return SectionsBuilder(builders, section) if builders else builder(section)


def build_optimizer(
    model: nn.Module | str, config: Config | Mapping[str, Any], *, batch: Batch = NO_BATCH
) -> Optimizer:
    """Build the real optimizer on the model's own parameters, with the groups as the constructor makes them.

    Args:
        model: The module to optimize, or a spec.
        config, batch: As for :func:`make_plan`.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`; there are several optimizers.
    """
    made = build_optimizers(model, config, batch=batch)
    if len(made) > 1:
        raise PlanError(
            f"the config makes {len(made)} optimizers", hint="use optplan.build_optimizers"
        )
    return made[0][1]


def build_optimizers(
    model: nn.Module | str, config: Config | Mapping[str, Any], *, batch: Batch = NO_BATCH
) -> NamedOptimizers:
    """Build as :func:`build_optimizer` where there may be several: a list of names and optimizers.

    Raises:
        ConfigError, ModelError, PlanError: As :func:`make_plan`.
    """
    module = open_model(model, {}).module if isinstance(model, str) else model
    # refuses what no plan can be made of, with the plan's messages
    plan_with_facts(module, config, batch=batch)
    with naming(_namespace(config)):
        return builder_of(config, batch).build(module)


def _inventory(
    model: nn.Module | LoadedModel | str, arguments: Mapping[str, Any]
) -> tuple[nn.Module, Inventory]:
    if isinstance(model, nn.Module):
        return model, make_inventory(model)
    loaded = open_model(model, arguments) if isinstance(model, str) else model
    return loaded.module, loaded.inventory


def _folder(config: Config | Mapping[str, Any]) -> str | None:
    path = config.entry.path if isinstance(config, Config) else None
    return str(Path(path).absolute().parent) if path and "::" not in path else None
