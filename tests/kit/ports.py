"""Ports for a test's own servers.

They lie below those that the system hands out to whoever asks for any, and no two test processes are given the same
ones: between looking and listening, another test's server or connection would take one.
"""

from __future__ import annotations

import socket
from contextlib import suppress

_FIRST, _LAST, _BLOCK = 20_000, 32_000, 60
_BLOCKS_EACH = 5  # then a process goes round: whoever was given the first ones is long done with them


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on and nobody else is given."""
    return [free_range(1) for _ in range(count)]


def free_range(count: int) -> int:
    """Return the first of `count` neighbouring ones."""
    return _ports.take(count)


class _Ports:
    """One block after another, each claimed by an abstract socket's name. Names, like ports, belong to the machine (or
    the container), and this process has its own until it ends, however it does."""

    def __init__(self) -> None:
        self._claims: list[socket.socket] = []
        self._blocks: list[range] = []
        self._left = range(0)

    def take(self, count: int) -> int:
        while len(self._left) < count or not all(map(_is_free, self._left[:count])):
            self._left = self._left[1:] if len(self._left) > count else self._next_block()
        first, self._left = self._left[0], self._left[count:]
        return first

    def _next_block(self) -> range:
        block = self._claimed() if len(self._blocks) < _BLOCKS_EACH else None
        if block is None:
            assert self._blocks, "every block of ports is taken: are tests still running that should have ended?"
            block = self._blocks.pop(0)
        self._blocks.append(block)
        return block

    def _claimed(self) -> range | None:
        for first in range(_FIRST, _LAST, _BLOCK):
            claim = socket.socket(socket.AF_UNIX)
            with suppress(OSError):  # somebody else has it
                claim.bind(f"\0resonanz-test-ports-{first}")
                self._claims.append(claim)
                return range(first, first + _BLOCK)
            claim.close()
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_ports = _Ports()
