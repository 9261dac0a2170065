"""What all checks have in common."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

from optplan.checks import ALL_CHECKS, Check
from optplan.checks.facts.torch_signatures import torch_optimizer
from optplan.constructors.optimizers import OPTIMIZERS, first_argument

NEED_NO_MODEL = {
    "OPT001",
    "OPT002",
    "OPT003",
    "OPT005",
    "OPT007",
    "OPT101",
    "OPT102",
    "OPT105",
    "OPT502",
    "OPT504",
    "OPT505",
}
OPT_IN = {"OPT106", "OPT202", "OPT407", "OPT702"}
# fmt: off
CODES = {
    "OPT001", "OPT002", "OPT003", "OPT005", "OPT006", "OPT007", "OPT101", "OPT102", "OPT103", "OPT105",
    "OPT106", "OPT107", "OPT108", "OPT109", "OPT110", "OPT111", "OPT201", "OPT202", "OPT203", "OPT205",
    "OPT206", "OPT207", "OPT412", "OPT507",
    "OPT302", "OPT304", "OPT401", "OPT402", "OPT403", "OPT404", "OPT405", "OPT407", "OPT408", "OPT410", "OPT411", "OPT501",
    "OPT502", "OPT504", "OPT505", "OPT702",
}
# fmt: on


def test_codes_in_order() -> None:
    codes = [check.code for check in ALL_CHECKS]
    assert codes == sorted(codes)
    assert len(set(codes)) == len(codes) == len({check.name for check in ALL_CHECKS})
    assert set(codes) >= CODES


def test_what_runs_when() -> None:
    mine = [check for check in ALL_CHECKS if check.code in CODES]
    assert {check.code for check in mine if not check.needs_plan} == NEED_NO_MODEL
    assert {check.code for check in mine if check.opt_in} == OPT_IN


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda check: check.code)
def test_each_has_its_page_and_file(check: Check) -> None:
    module = sys.modules[type(check).__module__]
    assert module.__name__ == f"optplan.checks.catalog.{check.name.replace('-', '_')}"
    assert (module.__doc__ or "").startswith(check.code)
    page = inspect.getdoc(check)
    assert page is not None
    assert page.splitlines()[0].endswith((".", ":"))
    assert "::" in page


def test_the_checks_import_no_torch() -> None:
    code = "import sys, optplan.checks; print([m for m in sys.modules if m in ('torch', 'timm')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_signatures_read_from_source_are_those_of_the_classes() -> None:
    compared = 0
    for name, found in OPTIMIZERS.module_dict.items():
        if name == "Optimizer" or not found.__module__.startswith("torch.optim"):
            continue
        given = torch_optimizer(name)
        assert given is not None, name
        parameters = set(inspect.signature(found).parameters) - {first_argument(found)}
        assert given.arguments is not None
        assert set(given.arguments) == parameters, name
        assert given.group_names >= parameters, name
        compared += 1
    assert compared >= 13


@pytest.mark.parametrize(
    "name", ["Adafactor", "Lion", "LRScheduler", "Optimizer", "apex.SGD", "", "torch.optim.nope"]
)
def test_what_is_no_optimizer_of_torch(name: str) -> None:
    assert torch_optimizer(name) is None


def test_defaults_that_are_no_argument() -> None:
    given = torch_optimizer("AdamW")
    assert given is not None
    assert "decoupled_weight_decay" in given.group_names
    assert "decoupled_weight_decay" not in (given.arguments or ())


def test_pages_are_short_enough_for_a_terminal() -> None:
    for check in ALL_CHECKS:
        lengths = [len(line) for line in (inspect.getdoc(check) or "").splitlines()]
        assert max(lengths) <= 110, check.code
        assert not re.search(r"\t", inspect.getdoc(check) or ""), check.code
