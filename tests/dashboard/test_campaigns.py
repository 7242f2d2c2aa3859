"""Campaigns on the pages: written, looked at, tried, sent, and held back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from resonanz.dashboard import build_preview
from resonanz.ingest import record_all
from resonanz.model import EventKind, Verdict
from resonanz.sending import expansion
from resonanz.sending.domain_records import Record, State
from resonanz.store import campaigns as rows
from resonanz.store import messages
from resonanz.store.campaigns import Campaign, CampaignState
from tests.insight.test_ranking import add_sent
from tests.kit.accounts import NOON
from tests.kit.campaigns import add_list, add_people
from tests.kit.cast import Cast, event
from tests.kit.pages import Site

FIELDS: dict[str, Any] = {
    "name": "May <offers>",
    "from": "Shop <news@sender.example>",
    "subject": "For {{ contact.name|default('you') }}",
    "html": '<p>Number {{ contact.number }}</p><a href="{{ unsubscribe_url }}">Leave</a><script>alert(1)</script>',
    "opens": "individual",
    "clicks": "anonymous",
}


def stored(site: Site) -> Campaign:
    """The one campaign there is."""
    with site.database.read() as tx:
        [found] = rows.list_campaigns(tx, limit=10)
    return found


def test_a_campaigns_life(site: Site) -> None:
    """From an empty editor to a campaign that is paused, resumed and cancelled, with its figures."""
    list_id = add_list(site.database, "Readers")
    add_people(site.database, [list_id], ["ada@rcpt.example", "bob@rcpt.example"], number=7)
    alice = site.alice()
    made = alice.submit("/campaigns", FIELDS | {f"list-{list_id}": "yes"}, page="/campaigns/new")
    path = made.headers["location"].partition("?")[0]
    campaign = stored(site)
    assert path == f"/campaigns/{campaign.id}"
    page = alice.get(path).text
    assert "May &lt;offers&gt;" in page
    assert "Nothing is missing." in page
    assert "For you" in page
    assert "would get it now" in alice.get(f"{path}?part=audience", **{"hx-request": "true"}).text
    sent = alice.submit(path, FIELDS | {f"list-{list_id}": "yes", "act": "send"}, page=path)
    assert sent.headers["location"].startswith(f"{path}/send")
    assert stored(site).state is CampaignState.DRAFT
    assert alice.submit(f"{path}/send", {"at": ""}).headers["location"] == path
    assert stored(site).state is CampaignState.SCHEDULED
    while expansion.advance(site.database, NOON):
        pass
    assert "Sending" in alice.get(path).text
    for act, state in (
        ("pause", CampaignState.PAUSED),
        ("resume", CampaignState.SENDING),
        ("cancel", CampaignState.CANCELLED),
    ):
        alice.submit(f"{path}/act", {"act": act}, page=path)
        assert stored(site).state is state
    assert "Cancelled" in alice.get(f"{path}?part=campaign", **{"hx-request": "true"}).text
    assert "Cancelled" in alice.get("/campaigns").text
    rows = alice.get(f"{path}/recipients.csv")
    assert rows.headers["content-type"].startswith("text/csv")
    assert "ada@rcpt.example" in rows.text


def test_the_preview_is_a_page_of_its_own_origin(site: Site) -> None:
    """The frame shows the contact's copy, in a sandbox without scripts, for ten minutes; forged links show nothing."""
    list_id = add_list(site.database, "Readers")
    add_people(site.database, [list_id], ["ada@rcpt.example"], number=7)
    alice = site.alice()
    alice.submit("/campaigns", FIELDS | {f"list-{list_id}": "yes"}, page="/campaigns/new")
    page = alice.get(f"/campaigns/{stored(site).id}?contact=ada@rcpt.example").text
    [frame] = re.findall(r'iframe src="http://localhost:8602(/[^"]+)"', page)
    preview = TestClient(build_preview(site.parts))
    shown = preview.get(frame)
    assert "Number 7" in shown.text
    assert shown.headers["content-security-policy"].startswith("sandbox allow-popups ")
    assert preview.get(frame[:-3] + "abc").status_code == 404
    site.clock.move(minutes=11)
    assert preview.get(frame).status_code == 404


def test_what_is_wrong_stands_beside_its_field(site: Site) -> None:
    """An unknown placeholder stops it, and everything that was written is still there."""
    list_id = add_list(site.database, "Readers")
    alice = site.alice()
    wrong = FIELDS | {f"list-{list_id}": "yes", "subject": "{{ contact.nmae }}"}
    alice.submit("/campaigns", wrong, page="/campaigns/new")
    path = f"/campaigns/{stored(site).id}"
    assert "stops it" in alice.get(path).text
    refused = alice.submit(path, wrong | {"act": "send"}, page=path)
    assert refused.status_code == 422
    assert "`contact.nmae` is not known" in refused.text
    assert stored(site).state is CampaignState.DRAFT
    assert alice.submit("/campaigns", FIELDS | {"name": ""}, page="/campaigns/new").status_code == 422
    odd = alice.submit(path, FIELDS | {"per_minute": "fast", "act": "save"}, page=path)
    assert odd.status_code == 422
    assert alice.submit(path, {"act": "delete"}, page=path).headers["location"] == "/campaigns"


