"""Webhooks going out, to a real server: what is told, how it is signed, and what happens when nobody takes it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest

from resonanz.ingest.corrections import Correction, correct
from resonanz.ingest.judge import Judgement, Reason
from resonanz.ingest.record import record, record_all
from resonanz.model import (
    Client,
    ClientKind,
    Confidence,
    Conflict,
    Event,
    EventKind,
    Forbidden,
    InvalidInput,
    Place,
    TrackingMode,
    Verdict,
    Who,
    new_id,
)
from resonanz.notify.webhooks import endpoints, retries
from resonanz.notify.webhooks.dispatch import MOST_WAITING, Dispatcher
from resonanz.notify.webhooks.endpoints import Wanted
from resonanz.notify.webhooks.reach import reach_of
from resonanz.notify.webhooks.running import Webhooks
from resonanz.notify.webhooks.sending import LEASE, Sender
from resonanz.notify.webhooks.types import CORRECTED, TYPES
from resonanz.people import Choice, Purpose, enter_choice
from resonanz.sealing import Sealer
from resonanz.sending.erasure import erase_contact
from resonanz.store import Database
from resonanz.store import webhook_deliveries as deliveries
from resonanz.store.accounts import Account, add_account
from resonanz.store.standings import lock_standings
from resonanz.store.webhook_deliveries import DeliveryRow, DeliveryState
from resonanz.store.webhook_endpoints import EndpointRow, get_endpoint
from tests.ingest.test_settle import HOME, at, come_in, follow, settle_all
from tests.kit.cast import ALMA, BROWSER, BRUNO, NOON, Cast, event, hit
from tests.kit.listeners import Answer, Listener, Told, listener
from tests.kit.pages import Clock
from tests.kit.workers import KEYS

__all__ = ["listener"]

SEALER = Sealer(KEYS)
EVERYTHING = frozenset(TYPES)
HUMAN: dict[str, Any] = {"verdict": Verdict.HUMAN_DIRECT, "confidence": Confidence.CERTAIN, "reasons": ("mail_client",)}


@dataclass
class Scene:
    """One instance that tells a listener, with a clock that is moved by hand."""

    database: Database
    listener: Listener
    cast: Cast
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    fresh: endpoints.Fresh | None = None

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.database, now=self.clock)
        self.sender = Sender(self.database, lambda: SEALER, self.listener.reach, now=self.clock, chance=lambda: 0.5)

    def add(self, types: frozenset[str] = EVERYTHING, **more: Any) -> EndpointRow:
        """Add an endpoint that is told of all mail."""
        wanted = Wanted(**{"url": self.listener.url, "types": types, "all_mail": True, **more})
        self.fresh = endpoints.add_endpoint(
            self.database,
            lambda: SEALER,
            self.listener.reach,
            wanted,
            account_id=self.cast.account_id,
            actor="tests",
            now=self.clock(),
        )
        return self.fresh.row

    def record(self, *facts: Event) -> list[Event]:
        """Record these facts."""
        with self.database.write() as tx:
            return record_all(tx, facts)

    def go(self) -> list[Told]:
        """Dispatch and send everything that is due right now; return what the listener was told by that."""
        before = len(self.listener.told)
        while self.dispatcher.round():
            pass
        for id in self.sender.due():
            while self.sender.send_some(id):
                pass
        return self.listener.told[before:]

    def types(self) -> list[str]:
        """The same, by types alone."""
        return [told.type for told in self.go()]

    def rows(self, endpoint: EndpointRow | None = None) -> list[DeliveryRow]:
        """Every delivery of an endpoint, oldest first."""
        with self.database.read() as tx:
            return deliveries.list_deliveries(tx, (endpoint or self.endpoint).id, limit=5000)[::-1]

    @property
    def endpoint(self) -> EndpointRow:
        """The endpoint that was added last, as it stands."""
        assert self.fresh is not None
        with self.database.read() as tx:
            found = get_endpoint(tx, self.fresh.row.id)
        assert found is not None
        return found

    def rejudge(self, fact: Event, verdict: Verdict) -> None:
        """Correct the verdict on an event, as the judge does."""
        judgement = Judgement(verdict, Confidence.PROBABLE, (Reason.REPLIED,))
        with self.database.write() as tx:
            assert fact.message_id is not None
            correct(tx, [Correction(fact, judgement, fact.place)], lock_standings(tx, {fact.message_id}), self.clock())


@pytest.fixture
def scene(sqlite_database: Database, listener: Listener) -> Scene:
    """An instance on SQLite."""
    return _scene(sqlite_database, listener)


@pytest.fixture
def either(database: Database, listener: Listener) -> Scene:
    """An instance, once on each kind of database."""
    return _scene(database, listener)


def _scene(database: Database, listener: Listener) -> Scene:
    with database.write() as tx:
        return Scene(database, listener, Cast.enter(tx))


def opened(scene: Scene, **more: Any) -> Event:
    """A mail to Alma and her open of it, recorded."""
    with scene.database.write() as tx:
        message = scene.cast.mail(tx)
    (fact,) = scene.record(event(message, EventKind.OPENED, **{**HUMAN, **more}))
    return fact


# ── What is told ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_told_once_signed_and_in_its_schema(either: Scene) -> None:
    """The headers and the body are those of Standard Webhooks; the data says who opened what, with the verdict."""
    either.add()
    place, client = Place("DE", "Berlin", "Berlin"), Client(ClientKind.MAIL_CLIENT, "Outlook", "Windows", "")
    fact = opened(either, place=place, client=client, detail={"judge": 1, "address": "192.0.2.7"})
    told = next(one for one in either.go() if one.type == "message.opened")
    assert either.fresh is not None
    assert told.is_signed_by(either.fresh.secret)
    assert told.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert told.payload["id"] == told.id
    assert told.payload["timestamp"] == "2026-03-18T12:00:00.000000Z"
    assert told.data == {
        "event": fact.id,
        "occurred_at": "2026-03-18T12:00:00.000000Z",
        "recorded_at": "2026-03-18T12:00:00.000000Z",
        "message": str(fact.message_id),
        "submission": str(fact.submission_id),
        "recipient": ALMA,
        "source": "test",
        "verdict": "human_direct",
        "who": "human",
        "confidence": "certain",
        "reasons": ["mail_client"],
        "client": {"kind": "mail_client", "name": "Outlook", "os": "Windows", "device": ""},
        "country": "DE",
    }
    assert either.go() == []
    assert {row.state for row in either.rows()} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind is not EventKind.CORRECTED])
def test_every_kind_of_event_has_a_type_and_keeps_to_its_schema(scene: Scene, kind: EventKind) -> None:
    """Every kind of fact has one public name; its payload has exactly the fields that its schema lists."""
    with scene.database.write() as tx:
        message = scene.cast.mail(tx)
    scene.add()
    judged = HUMAN if TYPES[f"message.{kind}"].is_judged else {}
    detail = {"bounce": "hard", "reason": "unknown_mailbox", "status": "5.1.1", "reply": "550 no", "tracking": "off",
              "title": "Prices", "raw": '{"ip": "192.0.2.7"}', "document": "0" * 64}  # fmt: skip
    scene.record(event(message, kind, link=1, url="https://shop.example/help", detail=detail, **judged))
    (told,) = scene.go()
    schema = TYPES[f"message.{kind}"].schema
    jsonschema_rs.validate(schema, told.payload)
    assert set(told.data) == set(schema["properties"]["data"]["properties"])
    assert "192.0.2.7" not in told.body.decode()


def test_people_only_unless_asked_otherwise(scene: Scene) -> None:
    """By default machines and what cannot be told are left out; an endpoint that asks for them gets them. What carries
    no verdict is told in any case."""
    scene.add()
    everybody = scene.add(who=frozenset(Who))
    for verdict in (Verdict.MACHINE_SCANNER, Verdict.PRIVACY_PREFETCH, Verdict.HUMAN_PROXIED):
        opened(scene, verdict=verdict)
    told = [one.data["verdict"] for one in scene.go() if one.type == "message.opened"]
    assert sorted(told) == ["human_proxied", "human_proxied", "machine_scanner", "privacy_prefetch"]
    assert [row.type for row in scene.rows(everybody)].count("message.sent") == 3


def test_an_open_told_as_a_persons_is_corrected(either: Scene) -> None:
    """The correction names the event, what was told and what holds now; told once, and not to who was told nothing."""
    either.add(frozenset({"message.opened", CORRECTED}))
    clicks_only = either.add(frozenset({"message.clicked", CORRECTED}))
    fact = opened(either)
    (first,) = either.go()
    either.rejudge(fact, Verdict.MACHINE_SCANNER)
    (told,) = either.go()
    jsonschema_rs.validate(TYPES[CORRECTED].schema, told.payload)
    assert (told.type, told.data["event"], told.data["of"]) == (CORRECTED, fact.id, "message.opened")
    assert told.data["event"] == first.data["event"]
    assert told.data["before"] == {"verdict": "human_direct", "who": "human"}
    assert told.data["after"] == {
        "verdict": "machine_scanner",
        "who": "machine",
        "confidence": "probable",
        "reasons": ["replied"],
    }
    assert either.rows(clicks_only) == []
    assert either.go() == []


def test_the_judge_is_followed_from_the_hits_on(scene: Scene) -> None:
    """A browser fetched the pixel, so a person opened it; the same browser then swept all links: both are told, and no
    click of the sweep."""
    with scene.database.write() as tx:
        message = scene.cast.mail(tx)
    scene.add(frozenset({"message.opened", "message.clicked", CORRECTED}))
    come_in(scene.database, hit(message, at=at(0), user_agent=BROWSER, address=HOME), seconds=1)
    (opened,) = scene.go()
    assert (opened.type, opened.data["who"]) == ("message.opened", "human")
    come_in(scene.database, *(follow(message, link, 3 + link) for link in range(4)), seconds=8)
    assert scene.go() == []
    settle_all(scene.database, 100)
    (corrected,) = scene.go()
    assert (corrected.type, corrected.data["event"]) == (CORRECTED, opened.data["event"])
    assert [corrected.data[side]["who"] for side in ("before", "after")] == ["human", "machine"]


def test_a_pending_click_is_told_when_it_is_a_persons(scene: Scene) -> None:
    """Nothing while it is pending; then the click itself, once, as it was judged; later changes are corrections."""
    scene.add(frozenset({"message.clicked", CORRECTED}))
    with scene.database.write() as tx:
        message = scene.cast.mail(tx)
    pending = event(message, EventKind.CLICKED, link=0, url="https://shop.example/", verdict=Verdict.PENDING)
    (fact,) = scene.record(pending)
    assert scene.go() == []
    scene.rejudge(fact, Verdict.HUMAN_LIKELY)
    (told,) = scene.go()
    assert (told.type, told.data["event"], told.data["verdict"]) == ("message.clicked", fact.id, "human_likely")
    scene.rejudge(replace(fact, verdict=Verdict.HUMAN_LIKELY), Verdict.HUMAN_CONFIRMED)
    (told,) = scene.go()
    assert (told.type, told.data["before"]["verdict"]) == (CORRECTED, "human_likely")


def test_what_a_machine_had_hidden_is_told(scene: Scene) -> None:
    """A person's open that was folded into an earlier one is told once that turns out to be a machine's."""
    scene.add(frozenset({"message.opened", CORRECTED}))
    first = opened(scene)
    with scene.database.write() as tx:
        again = record(tx, replace(first, id=0, occurred_at=NOON + timedelta(minutes=5), repeat_of=first.id))
    assert again is not None
    assert [one.data["event"] for one in scene.go()] == [first.id]
    scene.rejudge(first, Verdict.MACHINE_SCANNER)
    told = [(one.type, one.data["event"]) for one in scene.go()]
    assert told == [(CORRECTED, first.id), ("message.opened", again.id)]


def test_what_is_chosen_and_what_happened_before(scene: Scene) -> None:
    """Only the types that were chosen, no repeats, and nothing from before the endpoint was there."""
    first = opened(scene)
    scene.add(frozenset({"message.opened", "message.bounced"}))
    scene.record(replace(first, id=0, repeat_of=first.id))
    assert scene.go() == []
    opened(scene)
    assert scene.types() == ["message.opened"]


def test_an_account_is_told_of_its_own_mail(scene: Scene) -> None:
    """Another account's endpoint hears nothing of it, and may not ask for all mail; the operator may."""
    other = Account(new_id(), "other@resonanz.example", "Otto", "no-password", NOON + timedelta(1), NOON)
    with scene.database.write() as tx:
        add_account(tx, other)
    own = scene.add(all_mail=False)
    wanted = Wanted(scene.listener.url, EVERYTHING)
    more: dict[str, Any] = {"account_id": other.id, "actor": "tests", "now": NOON}
    theirs = endpoints.add_endpoint(scene.database, lambda: SEALER, scene.listener.reach, wanted, **more).row
    opened(scene)
    scene.go()
    assert scene.rows(theirs) == []
    assert len(scene.rows(own)) == 3
    with pytest.raises(Forbidden):
        endpoints.change_endpoint(scene.database, scene.listener.reach, theirs.id, replace(wanted, all_mail=True))


