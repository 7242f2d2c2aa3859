"""The pages about contacts, lists, imports, attributes and the suppression list."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from resonanz.ingest import record_all
from resonanz.insight import explain_coverage
from resonanz.insight.contacts import history_of
from resonanz.model import Coverage, EventKind, TrackingMode, Verdict
from resonanz.people import imports, reason_for
from resonanz.store import contacts, lists, suppressions
from tests.dashboard.test_messages import words_of
from tests.kit.cast import ALMA, NOON, Cast, event
from tests.kit.pages import Site, site
from tests.kit.rows import update_message

__all__ = ["site"]


class Alice:
    """Alice's browser: forms carry her token, queries are spelt out."""

    def __init__(self, site: Site) -> None:
        self.visitor = site.alice()

    def get(self, path: str, *, params: dict[str, str] | None = None, **headers: str) -> Response:
        """Ask for a page."""
        return self.visitor.get(f"{path}?{urlencode(params)}" if params else path, **headers)

    def post(self, path: str, fields: dict[str, str], **more: Any) -> Response:
        """Send a form."""
        return self.visitor.submit(path, fields, page="/contacts", **more)


HOSTILE = '<script>alert("x")</script>\u202e'


def test_a_contact_from_first_to_last(site: Site) -> None:
    """Added, described by a typed attribute, put on a list, a choice entered; exported; and erased once confirmed."""
    alice = Alice(site)
    alice.post("/attributes", {"name": "town", "label": "Town", "kind": "choice", "choices": "Ulm\nKöln"})
    made = alice.post("/lists", {"name": "News", "marketing": "yes"})
    list_id = made.headers["location"].partition("=")[2]
    added = alice.post("/contacts", {"address": "Ada@example.org", "name": HOSTILE, "list": list_id})
    path = added.headers["location"].partition("?")[0]
    page = alice.get(path).text
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert "Never asked" in page
    told = alice.post(path, {"address": "ada@example.org", "name": "Ada", "language": "x", "attribute-town": "Rome"})
    assert told.status_code == 422
    assert "none of the choices" in told.text
    assert "is no language" in told.text
    saved = {"address": "ada@example.org", "name": "Ada", "language": "de", "attribute-town": "köln"}
    assert alice.post(path, saved).status_code == 303
    said = {"purpose": "mailing", "state": "granted", "source": "", "chosen_at": "2026-01-02T10:00"}
    assert "you may have to prove it" in alice.post(f"{path}/consent", said).text
    assert alice.post(f"{path}/consent", said | {"source": "fair"}).status_code == 303
    shown = alice.get(path).text
    for text in ("Granted", "fair", "entered by <bdi>alice@example.org", "News", "Köln"):
        assert text in shown
    assert alice.get("/contacts", params={"search": "ADA@", "list": list_id}).text.count("ada@example.org") >= 1
    assert "ada@example.org,Ada,de,Köln" in alice.get("/contacts/file", params={"list": list_id}).text
    assert json.loads(alice.get(f"{path}/export").text)["contact"]["attributes"] == {"town": "Köln"}
    assert alice.post(f"{path}/lists", {"list": list_id, "wanted": "off"}).status_code == 303
    assert alice.post(f"{path}/erase", {"confirm": "yes"}).status_code == 422
    assert alice.post(f"{path}/erase", {"confirm": "ada@example.org", "suppress": "yes"}).status_code == 303
    assert alice.get(path).status_code == 404
    with site.database.read() as tx:
        assert reason_for(tx, "ada@example.org") == "manual"


def test_their_mail_and_what_came_of_it(site: Site) -> None:
    """Each mail with its events and verdicts, counts over all, and what cannot be measured of them."""
    alice = Alice(site)
    with site.database.write() as tx:
        assert site.account is not None
        cast = Cast(site.account.id, contacts.ensure_contacts(tx, [(ALMA, "Alma")], NOON))
        read = cast.mail(tx, subject="Read")
        record_all(tx, [event(read, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT)])
        record_all(tx, [event(cast.mail(tx, subject="Prefetched"), EventKind.OPENED, verdict=Verdict.PRIVACY_PREFETCH)])
        for number in range(25):
            cast.mail(tx, subject=f"Mail {number}")
    page = alice.get(f"/contacts/{cast.people[ALMA]}").text
    assert "1 proven, up to 2 possible" in page
    assert re.search(r"27\s*</span>", page) or ">27<" in page
    assert "Mail 24" in page
    assert "Mail 3<" not in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    rest = alice.get(older[1]).text
    for text in ("Mail 3<", "Read", "Prefetched", "A person", "Perhaps opened"):
        assert text in rest


