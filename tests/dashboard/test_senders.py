"""Sender addresses on their page, and what the compose page says to a forbidden one."""

from __future__ import annotations

from resonanz.sending.drafts import Draft, Limits
from resonanz.sending.submit import submit
from resonanz.store.messages import add_anonymous
from tests.dashboard.test_blocking import other_account
from tests.dashboard.test_compose import MAIL, stored
from tests.kit.mails import RAW
from tests.kit.pages import Site


def test_a_sender_is_allowed_and_removed(site: Site) -> None:
    """Refused beside its field with 403 at first, sent once it is allowed, refused again when that is taken back."""
    bob, alice = other_account(site), site.alice()
    mail = MAIL | {"from": "sales@shop.example"}
    refused = bob.submit("/compose", mail)
    assert refused.status_code == 403
    assert 'id="from-note" role="alert"' in refused.text
    assert "Dear Bob" in refused.text
    assert stored(site) == []
    sent = {"account": "bob@example.org", "sender": "shop.example"}
    assert alice.submit("/senders", sent).headers["location"] == "/senders?done=allowed"
    assert "every address at" in bob.get("/senders").text
    assert bob.submit("/compose", mail).status_code == 303
    gone = alice.submit("/senders/remove", sent, page="/senders")
    assert gone.headers["location"] == "/senders?done=removed"
    assert bob.submit("/compose", mail).status_code == 403


def test_what_is_wrong_stands_beside_its_field(site: Site) -> None:
    """What was typed stays."""
    alice = site.alice()
    answer = alice.submit("/senders", {"account": "nobody@example.org", "sender": "<b>@x"})
    assert answer.status_code == 422
    assert 'id="sender-note" role="alert"' in answer.text
    assert "&lt;b&gt;@x" in answer.text
    assert 'id="account-note" role="alert"' in alice.submit("/senders", {"account": "no@x.org", "sender": "x.org"}).text


def test_others_may_look(site: Site) -> None:
    """Somebody who does not run the instance sees their own account's, and changes nothing."""
    bob = other_account(site)
    page = bob.get("/senders").text
    assert "bob@example.org" in page
    assert "alice@example.org" not in page
    assert 'action="/senders"' not in page
    assert bob.submit("/senders", {"account": "bob@example.org", "sender": "x.org"}, page="/account").status_code == 403


def test_rules_are_set_changed_and_removed(site: Site) -> None:
    """The list shows what is in force, the form what is to be changed, and what is wrong stands beside its field."""
    alice = site.alice()
    rules = {"domain": "shop.example", "track": "marked", "marker": "<b>", "never": "ceo@corp.example", "internal": ""}
    assert alice.submit("/rules", rules).headers["location"] == "/rules?done=set"
    page = alice.get("/rules?domain=shop.example").text
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "ceo@corp.example" in page
    assert '<option value="marked" selected>' in page
    assert "checked" not in page
    alice.submit("/rules", rules | {"replies": "yes"})
    page = alice.get("/rules?domain=shop.example").text
    assert '<input type="checkbox" name="replies" value="yes" checked>' in page
    assert "with answers" in page
    answer = alice.submit("/rules", rules | {"never": "a@b@c", "marker": ""})
    assert answer.status_code == 422
    assert 'id="never-note" role="alert"' in answer.text
    assert 'id="marker-note" role="alert"' in answer.text
    assert alice.submit("/rules/remove", {"domain": "shop.example"}, page="/rules").status_code == 303
    assert "shop.example" not in alice.get("/rules").text.split("Set rules")[0]


def test_one_copy_for_all_is_shown_as_such(site: Site) -> None:
    """The rule is set, the default is the operator's, and the mail's page tells of anybody of its recipients."""
    alice, bob = site.alice(), other_account(site)
    rules = {"domain": "", "track": "all", "marker": "[track]", "never": "", "internal": "", "copies": "shared"}
    assert alice.submit("/rules", rules).headers["location"] == "/rules?done=set"
    assert '<option value="shared" selected>' in alice.get("/rules").text
    assert alice.submit("/rules", rules | {"copies": "some"}).status_code == 422
    assert bob.submit("/rules/copies", {"copies": "shared"}, page="/rules").status_code == 403
    assert alice.submit("/rules/copies", {"copies": "shared"}, page="/rules").status_code == 303
    assert "one copy for all of them" in bob.get("/rules").text
    to = [f"r{number}@rcpt.example" for number in range(3)]
    receipt = submit(
        site.database,
        Draft(site.account.id, "relay", "ada@sender.example", to, raw=RAW),
        limits=Limits(),
        now=site.clock(),
    )
    with site.database.write() as tx:
        add_anonymous(tx, receipt.submission_id, opens=2, clicks=1)
    page = alice.get(f"/submissions/{receipt.submission_id}").text
    assert "3 recipients share one copy" in page
    assert "by anybody of 3 recipients" in page
    assert "the group’s" in page
