"""Building models without memory: on the meta device, as far as their code allows it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from optplan.chatter import chatter_to_stderr
from optplan.errors import ModelError

T = TypeVar("T")
_MOST_TRIES = 3

_log = logging.getLogger(__name__)


def build_on_meta(build: Callable[[], T], what: str) -> T:
    """Call a factory so that its parameters take no memory, if it can be had.

    Everything on meta; if the factory cannot (it reads a small tensor while it builds), only what
    allocates parameters on meta; then all of it on the CPU, which is said on stderr. Whatever the
    factory prints goes to stderr.

    Args:
        build: The factory, called once per attempt.
        what: The model's name for messages.

    Raises:
        ModelError: The factory raises on the CPU too, or tries to download.
    """
    import torch

    attempts: tuple[Callable[[], AbstractContextManager[Any]], ...] = (
        lambda: torch.device("meta"),
        _allocations_on_meta,
        nullcontext,
    )
    with chatter_to_stderr():
        for attempt in attempts:
            last = attempt is attempts[-1]
            try:
                with no_network() as tried, attempt():
                    model = build()
            except (Exception, SystemExit) as error:
                if tried:
                    raise download_error(what, tried[0]) from error
                failure = error
            else:
                if last:
                    _log.warning("%s cannot be built on meta, so it is built on the CPU", what)
                return model
            if not _may_be_metas_fault(failure):
                break
    raise ModelError(f"{what} raises while it is built: {described(failure)}") from failure


def _may_be_metas_fault(error: BaseException) -> bool:
    """Whether another device could help: not where the arguments are wrong."""
    return not isinstance(error, SystemExit | ImportError)


def described(error: BaseException) -> str:
    """The exception with the line of the user's code that raised it."""
    import traceback

    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the exception is the user's own class
        text = ""
    shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
    own = str(Path(__file__).parents[1])
    frames = traceback.extract_tb(error.__traceback__)
    frame = frames[-1] if frames and not frames[-1].filename.startswith(own) else None
    return f"{shown} ({frame.filename}:{frame.lineno})" if frame else shown


def download_error(what: str, host: str) -> ModelError:
    """The refusal of a model that needs the network."""
    return ModelError(
        f"{what} tries to download (from {host}) while it is built; optplan never does",
        hint="build it without pretrained weights",
    )


class _StillTryingError(Exception):
    """A host was asked for again and again."""


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse connections to other hosts; gives the list of what was tried."""
    tried: list[str] = []
    real_lookup = socket.getaddrinfo
    real = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}

    def refuse(host: str) -> None:
        tried.append(host)
        # what retries, as a hub's client does for a minute, waits for errors of the network only
        kind = OSError if tried.count(host) < _MOST_TRIES else _StillTryingError
        raise kind(f"optplan does not let a model connect to {host}")

    def lookup(host: Any, *_: Any, **__: Any) -> Any:
        refuse(str(host))

    def connecting(name: str) -> Callable[[socket.socket, Any], Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse(str(address[0]))
            return real[name](self, address)

        return connect

    socket.getaddrinfo = lookup
    for name in real:
        setattr(socket.socket, name, connecting(name))
    try:
        yield tried
    finally:
        socket.getaddrinfo = real_lookup
        for name, method in real.items():
            setattr(socket.socket, name, method)


def _allocations_on_meta() -> AbstractContextManager[Any]:
    """Only what allocates parameters goes to meta, all else stays on the CPU."""
    import torch
    from torch.overrides import TorchFunctionMode

    names = ("empty", "zeros", "ones", "full", "rand", "randn")
    functions = {getattr(torch, n) for n in names} | {getattr(torch, f"{n}_like") for n in names}

    class AllocationsOnMeta(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in functions and kwargs.get("device") is None:
                kwargs = {**kwargs, "device": "meta"}
            return func(*args, **kwargs)

    return AllocationsOnMeta()
