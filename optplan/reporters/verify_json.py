"""A verification as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from optplan.plan import plain
from optplan.plan.serial import generation_to_dict
from optplan.verify.results import (
    Cost,
    Mismatch,
    MovementResult,
    Oracle,
    ParameterResult,
    RealStep,
    Verification,
    count_movements,
)

FORMAT_VERSION = "1.1"


def verify_json(found: Verification) -> str:
    """The verification as ``schemas/verify-1.0.schema.json`` describes it."""
    plan, place = found.plan, found.place
    data = {
        "format_version": FORMAT_VERSION,
        "versions": dict(plan.versions),
        "config": plan.config,
        "plan": found.plan_source,
        "model": plan.model.spec,
        **generation_to_dict(plan),
        "matches": found.matches,
        "place": {
            "device": place.device,
            "chosen": place.chosen or None,
            "dtypes": list(place.dtypes),
            "steps": place.steps,
            "seed": place.seed,
            "parallel": place.parallel and place.parallel.value,
            "processes": place.processes,
        },
        "groups": found.groups,
        "mismatches": [_mismatch(one) for one in found.mismatches],
        "summary": {
            "exact": _counts([one.exact for one in found.parameters]),
            "trained": _counts([one.trained for one in found.parameters if one.trained]),
        },
        "parameters": [_parameter(one) for one in found.parameters],
        "coupled": list(found.coupled),
        "oracles": [_oracle(one) for one in found.oracles],
        "hooks": list(found.hooks),
        "wrappers": list(found.wrappers),
        "remarks": list(found.remarks),
        "step": _step(found.step) if isinstance(found.step, RealStep) else None,
        "no_step": None if isinstance(found.step, RealStep) else found.step.reason,
        "cost": None if found.cost is None else _cost(found.cost),
    }
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def _counts(moved: Sequence[MovementResult]) -> dict[str, int]:
    return {movement.value: count for movement, count in count_movements(tuple(moved)).items()}


def _mismatch(one: Mismatch) -> dict[str, Any]:
    return {
        "what": one.what,
        "planned": plain(one.planned),
        "built": plain(one.built),
        "parameters": list(one.parameters),
    }


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
    return {
        "optimizer": one.optimizer,
        "class": one.class_name,
        "formula": one.formula,
        "reason": one.reason,
    }


def _moved(one: MovementResult) -> dict[str, Any]:
    return {
        "movement": one.movement.value,
        "distance": one.distance,
        "reason": one.reason or None,
    }


def _step(one: RealStep) -> dict[str, Any]:
    return {
        "inputs": [list(shape) for shape in one.inputs],
        "amp": one.amp,
        "loss": one.loss if isfinite(one.loss) else None,
        "without_gradient": list(one.without_gradient),
        "unmoved": list(one.unmoved),
        "changed_parameters": list(one.changed_parameters),
        "changed_buffers": list(one.changed_buffers),
    }


def _cost(one: Cost) -> dict[str, Any]:
    built = one.timings[0].seconds
    return {
        "timings": [
            {
                "merged": timing.merged,
                "implementation": timing.implementation,
                "groups": timing.groups,
                "seconds": timing.seconds,
                "ratio": timing.seconds / built,
                "state_bytes": timing.state_bytes,
            }
            for timing in one.timings
        ],
        "peak_bytes": one.peak_bytes,
    }
