"""Tell a plain ``config.json`` from one by which a library may read, fetch or compute more than a model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optplan.config.files.file_reader import DISK, decoded
from optplan.errors import OptplanError

# What is counted out, one module after another; the bound is far above any released model's.
_COUNT = re.compile(r"(^|_)(num|n)_|layer|block|depth|stage|label")
_MOST_COUNTED = 4096
# What is an index into a table, or as long as one, which takes nothing on the meta device.
_INDEX = re.compile(r"vocab|token|(^|_)ids?$")
_LARGEST_INDEX = 1 << 22
# The elements of a table that a model may compute while it is built, of a position for each of its channels.
_MOST_ELEMENTS = 1 << 31
# Entries that have a library look for something else, and those that only say where the file is from.
_ELSEWHERE = re.compile(
    r"auto_map|backbone|checkpoint|quantization|timm|implementation|(remote|own)_code|revision"
)
_ORIGIN = frozenset({"_name_or_path", "name_or_path"})


def strange_config(file: Path | None) -> Path | None:
    """Return a config of transformers that has more than modest sizes, or names what is read beside it.

    Returns:
        None for a plain one, and where there is no file.
    """
    if file is None:
        return None
    try:
        return None if _is_modest(json.loads(decoded(DISK.read(str(file))))) else file
    except (OptplanError, OSError, ValueError, RecursionError):
        return file


def _is_modest(data: Any) -> bool:
    sizes = [1, 1]
    for key, value in _entries("", data):
        if _ELSEWHERE.search(key):
            return False
        if isinstance(value, str) and key not in _ORIGIN and re.search(r"[/\\:]|timm", value):
            return False
        if not isinstance(value, int):
            continue
        if _COUNT.search(key) and abs(value) > _MOST_COUNTED:
            return False
        if _INDEX.search(key) and abs(value) > _LARGEST_INDEX:
            return False
        if not _COUNT.search(key) and not _INDEX.search(key):
            sizes.append(abs(value))
    largest = sorted(sizes)[-2:]
    return largest[0] * largest[1] <= _MOST_ELEMENTS


def _entries(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the values of a config, each with the name of the entry that it is in, and the names themselves."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield str(name), None
            yield from _entries(str(name), one)
    elif isinstance(value, list):
        for one in value:
            yield from _entries(key, one)
    else:
        yield key, value
