"""Ports for a test's own servers."""

from __future__ import annotations

import secrets
import socket


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on right now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def free_range(count: int) -> int:
    """Return the first of `count` neighbouring free ports, below those that the system hands out to whoever asks for
    any: between looking and listening, another test's connection would take one."""
    while True:
        first = 20_000 + secrets.randbelow(12_000)
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port))
            return first
        except (OSError, OverflowError):
            continue
        finally:
            for one in sockets:
                one.close()
