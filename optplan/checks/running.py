"""Checks one file after another; what it needs and what it gives passes between processes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from optplan.checks.base import Check, Context, MakeSchedule
from optplan.checks.discovery import Candidate
from optplan.checks.paths import is_in_revision, shown_path
from optplan.checks.recognition import (
    defines_optimizer,
    is_foreign,
    is_saved_plan,
    looks_like_config,
)
from optplan.checks.results import Kind, Outcome, Reported, reported
from optplan.checks.selection import selected
from optplan.checks.settings import Settings, Target
from optplan.checks.suppression import Comment, comments_of
from optplan.checks.unreadable_config import UnreadableConfig
from optplan.config import (
    NO_BATCH,
    NO_SECTION,
    Batch,
    Config,
    FunctionConfig,
    Generation,
    OptimizerConfig,
    find_optimizer,
    find_scaling,
    load_config,
    load_function,
    names_function,
    recognized,
)
from optplan.config.functions import functions_meant
from optplan.config.generation import choosing
from optplan.config.revisions import load_revision
from optplan.errors import ConfigError, ModelError, OptplanError, PlanError, Problem
from optplan.names import Mistake
from optplan.places import Place, Source
from optplan.plan import Planned
from optplan.runtime.audit import lifted, refusal
from optplan.runtime.where import IsolationNeededError, RefusedError
from optplan.user_code import import_for_user

Planner = Callable[[Config, Batch], Planned]
MakePlanner = Callable[[Target], Planner]


class OwnModels(Protocol):
    """Plans configs for the models that they name themselves."""

    def key(self, config: Config) -> str | None:
        """Equal for configs of one model; None where there is no model, or its package is not there."""

    def planner(self, config: Config) -> Planner:
        """What plans configs of one key.

        Raises:
            OptplanError: The model cannot be built.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One file to check, with one model or none.

    Args:
        candidate: The file.
        settings: The index of its settings.
        target: The model; None for the config's own.
        own: The key of the config's own model, once it is known.
        is_isolated: Whether it needs code that the config names, and so a process of its own.
        failure: What went wrong with that process.
        files: What was read for it.
    """

    candidate: Candidate
    settings: int
    target: Target | None = None
    own: str | None = None
    is_isolated: bool = False
    failure: Problem | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What all tasks have in common.

    Args:
        checks: All checks; the settings select among them.
        settings: The settings that tasks refer to.
        make_planner: Makes the planner of a model. It must be importable by its name, and raises
            OptplanError where there is no such model.
        own_models: Plans configs for their own models; importable by its name, too. None leaves these
            models out.
        imports: Modules and files of the user's own to import first.
        make_schedule: Puts a config's schedulers to its plan; importable by its name as well.
        prepare: Called before each import; importable by its name as well.
        overrides: ``a.b=value`` for every config.
        function_arguments: What functions in the place of a config are given beside the model.
        trust: What a config names may be imported from anywhere, and a Python config that cannot be
            evaluated is executed.
        generation: The trainer by whose rules configs are read; None where their entries tell.
        batch: What is known of the batch that the configs are trained with.
    """

    checks: tuple[Check, ...]
    settings: tuple[Settings, ...]
    make_planner: MakePlanner
    own_models: OwnModels | None = None
    imports: tuple[str, ...] = ()
    make_schedule: MakeSchedule | None = None
    prepare: Callable[[], None] | None = None
    overrides: tuple[str, ...] = ()
    function_arguments: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False
    generation: Generation | None = None
    batch: Batch = NO_BATCH


