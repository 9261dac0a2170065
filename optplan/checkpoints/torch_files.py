"""Read files that ``torch.save`` wrote, without running anything in them and without reading tensors."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import torch

from optplan.checkpoints.bounded_unpickling import bounded_unpickling
from optplan.errors import PlanError

# What is read into memory at most, by the sizes that an archive declares: everything of one that is packed,
# which torch.save never does, else all but the tensors, which stay on the disk. MMEngine's logs take 100 MiB.
_LARGEST_PACKED = 64 << 20
_LARGEST = 512 << 20


def load_checkpoint(path: str) -> Any:
    """Return what a checkpoint holds; its tensors stay on the disk.

    Args:
        path: A file that ``torch.save`` wrote.

    Raises:
        PlanError: It cannot be read.
    """
    if not Path(path).is_file():
        raise PlanError(f"{path!r} cannot be read as a checkpoint: it is no regular file")
    return _loaded(path, path)


def load_part(file: IO[bytes], path: str) -> Any:
    """Return what a part of a checkpoint holds, which ``torch.save`` wrote among others.

    Args:
        file: The part, in memory.
        path: The file that it is in, for messages.

    Raises:
        PlanError: It cannot be read.
    """
    return _loaded(file, path)


def _loaded(file: str | IO[bytes], path: str) -> Any:
    try:
        mapped = _may_be_mapped(file, path) and isinstance(file, str)
        if not isinstance(file, str):
            file.seek(0)
        with bounded_unpickling():
            return torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    except PlanError:
        raise
    except Exception as error:  # a damaged or hostile file may raise anything
        raise PlanError(f"{path!r} cannot be read as a checkpoint: {_reason(error)}") from error


def _may_be_mapped(file: str | IO[bytes], path: str) -> bool:
    """Return whether it is an archive whose tensors can stay on the disk: all are stored as they are.

    Raises:
        PlanError: Reading it would take more memory than any checkpoint's entries do.
    """
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    packed = any(one.compress_type != zipfile.ZIP_STORED for one in members)
    size = sum(one.file_size for one in members if packed or "/data/" not in f"/{one.filename}")
    most, what = (_LARGEST_PACKED, "unpacked") if packed else (_LARGEST, "without its tensors")
    if size > most:
        raise PlanError(
            f"{path!r} is not read: {what} it has {size >> 20} MiB, and at most {most >> 20} are read",
            hint="save the optimizer's state_dict alone, with torch.save",
        )
    return not packed


def _reason(error: Exception) -> str:
    """Return the one line of torch's advice that says what it stumbled on."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    refused = next((line for line in lines if line.startswith(("Trying", "Unsupported"))), None)
    if refused is not None:
        return f"it holds more than plain data ({refused})"
    return lines[0] if lines else type(error).__name__
