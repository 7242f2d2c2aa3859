"""Provider webhooks through the door: one set of tests, held against every provider's own shape and signature."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from resonanz import model
from resonanz.accounts import authenticate_key, create_key
from resonanz.api import ApiParts, build
from resonanz.ingest import providers as known
from resonanz.ingest.sources import ses
from resonanz.ingest.webhooks import Incoming, Webhooks, take_delivery
from resonanz.model import EventKind, MessageState, TrackingMode
from resonanz.people import reason_for
from resonanz.sealing import Sealer
from resonanz.sending.drafts import Limits
from resonanz.sending.submit import submit
from resonanz.store import Database, events, messages
from resonanz.store.messages import Message
from resonanz.store.providers import ProviderRow, add_provider
from resonanz.store.queue import Attempt, add_attempts
from resonanz.store.strays import list_strays
from resonanz.tokens import mint_return_path
from tests.kit.cast import ALMA, BRUNO, Cast
from tests.kit.openers import opener_on
from tests.kit.providers import BY_NAME, PROVIDERS, TOPIC, Posted, Provider, certificate, notification
from tests.kit.workers import KEYS

HOME = "https://resonanz.example"
each = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)


@dataclass
class Door:
    """The API of one instance, and a mail to Alma that a provider carries."""

    database: Database
    operator: TestClient
    cast: Cast
    message: Message
    asked: list[str] = field(default_factory=list)

    def add(self, provider: Provider, *, secret: str | None = None) -> UUID:
        """Give a provider an address."""
        given = provider.secret if secret is None else secret
        answer = self.operator.post("/api/v1/providers", json={"provider": provider.name, "secret": given})
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    def send(self, id: UUID, posted: Posted) -> Response:
        """Post as the provider does: without an API key."""
        stranger = TestClient(self.operator.app)
        path = f"/api/v1/hooks/{id}{posted.path}"
        return stranger.post(path, content=posted.body, headers=dict(posted.headers))  # type: ignore[return-value]

    def report(self, provider: Provider, *words: str, id: UUID | None = None, event: str = "") -> Response:
        """Let a provider say these words about the mail."""
        id = id or self.add(provider)
        url = f"{HOME}/api/v1/hooks/{id}"
        return self.send(id, provider.post(*words, message=self.message, now=model.now(), url=url, id=event))

    def tell(self, name: str, event: dict[str, object]) -> Response:
        """Let a provider tell an event that is spelt out."""
        id = self.add(BY_NAME[name])
        return self.send(id, BY_NAME[name].tell(event, now=model.now(), url=f"{HOME}/api/v1/hooks/{id}"))

    def kinds(self) -> list[EventKind]:
        """What happened to the mail since it was sent."""
        with self.database.read() as tx:
            return [event.kind for event in events.of_message(tx, self.message.id)][2:]

    def state(self) -> MessageState:
        """How the mail stands."""
        with self.database.read() as tx:
            found = messages.get_message(tx, self.message.id)
        assert found is not None
        return found.state


@pytest.fixture
def door(sqlite_database: Database) -> Iterator[Door]:
    """The door, with a web that has Amazon's certificate."""
    yield from _door(sqlite_database)


def _door(database: Database) -> Iterator[Door]:
    with database.write() as tx:
        cast = Cast.enter(tx)
        message = cast.mail(tx, now=model.now() - timedelta(minutes=2))
    sealer = Sealer(KEYS)
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate()

    hooks = Webhooks(database, KEYS, lambda: sealer, fetch)
    parts = ApiParts(
        database=database,
        authenticate=partial(authenticate_key, database),
        submit=lambda draft, now: submit(database, draft, limits=Limits(1000, 5), now=now),
        max_message=1000,
        opener=opener_on(database),
        dashboard_url=HOME,
        sealer=lambda: sealer,
        take_delivery=lambda provider, body, headers, url, password, now: take_delivery(
            hooks, Incoming(provider, body, headers, url, password), now
        ),
    )
    secret, _ = create_key(database, cast.account_id, "tests", model.now())
    with TestClient(build(parts), headers={"Authorization": f"Bearer {secret}"}) as operator:
        yield Door(database, operator, cast, message, asked)


