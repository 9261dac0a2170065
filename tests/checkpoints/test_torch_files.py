"""Checkpoints as torch and its users write them, and files that are none."""

from __future__ import annotations

import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from optplan.checkpoints.training import read_training
from optplan.constructors.optimizers import class_defaults
from optplan.errors import PlanError
from optplan.plan.saved_groups import SavedGroup


def read_checkpoint(path: str) -> tuple[SavedGroup, ...]:
    """The groups of the only optimizer."""
    (groups,) = read_training(path).optimizers.values()
    return groups


def state() -> dict[str, Any]:
    """The state of an optimizer after one step."""
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    groups = [
        {"params": list(model[0].parameters()), "lr": 0.1, "foo": [1, {"a": None}]},
        {"params": list(model[1].parameters()), "lr": torch.tensor(0.5), "weight_decay": 0.25},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.5, 0.75), foreach=False)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda s: s,
        lambda s: {"optimizer": s, "epoch": 3},
        lambda s: {"state_dict": {}, "optimizer_state_dict": s},
        lambda s: {"optimizer_states": [s]},
        lambda s: {"optimizer": {**s, "loss_scaler": {"scale": 1.0}}},
    ],
)
def test_where_states_are(tmp_path: Path, wrapped: Any) -> None:
    path = tmp_path / "last.pth"
    torch.save(wrapped(state()), path)
    first, second = read_checkpoint(str(path))
    assert first.shapes == ((2, 3), (2,))
    assert second.shapes == ((1, 2), (1,))
    assert first.entries["foo"] == (1, {"a": None})
    assert first.entries["betas"] == (0.5, 0.75)
    assert (second.entries["lr"], second.entries["weight_decay"]) == (0.5, 0.25)
    assert "params" not in first.entries


def test_old_format(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({"optimizer": state()}, path, _use_new_zipfile_serialization=False)
    assert len(read_checkpoint(str(path))) == 2


def test_before_the_first_step(tmp_path: Path) -> None:
    path = tmp_path / "first.pt"
    named = [("w", nn.Parameter(torch.zeros(2)))]
    optimizer = torch.optim.SGD([{"params": [p for _, p in named], "param_names": ["w"]}], lr=0.1)
    torch.save(optimizer.state_dict(), path)
    (group,) = read_checkpoint(str(path))
    assert isinstance(group, SavedGroup)
    assert (group.shapes, group.names) == ((None,), ("w",))


class History:
    """What a logger leaves in a checkpoint."""

    def __init__(self, values: list[float]) -> None:
        self.values = values


class Attack:
    """What a stranger may put there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


def test_other_classes_are_inert(tmp_path: Path) -> None:
    path, trap = tmp_path / "last.pth", tmp_path / "trap"
    torch.save({"optimizer": state(), "log": History([1.0]), "more": Attack(trap)}, path)
    assert len(read_checkpoint(str(path))) == 2
    assert not trap.exists()


class Command(Attack):
    """What torch refuses even to look at."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def test_what_is_not_read(tmp_path: Path) -> None:
    path, trap = tmp_path / "last.pth", tmp_path / "trap"
    path.write_bytes(pickle.dumps({"optimizer": Attack(trap)}, protocol=2))
    with pytest.raises(PlanError, match="cannot be read as a checkpoint"):
        read_checkpoint(str(path))
    torch.save({"optimizer": state(), "log": Command(trap)}, path)
    with pytest.raises(
        PlanError, match=r"more than plain data \(Trying to load unsupported GLOBAL"
    ):
        read_checkpoint(str(path))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"state_dict": {}, "epoch": 1}, "no optimizer state: its entries are state_dict, epoch"),
        ({}, "no optimizer state: its entries are none"),
        ([1], "no optimizer state but a list"),
        ({"optimizer_states": []}, "no optimizer state"),
        (
            {"optimizer": {"g": {"state": {}, "param_groups": []}, "d": {}}},
            "no optimizer state: its entries are optimizer",
        ),
        ({"optimizer_states": [{}, {}]}, "no optimizer state: its entries are optimizer_states"),
        ({"state": {}, "param_groups": [{}]}, "a param group has no parameters"),
        ({"state": {}, "param_groups": [{"params": [[1]]}]}, "a param group has no parameters"),
    ],
)
def test_no_state(tmp_path: Path, data: Any, message: str) -> None:
    path = tmp_path / "x.pth"
    torch.save(data, path)
    with pytest.raises(PlanError, match=message):
        read_checkpoint(str(path))


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"\x80\x02", b"\x80\x02cos\nsystem\n.", b""])
def test_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(PlanError, match="cannot be read as a checkpoint"):
        read_checkpoint(str(path))


def holding(**entries: Any) -> dict[str, Any]:
    return {"state": {}, "param_groups": [{"params": [0], **entries}]}


def itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def group_in_itself() -> dict[str, Any]:
    found = holding()
    found["param_groups"][0]["lr"] = found["param_groups"][0]
    return found


def state_in_itself() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["a"] = found
    return found


