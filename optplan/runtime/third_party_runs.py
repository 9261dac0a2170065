"""How often the process has run code of others: what that did to torch and timm, nobody knows."""

from __future__ import annotations

# Packages that are no others: what is remembered is theirs.
KNOWN = frozenset({"torch", "timm", "optplan"})


class _Count:
    runs = 0


def note_third_party_run() -> None:
    """Note that code of others is about to run."""
    _Count.runs += 1


def note_import(dotted: str) -> None:
    """Note that a dotted name was imported anew, if that has run code of others."""
    if dotted.partition(".")[0] not in KNOWN:
        note_third_party_run()


def third_party_runs() -> int:
    """How often code of others was run so far."""
    return _Count.runs
