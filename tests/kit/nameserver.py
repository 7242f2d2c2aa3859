"""A DNS server on this machine that answers from a small zone, for tests of what DNS says."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]
"""Records by (name, type), as a zone file writes them. A name that stands nowhere does not exist."""


@contextmanager
def nameserver(zone: Zone, *, failing: Sequence[str] = ()) -> Iterator[str]:
    """Yield `host:port` of a server that answers from `zone`, which may change meanwhile, and with SERVFAIL for the
    names in `failing`."""

    class Answering(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, connection = self.request
            connection.sendto(_answer(zone, failing, data), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _answer(zone: Zone, failing: Sequence[str], data: bytes) -> bytes:
    query = dns.message.from_wire(data)
    reply: Any = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    asked = query.question[0]
    name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
    if name in failing:
        reply.set_rcode(dns.rcode.SERVFAIL)
        return bytes(reply.to_wire())
    if name not in {known for known, _ in zone}:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    while (alias := zone.get((name, "CNAME"))) and kind != "CNAME":
        reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
        name = alias[0].rstrip(".").lower()
    if records := zone.get((name, kind)):
        reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))
    reply.use_edns(0, payload=4096)
    return bytes(reply.to_wire())


def txt(text: str) -> str:
    """Return a text as a zone file writes it: quoted, in strings of 255 characters at most."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
