"""``[tool.optplan]``: where it is found, what it says, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from optplan.checks.tool_config_file import ToolConfigFinder
from tests.checks.conftest import Check, config
from tests.checks.fakes import FAKES

Write = Callable[..., Path]


def codes(stdout: str) -> list[str]:
    """``a.py OPT107`` for each finding."""
    return [
        f"{line.split(':')[0]} {line.split(': ')[1].split()[0]}"
        for line in stdout.splitlines()
        if ": OPT" in line and "│" not in line
    ]


def test_nearest_to_the_config_wins(write: Write, check: Check) -> None:
    write("pyproject.toml", "[tool.optplan]\nignore = ['OPT107']\n")
    write("one/pyproject.toml", "[project]\nname = 'x'\n")
    write("one/a.py", config("bad"))
    write("two/pyproject.toml", "[tool.optplan]\n")
    write("two/deep/b.py", config("bad"))
    assert codes(check("one", "two").stdout) == ["two/deep/b.py OPT107"]


def test_current_folder_where_there_is_none_above(
    write: Write, check: Check, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write("pyproject.toml", "[tool.optplan]\nignore = ['OPT107']\n")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a.py"
    elsewhere.write_text(config("bad"), "utf-8")
    assert codes(check(elsewhere).stdout) == []


def test_settings_are_not_merged(write: Write, tmp_path: Path) -> None:
    write("pyproject.toml", "[tool.optplan]\nignore = ['OPT107']\n")
    write("in/pyproject.toml", "[tool.optplan]\nfail-on = 'info'\n")
    settings = ToolConfigFinder(FAKES).of(str(tmp_path / "in" / "a.py"))
    assert (settings.ignore, settings.fail_on.value) == ((), "info")


@pytest.mark.parametrize(
    ("settings", "options", "found"),
    [
        ("", [], "OPT107 OPT102"),
        ("select = ['OPT107']", [], "OPT107"),
        ("select = ['OPT107']", ["--select", "OPT102"], "OPT102"),
        ("select = ['OPT', 'OPT106']", [], "OPT106 OPT107 OPT102"),
        ("", ["--select", "OPT1"], "OPT107 OPT102"),
        ("", ["--select", "opt106,OPT107"], "OPT106 OPT107"),
        ("ignore = ['OPT102']", ["--ignore", "OPT107"], ""),
        ("ignore = ['OPT1']", ["--select", "OPT107"], "OPT107"),
        ("", ["--ignore", "OPT"], ""),
        ("", ["--select", "OPT1", "--ignore", "OPT10"], ""),
        ("", ["--select", "OPT106", "--ignore", "OPT106"], ""),
        ("per-config-ignores = { 'configs/*' = ['OPT102'] }", [], "OPT107"),
        ("per-config-ignores = { 'configs' = 'OPT1' }", [], ""),
        ("per-config-ignores = { 'other/*' = ['OPT1'] }", [], "OPT107 OPT102"),
        ("allow-group-keys = ['group']", [], "OPT107"),
    ],
)
def test_select_and_ignore(
    settings: str, options: list[str], found: str, write: Write, check: Check
) -> None:
    write("pyproject.toml", f"[tool.optplan]\n{settings}\n")
    write("configs/a.py", config("bad", field="group"))
    done = check("configs", *options)
    assert codes(done.stdout) == [f"configs/a.py {code}" for code in found.split()]


@pytest.mark.parametrize(
    ("key", "settings", "options", "status"),
    [
        ("bad", "", [], 1),
        ("bad_w", "", [], 0),
        ("bad_w", "", ["--fail-on", "warning"], 1),
        ("bad_w", "fail-on = 'warning'", [], 1),
        ("bad_w", "fail-on = 'info'", ["--fail-on", "error"], 0),
        ("bad_i", "fail-on = 'warning'", [], 0),
        ("bad_i", "", ["--fail-on", "info"], 1),
        ("bad", "", ["--exit-zero"], 0),
        ("good", "", ["--fail-on", "info"], 0),
    ],
)
def test_status(
    key: str, settings: str, options: list[str], status: int, write: Write, check: Check
) -> None:
    write("pyproject.toml", f"[tool.optplan]\n{settings}\n")
    write("a.py", config(key))
    assert check("a.py", *options).returncode == status


WRONG = """\
[project]
name = "x"

[tool.optplan]
selct = ["OPT1"]
ignore = ["OPT9999", 3]
select = ["OPT77"]
fail-on = "errors"
allow-group-keys = 3

[tool.optplan.per-config-ignores]
"a.py" = ["unmatched-key"]

