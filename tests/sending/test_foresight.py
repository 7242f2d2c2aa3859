"""What of a mail will be measurable: by the mail, the recipient's provider, and what was seen before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from resonanz.ingest import record_all
from resonanz.model import Coverage, EventKind, TemporaryFailure, TrackingMode, Verdict
from resonanz.outbound import Resolver
from resonanz.sending.foresight import NOBODY_SPECIAL, Receiver, foresee, receiver_of
from resonanz.sending.receivers import REST_SECONDS, Receivers
from resonanz.sending.submit import Draft, Limits, submit
from resonanz.sending.transports.outbox import OutboxTransport
from resonanz.store import Database
from resonanz.store import messages as rows
from resonanz.store.opens import NO_PAST, Past
from tests.kit.cast import NOON, Cast, event
from tests.kit.nameserver import nameserver
from tests.kit.workers import ScriptedTransport, is_empty, run_until, worker_on

GATEWAY = Receiver(gateway="Proofpoint")


@pytest.mark.parametrize(
    ("hosts", "receiver"),
    [
        (["mxa-00123.gslb.pphosted.com", "mxb-00123.gslb.pphosted.com"], GATEWAY),
        (["eu-smtp-inbound-1.mimecast.com"], Receiver(gateway="Mimecast")),
        (["d1234.a.ess.uk.barracudanetworks.com"], Receiver(gateway="Barracuda")),
        (["mx1.hc123-4.iphmx.com"], Receiver(gateway="Cisco")),
        (["example-org.mail.protection.outlook.com"], Receiver(gateway="Microsoft 365")),
        (["mail.protonmail.ch", "mailsec.protonmail.ch"], Receiver(strips=True)),
        (["gmail-smtp-in.l.google.com"], NOBODY_SPECIAL),
        (["notpphosted.com", "pphosted.com.example.org"], NOBODY_SPECIAL),
        (["", "mx.example.org"], NOBODY_SPECIAL),
        ([], NOBODY_SPECIAL),
    ],
)
def test_who_takes_in_the_mail_of_a_domain(hosts: list[str], receiver: Receiver) -> None:
    """Told by the end of the MX hosts' names, and by nothing that merely looks alike."""
    assert receiver_of(hosts) == receiver


@pytest.mark.parametrize(
    ("built", "domain", "receiver", "past", "coverage"),
    [
        (Coverage.TRACKABLE, "example.org", NOBODY_SPECIAL, NO_PAST, Coverage.TRACKABLE),
        (Coverage.NOT_TRACKED, "proton.me", GATEWAY, Past(private=1), Coverage.NOT_TRACKED),
        (Coverage.TEXT_ONLY, "proton.me", GATEWAY, Past(private=1), Coverage.TEXT_ONLY),
        (Coverage.TRACKABLE, "proton.me", GATEWAY, Past(private=1), Coverage.STRIPPING_DOMAIN),
        (Coverage.TRACKABLE, "example.org", Receiver(strips=True), NO_PAST, Coverage.STRIPPING_DOMAIN),
        (Coverage.TRACKABLE, "example.org", GATEWAY, Past(private=3), Coverage.PRIVACY_CLIENT),
        (Coverage.TRACKABLE, "example.org", NOBODY_SPECIAL, Past(opened=1, private=3), Coverage.TRACKABLE),
        (Coverage.TRACKABLE, "example.org", NOBODY_SPECIAL, Past(blind=2), Coverage.IMAGES_LIKELY_BLOCKED),
        (Coverage.TRACKABLE, "example.org", NOBODY_SPECIAL, Past(blind=1), Coverage.TRACKABLE),
        (Coverage.TRACKABLE, "example.org", NOBODY_SPECIAL, Past(opened=1, blind=5), Coverage.TRACKABLE),
        (Coverage.CLIPPED_RISK, "example.org", GATEWAY, NO_PAST, Coverage.CLIPPED_RISK),
        (Coverage.TRACKABLE, "example.org", GATEWAY, NO_PAST, Coverage.GATEWAY_SCANNED),
    ],
)
def test_what_limits_most_is_told(
    built: Coverage, domain: str, receiver: Receiver, past: Past, coverage: Coverage
) -> None:
    """One word per copy: what the mail is weighs more than the provider, the provider more than the reader's habits."""
    assert foresee(built, domain, receiver, past) is coverage


def send(database: Database, *to: str, **options: object) -> None:
    draft = Draft(
        account_id=None, source="cli", sender="a@sender.example", recipients=to, subject="x", html="<p>Hello</p>",
        **{"track_opens": TrackingMode.INDIVIDUAL, "track_clicks": TrackingMode.INDIVIDUAL} | options,  # type: ignore[arg-type]
    )  # fmt: skip
    submit(database, draft, limits=Limits(1_000_000, 50), now=NOON)


