"""Checks configs that name code in processes of their own: a failing one is an outcome of its config."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path

from optplan.checks.catalog.plan_refused import PlanRefused
from optplan.checks.results import CheckedConfig, reported
from optplan.checks.runner import Runner
from optplan.checks.tasks import Job, Task
from optplan.errors import ModelError, OptplanError, Problem
from optplan.hf_specs import ADAPTER
from optplan.runtime.audit import TRUST_HINT, lifted, take_refused
from optplan.runtime.isolation import Bounds, IsolatedError, IsolatedProcess

_MOMENT = 0.5


def run_isolated(
    tasks: Sequence[Task], job: Job, runner: Runner, processes: int, advance: Callable[[int], None]
) -> list[CheckedConfig]:
    """Return the outcomes of configs that name code.

    Args:
        tasks: The configs; those of one model stand together.
        job: What they have in common.
        runner: What checks a config in this process whose own process has failed, without that code.
        processes: How many to use at once.
        advance: Told how many more files are done.

    Raises:
        ModelError: There is no such model as the command line names.
    """
    if not tasks:
        return []
    chunks = [list(chunk) for _, chunk in groupby(tasks, key=lambda task: task.own)]
    files = _files(tasks, job)
    lanes = [_Lane(job, files) for _ in range(min(processes, len(chunks)))]
    shares = [chunks[number :: len(lanes)] for number in range(len(lanes))]
    try:
        with ThreadPoolExecutor(len(lanes)) as pool:
            found = pool.map(_Lane.run, lanes, shares)
            answers = [answer for answers in found for answer in answers]
    finally:
        for lane in lanes:
            lane.close()
    return list(_outcomes(answers, runner, advance))


def _outcomes(
    answers: Sequence[CheckedConfig | Task | ModelError],
    runner: Runner,
    advance: Callable[[int], None],
) -> Iterator[CheckedConfig]:
    for answer in answers:
        if isinstance(answer, OptplanError):
            raise answer
        done = runner.run(answer) if isinstance(answer, Task) else answer
        assert isinstance(done, CheckedConfig)
        advance(1)
        yield done


def _files(tasks: Sequence[Task], job: Job) -> tuple[str, ...] | None:
    """Return the files that the processes must read; None where the user's own code runs there, or git."""
    named = [one.target for one in tasks if one.target is not None]
    is_users = any(
        ":" in one.model for one in named if one.location is None or one.project is not None
    )
    if job.reading.imports or is_users or any(":" in task.candidate.path for task in tasks):
        return None
    read = {name for task in tasks for name in (task.candidate.path, *task.files)}
    users = (one for one in named if one.location is None or one.project is not None)
    read |= {
        str(word) for one in users for word in (one.model, one.arguments.get(ADAPTER, one.model))
    }
    return tuple(str(Path(one).expanduser().absolute()) for one in read)


class _Lane:
    """A process, and another in its place when it fails."""

    def __init__(self, job: Job, files: tuple[str, ...] | None) -> None:
        self._job = job
        self._files = files
        self._process: IsolatedProcess | None = None

    def run(self, chunks: Sequence[Sequence[Task]]) -> list[CheckedConfig | Task | ModelError]:
        """Return what each task gave, or the task with what its process failed of."""
        return [self._sure_answer(task) for chunk in chunks for task in chunk]

    def _sure_answer(self, task: Task) -> CheckedConfig | Task | ModelError:
        """Return the answer of a process in which no other config has left code that may decide it."""
        is_new = self._process is None
        answer = self._answer(task)
        if isinstance(answer, CheckedConfig) and answer.is_doubtful:
            self.close()
            return answer if is_new else self._answer(task)
        return answer

    def _answer(self, task: Task) -> CheckedConfig | Task | ModelError:
        if self._process is None:
            self._process = IsolatedProcess(serve, Bounds.from_environment(), self._files)
            self._process.send(self._job)
        self._process.send(task)
        try:
            answer = self._process.answer()
        except IsolatedError as error:
            self.close()
            return replace(task, failure=error.problems[0])
        if isinstance(answer, CheckedConfig):
            return answer
        if isinstance(answer, tuple) and answer and all(isinstance(one, Problem) for one in answer):
            return ModelError(answer)
        self.close()
        return replace(
            task, failure=Problem(message="code that the config names has forged an answer")
        )

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None


def _with_refused(outcome: CheckedConfig, refused: Sequence[str]) -> CheckedConfig:
    """Return an outcome with what was refused, where nothing else has come of that: code may pass over it."""
    check = PlanRefused()
    if not refused or any(one.code == check.code for one in outcome.findings):
        return outcome
    message = f"code that the config names was not let {refused[0]}"
    found = reported(check.finding(message, key="model", hint=TRUST_HINT), outcome.config)
    is_wanted = check.code in outcome.ran
    findings = (*outcome.findings, found) if is_wanted else outcome.findings
    return replace(outcome, findings=findings, is_doubtful=True)


def _wait(connection: Connection) -> None:
    """Wait for a question, restricted: what a signal has code do meanwhile is refused."""
    while True:
        with suppress(Exception):
            connection.poll(None)
            return


def _join(threads: Iterable[threading.Thread]) -> None:
    """Give threads that code has started a moment to show what they do."""
    until = time.monotonic() + _MOMENT
    for one in threads:
        one.join(max(0.0, until - time.monotonic()))


def serve(connection: Connection) -> None:
    """Answer tasks until there are no more."""
    with lifted():
        runner = Runner(connection.recv())
    of_models: dict[str | None, list[str]] = {}
    while True:
        _wait(connection)
        with lifted():
            task: Task = connection.recv()
        answer: object
        before = threading.enumerate()
        try:
            done = runner.run(task)
            _join(set(threading.enumerate()).difference(before))
            # a model is built for the first of its configs alone
            refused = [*of_models.get(task.own, ()), *take_refused()]
            of_models = {task.own: refused} if task.own is not None else {}
            answer = _with_refused(done, refused) if isinstance(done, CheckedConfig) else done
        except ModelError as error:
            answer = error.problems
        connection.send_bytes(pickle.dumps(answer))
