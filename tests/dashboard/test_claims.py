"""Claiming a sender address: a mail goes there, its link shows a page, and the form behind it confirms or refuses."""

from __future__ import annotations

import re

from resonanz.accounts.senders import account_of
from resonanz.model import TrackingMode
from resonanz.sending.transports.outbox import OutboxTransport
from resonanz.store import messages, senders
from tests.dashboard.test_blocking import other_account
from tests.dashboard.test_compose import MAIL
from tests.kit.pages import HOME, Site
from tests.kit.workers import is_empty, run_until, worker_on

THERE = "sales@shop.example"


def link_to(site: Site) -> str:
    """The path in the newest mail that asks for confirmation."""
    with site.database.read() as tx:
        message = messages.list_messages(tx, limit=1)[0]
        assert message.recipient.lower() == THERE
        assert message.track_opens is message.track_clicks is TrackingMode.OFF
        submission = messages.get_submission(tx, message.submission_id)
        assert submission is not None
        content = messages.get_content(tx, submission.content_id)
    assert content is not None
    found = re.search(rf"{re.escape(HOME)}(/senders/confirm/[\w-]+)", content.body.decode())
    assert found
    return found.group(1)


def may_send(site: Site) -> list[str]:
    """What Bob may send from beside his own address."""
    bob = account_of(site.database, "bob@example.org").id
    with site.database.read() as tx:
        return [one.pattern for one in senders.list_senders(tx, bob)]


def test_a_link_in_a_mail_confirms(site: Site) -> None:
    """Looking at the page changes nothing, whoever looks; the form allows the sender, once."""
    site.alice()
    bob = other_account(site)
    asked = bob.submit("/senders/claim", {"claim": " Sales@Shop.example "}, page="/senders")
    assert asked.headers["location"] == "/senders?done=asked", asked.text
    assert "not confirmed" in bob.get("/senders").text
    path, reader = link_to(site), site.visitor()
    page = reader.get(path).text
    assert "Bob" in page
    assert "sales@shop.example" in page
    assert may_send(site) == []
    assert bob.submit("/compose", MAIL | {"from": THERE}).status_code == 403
    assert "Confirmed" in reader.submit(path, {"answer": "confirm"}).text
    assert may_send(site) == [THERE]
    assert bob.submit("/compose", MAIL | {"from": THERE}).status_code == 303
    assert reader.get(path).status_code == 404
    with site.database.read() as tx:
        assert senders.list_senders(tx)[0].created_by == "a link in a mail to there"


def test_a_refusal_stands(site: Site) -> None:
    """Who refuses is not asked again; whoever runs the instance can still allow it."""
    alice = site.alice()
    bob = other_account(site)
    bob.submit("/senders/claim", {"claim": THERE}, page="/senders")
    path, reader = link_to(site), site.visitor()
    assert "Refused" in reader.submit(path, {"answer": "refuse"}).text
    assert reader.get(path).status_code == 404
    site.clock.move(minutes=11)
    again = bob.submit("/senders/claim", {"claim": THERE}, page="/senders")
    assert (again.status_code, "has refused" in again.text) == (422, True)
    allowed = alice.submit("/senders", {"account": "bob@example.org", "sender": THERE})
    assert allowed.headers["location"] == "/senders?done=allowed"
    assert may_send(site) == [THERE]


def test_what_a_claim_is_held_against(site: Site) -> None:
    """No domain, nothing that is allowed already, nobody asked twice within minutes, also after a withdrawal, and no
    link for ever; a claim that an operator confirms is gone."""
    alice = site.alice()
    bob = other_account(site)

    def claim(text: str) -> str:
        answer = bob.submit("/senders/claim", {"claim": text}, page="/senders")
        return "asked" if answer.status_code == 303 else answer.text

    assert 'id="claim-note" role="alert"' in claim("shop.example")
    assert "may send from there already" in claim("bob@example.org")
    assert claim(THERE) == "asked"
    assert "on its way" in claim(THERE)
    path = link_to(site)
    assert bob.submit("/senders/withdraw", {"sender": THERE}, page="/senders").status_code == 303
    assert site.visitor().get(path).status_code == 404
    assert "on its way" in claim(THERE)
    site.clock.move(minutes=11)
    assert claim(THERE) == "asked"
    assert f'aria-label="Confirm {THERE} for bob@example.org"' in alice.get("/senders").text
    path = link_to(site)
    site.clock.move(minutes=3 * 24 * 60 + 1)
    assert site.visitor().get(path).status_code == 404
    assert "not confirmed" not in alice.get("/senders").text
    assert claim(THERE) == "asked"
    path = link_to(site)
    alice.submit("/senders", {"account": "bob@example.org", "sender": THERE})
    assert "not confirmed" not in alice.get("/senders").text
    assert site.visitor().get(path).status_code == 404


def test_the_mail_that_asks_is_not_for_whoever_asks(site: Site) -> None:
    """In the built-in outbox the mail with the link opens for whoever runs the instance, and for nobody who could
    confirm their own claim with it."""
    alice = site.alice()
    bob = other_account(site)
    bob.submit("/senders/claim", {"claim": THERE}, page="/senders")
    transport = OutboxTransport(site.folder)
    run_until(worker_on(site.database, transport), is_empty(site.database))
    with site.database.read() as tx:
        mail = messages.list_messages(tx, limit=1)[0].id
    for page in ("", "/source", "/file"):
        assert alice.get(f"/outbox/{mail}{page}").status_code == 200
        assert bob.get(f"/outbox/{mail}{page}").status_code == 404
