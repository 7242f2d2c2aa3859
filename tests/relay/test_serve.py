"""Opening the doors: only what is safe, and a wrong setting is said at once."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from resonanz.model import InvalidInput
from resonanz.relay import door
from resonanz.relay.serve import RelaySettings, Work, doors
from resonanz.store import Database
from tests.kit.certificates import make_certificate
from tests.kit.ports import free_ports
from tests.kit.relays import Relay, running_relay
from tests.kit.waiting import until, wait_for
from tests.kit.workers import KEYS


def work_of(database: Database, **settings: Any) -> Work:
    """The doors with these settings; nobody gets through them."""
    fields: dict[str, Any] = {"host": "127.0.0.1", "submission_port": 0, "inbound_port": 0}
    return doors(
        RelaySettings(**{**fields, **settings}),
        database=database,
        keys=KEYS,
        authenticate=lambda secret, now: None,
        submit=lambda draft, now: pytest.fail("nobody is logged in"),
    )


def test_a_port_that_is_taken(sqlite_database: Database) -> None:
    """The error names host and port, and what was opened before is closed again."""
    free, taken = free_ports(2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        work = work_of(
            sqlite_database, submission_port=free, inbound_port=taken, return_path_domain="bounces.sender.example"
        )
        with pytest.raises(InvalidInput) as refused:
            asyncio.run(work(asyncio.Event()))
    assert refused.value.where == f"127.0.0.1:{taken}"
    assert not _is_open("127.0.0.1", free)


@pytest.mark.parametrize("kind", ["missing", "no certificate", "another key"])
def test_a_certificate_that_cannot_be_used(sqlite_database: Database, tmp_path: Path, kind: str) -> None:
    """It is said when the role starts, not when the first client comes."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    certificate, key = make_certificate(tmp_path / "one")
    if kind == "missing":
        certificate = tmp_path / "missing.pem"
    elif kind == "no certificate":
        certificate.write_text("nothing")
    else:
        _, key = make_certificate(tmp_path / "two")
    with pytest.raises(InvalidInput) as refused:
        work_of(sqlite_database, certificate=certificate, key=key)
    assert refused.value.where == "RESONANZ_RELAY_CERTIFICATE"


@pytest.mark.parametrize("is_certified", [False, True])
def test_without_a_certificate_only_this_machine(sqlite_database: Database, tmp_path: Path, is_certified: bool) -> None:
    """Without a certificate a key would travel in clear: then the submission door opens on loopback only."""
    port = free_ports(1)[0]
    settings: dict[str, Any] = {"host": "0.0.0.0", "submission_port": port}
    if is_certified:
        settings |= dict(zip(("certificate", "key"), make_certificate(tmp_path), strict=True))
    others = _other_address()

    async def main() -> bool:
        stopping = asyncio.Event()
        running = asyncio.create_task(work_of(sqlite_database, **settings)(stopping))
        await until(lambda: _is_open("127.0.0.1", port), "the door")
        found = await asyncio.to_thread(_is_open, others, port)
        stopping.set()
        await running
        return found

    assert asyncio.run(main()) is is_certified


def test_no_inbound_door_without_a_domain(sqlite_database: Database) -> None:
    """Without a return-path domain there is nothing to come back to: the port stays closed, and the role runs on."""
    submission, inbound = free_ports(2)

    async def main() -> bool:
        stopping = asyncio.Event()
        work = work_of(sqlite_database, submission_port=submission, inbound_port=inbound)
        running = asyncio.create_task(work(stopping))
        await until(lambda: _is_open("127.0.0.1", submission), "the door")
        found = await asyncio.to_thread(_is_open, "127.0.0.1", inbound)
        stopping.set()
        await running
        return found

    assert asyncio.run(main()) is False


def test_too_many_connections(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection too many is told to come again, and one that ends makes room."""
    monkeypatch.setattr(door, "MAX_CONNECTIONS", 2)
    with running_relay(sqlite_database) as relay, _let_in(relay), _let_in(relay) as second:
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            relay.client()
        assert refused.value.smtp_code == 421
        second.quit()
        with _let_in(relay) as third:
            assert third.noop()[0] == 250


def test_too_many_connections_from_one_place(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One address gets so many connections and no more; another one still gets in."""
    with running_relay(sqlite_database) as relay:
        monkeypatch.setattr(door, "MAX_CONNECTIONS_PER_NETWORK", 1)
        with _let_in(relay):
            with pytest.raises(smtplib.SMTPConnectError) as refused:
                relay.client()
            assert refused.value.smtp_code == 421
            elsewhere = ("127.0.0.2", 0)
            with smtplib.SMTP("127.0.0.1", relay.submission_port, timeout=20, source_address=elsewhere) as other:
                assert other.noop()[0] == 250


def _let_in(relay: Relay) -> smtplib.SMTP:
    """Connect once there is room: a connection that was closed is noticed a moment later."""
    found: list[smtplib.SMTP] = []

    def connect() -> bool:
        with suppress(smtplib.SMTPConnectError):
            found.append(relay.client())
        return bool(found)

    wait_for(connect, "room for a connection")
    return found[0]


def _is_open(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def _other_address() -> str:
    """An address of this machine that is not 127.0.0.1; all of 127/8 is, on Linux."""
    return "127.0.0.2"
