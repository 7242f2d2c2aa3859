"""Whoever switches tracking off in a mail is not seen any more, in that mail or the next, and still gets mail."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from resonanz.model import EventKind, MessageState
from resonanz.people import reason_for
from resonanz.store import Database, events, messages, open_database
from tests.kit.instance import Instance
from tests.kit.waiting import wait_for

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GRACE, BOB, CLEO = "grace@rcpt.test", "bob@rcpt.test", "cleo@rcpt.test"
DESTINATION = "https://example.org/minutes"
MAIL = (
    b"From: Ada <ada@sender.test>\nTo: Grace <grace@rcpt.test>\nSubject: Minutes\nMIME-Version: 1.0\n"
    b"Content-Type: text/html; charset=utf-8\n\n"
    b'<html><body><p>Here are <a href="https://example.org/minutes">the minutes</a>.</p>'
    b'<p><a href="{{preferences_url}}">What may be seen of you</a></p></body></html>\n'
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """`resonanz up` with the built-in outbox; people who were never asked are tracked by name."""
    with Instance(tmp_path_factory.mktemp("instance"), {"RESONANZ_TRACKING_WITHOUT_CHOICE": "individual"}) as instance:
        yield instance


@pytest.fixture
def database(instance: Instance) -> Iterator[Database]:
    """A look into its database."""
    with closing(open_database(f"sqlite:///{instance.data / 'resonanz.sqlite'}")) as database:
        yield database


@pytest.fixture
def reader() -> Iterator[httpx2.Client]:
    """A person's browser, as far as it matters here."""
    with httpx2.Client(headers={"User-Agent": BROWSER}, follow_redirects=False) as client:
        yield client


def test_tracking_off_silences_this_mail_and_the_next(
    instance: Instance, database: Database, reader: httpx2.Client
) -> None:
    """From the link in the mail to the mail after it: seen once, then never again; who chose nothing is still seen."""
    first, html = _receive(instance, GRACE)
    pixel, link, page = _only("/o/", html), _only("/c/", html), _only("/p/", html)
    assert reader.get(pixel).status_code == 200
    wait_for(lambda: EventKind.OPENED in _kinds(database, first), "the open")

    shown = reader.get(page)
    assert shown.status_code == 200
    assert 'name="tracking" value="off"' in shown.text
    chosen = reader.post(page, data={"tracking": "off"})
    assert chosen.status_code == 200
    assert "Tracking is off" in chosen.text
    assert reader.get(pixel).status_code == 200
    assert reader.get(link).headers["location"] == DESTINATION

    bob, bobs = _receive(instance, BOB)  # what he does stands behind all that in the journal
    reader.get(_only("/o/", bobs))
    wait_for(lambda: EventKind.OPENED in _kinds(database, bob), "the open of somebody else")
    own = (EventKind.OPENED, EventKind.CLICKED, EventKind.PREFERRED)  # that it was sent may be noted in between
    assert [kind for kind in _kinds(database, first) if kind in own] == [EventKind.OPENED, EventKind.PREFERRED]

    second, html = _receive(instance, GRACE)
    assert f"{instance.edge}/o/" not in html
    assert f"{instance.edge}/c/" not in html
    assert f'href="{DESTINATION}"' in html
    assert _only("/p/", html) != page, "the way back stands in the mail that is not tracked as well"

    assert reader.post(_only("/p/", html), data={"tracking": "on"}).status_code == 200
    wait_for(lambda: EventKind.PREFERRED in _kinds(database, second), "the choice to be taken over")
    assert f"{instance.edge}/o/" in _receive(instance, GRACE)[1]


def test_leaving_on_the_page_ends_the_mail(instance: Instance, database: Database, reader: httpx2.Client) -> None:
    """The page's other button is an unsubscribe like any: the next mail is not sent."""
    first, html = _receive(instance, CLEO)
    assert reader.post(_only("/p/", html), data={"confirm": "unsubscribe"}).status_code == 200
    wait_for(lambda: EventKind.UNSUBSCRIBED in _kinds(database, first), "the unsubscribe to be taken over")
    with database.read() as tx:
        assert reason_for(tx, CLEO) == "unsubscribed"
    second = _send(instance, CLEO)
    wait_for(lambda: _state(database, second) is MessageState.SUPPRESSED, "the mail to be held back")
    assert not _copy(instance, second).exists()


def _send(instance: Instance, to: str) -> UUID:
    done = instance.run("send", "-", "--json", "--to", to, stdin=MAIL)
    assert done.returncode == 0, done.stderr
    (message,) = json.loads(done.stdout)["messages"]
    return UUID(message["id"])


def _receive(instance: Instance, to: str) -> tuple[UUID, str]:
    """Send the mail to somebody, and return its id and the HTML of the copy in the outbox."""
    id = _send(instance, to)
    wait_for(_copy(instance, id).exists, f"the mail to {to}")
    mail = message_from_bytes(_copy(instance, id).read_bytes(), policy=policy.default)
    return id, mail.get_content()  # type: ignore[attr-defined]


def _copy(instance: Instance, id: UUID) -> Path:
    return instance.data / "outbox" / f"{id}.eml"


def _only(door: str, html: str) -> str:
    """The one address of that door in the mail."""
    (found,) = re.findall(rf'https?://[^/"]+{door}[^"]+', html)
    return str(found)


def _kinds(database: Database, id: UUID) -> list[EventKind]:
    with database.read() as tx:
        return [event.kind for event in events.of_message(tx, id)]


def _state(database: Database, id: UUID) -> MessageState | None:
    with database.read() as tx:
        found = messages.get_message(tx, id)
    return found.state if found else None