[[tool.optplan.targets]]
modle = "resnet18"

[[tool.optplan.expect]]
rule = "norms"
weight-decay = "0"

[[tool.optplan.expect]]
lr = 0.1
frozen = 1
min-parameters = -1
"""


def test_every_mistake_is_named(write: Write, check: Check) -> None:
    write("pyproject.toml", WRONG)
    write("a.py", config("bad"))
    done = check("a.py")
    assert (done.returncode, done.stdout) == (2, "")
    messages = [line for line in done.stderr.splitlines() if not line.startswith("    ")]
    assert [line for line in messages if "│" not in line] == [
        "error: pyproject.toml:5:1: [tool.optplan] has no entry 'selct'",
        "  hint: did you mean 'select'?",
        "error: pyproject.toml:6:1: ignore of [tool.optplan] must be a list of texts, got ['OPT9999', 3]",
        "error: pyproject.toml:7:1: select: no check's code begins with 'OPT77'",
        "  hint: did you mean 'OPT107'?",
        "error: pyproject.toml:8:1: fail-on of [tool.optplan] must be one of error, warning, info, "
        "got 'errors'",
        "  hint: did you mean 'error'?",
        "error: pyproject.toml:9:1: allow-group-keys of [tool.optplan] must be a list of texts, got 3",
        "error: pyproject.toml:12:1: a.py: no check's code begins with 'UNMATCHED-KEY'",
        "  hint: write OPT103",
        "error: pyproject.toml:14:1: [[tool.optplan.targets]] has no 'model'",
        "error: pyproject.toml:14:1: [[tool.optplan.targets]] has no 'configs'",
        "error: pyproject.toml:15:1: [tool.optplan.targets] has no entry 'modle'",
        "  hint: did you mean 'model'?",
        "error: pyproject.toml:18:1: rule of [tool.optplan.expect] must be one of custom_key, norm, "
        "bias, dwconv, dcn_offset, flat, layer_decay, no_weight_decay, regex, constructor, set, default, "
        "got 'norms'",
        "  hint: did you mean 'norm'?",
        "error: pyproject.toml:19:1: weight-decay of [tool.optplan.expect] must be a number, a comparison such as "
        "'> 0', or a range such as '0.01..0.1', or 'decayed', or 'not decayed', got '0'",
        "error: pyproject.toml:21:1: [[tool.optplan.expect]] has none of 'parameters', 'module' and 'rule'",
        "error: pyproject.toml:23:1: frozen of [tool.optplan.expect] must be true or false, got 1",
        "error: pyproject.toml:24:1: min-parameters of [tool.optplan.expect] must be a whole number, "
        "got -1",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.optplan]\nselect = [\n", "pyproject.toml:3:1: invalid TOML: "),
        ("[tool]\noptplan = 3\n", "pyproject.toml:2:1: optplan of [tool] must be a table, got 3"),
        (
            "[tool.optplan]\ntargets = 3\n",
            "pyproject.toml:2:1: targets of [tool.optplan] must be written as "
            "[[tool.optplan.targets]], got 3",
        ),
        (
            "[[tool.optplan.expect]]\nparameters = 'a'\n",
            "pyproject.toml:2:1: [[tool.optplan.expect]] expects nothing",
        ),
    ],
)
def test_one_mistake(text: str, message: str, write: Write, check: Check) -> None:
    write("pyproject.toml", text)
    write("a.py", config("bad"))
    done = check("a.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")


def test_other_files_of_other_projects_are_not_read(write: Write, check: Check) -> None:
    write("pyproject.toml", "[tool.black\n")
    write("a.py", config("bad"))
    assert codes(check("a.py").stdout) == ["a.py OPT107"]


SETTINGS = """\
[tool.optplan]
select = ["OPT1", "OPT106"]
fail-on = "warning"
[tool.optplan.per-config-ignores]
"a.py" = ["OPT107", "OPT102"]
[[tool.optplan.targets]]
configs = "configs/*.py"
model = "models.py:Net"
arguments = { depth = 3, name = "x" }
[[tool.optplan.expect]]
parameters = "*.bias"
weight-decay = 0.0
"""


def test_show_settings(write: Write, check: Check) -> None:
    write("in/pyproject.toml", SETTINGS)
    write("in/a.py", config("bad"))
    done = check("in/a.py", "--show-settings", "--ignore", "OPT103")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "# in/pyproject.toml\n"
        "[tool.optplan]\n"
        'select = ["OPT1", "OPT106"]\n'
        'ignore = ["OPT103"]\n'
        'fail-on = "warning"\n'
        "allow-group-keys = []\n"
        "[tool.optplan.per-config-ignores]\n"
        '"a.py" = ["OPT107", "OPT102"]\n'
        "[[tool.optplan.targets]]\n"
        'configs = ["configs/*.py"]\n'
        'model = "in/models.py:Net"\n'
        'arguments = { depth = 3, name = "x" }\n'
        "[[tool.optplan.expect]]\n"
        'parameters = "*.bias"\n'
        "weight-decay = 0.0\n"
        "min-parameters = 1\n"
    )


def test_show_settings_without_any(check: Check) -> None:
    assert check("--show-settings").stdout == (
        "# no pyproject.toml with [tool.optplan]: the defaults\n"
        "[tool.optplan]\n"
        'select = ["OPT"]\n'
        "ignore = []\n"
        'fail-on = "error"\n'
        "allow-group-keys = []\n"
    )


MODELS = """
import os
from torch import nn

