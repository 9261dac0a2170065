"""A recording dict behaves as the dict it copies, and knows what was read of it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optplan.constructors.recording_dict import Recording, RecordingDict

DATA: dict[str, Any] = {
    "rate": 0.75,
    "layers": [1, 2],
    "keys": {"head": {"lr_mult": 10.0, "decay_mult": 0.0}, "bn": {"decay_mult": 0.0}},
}
ALL = {("rate",), ("layers",), ("keys",)}
HEAD = ("keys", "head")

Use = Callable[[Any], object]


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        pytest.param(lambda d: d["rate"], {("rate",)}, id="[]"),
        pytest.param(lambda d: d.get("rate"), {("rate",)}, id="get"),
        pytest.param(lambda d: d.get("other", 1), set(), id="get what is not there"),
        pytest.param(lambda d: "rate" in d, {("rate",)}, id="in"),
        pytest.param(lambda d: "other" in d, set(), id="not in"),
        pytest.param(lambda d: d.pop("rate"), {("rate",)}, id="pop"),
        pytest.param(lambda d: d.pop("other", None), set(), id="pop a default"),
        pytest.param(lambda d: d.popitem(), {("keys",)}, id="popitem"),
        pytest.param(lambda d: d.setdefault("rate", 1), {("rate",)}, id="setdefault"),
        pytest.param(lambda d: d.setdefault("other", 1), set(), id="setdefault, new"),
        pytest.param(list, ALL, id="iteration"),
        pytest.param(sorted, ALL, id="sorted"),
        pytest.param(lambda d: list(reversed(d)), ALL, id="reversed"),
        pytest.param(lambda d: list(d.keys()), ALL, id="keys"),
        pytest.param(lambda d: list(d.values()), ALL, id="values"),
        pytest.param(lambda d: list(d.items()), ALL, id="items"),
        pytest.param(dict, ALL, id="dict()"),
        pytest.param(lambda d: {**d}, ALL, id="**"),
        pytest.param({}.update, ALL, id="another's update"),
        pytest.param(lambda d: {"a": 1} | d, ALL, id="|"),
        pytest.param(lambda d: d | {"a": 1}, ALL, id="| from the left"),
        pytest.param(lambda d: d == {}, ALL, id="=="),
        pytest.param(repr, set(), id="repr"),
        pytest.param(str, set(), id="str"),
        pytest.param(lambda d: f"{d}", set(), id="f-string"),
        pytest.param(len, set(), id="len"),
        pytest.param(bool, set(), id="bool"),
        pytest.param(lambda d: d.copy(), set(), id="copy alone"),
        pytest.param(copy.deepcopy, set(), id="deepcopy alone"),
        pytest.param(lambda d: d.copy()["rate"], {("rate",)}, id="read of a copy"),
        pytest.param(lambda d: copy.copy(d)["rate"], {("rate",)}, id="read of copy.copy"),
        pytest.param(lambda d: copy.deepcopy(d)["rate"], {("rate",)}, id="read of a deep copy"),
        pytest.param(
            lambda d: d["keys"]["head"].get("lr_mult"),
            {("keys",), HEAD, (*HEAD, "lr_mult")},
            id="a leaf inside",
        ),
        pytest.param(
            lambda d: {}.update(d["keys"]["head"].copy()),
            {("keys",), HEAD, (*HEAD, "lr_mult"), (*HEAD, "decay_mult")},
            id="all leaves of a dict inside",
        ),
        pytest.param(
            lambda d: [d["keys"][key] for key in sorted(d["keys"])],
            {("keys",), HEAD, ("keys", "bn")},
            id="the keys of a dict inside",
        ),
    ],
)
def test_what_is_read(use: Use, expected: set[tuple[str, ...]]) -> None:
    recording = Recording(DATA)
    use(recording.options)
    assert recording.read == expected


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        pytest.param(lambda d: d.get("other", 1), {("other",)}, id="get"),
        pytest.param(lambda d: d.get("rate"), set(), id="get what is there"),
        pytest.param(lambda d: "other" in d, {("other",)}, id="in"),
        pytest.param(lambda d: d.pop("other", None), {("other",)}, id="pop"),
        pytest.param(lambda d: d.setdefault("other", 1), {("other",)}, id="setdefault"),
        pytest.param(lambda d: hasattr(d, "other"), {("other",)}, id="attribute"),
        pytest.param(lambda d: d["keys"]["head"].get("lr"), {(*HEAD, "lr")}, id="of an inner one"),
        pytest.param(list, set(), id="iteration"),
        pytest.param(copy.deepcopy, set(), id="deepcopy"),
    ],
)
def test_what_is_asked_for_in_vain(use: Use, expected: set[Any]) -> None:
    recording = Recording(DATA)
    use(recording.options)
    assert recording.wanted == expected


def test_what_the_constructor_sets_itself_is_not_the_users() -> None:
    recording = Recording({"type": "a", "layer_decay_rate": 0.9, "unread": 1})
    options = recording.options
    options.update({"type": "b"})
    options["rate"] = options.pop("layer_decay_rate")
    options |= {"more": 1}
    assert (options["type"], options["rate"], options["more"]) == ("b", 0.9, 1)
    assert recording.read == {("layer_decay_rate",)}


def test_nothing_is_noted_while_it_is_paused() -> None:
    recording = Recording(DATA)
    with recording.paused():
        assert recording.options["rate"] == 0.75
        with recording.paused():
            assert "keys" in recording.options
        assert "layers" in recording.options
    assert recording.read == frozenset()
    assert recording.options["rate"] == 0.75
    assert recording.read == {("rate",)}


def test_the_users_dict_stays_as_it_is() -> None:
    mine = copy.deepcopy(DATA)
    options = Recording(mine).options
    options.pop("rate")
    options["keys"]["head"].pop("lr_mult")
    options["layers"].append(3)
    assert mine == DATA


def test_it_looks_like_the_dict() -> None:
    options = Recording(DATA).options
    assert isinstance(options, dict)
    assert repr(options) == repr(DATA)
    assert json.dumps(options) == json.dumps(DATA)
    assert pickle.loads(pickle.dumps(options)) == DATA
    assert type(pickle.loads(pickle.dumps(options))) is dict
    assert (options == DATA, options == DATA, options != DATA) == (True, True, False)
    with pytest.raises(KeyError, match="nope"):
        options["nope"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(options)


NAMES = st.sampled_from("abc")

# what is done to both, with the name and the value of a step
DO: dict[str, Callable[[Any, str, int], object]] = {
    "get": lambda data, name, _: data.get(name),
    "pop": lambda data, name, _: data.pop(name),
    "in": lambda data, name, _: name in data,
    "[]": lambda data, name, _: data[name],
    "del": lambda data, name, _: data.__delitem__(name),
    "set": lambda data, name, value: data.__setitem__(name, value),
    "setdefault": lambda data, name, value: data.setdefault(name, value),
    "update": lambda data, name, value: data.update({name: value}, **{name * 2: value}),
    "|=": lambda data, name, value: data.__ior__({name: value}) is data,
    "|": lambda data, name, value: [data | {name: value}, {name: value} | data],
    "lists": lambda data, *_: [list(data), list(data.values()), list(data.items()), len(data)],
    "keys": lambda data, name, _: [name in data.keys(), list(reversed(data.keys()))],  # noqa: SIM118
    "popitem": lambda data, *_: data.popitem(),
    "clear": lambda data, *_: data.clear(),
    "copy": lambda data, *_: data.copy(),
}
STEPS = st.lists(st.tuples(st.sampled_from(list(DO)), NAMES, st.integers()), max_size=12)


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.integers() | st.dictionaries(NAMES, st.integers())), STEPS)
def test_it_behaves_as_the_dict(data: dict[str, Any], steps: list[tuple[str, str, int]]) -> None:
    plain = copy.deepcopy(data)
    recorded: RecordingDict = Recording(data).options
    for what, name, value in steps:
        outcomes = []
        for one in (plain, recorded):
            try:
                outcomes.append(DO[what](one, name, value))
            except KeyError as error:
                outcomes.append(error.args)
        assert outcomes[0] == outcomes[1], what
        assert list(plain.items()) == list(recorded.items())
