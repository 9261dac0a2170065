"""Count third-party code runs; cached results are used only while it is zero."""

from __future__ import annotations

# Packages whose code does not count: cached results are about them.
KNOWN = frozenset({"torch", "timm", "optplan"})


class _Count:
    runs = 0


def note_third_party_run() -> None:
    """Count a run of third-party code."""
    _Count.runs += 1


def note_import(dotted: str) -> None:
    """Count the import of a dotted name, if its package is third-party code."""
    if dotted.partition(".")[0] not in KNOWN:
        note_third_party_run()


def third_party_runs() -> int:
    """Return how often third-party code was run so far."""
    return _Count.runs
