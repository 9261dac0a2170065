"""Turn a section of mmcv 1.x, ``lr_config`` or ``momentum_config``, into its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from optplan.config import place_of
from optplan.errors import Problem, ScheduleError, close_matches, quoted
from optplan.schedule.arguments import argument_problems, weights_problem
from optplan.schedule.catalog import Argument, SchedulerForm
from optplan.schedule.policies import ONE_CYCLE, POLICIES, Policy
from optplan.schedule.specs import HookSpec, Warmup
from optplan.schedule.training import EpochLengthError, Training
from optplan.schedule.written import Written

# What the first value of a warm-up is of the regular one.
_RATIOS = {"lr": 0.1, "momentum": 0.9}
# How close a name must be to one of mmcv's to be taken for a misspelling, a short one and any other:
# packages have others like them.
_CLOSE_IF_SHORT, _CLOSE, _SHORT = 0.7, 0.86, 6
_PER_GROUP = ("max_lr", "base_momentum", "max_momentum")


class NamedList(tuple[float, ...]):
    """The values of one optimizer, written by its name: mmcv does not count them."""

    __slots__ = ()


class UnknownPolicyError(ScheduleError):
    """The policy is none of mmcv's own, nor nearly one: the hook is some package's."""


def hook_spec(written: Written, training: Training) -> HookSpec:
    """Return one policy.

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
    own = {name: NamedList(values[key]) for name, values in found.items()}
    return replace(spec, arguments={**spec.arguments, **own})


def _unknown(written: Written, param: str) -> ScheduleError:
    kind, known = str(written.kind), POLICIES[param]
    cutoff = _CLOSE_IF_SHORT if len(kind) <= _SHORT else _CLOSE
    if close := close_matches(kind, known, most=1, cutoff=cutoff):
        problem = Problem(
            message=f"mmcv 1.x has no policy {quoted(kind)} for the {param}",
            place=written.place,
            hint=f"did you mean {quoted(_as_written(close[0]))}?",
        )
        return ScheduleError([problem])
    problem = Problem(
        message=f"the policy {quoted(kind)} is none of mmcv's own: some package registers"
        f" {policy_name(kind)}{param.title()}UpdaterHook, and what that does is not known",
        place=written.place,
        hint=f"mmcv's own are {', '.join(known)}",
    )
    return UnknownPolicyError([problem])


def _as_written(name: str) -> str:
    """Return a policy as configs write it: what is one word, in lower case."""
    return name.lower() if policy_name(name.lower()) == name else name


def _names(param: str, policy: Policy) -> dict[str, tuple[str, Argument]]:
    """Return the arguments by the names that a config writes, with those in the table of policies."""
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
    """Return whether the epoch decides; the runner by iterations sets this for the lr alone."""
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
    raw = written.raw
    own = {name: one for name, (_, one) in _names(param, policy).items()} | _common(param, raw)
    who = f"the policy {written.kind}"
    yield from argument_problems(raw, who, written.place, own, ["by_epoch"], ["policy"])
    if policy.counts_iterations and raw.get("by_epoch"):
        yield Problem(message=f"{who} goes by iterations alone", place=place_of(raw, "by_epoch"))
    count = raw.get("warmup_iters", 0)
    if raw.get("warmup") is not None and isinstance(count, int) and count < 1:
        yield Problem(
            message="warmup_iters must be at least 1 where there is a warm-up",
            place=place_of(raw, "warmup_iters") or place_of(raw, "warmup"),
        )
    if policy.one_floor and (problem := _floor_problem(written, param)):
        yield problem
    if "periods" in own and (problem := weights_problem(raw)):
        yield problem


def _common(param: str, raw: Mapping[str, Any]) -> dict[str, Argument]:
    """Return the arguments that every policy takes."""
    ratio = SchedulerForm.ANY if raw.get("warmup") is None else SchedulerForm.RATIO
    common = {
        "warmup": Argument(SchedulerForm.WARMUP, None),
        "warmup_iters": Argument(SchedulerForm.WHOLE, 0),
        "warmup_ratio": Argument(ratio, _RATIOS[param]),
    }
    if param == "lr":
        common["warmup_by_epoch"] = Argument(SchedulerForm.ANY, False)
    return common


def _floor_problem(written: Written, param: str) -> Problem | None:
    """Return what is wrong with the two forms of a floor, of which one has to be given."""
    names = [_written_name(name, param) for name in ("min", "min_ratio")]
    given = [name for name in names if written.raw.get(name) is not None]
    if len(given) == 1:
        return None
    return Problem(
        message=f"the policy {written.kind} needs {' or '.join(names)}"
        + (", not both" if given else ""),
        place=place_of(written.raw, given[1]) if given else written.place,
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


def per_group_values(
    spec: HookSpec, name: str, numbers: Sequence[int], total: int
) -> list[float | None]:
    """Return what an argument gives to each group; None to those that a list by names is too short for.

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
    if isinstance(value, NamedList):
        return [value[number] if number < len(value) else None for number in numbers]
    if len(value) != total:
        raise ScheduleError(
            f"{name} has {len(value)} values, and the optimizer {total} param groups",
            place=spec.at(name),
        )
    return [value[number] for number in numbers]
