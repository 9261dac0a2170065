"""Runs tasks here or in worker processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from optplan.checks.results import Outcome
from optplan.checks.running import Job, Runner, Task
from optplan.errors import ModelError, OptplanError, Problem
from optplan.workers import Workers

Answer = list[Outcome] | tuple[Problem, ...]
_LARGEST_CHUNK = 32
# chunks that a worker has at hand, so that it never waits for this process to finish one of its own
_AHEAD = 2


def run_all(
    tasks: Sequence[Task], job: Job, workers: Workers, *, advance: Callable[[int], None]
) -> list[Outcome]:
    """The outcomes of all tasks, in their order.

    Args:
        tasks: What to check; those with one model stand together.
        job: What they have in common.
        workers: The processes that help this one.
        advance: Told how many more files are done.

    Raises:
        ModelError: There is no such model as the command line names.
    """
    chunks = _chunks(tasks, len(workers) + 1)
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


def _chunks(tasks: Sequence[Task], processes: int) -> list[Sequence[Task]]:
    """Pieces large enough to be worth sending, small enough that all finish together."""
    if processes == 1:
        return [tasks]
    size = max(1, min(_LARGEST_CHUNK, len(tasks) // (processes * 8)))
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _answers(
    chunks: Sequence[Sequence[Task]], job: Job, workers: Workers
) -> Iterator[tuple[int, Answer]]:
    """The answers as they come, each with the index of its chunk; this process works too."""
    waiting = deque(range(len(chunks)))
    busy: dict[Connection, deque[int]] = {connection: deque() for connection in workers}
    runner = Runner(job)

    def send(connection: Connection) -> None:
        while waiting and len(busy[connection]) < _AHEAD:
            busy[connection].append(waiting.popleft())
            connection.send(chunks[busy[connection][-1]])

    for connection in workers:
        connection.send(serve)
        connection.send(job)
        send(connection)
    while waiting or any(busy.values()):
        at_work = [connection for connection, indices in busy.items() if indices]
        ready = cast("list[Connection]", wait(at_work, timeout=0 if waiting else None))
        for connection in ready:
            index = busy[connection].popleft()
            try:
                answer = connection.recv()
            except (EOFError, OSError):
                raise _lost(workers[connection], chunks[index]) from None
            send(connection)
            yield index, answer
        if waiting and not ready:
            index = waiting.popleft()
            yield index, _answer(runner, chunks[index])


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