# ── What every provider's reports become ────────────────────────────────────────────────────────────────────────────


@each
def test_what_a_provider_tells_becomes_facts(door: Door, provider: Provider) -> None:
    """Delivered, opened and clicked are told of the right mail; a click names its link, a fetch is judged."""
    id = door.add(provider)
    for word in ("delivered", "opened", "clicked"):
        answer = door.report(provider, word, id=id)
        assert (answer.status_code, answer.json()) == (200, {"recorded": 1}), (word, answer.text)
    assert door.kinds() == [EventKind.DELIVERED, EventKind.OPENED, EventKind.CLICKED]
    assert door.state() is MessageState.DELIVERED
    with door.database.read() as tx:
        delivered, opened, clicked = events.of_message(tx, door.message.id)[2:]
        assert list_strays(tx, limit=5) == []
    assert (delivered.source, delivered.detail["provider"]) == (provider.name, provider.name)
    assert opened.verdict is not None
    assert opened.client is not None
    assert (clicked.verdict, clicked.link, clicked.url) == (model.Verdict.PENDING, 1, "https://shop.example/help")


@each
def test_a_dead_address_is_suppressed(door: Door, provider: Provider) -> None:
    """A bounce that says so is hard, with the words that were said; the address gets no more mail."""
    assert door.report(provider, "bounced").json() == {"recorded": 1}
    with door.database.read() as tx:
        bounced = events.of_message(tx, door.message.id)[-1]
        assert (bounced.detail["bounce"], bounced.detail["reason"]) == ("hard", "unknown_mailbox")
        assert reason_for(tx, ALMA) == "bounced"
    assert door.state() is MessageState.BOUNCED


@pytest.mark.parametrize(
    "provider", [one for one in PROVIDERS if one.name not in ("mailjet", "postal")], ids=lambda one: one.name
)
def test_delays_and_complaints(door: Door, provider: Provider) -> None:
    """A delay moves nothing and suppresses nobody; a complaint suppresses at once."""
    id = door.add(provider)
    door.report(provider, "deferred", id=id)
    assert (door.kinds(), door.state()) == ([EventKind.DEFERRED], MessageState.SENT)
    with door.database.read() as tx:
        assert reason_for(tx, ALMA) is None
    door.report(provider, "complained", id=id)
    with door.database.read() as tx:
        assert reason_for(tx, ALMA) == "complained"


@each
def test_the_same_event_counts_once(door: Door, provider: Provider) -> None:
    """A delivery that is repeated, because its answer was lost, records nothing again."""
    id = door.add(provider)
    posted = provider.post("opened", message=door.message, now=model.now(), url=f"{HOME}/api/v1/hooks/{id}", id="7")
    assert door.send(id, posted).json() == {"recorded": 1}
    again = door.send(id, posted)
    assert (again.status_code, again.json()) == (200, {"recorded": 0})
    assert door.kinds() == [EventKind.OPENED]


@each
def test_a_forged_delivery_is_refused(door: Door, provider: Provider) -> None:
    """Another body under the same signature, or no proof at all, is 403, recorded nowhere, and shown to operators."""
    id = door.add(provider)
    url = f"{HOME}/api/v1/hooks/{id}"
    good = provider.post("bounced", message=door.message, now=model.now(), url=url)
    bare = Posted("", {}, good.body)
    if provider.name in ("ses", "mailgun"):  # their signature stands in the body
        told = json.loads(good.body)
        (told["signature"] if provider.name == "mailgun" else told)["signature" if provider.name == "mailgun"
             else "Message"] = "forged"  # fmt: skip
        bare = Posted("", {}, json.dumps(told).encode())
    wrong = Posted("/another-password-of-ours" if good.path else "", good.headers, good.body + b" ")
    for posted in (bare, wrong) if provider.name not in ("ses", "mailgun") else (bare,):
        answer = door.send(id, posted)
        assert answer.status_code == 403, answer.text
        assert provider.secret not in answer.text
    assert door.kinds() == []
    (row,) = door.operator.get("/api/v1/providers").json()["providers"]
    assert (row["taken"], row["last_at"], bool(row["refusal"])) == (0, None, True)


