"""Runs tasks in worker processes, which leave with the process that started them."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, cast

from optplan.checks.results import Outcome
from optplan.checks.running import Job, Runner, Task
from optplan.errors import ModelError, OptplanError, Problem

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

Answer = list[Outcome] | tuple[Problem, ...]
_LARGEST_CHUNK = 32


def run_all(
    tasks: Sequence[Task], job: Job, *, jobs: int, advance: Callable[[int], None]
) -> list[Outcome]:
    """The outcomes of all tasks, in their order.

    Args:
        tasks: What to check; those with one model stand together.
        job: What they have in common.
        jobs: How many processes; 1 for this one alone.
        advance: Told how many more files are done.

    Raises:
        ModelError: There is no such model as the command line names.
    """
    chunks = _chunks(tasks, jobs)
    if jobs == 1 or len(chunks) < 2:
        runner = Runner(job)
        outcomes = []
        for task in tasks:
            outcomes.append(runner.run(task))
            advance(1)
        return outcomes
    with _workers(job, min(jobs, len(chunks))) as workers:
        answers: dict[int, list[Outcome]] = {}
        for index, answer in _answers(chunks, workers):
            if isinstance(answer, tuple):
                raise ModelError(answer)
            answers[index] = answer
            advance(len(answer))
    return [outcome for index in range(len(chunks)) for outcome in answers[index]]


def _chunks(tasks: Sequence[Task], jobs: int) -> list[Sequence[Task]]:
    """Pieces large enough to be worth sending, small enough that all finish together."""
    size = max(1, min(_LARGEST_CHUNK, len(tasks) // (jobs * 8)))
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


@contextlib.contextmanager
def _workers(job: Job, count: int) -> Iterator[dict[Connection, SpawnProcess]]:
    """Processes by the connections to them; none is left, however this ends."""
    # Not forked: a process with threads, as one with torch has, must not be.
    context = multiprocessing.get_context("spawn")
    workers: dict[Connection, SpawnProcess] = {}
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, job), daemon=True)
            with _interrupts_held():
                process.start()
            theirs.close()
            workers[ours] = process
        yield workers
    finally:
        for connection, process in workers.items():
            process.terminate()
            connection.close()
        for process in workers.values():
            process.join()


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while a process starts: it inherits that, and never sees one.

    It would print a traceback otherwise, where it is hit while it still imports.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # starting it lets interrupts through again
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _answers(
    chunks: Sequence[Sequence[Task]], workers: dict[Connection, SpawnProcess]
) -> Iterator[tuple[int, Answer]]:
    """The answers as they come, each with the index of its chunk."""
    waiting = iter(enumerate(chunks))
    busy: dict[Connection, int] = {}

    def send(connection: Connection) -> None:
        for index, chunk in waiting:
            connection.send(chunk)
            busy[connection] = index
            return

    for connection in workers:
        send(connection)
    while busy:
        for connection in cast("list[Connection]", wait(list(busy))):
            index = busy.pop(connection)
            try:
                answer = connection.recv()
            except (EOFError, OSError):
                raise _lost(workers[connection], chunks[index]) from None
            yield index, answer
            send(connection)


def _lost(process: SpawnProcess, chunk: Sequence[Task]) -> OptplanError:
    process.join()
    return OptplanError(
        f"a worker process ended with status {process.exitcode} at {chunk[0].candidate.path} "
        f"or one of the {len(chunk)} configs from there on",
        hint="it may have run out of memory: try --jobs 1",
    )


def _work(connection: Connection, job: Job) -> None:
    """A worker: answers until there is nothing more to do. Ctrl-C is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    runner = Runner(job)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(_answer(runner, connection.recv()))


def _answer(runner: Runner, tasks: Sequence[Task]) -> Answer:
    try:
        return [runner.run(task) for task in tasks]
    except ModelError as error:
        return error.problems
