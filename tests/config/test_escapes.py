"""Attempts to get out of the evaluator, or to make it run for ever: each is refused, and soon."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from optplan.config import load_config, place_of
from optplan.errors import ConfigError

ESCAPES = {
    "attribute chain": "x=().__class__.__mro__[1].__subclasses__()",
    "class of text": "x=''.__class__",
    "bound self": "x=[].append.__self__",
    "format attribute": "x='{0.__class__}'.format(1)",
    "format index": "x='{0[a]}'.format(dict(a=1))",
    "format_map": "x='{a.b}'.format_map(dict(a=1))",
    "unbound format": "x=str.format('{0.__class__}', 1)",
    "format as key": "x=sorted(['{0.__class__}'], key=str.format)",
    "f-string attribute": "x=f'{().__class__}'",
    "__import__": "__import__('os').system('true')",
    "eval": "x=eval('1')",
    "eval as key": "x=min([1], key=eval)",
    "exec": "exec('x=1')",
    "compile": "compile('1', '', 'eval')",
    "open": "x=open('/etc/passwd').read()",
    "getattr": "x=getattr(1, 'real')",
    "globals": "x=globals()",
    "vars": "x=vars()",
    "type": "x=type('X', (), {})",
    "input": "input()",
    "builtins": "x=__builtins__",
    "loader": "x=__loader__",
    "dunder of a base": "x=_base_.__class__",
    "places of a base": "x=_base_.raw_places",
    "set dunder": "_base_.__class__=1",
    "lambda": "x=lambda: 1",
    "decorator": "x = []\n@x.append\ndef f(): pass",
    "class": "class A: pass\nx=A()",
    "def": "def f(): pass\nx=f()",
    "async def": "async def f(): pass\nx=f()",
    "def as a key": "def f(x): pass\nx=sorted([1, 2], key=f)",
    "class as data": "class A: pass\nx=dict(type=A)",
    "metaclass": "class M(type): pass\nclass A(metaclass=M): pass\nx=A",
    "class that acts": "class A:\n    import os\n    os.system('true')\nx=1",
    "walrus": "x=(y:=1)",
    "yield": "x=yield",
    "await": "x=await y",
    "while": "while True: pass",
    "try": "try:\n x=1\nexcept: pass",
    "with": "with dict() as x: pass",
    "raise": "raise ValueError",
    "assert": "assert False",
    "match": "match 1:\n case 1: pass",
    "global": "global x\nx=1",
    "os.system": "import os\nx=os.system('true')",
    "from os": "from os import system",
    "environ": "import os\nx=os.environ['HOME']",
    "subprocess": "import subprocess\nsubprocess.run('true')",
    "sys.modules": "import sys\nx=sys.modules",
    "builtins module": "import builtins\nbuiltins.eval('1')",
    "module of a module": "import copy\nx=copy.sys",
    "star import": "from copy import *",
    "symbol call": "from torch.hub import load\nx=load('a')",
    "symbol operator": "from torch import x\ny=x+1",
    "generic alias": "x=list[int]",
    "union type": "x=int | None",
}

BOMBS = {
    "tower": "x=9**9**9",
    "power": "x=2**100000",
    "shift": "x=1 << 10**10",
    "growing int": "x=1\nfor i in range(100000): x=x*3",
    "rounding": "x=round(5, -10**9)",
    "hex": "x=0x" + "f" * 100000,
    "digits": "x=" + "9" * 5000,
    "text": "x='a' * 10**12",
    "list": "x=[0] * 10**10",
    "tuple": "x=(0,) * 10**10",
    "bytes": "x=b'a' * 10**10",
    "range": "x=list(range(10**12))",
    "range sum": "x=sum(range(10**12))",
    "range max": "x=max(range(10**12))",
    "range star": "x=[*range(10**10)]",
    "range unpacked": "a, *b = range(10**10)",
    "range searched": "x=5.5 in range(10**12)",
    "generator searched": "x=-1 in (i for i in range(10**10))",
    "dict of zip": "x=dict(zip(range(10**10), range(10**10)))",
    "comprehension": "x=[i for i in range(10**10)]",
    "nested comprehension": "x=[[[a for a in range(1000)] for b in range(1000)] for c in range(1000)]",
    "any": "x=any(i < 0 for i in range(10**12))",
    "loop": "for i in range(10**10): pass",
    "endless list": "x=[1]\nfor i in x: x.append(i)",
    "f-string width": "x=f'{1:1000000000}'",
    "f-string precision": "x=f'{1.0:.1000000000f}'",
    "percent width": "x='%1000000000d' % 1",
    "percent star": "x='%*d' % (10**9, 1)",
    "percent of a float": "x='%1000000000f' % 1.0",
    "many percents": "x=('%(a)9999d' * 100000) % {'a': 1}",
    "percents of one text": "x=('%(a)s' * 100000) % {'a': 'b' * 100000}",
    "percents of one list": "x=('%(a)s' * 100000) % {'a': list(range(5000))}",
    "format width": "x='{:1000000000}'.format(1)",
    "many wide formats": "x=('{0:9999}' * 1000).format(1)",
    "one text in many formats": "x=('{0}' * 10000).format('a' * 100000)",
    "quoted text in many formats": "x=('{0!r}' * 5000).format(chr(0) * 1000)",
    "replace": "x='a'.replace('', 'b' * 10**6).replace('', 'c' * 10**6)",
    "join": "x=','.join(['a' * 10**6] * 10**6)",
    "split from the right": "x=('a' * 10**6).rsplit('a' * 10**5 + 'b' + 'a' * 10**5)",
    "strip": "x=('a' * 10**6).strip('b' * 10**5 + 'a')",
    "equal hashes": "x={i * (2**61 - 1): 0 for i in range(90000)}",
    "equal hashes of complex": "x={-1000003.0 * i + i * 1j: 0 for i in range(60000)}",
    "int of text": "x=int('9' * 10**6)",
    "doubled text": "x='a' * 1000\nfor i in range(100): x=x+x",
    "doubled list": "x=[1]\nfor i in range(100): x += x",
    "shared lists": "x=[1]\nfor i in range(60): x=[x, x]",
    "shared tuples as key": "x=(1,)\nfor i in range(60): x=(x, x)\ny={x: 1}",
    "shared lists as text": "x=[1]\nfor i in range(60): x=[x, x]\ny=str(x)",
    "shared lists compared": "x=[1]\ny=[1]\nfor i in range(60):\n x=[x, x]\n y=[y, y]\nz=x == y",
    "shared tuples as kinds": "x=(int,)\nfor i in range(60): x=(x, x)\ny=isinstance('', x)",
    "shared tuples in a view": "x=(1,)\nfor i in range(60): x=(x, x)\ny=str({1: x}.values())",
    "views compared": "x=y=(1,)\nfor i in range(60):\n x=(x, x)\n y=(y, y)\n"
    "z={1: x}.items() == {1: y}.items()",
    "shared text": "x='a' * 10**6\ny=str([x] * 10**5)",
    "cycle": "x=[]\nx.append(x)",
    "cycle as text": "x=[]\nx.append(x)\ny=str(x)",
    "cycle compared": "x=[]\nx.append(x)\ny=[]\ny.append(y)\nz=x == y",
    "cyclic dict": "x={}\nx['a']=x",
    "deep list": "x=[1]\nfor i in range(100000): x=[x]",
    "parentheses": "(" * 300 + ")" * 300,
    "brackets": "x=" + "[" * 150 + "]" * 150,
    "open brackets": "[" * 100000,
    "minus signs": "x=" + "-" * 100000 + "1",
    "sums": "x=" + "1+" * 100000 + "1",
    "nots": "x=" + "not " * 50000 + "1",
    "dots": "x=" + "a." * 50000 + "b",
    "ifs": "x=1" + " if 1 else 1" * 5000,
    "elifs": "if 0:\n  pass\n" + "elif 0:\n  pass\n" * 20000,
    "fields": "x=f'" + "{1}" * 300000 + "'",
    "escaped fields": "x=f'" + "{{" * 500000 + "'",
    "raw fields": "x=1\ny=Rf'" + "{1}" * 200000 + "'",
    "ifs in a branch": "if 0:\n x=1" + " if 1 else 1" * 5000,
    "bases": "_base_=[f'{i}.py' for i in range(10**9)]",
    "placeholders": "x='''" + "{{$A:" * 150000 + "'''",
    "pattern": "x='{{$OPTPLAN_NO:(a+)+$}}'",
}

BASES = {
    "itself": ("main.py", "the bases form a circle: .*main.py → .*main.py"),
    "zero device": ("/dev/zero", "not a regular file"),
    "null device": ("/dev/null", "not a regular file"),
    "directory": (".", "a directory"),
    "pipe": ("pipe.py", "not a regular file"),
    "missing": ("mian.py", "no such file.*did you mean 'main.py'"),
    "no extension": ("/etc/passwd", "outside the project, and is no config"),
    "other extension": ("a.txt", "'.txt' files are not configs"),
    "null byte": ("a\\0b.py", "a path or a list of paths"),
    "package out of bounds": ("mmseg::../../../__init__.py", "has no config"),
    "standard library": ("os::path.py", "no installed package 'os'"),
    "dotted": ("os.path::a.py", "no installed package 'os.path'"),
}


def assert_refused(path: object, message: str | None = None) -> ConfigError:
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(str(path))
    assert time.perf_counter() - start < 10
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].place is not None
    return caught.value


@pytest.mark.parametrize("name", ESCAPES)
def test_there_is_no_way_out(name: Any, write: Any) -> None:
    error = assert_refused(write({"main.py": ESCAPES[name]}))
    place = error.problems[0].place
    assert place is not None
    assert place.line > 0


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_too_much_is_refused(name: Any, write: Any) -> None:
    assert_refused(write({"main.py": BOMBS[name]}))


@pytest.mark.parametrize(
    "text",
    [
        "a='b'\nx=[" + "{'c': f'{a}'}, " * 20000 + "]",
        "x=[" + "{}, " * 65000 + "]",
        "x=1" + " if 1 else 1" * 400,
        "x=[" + "\n[1, 2], " * 3000 + "]",
    ],
    ids=["f-strings", "dicts", "ifs", "rows"],
)
def test_what_is_large_but_simple_is_read(text: Any, write: Any) -> None:
    assert load_config(str(write({"main.py": text}))).data["x"]


@pytest.mark.parametrize("name", BASES)
def test_what_is_no_config_is_refused_as_a_base(name: Any, write: Any) -> None:
    base, message = BASES[name]
    path = write({"main.py": f"_base_='{base}'", "a.txt": "x=1"})
    os.mkfifo(path.parent / "pipe.py")
    assert_refused(path, message)


def test_a_circle_of_bases_is_refused(write: Any) -> None:
    path = write({"a.py": "_base_='b.py'", "b.py": "_base_=['c.yaml']", "c.yaml": "_base_: a.py"})
    assert_refused(path, r"a\.py → .*b\.py → .*c\.yaml → .*a\.py")


def test_a_chain_of_bases_is_bounded(write: Any) -> None:
    files = {f"{at}.py": f"_base_='{at + 1}.py'" for at in range(60)}
    assert_refused(write({**files, "60.py": ""}), "too many bases")


def test_a_fan_of_bases_is_bounded(write: Any) -> None:
    files = {f"{at}.py": f"_base_=['{at + 1}.py'] * 2" for at in range(30)}
    assert_refused(write({**files, "30.py": ""}), "too many bases")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = '\xff'", "not in UTF-8: line 1 has the byte 0xff"),
        (b"\x7fELF\x00\x01", "a binary file"),
        (b"#" * (1 << 21), "larger than 1,048,576 bytes"),
        (b"x = (", r"main.py:1:5: invalid syntax: '\(' was never closed"),
    ],
)
def test_what_is_no_text_is_refused(content: Any, message: Any, tmp_path: Any) -> None:
    path = tmp_path / "main.py"
    path.write_bytes(content)
    assert_refused(path, message)


def test_an_empty_file_is_an_empty_config(write: Any) -> None:
    assert load_config(write({"main.py": ""})).to_dict() == {}


YAML = {
    "python object": ("x: !!python/object/apply:os.system ['true']", "is no plain data"),
    "python name": ("x: !!python/name:os.system", "could not determine a constructor"),
    "own tag": ("x: !foo {a: 1}", "'!foo' is no plain data"),
    "laughs": (
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
            for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "too large",
    ),
    "merged laughs": (
        "a: &a {x: 1}\n"
        + "".join(
            f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}], {b}: *{a}}}\n"
            for a, b in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True)
        ),
        "too large",
    ),
    "cycle": ("a: &a [*a]", "nested too deeply"),
    "deep flow": ("a: " + "[" * 100000, "nested too deeply"),
    "deep blocks": ("- " * 50000, "nested too deeply"),
    "deep keys": ("? " * 50000, "nested too deeply"),
    "deep indents": ("".join(" " * at + "a:\n" for at in range(500)), "nested too deeply"),
    "two documents": ("a: 1\n---\nb: 2\n", "invalid YAML"),
    "bad": ("a: [1\nb: 2", r"main.yaml:2:2: invalid YAML"),
    "list": ("- 1", "a mapping of names"),
    "number key": ("1: 2", "the key 1 is not a text"),
    "list key": ("? [1]\n: 2", "cannot be a mapping or a list"),
    "sexagesimal": ("a: 1" + ":1" * 500000, "the number is too long"),
    "equal hashes": ("".join(f"{at * (2**61 - 1)}: 0\n" for at in range(30000)), "too much work"),
    "impossible date": ("a: 2020-13-45", "invalid YAML"),
}


@pytest.mark.parametrize("name", YAML)
def test_bad_yaml_is_refused(name: Any, write: Any) -> None:
    text, message = YAML[name]
    assert_refused(write({"main.yaml": text}), message)


JSON = {
    "bad": ('{"a": 1,}', r"main.json:1:9: invalid JSON"),
    "comma in a list": ('{"a":\n [1 , \n\n  ]}', r"main.json:4:3: invalid JSON"),
    "deep": ("[" * 100000, "nested too deeply"),
    "list": ("[1]", "a mapping of names"),
    "empty": ("", "it is empty"),
    "digits": ('{"a": ' + "9" * 5000 + "}", "invalid JSON: Exceeds the limit"),
}


@pytest.mark.parametrize("name", JSON)
def test_bad_json_is_refused(name: Any, write: Any) -> None:
    text, message = JSON[name]
    assert_refused(write({"main.json": text}), message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", r"main.toml:1:5: invalid TOML"),
        ("a = 1\na = 2", "invalid TOML"),
        ("a = " + "[" * 10000, "nested too deeply"),
        (".".join(["a"] * 500000) + " = 1", r"main.toml:1:1: the data is nested too deeply"),
        ("x = 1\n[" + ".".join(['"a"'] * 20000) + "]", r"main.toml:2:1: .*nested too deeply"),
        ("a." * 200000, "nested too deeply"),
    ],
)
def test_bad_toml_is_refused(text: Any, message: Any, write: Any) -> None:
    assert_refused(write({"main.toml": text}), message)


LONG_LINES = {
    "main.json": '{"é": 1, ' + ", ".join(f'"k{at}": {at}' for at in range(50000)) + "}",
    "main.yaml": "{é: 1, " + ", ".join(f"k{at}: {at}" for at in range(50000)) + "}",
}


@pytest.mark.parametrize("name", LONG_LINES)
def test_one_long_line_takes_no_longer_than_many(name: Any, write: Any) -> None:
    path = write({name: LONG_LINES[name]})
    start = time.perf_counter()
    config = load_config(path)
    assert time.perf_counter() - start < 10
    place = place_of(config.data, "k49999")
    assert place is not None
    assert (place.line, place.column) == (
        1,
        LONG_LINES[name].index("k49999") + name.endswith("yaml"),
    )


def test_a_message_quotes_no_more_of_a_key_than_can_be_read(write: Any) -> None:
    error = assert_refused(write({"main.py": "x={}['a' * 900000]"}), "no key 'aaa")
    assert len(error.problems[0].message) < 1000
