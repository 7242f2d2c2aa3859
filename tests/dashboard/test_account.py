"""The account page: password, browsers, API keys."""

from __future__ import annotations

import re

import pytest

from resonanz.accounts import authenticate_key, authenticate_mail, tracking_without_choice
from resonanz.model import TrackingMode
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
        ({"current": "guess", "new": NEW, "again": NEW}, "This is not your current password."),
        ({"current": PASSWORD, "new": NEW, "again": "other"}, "This is not the same as the new password."),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "at least 10 characters"),
        ({}, "This is not your current password."),
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
    door = alice.submit("/account/sessions/end", {}, page="/account").headers["location"]
    page = alice.get(door).text
    assert "You are signed out everywhere." in page
    assert "Macro" not in page
    assert "signed out everywhere" not in alice.get("/sign-in").text
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
    assert "This needs a name. Name what will use the key." in answer.text


@pytest.mark.parametrize(("submission", "is_named"), [("mail.example.org:8587", True), ("", False)])
def test_what_a_mail_program_needs(site: Site, submission: str, is_named: bool) -> None:
    """Server, port, security and user name, each where a mail program asks for it; never where nothing listens."""
    page = site.with_parts(submission=submission).alice().get("/account").text
    assert ("by SMTP" in page) is is_named
    for said in (
        "<code>mail.example.org</code>, port <code>8587</code>",
        f"<dd><code><bdi>{ADDRESS}</bdi></code></dd>",
    ):
        assert (said in page) is is_named


def test_a_mail_password_is_shown_once_and_revoked(site: Site) -> None:
    """It opens the SMTP door until it is revoked; a second look at the page does not show it."""
    site = site.with_parts(submission="mail.example.org:8587", submission_over_tls="mail.example.org:8465")
    alice = site.alice()
    answer = alice.submit("/account/mail-passwords", {"mail_name": "<Thunderbird>"}, page="/account")
    found = re.search(r'<code class="secret">([a-z2-8-]{23})</code>', answer.text)
    assert found
    assert authenticate_mail(site.database, found[1], NOON) is not None
    page = alice.get("/account").text
    assert found[1] not in page
    assert "&lt;Thunderbird&gt;" in page
    (key,) = re.findall(r'action="(/account/mail-passwords/[0-9a-f-]+/revoke)"', page)
    assert alice.submit(key, {}, page="/account").status_code == 303
    assert authenticate_mail(site.database, found[1], NOON) is None
    refused = alice.submit("/account/mail-passwords", {"mail_name": " "}, page="/account")
    assert 'id="mail_name-note" role="alert"' in refused.text


# ── Tracking ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_choice_of_the_set_up_can_be_changed(site: Site) -> None:
    """The page shows what holds; another choice is in force at once, for every page that names it."""
    alice = site.alice()
    for mode, said in ((TrackingMode.INDIVIDUAL, "tracked per recipient"), (TrackingMode.ANONYMOUS, "without names")):
        answer = alice.submit("/account/tracking", {"tracking": mode.value}, page="/account")
        assert answer.headers["location"] == "/account?done=tracking"
        assert chosen(site) is mode
        page = alice.get("/account?done=tracking").text
        assert "The choice is saved." in page
        assert f'value="{mode.value}" required checked' in page
        assert said in alice.get("/limits").text


@pytest.mark.parametrize("tracking", ["", "off", "everything"])
def test_what_is_no_choice_changes_nothing(site: Site, tracking: str) -> None:
    """Said beside the choices."""
    before = chosen(site)
    answer = site.alice().submit("/account/tracking", {"tracking": tracking}, page="/account")
    assert answer.status_code == 422
    assert "Choose one of the two." in answer.text
    assert chosen(site) is before


def test_a_setting_outweighs_the_choice(site: Site) -> None:
    """The page says which setting, offers nothing to choose, and refuses what is sent all the same."""
    before = chosen(site)
    fixed = site.with_parts(mode_is_fixed=True, unknown_mode=lambda _tx: TrackingMode.INDIVIDUAL)
    alice = fixed.alice()
    page = alice.get("/account").text
    assert page.count('name="tracking"') == page.count(" disabled>") == 2
    assert "RESONANZ_TRACKING_WITHOUT_CHOICE" in page
    assert alice.submit("/account/tracking", {"tracking": "individual"}, page="/account").status_code == 403
    assert chosen(site) is before


def chosen(site: Site) -> TrackingMode:
    """What is stored."""
    with site.database.read() as tx:
        return tracking_without_choice(tx)