class Runner:
    """Checks the files of a job, and builds the model anew only when it changes.

    Raises:
        UsageError: What the user has imported first is not there, or raises.
    """

    def __init__(self, job: Job) -> None:
        for word in job.imports:
            import_for_user(word, job.prepare)
        self._job = job
        self._selected = [selected(job.checks, s.select, s.ignore) for s in job.settings]
        self._model: Target | str | None = None
        self._planner: Planner | OptplanError | None = None
        self._files: tuple[str, ...] = ()

    def run(self, task: Task) -> Outcome | Task:
        """What checking one file gives, or the task for later: when those with its model come together, or
        for a process of its own.

        Raises:
            ModelError: There is no such model as the command line names.
        """
        try:
            with choosing(self._job.generation):
                return self._run(task)
        except IsolationNeededError:
            self._model = self._planner = None  # it may be half made
            return replace(task, is_isolated=True, files=self._files)

    def _run(self, task: Task) -> Outcome | Task:
        candidate = task.candidate
        self._files = ()
        try:
            config = self._loaded(candidate)
            self._files = tuple(one.path for one in config.sources if one.path is not None)
        except ConfigError as error:
            return self._unreadable(task, error)
        given = task
        if is_in_revision(candidate.path):
            path = config.entry.path or candidate.path  # as its own findings name it
            task = replace(task, candidate=Candidate(path, named=True))
        if isinstance(config, FunctionConfig):
            if task.target is None and config.model_word is not None:
                task = replace(task, target=Target(model=config.model_word, arguments={}))
            return self._checked(task, config)
        if not candidate.named or not is_saved_plan(config.data):
            if not defines_optimizer(config.data):
                meant = functions_meant(candidate.path) if candidate.named else None
                return self._unreadable(task, meant) if meant else self._outcome(task, Kind.PART)
            if not candidate.named and is_foreign(config.data, _suffix(candidate)):
                return self._outcome(task, Kind.OTHER)
        if (key := self._own_key(task, config)) is not None:
            return replace(given, own=key, is_isolated=not self._job.trust, files=self._files)
        return self._checked(task, config)

    def _own_key(self, task: Task, config: Config) -> str | None:
        """The key of a config's own model, where that is still to be found out."""
        own_models = self._job.own_models
        if own_models is None or task.target is not None or task.own is not None:
            return None
        return own_models.key(config)

    @lifted()
    def _loaded(self, candidate: Candidate) -> Config:
        """The config in a file.

        Executing one loses the places of its values, and a script in a folder is not to be executed:
        only what was meant as a config is, where it cannot be evaluated.
        """
        load = load_revision if is_in_revision(candidate.path) else load_config
        overrides = self._job.overrides
        if names_function(candidate.path):
            arguments = self._job.function_arguments
            return load_function(candidate.path, overrides=overrides, arguments=arguments)
        try:
            return replace(load(candidate.path, overrides=overrides), trusted=self._job.trust)
        except ConfigError:
            if not self._job.trust or not (candidate.named or _was_meant(candidate)):
                raise
            return load(candidate.path, overrides=overrides, trust=True)

    def _outcome(self, task: Task, kind: Kind, **found: Any) -> Outcome:
        return Outcome(config=task.candidate.path, settings=task.settings, kind=kind, **found)

    def _unreadable(self, task: Task, error: ConfigError) -> Outcome:
        """The findings of a file that cannot be read; no config at all, perhaps."""
        candidate = task.candidate
        if not candidate.named and not _was_meant(candidate):
            return self._outcome(task, Kind.OTHER)
        if candidate.named:
            error = functions_meant(candidate.path) or error
        wanted = [c for c in self._selected[task.settings] if isinstance(c, UnreadableConfig)]
        whole = Place(Source(name=candidate.path, path=candidate.path), 0, 0)
        findings = tuple(
            reported(finding, candidate.path)
            for check in wanted
            for finding in check.of(error.problems, whole)
        )
        has_model = task.target is not None
        return self._outcome(task, Kind.CONFIG, has_model=has_model, findings=findings)

    def _checked(self, task: Task, config: Config) -> Outcome:
        context, crash = None, None
        found_generation = recognized(config.data)
        findings: list[Reported] = []
        ran = set()
        try:
            context = self._context(task, config)
            for check in self._selected[task.settings]:
                if context.has_model or not check.needs_plan:
                    for part in context.parts if check.of_section else (context,):
                        found = check.run(part)
                        findings += [reported(one, task.candidate.path) for one in found]
                    ran |= {check.code} if _could_see(check, context) else set()
        except ModelError:
            raise
        except RefusedError as error:  # of code that the model's own code calls later
            if task.failure is None:
                failure = refusal("code that the config names", error)
                done = self._checked(replace(task, failure=failure), config)
                return replace(done, is_doubtful=True)
            crash = f"{task.candidate.path}: {error}"
        except Exception as error:  # noqa: BLE001 - one file must not spoil the others
            crash = f"{task.candidate.path}: {type(error).__name__}: {error}"
        return self._outcome(
            task,
            Kind.CONFIG,
            has_model=context.has_model if context else task.target is not None,
            remark=self._remark(task) if context and not context.has_model else None,
            generation=found_generation.generation if found_generation else None,
            ran=frozenset(ran),
            findings=tuple(findings),
            comments=_comments(config),
            group_keys=frozenset(_group_keys(context.section if context else None)),
            crash=crash,
        )

    def _context(self, task: Task, config: Config) -> Context:
        settings = self._job.settings[task.settings]
        section, planned, trouble = None, None, None
        has_model = task.target is not None or task.own is not None
        try:
            section = _section(config)
            find_scaling(config, self._job.batch)
            planner = self._planner_for(task, config)
            has_model = planner is not None
            if planner is not None:
                with contextlib.redirect_stdout(sys.stderr):  # whatever a user's model prints
                    planned = planner(config, self._job.batch)
        except OptplanError as error:
            if isinstance(error, ModelError) and task.target and task.target.spot is None:
                raise
            trouble = error
        return Context(
            config=config,
            section=section,
            planned=planned,
            trouble=trouble,
            has_model=has_model,
            allow_group_keys=frozenset(allowed.name for allowed in settings.allow_group_keys),
            expectations=settings.expectations,
            batch=self._job.batch,
            make_schedule=self._job.make_schedule,
        )

    def _planner_for(self, task: Task, config: Config) -> Planner | None:
        """What plans for a task's model; None where it has none, or its own cannot be built.

        Raises:
            ModelError: The model that the user names cannot be built.
        """
        wanted = task.target or task.own
        if task.failure is not None:
            raise PlanError([replace(task.failure, kind=Mistake.REFUSED)])
        if wanted is None:
            return None
        if self._planner is None or self._model != wanted:
            with contextlib.redirect_stdout(sys.stderr):
                self._model, self._planner = wanted, self._opened(wanted, config)
        if not isinstance(self._planner, OptplanError):
            return self._planner
        is_refused = any(p.kind is Mistake.REFUSED for p in self._planner.problems)
        if task.target is None and not is_refused:
            return None
        raise self._planner

    def _opened(self, wanted: Target | str, config: Config) -> Planner | OptplanError:
        try:
            if isinstance(wanted, Target):
                return self._job.make_planner(wanted)
            assert self._job.own_models is not None
            return self._job.own_models.planner(config)
        except ModelError as error:
            if isinstance(wanted, Target) and wanted.spot is not None:
                return at_target(error, wanted)
            return error
        except ConfigError as error:  # what the config asks to import
            return error

    def _remark(self, task: Task) -> str | None:
        """Why a config was checked without its own model."""
        if task.own is None or not isinstance(self._planner, OptplanError):
            return None
        problems = (
            self._planner.problems
        )  # without their places, which differ from config to config
        return "; ".join(str(replace(problem, place=None)) for problem in problems)


