"""The constructors that configs name, the built-in ones and those that users register."""

from __future__ import annotations

from optplan.config.optimizer import DEFAULT_CONSTRUCTORS
from optplan.constructors.registry import Registry


def _register_builtin(registry: Registry) -> None:
    from optplan.constructors.default_constructor import DefaultOptimizerConstructor
    from optplan.constructors.layer_decay_constructor import (
        LayerDecayOptimizerConstructor,
        LearningRateDecayOptimWrapperConstructor,
    )

    mmpretrains = LearningRateDecayOptimWrapperConstructor
    registry.register_module(module=LayerDecayOptimizerConstructor)
    registry.register_module(f"mmpretrain.{mmpretrains.__name__}", module=mmpretrains)
    registry.register_module(DEFAULT_CONSTRUCTORS, module=DefaultOptimizerConstructor)


OPTIMIZER_CONSTRUCTORS = Registry("optimizer constructor", _register_builtin)
OPTIM_WRAPPER_CONSTRUCTORS = OPTIMIZER_CONSTRUCTORS
