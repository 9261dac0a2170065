"""Programs on large operands end within the stated time and memory, whatever they do."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from optplan.config import load_config
from optplan.errors import ConfigError

# What the README promises for one config, by processor time and by memory.
SECONDS = 10
MEGABYTES = 1000

READ = """
import json, resource, sys
from optplan.config import load_config
from optplan.errors import ConfigError
for path in json.load(sys.stdin):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    try:
        load_config(path).to_dict()
        said = ""
    except ConfigError as error:
        said = str(error)
    seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
    # not ru_maxrss, which begins with what the process that forked this one had
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(json.dumps([seconds, int(peak.split()[1]) // 1024, said[:300]]), flush=True)
"""


def read(paths: list[Path], seconds: float = SECONDS) -> list[tuple[float, int, str]]:
    """Seconds, peak memory in MB, and what was said, of each file, read by one process of its own."""

    def bound() -> None:
        limit = int(seconds * len(paths)) + 5
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 21, MEGABYTES << 21))

    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps([str(path) for path in paths]),
        capture_output=True,
        text=True,
        preexec_fn=bound,
        check=False,
    )
    lines = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    assert len(lines) == len(paths), (paths[len(lines)].read_text()[:2000], done.stderr[-500:])
    return lines


def assert_bounded(paths: list[Path]) -> None:
    for path, (seconds, megabytes, _) in zip(paths, read(paths), strict=True):
        text = path.read_text(encoding="utf-8")[:2000]
        assert seconds < SECONDS, text
        assert megabytes < MEGABYTES, text


OPERANDS = {
    "n": "2**9990",
    "m": "2**5000 + 1",
    "f": "1.7e308",
    "t": "'a' * 400000",
    "w": "'é ' * 3000 + 'b'",
    "b": "b'" + "ab" * 40_000 + "'",
    "r": "range(10**5)",
    "big": "range(2**9990, 2**9990 + 10**6)",
    "lst": "list(range(20000))",
    "tup": "(7,) * 20000",
    "deep": "[[[list(range(50))] * 10] * 10] * 10",
    "nums": "[2**9990] * 1000",
    "d": "{i: str(i) for i in range(8000)}",
    "s": "{i for i in range(8000)}",
    "keys": "d.keys()",
    "vals": "d.values()",
    "odd": "{(i, 'x'): 1 for i in range(500)}",
    "alike": "{i * (2**61 - 1): 0 for i in range(300)}",
    "tmpl": "'{}' * 20000",
    "pct": "'%s' * 20000",
    "one": "1",
    "neg": "-1000",
}
BINARY = "+ - * / // % ** | << >> == != < <= in is and or"
UNARY = ["-", "+", "not "]
CALLS = (
    "dict list tuple set range len int float str bool round sum min max abs enumerate zip sorted"
    " reversed any all copy.copy copy.deepcopy math.log math.floor math.pow os.path.join os.path.dirname"
)
METHODS = (
    "get items keys values pop setdefault update copy append extend insert remove count index find replace split"
    " rsplit strip join format startswith endswith upper lower title"
)
OTHERS = [
    "{0}[{1}]", "{0}[1:]", "{0}[::-1]", "[*{0}]", "{{*{0}}}", "{{**{0}}}", "dict(**{0})", "f'{{{0}}}'",
    "f'{{{0}!r:>99}}'", "[x for x in {0}]", "{{x: 0 for x in {0}}}", "list(enumerate({0}, {1}))",
    "{0} % ({1},)", "[{0}, {1}]", "{{{0}: {1}}}", "({0}, {1}) == ({1}, {0})", "min({0}, key=len)",
    "isinstance({0}, int)", "tmpl.format(*{0})", "str.join", "max({0}, {1})", "'%r' % ({0},)",
    "[{0}] * 1000", "sorted([{0}] * 100)", "list(zip({0}, {1}))", "1 if {0} in [{1}] * 100 else 2",
    "'{{:,}}'.format({0})", "'%.9999f' % {0}", "round({0}, -999)", "{0}.foo",
]  # fmt: skip


def expressions() -> list[str]:
    """Every operation that the evaluator has, with operands to be filled in."""
    return [
        *(f"{{0}} {sign} {{1}}" for sign in (*BINARY.split(), "not in", "is not")),
        *(f"{sign}{{0}}" for sign in UNARY),
        *(f"{name}({{0}})" for name in CALLS.split()),
        *(f"{name}({{0}}, {{1}})" for name in CALLS.split()),
        *(f"{{0}}.{name}()" for name in METHODS.split()),
        *(f"{{0}}.{name}({{1}})" for name in METHODS.split()),
        *(f"{{0}}.{name}({{1}}, {{2}})" for name in METHODS.split()),
        *OTHERS,
    ]


def program(rng: random.Random, made: str) -> str:
    """A loop around an expression, after the operands it needs."""
    start = "import copy\nimport math\nimport os.path\n"
    start += "".join(f"{name} = {text}\n" for name, text in OPERANDS.items() if name in made)
    body = rng.choice(["y = {0}", "y = [{0}, y]", "y = {0}\n    x = y", "{0}\n    {0}"]).format(
        made
    )
    return f"{start}x = y = 0\nfor i in range(10**6):\n    {body}\n"


def test_every_operation_on_every_operand_is_bounded(tmp_path: Path) -> None:
    rng = random.Random("operations")
    forms = expressions()
    paths = []
    # Operands of kinds that the operation refuses end at once: most of the time goes to the others.
    for at in range(int(os.environ.get("OPTPLAN_BOUNDS", "120"))):
        names = rng.choices(list(OPERANDS), k=3)
        paths.append(tmp_path / f"{at}.py")
        paths[-1].write_text(program(rng, forms[at % len(forms)].format(*names)), encoding="utf-8")
    for start in range(0, len(paths), 50):
        assert_bounded(paths[start : start + 50])


PROGRAMS = {
    "remainders": "a = 0x1" + "0" * 450_000 + "1\nb = 3\nx = [a % b for i in range(100000)]",
    "remainders of what fits": "a = 2**9990\nx = [a % (2**5000 + 1) for i in range(10**6)]",
    "quotients": "a = 2**9990\nx = [a // (2**5000 + 1) for i in range(10**6)]",
    "negations": "a = 2**9990\nx = [-a for i in range(10**6)]",
    "roundings": "a = 2**9990\nx = [round(a, -900) for i in range(10**6)]",
    "decimals": "a = 2**9990\nx = [str(a) for i in range(10**6)]",
    "bytes in bytes": "a = b'" + "a" * 500_000 + "'\nx = [a in a for i in range(100000)]",
    "repr of bytes": "a = b'" + "a" * 500_000 + "'\nx = [f'{a!r}' for i in range(100000)]",
    "equal bytes": "a = b'" + "a" * 500_000 + "'\nb = a[:]\nx = [a[1:] == b[1:] for i in range(100000)]",
    "right operand": "a = {i for i in range(50000)}\nx = [set() | a for i in range(100000)]",
    "distance of ranges": "import math\na = range(10**6)\nx = [math.dist(a, a) for i in range(1000)]",
    "template": "a = '{}' * 300000\nb = (1,) * 300000\nx = [a.format(*b) for i in range(1000)]",
    "empty template": "a = '{}' * 300000\nb = ('',) * 300000\nx = [a.format(*b) for i in range(1000)]",
    "numbers of a range": "x = list(range(2**9990, 2**9990 + 499000))",
    "numbers of enumerate": "x = list(enumerate(range(10**6), 2**9990))",
    "constants": "for i in range(10**6): x = [" + "1," * 100_000 + "]",
    "keywords": "for i in range(10**6): x = dict(" + ",".join(f"a{i}=1" for i in range(40_000)) + ")",
    "keywords of a dict": "d = {'a%d' % i: 1 for i in range(20000)}\nx = {}\nfor i in range(99): x.update(**d)",
    "targets": "for i in range(10**6): " + "x = " * 100_000 + "1",
    "deletions": "for i in range(10**6): del " + "[]," * 100_000 + "[]",
    "imports": "for i in range(10**6): import " + "math," * 100_000 + "math",
    "dotted names": "import torch\nx = torch\nfor i in range(10**6): x = x." + "a" * 1000,
    "emptied dict": "d = {i: 0 for i in range(60000)}\nfor i in range(59990): del d[i]\n"
    "for i in range(10**6):\n    for k in d: break",
    "equal hashes copied": "d = {i * (2**61 - 1): 0 for i in range(300)}\nx = [{**d} for i in range(10**6)]",
    "bytes many times": "a = b'" + "a" * 400_000 + "'\noptimizer = dict(type='SGD', a=[a] * 100000)",
    "numbers many times": "optimizer = dict(type='SGD', a=[2**9990] * 100000)",
    "tuples many times": "optimizer = dict(type='SGD', a=[(1,) * 30000] * 100000)",
    "many names": "x = [" + "a," * 520_000 + "]",
    "many statements": "a\n" * 520_000,
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_bounded(name: str, tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_text(PROGRAMS[name], encoding="utf-8")
    assert_bounded([path])


DEAD = {
    "dead.py": "if 0:\n    a = [" + "1," * 240_000 + "]\n",
    "comment.py": "#" * 1_000_000,
    "text.py": "'" + "a" * 1_000_000 + "'",
    "dead.yaml": "# " + "a" * 1_000_000 + "\n{}",
    "dead.json": "{" + " " * 1_000_000 + "}",
    "small.py": "",
}


@pytest.mark.parametrize("name", DEAD)
def test_what_many_bases_hold_is_counted(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(DEAD[name], encoding="utf-8")
    path = tmp_path / "main.py"
    path.write_text(f"_base_ = ['{name}'] * 499")
    assert_bounded([path])


QUOTES = '"' * 3
DATA = {
    "lines that begin a text.toml": ("\\" + QUOTES + "\n") * 100_000,
    "texts without an end.toml": (QUOTES + "\n\\") * 100_000,
    "single texts.toml": ("x = '''\n\\") * 60_000 + "\\",
    "merge keys.yaml": "a: &a {" + ", ".join(f"k{i}: {i}" for i in range(9000)) + "}\nb: {<<: ["
    + "*a, " * 150_000 + "*a]}",
    "numbers.yaml": "x: [" + "1," * 249_000 + "1]",
    "mappings.yaml": "x: [" + "a: ," * 166_000 + "1]",
    "numbers.json": '{"x": [' + "1," * 500_000 + "1]}",
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_a_data_file_is_bounded(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(DATA[name], encoding="utf-8")
    assert_bounded([path])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x: {? !!python/tuple [[a], b] : 1}",
            r"main.yaml:1:7: a key cannot be a mapping or a list",
        ),
        ("x: {? !!python/tuple [{a: 1}] : 1}", "a key cannot be a mapping or a list"),
        ("x: !!set {[a, b]}", "'tag:yaml.org,2002:set' is no plain data"),
        ("? !!set {[a, b]}\n: 1", "is no plain data"),
        ("a: x\u0085c: é\u0085d: {[1]: 2}", r"main.yaml:1:15: a key cannot be"),
        ("a: 'é\u2028'\nd: {[1]: 2}", r"main.yaml:2:5: a key cannot be"),
    ],
)
def test_a_key_that_cannot_be_hashed_is_one_message(
    text: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "main.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_yaml_that_breaks_lines_in_its_own_way_is_placed_by_ours(tmp_path: Path) -> None:
    from optplan.config import place_of

    path = tmp_path / "main.yaml"
    path.write_text("a: 1\u0085b: é\nc: {d: 'x\u2028y', e: 2}\n", encoding="utf-8")
    data: Any = load_config(path).data
    assert dict(data) == {"a": 1, "b": "é", "c": {"d": "x\u2028y", "e": 2}}
    places = [place_of(data, "a"), place_of(data, "b"), place_of(data["c"], "e")]
    assert [(one.line, one.column) for one in places if one] == [(1, 1), (1, 6), (2, 15)]


def test_a_did_you_mean_among_many_long_names_is_quick() -> None:
    from optplan.errors import close_matches

    rng = random.Random("names")
    names = ["".join(rng.choices("ab", k=190)) for _ in range(4500)]
    start = time.process_time()
    assert close_matches(names[7][:-1] + "c", names)[0] == names[7]
    assert time.process_time() - start < 5
