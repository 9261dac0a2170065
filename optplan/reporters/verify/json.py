"""A verification as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optplan.plan import plain
from optplan.plan.serial import generation_to_dict
from optplan.reporters.formats.json import json_text, values_of
from optplan.verify.results import (
    Cost,
    MovementResult,
    Oracle,
    ParameterResult,
    RealStep,
    Verification,
    count_movements,
)

FORMAT_VERSION = "1.1"


def render(found: Verification, **_: object) -> str:
    """Return the verification as ``schemas/verify-1.0.schema.json`` describes it."""
    plan, place = found.plan, found.place
    data = {
        "format_version": FORMAT_VERSION,
        "versions": dict(plan.versions),
        "config": plan.config,
        "plan": found.plan_source,
        "model": plan.model.spec,
        **generation_to_dict(plan),
        "matches": found.matches,
        "place": values_of(place, chosen=place.chosen or None),
        "groups": found.groups,
        "mismatches": [
            values_of(one, planned=plain(one.planned), built=plain(one.built))
            for one in found.mismatches
        ],
        "summary": {
            "exact": _counts([one.exact for one in found.parameters]),
            "trained": _counts([one.trained for one in found.parameters if one.trained]),
        },
        "parameters": [_parameter(one) for one in found.parameters],
        "coupled": found.coupled,
        "oracles": [_oracle(one) for one in found.oracles],
        "hooks": found.hooks,
        "wrappers": found.wrappers,
        "remarks": found.remarks,
        "step": values_of(found.step) if isinstance(found.step, RealStep) else None,
        "no_step": None if isinstance(found.step, RealStep) else found.step.reason,
        "cost": None if found.cost is None else _cost(found.cost),
    }
    return json_text(data)


def _counts(moved: Sequence[MovementResult]) -> dict[str, int]:
    return {movement.value: count for movement, count in count_movements(tuple(moved)).items()}


def _parameter(one: ParameterResult) -> dict[str, Any]:
    return {
        "name": one.name,
        "optimizer": one.optimizer,
        "setting": one.setting,
        "lr": one.lr,
        "weight_decay": one.weight_decay,
        "measured_lr": one.measured.lr,
        "measured_weight_decay": one.measured.weight_decay,
        "exact": _moved(one.exact),
        "trained": None if one.trained is None else _moved(one.trained),
        "joint": one.joint,
    }


def _oracle(one: Oracle) -> dict[str, Any]:
    return {name.removesuffix("_name"): value for name, value in values_of(one).items()}


def _moved(one: MovementResult) -> dict[str, Any]:
    return values_of(one, reason=one.reason or None)


def _cost(one: Cost) -> dict[str, Any]:
    built = one.timings[0].seconds
    timings = [values_of(timing, ratio=timing.seconds / built) for timing in one.timings]
    return values_of(one, timings=timings)
