"""Checkpoints that a stranger wrote: each is refused with one message, and nothing in it runs."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint import metadata as dcp_metadata
from torch.distributed.checkpoint.state_dict_saver import save as dcp_save

from optplan.checkpoints.training import read_training
from optplan.errors import PlanError
from tests.conftest import Invoke

pytestmark = pytest.mark.filterwarnings("ignore")


class Attack:
    """Makes a file when it is unpickled as Python does it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def state() -> dict[str, Any]:
    net = nn.Linear(2, 2)
    return torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9).state_dict()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of Hugging Face's trainer."""
    made = tmp_path / "checkpoint-1"
    made.mkdir()
    torch.save(state(), made / "optimizer.pt")
    (made / "trainer_state.json").write_text('{"global_step": 1}')
    return made


@pytest.fixture
def distributed(tmp_path: Path) -> Path:
    made = tmp_path / "step-1"
    optimizer = {"state": {}, "param_groups": [{"params": ["weight"], "lr": 0.1}]}
    dcp_save(
        {"model": {"weight": torch.ones(2)}, "optimizer": optimizer, "step": 5},
        checkpoint_id=made,
        no_dist=True,
    )
    return made


def index(folder: Path, name: str) -> None:
    text = json.dumps({"weight_map": {"weight": name}})
    (folder / "model.safetensors.index.json").write_text(text)


def safetensors(folder: Path, header: bytes, length: int | None = None) -> None:
    size = struct.pack("<Q", len(header) if length is None else length)
    (folder / "model.safetensors").write_bytes(size + header)


def link(folder: Path, name: str, to: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(to)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: index(f, "../../secret.safetensors"), "which is no file in the folder"),
        (lambda f: index(f, "/etc/passwd"), "which is no file in the folder"),
        (lambda f: index(f, "a\0.safetensors"), "which is no file in the folder"),
        (lambda f: index(f, ".."), "cannot be read as a checkpoint: it is no regular file"),
        (lambda f: index(f, "gone.safetensors"), "gone.safetensors' is no regular file"),
        (lambda f: (f / "model.safetensors.index.json").write_text("[" * 100_000), "no JSON object"),
        (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "it has no weight_map"),
        (lambda f: safetensors(f, b"{}", 1 << 62), "its header is unreadable"),
        (lambda f: safetensors(f, b'{"a": {"shape": [9999999999999, 9999999999]}}'), "unreadable"),
        (lambda f: safetensors(f, b'{"a": {"shape": [-1]}}'), "its header is unreadable"),
        (lambda f: safetensors(f, b'{"a": 1}'), "its header is unreadable"),
        (lambda f: safetensors(f, b"[" * 100_000), "its header is unreadable"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\1"), "its header is unreadable"),
        (lambda f: link(f, "model.safetensors", "/dev/zero"), "is no regular file"),
        (lambda f: link(f, "optimizer.pt", "/dev/zero"), "it is no regular file"),
        (lambda f: link(f, "scheduler.pt", "/dev/zero"), "it is no regular file"),
        (lambda f: link(f, "trainer_state.json", "/dev/zero"), "is no regular file"),
        (lambda f: (f / "optimizer.pt").write_bytes(b"PK\3\4"), "cannot be read as a checkpoint"),
        (lambda f: (f / "optimizer.pt").unlink(), "holds no optimizer state"),
        (
            lambda f: (f / "optimizer.pt").write_bytes((f / "optimizer.pt").read_bytes()[:200]),
            "cannot be read as a checkpoint",
        ),
    ],
)  # fmt: skip
def test_a_folder_of_hugging_face(
    change: Callable[[Path], object], message: str, folder: Path
) -> None:
    change(folder)
    with pytest.raises(PlanError) as caught:
        read_training(str(folder))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "pytorch_model.bin"])
def test_code_in_a_folder_of_hugging_face(name: str, folder: Path, tmp_path: Path) -> None:
    (folder / name).write_bytes(pickle.dumps(Attack(tmp_path / "trap"), protocol=2))
    with pytest.raises(PlanError, match="cannot be read as a checkpoint"):
        read_training(str(folder))
    torch.save({"optimizer": state(), "more": Attack(tmp_path / "trap")}, folder / name)
    with pytest.raises(PlanError, match="it holds more than plain data"):
        read_training(str(folder))
    assert not (tmp_path / "trap").exists()


def changed(folder: Path, change: Callable[[Any], object]) -> None:
    """Write the metadata anew with a change."""
    path = folder / ".metadata"
    found = pickle.loads(path.read_bytes())
    change(found)
    path.write_bytes(pickle.dumps(found))


def stored(name: str, value: Any) -> Callable[[Any], None]:
    def change(found: Any) -> None:
        for place in found.storage_data.values():
            setattr(place, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (stored("relative_path", "../../secret"), "which is no file in it"),
        (stored("relative_path", "/etc/passwd"), "which is no file in it"),
        (stored("relative_path", 5), "which is no file in it"),
        (stored("relative_path", "gone"), "is no regular file"),
        (stored("length", 1 << 50), "takes 1073741824 MiB"),
        (stored("length", -1), "takes"),
        (stored("length", "x"), "cannot be read as the metadata"),
        (stored("offset", -5), "takes"),
        (stored("offset", 1 << 60), "cannot be read as"),
        (lambda m: m.storage_data.clear(), "cannot be read as the metadata"),
        (lambda m: m.state_dict_metadata.clear(), "holds no optimizer state"),
        (lambda m: setattr(m, "state_dict_metadata", None), "cannot be read as the metadata"),
        (lambda m: m.planner_data.update({"step": ("step",) * 100_000}), None),
        (lambda m: m.planner_data.update({"step": ("optimizer", "param_groups")}), "no optimizer state"),
        (lambda m: m.planner_data.update({"step": 5}), None),
    ],
)  # fmt: skip
def test_metadata(change: Callable[[Any], object], message: str | None, distributed: Path) -> None:
    changed(distributed, change)
    if message is None:
        assert read_training(str(distributed)).optimizers
        return
    with pytest.raises(PlanError, match=message):
        read_training(str(distributed))


