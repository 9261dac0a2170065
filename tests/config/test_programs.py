"""Programs of the subset against Python's own execution, and arbitrary text against the bounds."""

from __future__ import annotations

import ast
import copy
import random
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optplan.config import load_config
from optplan.errors import ConfigError

SETTINGS = settings(
    derandomize=True,
    deadline=None,
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = st.sampled_from(["a", "b", "c", "d"])
KEYS = st.sampled_from(["lr", "wd", "x"])
LEAVES = st.one_of(
    st.integers(-9, 9).map(repr),
    st.sampled_from(["0.5", "1e-3", "True", "None", "'text'", "'a b'", "-2.0", "()", "[]", "{}"]),
    NAMES,
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: f"[{p[0]}, {p[1]}]"),
        pair.map(lambda p: f"({p[0]}, {p[1]})"),
        st.tuples(KEYS, inner).map(lambda p: f"dict({p[0]}={p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"{{'lr': {p[0]}, 'wd': {p[1]}}}"),
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "|", "<<", ">>"]),
            inner,
        ).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(inner, st.sampled_from(["<", "==", "!=", ">=", "in", "not in"]), inner).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(st.sampled_from(["-", "not ", "+"]), inner).map(lambda p: f"({p[0]}{p[1]})"),
        pair.map(lambda p: f"({p[0]})[{p[1]}]"),
        st.tuples(inner, st.integers(-2, 3), st.integers(-2, 3)).map(
            lambda p: f"({p[0]})[{p[1]}:{p[2]}]"
        ),
        inner.map(lambda e: f"f'{{({e})}}|{{({e})!r:>12}}'" if "'" not in e else e),
        pair.map(lambda p: f"[*{p[0]}, {p[1]}]"),
        pair.map(lambda p: f"{{**{p[0]}, 'x': {p[1]}}}"),
        pair.map(lambda p: f"dict({p[0]}, x={p[1]})"),
        st.tuples(inner, NAMES, inner).map(lambda p: f"[{p[2]} for {p[1]} in {p[0]} if {p[1]}]"),
        st.tuples(inner, NAMES, inner).map(lambda p: f"{{{p[1]}: {p[2]} for {p[1]} in {p[0]}}}"),
        st.tuples(
            st.sampled_from(
                [
                    "list",
                    "tuple",
                    "len",
                    "int",
                    "float",
                    "str",
                    "bool",
                    "sum",
                    "min",
                    "max",
                    "abs",
                    "sorted",
                    "any",
                    "all",
                    "round",
                ]
            ),
            inner,
        ).map(lambda p: f"{p[0]}({p[1]})"),
        inner.map(lambda e: f"list(reversed({e}))"),
        inner.map(lambda e: f"list(enumerate({e}))"),
        pair.map(lambda p: f"list(zip({p[0]}, {p[1]}))"),
        inner.map(lambda e: f"copy.deepcopy({e})"),
        st.tuples(inner, KEYS).map(lambda p: f"({p[0]}).get('{p[1]}', 7)"),
        st.tuples(inner, st.sampled_from(["keys", "values", "items", "copy"])).map(
            lambda p: f"list(({p[0]}).{p[1]}())"
        ),
        inner.map(lambda e: f"isinstance({e}, (int, dict))"),
        pair.map(lambda p: f"'{{}}-{{!r}}'.format({p[0]}, {p[1]})"),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=6)
STATEMENTS = st.one_of(
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]} = {p[1]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]} = {p[1]}"),
    st.tuples(NAMES, NAMES, EXPRESSIONS).map(lambda p: f"{p[0]} = {p[1]} = {p[2]}"),
    st.tuples(NAMES, st.sampled_from(["+", "-", "*", "|"]), EXPRESSIONS).map(
        lambda p: f"{p[0]} {p[1]}= {p[2]}"
    ),
    st.tuples(NAMES, EXPRESSIONS, EXPRESSIONS).map(lambda p: f"{p[0]}[{p[1]}] = {p[2]}"),
    st.tuples(NAMES, NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}, {p[1]} = {p[2]}"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.append({p[1]})"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.extend({p[1]})"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.insert(0, {p[1]})"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.update({p[1]})"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.update(x={p[1]})"),
    st.tuples(NAMES, KEYS).map(lambda p: f"{p[0]}.pop('{p[1]}', None)"),
    NAMES.map(lambda name: f"{name}.pop()"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.remove({p[1]})"),
    st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"del {p[0]}[{p[1]}]"),
    st.tuples(NAMES, EXPRESSIONS, NAMES, EXPRESSIONS).map(
        lambda p: f"for {p[0]} in {p[1]}:\n    {p[2]} = {p[3]}"
    ),
    st.tuples(EXPRESSIONS, NAMES, EXPRESSIONS).map(lambda p: f"if {p[0]}:\n    {p[1]} = {p[2]}"),
    EXPRESSIONS.map(lambda e: f"assert {e}, 'text'"),
    EXPRESSIONS.map(lambda e: f"def _f(x=1):\n    return {e}"),
)
START = "import copy\na = [1, dict(lr=0.1)]\nb = dict(lr=a, wd=2)\nc = 3\nd = 'text'\n"


