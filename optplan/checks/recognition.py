"""Tells configs from all the other files that lie in folders with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from optplan.config.dialects import Dialect, dialect_of
from optplan.config.function_names import SIGN_OF_CONFIG
from optplan.config.timm_args import OPTIMIZER_KEYS, is_timm_args

_SECTIONS = ("optim_wrapper", "optimizer")
_SIGN_OF_CONFIG = {
    ".py": SIGN_OF_CONFIG,
    ".json": re.compile(r"\"(?:optim_wrapper|optimizer|_base_)\"\s*:\s*[\[{\"]"),
    ".yaml": re.compile(r"^(?:optim_wrapper|optimizer|_base_)\s*:", re.MULTILINE),
    ".toml": re.compile(r"^\s*\[?\s*(?:optim_wrapper|optimizer|_base_)\b", re.MULTILINE),
}
_SIGN_OF_SCRIPT = re.compile(
    r"^(?:#!|import\s|from\s.+\simport\b|def\s|async\s+def\s|class\s|@\w)", re.MULTILINE
)
# Names of train.py's arguments; so many are not in another program's file by chance.
_SIGNS_OF_TIMM = OPTIMIZER_KEYS | {
    "sched",
    "warmup_epochs",
    "drop_path",
    "reprob",
    "aa",
    "model_kwargs",
}
_MOST_CHANCE = 5
_GROUPS = {Dialect.TORCHTITAN: "param_groups", Dialect.FAIRSEQ2: "groups"}
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
    """Whether a config has an optimizer section, if only under a misspelt name, or is a recipe of timm."""
    if any(name in data for name in _SECTIONS) or is_timm_args(data):
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

    Many write ``optimizer: adamw`` or a mapping without a ``type``, and many have an ``lr`` and a ``model``.
    """
    if is_timm_args(data):
        return suffix == ".py" or len(_SIGNS_OF_TIMM & data.keys()) < _MOST_CHANCE
    if (dialect := dialect_of(data)) is not None:
        return not _has_patterns(data["optimizer"], dialect)
    if suffix == ".py" or "optim_wrapper" in data or "optimizer" not in data:
        return False
    section = data["optimizer"]
    return not isinstance(section, Mapping) or not section.keys() & {"type", "typ", "paramwise_cfg"}


def _has_patterns(section: Mapping[str, Any], dialect: Dialect) -> bool:
    """Whether there are groups with patterns in a section that has the form of a trainer's."""
    inner = section if dialect is Dialect.TORCHTITAN else section.get("config")
    groups = inner.get(_GROUPS[dialect]) if isinstance(inner, Mapping) else None
    return isinstance(groups, list) and any(
        isinstance(group, Mapping) and group.keys() & {"pattern", "params"} for group in groups
    )


def is_saved_plan(data: Mapping[str, Any]) -> bool:
    """Whether a data file is what ``optplan show --format json`` wrote."""
    return "format_version" in data and "parameters" in data and "settings" in data
