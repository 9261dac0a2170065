"""The independent reference: the same class on one parameter alone, given the plan's values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from optplan.constructors.checkpoint import class_defaults
from optplan.plan import PlannedParameter, plain
from optplan.verify.stepping import Gradients, take_steps
from optplan.verify.subject import Held, Subject, given_options
from optplan.verify.tensors import Param

# The plainest way to compute: one tensor after the other, on any device.
_PLAIN = {"foreach": False, "fused": False, "capturable": False, "differentiable": False}
_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRule:
    """How the plan says that one parameter is stepped.

    Args:
        make: The class of the real optimizer.
        arguments: The plan's values, as arguments: a class that does not follow its groups uses them too.
        entries: What can only stand in the group.
        takes: The names of the arguments that the class takes.
        attributes: The parameter's own, which an optimizer may look at.
    """

    make: type[Optimizer]
    arguments: Mapping[str, Any]
    entries: Mapping[str, Any]
    takes: frozenset[str]
    attributes: Mapping[str, Any]

    def changed(self, **values: Any) -> UpdateRule:
        """The rule with another lr or weight decay."""
        arguments, entries = dict(self.arguments), dict(self.entries)
        for name, value in values.items():
            (arguments if name in self.takes else entries)[name] = value
        return replace(self, arguments=arguments, entries=entries)

    def stand_in(self, start: Tensor, device: torch.device) -> Param:
        """A parameter to step, with a copy of the value."""
        parameter = torch.nn.Parameter(start.to(device, copy=True))
        parameter.__dict__.update(self.attributes)
        return parameter

    def optimizer(self, parameter: Param, *, as_built: bool) -> Optimizer:
        """The class on one parameter, computing in the plainest way or as the real one does."""
        plainest = {} if as_built else {k: v for k, v in _PLAIN.items() if k in self.takes}
        groups = [{"params": [parameter], **self.entries}]
        make: Any = self.make
        return make(groups, **{**self.arguments, **plainest})  # type: ignore[no-any-return]


def rule_of(subject: Subject, held: Held) -> UpdateRule:
    """The update that the plan gives to a parameter, by the class that is really there.

    Raises:
        IndexError: There is no such optimizer.
    """
    row = held.row
    return _rule(subject, row.optimizer or 0, _values(row), row.extra, held.tensor.__dict__)


def base_rule(subject: Subject, optimizer: int) -> UpdateRule:
    """The update of a parameter for which the plan says nothing of its own."""
    plan = subject.plan.optimizers[optimizer]
    values = {"lr": plan.lr, "weight_decay": plan.weight_decay}
    given = {name: value for name, value in values.items() if value is not None}
    return _rule(subject, optimizer, given, {}, {})


def _rule(
    subject: Subject,
    optimizer: int,
    values: Mapping[str, Any],
    extra: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> UpdateRule:
    plan = subject.plan.optimizers[optimizer]
    real = subject.optimizers[optimizer].inner
    options = given_options(plan)
    takes, takes_any = _arguments(_class_of(real))
    wanted = {**arguments_of(real), **class_defaults(plan.class_name), **options, **values}
    arguments = {
        name: _real_object(value, real.defaults.get(name))
        for name, value in wanted.items()
        if name in takes or (takes_any and name in options)
    }
    entries = {
        name: value
        for name, value in {**values, **extra}.items()
        if name not in arguments and name != "param_names"
    }
    return UpdateRule(
        make=type(real),
        arguments=arguments,
        entries=entries,
        takes=takes,
        attributes=dict(attributes),
    )


def arguments_of(real: Optimizer) -> dict[str, Any]:
    """What of an optimizer's values for all its groups its class takes as an argument."""
    takes, _ = _arguments(_class_of(real))
    return {name: value for name, value in real.defaults.items() if name in takes}


def _class_of(real: Optimizer) -> Any:
    return type(real)


@cache  # for each parameter again, it took a tenth of a verification
def _arguments(make: Callable[..., Any]) -> tuple[frozenset[str], bool]:
    parameters = list(inspect.signature(make).parameters.values())[1:]
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return frozenset(parameter.name for parameter in parameters), takes_any


def _values(row: PlannedParameter) -> dict[str, Any]:
    decay = {} if row.weight_decay is None else {"weight_decay": row.weight_decay}
    return {"lr": row.lr, **decay, **row.options}


def _real_object(value: Any, real: Any) -> Any:
    """The plan writes what is no plain data as text; the real value is meant if it reads the same."""
    return real if isinstance(value, str) and plain(real) == value else value


def alone(
    rule: UpdateRule,
    start: Tensor,
    gradients: Gradients,
    steps: int,
    *,
    device: torch.device = _CPU,
    as_built: bool = False,
) -> Tensor:
    """Where one parameter ends that is stepped alone, in the dtype of ``start``, on the CPU.

    Args:
        rule: How it is stepped.
        start: Its value before.
        gradients: Its gradients, under the name ''.
        steps: How many.
        device: Where.
        as_built: Compute as the real optimizer does (``foreach``, ``fused``), not in the plainest way.
    """
    parameter = rule.stand_in(start, device)
    take_steps([rule.optimizer(parameter, as_built=as_built)], [("", parameter)], gradients, steps)
    return parameter.detach().cpu()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A parameter in a joint run: where it is in the plan, and how it is stepped."""

    held: Held
    rule: UpdateRule


def together(
    members: Sequence[Member],
    base: UpdateRule,
    values: Callable[[Held], Tensor],
    gradients: Gradients,
    steps: int,
    *,
    device: torch.device = _CPU,
    as_built: bool = False,
) -> dict[str, Tensor]:
    """Where parameters end that one optimizer steps together, in the plan's groups.

    Args:
        members: The parameters.
        base: A rule with the optimizer's own values.
        values: What each begins with.
        gradients: By the parameters' names.
        steps: How many.
        device: Where.
        as_built: As in :func:`alone`.
    """
    parameters: list[tuple[str, Param]] = []
    groups: dict[int | None, dict[str, Any]] = {}
    for member in sorted(members, key=lambda member: member.held.row.group or 0):
        parameter = member.rule.stand_in(values(member.held), device)
        parameters.append((member.held.name, parameter))
        own = {**member.rule.arguments, **member.rule.entries}
        entries = {name: value for name, value in own.items() if name not in _PLAIN or as_built}
        group = groups.setdefault(member.held.row.group, {"params": [], **entries})
        group["params"].append(parameter)
    optimizer = _joint_optimizer(base, list(groups.values()), as_built=as_built)
    take_steps([optimizer], parameters, gradients, steps)
    return {name: parameter.detach().cpu() for name, parameter in parameters}


def _joint_optimizer(
    base: UpdateRule, groups: Iterable[dict[str, Any]], *, as_built: bool
) -> Optimizer:
    plainest = {} if as_built else {k: v for k, v in _PLAIN.items() if k in base.takes}
    make: Any = base.make
    return make(list(groups), **{**base.arguments, **plainest})  # type: ignore[no-any-return]
