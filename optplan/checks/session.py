"""One run of ``optplan check``: from the words of the command line to the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optplan.checks.base import Check, MakeSchedule
from optplan.checks.discovery import Discovery, FoundFile, discover
from optplan.checks.paths import fits, is_in_package, shown_path
from optplan.checks.results import CheckedConfig
from optplan.checks.runner import Job, MakePlanner, OwnModels, Task
from optplan.checks.tool_config import Settings, Target
from optplan.checks.tool_config_file import SettingsFinder
from optplan.checks.worker_pool import run_all
from optplan.config import NO_BATCH, Batch
from optplan.dialects import opener_of
from optplan.errors import OptplanError, UsageError, listed
from optplan.runtime.user_code import StandIns
from optplan.runtime.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asks for.

    Args:
        words: Files, folders and globs; none for the configs of the targets.
        model: The model for all configs, instead of the targets' and their own.
        models: Whether there are models at all.
        select: Prefixes of codes, instead of those of the settings.
        ignore: Prefixes of codes, besides those of the settings.
        imports, overrides, function_arguments, trust, generation, stand_ins, batch: As for :class:`Job`.
    """

    words: tuple[str, ...] = ()
    model: Target | None = None
    models: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    function_arguments: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    dialect: str | None = None
    stand_ins: StandIns | None = None
    batch: Batch = NO_BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a run gave: the outcomes, the settings they refer to, and words that led nowhere."""

    outcomes: tuple[CheckedConfig, ...]
    settings: tuple[Settings, ...]
    remarks: tuple[str, ...] = ()


def run_session(
    request: Request,
    *,
    checks: tuple[Check, ...],
    make_planner: MakePlanner,
    own_models: OwnModels,
    make_schedule: MakeSchedule | None = None,
    workers: Workers,
    start: Callable[[int], Callable[[int], None]] = lambda _: lambda _: None,
) -> Session:
    """Check everything that is asked for.

    Args:
        request: What that is.
        checks: All checks.
        make_planner, own_models, make_schedule: As for :class:`Job`.
        workers: The processes to do it in; none for this one alone.
        start: Told how many files there are; gives what is told how many more are done.

    Raises:
        UsageError: There is nothing to check.
        ConfigError: The settings are wrong.
        ModelError: There is no such model as the command line names.
    """
    finder = SettingsFinder(checks)
    discovery = _discovered(request.words, finder.here())
    _refuse_unused(request, discovery)
    planned = _Planned(request, finder)
    tasks = [task for candidate in discovery.candidates for task in planned.tasks(candidate)]
    # Those with one model stand together, so that it is built once.
    tasks.sort(key=lambda task: (repr(task.target), task.candidate.path))
    job = Job(
        checks=checks,
        settings=tuple(planned.settings),
        make_planner=make_planner,
        own_models=own_models if request.models else None,
        imports=request.imports,
        make_schedule=make_schedule,
        overrides=request.overrides,
        function_arguments=request.function_arguments,
        trust=request.trust,
        dialect=request.dialect,
        stand_ins=request.stand_ins,
        batch=request.batch,
    )
    outcomes = run_all(tasks, job, workers, advance=start(len(tasks)))
    return Session(
        outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.config)),
        settings=job.settings,
        remarks=(*map(str, discovery.problems), *_unbuilt(outcomes)),
    )


def _refuse_unused(request: Request, discovery: Discovery) -> None:
    """Refuse arguments that no function is given.

    Raises:
        UsageError: There are such.
    """
    has_function = any(opener_of(one.path) for one in discovery.candidates)
    if request.function_arguments and not has_function:
        raise UsageError("-a gives arguments to a function, and none is named")


def _unbuilt(outcomes: Iterable[CheckedConfig]) -> Iterator[str]:
    """What to say of own models that were not built, once for each reason."""
    configs: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.remark is not None:
            configs.setdefault(outcome.remark, []).append(outcome.config)
    for reason in sorted(configs, key=configs.__getitem__):
        names = sorted(configs[reason])
        model = "its own model" if len(names) == 1 else "their own models"
        yield f"{listed(names)}: checked without {model}: {reason}"


def _discovered(words: Sequence[str], here: Settings) -> Discovery:
    """The files that words mean, or that the targets do.

    Raises:
        UsageError: There are none.
    """
    if not words and not here.targets:
        raise UsageError(
            "no configs are named",
            hint="name files or folders, or give pyproject.toml a [[tool.optplan.targets]]",
        )
    discovery = discover(words or _target_words(here))
    if not discovery.candidates:
        raise OptplanError(discovery.problems)
    return discovery


def _target_words(settings: Settings) -> Iterator[str]:
    for target in settings.targets:
        for glob in target.configs:
            yield glob if is_in_package(glob) else shown_path(f"{settings.folder}/{glob}")


class _Planned:
    """Gives each file its settings and its models, and collects the settings."""

    def __init__(self, request: Request, finder: SettingsFinder) -> None:
        self._request = request
        self._finder = finder
        self._indices: dict[int, int] = {}
        self.settings: list[Settings] = []
        self._index(finder.here())

    def tasks(self, candidate: FoundFile) -> list[Task]:
        """One task for each model that is named for a file; one without where there is none."""
        own = self._finder.of(candidate.path)
        index = self._index(own)
        is_function = opener_of(candidate.path) is not None
        # a function is meant by its file as well
        paths = (candidate.path, *([candidate.path.rpartition(":")[0]] if is_function else ()))
        targets: list[Target | None] = [
            target
            for target in own.targets
            if any(fits(glob, path, own.folder) for glob in target.configs for path in paths)
        ]
        if self._request.model is not None or not self._request.models:
            targets = [self._request.model]
        return [
            Task(candidate=candidate, settings=index, target=target) for target in targets or [None]
        ]

    def _index(self, settings: Settings) -> int:
        if id(settings) not in self._indices:
            self._indices[id(settings)] = len(self.settings)
            self.settings.append(with_request(settings, self._request))
        return self._indices[id(settings)]


def with_request(settings: Settings, request: Request) -> Settings:
    """The settings with what the command line says instead."""
    return replace(
        settings,
        select=request.select or settings.select,
        ignore=(*settings.ignore, *request.ignore),
    )