# ── Consent and anonymity ───────────────────────────────────────────────────────────────────────────────────────────


def test_anonymous_events_name_nobody(scene: Scene) -> None:
    """Counts without names are told without a person, and of a group of fewer than five not at all."""
    scene.add(frozenset({"message.opened"}))
    for recipients in (4, 5):
        with scene.database.write() as tx:
            submission, _ = scene.cast.mailing(tx, recipients, opens=TrackingMode.ANONYMOUS)
        scene.record(Event(EventKind.OPENED, NOON, NOON, "edge", submission_id=submission.id, **HUMAN))
    (told,) = scene.go()
    assert (told.data["message"], told.data["recipient"]) == (None, None)
    assert told.data["submission"] == str(submission.id)


def test_who_withdraws_is_told_of_no_more(either: Scene) -> None:
    """A withdrawal holds back what was not posted yet: what waits for dispatch, and what waits for a next try."""
    either.add(frozenset({"message.opened", "message.bounced"}))
    either.listener.always(500)
    fact = opened(either)
    assert either.types() == ["message.opened"]
    withdraw(either)
    either.record(replace(fact, id=0, occurred_at=NOON + timedelta(hours=2)))
    with either.database.write() as tx:
        record(tx, replace(fact, id=0, kind=EventKind.BOUNCED, verdict=None, detail={"bounce": "soft"}))
    either.listener.always(200)
    either.clock.move(days=1)
    assert either.types() == ["message.bounced"]
    assert [row.state for row in either.rows()] == [DeliveryState.WITHHELD, DeliveryState.DELIVERED]
    with pytest.raises(Conflict):
        endpoints.send_again(either.database, either.endpoint.id, now=NOON, delivery=either.rows()[0].id)


