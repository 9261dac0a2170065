"""What constructors read, as far as it is known without running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from optplan.config import Symbol
from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.config.paramwise import DECAY_MULTIPLIERS, LR_MULTIPLIERS

DEFAULT_OPTIONS = frozenset(
    {*LR_MULTIPLIERS, *DECAY_MULTIPLIERS, "custom_keys", "bypass_duplicate"}
)


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
_LAYER_DECAY = KnownConstructor(options=frozenset({"num_layers", "decay_rate", "decay_type"}))

# By package and name, since other packages register other classes under the same name. As read in
# mmpretrain 1.2.0, mmsegmentation 1.2.2 and the repositories of mmdet and mmpose.
_FOREIGN: Mapping[tuple[str, str], KnownConstructor] = MappingProxyType(
    {
        ("mmpretrain", "LearningRateDecayOptimWrapperConstructor"): KnownConstructor(
            options=frozenset(
                {
                    "layer_decay_rate",
                    "norm_decay_mult",
                    "bias_decay_mult",
                    "flat_decay_mult",
                    "custom_keys",
                }
            ),
            overwritten=frozenset({"lr_mult", "lr"}),
        ),
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
ALL_OPTIONS = DEFAULT_OPTIONS.union(*(known.options for known in _FOREIGN.values()))


def known_constructor(constructor: object, scope: object) -> KnownConstructor | None:
    """What is known of a constructor.

    Args:
        constructor: What the config names: a name, a symbol, or None for the default.
        scope: The config's ``default_scope``: the package whose classes a bare name means.
    """
    if constructor is None or is_default(constructor):
        return DEFAULT
    package, _, name = str(constructor).rpartition(".")
    package = package.partition(".")[0] or (scope if isinstance(scope, str) else "")
    return _FOREIGN.get((package, name))


def is_default(constructor: object) -> bool:
    """Whether a name or symbol is the default constructor, under either of its names."""
    if not isinstance(constructor, str | Symbol):
        return False
    package, _, name = str(constructor).rpartition(".")
    return name in DEFAULT_CONSTRUCTORS and package.partition(".")[0] in {"", "mmengine"}