@each
def test_without_a_secret_nothing_is_let_in(door: Door, provider: Provider) -> None:
    """Where a secret is still missing even a delivery that proves itself is 403; once it is set, it is taken."""
    with door.database.write() as tx:
        row = ProviderRow(model.new_id(), provider.name, "", None, model.now(), "tests")
        add_provider(tx, row)
    assert door.report(provider, "delivered", id=row.id).status_code == 403
    answer = door.operator.put(f"/api/v1/providers/{row.id}/secret", json={"secret": provider.secret})
    assert answer.status_code == 200, answer.text
    assert door.report(provider, "delivered", id=row.id).json() == {"recorded": 1}


@each
def test_what_nobody_knows_is_kept(door: Door, provider: Provider) -> None:
    """An unknown word, a mail that is not ours, and a body of another form are kept and counted, and answered 200."""
    id = door.add(provider)
    assert door.report(provider, "unknown", id=id).json() == {"recorded": 0}
    ours, door.message = door.message, _foreign(door.message)
    assert door.report(provider, "delivered", id=id).json() == {"recorded": 0}
    door.message = ours
    kept = door.operator.get("/api/v1/strays").json()
    assert kept["total"] == 2
    assert [(one["source"], one["reason"]) for one in kept["strays"]] == [
        (provider.name, "no_message"),
        (provider.name, "unknown_kind"),
    ]
    (row,) = door.operator.get("/api/v1/providers").json()["providers"]
    assert (row["kept"], row["last_at"] is not None) == (2, True)


def _foreign(message: Message) -> Message:
    return replace(message, recipient="stranger@elsewhere.example", header_id="<not-ours@elsewhere.example>")


@pytest.mark.parametrize("provider", [one for one in PROVIDERS if one.batches], ids=lambda one: one.name)
def test_batches_in_any_order(door: Door, provider: Provider) -> None:
    """Several events in one delivery are recorded each, also when the last comes first; a known word that says
    nothing new is no stray."""
    words = ["clicked", "delivered", "opened"] + (["silent"] if provider.name != "mailjet" else [])
    assert door.report(provider, *words).json() == {"recorded": 3}
    assert sorted(door.kinds()) == sorted([EventKind.CLICKED, EventKind.DELIVERED, EventKind.OPENED])
    assert door.state() is MessageState.DELIVERED
    assert door.operator.get("/api/v1/strays").json()["total"] == 0


ODD = [b"", b"[]", b"{}", b"null", b"[1]", b"\xff\0", b'{"event": {}}', b"[" * 100_000]


def test_bodies_of_no_known_form(door: Door) -> None:
    """Whatever a delivery with the right password holds, it is answered, and kept where it says anything."""
    for name in ("postmark", "brevo", "mailjet", "sparkpost"):
        id = door.add(BY_NAME[name])
        assert {door.send(id, Posted("/a-password-of-ours", {}, body)).status_code for body in ODD} == {200}
    for name in ("ses", "mailgun", "sendgrid", "mandrill", "resend", "mailersend", "postal"):
        id = door.add(BY_NAME[name])
        assert {door.send(id, Posted("", {}, body)).status_code for body in ODD} == {403}


# ── Whose mail it is ────────────────────────────────────────────────────────────────────────────────────────────────