def test_what_cannot_be_measured_of_them_is_counted_with_its_reason(site: Site) -> None:
    """Each reason with how many of the mails that arrived, as far as nobody was seen opening them; and who stands
    before them, with what that means. Through the API likewise."""
    alice = Alice(site)
    with site.database.write() as tx:
        assert site.account is not None
        cast = Cast(site.account.id, contacts.ensure_contacts(tx, [(ALMA, "Alma")], NOON))
        reasons = [one for one in Coverage if one is not Coverage.TRACKABLE]
        for coverage in reasons:
            update_message(tx, cast.mail(tx).id, {"coverage": coverage, "gateway": "Proofpoint"})
        heard = cast.mail(tx)  # trackable, and then only privacy protection was heard
        record_all(tx, [event(heard, EventKind.OPENED, verdict=Verdict.PRIVACY_PREFETCH)])
        nameless, untracked = cast.mail(tx, opens=TrackingMode.ANONYMOUS), cast.mail(tx, opens=TrackingMode.OFF)
        seen = cast.mail(tx)
        update_message(tx, seen.id, {"coverage": Coverage.TEXT_ONLY, "gateway": "Mimecast"})
        record_all(tx, [event(seen, EventKind.OPENED, verdict=Verdict.HUMAN_DIRECT)])
        record_all(tx, [event(cast.mail(tx), EventKind.BOUNCED)])
        for row in (nameless, untracked):
            update_message(tx, row.id, {"gateway": "Proofpoint"})
        update_message(tx, seen.id, {"created_at": NOON + timedelta(hours=1)})
    shown = words_of(alice.get(f"/contacts/{cast.people[ALMA]}").text)
    expected = dict.fromkeys(reasons, 1) | {Coverage.PRIVACY_CLIENT: 2, Coverage.NOT_TRACKED: 2}
    for coverage, times in expected.items():
        assert f"{times} of 11 mails: {explain_coverage(coverage).title.lower()}." in shown, coverage
    assert "1 of 11 mails: counted without a name." in shown
    assert "Behind Mimecast: what this means" in shown  # the newest mail tells
    with site.database.read() as tx:
        found = history_of(tx, cast.people[ALMA], limit=0)
    assert sum(each.messages for each in found.unmeasured) == 10


def test_a_file_goes_through_the_pages(site: Site) -> None:
    """Handed in, read another way, looked at again, started; the progress is a fragment, refused rows are a file."""
    alice = Alice(site)
    alice.post("/lists", {"name": "News", "marketing": "yes"})
    with site.database.read() as tx:
        news = lists.list_lists(tx)[0][0]
    file = "E-Mail;Wer;Ort\nada@example.org;Ada;Ulm\nnobody;=1+1;Ulm\n".encode("utf-16")
    handed = alice.post("/imports", {}, files={"file": ("Kunden.csv", file)})
    path = handed.headers["location"]
    page = alice.get(path).text
    for text in ("Kunden.csv", "UTF-16 LE", "The address cannot be read", "ada@example.org", "Take 1 row in"):
        assert text in page
    assert alice.post(f"{path}/read", {"encoding": "utf-16-le", "delimiter": ","}).status_code == 303
    assert alice.post(f"{path}/read", {"encoding": "utf-16-le", "delimiter": ";"}).status_code == 303
    columns = {"header": "yes", "column-0": "address", "column-1": "name", "column-2": ""}
    assert "Take 1 row in" in alice.post(path, columns | {"check": "yes"}).text
    wrong = alice.post(path, columns | {"column-0": "name"})
    assert wrong.status_code == 422
    assert "no column is the address" in wrong.text.lower()
    unsaid = alice.post(path, columns | {"consent-mailing": "yes", "given_at": "2026-01-02T10:00"})
    assert (unsaid.status_code, "you may have to prove it" in unsaid.text) == (422, True)
    chosen = {f"list-{news.id}": "yes", "consent-mailing": "yes", "given_at": "2026-01-02T10:00", "source": "fair"}
    assert alice.post(path, columns | chosen).status_code == 303
    assert 'hx-trigger="every 1s"' in alice.get(path).text
    while imports.take_some(site.database, NOON):
        pass
    done = alice.get(path, params={"part": "progress"}, **{"hx-request": "true"}).text
    assert "<html" not in done
    assert "every 1s" not in done
    assert "Address: &#39;nobody&#39; has no @." in done
    assert "nobody, =1+1, Ulm" in done
    assert "3,address: 'nobody' has no @,nobody,'=1+1,Ulm" in alice.get(f"{path}/errors").text
    with site.database.read() as tx:
        assert lists.count_members(tx, news.id) == 1
    assert "Finished" in alice.get("/imports").text
    assert alice.post("/imports", {}, files={"file": ("x.xlsx", b"PK\3\4xx")}).status_code == 422


