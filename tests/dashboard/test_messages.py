"""The pages about messages: what happened is there, in plain words; what strangers wrote never becomes markup."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from resonanz.ingest import record_all, take_journals
from resonanz.ingest.judging import Judging
from resonanz.ingest.settle import settle
from resonanz.model import (
    Client,
    ClientKind,
    Confidence,
    Event,
    EventKind,
    HitKind,
    MessageState,
    Place,
    TrackingMode,
    Verdict,
    new_id,
)
from resonanz.store import accounts, contacts, messages, queue
from resonanz.store.messages import Content, Link, Message, Submission
from tests.kit.accounts import NOON
from tests.kit.cast import BROWSER, Cast, event, hit
from tests.kit.journals import MemoryJournals
from tests.kit.pages import Site

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'{{7*7}}"
YUMA = Place("US", city="Yuma", timezone="America/Phoenix")
HTMX = {"hx-request": "true"}


def cast_of(site: Site) -> Cast:
    """The shared cast, on this site's account."""
    assert site.account is not None
    return Cast(site.account.id, {})


def opened(message: Message, at=NOON, verdict: Verdict = Verdict.HUMAN_DIRECT, **more: object) -> Event:
    """An open of this message."""
    about: dict[str, object] = {
        "verdict": verdict,
        "confidence": Confidence.PROBABLE,
        "reasons": ("mail_client",),
        "client": Client(ClientKind.MAIL_CLIENT, "Thunderbird", "Linux"),
        "place": Place("DE", "Hamburg", "Hamburg"),
    }
    return event(message, EventKind.OPENED, at=at, **(about | more))


def test_a_message_tells_its_story(site: Site) -> None:
    """When, with what, from where, by whom and why; and what cannot be known about it."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON, state=MessageState.DELIVERED)
        record_all(
            tx,
            [
                opened(message, NOON + timedelta(minutes=7)),
                opened(message, NOON + timedelta(minutes=9), Verdict.PRIVACY_PREFETCH, client=None, place=None),
                opened(message, NOON + timedelta(minutes=10), place=YUMA),
                event(
                    message, EventKind.CLICKED, at=NOON + timedelta(minutes=11), verdict=Verdict.MACHINE_SCANNER,
                    confidence=Confidence.CERTAIN, reasons=("scanner_agent",), link=1, url="https://shop.example/help",
                    detail={"judge": 2, "network": "hosting"},
                ),
            ],
        )  # fmt: skip
    text = words_of(site.alice().get(f"/messages/{message.id}").text)
    for said in (
        "Delivered",
        "Opened",
        "Perhaps opened",
        "Followed by a machine",
        "13:07:00",  # in Berlin, whose zone the site is set to
        "with Thunderbird on Linux from Hamburg, Hamburg, DE",
        "program not known, place not known",
        "from Yuma, US · 05:10 there",
        "Confidence: probable",
        "The user agent is that of a mail client",
        "By version 2 of the rules; it came from rented machines.",
        "“Help” → https://shop.example/help",
        "whether anybody looked when Apple’s privacy protection fetched the image",
    ):
        assert said in text, said
    assert 'datetime="2026-11-24T12:07:00.000Z"' in site.alice().get(f"/messages/{message.id}").text


def words_of(page: str) -> str:
    """A page as it is read: without its elements, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", page)).split())


def test_a_verdict_that_changed_tells_from_what_and_why(site: Site) -> None:
    """The event says what it is taken for now; how it came to that stands with it, and is no event in the feed."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON)
        hits = [
            hit(message, HitKind.CLICK, at=NOON + timedelta(hours=1, seconds=link), user_agent=BROWSER, link=link)
            for link in range(3)
        ]
    take_journals(site.database, MemoryJournals(j=hits), now=lambda: NOON + timedelta(hours=1, seconds=3))
    settle(site.database, Judging(), now=lambda: NOON + timedelta(hours=1, minutes=2))
    client = site.alice()
    text = words_of(client.get(f"/messages/{message.id}").text)
    assert text.count("Not decided yet → Security scanner: swept all links") == 3
    assert "14:02:00" not in text.split("Why this verdict")[0]  # the event stands at its own time
    assert "Judged anew" not in text + words_of(client.get("/").text)


def test_repeats_are_folded_with_their_number(site: Site) -> None:
    """Fetched three times is one line that says so."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON)
        record_all(tx, [opened(message)])
        first = max(found.id for found in _events(site, tx, message.id))
        record_all(tx, [opened(message, NOON + timedelta(seconds=n), repeat_of=first) for n in (5, 9)])
    text = site.alice().get(f"/messages/{message.id}").text
    assert text.count('data-kind="opened"') == 1
    assert "+ 2 more" in text


