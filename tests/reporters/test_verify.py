"""A verification as text: what fits where, and what a user wrote stays literal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from optplan.plan import Setting
from optplan.reporters.verify.json import render as verify_json
from optplan.reporters.verify.text import render as verify_text
from optplan.verify.results import (
    Cost,
    Measured,
    Mismatch,
    Movement,
    MovementResult,
    NoRealStep,
    ParameterResult,
    RealStep,
    RunEnvironment,
    Timing,
    Verification,
)
from tests import plans
from tests.schema import validate

NAMES = tuple(f"backbone.layers.{index}.attention.weight" for index in range(9))


def result(name: str, **given: Any) -> ParameterResult:
    values: dict[str, Any] = {
        "optimizer": 0,
        "setting": 0,
        "lr": 0.1,
        "weight_decay": 0.05,
        "measured": Measured(lr=0.1, weight_decay=0.05000000000000002),
        "exact": MovementResult(movement=Movement.MOVED, distance=0.0),
        "trained": MovementResult(movement=Movement.MOVED, distance=1e-7),
    }
    return ParameterResult(name=name, **{**values, **given})


def found(**given: Any) -> Verification:
    """All well, for nine parameters."""
    setting = Setting(
        index=0,
        optimizer=0,
        lr=0.1,
        weight_decay=0.05,
        lr_scale=None,
        options={},
        parameters=9,
        elements=90,
    )
    values: dict[str, Any] = {
        "plan": replace(plans.plan(*map(plans.row, NAMES)), settings=(setting,)),
        "plan_source": None,
        "place": RunEnvironment(
            device="cuda:0", chosen="auto", dtypes=("bfloat16",), steps=2, seed=0, processes=1
        ),
        "groups": 9,
        "mismatches": (),
        "parameters": tuple(map(result, NAMES)),
        "coupled": (),
        "remarks": (),
        "step": NoRealStep(reason="left out: --no-forward"),
        "cost": None,
    }
    return Verification(**{**values, **given})


STEP = RealStep(
    inputs=((2, 3, 8, 8), (4,)),
    amp="bfloat16",
    loss=float("nan"),
    without_gradient=NAMES,
    unmoved=(),
    changed_parameters=NAMES[:1],
    changed_buffers=(),
)
COST = Cost(
    timings=(
        Timing(merged=False, implementation="default", groups=9, seconds=0.004, state_bytes=720),
        Timing(merged=True, implementation="fused", groups=1, seconds=0.00001, state_bytes=720),
    ),
    peak_bytes=3_210_000_000,
)
LOST = MovementResult(
    movement=Movement.BELOW_RESOLUTION, distance=1.0, reason="an update of 1e-05 is lost"
)
UNCHECKED = MovementResult(movement=Movement.UNCHECKED, reason="RuntimeError: no [graph]")


def lines(verification: Verification, width: int | None = None) -> list[str]:
    return verify_text(verification, width=width, color=False).splitlines()


def test_all_is_well() -> None:
    assert lines(found())[1:] == [
        " on cuda:0 (auto) · bfloat16 · 2 steps · seed 0",
        "",
        " groups      9 groups as planned: values, members, order",
        " float64     9 parameters: 9 moved as planned",
        " bfloat16    9 parameters: 9 moved as planned",
        " real step   left out: --no-forward",
        "",
        " setting                    parameters  lr measured  decay measured",
        " lr 0.1  weight_decay 0.05           9          0.1            0.05",
        "",
        " matches: every parameter got what the plan says",
    ]


def test_a_real_step_that_changes_what_it_must_not() -> None:
    text = "\n".join(lines(found(step=STEP)))
    assert " real step   input 2×3×8×8, 4, bfloat16 by autocast, loss nan\n" in text
    assert (
        "             9 parameters without gradient: backbone.layers.0.attention.weight, " in text
    )
    assert " and 4 more\n" in text
    assert "1 parameter changed, though frozen or of lr 0: backbone.layers.0" in text
    assert text.endswith(" does not match: 1 parameter not as planned")


def test_costs() -> None:
    assert lines(found(cost=COST))[-6:-2] == [
        " cost                          groups  a step           state",
        " groups as built                    9    4 ms           720 B",
        " equal settings merged, fused       1   10 µs  ×0.0025  720 B",
        " peak memory 3.21 GB",
    ]


def test_updates_that_are_lost() -> None:
    parameters = tuple(result(name, trained=LOST) for name in NAMES)
    text = "\n".join(lines(found(parameters=parameters)))
    assert "\n update below bfloat16 resolution: 9 parameters would not move\n" in text
    assert text.endswith(" matches as far as it was checked: 9 parameters could not be")


def test_what_was_not_checked() -> None:
    parameters = (result(NAMES[0], exact=UNCHECKED, measured=Measured()), result(NAMES[1]))
    verification = found(parameters=parameters, coupled=("Lamb",), remarks=("a remark",))
    text = "\n".join(lines(verification))
    assert (
        "  backbone.layers.0.attention.weight\n    in float64: RuntimeError: no [graph]\n" in text
    )
    assert text.endswith(" a remark\n matches as far as it was checked: 1 parameter could not be")
    assert verification.matches


def test_values_that_do_not_agree_show_their_range() -> None:
    odd = result(NAMES[0], measured=Measured(lr=0.05, weight_decay=None))
    text = lines(found(parameters=(odd, result(NAMES[1]))))
    assert " lr 0.1  weight_decay 0.05           2  0.05 to 0.1            0.05" in text


@pytest.mark.parametrize("width", [80, 60, 40])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    mismatch = Mismatch(what="lr", planned=0.1 + 0.2, built=0.1, parameters=NAMES)
    verification = found(
        mismatches=(mismatch,),
        step=STEP,
        cost=COST,
        parameters=tuple(result(name, trained=LOST) for name in NAMES),
    )
    text = lines(verification, width)
    assert max(map(len, text)) <= max(width, 67)  # a table of measured values needs as much
    assert "0.30000000000000004" in " ".join(text)


def test_what_a_user_wrote_is_literal() -> None:
    name = "[red]a[/x]\x1b[31m"
    row = result(name, exact=MovementResult(movement=Movement.DEVIATES, reason="did\nnot"))
    mismatch = Mismatch(what=name, planned="\x07", built=("[b]",), parameters=(name,))
    text = verify_text(
        found(parameters=(row,), mismatches=(mismatch,), plan_source=name), width=None, color=False
    )
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]a[/x]\\x1b[31m: planned \\x07, built ([b])" in text
    assert "in float64: did\\nnot" in text


def test_json_of_everything() -> None:
    mismatch = Mismatch(what="betas", planned=(0.9, 0.99), built=None, parameters=NAMES[:1])
    verification = found(
        mismatches=(mismatch,),
        step=STEP,
        cost=COST,
        parameters=(
            result(NAMES[0], exact=UNCHECKED, trained=None, measured=Measured(), joint=True),
        ),
    )
    data = json.loads(verify_json(verification))
    validate(data, "verify-1.0")
    assert data["step"]["loss"] is None
    assert data["mismatches"][0]["planned"] == [0.9, 0.99]
    assert data["parameters"][0]["joint"] is True
    assert data["cost"]["timings"][1]["ratio"] == 0.0025
    assert data["summary"]["trained"]["moved"] == 0
