"""Blocking a mail on its page: for whoever runs the instance, with a reason, and seen by everybody."""

from __future__ import annotations

from uuid import UUID

import pytest

from resonanz.model import new_id
from resonanz.sending.blocking import standing
from resonanz.store import accounts
from tests.kit.accounts import NOON, PASSWORD
from tests.kit.cast import Cast
from tests.kit.pages import Site, Visitor


@pytest.fixture
def submission(site: Site) -> UUID:
    """A mailing to three."""
    assert site.account is not None
    with site.database.write() as tx:
        return Cast(site.account.id, {}).mailing(tx, 3)[0].id


def other_account(site: Site) -> Visitor:
    """Somebody signed in who does not run the instance."""
    with site.database.write() as tx:
        secret = site.passwords.hash(PASSWORD)
        accounts.add_account(tx, accounts.Account(new_id(), "bob@example.org", "Bob", secret, NOON, NOON))
    visitor = site.visitor()
    answer = visitor.submit("/sign-in", {"address": "bob@example.org", "password": PASSWORD})
    assert answer.status_code == 303
    return visitor


def test_a_mail_is_blocked_and_unblocked_on_its_page(site: Site, submission: UUID) -> None:
    """The form says what it does; afterwards the page says that it is so, since when, by whom and why."""
    alice, path = site.alice(), f"/submissions/{submission}"
    assert "Block this mail" in alice.get(path).text
    answer = alice.submit(f"{path}/block", {"wanted": "block", "reason": "<b>stolen</b>"}, page=path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = alice.get(path).text
    assert "<strong>Blocked.</strong>" in page
    assert "&lt;b&gt;stolen&lt;/b&gt;" in page
    assert "<b>stolen</b>" not in page
    assert alice.submit(f"{path}/block", {"wanted": "unblock", "reason": "all clear"}, page=path).status_code == 303
    page = alice.get(path).text
    assert "<strong>Blocked.</strong>" not in page
    assert "all clear" in page
    with site.database.read() as tx:
        assert [one.actor for one in standing(tx, submission)[1]] == ["alice@example.org"] * 2


def test_a_reason_is_asked_for(site: Site, submission: UUID) -> None:
    """Without one nothing is blocked, and the page says so beside the field."""
    alice, path = site.alice(), f"/submissions/{submission}"
    answer = alice.submit(f"{path}/block", {"wanted": "block", "reason": " "}, page=path)
    assert answer.status_code == 422
    assert 'id="reason-note" role="alert"' in answer.text
    with site.database.read() as tx:
        assert standing(tx, submission) == (False, [])


def test_others_see_it_and_cannot_decide(site: Site, submission: UUID) -> None:
    """An account that does not run the instance is offered nothing, and is refused what it sends all the same."""
    path = f"/submissions/{submission}"
    alice, bob = site.alice(), other_account(site)
    assert "Block this mail" not in bob.get(path).text
    assert bob.submit(f"{path}/block", {"wanted": "block", "reason": "x"}, page="/account").status_code == 403
    alice.submit(f"{path}/block", {"wanted": "block", "reason": "stolen"}, page=path)
    page = bob.get(path).text
    assert "<strong>Blocked.</strong>" in page
    assert 'name="reason"' not in page