def test_by_the_id_in_the_providers_reply(door: Door) -> None:
    """Of two mails to one person, the one is meant that the provider took with this id in its reply."""
    with door.database.write() as tx:
        other = door.cast.mail(tx, now=model.now() - timedelta(minutes=1))
        at = model.now()
        reply = f"250 2.0.0 queued as pm-{door.message.id}"
        add_attempts(tx, [(door.message.id, Attempt(1, at, at, "smtp", EventKind.SENT, reply))])
    assert door.report(BY_NAME["postmark"], "delivered").json() == {"recorded": 1}
    assert door.kinds() == [EventKind.DELIVERED]
    door.message = other
    assert door.report(BY_NAME["postmark"], "delivered").json() == {"recorded": 0}  # one of two: nobody guesses


def test_by_the_return_path(door: Door) -> None:
    """The envelope's sender is a token of ours: that outranks everything."""
    id = door.add(BY_NAME["sparkpost"])
    told = BY_NAME["sparkpost"].events("bounced", _foreign(door.message), "1", model.now())
    told["msys"]["message_event"]["msg_from"] = f"{mint_return_path(KEYS, door.message.id)}@bounces.example"
    assert door.send(id, Posted("/a-password-of-ours", {}, json.dumps([told]).encode())).json() == {"recorded": 1}
    assert door.kinds() == [EventKind.BOUNCED]


def test_another_programs_mail_to_the_same_person(door: Door) -> None:
    """A Message-ID that is not ours is somebody else's mail by the same provider: its bounce is none of ours."""
    door.message, ours = replace(door.message, header_id="<order-7@shop.example>"), door.message
    assert door.report(BY_NAME["mailgun"], "bounced").json() == {"recorded": 0}
    door.message = ours
    assert door.kinds() == []


def test_who_is_not_tracked_by_name_is_not_tracked_by_a_provider(door: Door) -> None:
    """A provider's opens and clicks of a mail without consent leave no trace; its deliveries do."""
    with door.database.write() as tx:
        door.message = door.cast.mail(tx, BRUNO, opens=TrackingMode.OFF, clicks=TrackingMode.ANONYMOUS)
    id = door.add(BY_NAME["sendgrid"])
    assert door.report(BY_NAME["sendgrid"], "opened", "clicked", "delivered", id=id).json() == {"recorded": 1}
    assert door.kinds() == [EventKind.DELIVERED]


# ── Each provider's own traps ───────────────────────────────────────────────────────────────────────────────────────


def test_mailersend_asks_first(door: Door) -> None:
    """MailerSend keeps no address that does not answer its question, and shows its secret only afterwards; nothing else
    is let in by that word."""
    added = door.operator.post("/api/v1/providers", json={"provider": "mailersend"}).json()
    path = f"/api/v1/hooks/{added['id']}"
    assert door.operator.post(path, json={"type": "webhook.test", "message": "ping"}).json() == {"recorded": 0}
    assert door.operator.post(path, json={"type": "activity.delivered"}).status_code == 403


def test_mailersends_first_form(door: Door) -> None:
    """Accounts that were there before the payload changed still send it nested."""
    data = {
        "object": "activity", "id": "63fd", "type": "hard_bounced", "created_at": model.now().isoformat(),
        "email": {"object": "email", "recipient": {"email": door.message.recipient}, "message": {"id": "62fb"}},
        "morph": {"object": "recipient_bounce", "reason": "Host or domain name not found"},
    }  # fmt: skip
    assert door.tell("mailersend", {"type": "activity.hard_bounced", "data": data}).json() == {"recorded": 1}
    with door.database.read() as tx:
        assert reason_for(tx, ALMA) == "bounced"


def _mandrill(message: Message) -> dict[str, object]:
    """A deferral: what the server said stands among the attempts."""
    attempts = [{"type": "deferred", "diag": "452 4.2.2 mailbox full", "ts": 1}]
    told = {"email": message.recipient, "_id": "md-000001", "state": "deferred", "smtp_events": attempts}
    return {"event": "deferral", "ts": int(model.now().timestamp()), "_id": "md-000001", "msg": told}


def _mailjet(message: Message) -> dict[str, object]:
    """A bounce by its name, of a mail that Mailjet goes on trying to deliver."""
    told = {"event": "bounce", "time": int(model.now().timestamp()), "email": message.recipient}
    return told | {"blocked": False, "hard_bounce": False, "error_related_to": "domain", "error": "greylisted"}


