"""Tells configs from all the other files that lie in folders with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

_SECTIONS = ("optim_wrapper", "optimizer")
_SIGN_OF_CONFIG = {
    ".py": re.compile(
        r"^(?:_base_\s*=\s*[\['\"(]|(?:optim_wrapper|optimizer)\s*=\s*(?:dict\b|\{)"
        r"|with\s+read_base\b)",
        re.MULTILINE,
    ),
    ".json": re.compile(r"\"(?:optim_wrapper|optimizer|_base_)\"\s*:\s*[\[{\"]"),
    ".yaml": re.compile(r"^(?:optim_wrapper|optimizer|_base_)\s*:", re.MULTILINE),
    ".toml": re.compile(r"^\s*\[?\s*(?:optim_wrapper|optimizer|_base_)\b", re.MULTILINE),
}
_SIGN_OF_SCRIPT = re.compile(
    r"^(?:#!|import\s|from\s.+\simport\b|def\s|async\s+def\s|class\s|@\w)", re.MULTILINE
)
# So close that nobody means another word: 'optimiser', but not 'optimizer_config'.
_SAME_WORD = 0.85


def looks_like_config(text: str, suffix: str) -> bool:
    """Whether a file that cannot be read was meant as a config.

    Args:
        text: Its text.
        suffix: Its ending.
    """
    sign = _SIGN_OF_CONFIG.get(".yaml" if suffix == ".yml" else suffix)
    if sign is None or sign.search(text):
        return True
    return suffix == ".py" and bool(text.strip()) and not _SIGN_OF_SCRIPT.search(text)


def defines_optimizer(data: Mapping[str, Any]) -> bool:
    """Whether a config has an optimizer section, if only under a misspelt name."""
    if any(name in data for name in _SECTIONS):
        return True
    return any(_is_misspelt_section(name, value) for name, value in data.items())


def _is_misspelt_section(name: object, value: object) -> bool:
    if not isinstance(name, str) or not isinstance(value, Mapping):
        return False
    if "type" not in value and "optimizer" not in value:
        return False
    return any(
        SequenceMatcher(None, name.lower(), section).ratio() >= _SAME_WORD for section in _SECTIONS
    )


def is_foreign(data: Mapping[str, Any], suffix: str) -> bool:
    """Whether what is called ``optimizer`` in a data file belongs to some other program.

    Many write ``optimizer: adamw`` or a mapping without a ``type``.
    """
    if suffix == ".py" or "optim_wrapper" in data or "optimizer" not in data:
        return False
    section = data["optimizer"]
    return not isinstance(section, Mapping) or not section.keys() & {"type", "typ", "paramwise_cfg"}


def is_saved_plan(data: Mapping[str, Any]) -> bool:
    """Whether a data file is what ``optplan show --format json`` wrote."""
    return "format_version" in data and "parameters" in data and "settings" in data
