"""Entries on disk: whole or not there, whoever else writes, within bounds."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optplan.cache import Store
from optplan.cache.store import cache_folder

KEY = {"name": "resnet50", "torch": ["2.4", 3]}
DATA = {"parameters": [["conv1.weight", [64, 3, 7, 7], True, 0.1]], "text": "é\n"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "below" / "cache"))


def only_file(store: Store) -> Path:
    (entry,) = store.entries()
    return Path(entry.path)


def test_nothing_is_there_before_something_is_put(store: Store) -> None:
    assert store.get("model", KEY) is None
    assert store.entries() == ()
    assert store.clear() == 0


def test_gives_back_what_was_put(store: Store) -> None:
    store.put("model", KEY, DATA)
    assert Store(store.folder).get("model", dict(reversed(KEY.items()))) == DATA


@pytest.mark.parametrize(
    "other", [{}, {"name": "resnet50"}, {**KEY, "torch": ["2.5", 3]}, {**KEY, "x": None}]
)
def test_another_key_is_another_entry(store: Store, other: dict[str, Any]) -> None:
    store.put("model", KEY, DATA)
    assert store.get("model", other) is None
    assert store.get("optimizer", KEY) is None


def test_entries_are_readable_json(store: Store) -> None:
    store.put("model", KEY, DATA)
    header, _, body = only_file(store).read_text("utf-8").split("\n")
    assert json.loads(header)["key"] == KEY
    assert json.loads(body) == DATA


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    return content[:-5] + bytes([content[-5] ^ 1]) + content[-4:]


def swap_number(content: bytes) -> bytes:
    assert b"[64,3,7,7]" in content
    return content.replace(b"[64,3,7,7]", b"[64,3,5,5]")


def another_format(content: bytes) -> bytes:
    return content.replace(b'"optplan_cache": 1', b'"optplan_cache": 2')


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "half of it": cut,
    "a flipped bit": flip,
    "another number": swap_number,
    "another format": another_format,
    "nothing in it": lambda _: b"",
    "not UTF-8": lambda content: b"\xff\xfe" + content,
    "another program's JSON": lambda _: b'{"model": []}',
    "more behind it": lambda content: content + b"{}",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_entries_are_ignored_and_rewritten(
    store: Store, damage: Callable[[bytes], bytes]
) -> None:
    store.put("model", KEY, DATA)
    file = only_file(store)
    file.write_bytes(damage(file.read_bytes()))
    assert store.get("model", KEY) is None
    store.put("model", KEY, DATA)
    assert store.get("model", KEY) == DATA


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_the_place_of_an_entry_does_no_harm(store: Store) -> None:
    store.put("model", KEY, DATA)
    file = only_file(store)
    file.unlink()
    os.mkfifo(file)
    assert store.get("model", KEY) is None


def test_a_made_up_entry_is_ignored(store: Store) -> None:
    store.put("model", KEY, DATA)
    file = only_file(store)
    header = file.read_text().split("\n", 1)[0]
    for body in ("[" * 100_000, "{"):
        checksum = hashlib.sha256(body.encode()).hexdigest()
        file.write_text(f"{header}\n{checksum}\n{body}")
        assert store.get("model", KEY) is None


def test_a_folder_in_the_place_of_an_entry_does_no_harm(store: Store) -> None:
    store.put("model", KEY, DATA)
    file = only_file(store)
    file.unlink()
    file.mkdir()
    assert store.get("model", KEY) is None
    store.put("model", KEY, DATA)
    assert store.get("model", KEY) is None


def test_a_place_that_cannot_be_written_remembers_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(str(tmp_path / "file" / "cache"))
    store.put("model", KEY, DATA)
    assert store.get("model", KEY) is None
    assert store.entries() == ()


def test_entries_used_last_stay(store: Store) -> None:
    size = 10_000
    for number in range(4):
        store.put("model", {"n": number}, "x" * size)
        age = Path(store.entries()[0].path)
        os.utime(age, (number, number))
    assert store.get("model", {"n": 0}) is not None  # used again, just now
    small = Store(store.folder, limit=3 * size)
    small.put("model", {"n": 4}, "x" * size)
    assert [n for n in range(5) if small.get("model", {"n": n})] == [0, 4]
    assert sum(entry.size for entry in small.entries()) < 3 * size


def test_drafts_of_killed_processes_go_and_others_stay(store: Store) -> None:
    store.put("model", KEY, DATA)
    old, fresh = (Path(store.folder) / f"optplan-model-{'0' * 40}.json.{n}.tmp" for n in "ab")
    for draft in (old, fresh):
        draft.write_text("half")
    os.utime(old, (time.time() - 7200,) * 2)
    store.put("model", {"n": 2}, DATA)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_clear_removes_entries_alone(store: Store) -> None:
    store.put("model", KEY, DATA)
    store.put("optimizer", KEY, DATA)
    theirs = {"notes.json", "optplan-plan.json", "optplan-notes.tmp", "optplan-model-12.json"}
    for name in theirs:
        (Path(store.folder) / name).write_text("{}")
    assert len(store.entries()) == 2
    assert store.clear() == 2
    assert {file.name for file in Path(store.folder).iterdir()} == theirs


def write_and_read(folder: str, writer: int) -> None:
    """Write two entries over and over; whoever wrote an entry last, it must be a whole one."""
    store = Store(folder)
    for turn in range(60):
        store.put("model", {"shared": True}, [writer] * 5000)
        store.put("model", {"writer": writer}, turn)
        shared, own = store.get("model", {"shared": True}), store.get("model", {"writer": writer})
        assert shared is not None
        assert shared == [shared[0]] * 5000
        assert own == turn


def test_several_processes_write_at_once(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=write_and_read, args=(store.folder, writer)) for writer in range(3)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0, 0, 0]
    assert len(store.entries()) == 4
    assert not list(Path(store.folder).glob("*.tmp"))


def test_the_folder_is_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPTPLAN_CACHE_DIR", str(tmp_path / "mine"))
    assert cache_folder() == str(tmp_path / "mine")
    monkeypatch.setenv("OPTPLAN_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "platform"))
    assert "optplan" in cache_folder()
    assert cache_folder() != str(tmp_path / "mine")
