"""Asks for a host when it is imported."""

from __future__ import annotations

import socket

socket.getaddrinfo("q7x_import_looks_up.invalid", 80)
