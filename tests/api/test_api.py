"""The REST door: what goes in is stored whole or not at all; errors say what is wrong and where."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from resonanz.accounts import authenticate_key, create_key
from resonanz.api import ApiParts, build
from resonanz.api.shapes import MessageIn
from resonanz.ingest import record, record_all
from resonanz.mail.structure import parse
from resonanz.model import Event, EventKind, Place, TrackingMode, Verdict
from resonanz.sending.drafts import Limits
from resonanz.sending.submit import submit
from resonanz.store import Database, accounts, contacts, events, messages
from tests.kit.cast import NOON, Cast, event
from tests.kit.openers import opener_on
from tests.kit.rows import update_message
from tests.kit.waiting import wait_for

LIMIT = 100_000
NOBODY = UUID("01920000-0000-7000-8000-000000000000")
MAIL = {"from": "Ada <ada@example.org>", "to": ["b@example.org", "Cee <c@example.org>"], "subject": "Hi", "text": "Hi"}
RAW = b"From: ada@example.org\r\nTo: b@example.org\r\nCc: c@example.org\r\nSubject: Hi\r\n\r\nHello\r\n"


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    """A client with a valid key."""
    with database.write() as tx:
        account = Cast.enter(tx).account_id
    secret, _ = create_key(database, account, "tests", NOON)
    parts = ApiParts(
        database=database,
        authenticate=partial(authenticate_key, database),
        submit=lambda draft, now: submit(database, draft, limits=Limits(LIMIT, 5), now=now),
        max_message=LIMIT,
        opener=opener_on(database),
    )
    with TestClient(build(parts), headers={"Authorization": f"Bearer {secret}"}) as client:
        yield client


def _problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def _stored(database: Database) -> list[messages.Message]:
    with database.read() as tx:
        return messages.list_messages(tx, limit=100)


# ── Who may ask ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer rz_wrong", "Basic YTpi", "Bearer \x00", "rz_x"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/messages"), ("POST", "/messages"), ("GET", "/events")])
def test_nothing_without_a_valid_key(client: TestClient, value: str | None, method: str, path: str) -> None:
    """Every operation asks for a key first; a wrong one gets the same answer as none."""
    del client.headers["Authorization"]
    headers = {} if value is None else {"Authorization": value.encode("latin-1")}
    response = client.request(method, f"/api/v1{path}", headers=headers)
    _problem(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


# ── Handing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_becomes_one_message_per_recipient(client: TestClient, database: Database) -> None:
    """202 lists the messages, and they are stored."""
    response = client.post("/api/v1/messages", json=MAIL)
    assert response.status_code == 202, response.text
    body = response.json()
    assert [message["recipient"] for message in body["messages"]] == ["b@example.org", "c@example.org"]
    assert {UUID(message["id"]) for message in body["messages"]} == {row.id for row in _stored(database)}
    submission = client.get(f"/api/v1/submissions/{body['submission']}").json()
    assert submission["recipients"] == 2
    assert submission["messages"] == body["messages"]


def test_a_raw_mail_goes_to_those_it_names(client: TestClient) -> None:
    """To, Cc and Bcc are the recipients unless the request names others."""
    headers = {"Content-Type": "message/rfc822"}
    named = client.post("/api/v1/messages", content=RAW, headers=headers)
    assert [m["recipient"] for m in named.json()["messages"]] == ["b@example.org", "c@example.org"]
    told = client.post("/api/v1/messages?to=d@example.org&opens=off", content=RAW, headers=headers)
    assert [m["recipient"] for m in told.json()["messages"]] == ["d@example.org"]
    tracking = client.get(f"/api/v1/submissions/{told.json()['submission']}").json()["tracking"]
    assert tracking == {"opens": "off", "clicks": "individual"}


@pytest.mark.parametrize(("query", "documents"), [("", False), ("?documents=true", True), ("?documents=false", False)])
def test_attachments_become_documents_where_it_is_asked_for(
    client: TestClient, database: Database, query: str, documents: bool
) -> None:
    """The wish is stored with the submission, and nobody has it by default."""
    answer = client.post(f"/api/v1/messages{query}", content=RAW, headers={"Content-Type": "message/rfc822"})
    with database.read() as tx:
        submission = messages.get_submission(tx, UUID(answer.json()["submission"]))
    assert submission is not None
    assert submission.track_documents is documents


def test_the_same_idempotency_key_sends_once(client: TestClient, database: Database) -> None:
    """A client that did not hear our answer may ask again."""
    headers = {"Idempotency-Key": "order-17"}
    first = client.post("/api/v1/messages", json=MAIL, headers=headers).json()
    again = client.post("/api/v1/messages", json=MAIL, headers=headers).json()
    assert again == {**first, "repeated": True}
    assert len(_stored(database)) == 2
    other = client.post("/api/v1/messages", json={**MAIL, "subject": "Other"}, headers=headers)
    problem = _problem(other, 409)
    assert (problem["where"], problem["remedy"]) == ("Idempotency-Key", "use a new key for a new mail")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"from": "nobody"}, "from"),
        ({"from": ""}, "from"),
        ({"to": ["b@example.org", "not an address"]}, "to[1]"),
        ({"to": ["b@example.org\r\nBcc: x@example.org"]}, "to[0]"),
        ({"to": []}, "to"),
        ({"to": "b@example.org"}, "to"),
        ({"text": None, "html": None}, "body"),
        ({"subject": 5}, "subject"),
        ({"subjekt": "Hi"}, "subjekt"),
        ({"tracking": {"opens": "always"}}, "tracking.opens"),
        ({"reply_to": "zzz"}, "reply_to"),
        ({"reply_to": " "}, "reply_to"),
        ({"headers": {"Sender": "zzz"}}, "Sender"),
        ({"headers": {"X-A": "a\r\nBcc: x@example.org"}}, "X-A"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    client: TestClient, database: Database, change: dict[str, Any], where: str
) -> None:
    """One wrong field refuses the whole request, and the answer says which."""
    problem = _problem(client.post("/api/v1/messages", json={**MAIL, **change}), 422)
    assert problem.get("where", "") == where
    assert _stored(database) == []


@pytest.mark.parametrize(
    "name",
    [
        "Bcc",
        "bcc",
        "Resent-Bcc",
        "Resent-To",
        "resent-from",
        "Resent-Date",
        "Resent-Anything",
        "From",
        "To",
        "CC",
        "Reply-To",
        "subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ],
)
def test_a_header_that_is_ours_to_write_is_refused(client: TestClient, database: Database, name: str) -> None:
    """A hidden recipient would be seen by all, a second From by nobody knows whom: named, and nothing is stored."""
    problem = _problem(client.post("/api/v1/messages", json={**MAIL, "headers": {name: "x@example.org"}}), 422)
    assert problem["where"] == name
    assert _stored(database) == []


def test_everything_wrong_is_told_at_once(client: TestClient) -> None:
    """One request, one answer: every bad address in it, the first as the problem itself."""
    problem = _problem(
        client.post("/api/v1/messages", json={**MAIL, "from": "me", "to": ["x", "b@y.example", "z"]}), 422
    )
    assert problem["errors"] == [
        {"where": "from", "detail": "'me' has no @"},
        {"where": "to[0]", "detail": "'x' has no @"},
        {"where": "to[2]", "detail": "'z' has no @"},
    ]
    assert (problem["where"], problem["detail"]) == ("from", "'me' has no @")


def test_an_unknown_field_is_called_so(client: TestClient) -> None:
    """In the words of whoever wrote it, not in those of our validator."""
    assert _problem(client.post("/api/v1/messages", json={**MAIL, "cc": "x"}), 422)["detail"] == "no such field"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("=?utf-8?q?M=C3=BCller=2C_Anna?= <b@example.org>", "Müller, Anna"),
        ("=?utf-8?q?Anna_=22M=22_=3Cx=40y=3E?= <b@example.org>", 'Anna "M" <x@y>'),
        ("=?utf-8?b?QSwgQg==?= =?utf-8?q?_=26_C?= <b@example.org>", "A, B & C"),
        ("=?utf-8?q?=3D=3Fx=3Fq=3Fy=3F=3D?= <b@example.org>", "=?x?q?y?="),
        ('"Last, First" <b@example.org>', "Last, First"),
    ],
)
def test_an_encoded_name_is_a_name_whatever_it_holds(
    client: TestClient, database: Database, field: str, name: str
) -> None:
    """A raw mail's address fields are read before their encoded words are decoded (RFC 2047 section 5)."""
    raw = f"From: {field}\r\nTo: {field}, c@example.org\r\nSubject: Hi\r\n\r\nHello\r\n".encode()
    answer = client.post("/api/v1/messages", content=raw, headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == 202, answer.text
    assert [message["recipient"] for message in answer.json()["messages"]] == ["b@example.org", "c@example.org"]
    assert {message.sender for message in _stored(database)} == {"b@example.org"}
    with database.read() as tx:
        found = contacts.find_contact(tx, "b@example.org")
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"from": 1e999}', b"[" * 100_000])
def test_malformed_json_is_a_clear_error(client: TestClient, database: Database, body: bytes) -> None:
    """Whatever the bytes are, the answer is a problem document and nothing is stored."""
    response = client.post("/api/v1/messages", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    _problem(response, response.status_code)
    assert _stored(database) == []


@pytest.mark.parametrize("query", ["", "?to=b@example.org"])
@pytest.mark.parametrize(
    ("raw", "where", "says"),
    [
        (b"", "mail", "empty"),
        (b"\x00", "mail, offset 0", "NUL"),
        (b"no header at all", "mail", "no header fields"),
        (b"Subject: no sender\r\nTo: b@example.org\r\n\r\nx", "mail", "no From field"),
        (b"From: \r\nTo: b@example.org\r\n\r\nx", "mail", "no From field"),
        (b"From: a@example.org\r\nfrom: b@example.org\r\nTo: b@example.org\r\n\r\nx", "mail", "2 From fields"),
        (b"From: x\r\nTo: b@example.org\r\n\r\n", "mail, From field", "'x' has no @"),
        (b"\r\n" * 50, "mail", "empty"),
    ],
)
def test_a_malformed_mail_is_refused(
    client: TestClient, database: Database, query: str, raw: bytes, where: str, says: str
) -> None:
    """A mail that is none is refused with what it lacks, whether its recipients are named beside it or not."""
    response = client.post(f"/api/v1/messages{query}", content=raw, headers={"Content-Type": "message/rfc822"})
    problem = _problem(response, 422)
    assert problem["where"] == where
    assert says in problem["detail"]
    assert _stored(database) == []


def test_a_malformed_recipient_is_found_in_its_field(client: TestClient, database: Database) -> None:
    """Every field that holds something else than addresses is named."""
    raw = b"From: a@example.org\r\nTo: nobody\r\nCc: c@example.org\r\nBcc: <x\r\n\r\nx"
    problem = _problem(client.post("/api/v1/messages", content=raw, headers={"Content-Type": "message/rfc822"}), 422)
    assert [error["where"] for error in problem["errors"]] == ["mail, To field", "mail, Bcc field"]
    assert _stored(database) == []


@pytest.mark.parametrize("kind", ["message/rfc822", "application/json"])
def test_mails_are_read_beside_the_event_loop(client: TestClient, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A mail that takes long to read holds up nobody else's request: no loop runs in the thread that reads it."""
    loops = []

    def seen(real: Any) -> Any:
        def read(*arguments: Any) -> Any:
            loops.append(asyncio._get_running_loop())
            return real(*arguments)

        return read

    monkeypatch.setattr(import_module("resonanz.sending.checking"), "parse", seen(parse))
    monkeypatch.setattr(MessageIn, "model_validate_json", seen(MessageIn.model_validate_json))
    content = RAW if kind == "message/rfc822" else json.dumps(MAIL).encode()
    assert client.post("/api/v1/messages", content=content, headers={"Content-Type": kind}).status_code == 202
    assert loops == [None]


def test_oversize_is_refused(client: TestClient, database: Database) -> None:
    """Above the limit the answer is 413 and names the setting."""
    raw = RAW + b"x" * LIMIT
    response = client.post("/api/v1/messages", content=raw, headers={"Content-Type": "message/rfc822"})
    assert "RESONANZ_MAX_MESSAGE" in _problem(response, 413)["remedy"]
    _problem(client.post("/api/v1/messages", json={**MAIL, "text": "x" * (LIMIT + 1)}), 413)
    many = [f"p{number}@example.org" for number in range(6)]
    assert _problem(client.post("/api/v1/messages", json={**MAIL, "to": many}), 413)["where"] == "to"
    assert _stored(database) == []


def test_another_content_type_is_refused(client: TestClient) -> None:
    """A form or multipart body is not guessed at."""
    problem = _problem(client.post("/api/v1/messages", data={"from": "a@example.org"}), 422)
    assert problem["where"] == "Content-Type"


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_events_are_followed_without_gaps(client: TestClient, database: Database) -> None:
    """Polling with `next` gives each event once, in order, as soon as it is certain that none will come before it."""
    client.post("/api/v1/messages", json=MAIL)
    seen: list[int] = []
    after = 0

    def poll() -> bool:
        nonlocal after
        page = client.get(f"/api/v1/events?limit=1&after={after}").json()
        seen.extend(event["id"] for event in page["events"])
        after = page["next"]
        return len(seen) == 2

    wait_for(poll, "both events")
    assert seen == sorted(set(seen))
    assert client.get(f"/api/v1/events?after={after}").json() == {"events": [], "next": after}


@pytest.mark.parametrize(("recipients", "shown"), [(1, 0), (4, 0), (5, 1)])
def test_an_event_without_a_name_hides_in_a_group(
    client: TestClient, database: Database, recipients: int, shown: int
) -> None:
    """The time of an anonymous open could name somebody among four; following events still goes past it."""
    with database.write() as tx:
        cast = Cast(accounts.list_accounts(tx)[0].id, {})
        submission, _ = cast.mailing(tx, recipients, opens=TrackingMode.ANONYMOUS)
        before = events.last_id(tx)
        record(
            tx,
            Event(EventKind.OPENED, NOON, NOON, "test", submission_id=submission.id, verdict=Verdict.HUMAN_DIRECT),
        )
    page = client.get(f"/api/v1/events?after={before}").json()
    assert [event["kind"] for event in page["events"]] == ["opened"] * shown
    assert page["next"] == before + 1


def test_a_site_visit_is_told_with_its_event(client: TestClient, database: Database) -> None:
    """Page, title, seconds and element of a `visited`; other events have none."""
    message = client.post("/api/v1/messages", json=MAIL).json()["messages"][0]["id"]
    about = {"title": "Prices", "from": "/", "element": "order", "seconds": 42}
    with database.write() as tx:
        record(
            tx,
            Event(
                EventKind.VISITED, NOON, NOON, "test", message_id=UUID(message), url="https://a.example/", detail=about
            ),
        )
    queued, visited = client.get(f"/api/v1/messages/{message}/events").json()["events"]
    assert queued["visit"] is None
    assert visited["visit"] == {"title": "Prices", "came_from": "/", "element": "order", "seconds": 42}


@pytest.mark.parametrize("chosen", ["off", "on"])
def test_a_choice_about_tracking_is_told_with_its_event(client: TestClient, database: Database, chosen: str) -> None:
    """Whoever follows the events learns what was chosen; other events say nothing of it."""
    message = UUID(client.post("/api/v1/messages", json=MAIL).json()["messages"][0]["id"])
    with database.write() as tx:
        record(tx, Event(EventKind.PREFERRED, NOON, NOON, "edge", message_id=message, detail={"tracking": chosen}))
    queued, preferred = client.get(f"/api/v1/messages/{message}/events").json()["events"]
    assert (preferred["kind"], preferred["tracking"]) == ("preferred", chosen)
    assert (queued["kind"], queued["tracking"]) == ("queued", None)


def test_a_message_shows_what_it_set_in_motion(client: TestClient, database: Database) -> None:
    """State, counts by who caused them, and the events with verdict and reasons."""
    accepted = client.post("/api/v1/messages", json=MAIL).json()
    message = UUID(accepted["messages"][0]["id"])
    opened = Event(
        EventKind.OPENED,
        NOON + timedelta(hours=1),
        NOON + timedelta(hours=1),
        "test",
        message_id=message,
        recipient="b@example.org",
        verdict=Verdict.MACHINE_PREFETCH,
        reasons=("prefetch_header",),
    )
    with database.write() as tx:
        record(tx, opened)
    shown = client.get(f"/api/v1/messages/{message}").json()
    assert shown["opens"] == {"human": 0, "indeterminate": 0, "machine": 1}
    assert shown["state"] == "queued"
    events = client.get(f"/api/v1/messages/{message}/events").json()["events"]
    assert [(event["kind"], event["verdict"], event["reasons"]) for event in events] == [
        ("queued", None, []),
        ("opened", "machine_prefetch", ["prefetch_header"]),
    ]


def test_an_event_tells_the_time_where_it_came_from(client: TestClient, database: Database) -> None:
    """With its zone, where a place is known; nothing where there is none."""
    with database.write() as tx:
        message = Cast(accounts.list_accounts(tx)[0].id, {}).mail(tx, now=NOON)
        place = Place("US", city="Yuma", timezone="America/Phoenix")
        record(tx, event(message, EventKind.OPENED, at=NOON, verdict=Verdict.HUMAN_DIRECT, place=place))
    queued, *_, opened = client.get(f"/api/v1/messages/{message.id}/events").json()["events"]
    assert opened["timezone"] == "America/Phoenix"
    there = datetime.fromisoformat(opened["local_time"])
    assert there == NOON
    assert there.utcoffset() == timedelta(hours=-7)
    assert (queued["timezone"], queued["local_time"]) == (None, None)


def test_a_list_is_read_page_by_page(client: TestClient) -> None:
    """`next` continues the list and ends as null; state and search narrow it."""
    for number in range(3):
        client.post("/api/v1/messages", json={**MAIL, "subject": f"Number {number}"})
    first = client.get("/api/v1/messages?limit=4").json()
    rest = client.get(f"/api/v1/messages?limit=4&before={first['next']}").json()
    assert (len(first["messages"]), len(rest["messages"]), rest["next"]) == (4, 2, None)
    assert len(client.get("/api/v1/messages?search=number+1").json()["messages"]) == 2
    assert client.get("/api/v1/messages?state=bounced").json()["messages"] == []


def test_a_search_for_what_no_database_can_hold(client: TestClient) -> None:
    """NUL in a search is as if it were not there."""
    client.post("/api/v1/messages", json=MAIL)
    for search, found in (("%00", 2), ("c%00@example", 1), ("%ED%A0%80", 0)):
        answer = client.get(f"/api/v1/messages?search={search}")
        assert answer.status_code == 200
        assert len(answer.json()["messages"]) == found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/messages/{NOBODY}", 404),
        (f"/messages/{NOBODY}/events", 404),
        (f"/submissions/{NOBODY}", 404),
        ("/messages/7", 422),
        ("/messages?limit=0", 422),
        ("/messages?state=gone", 422),
        ("/messages?search=" + "x" * 201, 422),
        ("/events?after=-1", 422),
        (f"/events?after={2**63}", 422),
        ("/nothing", 404),
    ],
)
def test_what_is_not_there_says_so(client: TestClient, path: str, status: int) -> None:
    """Unknown things and ill-formed questions get a problem document."""
    _problem(client.get(f"/api/v1{path}"), status)