def test_the_suppression_list_is_searched_and_lifted_with_a_note(site: Site) -> None:
    """An address goes on it by hand, is found, and comes off only with a reason; its history says all that."""
    alice = Alice(site)
    assert alice.post("/suppressions", {"address": "nobody"}).status_code == 422
    assert alice.post("/suppressions", {"address": "Ada@example.org", "note": HOSTILE}).status_code == 303
    page = alice.get("/suppressions", params={"search": "ada", "reason": "manual"}).text
    assert "ada@example.org" in page
    assert "<script>alert" not in page
    assert "Nothing fits" in alice.get("/suppressions", params={"reason": "bounced"}).text
    assert alice.post("/suppressions/remove", {"address": "ada@example.org", "note": " "}).status_code == 422
    assert alice.post("/suppressions/remove", {"address": "ada@example.org", "note": "asked"}).status_code == 303
    history = alice.get("/suppressions", params={"address": "ada@example.org"}).text
    for text in ("Put on", "Taken off", "asked", "may be written to", "alice@example.org"):
        assert text in history
    with site.database.read() as tx:
        assert suppressions.find_suppression(tx, "ada@example.org") is None


def test_lists_and_attributes_are_changed_and_removed(site: Site) -> None:
    """What is taken or cannot be is said beside its field; what goes takes nobody with it."""
    alice = Alice(site)
    for name in ("News", "Offers"):
        assert alice.post("/lists", {"name": name, "marketing": "yes"}).status_code == 303
    assert "There is a list of this name" in alice.post("/lists", {"name": "news"}).text
    with site.database.read() as tx:
        news = lists.list_lists(tx)[0][0]
    assert alice.post(f"/lists/{news.id}", {"name": "offers"}).status_code == 422
    assert alice.post(f"/lists/{news.id}", {"name": "Orders", "description": "Only orders"}).status_code == 303
    assert "other mail" in alice.get("/lists").text
    assert alice.post(f"/lists/{news.id}/delete", {}).status_code == 303
    assert alice.get(f"/lists/{news.id}").status_code == 404
    for wrong in ({"name": "Name"}, {"name": "contact"}, {"name": "a", "kind": "choice"}, {"name": "b", "kind": "x"}):
        assert alice.post("/attributes", {"kind": "text"} | wrong).status_code == 422
    assert alice.post("/attributes", {"name": "town", "kind": "text"}).status_code == 303
    assert alice.post("/attributes/change", {"name": "town", "label": "Town"}).status_code == 303
    assert alice.post("/attributes/change", {"name": "town", "label": " "}).status_code == 422
    with site.database.write() as tx:
        made = contacts.Contact(news.id, "ada@example.org", "", NOON, attributes={"town": "Ulm", "age": 3})
        contacts.add_contacts(tx, [made])
    assert alice.post("/attributes/remove", {"name": "town"}).status_code == 303
    assert alice.post("/attributes/remove", {"name": "town"}).status_code == 404
    with site.database.read() as tx:
        found = contacts.find_contact(tx, "ada@example.org")
        assert found is not None
        assert found.attributes == {"age": 3}
