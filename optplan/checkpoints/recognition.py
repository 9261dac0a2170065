"""Recognize checkpoints by how they begin or what they contain, without torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

# how torch's files begin: a zip archive, or the pickle of older versions
_STARTS = (b"PK\x03\x04", b"\x80")
_HUGGING_FACE = ("optimizer.pt", "optimizer.bin", "trainer_state.json")


class Layout(StrEnum):
    """How a checkpoint lies on the disk."""

    TORCH_FILE = "torch file"
    HUGGING_FACE = "Hugging Face folder"
    DCP = "torch DCP folder"


def layout_of(path: Path) -> Layout | None:
    """Return how a checkpoint lies on the disk; None for anything else."""
    try:
        if path.is_dir():
            if (path / ".metadata").is_file():
                return Layout.DCP
            return Layout.HUGGING_FACE if _has_any(path) else None
        if not path.is_file():
            return None
        with path.open("rb") as opened:
            return Layout.TORCH_FILE if opened.read(4).startswith(_STARTS) else None
    except OSError:
        return None


def _has_any(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _HUGGING_FACE)


def checkpoints_in(folder: Path) -> list[str]:
    """Return the checkpoints that a folder of a training holds, by their names."""
    try:
        below = sorted(one for one in folder.iterdir() if one.is_dir())
    except OSError:
        return []
    return [one.name for one in below if layout_of(one) is not None]
