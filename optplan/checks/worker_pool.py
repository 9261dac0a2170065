"""Run tasks here or in worker processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

from optplan.checks.isolated_checks import run_isolated
from optplan.checks.results import CheckedConfig
from optplan.checks.runner import Runner
from optplan.checks.tasks import Job, Task
from optplan.errors import ModelError, OptplanError, Problem
from optplan.runtime.workers import Workers

Done = CheckedConfig | Task  # a task that is for later
Answer = list[Done] | tuple[Problem, ...]
_LARGEST_CHUNK = 32
# chunks that a worker has at hand, so that it never waits for this process to finish one of its own
_AHEAD = 2


def run_all(
    tasks: Sequence[Task], job: Job, workers: Workers, *, advance: Callable[[int], None]
) -> list[CheckedConfig]:
    """Return the outcomes of all tasks.

    Those that are put off, once it is known which own model a config has, come in a second round, in
    which the configs of one model stand together.

    Args:
        tasks: What to check; those with one model stand together.
        job: What they have in common.
        workers: The processes that help this one.
        advance: Told how many more files are done.

    Raises:
        ModelError: There is no such model as the command line names.
        UsageError: What the user has imported first is not there, or raises.
    """
    runner = Runner(job)
    for connection in workers:
        connection.send(serve)
        connection.send(job)
    outcomes: list[CheckedConfig] = []
    isolated: list[Task] = []
    while tasks:
        later: list[Task] = []
        for one in _round(tasks, runner, workers, advance):
            if isinstance(one, CheckedConfig):
                outcomes.append(one)
            elif one.is_isolated:
                isolated.append(one)
            else:
                later.append(one)
        tasks = _by_model(later)
    for connection in workers:
        connection.send(())
    outcomes += run_isolated(_by_model(isolated), job, runner, len(workers) + 1, advance)
    return outcomes


def _by_model(tasks: Sequence[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: (task.own or repr(task.target), task.candidate.path))


def _round(
    tasks: Sequence[Task], runner: Runner, workers: Workers, advance: Callable[[int], None]
) -> list[Done]:
    """Return what each task gives, in their order."""
    chunks = _chunks(tasks, len(workers) + 1)
    if len(chunks) < 2:
        return [one for task in tasks for one in _told([runner.run(task)], advance)]
    answers: dict[int, list[Done]] = {}
    for index, answer in _answers(chunks, runner, workers):
        if isinstance(answer, tuple):
            raise ModelError(answer)
        answers[index] = _told(answer, advance)
    return [one for index in range(len(chunks)) for one in answers[index]]


def _told(done: list[Done], advance: Callable[[int], None]) -> list[Done]:
    advance(sum(isinstance(one, CheckedConfig) for one in done))
    return done


def _chunks(tasks: Sequence[Task], processes: int) -> list[Sequence[Task]]:
    """Return pieces large enough to be worth sending, small enough that all finish together.

    Configs of one own model stay together, so that it is built once.
    """
    if processes == 1:
        return [tasks]
    size = max(1, min(_LARGEST_CHUNK, len(tasks) // (processes * 8)))
    chunks, start = [], 0
    for end in range(1, len(tasks) + 1):
        if end < len(tasks) and (end - start < size or _share_model(tasks[end - 1], tasks[end])):
            continue
        chunks.append(tasks[start:end])
        start = end
    return chunks


def _share_model(first: Task, second: Task) -> bool:
    return first.own is not None and first.own == second.own


def _answers(
    chunks: Sequence[Sequence[Task]], runner: Runner, workers: Workers
) -> Iterator[tuple[int, Answer]]:
    """Yield the answers as they come, each with the index of its chunk; this process works too."""
    waiting = deque(range(len(chunks)))
    busy: dict[Connection, deque[int]] = {connection: deque() for connection in workers}

    def send(connection: Connection) -> None:
        while waiting and len(busy[connection]) < _AHEAD:
            busy[connection].append(waiting.popleft())
            connection.send(chunks[busy[connection][-1]])

    for connection in workers:
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
    """Answer in a worker, until it is told that there is nothing more to do."""
    runner = Runner(connection.recv())
    while tasks := connection.recv():
        connection.send(_answer(runner, tasks))


def _answer(runner: Runner, tasks: Sequence[Task]) -> Answer:
    try:
        return [runner.run(task) for task in tasks]
    except ModelError as error:
        return error.problems
