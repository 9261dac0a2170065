"""Layer-wise lr decay: each lr is multiplied by the scale of the parameter's layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.config.layer_decay_options import LAYERS
from optplan.constructors.default_constructor import DefaultOptimizerConstructor
from optplan.constructors.optimizer_arguments import Group
from optplan.errors import PlanError
from optplan.facts import Inventory, ParameterFacts
from optplan.model import class_name, make_inventory, model_layers, walked_module
from optplan.planner.builtin_plan import layered
from optplan.rules import LAYER_DECAY_RULES, MMPRETRAIN_RULES, Options


class LayerDecayOptimizerConstructor(DefaultOptimizerConstructor):
    """Makes param groups as the default constructor, with an lr that falls from layer to layer.

    ``paramwise_cfg`` takes all options of the default constructor, and these:

    - ``layer_decay_rate``: what a layer has of the lr of the layer behind it. The lr that the default
      constructor gives is multiplied by ``layer_decay_rate ** (layers - 1 - layer)``, also one that a
      ``custom_keys`` entry multiplies with its ``lr_mult``. An ``lr`` in such an entry stands as it is.
    - ``layers``: the layers as a list of name patterns, the one at the input first. Each pattern is one
      layer, also ``blocks.{0-11}.*``; a name is in the first that fits it, and must be in one.

    Without ``layers`` the model says itself which layer a parameter is in, by ``get_layer_depth``, its own
    or its backbone's, or by timm's ``group_matcher``.

    Each group holds ``lr``, ``lr_scale``, ``layer_id``, ``param_name``, and ``weight_decay`` where the
    optimizer sets one.

    Args:
        optim_wrapper_cfg, paramwise_cfg: As for :class:`DefaultOptimizerConstructor`.

    Raises:
        ConfigError: An argument that is no dict, or mistakes in the options.
    """

    rules = LAYER_DECAY_RULES

    def __init__(
        self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None
    ) -> None:
        self._known: tuple[nn.Module, dict[str, ParameterFacts]] | None = None
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def __call__(self, model: nn.Module) -> Optimizer:
        """Make the real optimizer on the model's parameters.

        Raises:
            PlanError: The optimizer cannot be made for this model, or its layers are not known.
        """
        self._place(model)
        return super().__call__(model)

    def add_params(
        self,
        params: list[Group],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: bool | float | None = None,
    ) -> None:
        """Add a group for each parameter of a module, and of the modules below it.

        Args:
            params, module, prefix, is_dcn_module: As in
                :meth:`DefaultOptimizerConstructor.add_params`; the first call must be for the whole model.
        """
        if not prefix and (self._known is None or self._known[0] is not module):
            self._place(module)
        super().add_params(params, module, prefix, is_dcn_module)

    def _place(self, model: nn.Module) -> None:
        """Find out which layer each parameter is in."""
        placed = with_layers(make_inventory(model), model, self._options())
        by_name = {facts.walked_name: facts for facts in placed.parameters if facts.visited}
        self._known = walked_module(model), by_name

    def _placed(self, facts: ParameterFacts) -> ParameterFacts:
        known = self._known[1].get(facts.name) if self._known else None
        if known is None:
            raise PlanError(
                f"it is not known which layer {facts.name!r} is in: the model has no parameter of that name",
                hint="call add_params with the whole model first, and then with paths inside it",
            )
        return facts._replace(
            layer=known.layer,
            layers=known.layers,
            in_layer_pattern=known.in_layer_pattern,
        )


class LearningRateDecayOptimWrapperConstructor(LayerDecayOptimizerConstructor):
    """mmpretrain's layer decay, for where mmpretrain is not installed.

    Its rules differ: ``custom_keys`` have a say in the weight decay alone, and are looked for without the
    dot before a parameter of the model itself; without ``layer_decay_rate`` all scales are 1.
    """

    rules = MMPRETRAIN_RULES


def with_layers(inventory: Inventory, model: nn.Module, options: Options) -> Inventory:
    """Return the parameters with the layers that an option lists, or else the model itself knows.

    Args:
        inventory: The model's parameters.
        model: The model; it is only read.
        options: The constructor's options.

    Raises:
        PlanError: The layers are not known, or do not fit the model.
    """
    return layered(inventory, options, lambda: _with_own_layers(inventory, model, options))


def _with_own_layers(inventory: Inventory, model: nn.Module, options: Options) -> Inventory:
    found = model_layers(model, inventory)
    if found is None:
        raise PlanError(
            f"the model {class_name(model)} does not say which layer a parameter is in: it has neither"
            " get_layer_depth nor timm's group_matcher",
            place=options.layer_decay.place if options.layer_decay else None,
            hint="list the layers in paramwise_cfg, as layers=['stem.*', 'blocks.0.*', 'blocks.1.*', '*']"
            if LAYERS in options.rules.options
            else "give it get_layer_depth(name), which returns the layer and how many there are",
        )
    return inventory.with_layers(found)
