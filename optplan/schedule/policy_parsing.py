"""From a section of mmcv 1.x, ``lr_config`` or ``momentum_config``, to its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from optplan.config import place_of
from optplan.config.inherited import inherited_hint
from optplan.config.paramwise import described, number_problem
from optplan.errors import Problem, ScheduleError, close_matches, did_you_mean, quoted
from optplan.schedule.arguments import argument_problem, whole_problem
from optplan.schedule.catalog import REQUIRED, Argument
from optplan.schedule.policies import ONE_CYCLE, POLICIES, Policy
from optplan.schedule.specs import HookSpec, Warmup
from optplan.schedule.training import EpochLengthError, Training
from optplan.schedule.written import Written

_WARMUPS = ("constant", "linear", "exp")
# What the first value of a warm-up is of the regular one.
_RATIOS = {"lr": 0.1, "momentum": 0.9}
# How close a name must be to one of mmcv's to be taken for a misspelling: packages have others like them.
_SURE = 0.9
_PER_GROUP = ("max_lr", "base_momentum", "max_momentum")


class UnknownPolicyError(ScheduleError):
    """The policy is none of mmcv's own, nor nearly one: the hook is some package's."""


def hook_spec(written: Written, training: Training) -> HookSpec:
    """One policy.

    Args:
        written: It as the config writes it.
        training: How long the training is.

    Raises:
        ScheduleError: Its arguments are wrong, or it counts iterations and nobody said how many an epoch has.
    """
    param, raw = str(written.hook), written.raw
    name = policy_name(str(written.kind))
    policy = POLICIES[param].get(name)
    if policy is None:
        raise _unknown(written, param)
    if mistakes := list(_mistakes(written, param, policy)):
        raise ScheduleError(mistakes)
    counts_epochs = _counts_epochs(raw, param, policy, training)
    acts = training.by_epoch or not counts_epochs
    warmup = _warmup(written, param, training)
    by_epoch = counts_epochs and (warmup is None or not acts)
    if not by_epoch and training.iterations is None:
        raise _no_length(written, warmup)
    end = training.length if by_epoch else training.iterations or 0
    spec = HookSpec(
        name=str(written.kind),
        policy=name,
        param=param,
        by_epoch=by_epoch,
        counts_epochs=counts_epochs,
        acts=acts,
        end=end,
        length=training.length if counts_epochs else training.iterations or 0,
        per_epoch=training.per_epoch,
        warmup=warmup if acts else None,
        arguments=_arguments(raw, param, policy),
        raw=raw,
        place=written.place,
    )
    _refuse_short_cycle(spec)
    return spec


def policy_name(written: str) -> str:
    """Return a policy's name as hooks begin: ``step`` is ``Step``, what has a capital stays."""
    return written.title() if written == written.lower() else written


def spec_of_optimizer(spec: HookSpec, name: str | None, kind: str) -> HookSpec:
    """Return a policy whose arguments hold values by optimizers' names with those of one of them.

    Args:
        spec: The policy.
        name: The optimizer's name among several; None where it is the only one.
        kind: The name of its class, which the only one goes by.

    Raises:
        ScheduleError: There are none for it.
    """
    found = {n: v for n, v in spec.arguments.items() if n in _PER_GROUP and isinstance(v, Mapping)}
    key = name or kind.rpartition(".")[2]
    for argument, values in found.items():
        own = values.get(key)
        if not isinstance(own, list | tuple):
            raise ScheduleError(
                f"{argument} has no list of values for the optimizer {quoted(key)}",
                place=spec.at(argument),
                hint=f"write {argument}={{{key!r}: [...]}} with a value for each param group",
            )
    if not found:
        return spec
    return replace(
        spec, arguments={**spec.arguments, **{name: values[key] for name, values in found.items()}}
    )


def _unknown(written: Written, param: str) -> ScheduleError:
    kind, known = str(written.kind), POLICIES[param]
    if close := close_matches(kind, known, most=1, cutoff=_SURE):
        problem = Problem(
            message=f"mmcv 1.x has no policy {quoted(kind)} for the {param}",
            place=written.place,
            hint=did_you_mean(kind, close),
        )
        return ScheduleError([problem])
    problem = Problem(
        message=f"the policy {quoted(kind)} is none of mmcv's own: some package registers"
        f" {policy_name(kind)}{param.title()}UpdaterHook, and what that does is not known",
        place=written.place,
        hint=f"mmcv's own are {', '.join(known)}",
    )
    return UnknownPolicyError([problem])


