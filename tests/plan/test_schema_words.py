"""The published schemas name every rule; ``pytest --update-goldens`` writes their lists anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import optplan
from optplan.names import Rule

# a list of words with one of the rules among them
_RULES = re.compile(r'\[[^\[\]]*"dcn_offset"[^\[\]]*\]')
_SCHEMAS = sorted((Path(optplan.__file__).parent / "schemas").glob("*.json"))
_WRITTEN = [path for path in _SCHEMAS if _RULES.search(path.read_text("utf-8"))]


def test_some_schemas_name_the_rules() -> None:
    names = {path.name.partition("-1.0")[0] for path in _WRITTEN}
    assert names == {"plan", "diff", "groups-view", "layers-view", "tree-view"}


@pytest.mark.parametrize("path", _WRITTEN, ids=lambda path: path.name)
def test_each_rule_is_named(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text("utf-8")
    if request.config.getoption("--update-goldens"):
        words = ", ".join(f'"{rule}"' for rule in Rule)
        text = _RULES.sub(f"[{words}]", text)
        path.write_text(text, "utf-8")
    for found in _RULES.findall(text):
        assert re.findall(r'"(\w+)"', found) == [rule.value for rule in Rule]