class Net(nn.Module):
    def __init__(self, parts=('stem', 'head')):
        super().__init__()
        print('building')
        for part in parts:
            self.add_module(part, nn.Linear(2, 2))
"""
TARGETS = """\
[[tool.optplan.targets]]
configs = ["configs/*.py"]
model = "models.py:Net"

[[tool.optplan.targets]]
configs = ["configs/b.py", "more"]
model = "models.py:Net"
arguments = { parts = ["tail"] }
"""


def test_targets(write: Write, check: Check) -> None:
    write("pyproject.toml", TARGETS)
    write("models.py", MODELS)
    write("configs/a.py", config("stem", "tail"))
    write("configs/b.py", config("head"))
    write("more/c.py", config("tail", "stem"))
    write("other/d.py", config("bad"))
    done = check()
    assert codes(done.stdout) == [
        "configs/a.py OPT103",
        "configs/b.py OPT103",
        "more/c.py OPT103",
    ]
    assert done.stdout.endswith("3 errors in 3 of 3 configs\n")
    assert done.stderr == "building\nbuilding\n"


def test_the_command_lines_model_comes_before_targets(write: Write, check: Check) -> None:
    write("pyproject.toml", TARGETS)
    write("models.py", MODELS)
    write("configs/b.py", config("head"))
    done = check("-m", "models.py:Net", "-k", "parts=('neck',)", "configs")
    assert codes(done.stdout) == ["configs/b.py OPT103"]
    assert "did you mean 'neck'" not in done.stdout
    assert done.stderr == "building\n"


def test_a_target_whose_model_cannot_be_built(write: Write, check: Check) -> None:
    write("pyproject.toml", "\n".join(TARGETS.splitlines()[:3]))
    write("models.py", "raise RuntimeError('no such luck')\n")
    write("configs/a.py", config("bad"))
    write("configs/c.py", config("bad"))
    done = check()
    assert (done.returncode, done.stderr) == (1, "")
    assert codes(done.stdout) == [
        "configs/a.py OPT107",
        "configs/c.py OPT107",
        "pyproject.toml OPT004",
    ]
    assert "affects 2 configs: configs/a.py, configs/c.py\n" in done.stdout
    assert '    3 │ model = "models.py:Net"\n' in done.stdout


def test_a_target_that_is_not_there(write: Write, check: Check) -> None:
    write("pyproject.toml", TARGETS)
    write("models.py", MODELS)
    write("configs/a.py", config("stem"))
    done = check()
    assert codes(done.stdout) == ["configs/b.py OPT004"]
    assert done.stderr == "building\n"


def test_the_command_lines_model_cannot_be_built(write: Write, check: Check) -> None:
    write("a.py", config("bad"))
    write("b.py", config("bad"))
    for jobs in ("1", "2"):
        done = check("a.py", "b.py", "--model", "resnet81", "--jobs", jobs)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: timm has no model 'resnet81'\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-k", "depth=3", "a.py"], "-k gives arguments to a model, and there is none"),
        ([], "no configs are named"),
        (["a.py", "--select", "OPT77"], "--select: no check's code begins with 'OPT77'"),
        (["a.py", "--ignore", "unmatched-key"], "--ignore: no check's code begins with 'UNMATCHED"),
        (["a.py", "--write-baseline"], "--write-baseline needs a file"),
        (["a.py", "--baseline", "no.json"], "there is no baseline 'no.json'"),
    ],
)
def test_usage(words: list[str], message: str, write: Write, check: Check) -> None:
    write("a.py", config("bad"))
    done = check(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
