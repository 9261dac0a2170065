"""The plan as JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from optplan.config.recognition import Recognition
from optplan.errors import PlanError
from optplan.names import Matcher, Rule, Status
from optplan.plan.plan import (
    FORMAT_VERSION,
    EmptyParamGroup,
    LrScaling,
    Origin,
    Plan,
    PlannedModel,
    PlannedOptimizer,
    PlannedParameter,
    RuleUse,
    Setting,
)
from optplan.plan.schema import MisfitError
from optplan.plan.validation import validate_plan
from optplan.plan.values import plain

_Flat = PlannedModel | PlannedOptimizer | Setting | EmptyParamGroup

_PARAMETER_PLAIN = ("name", "elements", "dtype", "requires_grad", "module")
_PARAMETER_VALUES = ("lr", "weight_decay", "lr_scale", "effective_lr", "layer")
_PARAMETER_INDICES = ("optimizer", "group", "setting")


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """The plan as nested dicts and lists, in the published order of fields."""
    empty = [_renamed(group) for group in plan.empty_groups]
    return {
        "format_version": FORMAT_VERSION,
        "versions": dict(plan.versions),
        "config": plan.config,
        "model": _renamed(plan.model),
        "constructor": plan.constructor,
        "optimizers": [_renamed(optimizer) for optimizer in plan.optimizers],
        "parameters": [parameter_to_dict(parameter) for parameter in plan.parameters],
        "settings": [setting_to_dict(setting) for setting in plan.settings],
        **extras_to_dict(plan),
        **({"needs_world_size": True} if plan.needs_world_size else {}),
        **({"empty_groups": empty} if empty else {}),
    }


def generation_to_dict(plan: Plan) -> dict[str, Any]:
    """The generation that a plan is for; nothing where there is none."""
    found = plan.generation
    if found is None:
        return {}
    return {"generation": {"name": found.title, "signs": list(found.because)}}


def setting_to_dict(setting: Setting) -> dict[str, Any]:
    """Return one setting; without ``extra`` where there is none."""
    data = _renamed(setting)
    if not setting.extra:
        del data["extra"]
    return data


def plan_to_json(plan: Plan, indent: int | None) -> str:
    """The plan as JSON text."""
    return json.dumps(plan_to_dict(plan), indent=indent, allow_nan=False)


def plan_from_json(text: str | bytes) -> Plan:
    """The plan that :func:`plan_to_json` wrote.

    Raises:
        PlanError: The text is no saved plan, one of a newer major format, or a field of it is wrong.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise PlanError("not a saved plan: it is nested too deeply") from None
    except ValueError as error:
        raise PlanError(f"not a saved plan: {error}") from error
    return plan_from_data(data)


def plan_from_data(data: Any) -> Plan:
    """The same, from JSON that is parsed already.

    Raises:
        PlanError: As :func:`plan_from_json`.
    """
    version = data.get("format_version") if isinstance(data, dict) else None
    if not isinstance(version, str):
        raise PlanError("not a saved plan: it has no format_version")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise PlanError(
            f"the saved plan has format {version}, this optplan reads {FORMAT_VERSION}",
            hint="save it again with this version",
        )
    if "view" in data:
        raise PlanError(
            f"not a saved plan: it is the {data['view']} view of one",
            hint="save it without --view",
        )
    if "narrowed" in data:
        raise PlanError(
            f"the saved plan is not whole, it was narrowed by {data['narrowed']}",
            hint="save it again without these options",
        )
    try:
        validate_plan(data, is_newer=version != FORMAT_VERSION)
    except MisfitError as error:
        raise PlanError(f"the saved plan is damaged: {error}") from None
    return _plan_from_dict(data)


def _plan_from_dict(data: Mapping[str, Any]) -> Plan:
    return Plan(
        versions=dict(data["versions"]),
        config=data["config"],
        model=PlannedModel(**_read(data["model"], PlannedModel)),
        constructor=data["constructor"],
        optimizers=tuple(
            PlannedOptimizer(**_read(item, PlannedOptimizer)) for item in data["optimizers"]
        ),
        parameters=tuple(_parameter_from_dict(item) for item in data["parameters"]),
        settings=tuple(
            Setting(**_read({"extra": {}, **item}, Setting)) for item in data["settings"]
        ),
        lr_scaling=_scaling_from_dict(data.get("lr_scaling")),
        matcher=None if data.get("matcher") is None else Matcher(data["matcher"]),
        needs_world_size=bool(data.get("needs_world_size", False)),
        empty_groups=tuple(
            EmptyParamGroup(**_read(item, EmptyParamGroup)) for item in data.get("empty_groups", ())
        ),
        generation=_generation_from_dict(data.get("generation")),
    )


