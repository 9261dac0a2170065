"""``optplan checks``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from optplan.checks import ALL_CHECKS
from tests.checks.fakes import FAKES
from tests.conftest import Invoke, Result
from tests.schema import validate

Checks = Callable[..., Result]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> Checks:
    monkeypatch.setattr("optplan.checks.ALL_CHECKS", FAKES)
    return lambda *words: invoke("checks", *words)


PAGE = """\
OPT103 unmatched-key   error
Needs a model (--model).

A custom key that is in no parameter's name, so that it does nothing.

Bad, for a model whose parameters start with `backbone.` and `head.`:

    custom_keys={'backbon.': dict(lr_mult=0.1)}

Good:

    custom_keys={'backbone.': dict(lr_mult=0.1)}

The same for a regular expression of torchtitan's `param_groups` or fairseq2's
`groups`: look whether it is searched for anywhere in a name or must match from
the beginning, as the head of `show` says.

A key that stands in a `_base_` file is a warning only: the file may serve other
models.
"""


@pytest.mark.parametrize("word", ["OPT103", "opt103", "unmatched-key"])
def test_page(word: str, checks: Checks) -> None:
    done = checks(word)
    assert (done.returncode, done.stdout, done.stderr) == (0, PAGE, "")


def test_several_pages(checks: Checks) -> None:
    done = checks("OPT106", "OPT103", "OPT106")
    assert done.stdout == (
        f"{PAGE}\n"
        "OPT106 on-request   info\n"
        "Opt-in (--select OPT106).\n"
        "\n"
        "An opt-in check: it finds every config.\n"
    )


@pytest.mark.parametrize("words", [["OPT10"], ["opt10"], ["OPT10", "OPT103"]])
def test_the_beginning_of_codes_lists_them(words: list[str], checks: Checks) -> None:
    done = checks(*words)
    assert (done.returncode, done.stderr) == (0, "")
    codes = [line.split()[0] for line in done.stdout.splitlines() if "OPT" in line]
    assert codes == ["OPT102", "OPT103", "OPT106", "OPT107"]
    assert done.stdout.endswith("\n 4 checks\n")


@pytest.mark.parametrize("words", [[], ["--all"]])
def test_all(words: list[str], checks: Checks) -> None:
    done = checks(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        " code    name                severity  needs          summary\n"
        " OPT004  unreadable-config   error                    A config that cannot be read, or whose optimizer section is wrong.\n"
        " OPT102  unknown-field       warning                  A field of a custom key that is neither known nor allowed.\n"
        " OPT103  unmatched-key       error     model          A custom key that is in no parameter's name, so that it does nothing.\n"
        " OPT106  on-request          info             opt-in  An opt-in check: it finds every config.\n"
        " OPT107  bad-key             error                    A custom key that begins with `bad`. A warning for `bad_w`, an info for `bad_i`.\n"
        " OPT110  crash               error                    A check with a bug.\n"
        " OPT111  slow                error                    A check that takes its time, and leaves a file that names its process.\n"
        " OPT801  expectation-broken  error     model          A plan that is not what the project expects of it.\n"
        " OPT901  unused-suppression  warning                  A suppression that nothing needs any more, so that it could hide a new mistake unseen.\n"
        "\n"
        " 9 checks\n"
    )


def test_json(checks: Checks) -> None:
    data = json.loads(checks("--all", "--format", "json").stdout)
    validate(data, "rule-1.0")
    assert [check["code"] for check in data["checks"] if check["opt_in"]] == ["OPT106"]
    summaries = {check["code"]: check["summary"] for check in data["checks"]}
    assert summaries["OPT004"] == (
        "A config that cannot be read, or whose optimizer section is wrong."
    )
    (one,) = json.loads(checks("OPT103", "--format", "json").stdout)["checks"]
    assert (one["name"], one["severity"], one["needs_model"]) == ("unmatched-key", "error", True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["OPT130"], "error: there is no check 'OPT130'\n  hint: did you mean 'OPT110'"),
        (["unmatched-keys"], "error: there is no check 'unmatched-keys'\n  hint: did you mean"),
        (["x"], "error: there is no check 'x'\n  hint: 'optplan checks' lists them\n"),
        (["--all", "OPT103"], "error: --all lists all checks, and some are named\n"),
    ],
)
def test_usage(words: list[str], message: str, checks: Checks) -> None:
    done = checks(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.code)
def test_every_page_fits_80_columns(check: object, invoke: Invoke) -> None:
    page = invoke("checks", getattr(check, "code", "")).stdout
    assert max(map(len, page.splitlines())) <= 80
    assert "\n\n    " in page, "a page shows a bad config and the mended one"


def test_the_word_of_earlier_versions(checks: Checks, invoke: Invoke) -> None:
    assert invoke("rule", "OPT103").stdout == checks("OPT103").stdout