def withdraw(scene: Scene) -> None:
    """Alma does not want to be tracked any more."""
    with scene.database.write() as tx:
        enter_choice(tx, scene.cast.people[ALMA], Purpose.OPENS, Choice.WITHDRAWN, now=NOON, source="test", actor="")


def test_an_erased_person_is_named_no_more(scene: Scene) -> None:
    """What still waits about somebody who was erased goes out without their address; what they opened not at all."""
    scene.add(frozenset({"message.opened", "message.bounced", CORRECTED}))
    scene.listener.always(500)
    fact = opened(scene)
    scene.record(
        replace(fact, id=0, kind=EventKind.BOUNCED, verdict=None, detail={"bounce": "hard", "reply": f"550 {ALMA}"})
    )
    scene.rejudge(fact, Verdict.MACHINE_SCANNER)
    scene.go()
    erase_contact(scene.database, scene.cast.people[ALMA], lambda _ids: None, now=NOON, source="test", actor="")
    scene.listener.always(200)
    scene.clock.move(days=1)
    (told,) = scene.go()
    assert (told.type, told.data["recipient"], told.data["reply"]) == ("message.bounced", None, "")


# ── When nobody takes it ────────────────────────────────────────────────────────────────────────────────────────────


def one_open(scene: Scene) -> None:
    """An endpoint for opens, and one open."""
    scene.add(frozenset({"message.opened"}))
    opened(scene)


