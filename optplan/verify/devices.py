"""Choose the device that the user's word names, and word what goes wrong on one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from optplan.errors import OptplanError, UsageError, VerifyError, did_you_mean

_KINDS = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenDevice:
    """A device that is there, and how it came to be this one ('' where the user named it)."""

    device: torch.device
    chosen: str = ""


def choose_device(word: str) -> ChosenDevice:
    """Return the device that ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` means here.

    Several processes on one host take a CUDA device each.

    Raises:
        UsageError: The word is none of these.
        VerifyError: There is no such device.
    """
    kind, colon, index = word.partition(":")
    if kind not in _KINDS or (colon and not (kind == "cuda" and index.isdecimal())):
        raise UsageError(
            f"--device {word!r} is none of auto, cpu, cuda, cuda:N, mps",
            hint=did_you_mean(kind, _KINDS),
        )
    count = torch.cuda.device_count()
    if kind == "auto":
        if count:
            return ChosenDevice(device=torch.device("cuda", _local_rank()), chosen="auto")
        return ChosenDevice(device=torch.device("cpu"), chosen="auto: there is no CUDA device")
    if kind == "cuda":
        number = int(index) if colon else _local_rank()
        if number < count:
            return ChosenDevice(device=torch.device("cuda", number))
    elif kind == "cpu" or torch.backends.mps.is_available():
        return ChosenDevice(device=torch.device(kind))
    raise VerifyError(f"there is no device {word!r}", hint=f"there are: {available_devices()}")


def available_devices() -> str:
    """Return the devices that there are, as the user may name them."""
    names = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        names.append("mps")
    return ", ".join(names)


def exact_device(device: torch.device) -> torch.device:
    """Return a device that computes in float64: MPS does not."""
    return torch.device("cpu") if device.type == "mps" else device


@contextmanager
def within_memory(what: str, device: torch.device) -> Iterator[None]:
    """Turn an allocation that fails into a message.

    Args:
        what: What is being done, for the message.
        device: Where.

    Raises:
        VerifyError: There is not enough memory.
    """
    try:
        yield
    except OptplanError:
        raise
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise VerifyError(
            f"not enough memory on {device} for {what}: {line}",
            hint="verify a smaller variant of the model, or shard it: --parallel fsdp",
        ) from error


def free_bytes(device: torch.device) -> int | None:
    """Return how much memory can still be taken on a device; None where nobody tells."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + unused
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return None
    free = [int(one.split()[1]) << 10 for one in lines if one.startswith("MemAvailable:")]
    if sys.platform != "win32":
        import resource

        if (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
            free.append(limit - taken * resource.getpagesize())
    return max(0, min(free)) if free else None


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that memory ran out; on the CPU torch has no class for it."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def _local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))
