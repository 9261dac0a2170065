"""Runs tasks here or in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from optplan.checks.results import Outcome
from optplan.checks.running import Job, Runner, Task
from optplan.errors import ModelError, OptplanError, Problem
from optplan.workers import Workers

Answer = list[Outcome] | tuple[Problem, ...]
_LARGEST_CHUNK = 16


def run_all(
    tasks: Sequence[Task], job: Job, workers: Workers, *, advance: Callable[[int], None]
) -> list[Outcome]:
    """The outcomes of all tasks, in their order.

    Args:
        tasks: What to check; those with one model stand together.
        job: What they have in common.
        workers: The processes to do it in; none for this one alone.
        advance: Told how many more files are done.

    Raises:
        ModelError: There is no such model as the command line names.
    """
    chunks = _chunks(tasks, len(workers))
    if len(chunks) < 2:
        return _run_here(tasks, job, advance)
    answers: dict[int, list[Outcome]] = {}
    for index, answer in _answers(chunks, job, workers):
        if isinstance(answer, tuple):
            raise ModelError(answer)
        answers[index] = answer
        advance(len(answer))
    return [outcome for index in range(len(chunks)) for outcome in answers[index]]


def _run_here(tasks: Sequence[Task], job: Job, advance: Callable[[int], None]) -> list[Outcome]:
    runner = Runner(job)
    outcomes = []
    for task in tasks:
        outcomes.append(runner.run(task))
        advance(1)
    return outcomes


def _chunks(tasks: Sequence[Task], workers: int) -> list[Sequence[Task]]:
    """Pieces large enough to be worth sending, small enough that all finish together."""
    if not workers:
        return [tasks]
    size = max(1, min(_LARGEST_CHUNK, len(tasks) // (workers * 8)))
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _answers(
    chunks: Sequence[Sequence[Task]], job: Job, workers: Workers
) -> Iterator[tuple[int, Answer]]:
    """The answers as they come, each with the index of its chunk."""
    waiting = iter(enumerate(chunks))
    busy: dict[Connection, int] = {}

    def send(connection: Connection) -> None:
        for index, chunk in waiting:
            connection.send(chunk)
            busy[connection] = index
            return

    for connection, _ in zip(workers, chunks, strict=False):
        connection.send(serve)
        connection.send(job)
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


def serve(connection: Connection) -> None:
    """What a worker does: it answers until there is nothing more to do."""
    runner = Runner(connection.recv())
    while True:
        connection.send(_answer(runner, connection.recv()))


def _answer(runner: Runner, tasks: Sequence[Task]) -> Answer:
    try:
        return [runner.run(task) for task in tasks]
    except ModelError as error:
        return error.problems