def test_it_is_tried_again_by_the_table_and_then_given_up(scene: Scene) -> None:
    """Eleven tries with one id, each due when the table says, the last within three days; then it has failed, and the
    endpoint is paused and says why."""
    one_open(scene)
    scene.listener.always(500)
    tries = 0
    started = scene.clock()
    while scene.rows() == [] or (due := scene.rows()[0].due_at) is not None:
        if tries:
            assert due is not None
            scene.clock.moment = max(due, scene.endpoint.rests_until or due)
        assert len(scene.go()) == 1
        tries += 1
        assert scene.go() == []
    (row,) = scene.rows()
    assert (tries, row.state, row.status, row.response) == (11, DeliveryState.FAILED, 500, "<b>as told</b>")
    assert timedelta(days=2.5) < scene.clock() - started < timedelta(days=3)
    assert len({told.id for told in scene.listener.told}) == 1
    assert scene.endpoint.paused_at is not None
    assert "11 times in a row" in scene.endpoint.note


def test_spans_come_with_jitter() -> None:
    """What failed together does not come back together, and none much earlier or later than the table says."""
    spans = [retries.next_try(1, NOON, chance) for chance in (0.0, 0.5, 1.0)]
    assert spans == [NOON + timedelta(seconds=seconds) for seconds in (4.5, 5, 5.5)]


