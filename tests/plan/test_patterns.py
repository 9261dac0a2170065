from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optplan.errors import UsageError
from optplan.plan.names.patterns import escape, matcher, matching

AWKWARD = st.text(alphabet="ab.*{},\\[]-0?\n", max_size=10)


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("*", ["", "a", "a.b.c", "a\nb"], []),
        ("*.bias", ["a.bias", "a.b.bias", ".bias"], ["bias", "a.bias2", "abias"]),
        ("bn*", ["bn", "bn1.weight"], ["a.bn1"]),
        ("a.*.b", ["a.x.b", "a.x.y.b", "a..b"], ["a.b"]),
        ("layer{1,2}.w", ["layer1.w", "layer2.w"], ["layer3.w", "layer12.w", "layer.w"]),
        ("b{0-11}", ["b0", "b9", "b10", "b11"], ["b12", "b00", "b01", "b", "b-1"]),
        ("b{11-9}", ["b9", "b10", "b11"], ["b8", "b12"]),
        ("b{0-2,7,9-10}", ["b0", "b2", "b7", "b9", "b10"], ["b3", "b8", "b11"]),
        ("{0-2,norm{1,2}}", ["0", "2", "norm1", "norm2"], ["norm", "norm0", "3"]),
        ("{a*,b}c", ["ac", "a.x.c", "bc"], ["bxc"]),
        ("a{}b", ["ab", "a{}b"], ["a{b"]),
        ("a{b,}", ["a", "ab"], ["a,", "abb"]),
        ("{,}", ["", "{,}"], [","]),
        ("{a", ["{a"], ["a"]),
        ("a}", ["a}"], ["a"]),
        ("{a,{b,c}", ["{a,b", "{a,c"], ["a", "b"]),
        ("{a}}", ["a}"], ["a"]),
        ("0-3", ["0-3"], ["1"]),
        ("{00-11}", ["00-11"], ["5"]),
        ("{a-c}", ["a-c"], ["b"]),
        (r"{0\-3}", ["0-3"], ["1", "0"]),
        (r"\*", ["*"], ["a", ""]),
        (r"\{0-3\}", ["{0-3}"], ["1"]),
        (r"{a\,b,c}", ["a,b", "c"], ["a", "b"]),
        (r"{a\},b}", ["a}", "b"], ["a"]),
        ("a\\", ["a\\"], ["a"]),
        ("a,b", ["a,b"], ["a", "b"]),
        ("[ab]?", ["[ab]?"], ["a", "ax"]),
        ("{٠-٣}", ["٠-٣"], ["١"]),
    ],
)
def test_the_language(pattern: str, fitting: list[str], other: list[str]) -> None:
    fits = matcher(pattern)
    assert [name for name in fitting if not fits(name)] == []
    assert [name for name in other if fits(name)] == []


@settings(deadline=None)
@given(AWKWARD, AWKWARD)
def test_an_escaped_name_matches_that_name_alone(name: str, other: str) -> None:
    fits = matcher(escape(name))
    assert fits(name)
    assert fits(other) == (other in {name, escape(name)})


@settings(deadline=None)
@given(AWKWARD)
def test_a_name_always_fits_itself(name: str) -> None:
    assert matcher(name)(name)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_a_range_holds_the_numbers_between_its_ends(first: int, last: int) -> None:
    fits = matcher(f"{{{first}-{last}}}")
    low, high = min(first, last), max(first, last)
    assert [n for n in range(320) if fits(str(n))] == list(range(low, high + 1))


@settings(deadline=None)
@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_a_huge_range_holds_the_numbers_between_its_ends(first: int, last: int, n: int) -> None:
    assert matcher(f"x{{{first}-{last}}}")(f"x{n}") == (min(first, last) <= n <= max(first, last))


def _choices(depth: int) -> st.SearchStrategy[tuple[str, frozenset[str]]]:
    """A pattern without stars, and the texts it stands for, made side by side."""
    leaf = st.sampled_from(["", "a", "b", ".", "1"]).map(lambda text: (text, frozenset({text})))
    if not depth:
        return leaf
    inner = _choices(depth - 1)
    either = st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: (
            "{" + ",".join(text for text, _ in parts) + "}",
            frozenset().union(*(texts for _, texts in parts)),
        )
    )
    both = st.tuples(inner, inner).map(
        lambda pair: (
            pair[0][0] + pair[1][0],
            frozenset(a + b for a in pair[0][1] for b in pair[1][1]),
        )
    )
    return st.one_of(leaf, either, both)


