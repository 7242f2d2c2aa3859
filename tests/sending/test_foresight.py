"""What of a mail will be measurable: by the mail, the recipient's provider, and what was seen before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from resonanz.ingest import record_all
from resonanz.mail.gateways import NOBODY_SPECIAL, Receiver, receiver_at, receiver_of
from resonanz.model import Coverage, EventKind, TemporaryFailure, TrackingMode, Verdict
from resonanz.outbound import Resolver
from resonanz.sending.drafts import Draft, Limits
from resonanz.sending.foresight import foresee
from resonanz.sending.receivers import REST_SECONDS, Receivers
from resonanz.sending.submit import submit
from resonanz.sending.transports.outbox import OutboxTransport
from resonanz.store import Database
from resonanz.store import messages as rows
from resonanz.store.opens import NO_PAST, Past, put_receiver_right
from tests.kit.cast import NOON, Cast, event
from tests.kit.nameserver import nameserver
from tests.kit.rows import update_message
from tests.kit.workers import ScriptedTransport, is_empty, run_until, worker_on

GATEWAY, STRIPPER = Receiver("Proofpoint"), Receiver("Proton")


@pytest.mark.parametrize(
    ("hosts", "receiver"),
    [
        (["mxa-00123.gslb.pphosted.com", "mxb-00123.gslb.pphosted.com"], GATEWAY),
        (["eu-smtp-inbound-1.mimecast.com"], Receiver("Mimecast")),
        (["d1234.a.ess.uk.barracudanetworks.com"], Receiver("Barracuda")),
        (["mx1.hc123-4.iphmx.com"], Receiver("Cisco")),
        (["example-org.mail.protection.outlook.com"], Receiver("Microsoft 365")),
        (["mail.protonmail.ch", "mailsec.protonmail.ch"], STRIPPER),
        (["gmail-smtp-in.l.google.com"], NOBODY_SPECIAL),
        (["notpphosted.com", "pphosted.com.example.org"], NOBODY_SPECIAL),
        (["", "mx.example.org"], NOBODY_SPECIAL),
        ([], NOBODY_SPECIAL),
        (["mx.pphosted.com", "mail.protonmail.ch"], STRIPPER),
    ],
)
def test_who_takes_in_the_mail_of_a_domain(hosts: list[str], receiver: Receiver) -> None:
    """Told by the end of the MX hosts' names, and by nothing that merely looks alike."""
    assert receiver_of(hosts) == receiver


def test_some_domains_tell_by_themselves() -> None:
    """Their providers say so of all addresses there; DNS need not be asked."""
    assert [receiver_at(domain) for domain in ("proton.me", "hey.com", "duck.com", "example.org")] == [
        STRIPPER, Receiver("HEY"), Receiver("DuckDuckGo"), None,
    ]  # fmt: skip
    assert [Receiver(name).strips for name in ("Proton", "HEY", "DuckDuckGo", "Proofpoint", "")] == [True] * 3 + [
        False
    ] * 2


@pytest.mark.parametrize(
    ("built", "receiver", "past", "coverage"),
    [
        (Coverage.TRACKABLE, NOBODY_SPECIAL, NO_PAST, Coverage.TRACKABLE),
        (Coverage.NOT_TRACKED, STRIPPER, Past(private=1), Coverage.NOT_TRACKED),
        (Coverage.TEXT_ONLY, STRIPPER, Past(private=1), Coverage.TEXT_ONLY),
        (Coverage.TRACKABLE, STRIPPER, Past(private=1), Coverage.STRIPPING_DOMAIN),
        (Coverage.TRACKABLE, STRIPPER, NO_PAST, Coverage.STRIPPING_DOMAIN),
        (Coverage.TRACKABLE, GATEWAY, Past(private=3), Coverage.PRIVACY_CLIENT),
        (Coverage.TRACKABLE, NOBODY_SPECIAL, Past(opened=1, private=3), Coverage.TRACKABLE),
        (Coverage.TRACKABLE, NOBODY_SPECIAL, Past(blind=2), Coverage.IMAGES_LIKELY_BLOCKED),
        (Coverage.TRACKABLE, NOBODY_SPECIAL, Past(blind=1), Coverage.TRACKABLE),
        (Coverage.TRACKABLE, NOBODY_SPECIAL, Past(opened=1, blind=5), Coverage.TRACKABLE),
        (Coverage.CLIPPED_RISK, GATEWAY, NO_PAST, Coverage.CLIPPED_RISK),
        (Coverage.TRACKABLE, GATEWAY, NO_PAST, Coverage.GATEWAY_SCANNED),
    ],
)
def test_what_limits_most_is_told(built: Coverage, receiver: Receiver, past: Past, coverage: Coverage) -> None:
    """One word per copy: what the mail is weighs more than the provider, the provider more than the reader's habits."""
    assert foresee(built, receiver, past) is coverage