def _brevo(message: Message) -> dict[str, object]:
    """The older word for somebody's leave."""
    return {"event": "unsubscribe", "email": message.recipient, "ts_epoch": int(model.now().timestamp() * 1000)}


def _sparkpost(bounce_class: str) -> Callable[[Message], dict[str, object]]:
    """What came back to the return path, as SparkPost classified it."""

    def made(message: Message) -> dict[str, object]:
        told = {"type": "out_of_band", "event_id": "9235", "bounce_class": bounce_class, "rcpt_to": message.recipient}
        return {"msys": {"message_event": told | {"timestamp": model.now().isoformat()}}}

    return made


@pytest.mark.parametrize(
    ("name", "event", "kind", "reason"),
    [
        ("mandrill", _mandrill, EventKind.DEFERRED, "mailbox_full"),
        ("mailjet", _mailjet, EventKind.DEFERRED, None),
        ("brevo", _brevo, EventKind.UNSUBSCRIBED, None),
        ("sparkpost", _sparkpost("30"), EventKind.BOUNCED, "unknown_mailbox"),
        ("sparkpost", _sparkpost("90"), EventKind.UNSUBSCRIBED, None),
        ("sparkpost", _sparkpost("100"), EventKind.AUTORESPONDED, None),
    ],
    ids=["deferral's words", "greylisted", "older word", "no such recipient", "asked to leave", "challenge"],
)
def test_what_their_words_mean(
    door: Door, name: str, event: Callable[[Message], dict[str, object]], kind: EventKind, reason: str | None
) -> None:
    """Words that a provider uses for something else than they say, or for more."""
    assert door.tell(name, event(door.message)).json() == {"recorded": 1}
    with door.database.read() as tx:
        found = events.of_message(tx, door.message.id)[-1]
    assert found.kind is kind
    assert reason is None or found.detail["reason"] == reason


