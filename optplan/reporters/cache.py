"""Report the cache to a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optplan.cache import CacheEntry
from optplan.reporters.formats.visible import visible
from optplan.reporters.words import count_text, plural


def cache_text(folder: str, entries: Sequence[CacheEntry], limit: int) -> str:
    """Return where it is, what it remembers, and how large it is and may be."""
    kinds = Counter(entry.kind for entry in entries)
    held = ", ".join(plural(count, kind) for kind, count in sorted(kinds.items()))
    size = sum(entry.size for entry in entries)
    return (
        f"folder  {visible(folder)}\n"
        f"holds   {held or 'nothing yet'}\n"
        f"size    {count_text(size)}B of at most {count_text(limit)}B\n"
    )


def cleared_text(folder: str, count: int) -> str:
    """Return what was removed."""
    return f"removed {plural(count, 'file')} from {visible(folder)}\n"