def _events(site: Site, tx: object, message: UUID) -> list[Event]:
    from resonanz.store import events

    return events.of_message(tx, message)  # type: ignore[arg-type]


def test_a_message_that_is_not_tracked_says_so(site: Site) -> None:
    """No nought where nothing could be seen."""
    with site.database.write() as tx:
        cast = cast_of(site)
        off = cast.mail(tx, opens=TrackingMode.OFF, clicks=TrackingMode.OFF, now=NOON)
        nameless = cast.mail(tx, opens=TrackingMode.ANONYMOUS, clicks=TrackingMode.ANONYMOUS, now=NOON)
    alice = site.alice()
    assert "not tracked" in alice.get(f"/messages/{off.id}").text
    assert "counted without a name" in alice.get(f"/messages/{nameless.id}").text
    assert "no names" in alice.get("/messages").text


@pytest.mark.parametrize(("is_fixed", "where"), [(False, "Account → Tracking"), (True, "RESONANZ_TRACKING_WITHOUT")])
def test_a_copy_without_a_name_says_why_nothing_will_show(site: Site, is_fixed: bool, where: str) -> None:
    """On the message and on the submission: that it is counted, where it adds up, from when on totals are shown, and
    where the choice is made; and no nought where nothing can be seen."""
    anonymous = {"opens": TrackingMode.ANONYMOUS, "clicks": TrackingMode.ANONYMOUS}
    with site.database.write() as tx:
        submission, (message, _) = cast_of(site).mailing(tx, 2, now=NOON, **anonymous)
    alice = site.with_parts(mode_is_fixed=is_fixed).alice()
    for path, title in (
        (f"/messages/{message.id}", "This copy is"),
        (f"/submissions/{submission.id}", "All copies are"),
    ):
        text = words_of(alice.get(path).text)
        for said in (f"{title} counted without a name.", "day’s totals under Today", "from five recipients on", where):
            assert said in text, (path, said)
    page = alice.get(f"/messages/{message.id}").text
    assert 'data-figure="opens"' not in page
    links = page.split('id="links-head"')[1].split("</section>")[0]
    assert words_of(links).count("—") == 2
    assert "<svg" not in links


def test_only_clicks_without_a_name(site: Site) -> None:
    """What is tracked per recipient is shown, what is not says so."""
    with site.database.write() as tx:
        submission, _ = cast_of(site).mailing(tx, 2, clicks=TrackingMode.ANONYMOUS, now=NOON)
        message = cast_of(site).mail(tx, clicks=TrackingMode.ANONYMOUS, now=NOON)
    alice = site.alice()
    page = alice.get(f"/messages/{message.id}").text
    assert "Clicks in this copy are" in page
    assert 'data-figure="opens"' in page
    text = words_of(alice.get(f"/submissions/{submission.id}").text)
    assert "Some copies are counted without a name." in text
    assert "Opened, by name00 % · 0–66 %of 2 tracked by name" in text
    assert "Clicked, by name—no copy carries a name" in text


def test_a_mailing_with_names_has_no_totals_without_them(site: Site) -> None:
    """However many recipients it has."""
    with site.database.write() as tx:
        submission, _ = cast_of(site).mailing(tx, 7, now=NOON)
    assert "without" not in words_of(site.alice().get(f"/submissions/{submission.id}").text)


def test_before_its_copy_is_built_nothing_is_known_of_it(site: Site) -> None:
    """How it will be tracked is decided then: until then there is neither a nought nor a verdict on it."""
    alice = site.alice()
    mail = {"kind": "written", "from": "a@example.org", "to": "bob@example.org", "text": "Hi", "opens": "individual"}
    path = alice.submit("/compose", mail).headers["location"]
    text = words_of(alice.get(path).text)
    assert "Not known yet." in text
    assert text.count("known once its copy is built") == 2
    assert "went out without tracking" not in text


