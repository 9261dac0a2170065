"""Nothing that a config names runs, reads, writes, fetches or ends what it must not; and it is said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.security import (
    cases_of_forms,
    cases_of_models,
    cases_of_names,
    cases_of_types,
    cases_of_ways,
)
from tests.security.cases import GOOD, GOOD_FINDING, Case
from tests.security.environment import Environment
from tests.security.harness import Run, run_optplan

ALONE = (*cases_of_models.ALONE, *cases_of_names.MAINS, *cases_of_names.IMPORTS_ALONE)
WAYS = (
    *(*cases_of_types.TOP, *cases_of_types.PARTS, *cases_of_types.SPELLED),
    *(*cases_of_ways.IMPORTS, *cases_of_ways.FORMS),
)
# Many files are checked in one run; what each does is known by its token.
BATCHES: dict[str, tuple[Case, ...]] = {
    "models": cases_of_models.SHARED,
    "names": cases_of_names.SHARED,
    "forms": cases_of_forms.SHARED,
    "ways": WAYS,
    "native": cases_of_ways.DOES,
    "ends": (*ALONE, cases_of_models.FLOOD),
}
ENDLESS = (*cases_of_models.ENDLESS, *cases_of_names.ENDLESS)
EVERY = [(batch, case) for batch, cases in BATCHES.items() for case in cases]
# Of these `check` has nothing to say, and nothing of theirs happens.
UNSAID = frozenset(
    {
        # what they name is not reached by planning
        *(
            "named_parameters",
            "timm_pretrained",
            "timm_checkpoint_path",
            "wrapper_eval",
            "wrapper_system",
        ),
        *(
            "recipe_checkpoint",
            "recipe_kwargs_file",
            "does_in_optimizer",
            "form_pretrained",
            "form_overlay",
        ),
        *("form_titan", "form_fairseq", "form_sched", "form_format", "ways_import_site"),
        # nor by checking: its schedulers are run by `optplan schedule`
        *("scheduler_step", "scheduler_system", "scheduler_beside"),
        # it is of a package that is not installed, without which a config is checked without a model
        *("antigravity", "package_beside", "relative", "file", "relative_symbol", "way_profile"),
        "way_database_file",
        *(f"spelling_{number}" for number in (1, 3, 7, 8, 11, 13, 39, 45, 46)),
        # it would come later than the answer: when the process ends, or the model is left
        *("at_exit", "deleted", "signal", "does_replaced", "does_collected"),
        # the system refuses it, and native code passes over that
        *("does_picture_of_cv", "does_video", "does_trace"),
        # nothing is refused: it is given an empty stdin, and what it prints is no report
        *("import_reads_input", "import_prints", "print", "import_hub_command"),
    }
)
# These end the process, or answer in its place.
_ENDED = ("ended its process", "took more than", "printed more than", "no plain data")
ENDING = frozenset(
    {
        *("exit_hard", "abort", "terminate", "forged", "import_exits_hard", "does_core"),
        *("flood", "loop", "stubborn", "loop_in_c", "sleep", "memory", "layers"),
    }
)
_GOOD_FILES = {f"good_{number}.py": GOOD for number in range(3)}
_RUNS: dict[str, Run] = {}


def named(cases: Iterable[Case]) -> list[object]:
    """The cases as parameters."""
    return [pytest.param(case, id=case.name) for case in cases]


def batch_run(name: str, watched: Environment) -> Run:
    """Check the files of a batch, once."""
    if name not in _RUNS:
        files = {**_GOOD_FILES, **cases_of_names.BESIDE, **cases_of_ways.FILES}
        for case in BATCHES[name]:
            files.update(case.all_files)
        _RUNS[name] = run_optplan(watched, files, "check", ".", "--format", "json", seconds=400)
    return _RUNS[name]


def assert_said(case: Case, said: str) -> None:
    """One of the words that a message must contain is there, and none where there is nothing to say."""
    if case.name in UNSAID:
        assert not said
        return
    wanted = _ENDED if case.name in ENDING else case.words
    assert said
    assert any(word in said for word in wanted), said


def test_names_are_unique() -> None:
    names = [case.name for _, case in EVERY]
    assert len(names) == len(set(names))
    assert len(names) > 400
    assert set(names) >= UNSAID
    assert {*names, *(case.name for case in ENDLESS)} >= ENDING


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
        watched,
        {"good.py": GOOD, **case.all_files},
        *("check", ".", "--format", "json"),
        OPTPLAN_ISOLATED_SECONDS="8",
    )
    assert run.status in (1, 2), run.stderr[-2000:]
    assert not run.wrongs()
    assert GOOD_FINDING in run.said_of("good.py")
    assert_said(case, run.said_of(case.file))


def test_a_parameter_of_a_class_of_its_own_in_an_optimizer_of_torch(watched: Environment) -> None:
    case = next(one for one in cases_of_ways.DOES if one.name == "does_in_optimizer")
    run = run_optplan(watched, case.all_files, "verify", case.file)
    assert run.status == 2
    assert not run.wrongs()
    assert (
        "SGD refuses this: optplan does not let code that a file names change files" in run.stderr
    )


def test_what_one_config_leaves_behind_does_not_decide_another(watched: Environment) -> None:
    case = next(one for one in cases_of_ways.DOES if one.name == "does_replaced")
    good = GOOD.replace("nets.Fine", "base.Net")
    files = {"a.py": case.all_files[case.file], "b.py": good, "c.py": GOOD}
    run = run_optplan(watched, files, "check", ".", "--format", "json")
    assert not run.wrongs()
    for name in ("b.py", "c.py"):
        assert run.said_of(name).startswith(f"OPT103 {GOOD_FINDING}")


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
    if run.status and case.name not in UNSAID:  # what check has no need to look at, others may
        assert_said(case, run.said)