def test_a_wish_to_be_left_alone_is_followed(scene: Scene) -> None:
    """429 and 503 with Retry-After: nothing at all goes there before that, in seconds or by date; a day at most."""
    one_open(scene)
    opened(scene)
    scene.listener.always(429, retry_after="3600")
    assert len(scene.go()) == 1
    scene.clock.move(seconds=3599)
    assert scene.go() == []
    scene.clock.move(seconds=1)
    scene.listener.always(503, retry_after="Thu, 19 Mar 2026 12:00:00 GMT")
    assert len(scene.go()) == 1
    assert scene.endpoint.rests_until == NOON + timedelta(days=1)
    for status, text in ((500, "9"), (429, ""), (429, "soon"), (503, "Wed, 18 Mar 2020 12:00:00 GMT")):
        assert retries.wished_pause(status, {"retry-after": text}, NOON) is None
    assert retries.wished_pause(429, {"retry-after": "9" * 40}, NOON) == NOON + timedelta(days=1)


def test_gone_is_gone(scene: Scene) -> None:
    """410 pauses the endpoint at once; resumed, what had failed can be sent again and keeps its id."""
    one_open(scene)
    scene.listener.always(410)
    (first,) = scene.go()
    assert (scene.endpoint.paused_at, "410" in scene.endpoint.note) == (NOON, True)
    opened(scene)
    assert scene.go() == []
    scene.listener.always(200)
    endpoints.resume(scene.database, scene.endpoint.id)
    assert len(scene.go()) == 1
    assert endpoints.send_again(scene.database, scene.endpoint.id, now=NOON, since=NOON) == 1
    (again,) = scene.go()
    assert (again.id, again.body) == (first.id, first.body)


def test_an_endpoint_that_fails_is_asked_by_one_at_a_time(scene: Scene) -> None:
    """After five failures in a row a single delivery asks every now and then; the first success lets all of them go."""
    scene.add(frozenset({"message.opened"}))
    for _ in range(8):
        opened(scene)
    scene.listener.always(500)
    assert len(scene.go()) == 5
    assert scene.go() == []
    scene.clock.move(seconds=30)
    assert len(scene.go()) == 1
    scene.clock.move(minutes=1)
    scene.listener.always(200)
    assert len(scene.go()) == 8
    assert (scene.endpoint.failures, scene.endpoint.failing_since) == (0, None)