def test_a_mail_in_the_outbox_has_reached_nobody(site: Site) -> None:
    """Neither its page nor the day's figures call that an arrival."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON, state=MessageState.DELIVERED)
        attempt = queue.Attempt(1, NOON, NOON, "outbox", EventKind.SENT, "written to the outbox")
        queue.add_attempts(tx, [(message.id, attempt)])
        record_all(tx, [event(message, kind, at=NOON) for kind in (EventKind.SENT, EventKind.DELIVERED)])
    for parts in ({}, {"outbox": None}):  # mail that went there before a server was set, too
        text = words_of(site.with_parts(**parts).alice().get(f"/messages/{message.id}").text)
        assert text.count("It lies in this instance’s outbox; no mail server was involved.") >= 3
        assert "mail system" not in text
        assert "accepted it" not in text
    assert "in the outbox" in words_of(site.alice().get("/").text)
    assert "arrival proven" in words_of(site.with_parts(outbox=None).alice().get("/").text)


def test_why_a_mail_stays_sent(site: Site) -> None:
    """Where nobody is asked to confirm a delivery, the mail's page and its report say so with the remedy; where one was
    confirmed, or is asked for, and for the outbox, they do not."""
    with site.database.write() as tx:
        sent, arrived = (
            cast_of(site).mail(tx, now=NOON, state=state) for state in (MessageState.SENT, MessageState.DELIVERED)
        )
    said = "RESONANZ_RETURN_PATH_DOMAIN"
    by_smtp = site.with_parts(outbox=None)
    for path in (f"/messages/{sent.id}", f"/submissions/{sent.submission_id}"):
        assert said in by_smtp.alice().get(path).text
        assert said not in by_smtp.with_parts(return_path_domain="bounces.example").alice().get(path).text
    for path in (f"/messages/{arrived.id}", f"/submissions/{arrived.submission_id}"):
        assert said not in by_smtp.alice().get(path).text
    assert said not in site.alice().get(f"/submissions/{sent.submission_id}").text


def test_the_other_servers_words_are_shown(site: Site) -> None:
    """Every attempt with its reply, open where it matters."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON)
        reply = "550 5.1.1 no such mailbox"
        queue.add_attempts(tx, [(message.id, queue.Attempt(1, NOON, NOON, "smtp", EventKind.BOUNCED, reply))])
        record_all(tx, [event(message, EventKind.BOUNCED, at=NOON, detail={"reply": reply})])
    text = site.alice().get(f"/messages/{message.id}").text
    assert text.count(reply) >= 2
    assert '<details id="attempts" open>' in text


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_goes_on_page_by_page(site: Site) -> None:
    """Every message once, newest first, however many there are; the filter goes along."""
    with site.database.write() as tx:
        cast_of(site).mailing(tx, 120, now=NOON, subject="Autumn & winter")
        cast_of(site).mailing(tx, 7, now=NOON, subject="Something else")
    alice = site.alice()
    path: str | None = "/messages?search=Autumn+%26"
    seen: list[str] = []
    while path:
        text = alice.get(path).text
        seen += [part.split('"')[0] for part in text.split('id="message-')[1:]]
        following = text.split('rel="next" href="')
        path = unescape(following[1].split('"')[0]) if len(following) > 1 else None
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen, reverse=True)


def test_the_list_by_state(site: Site) -> None:
    """Only what is in that state; an empty answer says how to see everything."""
    with site.database.write() as tx:
        cast_of(site).mail(tx, "queued@example.org", state=MessageState.QUEUED, now=NOON)
        cast_of(site).mail(tx, "sent@example.org", state=MessageState.SENT, now=NOON)
    alice = site.alice()
    text = alice.get("/messages?state=queued").text
    assert "queued@example.org" in text
    assert "sent@example.org" not in text
    assert "Show all messages" in alice.get("/messages?state=bounced").text


def test_the_empty_pages_tell_the_next_step(site: Site) -> None:
    """Nothing is ever just blank."""
    alice = site.alice()
    assert "Write the first mail" in alice.get("/").text
    assert "No messages yet" in alice.get("/messages").text
    assert "The outbox is empty" in alice.get("/outbox").text
    assert "Mail goes out by SMTP" in site.with_parts(outbox=None).alice().get("/outbox").text


