"""What `check` says of random schedulers, against the values that MMEngine's classes give when they are stepped."""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import replace
from math import ceil
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from optplan.schedule import Training, Unit
from tests.checks.given import context_of, found, section_of
from tests.conftest import Tell
from tests.schedule.reference import Table, stepped
from tests.schedule.strategies import schedulers, trainings

FIELDS = ("lr", "weight_decay", "momentum")
# The iterations of an epoch, which no config states: what is claimed must hold with each.
LENGTHS = (1, 3, 25)
SPANS = st.sampled_from([0, 1, 2, 3, 5, 8, 12, 0.5, 1.5, 20, 60, 10**9])
MILESTONES = st.lists(st.sampled_from([0, 1, 2, 3, 5, 9, 12, 16, 22]), min_size=1, max_size=4)
GAP = re.compile(r"no scheduler moves (\w+) from (epoch|iteration) (\S+) to (\S+), while")
Stack = list[dict[str, Any]]


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Training, Stack]:
    """Return a training and schedulers of which some begin, end or have milestones anywhere."""
    training = draw(trainings())
    stack = [draw(schedulers(training)) for _ in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        by_epoch = draw(st.booleans())
        stack[0] = {"type": "MultiStepLR", "milestones": [], "by_epoch": by_epoch}
    for one in stack:
        for name in draw(st.sets(st.sampled_from(["begin", "end", "convert_to_iter_based"]))):
            one[name] = draw(st.booleans() if name.startswith("convert") else SPANS)
        if "milestones" in one:
            one["milestones"] = sorted(draw(MILESTONES))
    return training, stack


def late(length: int, milestones: list[int], begin: int = 0) -> tuple[Training, Stack]:
    """Return a training of some epochs with milestones that it does not reach."""
    one = {"type": "MultiStepLR", "milestones": milestones, "by_epoch": True, "begin": begin}
    return Training(by_epoch=True, length=length, per_epoch=None), [one]


def values(training: Training, stack: Stack, per_epoch: int) -> Table | None:
    """Return what the reference gives at every iteration; None where it refuses."""
    length = replace(training, per_epoch=per_epoch)
    try:
        return stepped(stack, length, Unit.ITERATION, fields=FIELDS)
    except Exception:  # noqa: BLE001 - it has no class of its own for what it refuses
        return None


def test_claims_hold_whatever_an_epoch_has_of_iterations(tell: Tell) -> None:
    counted: Counter[str] = Counter()

    @settings(
        max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=stacks())
    @example(case=late(5, [3, 9]))
    @example(case=late(12, [16, 22]))
    @example(case=late(12, [2, 12], begin=2))
    @example(case=late(8, [8]))
    def run(case: tuple[Training, Stack]) -> None:
        training, stack = case
        name = "max_epochs" if training.by_epoch else "max_iters"
        length = f"train_cfg = dict(by_epoch={training.by_epoch}, {name}={training.length})\n"
        context = context_of(f"{section_of('')}{length}param_scheduler = {stack!r}\n")
        tables = {n: values(training, stack, n) for n in LENGTHS}
        refusals = found("OPT506", context)
        assert not (refusals and any(tables.values())), refusals[0].message
        counted["refused"] += bool(refusals)
        for finding in found("OPT504", context):
            for per_epoch, table in tables.items():
                if table is None:
                    continue
                if gap := GAP.match(finding.message):
                    if "unless" not in finding.message:
                        assert is_constant(table, gap, per_epoch), finding.message
                        counted["gaps"] += 1
                elif "reached" in finding.message:
                    rest = without_late(stack, finding.key, finding.message)
                    assert values(training, rest, per_epoch) == table, finding.message
                    counted["milestones"] += 1

    run()
    tell(f"claims about random schedulers: {dict(counted)}")
    assert min(counted[kind] for kind in ("refused", "gaps", "milestones")) > 10


def is_constant(table: Table, gap: re.Match[str], per_epoch: int) -> bool:
    """Return whether nothing moves in a gap."""
    ticks = per_epoch if gap[2] == "epoch" else 1
    first, last = ceil(float(gap[3]) * ticks), int(float(gap[4]) * ticks)
    inside = table[gap[1]][first:last]
    return all(value == inside[0] for value in inside)


def without_late(stack: Stack, key: str, message: str) -> Stack:
    """Return the schedulers without the milestones that are said to be never reached."""
    rest = copy.deepcopy(stack)
    one = rest[int(key.partition("[")[2].partition("]")[0])]
    named = message.partition("milestone")[2].partition(" is")[0].partition(" are")[0]
    late = {float(number) for number in re.findall(r"[\d.]+", named)}
    begin = ceil(one.get("begin", 0))
    kept = [place for place in one["milestones"] if begin + place not in late]
    assert kept != one["milestones"]
    one["milestones"] = kept
    return rest
