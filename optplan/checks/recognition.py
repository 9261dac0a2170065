"""Tells configs from all the other files that lie in folders with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from optplan.config.dialects import Dialect, dialect_of, is_whole
from optplan.config.function_names import SIGN_OF_CONFIG
from optplan.config.timm_args import OPTIMIZER_KEYS, is_timm_args
from optplan.dialects.huggingface.arguments import is_training_arguments

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
# Entries that mmengine's configs have at the top, in files that define no optimizer as well.
_SIGN_OF_PART = re.compile(
    r"^(?:model|data|data_preprocessor|\w+_(?:pipeline|dataloader|evaluator|hooks|scheduler|config)"
    r"|(?:train|val|test|env|auto_scale)_(?:cfg|lr)|default_scope|custom_imports|dataset_type)"
    r"\s*=\s*(?:dict\b|[{\['\"])",
    re.MULTILINE,
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
_LENGTHS = frozenset({"by_epoch", "max_epochs", "max_iters"})
_ARGUMENTS = ("params", "args", "kwargs", "arguments", "config", "options", "hyperparameters")
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
    if suffix != ".py" or not text.strip() or _SIGN_OF_SCRIPT.search(text):
        return False
    return bool(_SIGN_OF_PART.search(text)) or not _is_python(text)


def _is_python(text: str) -> bool:
    """Whether a text is a Python module, of which it is then not known that it was meant as a config."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def defines_optimizer(data: Mapping[str, Any]) -> bool:
    """Whether a config has an optimizer section, if only under a misspelt name, or is a recipe of timm.

    A section that is None has no optimizer, as in configs for testing only; where a training is set up all
    the same, the reference's runner refuses that.
    """
    given = {name: data[name] for name in _SECTIONS if name in data}
    if any(section is not None for section in given.values()) or is_timm_args(data):
        return True
    if is_training_arguments(data):
        return True
    if given:
        return "optim_wrapper" in given and is_training(data.get("train_cfg"))
    return any(_is_misspelt_section(name, value) for name, value in data.items())


def is_training(section: object) -> bool:
    """Whether a ``train_cfg`` is mmengine's, and sets up a training."""
    return isinstance(section, Mapping) and bool(section.keys() & _LENGTHS)


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
    DeepSpeed's and others have the arguments of the class in a mapping of their own.
    """
    if is_timm_args(data):
        return suffix == ".py" or len(_SIGNS_OF_TIMM & data.keys()) < _MOST_CHANCE
    if (dialect := dialect_of(data)) is not None:
        return not (is_whole(data, dialect) or _has_patterns(data["optimizer"], dialect))
    if suffix == ".py" or "optim_wrapper" in data or "optimizer" not in data:
        return False
    section = data["optimizer"]
    if not isinstance(section, Mapping) or not section.keys() & {"type", "typ", "paramwise_cfg"}:
        return True
    return any(isinstance(section.get(name), Mapping) for name in _ARGUMENTS)


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
