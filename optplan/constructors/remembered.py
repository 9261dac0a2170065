"""Plans from what earlier runs have found out, without torch and timm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optplan
from optplan.cache import Store
from optplan.cache.models import RememberedModels
from optplan.cache.optimizers import DTYPES, RememberedOptimizers, optimizer_key
from optplan.cache.surroundings import PACKAGES, Surroundings, surroundings
from optplan.config import (
    Batch,
    Config,
    Namespace,
    OptimizerConfig,
    Scaling,
    Symbol,
    find_namespace,
    find_optimizer,
    find_scaling,
    find_sections,
)
from optplan.constructors.assign import DryRun
from optplan.constructors.decided import decided, layered, options_of, planned
from optplan.constructors.groups import PlannedGroup
from optplan.constructors.scaling import scaled_made
from optplan.facts import Inventory
from optplan.foreign_runs import foreign_runs
from optplan.plan import Planned
from optplan.rules import DEFAULT_RULES, LAYER_DECAY_RULES, Options, RuleSet


class _UnknownError(Exception):
    """Something is not remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """What a config says that names no code but that of torch and of a built-in constructor."""

    section: OptimizerConfig
    rules: RuleSet
    scaling: Scaling | None


class Remembered:
    """Models and optimizers that were made before.

    It vouches for timm's models, torch's optimizers and the built-in constructors alone, and only as long
    as the process has run no code of others that might have changed what these do.

    Args:
        store: Where it is kept.
        around: What it is valid for; None to vouch for nothing.
    """

    def __init__(self, store: Store, around: Surroundings | None) -> None:
        self._is_known = around is not None
        self._runs = foreign_runs()
        key = {} if around is None else around.key
        self.models = RememberedModels(store, key)
        self.optimizers = RememberedOptimizers(store, key)
        self._versions = {
            "optplan": optplan.__version__,
            **({} if around is None else around.versions),
        }

    @classmethod
    def opened(cls, store: Store) -> Remembered:
        """What a process may use that has run no code of others so far; nothing where it may have."""
        is_fresh = not foreign_runs() and not any(name in sys.modules for name in PACKAGES)
        return cls(store, surroundings(store) if is_fresh else None)

    @property
    def _is_open(self) -> bool:
        """Whether no code of others has run since it was opened."""
        return self._is_known and foreign_runs() == self._runs

    def vouches_for(self, config: Config, batch: Batch) -> bool:
        """Whether what a valid config was planned with may be remembered."""
        return self._plain(config, batch) is not None

    def model(self, spec: str, arguments: Mapping[str, Any]) -> Inventory | None:
        """The parameters of a model of timm's, if it was built before."""
        found = self.models.get(spec, arguments) if self._is_open else None
        if found is None or any(facts.dtype not in DTYPES for facts in found.parameters):
            return None
        return found

    def class_defaults(
        self, class_name: str, make: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """What an optimizer has that is given no arguments.

        Args:
            class_name: Its class, with the module.
            make: Finds it out, with torch.
        """
        found = self.optimizers.class_defaults(class_name) if self._is_open else None
        if found is not None:
            return found
        made = make()
        if self._is_open:
            self.optimizers.put_class_defaults(class_name, made)
        return made

    def plan(
        self, config: Config, batch: Batch, inventory: Inventory, arguments: Mapping[str, Any]
    ) -> Planned | None:
        """The plan of a config for a model that is known, None where something else is not known.

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
        section, options = plain.section, options_of(plain.section, plain.rules)
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
            maker=plain.rules.constructor,
            inventory=inventory,
            section=section,
            config=config.entry.path,
            versions=self._versions,
        )

    def _plain(self, config: Config, batch: Batch) -> _Plain | None:
        """What a config says, if planning it runs no code but that which is known.

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
        """The parameters with the layers that the model says.

        Raises:
            _UnknownError: They are not remembered.
        """
        found = self.models.get(inventory.spec or "", arguments, has_layers=True)
        if found is None:
            raise _UnknownError
        return found

    def _dry(self, section: OptimizerConfig, groups: Sequence[PlannedGroup]) -> DryRun:
        """What the optimizer makes of the groups.

        Raises:
            _UnknownError: It is not remembered.
        """
        key = optimizer_key(
            section.type,
            section.arguments,
            entries=own_names(name for group in groups for name in group.decision.group),
            is_several=len(groups) > 1,
        )
        found = None if key is None else self.optimizers.get(key, section.arguments)
        if found is None:
            raise _UnknownError
        filled: dict[tuple[int, int], Mapping[str, Any]] = {}
        for group in groups:
            if group.verdicts not in filled:
                filled[group.verdicts] = {**found.defaults, **group.decision.entries}
        return DryRun(
            optimizer=found,
            groups={
                facts.tensor: filled[group.verdicts] for group in groups for facts in group.members
            },
        )


def own_names(entries: Iterable[str]) -> frozenset[str]:
    """What groups hold besides an lr and a weight decay of their own."""
    return frozenset(entries) - {"lr", "weight_decay"}


def is_layered(options: Options) -> bool:
    """Whether a plan's parameters were given layers, which a model that is remembered does not have."""
    return options.layer_decay is not None and not options.is_empty


def _rules_of(section: OptimizerConfig, namespace: Namespace) -> RuleSet | None:
    """The rules of a built-in constructor, where it is meant whatever packages are installed."""
    if section.is_default:
        return DEFAULT_RULES
    is_ours = section.constructor == LAYER_DECAY_RULES.constructor and namespace.scope is None
    return LAYER_DECAY_RULES if is_ours else None


def _is_torchs(kind: object) -> bool:
    """Whether a type is a bare name, which no package is asked for first, or one in torch."""
    return isinstance(kind, str | Symbol) and (
        "." not in str(kind) or str(kind).startswith("torch.optim.")
    )