def at_target(error: ModelError, target: Target) -> ModelError:
    """Return the error, placed where the settings name the model."""
    spot = target.spot
    assert spot is not None
    # A source whose line of that number is the one that is shown.
    source = Source(name=spot.file, path=spot.file, text="\n" * (spot.line - 1) + spot.text)
    return ModelError(
        [
            replace(problem, place=Place(source, spot.line, spot.column))
            for problem in error.problems
        ]
    )


def _section(config: Config) -> OptimizerConfig:
    entry = Place(config.entry, 0, 0)
    if is_saved_plan(config.data):
        raise ConfigError(
            "it is a saved plan, which keeps no config to check",
            place=entry,
            hint="name the config that it was made from",
        )
    return NO_SECTION if isinstance(config, FunctionConfig) else find_optimizer(config)


def _could_see(check: Check, context: Context) -> bool:
    """Whether a check that found nothing shows that there is nothing to find."""
    return context.section is not None and not (check.needs_plan and context.planned is None)


def _suffix(candidate: Candidate) -> str:
    return os.path.splitext(candidate.path)[1]


@lifted()
def _was_meant(candidate: Candidate) -> bool:
    try:
        with open(candidate.path, encoding="utf-8", errors="replace") as file:
            return looks_like_config(file.read(1 << 20), _suffix(candidate))
    except OSError:
        return True


def _comments(config: Config) -> tuple[Comment, ...]:
    return tuple(
        comment
        for source in config.sources
        if source.path is not None
        for comment in comments_of(source, shown_path(source.path))
    )


def _group_keys(section: OptimizerConfig | None) -> Iterator[str]:
    keys = section.paramwise.get("custom_keys") if section is not None else None
    for fields in keys.values() if isinstance(keys, Mapping) else ():
        yield from fields if isinstance(fields, Mapping) else ()
