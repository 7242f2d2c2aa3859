"""Reading a mail behind DATA, in whatever pieces it arrives."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.relay.data import LineTooLong, TooMuchData, read_data

LIMIT = 64  # of the reader: far less than a mail has, so that mails come in several reads
PIECES = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"x", b"Subject: x", b"y" * 70, b"\r\n.."]), max_size=30
)


def read(arrives: list[bytes], most: int = 10_000, longest_line: int = 1_000) -> tuple[bytes, bytes]:
    """What is read of these octets, arriving one piece after the other, and what is left behind it."""

    async def run() -> tuple[bytes, bytes]:
        reader = asyncio.StreamReader(limit=LIMIT)
        reading = asyncio.create_task(read_data(reader, most, longest_line))
        for piece in arrives:
            reader.feed_data(piece)
            await asyncio.sleep(0)
        content = await asyncio.wait_for(reading, 10)
        reader.feed_eof()
        return content, await reader.read()

    return asyncio.run(run())


def as_client_writes(content: bytes) -> bytes:
    """A mail with the dots of transparency and its end, as RFC 5321 section 4.5.2 has it."""
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines[:-1]) + b".\r\n"


@given(PIECES, st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_a_mail_comes_out_as_its_author_wrote_it(pieces: list[bytes], cuts: list[int]) -> None:
    """Whatever stands in a mail, and wherever the network cuts it, it is read as it was written; the next command
    stays in the reader."""
    content = b"".join(pieces) + b"\r\n"
    wire = as_client_writes(content) + b"QUIT\r\n"
    arrives, position = [], 0
    while position < len(wire):
        length = cuts[len(arrives) % len(cuts)]
        arrives.append(wire[position : position + length])
        position += length
    assert read(arrives) == (content, b"QUIT\r\n")


def test_an_empty_mail() -> None:
    """The end may be the first line."""
    assert read([b".\r\nNOOP\r\n"]) == (b"", b"NOOP\r\n")


@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False), (5_000, False)])
def test_a_mail_that_is_too_large(size: int, fits: bool) -> None:
    """The size is the mail's, its last CRLF included; one that is too large is read to its end and refused."""
    wire = as_client_writes(b"x" * (size - 2) + b"\r\n")
    if fits:
        assert len(read([wire], most=100)[0]) == size
    else:
        with pytest.raises(TooMuchData):
            read([wire], most=100)


def test_a_line_that_is_too_long() -> None:
    """One line that is too long is enough."""
    mail = as_client_writes(b"short\r\n" + b"x" * 98 + b"\r\nshort\r\n")
    assert read([mail], longest_line=100)[0]
    with pytest.raises(LineTooLong):
        read([mail], longest_line=99)
