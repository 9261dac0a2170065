"""Check one file after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from optplan.checks.base import Check, Context
from optplan.checks.catalog.unreadable_config import UnreadableConfig
from optplan.checks.config_files import (
    comments_in,
    group_keys_of,
    read_config,
    section_of,
    suffix_of,
    was_meant,
)
from optplan.checks.discovery import FoundFile
from optplan.checks.paths import is_in_revision, shown_path
from optplan.checks.recognition import is_saved_plan
from optplan.checks.results import CheckedConfig, FileKind, Reported, reported
from optplan.checks.selection import selected
from optplan.checks.task_planner import TaskPlanner
from optplan.checks.tasks import Job, Task
from optplan.checks.tool_config import Target
from optplan.config import Config
from optplan.config.recognition import choosing
from optplan.config.shared_bases import SharedBases, sharing
from optplan.dialects import dialect_of, find_scaling, meant_by, passed_over
from optplan.errors import ConfigError, ModelError, OptplanError
from optplan.places import Place, Source
from optplan.runtime.audit import refusal
from optplan.runtime.broken_imports import broken_import
from optplan.runtime.user_code import import_for_user
from optplan.runtime.where import IsolationNeededError, RefusedError


class Runner:
    """Checks the files of a job.

    Raises:
        UsageError: What the user has imported first is not there, or raises.
    """

    def __init__(self, job: Job) -> None:
        for word in job.reading.imports:
            import_for_user(word, job.reading.stand_ins)
        self._job = job
        self._selected = [selected(job.checks, c.select, c.ignore) for c in job.tool_configs]
        self._planner = TaskPlanner(job)
        self._files: tuple[str, ...] = ()
        self._bases = SharedBases()

    def run(self, task: Task) -> CheckedConfig | Task:
        """Return what checking one file gives, or the task for later.

        It is for later where those with its model shall come together, or where it needs a process of
        its own.

        Raises:
            ModelError: There is no such model as the command line names.
        """
        try:
            with choosing(self._job.reading.dialect), sharing(self._bases):
                return self._run(task)
        except IsolationNeededError:
            self._planner.forget()
            return replace(task, is_isolated=True, files=self._files)

    def _run(self, task: Task) -> CheckedConfig | Task:
        candidate = task.candidate
        self._files = ()
        try:
            config = read_config(candidate, self._job.reading)
        except ConfigError as error:
            return self._unreadable(task, error)
        self._files = tuple(one.path for one in config.sources if one.path is not None)
        given = task
        if is_in_revision(candidate.path):
            path = config.entry.path or candidate.path  # as its own findings name it
            task = replace(task, candidate=FoundFile(path, named=True))
        if config.word:
            if task.target is None and config.model_word is not None:
                task = replace(task, target=Target(model=config.model_word, arguments={}))
            return self._checked(task, config)
        if not candidate.named or not is_saved_plan(config.data):
            passed = self._passed_over(task, config)
            if passed is not None:
                return passed
        if (key := self._own_key(task, config)) is not None:
            is_isolated = not self._job.reading.trust
            return replace(given, own=key, is_isolated=is_isolated, files=self._files)
        return self._checked(task, config)

    def _passed_over(self, task: Task, config: Config) -> CheckedConfig | None:
        """Return what comes of a file that is not to be checked; None for the others."""
        candidate, dialect = task.candidate, dialect_of(config)
        if not candidate.named and (title := passed_over(config)):
            return _outcome(task, FileKind.OTHER, known_as=title)
        if not dialect.defines_optimizer(config.data):
            if candidate.named and (meant := meant_by(candidate.path)):
                return self._unreadable(task, meant)
            # what a data file is its entries have told
            title = passed_over(candidate.path) if suffix_of(candidate) == ".py" else None
            return _outcome(task, FileKind.OTHER if title else FileKind.PART, known_as=title)
        if not candidate.named and dialect.is_doubtful(config.data, suffix_of(candidate)):
            return _outcome(task, FileKind.OTHER)
        return None

    def _own_key(self, task: Task, config: Config) -> str | None:
        """Return the key of a config's own model, where that is still to be found out."""
        own_models = self._job.own_models
        if own_models is None or task.target is not None or task.own is not None:
            return None
        return own_models.key(config)

    def _unreadable(self, task: Task, error: ConfigError) -> CheckedConfig:
        """Return the findings of a file that cannot be read; no config at all, perhaps."""
        candidate = task.candidate
        if not candidate.named:
            title = passed_over(candidate.path)
            if title or not was_meant(candidate):
                return _outcome(task, FileKind.OTHER, known_as=title)
        if candidate.named:
            error = meant_by(candidate.path) or error
        wanted = [c for c in self._selected[task.tool_config] if isinstance(c, UnreadableConfig)]
        whole = Place(Source(name=candidate.path, path=candidate.path), 0, 0)
        findings = tuple(
            reported(finding, candidate.path)
            for check in wanted
            for finding in check.of(error.problems, whole)
        )
        has_model = task.target is not None
        return _outcome(task, FileKind.CONFIG, has_model=has_model, findings=findings)

    def _checked(self, task: Task, config: Config) -> CheckedConfig:
        context, crash = None, None
        findings: list[Reported] = []
        ran: set[str] = set()
        try:
            context = self._context(task, config)
            for check in self._selected[task.tool_config]:
                findings += _found(check, context, task.candidate.path)
                ran |= {check.code} if _could_see(check, context) else set()
        except ModelError:
            raise
        except RefusedError as error:  # of code that the model's own code calls later
            if task.failure is None:
                failure = refusal("code that the config names", error)
                done = self._checked(replace(task, failure=failure), config)
                return replace(done, is_doubtful=True)
            crash = f"{task.candidate.path}: {error}"
        except Exception as error:
            if (problem := broken_import(error)) is not None:
                raise ModelError([problem]) from error
            # one file must not spoil the others
            crash = f"{task.candidate.path}: {type(error).__name__}: {error}"
        dialect = dialect_of(config)
        is_told = dialect.names_rules and dialect.recognize(config.data)
        return _outcome(
            task,
            FileKind.CONFIG,
            has_model=context.has_model if context else task.target is not None,
            remark=self._planner.remark(task) if context and not context.has_model else None,
            generation=dialect.title if is_told else None,
            ran=frozenset(ran),
            findings=tuple(findings),
            comments=comments_in(config),
            group_keys=frozenset(group_keys_of(context.section if context else None)),
            crash=crash,
            files=tuple(shown_path(one.path) for one in config.sources if one.path is not None),
            plan=self._digest(context),
        )

    def _digest(self, context: Context | None) -> str | None:
        """Return what is equal for equal plans."""
        if not self._job.reading.is_proving or context is None or context.planned is None:
            return None
        rows = [
            (row.name, row.status, row.lr, row.weight_decay, row.lr_scale, row.options, row.group)
            for row in context.planned.plan.parameters
        ]
        return sha256(repr(rows).encode()).hexdigest()

    def _context(self, task: Task, config: Config) -> Context:
        tool_config, batch = self._job.tool_configs[task.tool_config], self._job.reading.batch
        section, planned, trouble = None, None, None
        has_model = task.target is not None or task.own is not None
        try:
            section = section_of(config)
            find_scaling(config, batch)
            planner = self._planner.open(task, config)
            has_model = planner is not None
            if planner is not None:
                planned = self._planner.plan(planner, config)
        except OptplanError as error:
            if isinstance(error, ModelError) and task.target and task.target.location is None:
                raise
            trouble = error
        return Context(
            config=config,
            section=section,
            planned=planned,
            trouble=trouble,
            has_model=has_model,
            allow_group_keys=frozenset(allowed.name for allowed in tool_config.allow_group_keys),
            expectations=tool_config.expectations,
            batch=batch,
            make_schedule=self._job.make_schedule,
        )


def _outcome(task: Task, kind: FileKind, **found: Any) -> CheckedConfig:
    path = task.candidate.path
    return CheckedConfig(config=path, tool_config=task.tool_config, kind=kind, **found)


def _found(check: Check, context: Context, path: str) -> Sequence[Reported]:
    """Return what a check finds in a config, section by section where it looks at sections."""
    if check.needs_plan and not context.has_model:
        return ()
    parts = context.parts if check.of_section else (context,)
    return [reported(finding, path) for part in parts for finding in check.run(part)]


def _could_see(check: Check, context: Context) -> bool:
    """Return whether a check that found nothing shows that there is nothing to find."""
    if not check.needs_plan:
        return context.section is not None
    return context.section is not None and context.planned is not None