@settings(deadline=None)
@given(_choices(3), st.text(alphabet="ab.1", max_size=6))
def test_nested_alternatives_are_their_expansion(
    choice: tuple[str, frozenset[str]], other: str
) -> None:
    pattern, texts = choice
    fits = matcher(pattern)
    assert all(map(fits, texts))
    assert fits(other) == (other in texts)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["*", "a", "b", "."]), max_size=8), st.text("ab.", max_size=8))
def test_stars_match_any_text(parts: list[str], name: str) -> None:
    reachable = {0}
    for part in parts:
        if part == "*":
            reachable = set(range(min(reachable, default=len(name) + 1), len(name) + 1))
        else:
            reachable = {i + 1 for i in reachable if name[i : i + 1] == part}
    assert matcher("".join(parts))(name) == (len(name) in reachable)


def test_matching_keeps_the_order_of_the_names() -> None:
    names = ["b.w", "a.w", "b.b", "a.w", ""]
    assert matching(["*.w", "a*", "none", ""], names) == {
        "*.w": ["b.w", "a.w", "a.w"],
        "a*": ["a.w", "a.w"],
        "none": [],
        "": [""],
    }


@settings(deadline=None)
@given(st.lists(AWKWARD, max_size=6), st.lists(AWKWARD, max_size=6))
def test_matching_agrees_with_the_matcher(patterns: list[str], names: list[str]) -> None:
    expected = {pattern: [n for n in names if matcher(pattern)(n)] for pattern in patterns}
    assert matching(patterns, names) == expected


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*a" * 40 + "b", "a" * 3000),
        ("{a,aa}" * 40 + "b", "a" * 3000),
        ("{*,{*,*a}}" * 20 + "b", "a" * 1000),
        ("{" * 5000 + "}" * 5000 + "x", "a"),
        ("{" * 20000, "a"),
        ("{0-999999999999999999}" * 3 + "x", "1" * 500),
    ],
    ids=["stars", "alternatives", "both", "depth", "open braces", "ranges"],
)
def test_hostile_patterns_end_soon(pattern: str, name: str) -> None:
    began = time.perf_counter()
    assert not matcher(pattern)(name)
    assert time.perf_counter() - began < 5  # an exponential search would take years


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{" + ",".join(["0-999999999999999999"] * 800) + "}", "has more than 28,000 states"),
        ("{1-999999999999999998}" * 500, "has more than 28,000 states"),
        ("x*" * 20_000, "has more than 28,000 states"),
        ("y" * 1_000_000 + "*", "has more than 28,000 states"),
        ("*{" + ",".join(f"*a*b{i}*" for i in range(1500)) + "}x", "takes too long to match"),
    ],
    ids=["choice of ranges", "row of ranges", "stars", "letters", "choice of names"],
)
def test_a_pattern_that_is_too_large_is_refused_soon(pattern: str, reason: str) -> None:
    names = [f"a.b{i}.c{j}.weight" for i in range(100) for j in range(10)]
    began = time.process_time()
    with pytest.raises(UsageError, match=reason) as told:
        matching([pattern], names)
    with pytest.raises(UsageError, match=reason):
        list(map(matcher(pattern), names))
    assert time.process_time() - began < 20
    assert len(str(told.value)) < 250


def test_many_large_ranges_are_small_automatons() -> None:
    """A range is a few states for each of its digits, so that a hundred of them fit."""
    fits = matcher("{" + ",".join(f"{n}-999999999999999{n}" for n in range(100, 200)) + "}")
    assert [
        n for n in (99, 100, 10**17, 999999999999999199, 999999999999999200) if fits(str(n))
    ] == [
        100,
        10**17,
        999999999999999199,
    ]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0), (7, 7), (9, 10), (10, 99), (95, 1205), (100, 999)]
)
def test_small_ranges_hold_no_other_text(low: int, high: int) -> None:
    fits = matcher(f"{{{low}-{high}}}")
    assert [n for n in range(12_000) if fits(str(n))] == list(range(low, high + 1))
    assert not any(map(fits, ["", "00", "01", "007", "-1", "x", "0100"]))
