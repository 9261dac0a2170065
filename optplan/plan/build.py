"""Build a Plan from facts and from what each tensor gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from optplan.facts import Inventory, ParameterFacts
from optplan.names import Status
from optplan.places import Place
from optplan.plan.lr_scaling import Origin
from optplan.plan.plan import (
    Plan,
    PlannedModel,
    PlannedOptimizer,
    PlannedParameter,
    RuleUse,
    Setting,
)
from optplan.plan.values import hashable
from optplan.rules import Verdict

_NOTHING: Mapping[str, Any] = {}


class Assignment(NamedTuple):
    """What one tensor gets: its place among the groups, the values there and their rules.

    Args:
        optimizer, group, lr, weight_decay, options, extra, lr_scale, layer, effective_lr: As in
            :class:`optplan.plan.PlannedParameter`.
        lr_verdict, weight_decay_verdict: What decided them.
        telling: The entries of ``extra`` that tell settings apart.
    """

    optimizer: int
    group: int
    lr: float | None
    weight_decay: float | None
    effective_lr: float | None
    lr_verdict: Verdict
    weight_decay_verdict: Verdict
    options: Mapping[str, Any]
    extra: Mapping[str, Any]
    lr_scale: float | None = None
    layer: int | None = None
    telling: Mapping[str, Any] = _NOTHING


def build_plan(
    inventory: Inventory,
    assignments: Mapping[int, Assignment],
    optimizers: Iterable[PlannedOptimizer],
    *,
    constructor: str,
    config: str | None,
    versions: Mapping[str, str | None],
    trainable: Mapping[int, bool] | None = None,
) -> Plan:
    """Put the rows together; what not every plan has is left to the caller.

    Args:
        inventory: The model's parameters.
        assignments: What each tensor gets, by its number; a tensor in no group is left out.
        optimizers: The optimizers that the assignments refer to.
        constructor: Class name of the constructor.
        config: The config's path, as the user gave it.
        versions: Versions of the packages that took part.
        trainable: ``requires_grad`` of each tensor after the constructor ran, by its number; None where
            none could change it.
    """
    settings = _Settings()
    maker = _RowMaker(inventory, assignments, settings, trainable or {})
    rows = tuple(maker.row(facts) for facts in inventory.parameters)
    return Plan(
        versions=versions,
        config=config,
        model=PlannedModel(
            spec=inventory.spec,
            source=inventory.source,
            class_name=inventory.class_name,
            parameters=len(inventory.primary_names),
            elements=inventory.elements,
        ),
        constructor=constructor,
        optimizers=tuple(optimizers),
        parameters=rows,
        settings=settings.as_tuple(),
    )


class _RowMaker:
    """Makes the row of each name; what rows share is made once."""

    def __init__(
        self,
        inventory: Inventory,
        assignments: Mapping[int, Assignment],
        settings: _Settings,
        trainable: Mapping[int, bool],
    ) -> None:
        self._primary = inventory.primary_names
        self._names = inventory.names_by_tensor
        self._assignments = assignments
        self._settings = settings
        self._trainable = trainable
        self._uses: dict[int, RuleUse] = {}

    def row(self, facts: ParameterFacts) -> PlannedParameter:
        tensor = facts.tensor
        carries = self._primary[tensor] is facts
        assignment = self._assignments.get(tensor) if carries else None
        names = self._names[tensor]
        aliases = tuple(name for name in names if name != facts.name) if len(names) > 1 else ()
        trainable = self._trainable.get(tensor, facts.requires_grad)
        status = _status(carries=carries, trainable=trainable, covered=assignment is not None)
        what_it_is: dict[str, Any] = {
            "name": facts.name,
            "shape": facts.shape,
            "elements": facts.elements,
            "dtype": facts.dtype,
            "requires_grad": trainable,
            "module": facts.module,
            "status": status,
            "aliases": aliases,
        }
        if assignment is None:
            return PlannedParameter(**what_it_is)
        # an optimizer without weight decay has nothing that a rule could have decided
        decays = assignment.weight_decay is not None
        return PlannedParameter(
            **what_it_is,
            lr=assignment.lr,
            weight_decay=assignment.weight_decay,
            lr_scale=assignment.lr_scale,
            effective_lr=assignment.effective_lr,
            layer=assignment.layer,
            lr_rule=self._use(assignment.lr_verdict),
            weight_decay_rule=self._use(assignment.weight_decay_verdict) if decays else None,
            options=assignment.options,
            extra=assignment.extra,
            optimizer=assignment.optimizer,
            group=assignment.group,
            setting=self._settings.index_of(assignment, facts.elements),
        )

    def _use(self, verdict: Verdict) -> RuleUse:
        # verdicts are shared between parameters, so their rows may share a RuleUse
        known = self._uses.get(id(verdict))
        if known is None:
            known = self._uses[id(verdict)] = _rule_use(verdict)
        return known


class _Settings:
    """Counts the distinct settings as rows come by."""

    def __init__(self) -> None:
        self._index: dict[Any, int] = {}
        self._first: list[Assignment] = []
        self._parameters: list[int] = []
        self._elements: list[int] = []

    def index_of(self, assignment: Assignment, elements: int) -> int:
        key = (
            assignment.optimizer,
            assignment.lr,
            assignment.weight_decay,
            assignment.lr_scale,
            hashable(assignment.options) if assignment.options else None,
            hashable(assignment.telling) if assignment.telling else None,
        )
        index = self._index.setdefault(key, len(self._first))
        if index == len(self._first):
            self._first.append(assignment)
            self._parameters.append(0)
            self._elements.append(0)
        self._parameters[index] += 1
        self._elements[index] += elements
        return index

    def as_tuple(self) -> tuple[Setting, ...]:
        return tuple(
            Setting(
                index=index,
                optimizer=first.optimizer,
                lr=first.lr,
                weight_decay=first.weight_decay,
                lr_scale=first.lr_scale,
                options=first.options,
                extra=first.telling,
                parameters=self._parameters[index],
                elements=self._elements[index],
            )
            for index, first in enumerate(self._first)
        )


def _status(*, carries: bool, trainable: bool, covered: bool) -> Status:
    if not carries:
        return Status.DUPLICATE
    if not trainable:
        return Status.FROZEN
    return Status.OPTIMIZED if covered else Status.UNCOVERED


def _rule_use(verdict: Verdict) -> RuleUse:
    shared = {
        one.name: getattr(verdict, one.name) for one in fields(RuleUse) if one.name != "origin"
    }
    return RuleUse(**shared, origin=origin_of(verdict.place))


def origin_of(place: Place | None) -> Origin | None:
    """Return a place as the plan keeps it."""
    if place is None:
        return None
    return Origin(file=place.source.name, line=place.line, column=place.column)