def test_a_test_mail_and_a_time(site: Site) -> None:
    """A test goes to the addresses that were typed; a start is read in the dashboard's time zone, and can be undone."""
    list_id = add_list(site.database, "Readers")
    add_people(site.database, [list_id], ["ada@rcpt.example"], number=7)
    alice = site.alice()
    fields = FIELDS | {f"list-{list_id}": "yes"}
    alice.submit("/campaigns", fields, page="/campaigns/new")
    path = f"/campaigns/{stored(site).id}"
    alice.submit(path, fields | {"act": "test", "to": "me@rcpt.example, you@rcpt.example"}, page=path)
    with site.database.read() as tx:
        tests = messages.list_messages(tx, limit=10)
    assert {(one.recipient, one.subject) for one in tests} == {
        ("me@rcpt.example", "[Test] For you"),
        ("you@rcpt.example", "[Test] For you"),
    }
    at = f"{NOON.astimezone(site.parts.zone):%Y}-12-24T09:30"
    onward = alice.submit(path, fields | {"act": "send", "at": at}, page=path).headers["location"]
    assert "24 December" in alice.get(onward).text
    alice.submit(f"{path}/send", {"at": at}, page=onward)
    start_at = stored(site).start_at
    assert start_at is not None
    assert f"{start_at.astimezone(site.parts.zone):%m-%dT%H:%M}" == "12-24T09:30"
    alice.submit(f"{path}/act", {"act": "unschedule"}, page=path)
    assert stored(site).state is CampaignState.DRAFT


def test_what_the_senders_domain_publishes(site: Site) -> None:
    """DNS is not asked while a page is shown; a button asks, what was written stays, and the page tells what was seen
    and warns of it, before sending and while it is sent. Nothing keeps it from being sent."""
    records = [
        Record("spf", "sender.example", "TXT", "", ("v=spf1 <b>",), State.OK, "Fine."),
        Record("dkim", "k._domainkey.sender.example", "TXT", "v=DKIM1; p=AAAA", (), State.MISSING, "Publish it."),
    ]
    asked: list[str] = []

    def look_up(domain: str, _host: str) -> list[Record]:
        asked.append(domain)
        return records

    site = site.with_parts(look_up=look_up)
    list_id = add_list(site.database, "Readers")
    alice = site.alice()
    fields = FIELDS | {f"list-{list_id}": "yes"}
    alice.submit("/campaigns", fields, page="/campaigns/new")
    path = f"/campaigns/{stored(site).id}"
    assert "not checked yet" in alice.get(path).text
    assert asked == []
    looked = alice.submit(path, fields | {"act": "look", "name": "June"}, page=path)
    assert "done=looked" in looked.headers["location"]
    assert asked == ["sender.example"]
    assert stored(site).name == "June"
    page = alice.get(path).text
    assert "v=spf1 &lt;b&gt;" in page
    assert "v=DKIM1; p=AAAA" in page
    assert "DKIM is missing" in page
    nobody = alice.submit(path, fields | {"act": "look", "from": "nobody"}, page=path)
    assert nobody.status_code == 422
    assert 'id="from-note" role="alert"' in nobody.text
    onward = alice.submit(path, fields | {"act": "send"}, page=path).headers["location"]
    assert "publishes is missing or wrong" in alice.get(onward).text
    alice.submit(f"{path}/send", {"at": ""}, page=onward)
    assert stored(site).state is CampaignState.SCHEDULED
    assert "Receivers may refuse mail" in alice.get(path).text
    records = records[:1]
    assert alice.submit(f"{path}/act", {"act": "look"}, page=path).headers["location"] == path
    assert "Receivers may refuse mail" not in alice.get(path).text
    assert stored(site).state is CampaignState.SCHEDULED


