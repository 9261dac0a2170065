"""Keeps other people's code off the network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from optplan.errors import ModelError, OptplanError

_MOST_TRIES = 3


def download_error(what: str, host: str, error: type[OptplanError] = ModelError) -> OptplanError:
    """The refusal of what needs the network."""
    return error(
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
