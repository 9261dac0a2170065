"""Nothing that a config names runs, reads, writes, fetches or ends what it must not; and it is said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.security import cases_of_forms, cases_of_models, cases_of_names
from tests.security.cases import GOOD, GOOD_FINDING, Case
from tests.security.environment import Environment
from tests.security.harness import Run, run_optplan

# Many files are checked in one run; what each does is known by its token.
BATCHES: dict[str, tuple[Case, ...]] = {
    "models": cases_of_models.SHARED,
    "names": cases_of_names.SHARED,
    "forms": cases_of_forms.SHARED,
}
ALONE = (*cases_of_models.ALONE, *cases_of_names.MAINS, *cases_of_names.IMPORTS_ALONE)
ENDLESS = (*cases_of_models.ENDLESS, *cases_of_names.ENDLESS)
EVERY = [(batch, case) for batch, cases in BATCHES.items() for case in cases]
# Of these `check` has nothing to say, and nothing of theirs happens: what they name is not reached by planning, is
# not installed, or is stopped where nobody waits for it (a thread, a finalizer, the end of the process).
UNSAID = frozenset(
    {
        *("thread", "at_exit", "deleted", "named_parameters", "signal", "python_api"),
        *("antigravity", "package_beside", "relative", "file", "relative_symbol"),
        *("timm_pretrained", "timm_checkpoint_path", "wrapper_eval"),
        *("scheduler_eval", "scheduler_step", "scheduler_system", "scheduler_beside"),
        "import_starts_thread",
        "print",
    }
)
# What is refused is named by the place where it is met.
WORDS = {
    "getattr_symbol": ("a value of type 'Module' is no data",),
    "symbol_as_argument": ("'os.system' is not available",),
    "preprocessor": ("os.system",),
    "outer_preprocessor": ("subprocess.Popen",),
}
_GOOD_FILES = {f"good_{number}.py": GOOD for number in range(3)}
_RUNS: dict[str, Run] = {}


def named(cases: Iterable[Case]) -> list[object]:
    """The cases as parameters."""
    return [pytest.param(case, id=case.name) for case in cases]


def batch_run(name: str, watched: Environment) -> Run:
    """Check the files of a batch, once."""
    if name not in _RUNS:
        files: dict[str, str | bytes] = {**_GOOD_FILES, **cases_of_names.BESIDE}
        for case in BATCHES[name]:
            files.update(case.all_files)
        _RUNS[name] = run_optplan(watched, files, "check", ".", "--format", "json", seconds=400)
    return _RUNS[name]


def assert_said(case: Case, said: str) -> None:
    """One of the words that a message must contain is there."""
    if case.name in UNSAID:
        return
    wanted = WORDS.get(case.name) or ((case.says,) if isinstance(case.says, str) else case.says)
    ended = ("ended its process", "ends the process", "took more than", "no plain data")
    words = (*(word.replace("{token}", case.token) for word in wanted), *ended)
    assert any(word in said for word in words), said


def test_names_are_unique() -> None:
    names = [case.name for _, case in EVERY] + [case.name for case in ALONE]
    assert len(names) == len(set(names))
    assert len(names) > 150


@pytest.mark.parametrize("batch", BATCHES)
def test_a_folder_of_hostile_files(batch: str, watched: Environment) -> None:
    run = batch_run(batch, watched)
    assert run.status in (1, 2), run.stderr[-2000:]
    assert not run.wrongs()
    for name in _GOOD_FILES:
        assert GOOD_FINDING in run.said_of(name)


@pytest.mark.parametrize(("batch", "case"), [pytest.param(b, c, id=c.name) for b, c in EVERY])
def test_one_of_many(batch: str, case: Case, watched: Environment) -> None:
    run = batch_run(batch, watched)
    assert run.status in (1, 2), run.stderr[-2000:]
    assert not run.wrongs(case.token)
    assert_said(case, run.said_of(case.file))


@pytest.mark.parametrize("case", named(ALONE))
def test_alone_beside_a_good_file(case: Case, watched: Environment) -> None:
    files = {"good.py": GOOD, **cases_of_names.BESIDE, **case.all_files}
    run = run_optplan(watched, files, "check", "good.py", case.file, "--format", "json")
    assert run.status in (1, 2), run.stderr[-2000:]
    assert not run.wrongs()
    assert GOOD_FINDING in run.said_of("good.py")
    assert_said(case, run.said_of(case.file))


@pytest.mark.parametrize("case", named(ENDLESS))
def test_what_never_ends(case: Case, watched: Environment) -> None:
    run = run_optplan(
        watched, {"good.py": GOOD, **case.all_files}, "check", ".", "--format", "json"
    )
    assert run.status in (1, 2), run.stderr[-2000:]
    assert not run.wrongs()
    assert GOOD_FINDING in run.said_of("good.py")
    assert_said(case, run.said_of(case.file))


# some of all cases, each with one of three commands
COMMANDS = [
    pytest.param(("show", "verify", "schedule")[number % 3], case, id=case.name)
    for number, case in enumerate([case for _, case in EVERY][::30])
]


@pytest.mark.sweep
@pytest.mark.parametrize(("command", "case"), COMMANDS)
def test_other_commands(command: str, case: Case, watched: Environment) -> None:
    words = [command, case.file, *(["--iters", "100"] if command == "schedule" else [])]
    run = run_optplan(watched, {**cases_of_names.BESIDE, **case.all_files}, *words)
    assert run.status in (0, 1, 2), run.stderr[-2000:]  # 0 where all that is hostile is left out
    assert not run.wrongs()
    if run.status:
        assert_said(case, run.said)