BY_POLICY = "550 5.7.1 rejected by our security policy"
OWN_VIEWS: list[tuple[str, Callable[[str], dict[str, object]]]] = [
    (
        "postmark",
        lambda to: {
            "RecordType": "Bounce", "Type": "HardBounce", "Email": to, "MessageID": "pm-1",
            "Details": f"smtp;{BY_POLICY}", "Description": "Not delivered (ex: unknown user).",
        },
    ),
    (
        "mandrill",
        lambda to: {
            "event": "hard_bounce", "_id": "md-1", "ts": 1,
            "msg": {"email": to, "_id": "md-1", "diag": f"smtp;{BY_POLICY}", "bounce_description": "bad_mailbox"},
        },
    ),
    (
        "mailjet",
        lambda to: {
            "event": "bounce", "email": to, "hard_bounce": True, "error": "user unknown", "comment": BY_POLICY,
        },
    ),
    (
        "resend",
        lambda to: {
            "type": "email.bounced",
            "data": {
                "to": [to], "email_id": "re-1",
                "bounce": {
                    "type": "Permanent", "subType": "NoEmail", "diagnosticCode": [BY_POLICY],
                    "message": "The user is unknown or the mailbox does not exist.",
                },
            },
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "made"), OWN_VIEWS, ids=[name for name, _ in OWN_VIEWS])
def test_the_server_outranks_the_provider(door: Door, name: str, made: Callable[[str], dict[str, object]]) -> None:
    """Where the server's reply is told, what the provider makes of it kills nobody: a policy is a policy."""
    now = model.now()
    event = made(door.message.recipient) | {"BouncedAt": now.isoformat(), "ts": int(now.timestamp())}
    assert door.tell(name, event).json() == {"recorded": 1}
    with door.database.read() as tx:
        found = events.of_message(tx, door.message.id)[-1]
        assert (found.detail["bounce"], found.detail["reason"]) == ("soft", "policy")
        assert reason_for(tx, ALMA) is None


def test_why_mailgun_never_sent(door: Door) -> None:
    """A mail that Mailgun itself refused says so, in the words it gives."""
    told = {
        "event": "rejected",
        "id": "mg-1",
        "timestamp": model.now().timestamp(),
        "recipient": door.message.recipient,
    }
    assert door.tell("mailgun", told | {"reject": {"reason": "a trial only"}}).json() == {"recorded": 1}
    with door.database.read() as tx:
        found = events.of_message(tx, door.message.id)[-1]
    assert found.detail["reply"] == "a trial only"


def test_mail_that_postal_takes_in(door: Door) -> None:
    """Its trouble with mail that came in says nothing about ours, even to the same person."""
    told = {"to": door.message.recipient, "message_id": "x@shop.example", "token": "abcdef123", "direction": "incoming"}
    event = {"event": "MessageDeliveryFailed", "uuid": "a0", "payload": {"message": told, "status": "HardFail"}}
    assert door.tell("postal", event).json() == {"recorded": 0}
    assert door.kinds() == []
    with door.database.read() as tx:
        assert list_strays(tx, limit=9) == []


def test_resend_does_not_say_whose_bounce_it_is(door: Door) -> None:
    """Of a mail to several people each bounce names all of them: nobody is suppressed for another's."""
    bounce = {"message": "550 5.1.1 user unknown", "type": "Permanent", "subType": "NoEmail"}
    data = {"email_id": "re-1", "to": [door.message.recipient, "gone@rcpt.example"], "bounce": bounce}
    assert door.tell("resend", {"type": "email.bounced", "data": data}).json() == {"recorded": 0}
    with door.database.read() as tx:
        assert reason_for(tx, ALMA) is None


def test_mailguns_token_counts_once(door: Door) -> None:
    """Its signature does not cover the body: with another body the same token is a forgery."""
    id = door.add(BY_NAME["mailgun"])
    url = f"{HOME}/api/v1/hooks/{id}"
    posted = BY_NAME["mailgun"].post("opened", message=door.message, now=model.now(), url=url)
    assert door.send(id, posted).status_code == 200
    told = json.loads(posted.body)
    told["event-data"]["event"] = "complained"
    assert door.send(id, Posted("", {}, json.dumps(told).encode())).status_code == 403
    assert door.kinds() == [EventKind.OPENED]


@pytest.mark.parametrize("name", ["mailgun", "resend", "ses"])
def test_an_old_signature_is_refused(door: Door, name: str) -> None:
    """What was signed long ago is a replay."""
    provider, then = BY_NAME[name], model.now() - timedelta(days=1)
    id = door.add(provider)
    posted = provider.post("delivered", message=door.message, now=then, url="")
    assert door.send(id, posted).status_code == 403


def test_basic_authentication(door: Door) -> None:
    """A password may come in the header instead of the address, with any name."""
    id = door.add(BY_NAME["postmark"])
    url = f"{HOME}/api/v1/hooks/{id}"
    posted = BY_NAME["postmark"].post("delivered", message=door.message, now=model.now(), url=url)
    proof = base64.b64encode(b"anybody:a-password-of-ours").decode()
    assert door.send(id, Posted("", {"Authorization": f"Basic {proof}"}, posted.body)).json() == {"recorded": 1}
    for header in ("Basic ?", "Basic /w==", "Bearer a-password-of-ours"):
        assert door.send(id, Posted("", {"Authorization": header}, posted.body)).status_code == 403


def test_a_subscription_of_our_topic_is_confirmed(door: Door) -> None:
    """It is confirmed by a question of our own making; the address that the delivery names is never asked."""
    id = door.add(BY_NAME["ses"])
    trap = "https://evil.example/?Action=ConfirmSubscription"
    told = notification(
        "SubscriptionConfirmation", model.now(), Token="t0ken", SubscribeURL=trap, Message="m", version="1"
    )
    assert door.send(id, Posted("", {}, json.dumps(told).encode())).status_code == 200
    host = "https://sns.eu-west-1.amazonaws.com"
    asked = [url for url in door.asked if "Confirm" in url]
    assert asked == [f"{host}/?Action=ConfirmSubscription&TopicArn={TOPIC.replace(':', '%3A')}&Token=t0ken"]


@pytest.mark.parametrize(
    "change",
    [
        {"TopicArn": TOPIC + "2"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem"},
        {"SigningCertURL": "https://evil.example/SimpleNotificationService-0.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem?x=1"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/uploads/mine.pem"},
        {"SignatureVersion": "3"},
        {"Type": "Levitation"},
    ],
)
def test_whose_certificate_is_believed(door: Door, change: dict[str, str]) -> None:
    """Only our topic, signed by a certificate of the topic's own region: nothing else is asked, nor believed."""
    ses._certificate.cache_clear()
    id = door.add(BY_NAME["ses"])
    told = notification("SubscriptionConfirmation", model.now(), Token="t", SubscribeURL="x", Message="m") | change
    assert door.send(id, Posted("", {}, json.dumps(told).encode())).status_code == 403
    assert door.asked == []


# ── Addresses and secrets ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_secret_and_the_one_before(door: Door) -> None:
    """After a change both are believed; what was set before that is not."""
    provider = BY_NAME["mailersend"]
    id = door.add(provider)
    for secret in ("a newer secret", "the newest secret"):
        assert door.report(provider, "delivered", id=id).status_code == 200
        assert door.operator.put(f"/api/v1/providers/{id}/secret", json={"secret": secret}).status_code == 200
    assert door.report(provider, "delivered", id=id).status_code == 403


def test_a_password_is_made_and_shown_once(door: Door) -> None:
    """Where the provider signs nothing the address holds a secret, which no later answer shows; the database has it
    sealed."""
    made = door.operator.post("/api/v1/providers", json={"provider": "brevo"}).json()
    password = made["secret_address"].removeprefix(f"{made['address']}/")
    assert len(password) >= 32
    assert password not in door.operator.get("/api/v1/providers").text
    row = known.get_provider(door.database, UUID(made["id"]))
    assert row.secrets is not None
    assert password.encode() not in row.secrets


def test_what_is_no_address_and_no_secret(door: Door) -> None:
    """Unknown addresses are 404, unknown providers and keys that are none 422, and a body over the limit 413."""
    assert door.send(model.new_id(), Posted("", {}, b"{}")).status_code == 404
    assert door.operator.post("/api/v1/providers", json={"provider": "pigeon"}).status_code == 422
    for name in ("sendgrid", "postal", "ses", "resend", "brevo"):
        answer = door.operator.post("/api/v1/providers", json={"provider": name, "secret": "too short"})
        assert answer.status_code == 422, name
    id = door.add(BY_NAME["brevo"])
    assert door.send(id, Posted("", {}, b"x" * 5_000_001)).status_code == 413
    assert door.operator.delete(f"/api/v1/providers/{id}").status_code == 204
    assert door.send(id, Posted("", {}, b"{}")).status_code == 404
    assert door.operator.delete(f"/api/v1/providers/{id}").status_code == 404


def test_on_both_databases(database: Database) -> None:
    """Counting, replays and strays hold on PostgreSQL as well, NUL in a provider's words included."""
    for door in _door(database):
        for name in ("mailgun", "sendgrid"):
            provider, id = BY_NAME[name], door.add(BY_NAME[name])
            for word in ("delivered", "opened", "unknown", "opened"):
                assert door.report(provider, word, id=id).status_code == 200
        posted = BY_NAME["brevo"].events("bounced", door.message, "x", model.now()) | {"reason": "550 go\0 away \ud800"}
        id = door.add(BY_NAME["brevo"])
        assert door.send(id, Posted("/a-password-of-ours", {}, json.dumps(posted).encode())).json() == {"recorded": 1}
        assert door.operator.get("/api/v1/strays").json()["total"] == 2
