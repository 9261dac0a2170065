"""Parts of LightningCLI's files: the classes that they name, and where they have what its parser refuses."""

from __future__ import annotations

import inspect
import re
import sys
from argparse import ArgumentError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from optplan.config.placed import place_of
from optplan.errors import ModelError, OptplanError, Problem, did_you_mean
from optplan.places import Place

CLASS = "class_path"
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
_OPTION = re.compile(
    r"Option '([^']+)' is not accepted|Parser key \"([^\"]+)\"|No action for key \"([^\"]+)\""
)


def as_written(value: Any) -> Any:
    """Return part of a file as plain data, with numbers as LightningCLI's reader takes them: ``1e-3`` is one."""
    if isinstance(value, Mapping):
        return {name: as_written(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_written(item) for item in value]
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def class_paths(value: Any) -> Iterator[tuple[str, Place | None]]:
    """Yield every ``class_path`` in part of a file, with its place."""
    if isinstance(value, Mapping):
        if isinstance(path := value.get(CLASS), str):
            yield path, place_of(value, CLASS)
        for item in value.values():
            yield from class_paths(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from class_paths(item)


@contextmanager
def refusals(written: Mapping[str, Any], kind: type[OptplanError] = ModelError) -> Iterator[None]:
    """Place what the library's parser refuses where the file has it, in an error of this kind."""
    try:
        yield
    except ArgumentError as error:
        raise kind([_problem(str(error), written)]) from error


def _problem(text: str, written: Mapping[str, Any]) -> Problem:
    lines = [line.strip(" -") for line in text.partition("Given value type")[0].splitlines()]
    told = [
        line for line in lines
        if line and not line.startswith(("Does not validate", "Subtypes:", "Errors:", "Expected a <class 'NoneType'>"))
    ]  # fmt: skip
    names = [next(filter(None, found)).rpartition(".")[2] for found in _OPTION.findall(text)]
    name = names[-1] if names else ""
    known = _accepted(written, name)
    place = _place(written, name) or next((at for _, at in class_paths(written) if at), None)
    message = f"LightningCLI refuses it: {' '.join(told)}"
    return Problem(message=message, place=place, hint=did_you_mean(name, known))


def _place(part: Any, name: str) -> Place | None:
    if isinstance(part, Mapping):
        return (
            place_of(part, name)
            if name in part
            else next(filter(None, (_place(one, name) for one in part.values())), None)
        )
    return None


def _accepted(part: Any, name: str) -> list[str]:
    """Return what the class takes that a wrong argument was given to."""
    if not isinstance(part, Mapping):
        return []
    given = part.get("init_args")
    if isinstance(given, Mapping) and name in given and isinstance(path := part.get(CLASS), str):
        module, _, attribute = path.rpartition(".")
        found = getattr(sys.modules.get(module), attribute, None)
        return list(inspect.signature(found).parameters) if callable(found) else []
    return next(filter(None, (_accepted(one, name) for one in part.values())), [])
