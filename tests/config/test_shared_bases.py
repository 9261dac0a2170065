"""Configs that share what their bases come to are read as each alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from optplan.config import Config, load_config, place_of
from optplan.config.limits import MAX_WORK, StepCounter
from optplan.config.placed import placed_dict
from optplan.config.shared_bases import KeptBase, SharedBases, sharing
from optplan.errors import ConfigError
from tests.released import folder_of

TREE = {
    "_base_/leaf.py": "lr = 0.1\nmodel = dict(a=[1, dict(b=2)], c=dict(d=3))\n",
    "_base_/other.py": "other = dict(x='{{ fileBasename }}')\n",
    "mid/base.py": "_base_ = '../_base_/leaf.py'\nmodel = dict(c=dict(e={{ _base_.lr }}))\n",
    "mid/seen.py": "_base_ = '../_base_/leaf.py'\nagain = _base_.model\nagain.a.append(4)\n",
    "top/a.py": "_base_ = ['../mid/base.py', '../_base_/other.py']\nmodel = dict(c=dict(_delete_=True, f=1))\n",
    "top/b.py": "_base_ = ['../mid/base.py', '../_base_/other.py']\nmodel = dict(a=None, c=dict(d=9))\n",
    "top/c.py": "_base_ = '../mid/base.py'\nmodel = _base_.model\nmodel.c.d = 8\n_base_.model.a.append(5)\n",
    "top/d.py": "_base_ = '../mid/seen.py'\nmodel = dict(c=dict(d=7))\n",
    "top/e.py": "_base_ = ['../mid/base.py', '../_base_/leaf.py']\n",
    "mid/f.py": "_base_ = ['base.py']\nlr = 0.2\n",
    "mid/g.yaml": "_base_: base.py\nmodel:\n  c: {d: 6}\n",
}  # fmt: skip


def _told(value: Any, container: Any = None, key: Any = None) -> Any:
    """A value with all its places and kinds."""
    place = place_of(container, key)
    where = place and (place.source.name, place.source.path, place.line, place.column)
    if isinstance(value, dict):
        inside: Any = {name: _told(one, value, name) for name, one in dict.items(value)}
    elif isinstance(value, list | tuple):
        inside = [_told(one, value, at) for at, one in enumerate(value)]
    else:
        inside = repr(value)
    return type(value).__name__, where, inside


def _answer(path: Path) -> Any:
    try:
        config = load_config(path)
    except ConfigError as error:
        return str(error)
    return _told(config.data), [(one.name, one.path, one.text) for one in config.sources]


def test_shared_bases_change_nothing(tmp_path: Path) -> None:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    paths = [tmp_path / name for name in TREE]
    alone = [_answer(path) for path in paths]
    assert sum(isinstance(one, str) for one in alone) == 1  # two bases set one key
    with sharing(SharedBases()):
        for order in (paths, paths[::-1], paths):
            assert {path: _answer(path) for path in order} == dict(zip(paths, alone, strict=True))


@pytest.mark.parametrize("folder", ["beit", "swin", "segformer", "_base_"])
def test_released_configs_are_the_same(folder: str) -> None:
    paths = sorted((folder_of("mmseg") / folder).rglob("*.py"))[:12]
    alone = [_answer(path) for path in paths]
    with sharing(SharedBases()):
        assert [_answer(path) for path in paths] == alone


def test_what_is_shared_is_charged_all_the_same(write: Any, monkeypatch: Any) -> None:
    """A config that alone takes too much takes too much where its bases are known, too."""
    path = write({
        "a.py": "_base_ = 'base.py'\n" + "x = sum(range(20_000))\n",
        "base.py": "y = sum(range(20_000))\n",
        "small.py": "_base_ = 'base.py'\n",
    })  # fmt: skip
    monkeypatch.setattr(StepCounter.__init__, "__defaults__", (30_000,))
    with sharing(SharedBases()):
        assert load_config(path.parent / "small.py").to_dict().keys() == {"y"}
        with pytest.raises(ConfigError, match="too much work"):
            load_config(path)


def test_no_more_is_kept_than_two_configs_may_take() -> None:
    shared = SharedBases()
    base = KeptBase(data=placed_dict((), {}), sources=(), steps=MAX_WORK, tokens=0)
    for key in "abcab":
        shared.keep(key, base)
    assert [key for key in "abc" if shared.find(key) is not None] == ["a", "b"]


def test_a_reader_of_texts_shares_nothing(tmp_path: Path) -> None:
    texts = {"/base.py": b"lr = 0.1\n", "/a.py": b"_base_ = 'base.py'\n"}

    class Texts:
        def exists(self, path: str) -> bool:
            return path in texts

        def read(self, path: str) -> bytes:
            return texts[path]

    def read() -> Config:
        return load_config("/a.py", reader=Texts())

    with sharing(SharedBases()):
        assert read().to_dict() == {"lr": 0.1}
        texts["/base.py"] = b"lr = 0.2\n"
        assert read().to_dict() == {"lr": 0.2}
