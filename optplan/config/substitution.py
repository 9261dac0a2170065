"""Replace ``{{ … }}`` in the text of a config, before it is read as Python, YAML or JSON."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from optplan.config.limits import MAX_TEXT
from optplan.config.placed import File
from optplan.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from optplan.places import Source

# Stands in the text for `{{ _base_.a.b }}` until the bases are known; no config has such a text.
# Not a control character: JSON and YAML refuse those.
MARKER = "\ue000optplan_base_"
END = "\ue000"
_ENVIRONMENT = re.compile(r"""\{\{['"]?\s*+\$(\w+)\s*+:\s*+(\S*?)\s*+['"]?\}\}""")
_BASE = re.compile(r"\{\{\s*+_base_\.([\w.]+)\s*+\}\}")
_MAX_SCAN = 50_000_000
_PATTERN_CHARACTERS = frozenset("\\^$*+?{}[]()|")


def substituted(file: File, path: str) -> File:
    """Return the file with its placeholders replaced.

    Args:
        file: The file as it stands.
        path: Its absolute path, which the ``file…`` placeholders give parts of.

    Raises:
        ConfigError: An environment variable is not set, or there are too many placeholders.
    """
    if file.text.count("{{") * len(file.text) > _MAX_SCAN:
        raise ConfigError("it holds too many '{{'")
    text = _Text(file.text, file.source)
    for name, value in _file_parts(path).items():
        text.replace(re.compile(r"\{\{\s*+" + name + r"\s*+\}\}"), _constant(value))
    _replace_environment(text)
    text.replace(_BASE, lambda match: f'"{MARKER}{match[1]}{END}"')
    return File(file.source, text.text, text.origins)


def _file_parts(path: str) -> dict[str, str]:
    name = os.path.basename(path)
    stem, extension = os.path.splitext(name)
    return {
        "fileDirname": os.path.dirname(path).replace("\\", "/"),
        "fileBasename": name,
        "fileBasenameNoExtension": stem,
        "fileExtname": extension,
    }


def _constant(value: str) -> Callable[[re.Match[str]], str]:
    return lambda _: value


def _replace_environment(text: _Text) -> None:
    for name, default in _ENVIRONMENT.findall(text.text):
        value = os.environ.get(name, default)
        if not value:
            raise ConfigError(
                f"the environment variable '{name}' is not set",
                hint="set it, or give a default after the colon",
            )
        if not _PATTERN_CHARACTERS.isdisjoint(default):
            raise ConfigError(f"the default of '${name}' holds characters that cannot stand there")
        written = re.compile(
            r"""\{\{['"]?\s*+\$""" + name + r"\s*+:\s*+" + re.escape(default) + r"""\s*+['"]?\}\}"""
        )
        text.replace(written, lambda match, value=value: _expanded(match, value))  # type: ignore[misc]


def _expanded(match: re.Match[str], value: str) -> str:
    try:
        return match.expand(value)
    except (re.error, IndexError) as error:
        raise ConfigError(f"the environment variable's value cannot stand here: {error}") from None


class _Text:
    """A text, and for each of its characters where in the source it comes from."""

    def __init__(self, text: str, source: Source) -> None:
        self.text = text
        self.source = source
        self.origins = list(range(len(text) + 1))

    def replace(self, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> None:
        """Replace every match of a pattern."""
        parts: list[str] = []
        origins: list[int] = []
        done = 0
        for match in pattern.finditer(self.text):
            value = new(match)
            parts += [self.text[done : match.start()], value]
            origins += self.origins[done : match.start()]
            origins += [self.origins[match.start()]] * len(value)
            done = match.end()
            if len(origins) > MAX_TEXT + len(self.text):
                raise ConfigError("it grows too large when its placeholders are replaced")
        if done:
            self.text = "".join([*parts, self.text[done:]])
            self.origins = origins + self.origins[done:]
