"""The formats through the command: the same findings and the same status in each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.checks.conftest import Check, config
from tests.sarif import validate_sarif
from tests.schema import validate

Write = Callable[..., Path]
FORMATS = ("text", "json", "github", "sarif", "junit", "md", "concise", "gitlab", "rdjson")


@pytest.fixture
def findings(write: Write) -> None:
    write("_base_/base.py", config("bad_w"))
    write("a.py", config("bad", base="_base_/base.py"))
    write("b.py", "optimizer = 3\n")


def found(output_format: str, text: str) -> list[str]:
    """``a.py OPT107`` for each finding of a report."""
    match output_format:
        case "json":
            data = json.loads(text)
            validate(data, "check-1.0")
            return [f"{one['file']} {one['code']}" for one in data["findings"]]
        case "sarif":
            log = json.loads(text)
            validate_sarif(log)
            return [
                f"{one['locations'][0]['physicalLocation']['artifactLocation']['uri']} {one['ruleId']}"
                for one in log["runs"][0]["results"]
            ]
        case "gitlab":
            entries = json.loads(text)
            return [f"{one['location']['path']} {one['check_name'].split()[0]}" for one in entries]
        case "rdjson":
            diagnostics = json.loads(text)["diagnostics"]
            return [f"{one['location']['path']} {one['code']['value']}" for one in diagnostics]
        case "junit":
            cases = ET.fromstring(text).iter("testcase")
            return [f"{c.attrib['classname']} {c.attrib['name'].split()[0]}" for c in cases]
        case "github":
            lines = [line for line in text.splitlines() if line.startswith("::")]
            return [
                f"{line.split('file=')[1].split(',')[0]} {line.split('title=')[1].split()[0]}"
                for line in lines
            ]
        case "md":
            rows = [line.split(" | ") for line in text.splitlines() if "OPT" in line]
            return [f"{row[1].split(':')[0]} {row[2]}".replace("\\", "") for row in rows]
        case _:
            lines = [line for line in text.splitlines() if ": OPT" in line]
            return [f"{line.split(':')[0]} {line.split(': ')[1].split()[0]}" for line in lines]


@pytest.mark.parametrize("output_format", FORMATS)
def test_same_in_each(output_format: str, findings: None, check: Check) -> None:
    done = check("a.py", "b.py", "--format", output_format)
    assert (done.returncode, done.stderr) == (1, "")
    assert found(output_format, done.stdout) == [
        "_base_/base.py OPT107",
        "a.py OPT107",
        "b.py OPT004",
    ]


@pytest.mark.parametrize("output_format", FORMATS)
def test_to_a_file(output_format: str, findings: None, check: Check, tmp_path: Path) -> None:
    stdout = check("a.py", "b.py", "-f", output_format).stdout
    done = check("a.py", "b.py", "-f", output_format, "-o", "report", "--exit-zero")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "report").read_text("utf-8") == stdout


def test_colour(findings: None, check: Check) -> None:
    assert "\x1b[31mOPT004" in check("b.py", "--color", "always").stdout
    assert "\x1b" not in check("b.py").stdout


def test_the_output_cannot_be_written(findings: None, check: Check) -> None:
    done = check("a.py", "-o", "no/report")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot write 'no/report': ")


def test_statistics(findings: None, check: Check) -> None:
    done = check("a.py", "b.py", "--statistics")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "1  OPT004  error    unreadable-config",
        "1  OPT107  error    bad-key",
        "1  OPT107  warning  bad-key",
    ]
    counts = json.loads(check("a.py", "b.py", "--statistics", "--format", "json").stdout)
    assert [(one["code"], one["count"]) for one in counts] == [
        ("OPT004", 1),
        ("OPT107", 1),
        ("OPT107", 1),
    ]
    refused = check("a.py", "--statistics", "--format", "sarif")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: --statistics is written as text or json\n")
