"""Build several optimizer sections by name, each for the child of the model that has its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from optplan.config import OptimizerConfig
from optplan.constructors.group_builders import GroupBuilder, planned_by
from optplan.constructors.observed_groups import tensor_numbers
from optplan.constructors.returned_optimizers import NamedOptimizers
from optplan.errors import PlanError, Problem, did_you_mean, listed
from optplan.facts import Inventory
from optplan.model import make_inventory
from optplan.names import ProblemKind
from optplan.places import Place
from optplan.plan import Assignment, EmptyParamGroup, LrScaling, Planned, PlannedOptimizer
from optplan.planner.builtin_plan import BuildResult


class SectionsBuilder(GroupBuilder):
    """Makes the optimizers of each section, as GANs are trained.

    Args:
        builders: What makes those of each section, by its name.
        section: The section around them, which has nothing of its own.
    """

    def __init__(self, builders: Mapping[str, GroupBuilder], section: OptimizerConfig) -> None:
        self.name = ", ".join(dict.fromkeys(builder.name for builder in builders.values()))
        self.section = section
        self._builders = builders

    def plan(self, model: nn.Module, inventory: Inventory) -> BuildResult:
        """Plan each section on its child; keys are looked for in the names below the child."""
        numbers = tensor_numbers(model, inventory)
        assignments: dict[int, Assignment] = {}
        optimizers: list[PlannedOptimizer] = []
        trainable: dict[int, bool] = {}
        parts: list[Planned] = []
        scalings: list[LrScaling | None] = []
        empty: list[EmptyParamGroup] = []
        repeated: dict[str, None] = {}
        for name, child in self._children(model).items():
            own = make_inventory(child)
            part, made = planned_by(self._builders[name], child, own, None)
            scalings.append(made.lr_scaling)
            # each inventory counts the tensors of its own module
            outer = {inner: numbers[key] for key, inner in tensor_numbers(child, own).items()}
            for tensor, assignment in part.assignments.items():
                if outer[tensor] in assignments:
                    repeated[inventory.primary_names[outer[tensor]].name] = None
                index = len(optimizers) + assignment.optimizer
                assignments[outer[tensor]] = assignment._replace(optimizer=index)
            trainable |= {outer[tensor]: flag for tensor, flag in made.trainable.items()}
            empty += [
                replace(group, optimizer=len(optimizers) + group.optimizer)
                for group in made.empty_groups
            ]
            for one in made.optimizers:
                optimizers.append(replace(one, name=f"{name}.{one.name}" if one.name else name))
                parts.append(part)
        if repeated:
            raise _in_several(tuple(repeated))
        return BuildResult(
            assignments=assignments,
            optimizers=optimizers,
            trainable=trainable,
            parts=tuple(parts),
            lr_scaling=_of_all(scalings, len(optimizers)),
            needs_world_size=any(part.plan.needs_world_size for part in parts),
            empty_groups=tuple(empty),
        )

    def build(self, model: nn.Module) -> NamedOptimizers:
        """Build the optimizers of each section on its child."""
        return [
            (f"{name}.{inner}" if inner else name, optimizer)
            for name, child in self._children(model).items()
            for inner, optimizer in self._builders[name].build(child)
        ]

    def _children(self, model: nn.Module) -> dict[str, nn.Module]:
        """Return the part of the model that each section is for.

        Raises:
            PlanError: Sections for which the model has no part.
        """
        modules = dict(model.named_modules())
        depths = {
            name: [n for n in modules if n.count(".") == name.count(".")] for name in self._builders
        }
        problems = [
            Problem(
                message=f"the section {name!r} is for a part of the model that there is not",
                place=self._place(name),
                hint=did_you_mean(name, depths[name])
                or f"the model has {listed([n for n, _ in model.named_children()])}",
            )
            for name in self._builders
            if name not in modules
        ]
        if problems:
            raise PlanError(problems)
        return {name: modules[name] for name in self._builders}

    def _place(self, name: str) -> Place | None:
        return self._builders[name].section.places["type"]


def _of_all(scalings: Sequence[LrScaling | None], count: int) -> LrScaling | None:
    """Return what all sections have in common: the batch, and a base lr only where there is one optimizer."""
    first = scalings[0]
    return first if first is None or count == 1 else replace(first, base_lr=None, lr=None)


def _in_several(names: tuple[str, ...]) -> PlanError:
    return PlanError(
        f"parameters would be in several optimizers: {listed(names)}",
        kind=ProblemKind.TIED,
        parameters=names,
    )
