"""A test mail by one transport: sent at once, past the queue; whoever set it up reads the server's own answer."""

from __future__ import annotations

from datetime import datetime

from resonanz.mail.address import parse_address
from resonanz.mail.composing import compose
from resonanz.model import new_id
from resonanz.sending.copies import header_id_for
from resonanz.sending.transports.base import Envelope, Transport
from resonanz.store.transports import StoredTransport

TEXT = """\
This is a test of the transport {name}, by way of {host}.

It was not tracked and not signed. That it arrived says that the server takes mail for you; look at its header
fields for what became of SPF, DKIM and DMARC.
"""


async def send_test_mail(transport: Transport, stored: StoredTransport, to: str, now: datetime) -> str:
    """Send a test mail to an address, and return what the server said. It comes from the first address that the
    transport carries mail for, else from the address that it goes to.

    Raises InvalidInput for an address that is none, PermanentFailure and TemporaryFailure as the server refuses it.
    """
    recipient = parse_address(to).spec
    sender = next((one for one in stored.senders if "@" in one), recipient)
    message_id = new_id()
    message = compose(
        sender=sender,
        to=recipient,
        subject=f"Test of the transport {stored.name}",
        text=TEXT.format(name=stored.name, host=stored.host),
        html=None,
        message_id=header_id_for(message_id, sender.rpartition("@")[2]),
        date=now,
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: nobody's vacation answers it
    )
    try:
        delivery = await transport.deliver(Envelope(message_id, sender, recipient), message)
    finally:
        await transport.close()
    return delivery.reply