def send(database: Database, *to: str, **options: object) -> None:
    draft = Draft(
        account_id=None, source="cli", sender="a@sender.example", recipients=to, subject="x", html="<p>Hello</p>",
        **{"track_opens": TrackingMode.INDIVIDUAL, "track_clicks": TrackingMode.INDIVIDUAL} | options,  # type: ignore[arg-type]
    )  # fmt: skip
    submit(database, draft, limits=Limits(1_000_000, 50), now=NOON)


def coverages(database: Database) -> dict[str, Coverage]:
    with database.read() as tx:
        return {row.recipient: row.coverage for row in reversed(rows.list_messages(tx, limit=50))}


def gateways(database: Database) -> dict[str, str | None]:
    with database.read() as tx:
        return {row.recipient: row.gateway for row in reversed(rows.list_messages(tx, limit=50))}


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
        send(database, "f@gated.example", track_opens=TrackingMode.OFF, track_clicks=TrackingMode.OFF)
        expected = {
            "a@gated.example": Coverage.GATEWAY_SCANNED,
            "b@stripped.example": Coverage.STRIPPING_DOMAIN,
            "c@plain.example": Coverage.TRACKABLE,
            "d@proton.me": Coverage.STRIPPING_DOMAIN,
            "f@gated.example": Coverage.NOT_TRACKED,
        }
        named = {
            "a@gated.example": "Proofpoint",
            "b@stripped.example": "Proton",
            "c@plain.example": "",
            "d@proton.me": "Proton",
            "e@gated.example": "Proofpoint",
            "f@gated.example": "Proofpoint",  # where nothing is measured, too
        }
        run_until(worker, lambda: gateways(database) == named, "who takes in whose mail")
        assert is_empty(database)()
        assert expected.items() <= coverages(database).items()


def test_without_dns_mail_goes_out_all_the_same(database: Database) -> None:
    """A machine without name servers sends as ever; what is not known is not claimed."""
    with nameserver({}, failing=["gated.example"]) as server:
        worker = worker_on(database, ScriptedTransport(), mail_hosts=Resolver([server]).mail_hosts)
        send(database, "a@gated.example")
        run_until(worker, is_empty(database))
    assert coverages(database) == {"a@gated.example": Coverage.TRACKABLE}
    assert gateways(database) == {"a@gated.example": None}


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
    assert gateways(sqlite_database) == {"a@gated.example": None, "d@proton.me": "Proton"}


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


@pytest.mark.parametrize("known", list(Coverage))
@pytest.mark.parametrize("receiver", [GATEWAY, STRIPPER, NOBODY_SPECIAL], ids=["scans", "strips", "nobody"])
def test_what_is_put_right_later_is_what_would_have_been_said_at_once(
    sqlite_database: Database, known: Coverage, receiver: Receiver
) -> None:
    """Whether DNS answers before or after a copy is built makes no difference to what its row says."""
    with sqlite_database.write() as tx:
        _, (message,) = Cast.enter(tx).mailing(tx, ["a@example.org"])
        update_message(tx, message.id, {"coverage": known})
        put_receiver_right(tx, [message.id], receiver.name, strips=receiver.strips)
        row = rows.get_message(tx, message.id)
    assert row is not None
    assert row.gateway == receiver.name
    habits = {Coverage.PRIVACY_CLIENT: Past(private=1), Coverage.IMAGES_LIKELY_BLOCKED: Past(blind=2)}
    if known not in (Coverage.STRIPPING_DOMAIN, Coverage.GATEWAY_SCANNED):  # those are no first answers
        built = Coverage.TRACKABLE if known in habits else known
        assert row.coverage is foresee(built, receiver, habits.get(known, NO_PAST))


def test_names_are_asked_again_when_dns_is_back_and_once_a_day() -> None:
    """A failure rests for a while and loses nothing; an answer is kept for a day."""
    now, asked, told = [0.0], list[str](), list[tuple[int, Receiver]]()
    failing = True

    def ask(domain: str) -> Sequence[tuple[int, str]]:
        asked.append(domain)
        if failing:
            raise TemporaryFailure("DNS does not answer")
        return [(10, "mx.pphosted.com")]

    receivers = Receivers(ask, lambda ids, receiver: told.append((len(ids), receiver)), lambda: now[0])
    receivers.ask_for("gated.example", uuid4())
    receivers.ask_for("gated.example", uuid4())
    assert receivers.ask_next() == REST_SECONDS
    assert receivers.known("gated.example") is None
    failing = False
    assert receivers.ask_next() == 0
    assert told == [(2, GATEWAY)]
    assert receivers.known("gated.example") == GATEWAY
    assert receivers.ask_next() > 0
    now[0] += 86_401
    assert receivers.known("gated.example") is None
    assert asked == ["gated.example"] * 2
