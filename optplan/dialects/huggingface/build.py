"""Plan and build the optimizer that the library's trainer makes, and find the rule behind each group."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from optplan.config import OptimizerConfig
from optplan.constructors.built_values import built_optimizer
from optplan.constructors.group_builders import GroupBuilder
from optplan.constructors.observed_groups import ObservedOptimizer, observe
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.constructors.rule_attribution import OwnRules, empty_groups
from optplan.dialects.huggingface.arguments import TrainerArgs, is_mistake, unknown_argument
from optplan.dialects.huggingface.sparing import Sparing, sparing_seen
from optplan.dialects.huggingface.trainer import made_trainer
from optplan.facts import Inventory
from optplan.names import Matcher, Rule
from optplan.plan import Assignment
from optplan.planner.assign import GroupReader, as_number, refuse_bad_values
from optplan.planner.builtin_plan import BuildResult
from optplan.rules import Verdict

_log = logging.getLogger(__name__)
NAME = "transformers.Trainer.create_optimizer"


class TrainerBuilder(GroupBuilder):
    """The library's trainer on the arguments of a file.

    Args:
        section: The arguments as an optimizer section.
        args: The arguments.
    """

    def __init__(self, section: OptimizerConfig, args: TrainerArgs) -> None:
        self.name = NAME
        self.section = section
        self._args = args

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Run the trainer on the model, and find the rule behind each of its groups."""
        for name in self._args.unknown:
            if is_mistake(name):
                _log.warning("%s", unknown_argument(self._args, name))
        sparing, bases = Sparing(), dict[str, float | None]()

        def make(model: nn.Module) -> NamedOptimizers:
            with made_trainer(self._args, model) as trainer, sparing_seen(sparing):
                bases["lr"] = as_number(trainer.args.learning_rate)
                bases["weight_decay"] = as_number(trainer.args.weight_decay)
                return [(None, trainer.create_optimizer())]

        observation = observe(model, inventory, make)
        (made,) = observation.optimizers
        sparing.has_decay = bool(bases["weight_decay"])
        attribution = _TrainerAttribution(args=self._args, sparing=sparing, bases=bases)
        assignments = attribution.assignments(made, inventory)
        planned = built_optimizer(made, None, is_written=True)
        refuse_bad_values(assignments, inventory)
        return BuildResult(
            assignments=assignments,
            optimizers=[replace(planned, lr=bases["lr"], weight_decay=bases["weight_decay"])],
            trainable=observation.trainable,
            tracer=sparing,
            matcher=Matcher.SEARCH if sparing.has_decay else None,
            empty_groups=empty_groups(observation),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Build the optimizer as the trainer does."""
        with made_trainer(self._args, model) as trainer:
            return [(None, trainer.create_optimizer())]


@dataclass(frozen=True, kw_only=True)
class _TrainerAttribution:
    """Finds the verdicts behind the values of groups.

    Args:
        args: The arguments.
        sparing: What spares parameters weight decay.
        bases: The lr and the weight decay that the trainer starts from.
    """

    args: TrainerArgs
    sparing: Sparing
    bases: dict[str, float | None]

    def assignments(self, made: ObservedOptimizer, inventory: Inventory) -> dict[int, Assignment]:
        """Return what each tensor gets, by its number."""
        reader = GroupReader(made.optimizer, (group.own for group in made.groups))
        own = OwnRules(NAME, None)
        defaults = {
            name: Verdict(rule=Rule.DEFAULT, place=self.args.place_of(argument))
            for name, argument in (("lr", "learning_rate"), ("weight_decay", "weight_decay"))
        }
        found: dict[int, Assignment] = {}
        for index, group in enumerate(made.groups):
            values = reader.values(group.own, group.final)
            for tensor in group.members:
                verdicts = self._verdicts(
                    inventory.primary_names[tensor].name, values, defaults, own
                )
                found[tensor] = Assignment(
                    optimizer=0,
                    group=index,
                    lr_verdict=verdicts["lr"],
                    weight_decay_verdict=verdicts["weight_decay"],
                    **values,
                )
        return found

    def _verdicts(
        self, name: str, values: dict[str, Any], defaults: dict[str, Verdict], own: OwnRules
    ) -> dict[str, Verdict]:
        """Return the rules behind a group's values; where these do not bear them out, the code decided."""
        spared = self.sparing.of(name) if self.sparing.has_decay else None
        found = {}
        for setting, default in defaults.items():
            value, base = values[setting], self.bases[setting]
            expected, verdict = base, default
            if setting == "weight_decay" and spared is not None:
                expected, verdict = 0.0, spared
            is_borne_out = value is None or value == expected
            found[setting] = verdict if is_borne_out else own.verdict(value, base)
        return found
