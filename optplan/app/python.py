"""What the commands do, as functions: ``optplan.plan``, ``diff``, ``schedule`` and ``check``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from optplan.app.config_schedule import Length, training_of
from optplan.app.diff import NO_SCHEDULES, diffs_of
from optplan.app.phases import sides_of
from optplan.app.plan import plan_of
from optplan.app.request import PlanRequest
from optplan.app.schedule import scheduled, scheduled_plan
from optplan.app.schedule_views import view_of
from optplan.config import NO_BATCH, Batch, Config
from optplan.errors import UsageError
from optplan.plan import Plan, Planned
from optplan.plan.changes import PlanDiff
from optplan.plan.diff import diff_plans
from optplan.reporters.schedule.view import ScheduleView

if TYPE_CHECKING:
    from torch import nn

    from optplan.app.check import CheckResult

PathLike = str | os.PathLike[str]
Source = PathLike | Config | Mapping[str, Any]
_PATHS = (str, os.PathLike)
# How many steps of a course a chart has.
_SAMPLES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOptions:
    """How a config is read, as the command line's options of these names say it.

    Args:
        overrides: Values to override: ``{"optim_wrapper.optimizer.lr": 0.1}``.
        arguments: Arguments for the function in the place of a config.
        model_arguments: Arguments for the model that a word names.
        batch: What is known of the batch.
        trust: Execute a Python config, with everything that it names.
    """

    overrides: Mapping[str, Any] | None = None
    arguments: Mapping[str, Any] | None = None
    model_arguments: Mapping[str, Any] | None = None
    batch: Batch = NO_BATCH
    trust: bool = False

    def request(self, model: str | None) -> PlanRequest:
        """Return it as the command line asks for it."""
        return PlanRequest(
            overrides=_words(self.overrides),
            function_arg=_words(self.arguments),
            trust=self.trust,
            model=model,
            model_arg=_words(self.model_arguments),
            world_size=self.batch.world_size,
            batch_size=self.batch.size,
            auto_scale_lr=self.batch.auto_scale_lr,
            no_cache=True,
        )


def plan(config: Source, model: nn.Module | PathLike | None = None, /, **reading: Any) -> Plan:
    """Return what every parameter of a model gets under a config, and why.

    Args:
        config: What the command line calls CONFIG, a loaded config, or a dict.
        model: A module, which is left as it is, or what the command line calls MODEL; None for the config's own.
        reading: As of :class:`AskedOptions`: ``overrides``, ``arguments``, ``model_arguments``, ``batch``, ``trust``.

    Raises:
        OptplanError: No such config or model, or either is wrong.
    """
    return _plan(config, model, AskedOptions(**reading))


def diff(
    before: Source | Plan,
    after: Source | Plan | None = None,
    /,
    model: nn.Module | PathLike | None = None,
    **reading: Any,
) -> PlanDiff:
    """Return what changes between two configs or plans; schedules are compared where both are files.

    Args:
        before, after: The two sides; a file alone is compared with the last commit.
        model: The model of sides that are configs.
        reading: As of :func:`plan`.

    Raises:
        OptplanError: No such config or model, or one is wrong.
    """
    asked = AskedOptions(**reading)
    if not isinstance(before, _PATHS) or isinstance(after, Config | Mapping | Plan):
        if after is None:
            raise UsageError(
                "what is it compared with?", hint="give both sides: optplan.diff(a, b)"
            )
        plans = [
            one if isinstance(one, Plan) else _plan(one, model, asked) for one in (before, after)
        ]
        found = diff_plans(plans[0], plans[1])
        return replace(found, unread=(*found.unread, NO_SCHEDULES))
    sides = sides_of([os.fspath(one) for one in (before, after) if one is not None])
    if not (model is None or isinstance(model, _PATHS)):
        plans = [_plan(side, model, asked) for side in sides]
        found = diff_plans(plans[0], plans[1])
        return replace(found, unread=(*found.unread, NO_SCHEDULES))
    request = asked.request(None if model is None else os.fspath(model))
    given = request.function_arguments
    (found,) = diffs_of(sides, (None, None), (given, given), request)
    return found


def schedule(
    config: PathLike | Config,
    model: nn.Module | PathLike | None = None,
    /,
    *,
    epochs: int | None = None,
    iters: int | None = None,
    iters_per_epoch: int | None = None,
    at: Sequence[str] = (),
    **reading: Any,
) -> ScheduleView:
    """Return lr, weight decay and momentum of every setting over the training.

    Args:
        config: What the command line calls CONFIG, or a loaded config.
        model: As of :func:`plan`.
        epochs, iters: A length that counts instead of the config's.
        iters_per_epoch: How many iterations one epoch has.
        at: Steps to show, as ``1000``, ``12ep`` or ``50%``.
        reading: As of :func:`plan`.

    Raises:
        OptplanError: No such config or model, either is wrong, or nobody says how long the training is.
    """
    asked = AskedOptions(**reading)
    length = Length(epochs=epochs, iters=iters, per_epoch=iters_per_epoch)
    if isinstance(config, _PATHS) and (model is None or isinstance(model, _PATHS)):
        word = None if model is None else os.fspath(model)
        found = scheduled(os.fspath(config), asked.request(word), length)
    else:
        loaded = config if isinstance(config, Config) else _loaded(config, asked)
        found = scheduled_plan(_plan(loaded, model, asked), loaded, training_of(loaded, length))
    return view_of(found, at=at, samples=_SAMPLES)


def check(
    *configs: PathLike,
    model: PathLike | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    models: bool = True,
    **reading: Any,
) -> CheckResult:
    """Return the findings in configs: files, folders or globs.

    Args:
        configs: What is checked; nothing for the targets in pyproject.toml.
        model: What the command line calls MODEL.
        select: Only checks of these codes.
        ignore: No checks of these codes.
        models: Whether models are built.
        reading: As of :func:`plan`.

    Raises:
        OptplanError: There is nothing to check, or the model or the tool's configuration is wrong.
    """
    from optplan.app.check import check_configs
    from optplan.app.check_request import check_request
    from optplan.checks import ALL_CHECKS
    from optplan.runtime.workers import started_workers

    request = check_request(
        [os.fspath(config) for config in configs],
        AskedOptions(**reading).request(None if model is None else os.fspath(model)),
        ALL_CHECKS,
        select=select,
        ignore=ignore,
        no_model=not models,
    )
    with started_workers(1) as workers:
        return check_configs(request, ALL_CHECKS, workers=workers)


def _plan(config: Source, model: nn.Module | PathLike | None, asked: AskedOptions) -> Plan:
    """Return a plan that knows what it was made from."""
    if isinstance(config, _PATHS) and (model is None or isinstance(model, _PATHS)):
        word = None if model is None else os.fspath(model)
        found = plan_of(os.fspath(config), asked.request(word))
        return found if isinstance(found, Plan) else explained(found)
    from optplan.app.plan import Planner
    from optplan.app.planning import plan_with_facts

    source = _loaded(config, asked) if isinstance(config, _PATHS) else config
    if model is None:
        if not isinstance(source, Config):
            raise UsageError("which model?", hint="a dict names none: optplan.plan(config, model)")
        return explained(Planner(asked.batch).plan(source, None, asked.model_arguments or {}))
    spec = os.fspath(model) if isinstance(model, _PATHS) else model
    arguments = asked.model_arguments
    return explained(plan_with_facts(spec, source, model_arguments=arguments, batch=asked.batch))


def explained(planned: Planned) -> Plan:
    """Return the plan with what it was made from, for ``Plan.explain``."""
    return replace(planned.plan, made_from=planned)


def _loaded(config: PathLike, asked: AskedOptions) -> Config:
    """Return the config that a word names.

    Raises:
        UsageError: It is a saved plan or a checkpoint.
        ConfigError: It cannot be read.
    """
    from optplan.app.plan import open_with

    found = open_with(os.fspath(config), asked.request(None))
    if not isinstance(found, Config):
        raise UsageError(f"{os.fspath(config)!r} is no config, which a model could be planned with")
    return found


def _words(values: Mapping[str, Any] | None) -> list[str] | None:
    return None if values is None else [f"{name}={value!r}" for name, value in values.items()]