def test_a_crash_between_posting_and_marking(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was posted and not marked is posted again once the lease is over, under the same id: at least once."""
    one_open(scene)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "note_result", die)
        with pytest.raises(KeyboardInterrupt):
            scene.go()
    assert scene.go() == []
    scene.clock.moment += LEASE
    (again,) = scene.go()
    assert (again.id, len(scene.listener.told)) == (scene.listener.told[0].id, 2)


def test_no_redirect_is_followed_and_answers_are_bounded(scene: Scene) -> None:
    """A redirect is a failure that says so; of an endless answer the beginning is kept."""
    one_open(scene)
    scene.listener.answer = lambda _told: Answer(302, {"location": f"{scene.listener.url}/elsewhere"}, b"x" * 1_000_000)
    assert [told.path for told in scene.go()] == ["/told"]
    (row,) = scene.rows()
    assert (row.status, row.response) == (302, "x" * deliveries.RESPONSE_KEPT)
    assert "redirects are not followed" in row.failure


def test_private_networks_are_not_entered(scene: Scene) -> None:
    """Without the operator's word neither an address of one is taken, nor one whose name leads there."""
    sender = Sender(scene.database, lambda: SEALER, reach_of([]), now=scene.clock)
    one_open(scene)
    while scene.dispatcher.round():
        pass
    assert sender.send_some(scene.endpoint.id) == 1
    assert scene.listener.told == []
    assert "https" in scene.rows()[0].failure
    for url in ("https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/x", "http://example.org/", "nonsense"):
        with pytest.raises(InvalidInput):
            endpoints.add_endpoint(
                scene.database,
                lambda: SEALER,
                reach_of([]),
                Wanted(url, EVERYTHING),
                account_id=scene.cast.account_id,
                actor="tests",
                now=NOON,
            )


def test_a_slow_endpoint_holds_nobody_up(scene: Scene) -> None:
    """While one endpoint lets its callers wait, another is told."""
    slow, fast = Listener(), scene.listener
    release, told = threading.Event(), threading.Event()
    slow.answer = lambda _told: Answer(before=lambda: release.wait(20))
    fast.answer = lambda _told: Answer(before=told.set)
    both = {slow.host: slow, fast.host: fast}
    scene.sender = Sender(
        scene.database, lambda: SEALER, lambda url: both[url.split("/")[2]].reach(url), now=scene.clock
    )
    try:
        scene.listener = slow
        for _ in range(3):
            scene.add(frozenset({"message.opened"}))
        scene.listener = fast
        scene.add(frozenset({"message.opened"}))
        opened(scene)
        webhooks = Webhooks(scene.dispatcher, scene.sender)
        while webhooks.turn():
            pass
        assert told.wait(20)
    finally:
        release.set()
        slow.close()


def test_the_outbox_is_bounded_and_nothing_is_lost(scene: Scene) -> None:
    """An endpoint that takes nothing fills its outbox and no more; what happened meanwhile is told afterwards."""
    scene.add(frozenset({"message.opened"}))
    with scene.database.write() as tx:
        message = scene.cast.mail(tx)
        record_all(tx, [event(message, EventKind.OPENED, **HUMAN) for _ in range(MOST_WAITING + 600)])
    while scene.dispatcher.round():
        pass
    with scene.database.read() as tx:
        assert deliveries.count_waiting(tx, scene.endpoint.id) == MOST_WAITING
    with scene.database.write() as tx:
        deliveries.skip_waiting(tx, scene.endpoint.id, "skipped by a test")
    while scene.dispatcher.round():
        pass
    assert len({row.about for row in scene.rows()}) == MOST_WAITING + 600


def test_paused_resumed_and_from_now_on(scene: Scene) -> None:
    """Paused nothing goes out; resumed it goes on where it was, or with what happens from then on."""
    scene.add(frozenset({"message.opened"}))
    endpoints.pause(scene.database, scene.endpoint.id, why="by tests", now=NOON)
    opened(scene)
    assert scene.go() == []
    endpoints.resume(scene.database, scene.endpoint.id)
    assert scene.types() == ["message.opened"]
    endpoints.pause(scene.database, scene.endpoint.id, why="by tests", now=NOON)
    opened(scene)
    skipped = opened(scene, verdict=Verdict.PRIVACY_PREFETCH)
    endpoints.resume(scene.database, scene.endpoint.id, from_now=True)
    scene.rejudge(skipped, Verdict.HUMAN_PROXIED)
    assert scene.go() == []


def test_secrets_overlap(scene: Scene) -> None:
    """A day long both sign, then the new one alone; nothing of either is stored as it is."""
    scene.add(frozenset({"message.opened"}))
    assert scene.fresh is not None
    old = scene.fresh.secret
    new = endpoints.rotate_secret(scene.database, lambda: SEALER, scene.endpoint.id, now=scene.clock()).secret
    opened(scene)
    (told,) = scene.go()
    assert (told.is_signed_by(old), told.is_signed_by(new)) == (True, True)
    scene.clock.move(days=1)
    opened(scene)
    (told,) = scene.go()
    assert (told.is_signed_by(old), told.is_signed_by(new)) == (False, True)
    for secret in (old, new):
        assert secret.encode() not in scene.endpoint.secrets


def test_a_test_goes_to_a_paused_endpoint_and_is_tried_once(scene: Scene) -> None:
    """Whoever mends an endpoint can try it first; a test that fails counts for nothing."""
    scene.add(frozenset({"message.opened"}))
    endpoints.pause(scene.database, scene.endpoint.id, why="by tests", now=NOON)
    scene.listener.always(500)
    endpoints.send_test(scene.database, scene.endpoint.id, now=NOON)
    assert scene.types() == ["webhook.test"]
    assert (scene.rows()[0].state, scene.endpoint.failures) == (DeliveryState.FAILED, 0)


def test_what_is_sent_when_a_worker_stops_is_marked(scene: Scene) -> None:
    """It finishes the post that it is at, marks all that it has posted, and gives back the rest for the next one."""
    scene.add(frozenset({"message.opened"}))
    for _ in range(3):
        opened(scene)
    scene.listener.answer = lambda _told: Answer(before=scene.sender.stopping.set)
    assert len(scene.go()) == 1
    assert [row.state for row in scene.rows()] == [DeliveryState.DELIVERED, *[DeliveryState.WAITING] * 2]
    scene.sender.stopping.clear()
    scene.listener.always(200)
    assert len(scene.go()) == 2


def test_ended_deliveries_are_forgotten(scene: Scene) -> None:
    """After thirty days; what still waits stays."""
    scene.add(frozenset({"message.opened"}))
    with scene.database.write() as tx:
        old = [
            DeliveryRow(new_id(), scene.endpoint.id, number, number, "message.opened", NOON, NOON) for number in (1, 2)
        ]
        deliveries.add_deliveries(tx, old)
        deliveries.withhold(tx, [old[0].id])
        assert deliveries.forget_before(tx, scene.endpoint.id, NOON, limit=5) == 0
        assert deliveries.forget_before(tx, scene.endpoint.id, NOON + timedelta(days=5000), limit=5) == 1
    assert [row.id for row in scene.rows()] == [old[1].id]


def test_two_dispatchers_tell_once(either: Scene) -> None:
    """Workers on several hosts take turns: each fact becomes one delivery."""
    one_open(either)
    others = [Dispatcher(either.database, now=either.clock) for _ in range(3)]
    threads = [threading.Thread(target=other.round) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(either.go()) == 1


def test_on_postgresql_no_fact_is_passed_over(database: Database, listener: Listener) -> None:
    """A fact whose transaction began earlier and ends later than another's is told all the same."""
    if database.is_sqlite:
        pytest.skip("one writer at a time: facts appear in the order of their ids")
    scene = _scene(database, listener)
    scene.add(frozenset({"message.opened"}))
    with database.write() as tx:
        late, early = scene.cast.mail(tx), scene.cast.mail(tx, BRUNO)
    with database.write() as slow:
        record(slow, event(late, EventKind.OPENED, at=NOON + timedelta(hours=1), **HUMAN))  # in a bucket of its own
        scene.record(event(early, EventKind.OPENED, **HUMAN))
        scene.go()
    assert sorted(told.data["recipient"] for told in [*listener.told, *scene.go(), *scene.go()]) == [ALMA, BRUNO]
