"""A folder of deliberately bad configs gives exactly its expected findings, in each format.

``pytest --update-goldens`` writes the expected reports anew; look at the difference before it is kept.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from optplan import __version__
from tests.conftest import Invoke
from tests.sarif import validate_sarif
from tests.schema import validate

GOLDENS = Path(__file__).with_name("goldens")
FOLDER = "tests/checks/bad_configs"
MODEL = "sample_configs/models.py:Segmentor"
ENDINGS = {
    "text": "txt",
    "json": "json",
    "github": "github.txt",
    "sarif": "sarif",
    "junit": "xml",
    "md": "md",
}
# What the folder was written for; each golden has to hold the same findings.
CODES = Counter(
    OPT001=1, OPT002=1, OPT003=1, OPT004=3, OPT006=1, OPT007=1, OPT101=2, OPT102=1, OPT103=2,
    OPT107=1, OPT108=1, OPT901=1,
)  # fmt: skip


@pytest.mark.parametrize("output_format", ENDINGS)
def test_golden(output_format: str, invoke: Invoke, request: pytest.FixtureRequest) -> None:
    done = invoke("check", FOLDER, "--model", MODEL, "--format", output_format)
    assert (done.returncode, done.stderr) == (1, "")
    report = done.stdout.replace(f'"{__version__}"', '"VERSION"')
    golden = GOLDENS / f"bad_configs.{ENDINGS[output_format]}"
    if request.config.getoption("--update-goldens"):
        golden.write_text(report, "utf-8")
    assert golden.exists(), "no golden: run pytest --update-goldens"
    assert report == golden.read_text("utf-8")


def test_no_golden_is_left_over() -> None:
    expected = {f"bad_configs.{ending}" for ending in ENDINGS.values()}
    assert {path.name for path in GOLDENS.iterdir()} == expected


def golden(output_format: str) -> str:
    return (GOLDENS / f"bad_configs.{ENDINGS[output_format]}").read_text("utf-8")


def test_the_goldens_hold_what_the_folder_was_written_for() -> None:
    data = json.loads(golden("json"))
    validate(data, "check-1.0")
    assert Counter(finding["code"] for finding in data["findings"]) == CODES
    log = json.loads(golden("sarif"))
    validate_sarif(log)
    assert Counter(result["ruleId"] for result in log["runs"][0]["results"]) == CODES
    befores = (("text", ": "), ("github", "(?:title=|^- .*: )"), ("junit", 'name="'))
    for output_format, before in befores:
        text = golden(output_format)
        found = {code: len(re.findall(f"{before}{code} ", text, re.MULTILINE)) for code in CODES}
        assert found == dict(CODES), output_format
    assert sum(line.startswith("| ") and "OPT" in line for line in golden("md").splitlines()) == 16


def test_the_base_file_is_told_once_with_all_that_it_affects() -> None:
    (finding,) = [f for f in json.loads(golden("json"))["findings"] if "_delete'" in f["message"]]
    assert finding["file"] == f"{FOLDER}/_base_/delete.py"
    assert finding["configs"] == [
        f"{FOLDER}/_base_/delete.py",
        f"{FOLDER}/large.py",
        f"{FOLDER}/small.py",
    ]
