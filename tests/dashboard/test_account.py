"""The account page: password, browsers, API keys."""

from __future__ import annotations

import re

import pytest

from resonanz.accounts import authenticate_key
from tests.kit.accounts import ADDRESS, NOON, PASSWORD
from tests.kit.pages import Site

NEW = "another fine harbour"


def test_changing_the_password_signs_every_other_browser_out(site: Site) -> None:
    """This browser goes on with a new session; the old cookies, its own included, are worth nothing."""
    alice, elsewhere = site.alice(), site.alice()
    old = alice.client.cookies["resonanz-session"]
    answer = alice.submit("/account/password", {"current": PASSWORD, "new": NEW, "again": NEW}, page="/account")
    assert answer.headers["location"] == "/account?done=password"
    assert alice.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert site.visitor().get("/account", cookie=f"resonanz-session={old}").status_code == 303
    wrong = site.visitor().submit("/sign-in", {"address": ADDRESS, "password": PASSWORD})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current": "guess", "new": NEW, "again": NEW}, "is not your current password"),
        ({"current": PASSWORD, "new": NEW, "again": "other"}, "is not the same"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "at least 10 characters"),
        ({}, "is not your current password"),
    ],
)
def test_a_refused_password_changes_nothing(site: Site, fields: dict[str, str], said: str) -> None:
    """What is wrong is said, and everybody stays signed in with the old one."""
    alice, elsewhere = site.alice(), site.alice()
    answer = alice.submit("/account/password", fields, page="/account")
    assert answer.status_code == 422
    assert said in answer.text
    assert elsewhere.get("/account").status_code == 200


def test_signing_out_everywhere(site: Site) -> None:
    """No browser is left, this one neither."""
    alice, elsewhere = site.alice(), site.alice()
    assert alice.get("/account").text.count("this one") == 1
    alice.submit("/account/sessions/end", {}, page="/account")
    assert alice.get("/account").status_code == 303
    assert elsewhere.get("/account").status_code == 303


def test_an_api_key_is_shown_once_and_can_be_revoked(site: Site) -> None:
    """It works from then on; the page afterwards shows only how it begins."""
    alice = site.alice()
    answer = alice.submit("/account/keys", {"name": "Shop <backend>"}, page="/account")
    found = re.search(r"rz_[\w-]{43}", answer.text)
    assert found
    secret = found[0]
    assert authenticate_key(site.database, secret, NOON) == site.account
    page = alice.get("/account").text
    assert secret not in page
    assert "Shop &lt;backend&gt;" in page
    path = re.search(r"/account/keys/[\w-]+/revoke", page)
    assert path
    assert alice.submit(path[0], {}, page="/account").headers["location"] == "/account?done=key"
    assert authenticate_key(site.database, secret, NOON) is None
    assert alice.submit(path[0], {}, page="/account").status_code == 404


def test_a_key_without_a_name_is_refused(site: Site) -> None:
    """Said beside the field."""
    answer = site.alice().submit("/account/keys", {"name": " "}, page="/account")
    assert answer.status_code == 422
    assert "needs a name" in answer.text
