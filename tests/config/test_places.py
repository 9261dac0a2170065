"""Every value knows where it was set last."""

from __future__ import annotations

from typing import Any

import pytest

from optplan.config import load_config, place_of


def where(config: Any, path: Any) -> Any:
    """The place of a value, as ``name:line:column``."""
    *parents, last = path.split(".")
    container = config.data
    for key in parents:
        container = container[key if isinstance(container, dict) else int(key)]
    place = place_of(container, last if isinstance(container, dict) else int(last))
    return None if place is None else f"{place.source.name}:{place.line}:{place.column}"


def assert_places(config: Any, places: Any) -> None:
    assert {path: where(config, path) for path in places} == places


CHAIN = {
    "exp/main.py": "_base_ = '../mid.py'\n"
    "optimizer = dict(\n    lr=0.3,\n    betas=(0.9, 0.95))\n"
    "schedule = dict(_delete_=True, end=9)\n"
    "extra = _base_.optimizer.lr\n",
    "mid.py": "_base_ = ['deep/base.py']\n"
    "optimizer = dict(weight_decay=0.05, lr=0.2)\n"
    "_base_.steps.append(30)\n"
    "_base_.optimizer.eps = 1e-8\n",
    "deep/base.py": "optimizer = dict(type='SGD', lr=0.1, momentum=0.9)\n"
    "steps = [10,\n         20]\n"
    "schedule = dict(begin=0,\n                end=5)\n",
}


def test_a_chain_of_three_files(write: Any) -> None:
    assert_places(
        load_config(write(CHAIN)),
        {
            "optimizer": "main.py:2:1",
            "optimizer.type": "../deep/base.py:1:18",
            "optimizer.lr": "main.py:3:5",
            "optimizer.momentum": "../deep/base.py:1:38",
            "optimizer.weight_decay": "../mid.py:2:18",
            "optimizer.eps": "../mid.py:4:1",
            "optimizer.betas": "main.py:4:5",
            "optimizer.betas.1": "main.py:4:17",
            "steps": "../deep/base.py:2:1",
            "steps.0": "../deep/base.py:2:10",
            "steps.1": "../deep/base.py:3:10",
            "steps.2": "../mid.py:3:21",
            "schedule": "main.py:5:1",
            "schedule.end": "main.py:5:32",
            "extra": "main.py:6:1",
            "nowhere": None,
        },
    )


EXPRESSIONS = """\
d = {'lr': 1, **dict(wd=2)}
d['lr'] = 3
d.update(wd=4)
d.update({'x': 5})
c = {f'k{i}': i for i in range(2)}
l = [i for i in 'ab'] + [7]
l[0] = 8
e = dict(d, y=1)
f = d.copy()
a, (b, r) = 1, (2, [3, 4])
s = l[1:]
t = sorted([3, 1])
u = [*l, 5]
g = dict()
g.setdefault('m', 2)
h = dict(zip('ab', [1, 2]))
p = dict(é='ü', q=1)
if True:
    v = dict(n=1)
    v['n'] += 1
w = [0] * 2
w.insert(0, 5)
del w[1]
z = 1 if False else 2
"""


def test_expressions(write: Any) -> None:
    assert_places(
        load_config(write({"main.py": EXPRESSIONS})),
        {
            "d.lr": "main.py:2:1",
            "d.wd": "main.py:3:10",
            "d.x": "main.py:4:11",
            "c.k0": "main.py:5:6",
            "c.k1": "main.py:5:6",
            "l.0": "main.py:7:1",
            "l.1": "main.py:6:6",
            "l.2": "main.py:6:26",
            "e.lr": "main.py:2:1",
            "e.y": "main.py:8:13",
            "f.wd": "main.py:3:10",
            "a": "main.py:10:1",
            "b": "main.py:10:5",
            "r": "main.py:10:8",
            "r.0": "main.py:10:21",
            "s.0": "main.py:6:6",
            "s.1": "main.py:6:26",
            "t.0": "main.py:12:16",
            "t.1": "main.py:12:13",
            "u.0": "main.py:7:1",
            "u.3": "main.py:13:10",
            "g.m": "main.py:15:1",
            "h.a": "main.py:16:10",
            "p.é": "main.py:17:10",
            "p.q": "main.py:17:17",
            "v": "main.py:19:5",
            "v.n": "main.py:20:5",
            "w.0": "main.py:22:13",
            "w.1": "main.py:21:6",
            "z": "main.py:24:1",
        },
    )


def test_placeholders_do_not_shift_places(write: Any) -> None:
    config = load_config(
        write(
            {
                "main.py": "_base_ = 'b.py'\nx = dict(a={{_base_.model}}, b=1)\n"
                "y = dict(a='{{ fileBasenameNoExtension }}', b=[1, {{ _base_.lr }}])\n",
                "b.py": "lr = 1\nmodel = dict(depth=3)\n",
            }
        )
    )
    assert_places(
        config,
        {
            "x.a": "main.py:2:10",
            "x.a.depth": "b.py:2:14",
            "x.b": "main.py:2:30",
            "y.a": "main.py:3:10",
            "y.b": "main.py:3:45",
            "y.b.1": "main.py:3:51",
        },
    )


