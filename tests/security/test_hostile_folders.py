"""Nothing that lies in a folder, beside a config or on PYTHONPATH, runs because the folder is checked."""

from __future__ import annotations

import pytest

from tests.security import cases_of_forms, cases_of_models, cases_of_names
from tests.security.cases import GOOD, GOOD_FINDING, SGD, python_code
from tests.security.environment import Environment
from tests.security.harness import run_optplan

_TRACE = "import os\nos.mkdir('q7x_ran')\nfrom torch import nn\nclass Net(nn.Linear):\n    def __init__(self): super().__init__(2, 2)\n"
TARGETS = {
    "shell": ('model = "os:system"\narguments = {command = "mkdir q7x_ran"}', "os:system"),
    "dotted shell": (
        'model = "torch:os.system"\narguments = {command = "mkdir q7x_ran"}',
        "os.system",
    ),
    "process": (
        'model = "subprocess:run"\narguments = {args = ["mkdir", "q7x_ran"]}',
        "subprocess",
    ),
    "eval": (
        "model = \"builtins:eval\"\narguments = {source = \"__import__('os').mkdir('q7x_ran')\"}",
        "eval",
    ),
    "file": ('model = "m.py:Net"', "m.py"),
    "file, absolute": ('model = "{project}/m.py:Net"', "m.py"),
    "file, upwards": ('model = "../outside/m.py:Net"', "m.py"),
    "module beside": ('model = "m:Net"', "m:Net"),
    "net": (
        'model = "dangerous_nets.nets:Shells"\narguments = {command = "mkdir q7x_ran"}',
        "Shells",
    ),
    "main": ('model = "dangerous_nets.__main__:Net"', "__main__"),
    "import that exits": ('model = "dangerous_nets.exits:Net"', "dangerous_nets.exits"),
    "hub": ('model = "hf_hub:q7x_ran/net"', "hf_hub"),
    "timm with a file": ('model = "timm:/m.py:Net"', "m.py"),
    "hub of torch": (
        'model = "torch.hub:load"\narguments = {repo_or_dir = ".", model = "Net", source = "local"}',
        "torch.hub",
    ),
}
# Modules of the standard library and of packages that optplan imports, early and late.
SHADOWED = (
    "multiprocessing",
    "json",
    "typing_extensions",
    "typer",
    "rich",
    "yaml",
    "tomllib",
    "pickle",
    "torch",
    "timm",
    "mmengine",
    "dangerous_nets",
    "sitecustomize_q7x",
    "usercustomize",
    "ast",
    "signal",
    "logging",
    "subprocess",
    "socket",
    "tempfile",
    "numpy",
    "importlib_metadata",
    "pkg_resources",
    "difflib",
)


def _settings(target: str) -> str:
    return f'[tool.optplan]\n[[tool.optplan.targets]]\nconfigs = ["*.py"]\n{target}\n'


@pytest.mark.parametrize("case", TARGETS)
def test_settings_of_a_folder_that_is_checked(case: str, watched: Environment) -> None:
    target, says = TARGETS[case]
    files: dict[str, str | bytes] = {
        "theirs/pyproject.toml": _settings(target),
        "theirs/a.py": SGD,
        "theirs/m.py": _TRACE,
        "outside/m.py": _TRACE,
        "m.py": _TRACE,
        "good.py": GOOD,
        "hubconf.py": python_code("hub"),
    }
    run = run_optplan(watched, files, "check", ".", "--format", "json")
    assert run.status in (1, 2), run.stderr
    assert not run.wrongs()
    assert says in run.said
    assert GOOD_FINDING in run.said_of("good.py")


@pytest.mark.parametrize("case", ["shell", "eval", "net", "import that exits", "main"])
def test_settings_of_the_current_folder(case: str, watched: Environment) -> None:
    """The user's own project may be a clone of a stranger's: its settings name modules and files alone."""
    target, says = TARGETS[case]
    files = {"pyproject.toml": _settings(target), "a.py": SGD}
    run = run_optplan(watched, files, "check", ".")
    assert run.status in (1, 2), run.stderr
    assert not [one for one in run.wrongs() if not one.startswith("open read")]
    assert says in run.said


@pytest.mark.parametrize("command", ["show", "explain", "diff", "schedule", "verify"])
def test_settings_and_the_other_commands(command: str, watched: Environment) -> None:
    files: dict[str, str | bytes] = {
        "theirs/pyproject.toml": _settings(TARGETS["file"][0]),
        "theirs/a.py": SGD,
        "theirs/b.py": SGD,
        "theirs/m.py": _TRACE,
    }
    words = {"explain": ["theirs/a.py", "x"], "diff": ["theirs/a.py", "theirs/b.py"]}
    run = run_optplan(watched, files, command, *words.get(command, ["theirs/a.py"]))
    assert run.status == 2, run.stderr
    assert not run.wrongs()


