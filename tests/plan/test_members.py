"""The settings with their members: exact patterns, whichever way they are found."""

from __future__ import annotations

import pytest

from optplan.plan import Plan, setting_members
from optplan.plan.names.patterns import matching
from optplan.plan.setting_members import member_patterns, members_of
from tests.views import PLANNED, Transformer, on_meta, planned

NO_DECAY = {"norm_decay_mult": 0.0, "bias_decay_mult": 0.0, "bypass_duplicate": True}


def test_settings_then_what_is_in_no_group() -> None:
    plan = planned("FrozenAndTied", NO_DECAY).plan
    found = members_of(plan, plan.parameters)
    assert [
        (m.setting.index if m.setting else m.status.value, m.parameters, m.elements, m.names)
        for m in found
    ] == [
        (0, 1, 5, ("decoder.bias",)),
        ("frozen", 1, 20, ("embedding.weight",)),
        ("duplicate", 0, 0, ("decoder.weight",)),
    ]


@pytest.mark.parametrize("most_work", [0, 10**9])
@pytest.mark.parametrize("name", sorted(PLANNED))
def test_patterns_are_exact_and_nothing_is_lost(
    name: str, most_work: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_members, "_MOST_WORK", most_work)
    plan = planned(name, {**NO_DECAY, "flat_decay_mult": 0.5}).plan
    found = members_of(plan, plan.parameters)
    assert exact(plan) == [sorted(m.names) for m in found]
    assert sum(m.parameters for m in found) == plan.model.parameters
    assert sum(m.elements for m in found) == plan.model.elements
    by_setting = {m.setting.index: m for m in found if m.setting}
    assert {s.index: (s.parameters, s.elements) for s in plan.settings} == {
        index: (m.parameters, m.elements) for index, m in by_setting.items()
    }


def exact(plan: Plan) -> list[list[str]]:
    """For each setting the names that its patterns match."""
    found = members_of(plan, plan.parameters)
    names = [row.name for row in plan.parameters]
    sets = [matching(texts, names) for texts in member_patterns(plan, found)]
    return [sorted({name for matched in s.values() for name in matched}) for s in sets]


def test_part_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(on_meta(Transformer), NO_DECAY).plan
    part = plan.parameters[3:20]
    found = members_of(plan, part)
    names = [row.name for row in plan.parameters]
    for most_work in (0, 10**9):
        monkeypatch.setattr(setting_members, "_MOST_WORK", most_work)
        for m, texts in zip(found, member_patterns(plan, found), strict=True):
            matched = {name for hit in matching(texts, names).values() for name in hit}
            assert matched == set(m.names)
    assert sum(m.parameters for m in found) == 17


def test_modules_stand_for_their_names_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = planned(on_meta(Transformer), NO_DECAY).plan
    found = members_of(plan, plan.parameters)
    monkeypatch.setattr(setting_members, "_MOST_WORK", 0)
    assert member_patterns(plan, found) == [
        (
            "cls_token",
            "blocks.{0-2}.multihead_attn.weight",
            "blocks.{0-2}.mlp.fc{1,2}.weight",
            "head.weight",
        ),
        (
            "blocks.{0-2}.norm{1,2}.*",
            "blocks.{0-2}.multihead_attn.bias",
            "blocks.{0-2}.mlp.fc{1,2}.bias",
            "head.bias",
        ),
    ]