def coverages(database: Database) -> dict[str, Coverage]:
    with database.read() as tx:
        return {row.recipient: row.coverage for row in reversed(rows.list_messages(tx, limit=50))}


def test_mail_is_sent_at_once_and_its_receiver_told_when_dns_answers(database: Database) -> None:
    """Nothing waits for DNS; the copies say so once it is known, and the next mail says it from the start."""
    zone = {
        ("gated.example", "MX"): ["10 mx.pphosted.com."],
        ("stripped.example", "MX"): ["10 mail.protonmail.ch."],
        ("plain.example", "MX"): ["10 mx.plain.example."],
    }
    with nameserver(zone) as server:
        worker = worker_on(database, ScriptedTransport(), mail_hosts=Resolver([server]).mail_hosts)
        to = ["a@gated.example", "b@stripped.example", "c@plain.example", "d@proton.me", "e@Gated.example"]
        send(database, *to)
        expected = {
            "a@gated.example": Coverage.GATEWAY_SCANNED,
            "b@stripped.example": Coverage.STRIPPING_DOMAIN,
            "c@plain.example": Coverage.TRACKABLE,
            "d@proton.me": Coverage.STRIPPING_DOMAIN,
        }
        run_until(worker, lambda: expected.items() <= coverages(database).items(), "coverage by MX")
        assert is_empty(database)()


def test_without_dns_mail_goes_out_all_the_same(database: Database) -> None:
    """A machine without name servers sends as ever; what is not known is not claimed."""
    with nameserver({}, failing=["gated.example"]) as server:
        worker = worker_on(database, ScriptedTransport(), mail_hosts=Resolver([server]).mail_hosts)
        send(database, "a@gated.example")
        run_until(worker, is_empty(database))
    assert coverages(database) == {"a@gated.example": Coverage.TRACKABLE}


def test_of_mail_in_the_outbox_nobody_is_asked(sqlite_database: Database, tmp_path: Path) -> None:
    """It goes nowhere, so nobody's name servers hear of it; what needs no question is told all the same."""
    asked: list[str] = []

    def ask(domain: str) -> Sequence[tuple[int, str]]:
        asked.append(domain)
        return []

    send(sqlite_database, "a@gated.example", "d@proton.me")
    run_until(worker_on(sqlite_database, OutboxTransport(tmp_path), mail_hosts=ask), is_empty(sqlite_database))
    assert asked == []
    assert coverages(sqlite_database)["d@proton.me"] is Coverage.STRIPPING_DOMAIN


def test_what_was_seen_of_a_contact_is_told_of_the_next_mail(database: Database) -> None:
    """Only Apple's fetches so far: privacy protection. Links followed and no image ever: images are likely blocked."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        for to, events in {
            "apple@example.org": [(EventKind.OPENED, Verdict.PRIVACY_PREFETCH)],
            "blind@example.org": [(EventKind.CLICKED, Verdict.HUMAN_LIKELY)],
            "both@example.org": [
                (EventKind.OPENED, Verdict.PRIVACY_PREFETCH),
                (EventKind.OPENED, Verdict.HUMAN_DIRECT),
            ],
        }.items():
            for _ in range(2):
                _, (message,) = cast.mailing(tx, [to])
                record_all(tx, [event(message, kind, verdict=verdict) for kind, verdict in events])
    to = ("apple@example.org", "blind@example.org", "both@example.org", "new@example.org")
    send(database, *to)
    run_until(worker_on(database, ScriptedTransport()), is_empty(database))
    assert [coverages(database)[each] for each in to] == [
        Coverage.PRIVACY_CLIENT,
        Coverage.IMAGES_LIKELY_BLOCKED,
        Coverage.TRACKABLE,
        Coverage.TRACKABLE,
    ]


def test_names_are_asked_again_when_dns_is_back_and_once_a_day() -> None:
    """A failure rests for a while and loses nothing; an answer is kept for a day."""
    now, asked, told = [0.0], list[str](), list[tuple[int, Coverage]]()
    failing = True

    def ask(domain: str) -> Sequence[tuple[int, str]]:
        asked.append(domain)
        if failing:
            raise TemporaryFailure("DNS does not answer")
        return [(10, "mx.pphosted.com")]

    receivers = Receivers(ask, lambda ids, coverage: told.append((len(ids), coverage)), lambda: now[0])
    receivers.ask_for("gated.example", uuid4())
    receivers.ask_for("gated.example", uuid4())
    assert receivers.ask_next() == REST_SECONDS
    assert receivers.known("gated.example") is None
    failing = False
    assert receivers.ask_next() == 0
    assert told == [(2, Coverage.GATEWAY_SCANNED)]
    assert receivers.known("gated.example") == GATEWAY
    assert receivers.ask_next() > 0
    now[0] += 86_401
    assert receivers.known("gated.example") is None
    assert asked == ["gated.example"] * 2
