"""Asks for a host beneath socket when it is imported."""

from __future__ import annotations

import _socket

_socket.gethostbyname("q7x_import_looks_up_low.invalid")
