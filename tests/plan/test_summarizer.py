"""Several sets of the same names: as if each were summarized alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optplan.plan.names.patterns import matching
from optplan.plan.names.summarize import Summarizer

NAMES = [
    f"blocks.{block}.{part}.{leaf}"
    for block in range(4)
    for part in ("norm1", "norm2", "mlp.fc1", "mlp.fc2")
    for leaf in ("weight", "bias")
] + ["cls_token", "head.weight", "head.bias", "{a,b}", "x*"]


@settings(deadline=None)
@given(st.lists(st.sets(st.sampled_from(NAMES)), min_size=2, max_size=4))
def test_one_summarizer_says_what_a_new_one_would(sets: list[set[str]]) -> None:
    summarizer = Summarizer(NAMES)
    for names in sets:
        patterns = summarizer.patterns(sorted(names))
        assert patterns == Summarizer(NAMES).patterns(sorted(names))
        matched = {name for hit in matching(patterns, NAMES).values() for name in hit}
        assert matched == names


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"names that are not among all names: \['nothing'\]"):
        Summarizer(NAMES).patterns(["nothing"])