def test_pure_python(write: Any) -> None:
    config = load_config(
        write(
            {
                "main.py": "from mmengine.config import read_base\n\nwith read_base():\n"
                "    from .base import *\n\nopt.update(lr=2)\nopt.wd = 3\n",
                "base.py": "from torch.optim import SGD\nopt = dict(type=SGD, lr=1)\n",
            }
        )
    )
    assert_places(
        config,
        {
            "opt": "base.py:2:1",
            "opt.type": "base.py:2:12",
            "opt.lr": "main.py:6:12",
            "opt.wd": "main.py:7:1",
        },
    )


def test_overrides(write: Any) -> None:
    config = load_config(write(CHAIN), overrides=["optimizer.lr=0.5", "optimizer.betas.0=0.8"])
    place = place_of(config.data["optimizer"], "lr")
    assert place is not None
    assert (place.source.name, str(place)) == ("--set", "--set optimizer.lr=0.5")
    assert str(place_of(config.data["optimizer"]["betas"], 0)) == "--set optimizer.betas.0=0.8"
    assert_places(config, {"optimizer.betas.1": "main.py:4:17", "optimizer.eps": "../mid.py:4:1"})


DATA = {
    "main.json": '{\n  "a": {"b": 1, "é": [1,\n   2]},\n  "c": "\\n", "d": {}\n}',
    "main.yaml": "a:\n  b: 1\n  é: [1,\n   2]\nc: x\nd: &d {e: 1}\nf:\n  <<: *d\n  g: 2\n",
    "main.toml": "c = 'x'\n[a]\nb = 1\n'é' = [1,\n 2]\n[[t]]\nu.v = 1\n[[t]]\nw = {x = 1}\n[k.l]\nm = 1\n",
    # lines of a text that look like keys
    "text.toml": 'a = """\n[b]\nc = 1\n"""\n[b]\nc = 2 # \'\'\'\nd = \'\'\'\ne = "\\q" = 1\'\'\'\ne = "#"',
}


@pytest.mark.parametrize(
    ("name", "places"),
    [
        (
            "main.json",
            {"a": "2:3", "a.b": "2:9", "a.é": "2:17", "a.é.0": "2:23", "a.é.1": "3:4", "d": "4:14"},
        ),
        (
            "main.yaml",
            {"a": "1:1", "a.b": "2:3", "a.é": "3:3", "a.é.1": "4:4", "f.e": "6:8", "f.g": "9:3"},
        ),
        (
            "main.toml",
            {
                "c": "1:1",
                "a": "2:2",
                "a.b": "3:1",
                "a.é": "4:1",
                "a.é.1": "4:1",
                "t.0": "6:1",
                "t.0.u.v": "7:3",
                "t.1.w": "9:1",
                "k.l.m": "11:1",
            },
        ),
        ("text.toml", {"a": "1:1", "b": "5:2", "b.c": "6:1", "b.d": "7:1", "b.e": "9:1"}),
    ],
)
def test_data_files(name: Any, places: Any, write: Any) -> None:
    config = load_config(write({name: DATA[name]}))
    assert_places(config, {path: f"{name}:{place}" for path, place in places.items()})


def test_data_files_inherit(write: Any) -> None:
    config = load_config(
        write(
            {
                "main.toml": "_base_ = ['a.yaml']\n[x]\ny = 2\n",
                "a.yaml": "_base_: b.json\nx: {z: 1}\n",
                "b.json": '{"x": {"w": 0}, "v": "1e-3"}',
            }
        )
    )
    assert config.to_dict() == {"x": {"w": 0, "z": 1, "y": 2}, "v": "1e-3"}
    assert_places(
        config,
        {"x.y": "main.toml:3:1", "x.z": "a.yaml:2:5", "x.w": "b.json:1:8", "v": "b.json:1:17"},
    )


def test_the_names_of_files(write: Any, monkeypatch: Any) -> None:
    path = write(CHAIN)
    monkeypatch.chdir(path.parent)
    config = load_config("main.py")
    assert [source.name for source in config.sources] == ["main.py", "../mid.py", "../deep/base.py"]
    assert [source.path for source in config.sources] == ["main.py", "../mid.py", "../deep/base.py"]
    assert config.entry is config.sources[0]
    monkeypatch.chdir(path.parent.parent)
    assert [source.path for source in load_config("exp/main.py").sources] == [
        "exp/main.py",
        "mid.py",
        "deep/base.py",
    ]
    assert [source.path for source in load_config(path).sources] == [
        str(path),
        "mid.py",
        "deep/base.py",
    ]


def test_the_names_of_a_package_s_files() -> None:
    pytest.importorskip("importlib.util").find_spec("mmseg") or pytest.skip("mmseg is missing")
    config = load_config("mmseg::_base_/schedules/schedule_20k.py")
    assert config.entry.name == "mmseg::_base_/schedules/schedule_20k.py"
    assert str(place_of(config.data, "optimizer")) == "mmseg::_base_/schedules/schedule_20k.py:2:1"


def test_plain_containers_have_no_places() -> None:
    assert place_of({"a": 1}, "a") is None
    assert place_of([1], 0) is None


def test_a_trusted_file_has_no_places(write: Any) -> None:
    path = write({"main.py": "def f():\n    return dict(lr=1)\nopt = f()\nprint('hello')\n"})
    config = load_config(path, trust=True)
    assert config.to_dict() == {"opt": {"lr": 1}}
    assert_places(config, {"opt": None, "opt.lr": None})
