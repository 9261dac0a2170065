"""The device that a word means, and the same runs on CUDA where there is one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from optplan.errors import UsageError, VerifyError
from optplan.verify.devices import ChosenDevice, choose_device, exact_device, within_memory
from optplan.verify.inputs import InputShape
from optplan.verify.results import RealStep
from tests.verify.given import Cnn, Matrices, config, source, verified

cuda = pytest.mark.cuda
IMAGES = (InputShape(shape=(2, 3, 8, 8)),)


def devices(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_auto_takes_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    devices(2, monkeypatch)
    assert choose_device("auto") == ChosenDevice(device=torch.device("cuda:0"), chosen="auto")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("auto").device == torch.device("cuda:1")
    assert choose_device("cuda").device == torch.device("cuda:1")
    devices(0, monkeypatch)
    assert choose_device("auto") == ChosenDevice(
        device=torch.device("cpu"), chosen="auto: there is no CUDA device"
    )


@pytest.mark.parametrize("word", ["cuda:2", "mps"])
def test_devices_that_are_not_there(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    devices(2, monkeypatch)
    with pytest.raises(VerifyError) as raised:
        choose_device(word)
    assert str(raised.value) == f"there is no device {word!r} (there are: cpu, cuda:0, cuda:1)"


@pytest.mark.parametrize("word", ["gpu", "cpu:0", "cuda:", "cuda:x", "", "auto:0"])
def test_words_that_are_no_devices(word: str) -> None:
    with pytest.raises(UsageError, match="is none of auto, cpu, cuda, cuda:N, mps"):
        choose_device(word)


def test_mps_has_no_float64() -> None:
    assert exact_device(torch.device("mps")) == torch.device("cpu")
    assert exact_device(torch.device("cuda:1")) == torch.device("cuda:1")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] . DefaultCPUAllocator: can't allocate memory: 5 bytes"),
    ],
)
def test_running_out_of_memory_is_said_in_one_line(error: Exception) -> None:
    with (
        pytest.raises(VerifyError, match=r"^not enough memory on cuda:1 for steps: \S"),
        within_memory("steps", torch.device("cuda:1")),
    ):
        raise error


def test_other_errors_pass() -> None:
    with (
        pytest.raises(RuntimeError, match="something else"),
        within_memory("it", torch.device("cpu")),
    ):
        raise RuntimeError("something else")


@cuda
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("SGD", {"momentum": 0.9}),
        ("AdamW", {}),
        ("AdamW", {"fused": True}),
        ("AdamW", {"foreach": False}),
        ("AdamW", {"capturable": True}),
        ("RMSprop", {}),
        ("NAdam", {}),
        ("RAdam", {}),
        ("timm:lion", {}),
        ("timm:lamb", {}),
    ],
)
def test_optimizers_on_cuda(kind: str, arguments: dict[str, Any]) -> None:
    found = verified(source(Cnn, config(kind, **arguments)), device="cuda:0")
    assert found.matches
    assert found.unchecked == ()


@cuda
def test_muon_multiplies_in_bfloat16_on_cuda() -> None:
    found = verified(source(Matrices, config("Muon", {})), device="cuda:0")
    assert found.matches


@cuda
def test_a_real_step_and_its_cost_on_cuda() -> None:
    found = verified(
        source(Cnn, config("AdamW")),
        device="cuda:0",
        forward=True,
        inputs=IMAGES,
        amp=True,
        cost=True,
    )
    assert found.matches
    assert isinstance(found.step, RealStep)
    assert found.cost is not None
    assert {one.implementation for one in found.cost.timings} == {"default", "foreach", "fused"}
    assert found.cost.peak_bytes
