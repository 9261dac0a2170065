"""Settings as a person reads them, in the words of the file they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from optplan.checks.expectations import Expectation
from optplan.checks.tool_config import Settings, Target
from optplan.reporters.formats.visible import visible

_HOLDS = ("weight_decay", "lr", "lr_mult", "frozen")


def settings_text(settings: Settings) -> str:
    """Return the settings as TOML, after a line that names their file."""
    return "".join(f"{visible(line)}\n" for line in _lines(settings))


def _lines(settings: Settings) -> Iterator[str]:
    yield f"# {settings.file or 'no pyproject.toml with [tool.optplan]: the defaults'}"
    yield "[tool.optplan]"
    yield f"select = {_value(settings.select or ('OPT',))}"
    yield f"ignore = {_value(settings.ignore)}"
    yield f"fail-on = {_value(settings.fail_on.value)}"
    yield f"allow-group-keys = {_value([one.name for one in settings.allow_group_keys])}"
    if settings.per_config_ignores:
        yield "[tool.optplan.per-config-ignores]"
    codes: dict[str, list[str]] = {}
    for ignore in settings.per_config_ignores:
        codes.setdefault(ignore.glob, []).append(ignore.code)
    for glob, ignored in codes.items():
        yield f"{_value(glob)} = {_value(ignored)}"
    for target in settings.targets:
        yield from _target(target)
    for expectation in settings.expectations:
        yield from _expectation(expectation)


def _target(target: Target) -> Iterator[str]:
    yield "[[tool.optplan.targets]]"
    yield f"configs = {_value(target.configs)}"
    yield f"model = {_value(target.model)}"
    if target.arguments:
        given = ", ".join(f"{name} = {_value(value)}" for name, value in target.arguments.items())
        yield f"arguments = {{ {given} }}"


def _expectation(expectation: Expectation) -> Iterator[str]:
    yield "[[tool.optplan.expect]]"
    if expectation.configs:
        yield f"configs = {_value(expectation.configs)}"
    if expectation.parameters is not None:
        yield f"parameters = {_value(expectation.parameters)}"
    if expectation.rule is not None:
        yield f"rule = {_value(expectation.rule.value)}"
    for name in _HOLDS:
        value = getattr(expectation, name)
        if value is not None:
            yield f"{name.replace('_', '-')} = {_value(value)}"
    yield f"min-parameters = {expectation.min_parameters}"


def _value(value: object) -> str:
    """Return a value of TOML; its texts and those of JSON are written alike."""
    return json.dumps(value, ensure_ascii=False, default=str)
