"""The tool's configuration as a person reads it, in the words of the file it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from optplan.checks.expectations import Expectation
from optplan.checks.tool_config import Target, ToolConfig
from optplan.reporters.formats.visible import visible


def settings_text(settings: ToolConfig) -> str:
    """Return the settings as TOML, after a line that names their file."""
    return "".join(f"{visible(line)}\n" for line in _lines(settings))


def _lines(settings: ToolConfig) -> Iterator[str]:
    yield f"# {settings.file or 'no pyproject.toml with [tool.optplan]: the defaults'}"
    yield "[tool.optplan]"
    yield f"select = {_value(settings.select or ('OPT',))}"
    yield f"ignore = {_value(settings.ignore)}"
    yield f"fail-on = {_value(settings.fail_on.value)}"
    yield f"allow-group-keys = {_value([one.name for one in settings.allow_group_keys])}"
    if settings.exclude:
        yield f"exclude = {_value(settings.exclude)}"
    if settings.baseline is not None:
        yield f"baseline = {_value(settings.baseline)}"
    if settings.jobs is not None:
        yield f"jobs = {settings.jobs}"
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
    if expectation.parameters:
        yield f"parameters = {_one_or_all(expectation.parameters)}"
    if expectation.modules:
        yield f"module = {_one_or_all(expectation.modules)}"
    if expectation.rule is not None:
        yield f"rule = {_value(expectation.rule.value)}"
    for name, bound in expectation.bounds.items():
        yield f"{name} = {_value(bound.written)}"
    if expectation.frozen is not None:
        yield f"frozen = {_value(expectation.frozen)}"
    if expectation.never_zero:
        yield "never-zero = true"
    if expectation.share < 1:
        yield f"share = {_value(expectation.share)}"
    yield f"min-parameters = {expectation.min_parameters}"


def _one_or_all(texts: tuple[str, ...]) -> str:
    return _value(texts[0] if len(texts) == 1 else texts)


def _value(value: object) -> str:
    """Return a value of TOML; its texts and those of JSON are written alike."""
    return json.dumps(value, ensure_ascii=False, default=str)
