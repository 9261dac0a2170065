"""What constructors read, as far as it is known without running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from optplan.config import Symbol
from optplan.config.layer_decay_options import is_for_custom_class
from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.rules import DEFAULT_RULES, LAYER_DECAY_RULES, MMCV1_RULES, MMPRETRAIN_RULES, RuleSet

DEFAULT_OPTIONS = DEFAULT_RULES.options


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownConstructor:
    """A constructor whose options are known.

    Args:
        options: The entries of ``paramwise_cfg`` that it reads.
        overwritten: Fields of a custom key that it sets itself afterwards.
    """

    options: frozenset[str]
    overwritten: frozenset[str] = frozenset()


DEFAULT = KnownConstructor(options=DEFAULT_OPTIONS)
DEFAULT_OF_MMCV1 = KnownConstructor(options=MMCV1_RULES.options)
_LAYER_DECAY = KnownConstructor(options=frozenset({"num_layers", "decay_rate", "decay_type"}))

_BY_RULES: Mapping[str, KnownConstructor] = MappingProxyType(
    {
        DEFAULT_RULES.constructor: DEFAULT,
        LAYER_DECAY_RULES.constructor: KnownConstructor(options=LAYER_DECAY_RULES.options),
        MMPRETRAIN_RULES.constructor: KnownConstructor(
            options=MMPRETRAIN_RULES.options, overwritten=frozenset({"lr_mult", "lr"})
        ),
    }
)

# By package and name, since other packages register other classes under the same name; the built-in ones
# are of no package. As read in mmpretrain 1.2.0, mmsegmentation 1.2.2 and the repositories of mmdet and
# mmpose.
_OTHERS: Mapping[tuple[str, str], KnownConstructor] = MappingProxyType(
    {
        ("", LAYER_DECAY_RULES.constructor): _BY_RULES[LAYER_DECAY_RULES.constructor],
        ("mmpretrain", MMPRETRAIN_RULES.constructor): _BY_RULES[MMPRETRAIN_RULES.constructor],
        ("mmseg", "ForceDefaultOptimWrapperConstructor"): KnownConstructor(
            options=DEFAULT_OPTIONS | {"force_default_settings"}
        ),
        ("mmseg", "LearningRateDecayOptimizerConstructor"): _LAYER_DECAY,
        # sets decay_type itself, and renames layer_decay_rate
        ("mmseg", "LayerDecayOptimizerConstructor"): KnownConstructor(
            options=frozenset({"num_layers", "layer_decay_rate"})
        ),
        ("mmdet", "LearningRateDecayOptimizerConstructor"): _LAYER_DECAY,
        ("mmpose", "LayerDecayOptimWrapperConstructor"): KnownConstructor(
            options=frozenset({"num_layers", "layer_decay_rate"})
        ),
    }
)

# Every option that some constructor reads: a mistake in its place, but no misspelling.
ALL_OPTIONS = DEFAULT_OPTIONS.union(*(known.options for known in _OTHERS.values()))


def known_constructor(
    constructor: object, scope: object, paramwise: Mapping[str, Any], *, has_imports: bool = False
) -> KnownConstructor | None:
    """Return what is known of a constructor.

    Args:
        constructor: What the config names: a name, a symbol, or None for the default.
        scope: The config's ``default_scope``: the package whose classes a bare name means.
        paramwise: Its options; some tell that a class of the built-in name is the project's own.
        has_imports: The config imports code of its own, which may give a built-in name to another class.
    """
    if constructor is None or is_default(constructor):
        return DEFAULT
    package, _, name = str(constructor).rpartition(".")
    package = package.partition(".")[0] or (scope if isinstance(scope, str) else "")
    if not package and is_for_custom_class(paramwise):
        return None
    return None if has_imports and not package else _OTHERS.get((package, name))


def known_by_rules(rules: RuleSet) -> KnownConstructor:
    """Return what is known of a constructor that follows these rules."""
    return DEFAULT_OF_MMCV1 if rules is MMCV1_RULES else _BY_RULES[rules.constructor]


def known_of_mmcv1(constructor: object) -> KnownConstructor | None:
    """Return what is known of a constructor of mmcv 1.x: others than its default one are whoever's registered them."""
    is_its_own = constructor is None or constructor == DEFAULT_CONSTRUCTORS[0]
    return DEFAULT_OF_MMCV1 if is_its_own else None


def is_default(constructor: object) -> bool:
    """Return whether a name or symbol is the default constructor, under either of its names."""
    if not isinstance(constructor, str | Symbol):
        return False
    package, _, name = str(constructor).rpartition(".")
    return name in DEFAULT_CONSTRUCTORS and package.partition(".")[0] in {"", "mmengine"}