def _names(param: str, policy: Policy) -> dict[str, tuple[str, Argument]]:
    """The arguments by the names that a config writes, with those in the table of policies."""
    return {_written_name(name, param): (name, one) for name, one in policy.arguments.items()}


def _written_name(name: str, param: str) -> str:
    return {"min": f"min_{param}", "min_ratio": f"min_{param}_ratio"}.get(name, name)


def _arguments(raw: Mapping[str, Any], param: str, policy: Policy) -> dict[str, Any]:
    found = {
        name: raw.get(written, one.default)
        for written, (name, one) in _names(param, policy).items()
    }
    ratio = found.get("target_ratio")
    if isinstance(ratio, float):
        found["target_ratio"] = (ratio, ratio / 1e5)
    elif ratio is not None and len(ratio) == 1:
        found["target_ratio"] = (ratio[0], ratio[0] / 1e5)
    return found


def _counts_epochs(raw: Mapping[str, Any], param: str, policy: Policy, training: Training) -> bool:
    """Whether the epoch decides; the runner by iterations sets this for the lr alone."""
    default = not policy.counts_iterations and (training.by_epoch or param != "lr")
    return bool(raw.get("by_epoch", default))


def _warmup(written: Written, param: str, training: Training) -> Warmup | None:
    raw = written.raw
    kind, count = raw.get("warmup"), raw.get("warmup_iters", 0)
    if raw.get("warmup_by_epoch"):
        if not training.by_epoch:
            raise ScheduleError(
                "warmup_by_epoch needs a runner by epochs, and this one goes by iterations",
                place=place_of(raw, "warmup_by_epoch"),
                hint="give warmup_iters in iterations, without warmup_by_epoch",
            )
        if kind is not None and training.per_epoch is None:
            raise _no_length(written, None)
        count *= training.per_epoch or 1
    if kind is None:
        return None
    return Warmup(kind=kind, iterations=count, ratio=raw.get("warmup_ratio", _RATIOS[param]))


def _no_length(written: Written, warmup: Warmup | None) -> EpochLengthError:
    what = "warms up by iterations" if warmup is not None else "goes by iterations"
    return EpochLengthError(
        f"the policy {written.kind} {what}: how many has an epoch?",
        place=written.place,
        hint="give --iters-per-epoch N",
    )


def _mistakes(written: Written, param: str, policy: Policy) -> Iterator[Problem]:
    raw, own = written.raw, _names(param, policy)
    common = ["policy", "by_epoch", "warmup", "warmup_iters", "warmup_ratio"]
    common += ["warmup_by_epoch"] if param == "lr" else []
    for name in map(str, raw):
        if name not in own and name not in common:
            yield Problem(
                message=f"the policy {written.kind} takes no argument {quoted(name)}",
                place=place_of(raw, name) or written.place,
                hint=inherited_hint(raw, name)
                or did_you_mean(name, [*own, *common])
                or f"it takes {', '.join([*own, *common[1:]])}",
            )
        elif name in own and (problem := argument_problem(raw, name, own[name][1])):
            yield problem
    for name, (_, one) in own.items():
        if one.default is REQUIRED and name not in raw:
            yield Problem(
                message=f"the policy {written.kind} needs the argument {quoted(name)}",
                place=written.place,
            )
    if policy.counts_iterations and raw.get("by_epoch"):
        yield Problem(
            message=f"the policy {written.kind} goes by iterations alone",
            place=place_of(raw, "by_epoch"),
        )
    yield from _warmup_mistakes(raw)
    yield from _floor_mistakes(written, param, policy)
    yield from _own_mistakes(raw, param)


def _warmup_mistakes(raw: Mapping[str, Any]) -> Iterator[Problem]:
    kind = raw.get("warmup")
    if "warmup_iters" in raw and (problem := whole_problem(raw, "warmup_iters", 0)):
        yield problem
        return
    if kind is None:
        return
    if kind not in _WARMUPS:
        yield _must_be(raw, "warmup", "'constant', 'linear' or 'exp'")
    if raw.get("warmup_iters", 0) < 1:
        yield Problem(
            message="warmup_iters must be at least 1 where there is a warm-up",
            place=place_of(raw, "warmup_iters") or place_of(raw, "warmup"),
        )
    if (
        "warmup_ratio" in raw
        and not (problem := number_problem(raw, "warmup_ratio"))
        and not 0 < raw["warmup_ratio"] <= 1
    ):
        yield _must_be(raw, "warmup_ratio", "above 0 and at most 1")
    elif "warmup_ratio" in raw and problem:
        yield problem


