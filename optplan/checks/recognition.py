"""Tells configs from all the other files that lie in folders with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from optplan.config.recognition import SIGN_OF_CONFIG

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


def looks_like_config(text: str, suffix: str) -> bool:
    """Return whether a file that cannot be read was meant as a config.

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
    """Return whether a text is a Python module, of which it is then not known that it was meant as a config."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def is_saved_plan(data: Mapping[str, Any]) -> bool:
    """Return whether a data file is what ``optplan show --format json`` wrote."""
    return "format_version" in data and "parameters" in data and "settings" in data
