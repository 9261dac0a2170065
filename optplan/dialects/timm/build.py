"""Run timm's own optimizer factory on a recipe of its ``train.py``, and find the rules behind its groups."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.config import OptimizerConfig, Scaling, place_of
from optplan.constructors.dry_run import optimizer_facts
from optplan.constructors.group_builders import GroupBuilder
from optplan.constructors.observed_groups import ObservedOptimizer, observe, others_code
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.constructors.rule_attribution import OwnRules
from optplan.constructors.timm_optimizers import require_timm_name, timm_class
from optplan.dialects.timm.arguments import TimmArgs
from optplan.errors import PlanError, Problem, did_you_mean
from optplan.facts import Inventory, Layers, ParameterFacts
from optplan.model import model_layers
from optplan.names import LayerSource, ProblemKind, Rule
from optplan.plan import Assignment, PlannedOptimizer, plain
from optplan.planner.assign import GroupReader, as_number, planned_optimizer, refuse_bad_values
from optplan.planner.builtin_plan import BuildResult
from optplan.planner.scaling import lr_scaling
from optplan.rules import Verdict
from optplan.rules.layer_decay import LEFT_OVER
from optplan.rules.timm_groups import TimmOptions, decide_weight_decay

FACTORY = "timm.optim.create_optimizer_v2"


class TimmBuilder(GroupBuilder):
    """timm's factory on a recipe.

    Args:
        section: The recipe as an optimizer section.
        args: The recipe.
        scaling: How its lr depends on the batch.
    """

    def __init__(self, section: OptimizerConfig, args: TimmArgs, scaling: Scaling | None) -> None:
        self.name = FACTORY
        self.section = section
        self._args = args
        self._scaling = scaling
        self._lr = _lr(args, scaling)

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Run timm's factory on the model, and find the rule behind each of its groups."""
        observation = observe(model, inventory, self.build)
        (made,) = observation.optimizers
        options = _options(self._args, model)
        layers = _layers(model, inventory) if options.has_layer_decay else None
        attribution = _RecipeAttribution(self._args, options, self._lr, layers)
        assignments = _assignments(made, inventory, attribution)
        refuse_bad_values(assignments, inventory)
        optimizers = [_planned(self._args, made.optimizer, self._lr)]
        scaling = self._scaling
        return BuildResult(
            assignments=assignments,
            optimizers=optimizers,
            trainable=observation.trainable,
            tracer=options,
            lr_scaling=None if scaling is None else lr_scaling(scaling, optimizers),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Build the optimizer as ``train.py`` does."""
        return make_timm_optimizer(self._args, model, self._lr)


def _lr(args: TimmArgs, scaling: Scaling | None) -> float:
    """Return the lr that ``train.py`` gives to the optimizer; its base where the batch is not known."""
    if scaling is None:
        lr: float = args.factory["lr"]
        return lr
    base: float = scaling.base_lr or 0.0
    return base if scaling.factor is None else base * scaling.factor


def make_timm_optimizer(args: TimmArgs, model: nn.Module, lr: float) -> NamedOptimizers:
    """Return the real optimizer, made as ``train.py`` makes it.

    Raises:
        PlanError: timm has no such optimizer, or refuses an argument or the model.
    """
    from timm.optim import create_optimizer_v2, optimizer_kwargs

    _check_arguments(args)
    given = optimizer_kwargs(SimpleNamespace(**{**args.factory, "lr": lr}))
    with others_code(FACTORY, args.place_of("opt")):
        made: Optimizer = create_optimizer_v2(model, **given, **args.opt_kwargs)
    return [(None, made)]


def _check_arguments(args: TimmArgs) -> None:
    """Name each entry of ``opt_kwargs`` that neither the factory nor the class takes."""
    from timm.optim import create_optimizer_v2

    name, place = args.factory["opt"], args.place_of("opt")
    require_timm_name(name, place)
    known: set[str] = set()
    for taker in (create_optimizer_v2, timm_class(name, place)):
        parameters = list(inspect.signature(taker).parameters.values())[1:]
        if taker is not create_optimizer_v2 and any(p.kind is p.VAR_KEYWORD for p in parameters):
            return
        known |= {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    for container in (args.opt_kwargs, args.factory.get("opt_args") or {}):
        problems = [
            Problem(
                message=f"timm:{name} takes no argument {entry!r}",
                place=place_of(container, entry),
                hint=did_you_mean(entry, known),
                kind=ProblemKind.UNKNOWN_ARGUMENT,
            )
            for entry in container
            if entry not in known
        ]
        if problems:
            raise PlanError(problems)


def _assignments(
    made: ObservedOptimizer, inventory: Inventory, attribution: _RecipeAttribution
) -> dict[int, Assignment]:
    reader = GroupReader(made.optimizer, (group.own for group in made.groups))
    assignments: dict[int, Assignment] = {}
    for index, group in enumerate(made.groups):
        values = reader.values(group.own, group.final)
        for tensor in group.members:
            facts = inventory.primary_names[tensor]
            lr_verdict, decay_verdict = attribution.of(facts, values)
            values["layer"] = attribution.layer_of(facts, values["lr_scale"])
            assignments[tensor] = Assignment(
                optimizer=0,
                group=index,
                lr_verdict=lr_verdict,
                weight_decay_verdict=decay_verdict,
                **values,
            )
    return assignments


def _layers(model: nn.Module, inventory: Inventory) -> Layers | None:
    """Return the layers as timm numbers them; None where the model has no patterns for them."""
    try:
        found = model_layers(model, inventory)
    except PlanError:
        return None
    return found if found is not None and found.source is LayerSource.GROUP_MATCHER else None


def _options(args: TimmArgs, module: nn.Module) -> TimmOptions:
    weight_decay = args.factory["weight_decay"]
    return TimmOptions(
        weight_decay=weight_decay,
        has_layer_decay="layer_decay" in {**args.factory, **args.opt_kwargs},
        spares_flat=bool(args.opt_kwargs.get("filter_bias_and_bn", True)),
        declared=_declared(module),
        default_lr=Verdict(
            rule=Rule.DEFAULT, place=args.place_of("lr") or args.place_of("lr_base")
        ),
        default_weight_decay=Verdict(rule=Rule.DEFAULT, place=args.place_of("weight_decay")),
        layer_decay_place=args.place_of("layer_decay"),
    )


def _declared(module: nn.Module) -> tuple[str, ...]:
    """Return what the model's own ``no_weight_decay()`` names, as the factory asks it."""
    declare = getattr(module, "no_weight_decay", None)
    names: Iterable[str] = declare() if callable(declare) else ()
    return tuple(sorted(names))


class _RecipeAttribution:
    """The verdicts behind the values of groups; those of equal values are shared."""

    def __init__(
        self, args: TimmArgs, options: TimmOptions, lr: float, layers: Layers | None
    ) -> None:
        self._options = options
        self._layers = layers
        given = {**args.factory, **args.opt_kwargs}
        self._rate: float = given.get("layer_decay", 1.0)
        self._least: float = given.get("layer_decay_min_scale", 0.0)
        self._lr = lr
        self._own = OwnRules(FACTORY, None)
        self._by_scale: dict[tuple[float, bool], Verdict] = {}
        self._place = options.layer_decay_place or place_of(args.opt_kwargs, "layer_decay")

    def of(self, facts: ParameterFacts, values: Mapping[str, Any]) -> tuple[Verdict, Verdict]:
        """Return the verdicts on the lr and on the weight decay of a parameter in a group."""
        options, scale = self._options, values["lr_scale"]
        lr = options.default_lr if scale is None else self._scaled(scale, facts)
        decay = decide_weight_decay(facts, options)
        expected = options.weight_decay if decay.value is None else decay.value
        found = values["weight_decay"]
        if found is not None and found != expected:
            decay = self._own.verdict(found, options.weight_decay)
        return lr, decay

    def layer_of(self, facts: ParameterFacts, scale: float | None) -> int | None:
        """Return the layer that a parameter is in, if its scale bears that out."""
        depth = None if self._layers is None else self._layers.depths.get(facts.name)
        if depth is None or scale is None:
            return None
        layer, count = depth
        return layer if max(self._least, self._rate ** (count - 1 - layer)) == scale else None

    def _scaled(self, scale: float, facts: ParameterFacts) -> Verdict:
        is_left_over = self._layers is not None and facts.name in self._layers.unclaimed
        key = scale, is_left_over
        if key not in self._by_scale:
            self._by_scale[key] = Verdict(
                rule=Rule.LAYER_DECAY,
                option="layer_decay",
                mult=scale,
                value=self._lr,
                place=self._place,
                note=LEFT_OVER if is_left_over else None,
            )
        return self._by_scale[key]


_SHOWN = ("layer_decay", "layer_decay_min_scale", "layer_decay_no_opt_scale")


def _planned(args: TimmArgs, optimizer: Optimizer, lr: float) -> PlannedOptimizer:
    """Return the optimizer with the recipe's own values; the factory gives it none of its weight decay."""
    planned = planned_optimizer(optimizer_facts(optimizer), None)
    defaults = getattr(optimizer, "defaults", {})
    given = {
        name.removeprefix("opt_"): value
        for name, value in args.factory.items()
        if name in (*_SHOWN, "momentum", "opt_eps", "opt_betas", "opt_foreach")
    }
    options = {
        name: plain(value)
        for name, value in (given | dict(args.opt_kwargs)).items()
        if name in defaults or name in _SHOWN or name in args.opt_kwargs
    }
    return replace(
        planned,
        type=f"timm:{args.factory['opt']}",
        lr=as_number(lr),
        weight_decay=as_number(args.factory["weight_decay"]),
        options=options,
    )