def test_the_description_covers_every_operation(client: TestClient) -> None:
    """The OpenAPI document says of each operation what it does and answers, and names our problem shape."""
    document = client.get("/api/v1/openapi.json").json()
    operations = [(path, *one) for path, methods in document["paths"].items() for one in methods.items()]
    assert {"/api/v1/messages", "/api/v1/campaigns", "/api/v1/contacts", "/api/v1/events"} <= set(document["paths"])
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert any(status.startswith("2") for status in operation["responses"]), (path, method)
    assert len({operation["operationId"] for _, _, operation in operations}) == len(operations)
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in str(document)


def test_a_submission_tells_how_many_opened(client: TestClient, database: Database) -> None:
    """Seen, possible, and the estimate or why there is none; what cannot be measured with its reason."""
    with database.write() as tx:
        cast = Cast(accounts.list_accounts(tx)[0].id, {})
        submission, rows = cast.mailing(tx, 60, now=NOON)
        nameless, _ = cast.mailing(tx, 6, opens=TrackingMode.ANONYMOUS, now=NOON)
        seen = [(row, EventKind.OPENED, Verdict.HUMAN_DIRECT) for row in rows[:20]]
        seen += [(row, EventKind.CLICKED, Verdict.HUMAN_LIKELY) for row in rows[:29]]
        seen += [(row, EventKind.OPENED, Verdict.PRIVACY_PREFETCH) for row in rows[50:]]
        record_all(tx, [event(row, kind, verdict=verdict) for row, kind, verdict in seen])
    said = client.get(f"/api/v1/submissions/{submission.id}").json()
    assert said["opens"] == {
        "delivered": 60,
        "seen": 29,
        "possible": 39,
        "indeterminate": 10,
        "estimate": None,
        "interval": None,
        "sensitivity": None,
        "refused": "too few people clicked to estimate from: 29 of at least 30",
    }
    assert [(each["reason"], each["messages"]) for each in said["unmeasured"]] == [("privacy_client", 10)]
    clicked = said["rates"]["clicked"]
    assert (clicked["part"], clicked["whole"], clicked["of"]) == (29, 60, "arrived by name")
    assert clicked["low"] < clicked["share"] == 29 / 60 < clicked["high"]
    with database.write() as tx:
        record_all(tx, [event(rows[29], EventKind.CLICKED, verdict=Verdict.HUMAN_LIKELY)])
    opens = client.get(f"/api/v1/submissions/{submission.id}").json()["opens"]
    assert opens["refused"] is None
    assert opens["sensitivity"]["low"] <= opens["interval"]["low"] <= opens["estimate"] <= opens["interval"]["high"]
    said = client.get(f"/api/v1/submissions/{nameless.id}").json()
    assert (said["opens"], said["arrived"]) == (None, 6)
    assert said["rates"]["clicked"] is not None
    assert said["rates"]["opened"] is None
    assert [(each["reason"], each["messages"]) for each in said["unmeasured"]] == [("anonymous", 6)]


def test_who_stands_before_a_recipient_is_told(client: TestClient, database: Database) -> None:
    """With the message by name and in words, with the submission as shares of what arrived."""
    with database.write() as tx:
        submission, rows = Cast(accounts.list_accounts(tx)[0].id, {}).mailing(tx, 8, now=NOON)
        for row, name in zip(rows, ["HEY", "Mimecast", "Mimecast", ""], strict=False):
            update_message(tx, row.id, {"gateway": name})
    said = client.get(f"/api/v1/submissions/{submission.id}").json()["gateways"]
    assert [(each["gateway"], each["strips"], each["messages"], each["share"]) for each in said] == [
        ("Mimecast", False, 2, 0.25),
        ("HEY", True, 1, 0.125),
    ]
    told = [client.get(f"/api/v1/messages/{row.id}").json() for row in rows[2:5]]
    assert [each["gateway"] for each in told] == ["Mimecast", "", None]
    assert [bool(each["gateway_text"]) for each in told] == [True, False, False]
