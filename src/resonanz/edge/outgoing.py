"""What is on its way to readers in pieces: as fast as each takes it, and together no more than there is room for.

The server takes some pieces ahead of the reader, and a reader who takes none keeps them there. Thousands of those would
fill the memory of a process that has clicks to answer, so whoever comes when the room is full is told to come again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from resonanz.edge.answers import NOTHING, Answer, Send

PIECE_BYTES = 32_768
AHEAD_BYTES = 12 * PIECE_BYTES  # what one reader can make the server hold, its own buffer included
ROOM_BYTES = 200_000_000


class Outgoing:
    """The room. For one event loop."""

    def __init__(self) -> None:
        self._free = ROOM_BYTES

    @contextmanager
    def room(self, octets: int) -> Iterator[bool]:
        """Set room for so many octets in memory aside while the block lasts; say whether there was any."""
        if octets > self._free:
            yield False
            return
        self._free -= octets
        try:
            yield True
        finally:
            self._free += octets


async def send_in_pieces(answer: Answer, send: Send, method: str) -> None:
    """Send an answer too long to be handed over at once: the server would keep all of it for a reader who is slow."""
    body: bytes = answer.body["body"]
    if method == "HEAD" or len(body) <= PIECE_BYTES:
        await answer.send(send, method)
        return
    await send(answer.start)
    for start in range(0, len(body), PIECE_BYTES):
        await send({"type": "http.response.body", "body": body[start : start + PIECE_BYTES], "more_body": True})
    await send(NOTHING)