def executed(source: str) -> tuple[dict[str, Any], str | None]:
    """What Python itself makes of a program, up to the statement that raises."""
    scope: dict[str, Any] = {}
    done = None
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        return {}, str(error)
    for node in body:
        before = copy.deepcopy({k: v for k, v in scope.items() if k in "abcd"})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of an assertion that is always true
                exec(compile(ast.Module([node], []), "<program>", "exec"), scope)
        except Exception as error:  # noqa: BLE001
            done = f"{type(error).__name__} at line {node.lineno}"
            return before, done
    return {name: scope[name] for name in "abcd" if name in scope}, done


@SETTINGS
@given(st.lists(STATEMENTS, min_size=1, max_size=8))
def test_programs_come_to_what_python_makes_of_them(
    tmp_path: Any, same: Any, statements: Any
) -> None:
    source = START + "\n".join(statements) + "\n"
    expected, failure = executed(source)
    path = tmp_path / "main.py"
    path.write_text(source)
    if failure is not None:
        with pytest.raises(ConfigError):
            load_config(path)
        return
    try:
        ours = load_config(path).to_dict()
    except ConfigError as error:
        # Python's own limits are wider than a config's.
        assert any(  # noqa: PT017
            words in str(error) for words in ("too large", "too deeply", "too much", "too long")
        ), source
        return
    assert set(ours) == set(expected), source
    assert all(same(ours[name], expected[name]) for name in expected), source


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    """Sources to mutate: the programs of these tests themselves."""
    folder = Path(__file__).parent
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("test_[ero]*.py"))]


def ends_well(path: Path) -> bool:
    try:
        load_config(path).to_dict()
    except ConfigError as error:
        return len(str(error)) > 0
    return True


@pytest.mark.parametrize("name", ["main.py", "main.yaml", "main.json", "main.toml"])
def test_arbitrary_text_ends_in_a_value_or_an_error(name: Any, tmp_path: Any) -> None:
    rng = random.Random(f"text {name}")
    alphabet = "abx01 \n\t\\'\"()[]{}:,.=+-*/%<>!&|#@$_~?é\x00\ud7ff\u2028"
    path = tmp_path / name
    for _ in range(800):
        text = "".join(rng.choices(alphabet, k=rng.randrange(40)))
        path.write_text(text, encoding="utf-8")
        assert ends_well(path), text


TOKENS = [
    "\na",
    "b",
    "dict(",
    "list(",
    "(",
    "[",
    "{",
    "}",
    "]",
    ")",
    ")",
    ",",
    ",",
    "=",
    "=",
    ":",
    ".",
    "+",
    "-",
    "*",
    "**",
    "/",
    "//",
    "%",
    "<<",
    ">>",
    "@",
    "==",
    "<",
    "in",
    "not",
    "and",
    "or",
    "if",
    "else",
    "for",
    "in\nlambda",
    "def",
    "class",
    "import",
    "from",
    "with",
    "as",
    "del",
    "pass",
    "try",
    "while",
    "yield",
    "await",
    "\n",
    "\n",
    "\n\t",
    "1",
    "2.5",
    "'x'",
    '"y"',
    "f'{a}'\nf'{a!r:>9}'",
    "None",
    "True",
    "_base_",
    "_base_.a",
    "{{_base_.a}}",
    "{{",
    "fileBasename",
    "}}",
    "__class__",
    ".update(",
    ".append(\n.format(",
    ".pop(",
    "range(",
    "len(",
    "sum(",
    "zip(",
    "enumerate(",
    "sorted(",
    "copy",
    "math.pi",
    "_delete_",
    ":=\n",
]


@pytest.mark.parametrize("seed", range(3))
def test_arbitrary_tokens_end_in_a_value_or_an_error(seed: Any, tmp_path: Any) -> None:
    rng = random.Random(seed)
    path = tmp_path / "main.py"
    for _ in range(800):
        text = " ".join(rng.choices(TOKENS, k=rng.randrange(1, 30)))
        path.write_text(text, encoding="utf-8")
        assert ends_well(path), text


def test_mutated_sources_end_in_a_value_or_an_error(corpus: Any, tmp_path: Any) -> None:
    rng = random.Random("mutations")
    path = tmp_path / "main.py"
    lines = [line for text in corpus for line in text.split("\n")]
    for _ in range(800):
        start = rng.randrange(len(lines))
        text = list("\n".join(lines[start : start + rng.randrange(1, 15)]))
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(text) + 1)
            text[at : at + rng.randrange(3)] = rng.choice(
                ["", "(", ")", "\n", "'", "**", "0", "{{"]
            )
        path.write_text("".join(text), encoding="utf-8")
        assert ends_well(path), "".join(text)
