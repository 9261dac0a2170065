"""The entries of the tool's configuration, with their JSON schema for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optplan.checks.bounds import BOUND_PATTERN
from optplan.checks.expectations import DECAY_WORDS
from optplan.names import Rule, Severity

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "minLength": 1}
_TEXTS: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_BOUND: list[Schema] = [{"type": "number"}, {"type": "string", "pattern": f"^(?:{BOUND_PATTERN})$"}]


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


# The entries of each table: those at the top, of ``targets`` and of ``expect``.
TARGET: Mapping[str, Schema] = {
    "configs": _described(_TEXTS, "Globs of the configs that the model is for."),
    "model": _described(_TEXT, "The model, as after --model."),
    "arguments": {"type": "object", "description": "Arguments of the model."},
}
BOUNDS: Mapping[str, Schema] = {
    "weight-decay": {
        "anyOf": [*_BOUND, {"enum": list(DECAY_WORDS)}],
        "description": "The weight decay: a number, a comparison, a range, 'decayed' or 'not decayed'.",
    },
    "lr": {"anyOf": _BOUND, "description": "The lr: a number, a comparison or a range."},
    "lr-mult": {"anyOf": _BOUND, "description": "How many times the optimizer's own lr it is."},
    "lr-at-end": {"anyOf": _BOUND, "description": "The lr in the last step of the training."},
}
SUBJECTS: Mapping[str, Schema] = {
    "parameters": _described(_TEXTS, "Patterns of names, in which * crosses dots."),
    "module": _described(_TEXTS, "Classes of modules, or patterns of them."),
    "rule": {"enum": [one.value for one in Rule], "description": "The rule that decides."},
}
DEMANDS: Mapping[str, Schema] = {
    **BOUNDS,
    "frozen": _described(_FLAG, "Whether they are frozen."),
    "never-zero": _described(_FLAG, "Whether their lr must be 0 at no step of the training."),
    "min-parameters": _described(_COUNT, "How many there must be at least."),
}
EXPECT: Mapping[str, Schema] = {
    "configs": _described(_TEXTS, "Globs of the configs that it is meant for."),
    **SUBJECTS,
    **DEMANDS,
    "share": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "Of how much of their elements it must hold.",
    },
}
TOP: Mapping[str, Schema] = {
    "select": _described(_TEXTS, "Prefixes of the codes of checks that run."),
    "ignore": _described(_TEXTS, "Prefixes of the codes of checks that do not run."),
    "fail-on": {
        "enum": [one.value for one in Severity],
        "description": "The least severity that makes the exit status 1.",
    },
    "per-config-ignores": {
        "type": "object",
        "additionalProperties": _TEXTS,
        "description": "Codes that are not reported for the configs that a glob means.",
    },
    "allow-group-keys": _described(_TEXTS, "Fields that may stand in a custom key."),
    "exclude": _described(_TEXTS, "Files that are no configs, as in a .gitignore."),
    "baseline": _described(_TEXT, "The file of the findings that are known."),
    "jobs": _described(_COUNT, "How many processes check."),
    "targets": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": TARGET,
            "required": ["configs", "model"],
            "additionalProperties": False,
        },
        "description": "The models of configs.",
    },
    "expect": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": EXPECT,
            "anyOf": [{"required": [name]} for name in SUBJECTS],
            "allOf": [{"anyOf": [{"required": [name]} for name in DEMANDS]}],
            "additionalProperties": False,
        },
        "description": "What must hold of plans.",
    },
}


def tool_config_schema() -> Schema:
    """Return the JSON schema of ``[tool.optplan]`` and of an optplan.toml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of optplan: optplan.toml, or [tool.optplan] of a pyproject.toml",
        "type": "object",
        "properties": TOP,
        "additionalProperties": False,
    }
