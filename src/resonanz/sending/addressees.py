"""Whom a mail is from and for: as the door was told beside the mail, else as a raw mail names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from resonanz.mail.address import Address, parse_address, parse_addresses
from resonanz.mail.structure import Structure
from resonanz.model import InvalidInput


def read_envelope(
    sender: str, recipients: Sequence[str], structure: Structure | None = None
) -> tuple[Address, list[Address]]:
    """Read a sender and recipients. With the `structure` of a raw mail, an empty sender is the mailbox in its From, and
    no recipients are those in its To, Cc and Bcc. Raises InvalidInput with everything that is no address, at once."""
    refused: list[InvalidInput] = []
    if structure is None or sender:
        senders = _read([("sender", sender)], refused, alone=True)
    else:
        senders = _read(_fields(structure, "From"), refused, alone=True)
    if structure is None or recipients:
        numbered = [(f"recipients[{index}]", text) for index, text in enumerate(recipients)]
        receivers = _read(numbered, refused, alone=True)
    else:
        receivers = _read(_fields(structure, "To", "Cc", "Bcc"), refused, alone=False)
    if refused:
        raise InvalidInput.together(refused)
    return senders[0], receivers


def read_authors(structure: Structure) -> list[Address]:
    """Read the mailboxes in a raw mail's From. Raises InvalidInput for what is no address."""
    refused: list[InvalidInput] = []
    authors = _read(_fields(structure, "From"), refused, alone=False)
    if refused:
        raise InvalidInput.together(refused)
    return authors


def check_mailboxes(text: str, where: str) -> None:
    """Check that a text names mailboxes, at least one. Raises InvalidInput."""
    refused: list[InvalidInput] = []
    if not _read([(where, text)], refused, alone=False) and not refused:
        refused.append(InvalidInput("is empty", where=where))
    if refused:
        raise InvalidInput.together(refused)


def _fields(structure: Structure, *names: str) -> Iterator[tuple[str, str]]:
    for name in names:
        for text in structure.header_texts(name):
            yield f"mail, {name} field", text


def _read(named: Iterable[tuple[str, str]], refused: list[InvalidInput], *, alone: bool) -> list[Address]:
    """Read the mailboxes in each (place, text), exactly one in each if `alone`; add what is none to `refused`."""
    found: list[Address] = []
    for where, text in named:
        try:
            found += [parse_address(text)] if alone else parse_addresses(text)
        except InvalidInput as error:
            refused.append(InvalidInput(error.what, where=where, remedy=error.remedy))
    return found