@pytest.mark.parametrize("recipients", [4, 5])
def test_counts_without_names_wait_for_five_recipients(site: Site, recipients: int) -> None:
    """Below that they would point at somebody, and the page says so."""
    with site.database.write() as tx:
        submission, _ = cast_of(site).mailing(
            tx, recipients, opens=TrackingMode.ANONYMOUS, clicks=TrackingMode.ANONYMOUS, now=NOON
        )
        record_all(tx, [_anonymous_open(submission)])
    alice = site.alice()
    text = alice.get(f"/submissions/{submission.id}").text
    assert ("Withheld".lower() in text) is (recipients < 5)
    assert ("somebody, counted without a name" in alice.get("/").text) is (recipients >= 5)


def _anonymous_open(submission: Submission) -> Event:
    return Event(
        EventKind.OPENED, NOON, NOON, "test", submission_id=submission.id, verdict=Verdict.HUMAN_PROXIED,
        confidence=Confidence.PROBABLE,
    )  # fmt: skip


def test_the_home_page_counts_people_and_machines_apart(site: Site) -> None:
    """One person, one that cannot be told, two machines: `1–2`, and two kept apart."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON)
        verdicts = (
            Verdict.HUMAN_DIRECT,
            Verdict.PRIVACY_PREFETCH,
            Verdict.MACHINE_SCANNER,
            Verdict.MACHINE_PREFETCH,
        )
        record_all(tx, [opened(message, verdict=verdict) for verdict in verdicts])
    text = site.alice().get("/").text
    assert "1 proven, up to 2 possible" in text
    assert "<strong>2</strong> fetches of the image" in text


@pytest.mark.parametrize("part", ["counts", "hours", "latest", "feed"])
def test_the_home_pages_parts_can_be_asked_for(site: Site, part: str) -> None:
    """A fragment is a fragment: no second page around it."""
    answer = site.alice().get(f"/?part={part}", **HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text


# ── Hostile values ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_foreign_becomes_markup(site: Site) -> None:
    """Subject, recipient, sender, link, label, user agent, place, reply, reasons, key name, browser: all escaped."""
    message, submission = _hostile_mail(site)
    evil = site.alice(headers={"user-agent": HOSTILE})
    evil.submit("/account/keys", {"name": HOSTILE[:60]}, page="/account")
    paths = [f"/messages/{message.id}", f"/submissions/{submission.id}", "/", "/messages", "/account", "/outbox"]
    mail = site.put_mail(f"From: {HOSTILE}\r\nTo: {HOSTILE}\r\nSubject: {HOSTILE}\r\n\r\n{HOSTILE}\r\n".encode())
    paths += [f"/outbox/{mail}", f"/outbox/{mail}/source", f"/messages?search={HOSTILE}", f"/compose?to={HOSTILE}"]
    shown = 0
    for path in paths:
        text = evil.client.get(path).text
        assert "<script>" not in text, path
        assert "<img src=x" not in text, path
        shown += "&lt;script&gt;" in text
    assert shown == len(paths) - 1  # the outbox lists mails it knows from the database; this one is not there


TURNED = "invoice\u202egnp.exe"
ENDLESS = "A" * 5_000


def test_what_turns_text_around_is_seen_and_stays_inside(site: Site) -> None:
    """A subject with an override (U+202E) shows the override, and nothing after it is turned around."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON, subject=TURNED)
        record_all(tx, [opened(message)])
    alice = site.alice()
    mail = site.put_mail(f"From: a@example.org\r\nSubject: {TURNED}\r\n\r\n{TURNED}\r\n".encode())
    paths = ("/", "/messages", f"/messages/{message.id}", f"/submissions/{message.submission_id}", f"/outbox/{mail}")
    for path in (*paths, f"/outbox/{mail}/source"):
        text = alice.get(path).text
        assert "\u202e" not in text, path
        assert "<bdi>invoice[U+202E]gnp.exe</bdi>" in text, path


def test_text_that_runs_either_way_is_kept(site: Site) -> None:
    """Hebrew and Arabic stay as they were written, their marks included, each in an element of its own."""
    subject = "\u05e9\u05dc\u05d5\u05dd\u200f 12"
    with site.database.write() as tx:
        cast_of(site).mail(tx, now=NOON, subject=subject)
    assert f"<bdi>{subject}</bdi>" in site.alice().get("/messages").text


