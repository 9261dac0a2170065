"""The published schema of the tool's configuration takes what the reader takes, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optplan.checks import ALL_CHECKS
from optplan.checks.tool_config_file import read_tool_config
from optplan.checks.tool_config_schema import DEMANDS, EXPECT, TARGET, TOP, tool_config_schema
from optplan.errors import ConfigError
from tests.conftest import ROOT

Write = Callable[..., Path]


def test_the_published_schema_is_the_one_of_the_code() -> None:
    file = resources.files("optplan").joinpath("schemas/tool-config-1.0.schema.json")
    assert json.loads(file.read_text("utf-8")) == tool_config_schema()
    jsonschema.Draft202012Validator.check_schema(tool_config_schema())


VALUES: list[Any] = [
    *("OPT1", "norm", "error", "decayed", "> 0", ">=1e-3, < .5", "0.1..1", "1 to 2", "", "> x", "0..", "<"),
    *(0, 1, 3, -1, 0.5, 1.5, True, False),
    *([], ["OPT1"], ["*.py", "b"], [1], [""], {}, {"a": 1}, {"a": "OPT1"}, [{}]),
]  # fmt: skip


def is_read(data: dict[str, Any], folder: Path) -> bool:
    path = folder / "optplan.toml"
    path.write_text("".join(_toml(data)), "utf-8")
    try:
        read_tool_config(str(path), ALL_CHECKS)
    except ConfigError:
        return False
    return True


def _toml(data: dict[str, Any]) -> list[str]:
    return [f"{json.dumps(name)} = {_value(value)}\n" for name, value in data.items()]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(name)} = {_value(one)}" for name, one in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


VALIDATOR = jsonschema.Draft202012Validator(tool_config_schema())


def is_valid(data: dict[str, Any]) -> bool:
    return bool(VALIDATOR.is_valid(data))


def _codes_fit(data: dict[str, Any]) -> bool:
    """Whether texts in the place of codes are some: a schema does not know the checks."""
    places = [data.get("select"), data.get("ignore"), *data.get("per-config-ignores", {"": None}).values()]  # fmt: skip
    flat = [one for place in places for one in (place if isinstance(place, list) else [place])]
    return all(one is None or not isinstance(one, str) or one == "OPT1" for one in flat)


@pytest.mark.parametrize("name", [*TOP, "unknown"])
def test_entries_at_the_top(name: str, tmp_path: Path) -> None:
    for value in VALUES:
        data = {name: value}
        is_table = name == "per-config-ignores" and not isinstance(value, dict)
        if is_table or _codes_fit(data):
            assert is_valid(data) is is_read(data, tmp_path), data


@pytest.mark.parametrize("name", [*EXPECT, "unknown"])
def test_entries_of_an_expectation(name: str, tmp_path: Path) -> None:
    for value in VALUES:
        data = {"expect": [{"parameters": "*", "lr": 1, name: value}]}
        assert is_valid(data) is is_read(data, tmp_path), data


@pytest.mark.parametrize("name", [*TARGET, "unknown"])
def test_entries_of_a_target(name: str, tmp_path: Path) -> None:
    for value in VALUES:
        data = {"targets": [{"model": "resnet18", "configs": "a.py", name: value}]}
        assert is_valid(data) is is_read(data, tmp_path), data


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.sets(st.sampled_from([*EXPECT]), max_size=3), others=st.sets(st.sampled_from([*TARGET])))  # fmt: skip
def test_what_tables_must_have(names: set[str], others: set[str], tmp_path: Path) -> None:
    good = {"rule": "norm", "frozen": True, "never-zero": True, "min-parameters": 1, "share": 0.5}
    entries = {name: good.get(name, 1 if name in DEMANDS else "*") for name in names}
    data = {"expect": [entries]}
    assert is_valid(data) is is_read(data, tmp_path)
    target = {name: {} if name == "arguments" else "a" for name in others}
    assert is_valid({"targets": [target]}) is is_read({"targets": [target]}, tmp_path)


def test_the_documented_table_names_every_entry() -> None:
    """The table of ``.github/docs/ci.md``: its first column has the entries at the top, and all it has are some."""
    page = (ROOT / ".github/docs/ci.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \| (.*) \|$", page, re.MULTILINE)
    first = {word.strip("[]") for names, _ in rows for word in re.findall(r"`([^`]+)`", names)}
    assert first == set(TOP)
    described = {names: set(re.findall(r"`([\w-]+)`", text)) for names, text in rows}
    assert described["`[[targets]]`"] == set(TARGET)
    assert described["`[[expect]]`"] <= set(EXPECT)