def test_the_last_look_names_what_sending_does(site: Site) -> None:
    """How many people get it and how many do not, on the button too; nobody to write to, no button; what became wrong
    since is said and nothing is sent; and what has started has no last look any more."""
    readers, strangers = add_list(site.database, "Readers"), add_list(site.database, "Strangers")
    add_people(site.database, [readers], ["ada@rcpt.example", "bob@rcpt.example"], number=7)
    alice = site.alice()
    fields = FIELDS | {f"list-{strangers}": "yes"}
    alice.submit("/campaigns", fields, page="/campaigns/new")
    path = f"/campaigns/{stored(site).id}"
    nobody = alice.get(f"{path}/send").text
    assert "Nobody would get it" in nobody
    assert '<button class="button" type="submit">' not in nobody
    alice.submit(path, FIELDS | {f"list-{readers}": "yes", "act": "save"}, page=path)
    assert "Send to 2 people now" in alice.get(f"{path}/send").text
    late = alice.submit(f"{path}/send", {"at": "2020-01-01T10:00"})
    assert (late.status_code, stored(site).state) == (422, CampaignState.DRAFT)
    assert "This time is over." in late.text
    assert alice.submit(f"{path}/send", {"at": "soon"}).status_code == 422
    alice.submit(path, FIELDS | {f"list-{readers}": "yes", "subject": "", "act": "save"}, page=path)
    wrong = alice.submit(f"{path}/send", {"at": ""})
    assert (wrong.status_code, stored(site).state) == (422, CampaignState.DRAFT)
    alice.submit(path, FIELDS | {f"list-{readers}": "yes", "act": "save"}, page=path)
    alice.submit(f"{path}/send", {"at": ""})
    assert stored(site).state is CampaignState.SCHEDULED
    assert alice.get(f"{path}/send").headers["location"] == path


def test_what_is_not_there(site: Site) -> None:
    """A campaign nobody wrote is 404, and so is doing something with it."""
    alice = site.alice()
    nothing = f"/campaigns/{UUID(int=1)}"
    assert alice.get(nothing).status_code == 404
    assert alice.submit(f"{nothing}/act", {"act": "pause"}, page="/campaigns/new").status_code == 404


def test_the_best_first(site: Site) -> None:
    """Each order is a page of its own, with the formula a click away; an order that does not exist is the usual one."""
    with site.database.write() as tx:
        cast = Cast.enter(tx)
        for name, copies, opened in (("good", 30, 15), ("fair", 30, 12), ("poor", 30, 6), ("tiny <b>", 4, 2)):
            add_sent(tx, cast, name, copies, opened)
    alice = site.alice()
    page = alice.get("/campaigns?by=opened").text
    assert max(page.index(">good<"), page.index("tiny &lt;b&gt;")) < page.index(">poor<")
    assert "50 % <span" in page
    assert "How they are ranked" in page
    assert "(opened + mean × weight)" in page
    assert "No account has three measured mailings" not in page
    assert "(clicked + mean × weight)" in alice.get("/campaigns?by=clicked").text
    usual = alice.get("/campaigns?by=nonsense").text
    assert "How they are ranked" not in usual
    assert "50 % <span" in usual


def test_a_report_stands_beside_what_is_usual(site: Site) -> None:
    """By the account's other campaigns, all their copies taken together; fewer than three tell nothing."""
    with site.database.write() as tx:
        cast = Cast.enter(tx)
        ids = [add_sent(tx, cast, name, 20, opened) for name, opened in (("one", 2), ("two", 4), ("new", 10))]
    alice = site.alice()
    assert "usually" not in alice.get(f"/campaigns/{ids[-1]}").text
    with site.database.write() as tx:
        add_sent(tx, cast, "three", 40, 18)
        other = Cast.enter(tx, address="other@resonanz.example")
        add_sent(tx, other, "theirs", 40, 40)
    page = alice.get(f"/campaigns/{ids[-1]}").text
    assert "24 of 80 copies of your 3 newest other campaigns" in page
    assert "usually 30 %" in page
    assert "usually 0 %" in page


def test_a_report_tells_how_it_went_over_time(site: Site) -> None:
    """Hours while it is new, days later; each drawing has its figures beside it, and links the clicks without names."""
    with site.database.write() as tx:
        cast = Cast.enter(tx, now=NOON)
        id = add_sent(tx, cast, "spring", 30, 0)
        rows_of = messages.of_submission(tx, id)
        person, nobody = {"verdict": Verdict.HUMAN_LIKELY}, {"message_id": None, "recipient": ""}
        later = rows_of[0].created_at + timedelta(hours=3)
        record_all(
            tx,
            [
                event(rows_of[0], EventKind.OPENED, at=later, verdict=Verdict.HUMAN_DIRECT),
                event(rows_of[0], EventKind.CLICKED, at=later, link=1, **person),
                event(rows_of[0], EventKind.CLICKED, at=later, link=1, **person, **nobody),
            ],
        )
    site.clock.moment = later + timedelta(hours=1)
    alice = site.alice()
    page = alice.get(f"/campaigns/{id}").text
    assert "Hour by hour" in page
    assert page.count('<rect class="opened" x=') == page.count('<rect class="clicked" x=') == 1
    row = r'<th scope="row">18 March 2026{}</th><td class="number">1</td><td class="number">1</td>'
    assert re.search(row.format(r", \d\d:00"), page)
    site.clock.move(days=3)
    page = site.alice().get(f"/campaigns/{id}").text
    assert "Day by day" in page
    assert re.search(row.format(""), page)
