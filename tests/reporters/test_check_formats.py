"""Every format of ``check``, on findings whose keys try to be something else than text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from optplan.checks import ALL_CHECKS
from optplan.checks.results import CheckReport, FindingLocation, Reported
from optplan.names import Severity
from optplan.reporters.check.concise import render as check_concise
from optplan.reporters.check.github import render as check_github
from optplan.reporters.check.gitlab import render as check_gitlab
from optplan.reporters.check.json import render as check_json
from optplan.reporters.check.junit import render as check_junit
from optplan.reporters.check.md import literal
from optplan.reporters.check.md import render as check_md
from optplan.reporters.check.pages import markdown_pages
from optplan.reporters.check.rdjson import render as check_rdjson
from optplan.reporters.check.sarif import render as check_sarif
from optplan.reporters.check.text import render as check_text
from optplan.reporters.check.words import check_statistics
from tests.checks.fakes import FAKES
from tests.conftest import ROOT
from tests.sarif import validate_sarif
from tests.schema import validate

EVIL = "a\x1b[31m|`b`<i>[x](y)*_%0A,:\r\n::error::@team #1 é\u202e\ud800\x00]]>"
SHOWN = "a\\x1b[31m|`b`<i>[x](y)*_%0A,:\\r\\n::error::@team #1 é\\u202e\\ud800\\x00]]>"

REPORT = CheckReport(
    findings=(
        Reported(
            code="OPT103",
            name="unmatched-key",
            severity=Severity.WARNING,
            message="key 'backbon' matches no parameter",
            hint="did you mean 'backbone'?",
            key="custom_keys.backbon",
            location=FindingLocation(file="_base_/s gd,1.py", line=14, column=9, text="        backbon=dict(lr_mult=0.1),"),
            configs=("a.py", "b.py"),
        ),
        Reported(
            code="OPT107",
            name="bad-key",
            severity=Severity.ERROR,
            message="key 'x' is bad",
            hint="leave it out",
            key="custom_keys.x",
            location=FindingLocation(file="a.py", line=3, column=5, text="\té = 'xé'  # y"),
            configs=("a.py",),
            parameters=("p.1", "p.2", "p.3", "p.4"),
        ),
        Reported(
            code="OPT106",
            name="on-request",
            severity=Severity.INFO,
            message=f"key {EVIL}",
            key=EVIL,
            location=FindingLocation(file="mm::c.py"),
            configs=("mm::c.py",),
            parameters=("p.1",),
        ),
    ),
    configs=("a.py", "b.py", "clean.py", "mm::c.py"),
    parts=2,
    others=1,
    checks=("OPT103", "OPT106", "OPT107"),
    left_out=("OPT103",),
    without_model=2,
    suppressed=1,
)  # fmt: skip
EMPTY = CheckReport(findings=(), configs=("a.py",))

SUMMARY = """\
1 error, 1 warning, 1 info in 3 of 4 configs
1 finding suppressed
1 check skipped in 2 configs: no model given; name one with --model
2 files passed over: no optimizer in them
1 file passed over: no config
"""


def test_text() -> None:
    assert check_text(REPORT, color=False) == (
        "_base_/s gd,1.py:14:9: OPT103 warning: key 'backbon' matches no parameter, "
        "did you mean 'backbone'?\n"
        "   14 │ backbon=dict(lr_mult=0.1),\n"
        "      │ ^^^^^^^\n"
        "  affects 2 configs: a.py, b.py\n"
        "a.py:3:5: OPT107 key 'x' is bad\n"
        "    3 │ é = 'xé'  # y\n"
        "      │    ^ 4 parameters: p.1, p.2, p.3 and 1 more\n"
        "  hint: leave it out\n"
        f"mm::c.py: OPT106 info: key {SHOWN}\n"
        "  1 parameter: p.1\n"
        f"{SUMMARY}"
    )
    assert check_text(EMPTY, color=False) == "no findings in 1 config\n"


def test_text_in_colour() -> None:
    text = check_text(REPORT, color=True)
    assert "\x1b[33mOPT103\x1b[0m" in text
    assert "\x1b[31mOPT107\x1b[0m" in text
    assert re.sub(r"\x1b\[\d+m", "", text) == check_text(REPORT, color=False)


def test_json() -> None:
    data = json.loads(check_json(REPORT, version="1.2.3"))
    validate(data, "check-1.0")
    assert data["versions"] == {"optplan": "1.2.3"}
    assert data["summary"] == {
        "error": 1,
        "warning": 1,
        "info": 1,
        "suppressed": 1,
        "configs": 4,
        "configs_with_findings": 3,
        "configs_without_model": 2,
        "without_optimizer": 2,
        "no_config": 1,
        "passed_over": {},
        "generations": {},
    }
    assert data["checks_left_out"] == ["OPT103"]
    first, _, last = data["findings"]
    assert first == {
        "code": "OPT103",
        "name": "unmatched-key",
        "severity": "warning",
        "message": "key 'backbon' matches no parameter",
        "hint": "did you mean 'backbone'?",
        "key": "custom_keys.backbon",
        "file": "_base_/s gd,1.py",
        "line": 14,
        "column": 9,
        "source": "        backbon=dict(lr_mult=0.1),",
        "configs": ["a.py", "b.py"],
        "parameters": [],
        "fix": None,
    }
    assert (last["line"], last["column"], last["source"], last["key"]) == (None, None, None, EVIL)
    validate(json.loads(check_json(EMPTY, version="1.2.3")), "check-1.0")


def test_github() -> None:
    assert check_github(REPORT) == (
        "::warning file=_base_/s gd%2C1.py,line=14,col=9,title=OPT103 unmatched-key::"
        "key 'backbon' matches no parameter, did you mean 'backbone'?%0A"
        "affects 2 configs: a.py, b.py\n"
        "::error file=a.py,line=3,col=5,title=OPT107 bad-key::key 'x' is bad%0Aleave it out\n"
        "::notice file=mm%3A%3Ac.py,title=OPT106 on-request::"
        "key a\\x1b[31m|`b`<i>[x](y)*_%250A,:\\r\\n::error::@team #1 é\\u202e\\ud800\\x00]]>\n"
        f"{SUMMARY}"
    )


def test_github_shows_ten_annotations_of_a_severity_and_sums_the_rest_up() -> None:
    warning, error, notice = REPORT.findings
    many = (*[warning] * 10, *[error] * 11, replace(error, code="OPT004"), notice)
    lines = check_github(replace(REPORT, findings=many)).splitlines()
    commands = [line.partition(" ")[0] for line in lines if line.startswith("::")]
    assert commands == ["::warning"] * 10 + ["::error"] * 9 + ["::notice", "::error"]
    assert lines[20:24] == [
        "::error title=optplan check::3 more errors in the log: 1 OPT004, 2 OPT107",
        "- a.py:3:5: OPT107 error: key 'x' is bad",
        "- a.py:3:5: OPT107 error: key 'x' is bad",
        "- a.py:3:5: OPT004 error: key 'x' is bad",
    ]
    ten = check_github(replace(REPORT, findings=many[:10]))
    assert "more" not in ten


def test_the_page_of_checks_is_made_from_the_code() -> None:
    page = ROOT / ".github" / "docs" / "checks.md"
    assert page.read_text("utf-8") == markdown_pages(ALL_CHECKS)


def test_the_rules_of_sarif_lead_to_their_titles_on_the_page() -> None:
    report = replace(EMPTY, checks=tuple(check.code for check in ALL_CHECKS))
    log = json.loads(check_sarif(report, checks=ALL_CHECKS, version="1.2.3"))
    validate_sarif(log)
    titles = re.findall(r"^## (.+)$", markdown_pages(ALL_CHECKS), re.MULTILINE)
    anchors = [title.lower().replace(" ", "-") for title in titles]
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["helpUri"].partition("checks.md#")[2] for rule in rules] == anchors
    (unread,) = (rule for rule in rules if rule["id"] == "OPT101")
    assert unread["help"]["markdown"] == (
        "An entry of `paramwise_cfg` that its constructor never reads, so that it does nothing.\n\n"
        "Bad:\n\n```\nparamwise_cfg=dict(_delete=True, norm_decay_mul=0.0)\n```\n\n"
        "Good:\n\n```\nparamwise_cfg=dict(_delete_=True, norm_decay_mult=0.0)\n```\n"
    )


def test_sarif() -> None:
    text = check_sarif(REPORT, checks=FAKES, version="1.2.3")
    log = json.loads(text)
    validate_sarif(log)
    validate_sarif(json.loads(check_sarif(EMPTY, checks=FAKES, version="1.2.3")))
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["OPT103", "OPT106", "OPT107"]
    first, second, third = run["results"]
    assert [run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] for r in run["results"]] == [
        "OPT103",
        "OPT107",
        "OPT106",
    ]
    assert [result["level"] for result in run["results"]] == ["warning", "error", "note"]
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "_base_/s%20gd%2C1.py", "uriBaseId": "%SRCROOT%"},
                "region": {
                    "startLine": 14,
                    "startColumn": 9,
                    "snippet": {"text": "        backbon=dict(lr_mult=0.1),"},
                },
            }
        }
    ]
    assert "region" not in third["locations"][0]["physicalLocation"]
    assert third["message"]["text"] == f"key {SHOWN}".replace("](", "]\\(")
    assert second["properties"]["parameters"] == ["p.1", "p.2", "p.3", "p.4"]


def test_sarif_fingerprints_do_not_move() -> None:
    """Code, file and key alone: the same after lines, words and affected configs changed."""
    first = REPORT.findings[0]
    moved = Reported(
        code=first.code,
        name=first.name,
        severity=Severity.ERROR,
        message="other words",
        key=first.key,
        location=FindingLocation(file=first.location.file, line=99, column=1, text="x"),
        configs=("c.py",),
    )
    other = Reported(
        code=first.code,
        name=first.name,
        severity=first.severity,
        message=first.message,
        key="custom_keys.other",
        location=first.location,
        configs=first.configs,
    )
    log = json.loads(
        check_sarif(
            CheckReport(findings=(first, moved, other), configs=("a.py",)),
            checks=FAKES,
            version="1.2.3",
        )
    )
    prints = [result["partialFingerprints"]["optplan/v1"] for result in log["runs"][0]["results"]]
    assert prints[0] == "39b8fc054bbf59295d9a61b439d96440f8954d0dbfb109abbf72e68f3490c4e7"
    assert prints[0] == prints[1] != prints[2]


def test_sarif_of_a_file_outside() -> None:
    found = Reported(
        code="OPT107",
        name="bad-key",
        severity=Severity.ERROR,
        message="m",
        key="k",
        location=FindingLocation(file="/x/a b.py", line=1, column=1),
        configs=("/x/a b.py",),
    )
    log = json.loads(
        check_sarif(CheckReport(findings=(found,), configs=()), checks=FAKES, version="1")
    )
    validate_sarif(log)
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "file:///x/a%20b.py"}


@pytest.mark.parametrize(
    ("fail_on", "failures"), [(Severity.ERROR, 1), (Severity.WARNING, 2), (Severity.INFO, 3)]
)
def test_junit(fail_on: Severity, failures: int) -> None:
    root = ET.fromstring(check_junit(REPORT, fail_on=fail_on))
    (suite,) = root
    assert (root.attrib["tests"], root.attrib["failures"]) == ("4", str(failures))
    assert suite.attrib["failures"] == str(failures)
    cases = [(case.attrib["classname"], case.attrib["name"]) for case in suite]
    assert cases == [
        ("_base_/s gd,1.py", "OPT103 custom_keys.backbon"),
        ("a.py", "OPT107 custom_keys.x"),
        ("mm::c.py", f"OPT106 {SHOWN}"),
        ("clean.py", "optplan"),
    ]
    assert len(suite.findall("testcase/failure")) == failures
    failure = suite.findall("testcase/failure")[failures // 2 if failures > 1 else 0]
    assert failure.attrib == {"type": "OPT107", "message": "key 'x' is bad"}
    assert failure.text == "a.py:3:5: error OPT107 key 'x' is bad\n\\té = 'xé'  # y\nleave it out"


def test_md() -> None:
    text = check_md(REPORT)
    assert text.splitlines()[:5] == [
        "## optplan check",
        "",
        "| | place | code | finding |",
        "| --- | --- | --- | --- |",
        "| 🟡 warning | \\_base\\_/s gd,1.py:14:9 | OPT103 | key 'backbon' matches no parameter, "
        "did you mean 'backbone'?<br>affects 2 configs: a.py, b.py |",
    ]
    assert text.splitlines()[6] == (
        "| 🔵 info | mm::c.py | OPT106 | key a\\\\x1b\\[31m\\|\\`b\\`\\<i\\>\\[x\\](y)\\*\\_%0A,:"
        "\\\\r\\\\n::error::@<!-- -->team #<!-- -->1 é\\\\u202e\\\\ud800\\\\x00\\]\\]\\> |"
    )
    assert text.endswith(
        "\n\n**1 error, 1 warning, 1 info in 3 of 4 configs**\n\n"
        "- 1 finding suppressed\n"
        "- 1 check skipped in 2 configs: no model given; name one with --model\n"
        "- 2 files passed over: no optimizer in them\n"
        "- 1 file passed over: no config\n"
    )
    assert check_md(EMPTY) == "## optplan check\n\n**no findings in 1 config**\n"
    assert literal("a & b") == "a &amp; b"


def test_every_format_can_be_written_as_utf_8() -> None:
    for text in (
        check_text(REPORT, color=True),
        check_json(REPORT, version="1"),
        check_github(REPORT),
        check_sarif(REPORT, checks=FAKES, version="1"),
        check_junit(REPORT, fail_on=Severity.ERROR),
        check_md(REPORT),
    ):
        assert text.encode("utf-8").decode("utf-8") == text


def test_concise() -> None:
    assert check_concise(REPORT) == (
        "_base_/s gd,1.py:14:9: OPT103 warning: key 'backbon' matches no parameter, did you mean"
        " 'backbone'? [2 configs]\n"
        "a.py:3:5: OPT107 error: key 'x' is bad\n"
        f"mm::c.py: OPT106 info: key {SHOWN}\n" + SUMMARY
    )
    assert check_concise(EMPTY) == "no findings in 1 config\n"


def test_gitlab() -> None:
    first, second, third = json.loads(check_gitlab(REPORT))
    assert first == {
        "description": "key 'backbon' matches no parameter, did you mean 'backbone'?",
        "check_name": "OPT103 unmatched-key",
        "fingerprint": first["fingerprint"],
        "severity": "minor",
        "location": {"path": "_base_/s gd,1.py", "lines": {"begin": 14}},
    }
    assert (second["severity"], third["severity"]) == ("major", "info")
    assert third["location"] == {"path": "mm::c.py", "lines": {"begin": 1}}
    assert json.loads(check_gitlab(EMPTY)) == []


def test_fingerprints_of_gitlab_tell_findings_apart_and_stay() -> None:
    again = replace(REPORT.findings[1], location=FindingLocation(file="a.py", line=9, column=1))
    twice = replace(REPORT, findings=(*REPORT.findings, again))
    fingerprints = [entry["fingerprint"] for entry in json.loads(check_gitlab(twice))]
    assert len(set(fingerprints)) == 4
    moved = json.loads(check_gitlab(replace(REPORT, findings=(again,))))
    assert moved[0]["fingerprint"] == fingerprints[1]


def test_rdjson() -> None:
    data = json.loads(check_rdjson(REPORT))
    assert data["source"] == {"name": "optplan"}
    first, second, third = data["diagnostics"]
    assert first == {
        "message": "key 'backbon' matches no parameter, did you mean 'backbone'?\naffects 2 configs: a.py, b.py",
        "location": {"path": "_base_/s gd,1.py", "range": {"start": {"line": 14, "column": 9}}},
        "severity": "WARNING",
        "code": {"value": "OPT103"},
    }
    # two bytes for the letter before
    assert second["location"]["range"] == {"start": {"line": 3, "column": 6}}
    assert second["message"] == "key 'x' is bad\nleave it out"
    assert third["location"] == {"path": "mm::c.py"}
    assert json.loads(check_rdjson(EMPTY))["diagnostics"] == []


def test_statistics() -> None:
    assert check_statistics(REPORT, as_json=False) == (
        "2  OPT103  warning  unmatched-key\n"
        "1  OPT106  info     on-request\n"
        "1  OPT107  error    bad-key\n"
    )
    assert check_statistics(EMPTY, as_json=False) == "no findings\n"
    assert json.loads(check_statistics(REPORT, as_json=True))[0] == {
        "code": "OPT103",
        "name": "unmatched-key",
        "severity": "warning",
        "count": 2,
    }