def _generation_from_dict(data: Mapping[str, Any] | None) -> Recognition | None:
    if data is None:
        return None
    return Recognition(title=data["name"], because=tuple(data["signs"]))


def extras_to_dict(plan: Plan) -> dict[str, Any]:
    """What not every plan has."""
    extras = generation_to_dict(plan)
    if plan.lr_scaling is not None:
        extras["lr_scaling"] = _scaling_to_dict(plan.lr_scaling)
    if plan.matcher is not None:
        extras["matcher"] = plan.matcher.value
    return extras


def _scaling_to_dict(scaling: LrScaling) -> dict[str, Any]:
    return {
        field.name: _origin_to_dict(scaling.origin)
        if field.name == "origin"
        else plain(getattr(scaling, field.name))
        for field in fields(LrScaling)
    }


def _scaling_from_dict(data: Mapping[str, Any] | None) -> LrScaling | None:
    if data is None:
        return None
    values = {field.name: data[field.name] for field in fields(LrScaling)}
    origin = values["origin"]
    return LrScaling(**{**values, "origin": None if origin is None else Origin(**origin)})


def _origin_to_dict(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {"file": origin.file, "line": origin.line, "column": origin.column}


def _renamed(part: _Flat) -> dict[str, Any]:
    """A flat part of the plan; ``class_name`` is ``class`` in JSON."""
    return {
        "class" if field.name == "class_name" else field.name: plain(getattr(part, field.name))
        for field in fields(part)
    }


def _read(data: Mapping[str, Any], cls: type[_Flat]) -> dict[str, Any]:
    return {
        field.name: plain(data["class" if field.name == "class_name" else field.name])
        for field in fields(cls)
    }


def parameter_to_dict(parameter: PlannedParameter) -> dict[str, Any]:
    """One row of the plan."""
    row: dict[str, Any] = {name: getattr(parameter, name) for name in _PARAMETER_PLAIN}
    row["shape"] = list(parameter.shape)
    row["status"] = parameter.status.value
    row["aliases"] = list(parameter.aliases)
    row |= {name: getattr(parameter, name) for name in _PARAMETER_VALUES}
    row["lr_rule"] = rule_to_dict(parameter.lr_rule)
    row["weight_decay_rule"] = rule_to_dict(parameter.weight_decay_rule)
    row["options"] = parameter.options
    row["extra"] = parameter.extra
    row |= {name: getattr(parameter, name) for name in _PARAMETER_INDICES}
    return row


def _parameter_from_dict(item: Mapping[str, Any]) -> PlannedParameter:
    flat = (*_PARAMETER_PLAIN, *_PARAMETER_VALUES, *_PARAMETER_INDICES)
    return PlannedParameter(
        **{name: item[name] for name in flat},
        shape=tuple(item["shape"]),
        status=Status(item["status"]),
        aliases=tuple(item["aliases"]),
        lr_rule=_rule_from_dict(item["lr_rule"]),
        weight_decay_rule=_rule_from_dict(item["weight_decay_rule"]),
        options=plain(item["options"]),
        extra=plain(item["extra"]),
    )


def rule_to_dict(use: RuleUse | None) -> dict[str, Any] | None:
    """What decided a value; None where nothing did. What is rarely there is left out where it is not."""
    if use is None:
        return None
    data: dict[str, Any] = {
        "rule": use.rule.value,
        "option": use.option,
        "key": use.key,
        "mult": use.mult,
        "origin": _origin_to_dict(use.origin),
    }
    return data | words_to_dict(use)


def words_to_dict(use: RuleUse) -> dict[str, str]:
    """Whose code decided, and what else there is to say, as far as there is."""
    words = {"constructor": use.constructor, "note": use.note}
    return {name: word for name, word in words.items() if word is not None}


def _rule_from_dict(item: Mapping[str, Any] | None) -> RuleUse | None:
    if item is None:
        return None
    origin = item["origin"]
    return RuleUse(
        rule=Rule(item["rule"]),
        option=item["option"],
        key=item["key"],
        mult=item["mult"],
        origin=None if origin is None else Origin(**origin),
        constructor=item.get("constructor"),
        note=item.get("note"),
    )
