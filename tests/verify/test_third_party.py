"""Sane optimizers of torch and of other packages match, or are said not to be checked; none is blamed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT, Invoke, Result, Tell
from tests.verify.page import section, short, sweep_table, write
from tests.verify.third_party import PACKAGES, everything, left_out, model_of, names

FILE = Path(__file__).with_name("third_party.py").relative_to(ROOT)
pytestmark = pytest.mark.filterwarnings("ignore")

SAMPLE = [
    "torch.Adafactor",
    "torch.ASGD",
    "torch.LBFGS",
    "torch.Muon",
    "torch.Rprop",
    "torch.SparseAdam",
    "timm.adafactorbv",
    "timm.adahessian",
    "timm.adamc",
    "timm.cadafactor",
    "timm.kron",
    "timm.lambw",
    "timm.lionc",
    "timm.sgdc",
    "pytorch_optimizer.FlashAdamW",
    "pytorch_optimizer.LoRARite",
    "pytorch_optimizer.Lookahead",
    "pytorch_optimizer.MARS",
    "pytorch_optimizer.Prodigy",
    "pytorch_optimizer.RAdam",
    "pytorch_optimizer.SAM",
    "pytorch_optimizer.SOAP",
    "pytorch_optimizer.ScalableShampoo",
    "schedulefree.AdamWScheduleFree",
    "schedulefree.SGDScheduleFreeClosure",
    "prodigyopt.Prodigy",
    "dadaptation.DAdaptAdam",
    "lion_pytorch.Lion",
    "came_pytorch.CAME",
    "torchao.AdamW8bit",
    "bitsandbytes.LAMB",
]


@pytest.fixture(autouse=True)
def _eager() -> Iterator[None]:
    """Compile nothing: it takes longer than all steps."""
    torch.compiler.set_stance("force_eager")
    yield
    torch.compiler.set_stance("default")


def verified(invoke: Invoke, optimizer: str) -> Result:
    package, _, name = optimizer.partition(".")
    made = ("-a", f"package={package}", "-a", f"name={name}")
    model = f"{FILE}:{model_of(optimizer).__name__}"
    words = ("--model", model, *made, "--device", "cpu", "--no-cost")
    return invoke("verify", f"{FILE}:build", *words)


HERE = [one for one in SAMPLE if one.partition(".")[0] in ("timm", *PACKAGES)]


@pytest.mark.parametrize("optimizer", HERE)
def test_it_is_not_blamed(optimizer: str, invoke: Invoke) -> None:
    done = verified(invoke, optimizer)
    assert done.returncode == 0, outcome(done)
    assert says_so(done), done.stdout


def says_so(done: Result) -> bool:
    """Return whether a report ends in a match, or says what was not checked."""
    return re.search(r"\bmatches\b|\bnot checked\b", done.stdout) is not None


def outcome(done: Result) -> str:
    """Return how a verification ended, in a line."""
    lines = (done.stdout or done.stderr).strip().splitlines() or ["nothing was said"]
    unchecked = [line.strip() for line in lines if "not checked" in line]
    return "; ".join([(lines[-1] if done.stdout else lines[0]).strip(), *unchecked])


@pytest.mark.sweep
@pytest.mark.parametrize("package", ["timm", *PACKAGES])
def test_no_sane_optimizer_is_blamed(
    package: str, invoke: Invoke, tell: Tell, pytestconfig: pytest.Config
) -> None:
    """Each matches, or it is said what was not checked; the page has the outcomes."""
    blamed = []
    outcomes: dict[str, str] = {}
    for optimizer in (f"{package}.{name}" for name in names(package)):
        why = left_out(optimizer)
        done = None if why else verified(invoke, optimizer)
        found = f"left out: {why}" if done is None else outcome(done)
        outcomes[optimizer.partition(".")[2]] = short(found)
        tell(f"{optimizer}: {found}")
        if done is not None and (done.returncode or not says_so(done)):
            blamed.append((optimizer, done.returncode))
    assert blamed == []
    if pytestconfig.getoption("--update-goldens"):
        write(f"sweep {package}", sweep_table(outcomes))
    assert section(f"sweep {package}") == sweep_table(outcomes)


def test_the_packages_have_as_many_as_ever() -> None:
    found = list(everything())
    # with the extra third-party there are more
    assert len([one for one in found if left_out(one) is None]) > 240
