"""Plan configs for the model of their task, which is built anew only when it changes."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace

from optplan.checks.tasks import Job, Planner, Task
from optplan.checks.tool_config import Target
from optplan.config import Config
from optplan.errors import ConfigError, ModelError, OptplanError, PlanError
from optplan.names import ProblemKind
from optplan.places import Place, Source
from optplan.plan import Planned


class TaskPlanner:
    """Makes the plans of tasks, and keeps the model of the last one."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._model: Target | str | None = None
        self._planner: Planner | OptplanError | None = None

    def forget(self) -> None:
        """Drop the model: it may be half made."""
        self._model = self._planner = None

    def open(self, task: Task, config: Config) -> Planner | None:
        """Return what plans for a task's model; None where it has none, or its own cannot be built.

        Raises:
            ModelError: The model that the user names cannot be built.
        """
        wanted = task.target or task.own
        if task.failure is not None:
            raise PlanError([replace(task.failure, kind=ProblemKind.REFUSED)])
        if wanted is None:
            return None
        if self._planner is None or self._model != wanted:
            with contextlib.redirect_stdout(sys.stderr):
                self._model, self._planner = wanted, self._opened(wanted, config)
        if not isinstance(self._planner, OptplanError):
            return self._planner
        is_refused = any(p.kind is ProblemKind.REFUSED for p in self._planner.problems)
        if task.target is None and not is_refused:
            return None
        raise self._planner

    def plan(self, planner: Planner, config: Config) -> Planned:
        """Return a config's plan; whatever a user's model prints goes to stderr.

        Raises:
            OptplanError: It cannot be made.
        """
        with contextlib.redirect_stdout(sys.stderr):
            return planner(config, self._job.reading.batch)

    def remark(self, task: Task) -> str | None:
        """Return why a config was checked without its own model.

        Places are left out: they differ from config to config.
        """
        if task.own is None or not isinstance(self._planner, OptplanError):
            return None
        return "; ".join(str(replace(problem, place=None)) for problem in self._planner.problems)

    def _opened(self, wanted: Target | str, config: Config) -> Planner | OptplanError:
        try:
            if isinstance(wanted, Target):
                return self._job.make_planner(wanted)
            assert self._job.own_models is not None
            return self._job.own_models.planner(config)
        except ModelError as error:
            if isinstance(wanted, Target) and wanted.location is not None:
                return at_target(error, wanted)
            return error
        except ConfigError as error:  # what the config asks to import
            return error


def at_target(error: ModelError, target: Target) -> ModelError:
    """Return the error, placed where the tool's configuration names the model."""
    where = target.location
    assert where is not None
    # A source whose line of that number is the one that is shown.
    source = Source(name=where.file, path=where.file, text="\n" * (where.line - 1) + where.text)
    place = Place(source, where.line, where.column)
    return ModelError([replace(problem, place=place) for problem in error.problems])