def test_an_endless_subject_does_not_fill_the_pages(site: Site) -> None:
    """Lists and headings are bounded; more of it is in the title."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON, subject=ENDLESS)
        record_all(tx, [opened(message)])
    alice = site.alice()
    for path in ("/", "/messages", f"/messages/{message.id}", f"/submissions/{message.submission_id}"):
        page = alice.get(path).text
        longest = max(len(text) for text in re.findall(r">([^<]*)<", page))
        assert longest <= 500, path
        assert f'title="{"A" * 999}…"' in page, path


def test_a_mistake_in_a_form_is_escaped_too(site: Site) -> None:
    """What was typed comes back as text, in the field and in the error about it."""
    fields = {"kind": "written", "from": HOSTILE, "to": HOSTILE, "subject": HOSTILE, "text": HOSTILE, "html": HOSTILE}
    text = site.alice().submit("/compose", fields).text
    assert "<script>" not in text
    assert text.count("&lt;script&gt;") >= 5
    text = site.visitor().submit("/sign-in", {"address": HOSTILE, "password": "x", "next": HOSTILE}).text
    assert "<script>" not in text


def _hostile_mail(site: Site) -> tuple[Message, Submission]:
    """A mail of which every foreign value is hostile, with every kind of event."""
    assert site.account is not None
    with site.database.write() as tx:
        known = contacts.ensure_contacts(tx, [(HOSTILE, HOSTILE)], NOON)
        content = Content(new_id(), "rfc822", b"x", HOSTILE, HOSTILE, NOON)
        messages.add_contents(tx, [content])
        messages.add_links(tx, {content.id: [Link(0, f"https://x/{HOSTILE}", HOSTILE)]})
        mode = TrackingMode.INDIVIDUAL
        submission = Submission(new_id(), content.id, site.account.id, "api", mode, mode, 1, NOON)
        messages.add_submissions(tx, [submission])
        template = Cast(site.account.id, {}).mail(tx, now=NOON)
        message = Message(
            **{name: getattr(template, name) for name in Message.__dataclass_fields__}
            | {
                "id": new_id(),
                "submission_id": submission.id,
                "contact_id": known[HOSTILE],
                "recipient": HOSTILE,
                "sender": HOSTILE,
                "subject": HOSTILE,
                "header_id": HOSTILE,
                "untracked_reason": HOSTILE[:64],
            }
        )
        messages.add_messages(tx, [message])
        attempt = queue.Attempt(1, NOON, NOON, HOSTILE[:64], EventKind.DEFERRED, HOSTILE)
        queue.add_attempts(tx, [(message.id, attempt)])
        for kind in EventKind:
            record_all(
                tx,
                [
                    event(
                        message, kind, at=NOON, url=f"https://x/{HOSTILE}", link=0, detail={"reply": HOSTILE},
                        verdict=Verdict.HUMAN_LIKELY, confidence=Confidence.WEAK, reasons=(HOSTILE,),
                        client=Client(ClientKind.BROWSER, HOSTILE, HOSTILE, HOSTILE),
                        place=Place("XX", HOSTILE, HOSTILE),
                    )
                ],
            )  # fmt: skip
    return message, submission


def test_an_account_with_a_hostile_name(site: Site) -> None:
    """The name in the corner of every page is foreign too."""
    assert site.account is not None
    with site.database.write() as tx:
        hashed = site.passwords.hash("a lamp in the harbour")
        evil = accounts.Account(new_id(), "evil@example.org", HOSTILE, hashed, NOON, NOON)
        accounts.add_account(tx, evil)
    visitor = site.visitor()
    visitor.submit("/sign-in", {"address": "evil@example.org", "password": "a lamp in the harbour"})
    for path in ("/", "/compose", "/account"):
        text = visitor.get(path).text
        assert "&lt;script&gt;" in text
        assert "<script>" not in text


def test_a_bounce_says_why_and_what_to_do(site: Site) -> None:
    """The reason stands in plain words beside what the other server said; foreign words never become markup."""
    with site.database.write() as tx:
        message = cast_of(site).mail(tx, now=NOON, state=MessageState.SENT)
        said = {"bounce": "soft", "reason": "mailbox_full", "status": "5.2.2", "reply": f"552 5.2.2 full {HOSTILE}"}
        record_all(tx, [event(message, EventKind.BOUNCED, at=NOON + timedelta(minutes=1), detail=said)])
    page = site.alice().get(f"/messages/{message.id}").text
    assert "Mailbox full. There is no room left in the mailbox. Try again in some days." in words_of(page)
    assert "552 5.2.2 full" in page
    assert HOSTILE not in page
