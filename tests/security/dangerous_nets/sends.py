"""Sends a datagram when it is imported."""

from __future__ import annotations

import socket

one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.sendto(b"q7x_import_sends", ("127.0.0.1", 4_7001))
one.close()
