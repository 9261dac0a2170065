"""Plan from cached models and optimizers, without importing torch and timm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optplan.cache import Store
from optplan.cache.cache_key import PACKAGES, CacheKey, cache_key
from optplan.cache.models import CachedModels
from optplan.cache.optimizers import DTYPES, CachedOptimizers, takes
from optplan.config import (
    Batch,
    Config,
    Namespace,
    OptimizerConfig,
    Scaling,
    Symbol,
    find_namespace,
)
from optplan.config.layer_decay_options import is_for_custom_class
from optplan.dialects import find_optimizer, find_scaling, find_sections
from optplan.facts import Inventory
from optplan.plan import Planned
from optplan.planner.assign import DryRun
from optplan.planner.builtin_plan import decided, layered, options_of, planned
from optplan.planner.groups import PlannedGroup
from optplan.planner.scaling import scaled_made, scaled_section
from optplan.rules import DEFAULT_RULES, LAYER_DECAY_RULES, MMCV1_RULES, Options, RuleSet
from optplan.runtime.third_party_runs import third_party_runs
from optplan.version import __version__


class _UnknownError(Exception):
    """Something is not in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """What a config says that names no code but that of torch and of a built-in constructor."""

    section: OptimizerConfig
    rules: RuleSet
    scaling: Scaling | None


class CachedPlans:
    """Plans from the cache.

    Used for timm's models, torch's optimizers and the built-in constructors alone, and only while the
    process has run no third-party code, which might have changed what these do.

    Args:
        store: The cache's files.
        found: What its entries must have been made with; None to use no entry.
    """

    def __init__(self, store: Store, found: CacheKey | None) -> None:
        self._is_known = found is not None
        self._runs = third_party_runs()
        key = {} if found is None else found.key
        self.models = CachedModels(store, key)
        self.optimizers = CachedOptimizers(store, key)
        self._versions = {
            "optplan": __version__,
            **({} if found is None else found.versions),
        }

    @classmethod
    def opened(cls, store: Store) -> CachedPlans:
        """Open the cache for this process; it uses no entry where third-party code may have run already."""
        is_fresh = not third_party_runs() and not any(name in sys.modules for name in PACKAGES)
        return cls(store, cache_key(store) if is_fresh else None)

    @property
    def _is_open(self) -> bool:
        """Return whether no third-party code has run since it was opened."""
        return self._is_known and third_party_runs() == self._runs

    def vouches_for(self, config: Config, batch: Batch) -> bool:
        """Return whether what a valid config was planned with may be stored."""
        return self._plain(config, batch) is not None

    def model(self, spec: str, arguments: Mapping[str, Any]) -> Inventory | None:
        """Return the parameters of a model of timm's, None where they are not cached."""
        found = self.models.get(spec, arguments) if self._is_open else None
        if found is None or any(facts.dtype not in DTYPES for facts in found.parameters):
            return None
        return found

    def class_defaults(
        self, class_name: str, make: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """Return the options of an optimizer that is given no arguments, but for its lr.

        Args:
            class_name: Its class, with the module.
            make: Finds them out, with torch.
        """
        found = self.optimizers.get(class_name) if self._is_open else None
        if found is None:
            return make()
        return {name: value for name, value in found.defaults.items() if name != "lr"}

    def plan(
        self, config: Config, batch: Batch, inventory: Inventory, arguments: Mapping[str, Any]
    ) -> Planned | None:
        """Return the plan of a config for a model that is known, None where something else is not known.

        Args:
            config: The config.
            batch: What is known of its batch.
            inventory: The model's parameters.
            arguments: Those of the model.

        Raises:
            OptplanError: As :func:`optplan.make_plan`.
        """
        plain = self._plain(config, batch)
        if plain is None:
            return None
        section = scaled_section(plain.section, plain.scaling)
        options = options_of(section, plain.rules)
        try:
            made = decided(
                section,
                layered(inventory, options, lambda: self._with_layers(inventory, arguments)),
                options,
                lambda groups: self._dry(section, groups),
            )
        except _UnknownError:
            return None
        return planned(
            scaled_made(made, plain.scaling),
            constructor=plain.rules.constructor,
            inventory=inventory,
            section=section,
            config=config.entry.path,
            versions=self._versions,
        )

    def _plain(self, config: Config, batch: Batch) -> _Plain | None:
        """Return what a config says, if planning it runs no code but that which is known.

        Raises:
            ConfigError: Every mistake in it, in the order in which planning with torch finds them.
        """
        namespace = find_namespace(config)
        names_code = namespace.imports or namespace.trusted or namespace.scope in sys.modules
        if not self._is_open or names_code:
            return None
        scaling = find_scaling(config, batch)
        if find_sections(config):
            return None
        section = find_optimizer(config)
        rules = _rules_of(section, namespace)
        if rules is None or section.recipe is not None or not _is_torchs(section.type):
            return None
        return _Plain(section=section, rules=rules, scaling=scaling)

    def _with_layers(self, inventory: Inventory, arguments: Mapping[str, Any]) -> Inventory:
        """Return the parameters with the layers that the model says.

        Raises:
            _UnknownError: They are not cached.
        """
        found = self.models.get(inventory.spec or "", arguments, has_layers=True)
        if found is None:
            raise _UnknownError
        return found

    def _dry(self, section: OptimizerConfig, groups: Sequence[PlannedGroup]) -> DryRun:
        """Return what the optimizer makes of the groups.

        Raises:
            _UnknownError: Its class is not cached, or an argument is outside the known domain.
        """
        found = self.optimizers.get(str(section.type))
        if found is None or not takes(found.defaults, section.arguments):
            raise _UnknownError
        defaults = {**found.defaults, **section.arguments}
        filled: dict[tuple[int, int], Mapping[str, Any]] = {}
        for group in groups:
            if group.verdicts not in filled:
                filled[group.verdicts] = {**defaults, **group.decision.entries}
        return DryRun(
            optimizer=replace(found, defaults=defaults),
            groups={
                facts.tensor: filled[group.verdicts] for group in groups for facts in group.members
            },
        )


def is_layered(options: Options) -> bool:
    """Return whether a plan's parameters were given layers, which those of a cached model do not have."""
    return options.layer_decay is not None and not options.is_empty


def _rules_of(section: OptimizerConfig, namespace: Namespace) -> RuleSet | None:
    """Return the rules of a built-in constructor, where it is meant whatever packages are installed."""
    if section.is_mmcv1:
        return MMCV1_RULES if section.is_default else None
    if section.is_default:
        return DEFAULT_RULES
    is_ours = section.constructor == LAYER_DECAY_RULES.constructor and namespace.scope is None
    return LAYER_DECAY_RULES if is_ours and not is_for_custom_class(section.paramwise) else None


def _is_torchs(kind: object) -> bool:
    """Return whether a type is a bare name that all trainers know torch's class by, or one in torch."""
    name = str(kind)
    if "Adafactor" in name or not isinstance(kind, str | Symbol):
        return False  # mmcv 1.x has torch's by this name, MMEngine transformers'
    return "." not in name or name.startswith("torch.optim.")