@pytest.mark.parametrize("as_module", [False, True], ids=["optplan", "python -m optplan"])
def test_modules_beside_with_workers(watched: Environment, *, as_module: bool) -> None:
    files: dict[str, str | bytes] = {
        f"{name}.py": python_code(f"shadow_{name}") for name in SHADOWED
    }
    files |= {f"configs/good_{number}.py": GOOD for number in range(40)}
    files["configs/net.py"] = (
        f"model = dict(type='dangerous_nets.nets.Shells', command='mkdir q7x_ran')\n{SGD}"
    )
    run = run_optplan(
        watched, files, "check", "configs", "-j", "2", "--format", "json", as_module=as_module
    )
    assert run.status == 1, run.stderr
    assert not run.wrongs()
    assert GOOD_FINDING in run.said_of("configs/good_0.py")
    assert "Shells" in run.said_of("configs/net.py")


@pytest.mark.parametrize(
    "spelling",
    [
        "./lib",
        "lib",
        "{project}/lib",
        "{project}/lib/",
        "{project}/../project/lib",
        "{project}/link",
        "lib:",
        "",
        ":",
        ".",
    ],
)
def test_spellings_of_the_search_path(spelling: str, watched: Environment) -> None:
    model = "model = dict(type='dangerous_nets.nets.Fine')\n"
    texts = {
        "type": "model = dict(type='libnet.Net')\n",
        "imports": f"custom_imports = dict(imports=['libnet'])\n{model}",
        "symbol": "from libnet import Net\nmodel = dict(type=Net)\n",
        # a name that is installed, and that the search path would find elsewhere first
        "shadow": "model = dict(type='second_nets.Fine')\n",
        "shadow_imports": f"custom_imports = dict(imports=['second_nets.inner'])\n{model}",
    }
    files: dict[str, str | bytes] = {f"{name}.py": text + SGD for name, text in texts.items()}
    files["good.py"] = GOOD
    files["link"] = "-> {project}/lib"
    for name in ("libnet.py", "second_nets/__init__.py", "second_nets/inner.py"):
        files |= dict.fromkeys((name, f"lib/{name}"), python_code("on_path"))
    words = [f"{name}.py" for name in (*texts, "good")]
    run = run_optplan(watched, files, "check", *words, "--format", "json", PYTHONPATH=spelling)
    assert run.status in (1, 2), run.stderr
    assert not run.wrongs()
    for name in ("type.py", "imports.py", "symbol.py"):
        assert "libnet" in run.said_of(name)
    assert GOOD_FINDING in run.said_of("good.py")


def test_imported_code_does_not_see_the_command_line(watched: Environment) -> None:
    files = {
        "a.py": "custom_imports = dict(imports=['dangerous_nets.shows_arguments'])\n"
        f"model = dict(type='dangerous_nets.nets.Fine')\n{SGD}"
    }
    run = run_optplan(watched, files, "show", "a.py", "--set", "work_dir=q7x_word")
    assert run.status == 2
    assert not run.wrongs()
    assert "dangerous_nets.shows_arguments" in run.said
    assert "q7x_word" not in run.said


def test_an_import_that_never_ends(watched: Environment) -> None:
    files = {
        "good.py": GOOD,
        "a.py": "custom_imports = dict(imports=['dangerous_nets.loops'])\n"
        f"model = dict(type='dangerous_nets.nets.Fine')\n{SGD}",
    }
    run = run_optplan(watched, files, "check", ".", "--format", "json")
    assert run.status in (1, 2), run.stderr
    assert not run.wrongs()
    assert GOOD_FINDING in run.said_of("good.py")


def test_what_differs_is_not_called_equal(watched: Environment) -> None:
    """An import that ends the process with 0 says nothing about two configs that differ."""
    head = "custom_imports = dict(imports=['dangerous_nets.exits'])\n"
    head += "model = dict(type='dangerous_nets.nets.Fine')\n"
    files = {"a.py": head + SGD, "b.py": head + SGD.replace("0.1", "0.2")}
    run = run_optplan(watched, files, "diff", "a.py", "b.py")
    assert run.status in (1, 2), run.stderr
    assert not run.wrongs()


@pytest.mark.sweep
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_two_hundred_files(jobs: str, watched: Environment) -> None:
    hostile = [
        *cases_of_models.SHARED,
        *cases_of_models.ALONE,
        *cases_of_names.SHARED,
        *cases_of_forms.SHARED,
        *cases_of_names.IMPORTS_ALONE,
    ][::5][:50]
    files: dict[str, str | bytes] = {f"good_{number}.py": GOOD for number in range(150)}
    files |= cases_of_names.BESIDE
    for case in hostile:
        files |= case.all_files
    run = run_optplan(watched, files, "check", ".", "-j", jobs, "--format", "json", seconds=500)
    assert run.status in (1, 2), run.stderr[-2000:]
    assert not run.wrongs()
    for number in range(150):
        assert GOOD_FINDING in run.said_of(f"good_{number}.py")