def _floor_mistakes(written: Written, param: str, policy: Policy) -> Iterator[Problem]:
    if not policy.one_floor:
        return
    names = [_written_name(name, param) for name in ("min", "min_ratio")]
    given = [name for name in names if written.raw.get(name) is not None]
    if len(given) != 1:
        yield Problem(
            message=f"the policy {written.kind} needs {' or '.join(names)}"
            + (", not both" if given else ""),
            place=place_of(written.raw, given[1]) if given else written.place,
        )


def _own_mistakes(raw: Mapping[str, Any], param: str) -> Iterator[Problem]:
    """What is wrong with arguments whose form is their policy's own."""
    if "step" in raw and not _is_step(raw["step"]):
        yield _must_be(raw, "step", "a whole number above 0, or a list of such numbers")
    if "target_ratio" in raw and not _is_ratio(raw["target_ratio"]):
        yield _must_be(raw, "target_ratio", "a float, or a tuple of two numbers")
    share = raw.get("step_ratio_up", 0)
    if isinstance(share, int | float) and not 0 <= share < 1:
        yield _must_be(raw, "step_ratio_up", "at least 0 and below 1")
    gamma = raw.get("gamma", 1)
    is_cyclic = policy_name(str(raw.get("policy"))) == "Cyclic"
    if is_cyclic and param == "lr" and isinstance(gamma, int | float) and not 0 < gamma <= 1:
        yield _must_be(raw, "gamma", "above 0 and at most 1")
    periods, weights = raw.get("periods"), raw.get("restart_weights", (1,))
    if (
        isinstance(periods, list | tuple)
        and isinstance(weights, list | tuple)
        and len(periods) != len(weights)
    ):
        yield Problem(
            message=f"{len(periods)} periods and {len(weights)} restart_weights: each period needs its weight",
            place=place_of(raw, "restart_weights") or place_of(raw, "periods"),
        )
    for name in _PER_GROUP:
        if name in raw and not _is_per_group(raw[name], name):
            yield _must_be(raw, name, "a number, a list of numbers, or such lists by optimizer")


def _is_step(value: object) -> bool:
    ones = value if isinstance(value, list) else [value]
    return all(isinstance(one, int) and one > 0 for one in ones)


def _is_ratio(value: object) -> bool:
    if isinstance(value, tuple):
        return 1 <= len(value) <= 2 and all(isinstance(one, int | float) for one in value)
    return isinstance(value, float)


def _is_per_group(value: object, name: str) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, int | float) for one in value)
    if isinstance(value, Mapping):
        return True
    # the momenta must be floats where they are single numbers
    return isinstance(value, (int | float) if name == "max_lr" else float)


def _must_be(raw: Mapping[str, Any], name: str, what: str) -> Problem:
    return Problem(
        message=f"{name} must be {what}, got {described(raw.get(name))}", place=place_of(raw, name)
    )


def _refuse_short_cycle(spec: HookSpec) -> None:
    """Refuse a cycle that ends before the training does.

    Raises:
        ScheduleError: It is one.
    """
    total = spec.arguments.get("total_steps")
    if spec.policy == ONE_CYCLE and total is not None and total < spec.length:
        raise ScheduleError(
            f"total_steps must be at least the {spec.length} iterations of the training, got {total}",
            place=spec.at("total_steps"),
        )


def per_group_values(spec: HookSpec, name: str, numbers: Sequence[int], total: int) -> list[float]:
    """Return what an argument gives to each group.

    Args:
        spec: The policy.
        name: The argument.
        numbers: The numbers of the groups among all of the optimizer.
        total: How many groups the optimizer has.

    Raises:
        ScheduleError: It is a list of another length.
    """
    value = spec.arguments[name]
    if not isinstance(value, list | tuple):
        return [value] * len(numbers)
    if len(value) != total:
        raise ScheduleError(
            f"{name} has {len(value)} values, and the optimizer {total} param groups",
            place=spec.at(name),
        )
    return [value[number] for number in numbers]
