"""Transports: what carries a message out of the house."""

from __future__ import annotations

from pathlib import Path

from resonanz.sending.transports.base import Deferred, Delivery, Envelope, Refused, Transport, Unreachable
from resonanz.sending.transports.outbox import Outbox, OutboxTransport
from resonanz.sending.transports.smtp import SmtpTransport, read_smtp_url

__all__ = [
    "Deferred",
    "Delivery",
    "Envelope",
    "Outbox",
    "OutboxTransport",
    "Refused",
    "SmtpTransport",
    "Transport",
    "Unreachable",
    "open_transport",
    "read_smtp_url",
]


def open_transport(
    smtp_url: str, outbox_folder: Path, *, ca_file: Path | None = None, helo_name: str = ""
) -> Transport:
    """Return the SMTP server's transport, or the outbox's when no server is set. Raises InvalidInput."""
    if smtp_url:
        return SmtpTransport(read_smtp_url(smtp_url, ca_file), helo_name=helo_name)
    return OutboxTransport(outbox_folder)
