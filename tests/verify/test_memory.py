"""Models whose steps do not fit into memory: a sample of their tensors is stepped, and the rest is named."""

from __future__ import annotations

import pytest
import torch

from optplan.verify import stages
from optplan.verify.devices import free_bytes
from optplan.verify.results import Movement
from tests.verify.given import Cnn, config, source, verified
from tests.verify.test_sabotage import SkipsThird


def limited(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(stages, "free_bytes", lambda _: count)


def test_all_is_stepped_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 477 * 8 * 4)
    found = verified(source(Cnn, config("AdamW")))
    assert (found.matches, found.remarks, found.unchecked) == (True, (), ())


def test_a_sample_is_stepped_where_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 200 * 8 * 4)
    found = verified(source(Cnn, config("AdamW")))
    assert found.matches
    assert [one.name for one in found.unchecked] == ["body.0.weight"]  # 288 of the 477 elements
    (one,) = found.unchecked
    assert one.exact.reason == "memory does not hold the state of all tensors at once"
    assert one.trained is not None
    assert one.trained.movement is Movement.MOVED  # in float32 it fits
    assert found.remarks == (
        "not checked in float64: 1 of 10 tensors, which take 1.24e-05 GiB to step where 5.96e-06 GiB are free "
        "on cpu; the smallest of each kind were stepped",
    )


def test_what_departs_in_the_sample_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 200 * 8 * 4)
    found = verified(source(Cnn, config(SkipsThird, momentum=0.9)))
    assert [one.name for one in found.against_plan] == ["norm.bias"]


def test_free_memory_is_told_on_linux() -> None:
    free = free_bytes(torch.device("cpu"))
    assert free is not None
    assert free > 1 << 20
