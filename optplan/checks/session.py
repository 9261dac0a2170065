"""Run ``optplan check`` once: from the words of the command line to the outcomes of all files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from optplan.checks.base import Check
from optplan.checks.discovery import Discovery, FoundFile, discover
from optplan.checks.facts.context import MakeSchedule
from optplan.checks.ignore_rules import rules_of
from optplan.checks.paths import fits, is_in_package, shown_path
from optplan.checks.results import CheckedConfig
from optplan.checks.tasks import Job, MakePlanner, OwnModels, Reading, Task
from optplan.checks.tool_config import Target, ToolConfig
from optplan.checks.tool_config_file import ToolConfigFinder
from optplan.checks.worker_pool import run_all
from optplan.dialects import opener_of
from optplan.errors import OptplanError, UsageError, listed
from optplan.runtime.workers import Workers

# The word for a config that is read from stdin.
STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asks for.

    Args:
        words: Files, folders and globs; none for the configs of the targets.
        model: The model for all configs, instead of the targets' and their own.
        models: Whether there are models at all.
        select: Prefixes of codes, instead of those of the tool's configuration.
        ignore: Prefixes of codes, besides those of the tool's configuration.
        reading: How configs are read.
        config_file: The file with the tool's configuration, instead of those that are found.
        is_isolated: Whether no such file is read.
        stdin: The file that is read from stdin, with its text, for the word ``-``.
    """

    words: tuple[str, ...] = ()
    model: Target | None = None
    models: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    config_file: str | None = None
    is_isolated: bool = False
    stdin: FoundFile | None = None

    def finder(self, checks: Iterable[Check]) -> ToolConfigFinder:
        """Return what finds the tool's configuration of each config."""
        return ToolConfigFinder(checks, self.config_file, is_isolated=self.is_isolated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a run gave: the outcomes, the configurations they refer to, and what to say of the rest."""

    outcomes: tuple[CheckedConfig, ...]
    tool_configs: tuple[ToolConfig, ...]
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
    finder = request.finder(checks)
    discovery = _discovered(request, finder.here())
    _refuse_unused(request, discovery)
    planned = _TaskMaker(request, finder)
    tasks = [task for found in discovery.candidates for task in planned.tasks(found)]
    # Those with one model stand together, so that it is built once.
    tasks.sort(key=lambda task: (repr(task.target), task.candidate.path))
    job = Job(
        checks=checks,
        tool_configs=tuple(planned.tool_configs),
        make_planner=make_planner,
        own_models=own_models if request.models else None,
        make_schedule=make_schedule,
        reading=request.reading,
    )
    outcomes = run_all(tasks, job, workers, advance=start(len(tasks)))
    return Session(
        outcomes=tuple(sorted(outcomes, key=lambda outcome: outcome.config)),
        tool_configs=job.tool_configs,
        remarks=(*map(str, discovery.problems), *_unbuilt(outcomes)),
    )


# How files end whose modules may ask their trainer for what -a says.
_MAY_ASK = (".yaml", ".yml", ".json")


def found_files(request: Request, checks: tuple[Check, ...]) -> tuple[str, ...]:
    """Return the files that are asked for, as they are there now.

    Raises:
        OptplanError: There are none, or the settings are wrong.
    """
    found = _discovered(request, request.finder(checks).here())
    return tuple(candidate.path for candidate in found.candidates)


def _refuse_unused(request: Request, discovery: Discovery) -> None:
    """Refuse arguments that no function is given.

    Raises:
        UsageError: There are such.
    """
    may_take = any(
        opener_of(one.path) or one.path.endswith(_MAY_ASK) for one in discovery.candidates
    )
    if request.reading.function_arguments and not may_take:
        raise UsageError("-a gives arguments to a function, and none is named")


def _unbuilt(outcomes: Iterable[CheckedConfig]) -> Iterator[str]:
    """Yield what to say of own models that were not built, once for each reason."""
    configs: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.remark is not None:
            configs.setdefault(outcome.remark, []).append(outcome.config)
    for reason in sorted(configs, key=configs.__getitem__):
        names = sorted(configs[reason])
        model = "its own model" if len(names) == 1 else "their own models"
        yield f"{listed(names)}: checked without {model}: {reason}"


def _discovered(request: Request, here: ToolConfig) -> Discovery:
    """Return the files that words mean, or that the targets do.

    Raises:
        UsageError: There are none.
    """
    words = [word for word in request.words if word != STDIN]
    if not request.words and not here.targets:
        raise UsageError(
            "no configs are named",
            hint="name files or folders, or give pyproject.toml a [[tool.optplan.targets]]",
        )
    given = () if request.stdin is None else (request.stdin,)
    if given and not words:
        return Discovery(given, ())
    discovery = discover(words or _target_words(here))
    if not discovery.candidates and not given:
        raise OptplanError(discovery.problems)
    others = [one for one in discovery.candidates if all(one.path != own.path for own in given)]
    return replace(discovery, candidates=(*given, *others))


def _target_words(config: ToolConfig) -> Iterator[str]:
    for target in config.targets:
        for glob in target.configs:
            yield glob if is_in_package(glob) else shown_path(f"{config.folder}/{glob}")


class _TaskMaker:
    """Gives each file its tool configuration and its models, and collects the configurations."""

    def __init__(self, request: Request, finder: ToolConfigFinder) -> None:
        self._request = request
        self._finder = finder
        self._indices: dict[int, int] = {}
        self.tool_configs: list[ToolConfig] = []
        self._index(finder.here())

    def tasks(self, candidate: FoundFile) -> list[Task]:
        """Return one task for each model that is named for a file; one without where there is none."""
        own = self._finder.of(candidate.path)
        path = os.path.abspath(candidate.path)
        if not candidate.named and rules_of(own.folder, own.exclude).ignores(path):
            return []
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
            Task(candidate=candidate, tool_config=index, target=target)
            for target in targets or [None]
        ]

    def _index(self, found: ToolConfig) -> int:
        if id(found) not in self._indices:
            self._indices[id(found)] = len(self.tool_configs)
            self.tool_configs.append(with_request(found, self._request))
        return self._indices[id(found)]


def with_request(found: ToolConfig, request: Request) -> ToolConfig:
    """Return a tool configuration with what the command line says instead."""
    return replace(
        found,
        select=request.select or found.select,
        ignore=(*found.ignore, *request.ignore),
    )
