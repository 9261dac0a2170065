"""The published schemas, for validating what is printed."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema


def validate(data: Any, name: str) -> None:
    """Fail where the data does not fit ``optplan/schemas/NAME.schema.json``."""
    text = resources.files("optplan").joinpath(f"schemas/{name}.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(data)