def test_sizes_of_tensors_are_only_numbers(distributed: Path) -> None:
    """No memory is taken for 10**18 elements, and none for 10**6 tensors."""

    def change(found: Any) -> None:
        weight = found.state_dict_metadata["model.weight"]
        weight.size = torch.Size([10**9, 10**9])

    changed(distributed, change)
    assert read_training(str(distributed)).model == {"weight": (10**9, 10**9)}


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_metadata(protocol: int, distributed: Path, tmp_path: Path) -> None:
    (distributed / ".metadata").write_bytes(pickle.dumps(Attack(tmp_path / "trap"), protocol))
    with pytest.raises(PlanError, match=r"cannot be read as the metadata|has no attribute"):
        read_training(str(distributed))
    changed_back = dcp_metadata.Metadata(state_dict_metadata={"a": Attack(tmp_path / "trap")})  # type: ignore[dict-item]
    (distributed / ".metadata").write_bytes(pickle.dumps(changed_back, protocol))
    with pytest.raises(PlanError, match="cannot be read as the metadata"):
        read_training(str(distributed))
    assert not (tmp_path / "trap").exists()


def test_code_in_the_values(distributed: Path, tmp_path: Path) -> None:
    content = pickle.dumps(Attack(tmp_path / "trap"), protocol=2)
    (distributed / "__0_0.distcp").write_bytes(content)

    def change(found: Any) -> None:
        stored("offset", 0)(found)
        stored("length", len(content))(found)

    changed(distributed, change)
    with pytest.raises(PlanError, match="cannot be read as a checkpoint"):
        read_training(str(distributed))
    assert not (tmp_path / "trap").exists()


# A tuple that holds the one before it twice, 60 times over: 2**60 values, which Python would hash one by one.
TWICE = b"\x80\x04K\x01K\x01\x86\x94" + b"".join(
    b"h%ch%c\x86\x94" % (place, place) for place in range(59)
)
LAST = b"h\x3b"


@pytest.mark.parametrize(
    "opcodes",
    [
        TWICE + b"}" + LAST + b"K\x05s.",
        TWICE + b"}(" + LAST + b"K\x05u.",
        TWICE + b"(" + LAST + b"K\x05d.",
        TWICE + b"\x8f(" + LAST + b"\x90.",
        TWICE + b"(" + LAST + b"\x91.",
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 44) + b".",  # a bytearray of 16 TiB
        b"\x80\x04\x8d" + struct.pack("<Q", 1 << 44) + b".",  # a text of 16 TiB
        b"\x80\x04\x82\x01.",
        b"\x80\x04Pabc\n.",
        b"\x80\x04](" + b"N" * 300_000 + b"e.",
        b"\x80\x04}" + b"\x85" * 100_000 + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.",
        b"\x80\x04N",
        b"",
    ],
)
def test_metadata_without_end(
    opcodes: bytes, distributed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optplan.checkpoints.bounded_unpickling.MOST_STEPS", 200_000)
    monkeypatch.setattr("optplan.checkpoints.plain_pickle._Counted.left", 200_000)
    (distributed / ".metadata").write_bytes(opcodes)
    tracemalloc.start()
    with pytest.raises(PlanError, match=r"cannot be read as the metadata of a checkpoint: "):
        read_training(str(distributed))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32 << 20


def test_large_metadata_is_not_read(distributed: Path) -> None:
    with (distributed / ".metadata").open("r+b") as file:
        file.truncate(1 << 40)  # a file with a hole, which takes no room on the disk
    with pytest.raises(PlanError, match="it has 1048576 MiB, and at most 512 are read"):
        read_training(str(distributed))


def test_many_entries_of_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a state of 10**9 entries would have it, with a bound for the test."""
    monkeypatch.setattr("optplan.checkpoints.bounded_unpickling.MOST_STEPS", 100_000)
    content = {"optimizer": {"state": dict.fromkeys(range(60_000), 0), "param_groups": []}}
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(PlanError, match="it takes more than 100,000 steps to read"):
        read_training(str(tmp_path / "a.pth"))


def test_the_command_ends_with_one_message(folder: Path, distributed: Path, invoke: Invoke) -> None:
    (folder.parent / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n"
    )
    link(distributed, "__0_0.distcp", "/dev/zero")
    index(folder, "../x.safetensors")
    for checkpoint in (folder, distributed):
        done = invoke("diff", "a.py", checkpoint.name, "-m", "resnet18", cwd=folder.parent)
        assert (done.returncode, done.stdout, done.stderr.count("error: ")) == (2, "", 1)
    shutil.rmtree(folder)
    done = invoke("diff", "a.py", ".", "-m", "resnet18", cwd=folder.parent)
    assert (
        "'.' is a folder of checkpoints: step-1\n  hint: name one of them: ./step-1" in done.stderr
    )