def doubled(times: int) -> list[Any]:
    found: list[Any] = [1]
    for _ in range(times):
        found = [found, found]
    return found


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("is_zip", [True, False])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (state_in_itself(), "holds no optimizer state: its entries are a"),
        (group_in_itself(), "'lr' of a param group holds itself or too many values"),
        (holding(lr=itself()), "'lr' of a param group holds itself or too many values"),
        (holding(foo=doubled(40)), "'foo' of a param group holds itself or too many values"),
        (holding(foo=nested(300)), "'foo' of a param group holds itself or too many values"),
        ({"state": {}, "param_groups": itself()}, "a param group has no parameters"),
        (holding(params=itself()), "a param group has no parameters"),
    ],
)
def test_what_has_no_end(tmp_path: Path, data: Any, message: str, is_zip: bool) -> None:
    path = tmp_path / "x.pth"
    torch.save(data, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(PlanError, match=message):
        read_checkpoint(str(path))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (torch.zeros(1, dtype=torch.complex64), "0j"),
        (torch.zeros(2), "tensor of shape (2,)"),
        (torch.zeros(1).expand(10**11), "tensor of shape (100000000000,)"),
        (torch.zeros(1, device="meta"), "tensor of shape (1,)"),
        (float("nan"), "nan"),
    ],
    ids=repr,
)
def test_odd_values(tmp_path: Path, value: Any, shown: str) -> None:
    path = tmp_path / "x.pth"
    torch.save(holding(lr=value, param_names=itself(), a=1), path)
    (group,) = read_checkpoint(str(path))
    assert group.entries == {"lr": shown, "a": 1}
    assert group.names is None


def archive(path: Path, compression: int, *, mebibytes: int) -> None:
    """An archive as torch writes it, whose pickle is a list of so much nothing."""
    with zipfile.ZipFile(path, "w", compression) as made:
        made.writestr("archive/version", "3")
        with made.open("archive/data.pkl", "w", force_zip64=True) as file:
            file.write(b"\x80\x02")
            for _ in range(mebibytes):
                file.write(b"N0" * (1 << 19))
            file.write(b"N.")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Its size is that which the archive declares: 2 GiB, of which nothing is read."""
    path = tmp_path / "x.pth"
    archive(path, zipfile.ZIP_DEFLATED, mebibytes=2048)
    assert path.stat().st_size < 4 << 20
    tracemalloc.start()
    with pytest.raises(PlanError, match="unpacked it has 2048 MiB, and at most 64 are read"):
        read_checkpoint(str(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


# A tuple that holds the one before it twice, 60 times over: 2**60 values, which Python would hash one by one.
TWICE = b"K\x01K\x01\x86q\x01" + b"".join(
    b"h%ch%c\x86q%c" % (place, place, place + 1) for place in range(1, 60)
)


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (TWICE + b"}h\x3cK\x05s.", "it takes more than 200,000 steps to read"),
        (TWICE + b"}(h\x3cK\x05u.", "it takes more than 200,000 steps to read"),
        (
            TWICE + b"ccollections\nOrderedDict\n]h\x3cK\x05\x86a\x85R.",
            "it takes more than 200,000 steps to read",
        ),
        (b"}K\x01" + b"\x85" * 100_000 + b"K\x05s.", "a key in it is nested more than 200 deep"),
        (b"](" + b"K\x01" * 200_000 + b"e.", "it takes more than 200,000 steps to read"),
        (b"](" + b"K\x75" * 50_000 + b"e.", "holds no optimizer state but a list"),
    ],
)
@pytest.mark.parametrize("is_zip", [True, False])
def test_keys_and_lengths_without_end(
    opcodes: bytes,
    message: str,
    is_zip: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("optplan.checkpoints.bounded_unpickling.MOST_STEPS", 200_000)
    path = tmp_path / "x.pth"
    path.write_bytes(b"\x80\x02" + opcodes)
    if is_zip:
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("archive/version", "3")
            made.writestr("archive/data.pkl", b"\x80\x02" + opcodes)
    elif message.startswith("holds"):
        message = "cannot be read as a checkpoint"  # it begins with no magic number
    with pytest.raises(PlanError, match=message):
        read_checkpoint(str(path))


def test_a_packed_archive_gives_its_values(tmp_path: Path) -> None:
    """torch never packs one; mapped into memory as it is, its tensors would be other numbers."""
    plain, packed = tmp_path / "a.pth", tmp_path / "b.pth"
    torch.save(holding(lr=torch.tensor(0.5)), plain)
    with (
        zipfile.ZipFile(plain) as found,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for one in found.infolist():
            made.writestr(one.filename, found.read(one))
    (group,) = read_checkpoint(str(packed))
    assert group.entries == {"lr": 0.5}


def test_class_defaults() -> None:
    found = class_defaults("torch.optim.sgd.SGD")
    assert found["momentum"] == 0
    assert found["weight_decay"] == 0
    assert "lr" not in found
    assert class_defaults("mine.SGD") == {}
    assert class_defaults("torch.optim.Optimizer") == {}
    assert class_defaults("torch.optim.lr_scheduler") == {}
