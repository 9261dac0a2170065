"""Describe each constructor whose rules are known: which options it reads, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from optplan.config.layer_decay_options import LAYER_RATE, LAYERS
from optplan.facts import ParameterFacts
from optplan.rules.conditions import (
    LR_RULES,
    WEIGHT_DECAY_RULES,
    WEIGHT_DECAY_RULES_OF_MMCV1,
    WEIGHT_DECAY_RULES_OF_MMPRETRAIN,
    Condition,
)

BYPASS = "bypass_duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """How one constructor decides.

    Args:
        constructor: Its class's name.
        lr_rules: Its options for the lr with what they ask, in the order in which they are tried.
        weight_decay_rules: The same for the weight decay.
        others: The other options that it reads.
        has_layers: It multiplies each lr by the scale of the parameter's layer.
        needs_rate: It does not go without a ``layer_decay_rate``.
        keys_see_root: A key is looked for in ``.name`` where a parameter of the model itself has
            this name, instead of in ``name``.
        keys_set_lr: A custom key has a say in the lr.
        needs_weight_decay: It fails where the optimizer sets no weight decay.
        keeps_decay_mult: A key's ``decay_mult`` is copied into the param group, as its other fields are.
        copies_fields: A key's fields are copied into the param group; else its multipliers alone are read.
        takes_frozen: Frozen parameters get into groups too, with the optimizer's own values.
        multiplies_unset: A base lr must be there for every parameter that an lr rule applies to, whether
            its option is set or not.
    """

    constructor: str
    lr_rules: Mapping[str, tuple[Condition, ...]]
    weight_decay_rules: Mapping[str, tuple[Condition, ...]]
    others: frozenset[str]
    has_layers: bool = False
    needs_rate: bool = False
    keys_see_root: bool = True
    keys_set_lr: bool = True
    needs_weight_decay: bool = False
    keeps_decay_mult: bool = True
    copies_fields: bool = True
    takes_frozen: bool = False
    multiplies_unset: bool = False

    @property
    def multipliers(self) -> tuple[str, ...]:
        """The options that multiply a base value."""
        return (*self.lr_rules, *self.weight_decay_rules)

    @property
    def options(self) -> frozenset[str]:
        """All that it reads of ``paramwise_cfg``."""
        return self.others.union(self.multipliers)

    def match_name(self, facts: ParameterFacts) -> str:
        """Return what custom keys are looked for in."""
        return facts.match_name if self.keys_see_root else facts.walked_name


DEFAULT_RULES = RuleSet(
    constructor="DefaultOptimizerConstructor",
    lr_rules=LR_RULES,
    weight_decay_rules=WEIGHT_DECAY_RULES,
    others=frozenset({"custom_keys", BYPASS}),
)
# the class of the same name in mmcv 1.x
MMCV1_RULES = RuleSet(
    constructor="DefaultOptimizerConstructor",
    lr_rules=LR_RULES,
    weight_decay_rules=WEIGHT_DECAY_RULES_OF_MMCV1,
    others=frozenset({"custom_keys", BYPASS}),
    copies_fields=False,
    takes_frozen=True,
    multiplies_unset=True,
)
LAYER_DECAY_RULES = RuleSet(
    constructor="LayerDecayOptimizerConstructor",
    lr_rules=LR_RULES,
    weight_decay_rules=WEIGHT_DECAY_RULES,
    others=frozenset({"custom_keys", BYPASS, LAYER_RATE, LAYERS}),
    has_layers=True,
    needs_rate=True,
)
MMPRETRAIN_RULES = RuleSet(
    constructor="LearningRateDecayOptimWrapperConstructor",
    lr_rules=MappingProxyType({}),
    weight_decay_rules=WEIGHT_DECAY_RULES_OF_MMPRETRAIN,
    others=frozenset({"custom_keys", LAYER_RATE}),
    has_layers=True,
    keys_see_root=False,
    keys_set_lr=False,
    needs_weight_decay=True,
    keeps_decay_mult=False,
)
