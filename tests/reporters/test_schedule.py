"""The courses of settings as text: the plot, the table in parts, and names that stay names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from optplan.dialects import find_schedulers
from optplan.plan import Plan
from optplan.reporters.formats import html
from optplan.reporters.formats import text as as_text
from optplan.reporters.formats.plot import Plot, axis_for
from optplan.reporters.formats.terminal import render
from optplan.reporters.schedule.report import schedule_report
from optplan.reporters.schedule.view import ScheduleView
from optplan.reporters.selection import Narrowing
from optplan.schedule import Training, courses_of, schedule_of
from optplan.schedule.key_steps import telling_steps
from tests.schedule.reference import SGD, plan_of_three

WARM: list[dict[str, Any]] = [
    {"type": "LinearLR", "start_factor": 0.001, "end": 20},
    {"type": "CosineAnnealingLR", "begin": 20, "eta_min_ratio": 0.01},
]


def view_of(
    schedulers: Sequence[dict[str, Any]] = WARM,
    *,
    plan: Plan | None = None,
    points: Sequence[int] = (),
    length: int = 100,
) -> ScheduleView:
    """A view of three settings."""
    plan = plan or plan_of_three()
    training = Training(by_epoch=True, length=length)
    section = find_schedulers({"param_scheduler": list(schedulers)})
    schedule = schedule_of(plan, section, training, [dict(SGD)])
    telling = telling_steps(schedule.all_specs, training, schedule.unit)
    shown = dict.fromkeys(points, ()) if points else telling
    return ScheduleView(
        plan=plan,
        courses=courses_of(schedule, range(length)),
        points=shown,
        chosen=tuple(range(len(schedule.settings))),
        narrowing=Narrowing(),
    )


def schedule_text(view: ScheduleView, *, width: int | None, color: bool = False) -> str:
    return as_text.render(schedule_report(view), width=width, color=color)


def schedule_html(view: ScheduleView) -> str:
    return html.render(schedule_report(view), width=None, color=False)


def plot_lines(
    steps: Sequence[int],
    curves: Sequence[Sequence[float | None]],
    ticks: Sequence[int] = (),
    *,
    width: int,
) -> list[str]:
    return render([Plot(steps, curves, ticks)], width=width, color=False).splitlines()


# A value holds until the next step, so that a line goes up in stairs.
PLOT = """\
  0.9 ┤           ⡏⠉⢱
      │         ⢰⠒⠁ ⠘⢢
      │        ⢠⠜    ⠸⢄
      │        ⢸      ⢸
 0.57 ┤       ⢸⠁      ⠈⠉⡆
      │      ⡖⠊         ⠓⡄
      │     ⡤⠃           ⠧⡀
      │    ⣀⠇             ⣇⡀
 0.25 ┤    ⡇               ⢸
      │  ⢰⠒⠁               ⠘⢢
      │ ⢠⠜                  ⠸⢄
    0 ┤⣀⡸                    ⢸
      └┬───────────┬─────────┬
       0          10        19
"""


def test_the_plot_is_what_it_shows() -> None:
    up = [step / 10 for step in range(10)]
    lines = plot_lines(range(20), [[*up, *reversed(up)]], [10], width=30)
    assert "\n".join(lines) + "\n" == PLOT


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], (0.0, 2.0, False, False)),
        ([1.9, 2.0], (1.9, 2.0, False, False)),
        ([0.001, 0.1], (0.001, 0.1, True, False)),
        ([0.0, 1e-9, 0.1], (1e-5, 0.1, True, True)),
        ([0.0, 0.1], (0.0, 0.1, False, False)),
        ([0.0, 0.0], (0.0, 0.0, False, False)),
        ([-1.0, 1.0], (-1.0, 1.0, False, False)),
        ([None, 3.0, float("inf")], (3.0, 3.0, False, False)),
    ],
)
def test_axes(values: list[float | None], expected: tuple[float, float, bool, bool]) -> None:
    axis = axis_for(values)
    assert axis is not None
    assert (axis.low, axis.high, axis.is_log, axis.is_cut) == pytest.approx(expected)


def test_no_axis() -> None:
    assert axis_for([None, float("nan")]) is None
    assert plot_lines([0, 1], [[None, None]], [], width=60) == []
    assert plot_lines([0, 1], [[1.0, 2.0]], [], width=8) == []


def test_a_gap_is_left_where_nothing_is_known() -> None:
    lines = plot_lines(range(10), [[1.0] * 5 + [None] * 5], [], width=40)
    assert max(len(line) for line in lines[:12]) < 26


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_a_terminal(width: int) -> None:
    text = schedule_text(view_of(points=range(0, 100, 9)), width=width)
    # below the line of the optimizer, which is as long as its options
    assert max(map(cell_len, text.splitlines()[2:])) <= width


def test_the_table_goes_on_below() -> None:
    text = schedule_text(view_of(points=range(0, 100, 9)), width=80)
    lines = text.splitlines()
    heads = [
        place
        for place, line in enumerate(lines)
        if line.split()[:3] == ["lr", "weight_decay", "parameters"]
    ]
    assert len(heads) == 3
    steps = [step for head in heads for step in lines[head - 1].split()]
    assert steps == [str(step) for step in range(0, 100, 9)]
    wide = schedule_text(view_of(points=range(0, 100, 9)), width=None)
    assert sum("weight_decay  parameters" in line for line in wide.splitlines()) == 1


def test_each_curve_has_its_colour() -> None:
    text = schedule_text(view_of(), width=80, color=True)
    table = [line for line in text.splitlines() if "━" in line]
    assert [re.findall(r"\x1b\[(\d+)m━", line) for line in table] == [["36"], ["33"], ["35"]]
    plot = "".join(line for line in text.splitlines() if "⠒" in line or "⠉" in line)
    assert {"36", "33", "35"} <= set(re.findall(r"\x1b\[(\d+)m", plot))


def test_several_hyper_parameters() -> None:
    moving = [*WARM, {"type": "StepParamScheduler", "param_name": "weight_decay", "step_size": 50}]
    lines = schedule_text(view_of(moving), width=None).splitlines()
    assert [line for line in lines if line.endswith(" by epoch")] == [
        " lr by epoch",
        " weight_decay by epoch",
    ]
    assert lines[-1] == " 3 settings · lr, weight_decay scheduled, all else is constant"


EVIL = "<script>alert(1)</script>[red]\x1b[31m"


def test_names_stay_names() -> None:
    plan = plan_of_three()
    plan = replace(plan, model=replace(plan.model, spec=EVIL), config=EVIL)
    schedulers = [{"type": "LinearMomentum"}]
    text = schedule_text(view_of(schedulers, plan=plan), width=None)
    assert "\x1b" not in text
    assert "[red]" in text
    page = schedule_html(view_of(schedulers, plan=plan))
    assert "<script>alert" not in page
    assert "\x1b" not in page


def test_the_data_of_a_chart_cannot_end_its_script() -> None:
    page = schedule_html(view_of(plan=replace(plan_of_three(), config="</script>")))
    assert page.count("</script>") == 2


def test_settings_that_move_together_are_written_once() -> None:
    plan = plan_of_three()
    same = tuple(row._replace(lr=0.1) for row in plan.parameters)
    page = schedule_html(view_of(plan=replace(plan, parameters=same)))
    assert page.count('{"curve":0,') == 3
