"""Setting up, signing in and out, and how long a browser stays signed in."""

from __future__ import annotations

import re

import pytest

from resonanz.accounts import setup_link_secret, tracking_without_choice
from resonanz.accounts.throttle import ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK
from resonanz.dashboard.pages.signin import relative_path
from resonanz.model import TrackingMode
from resonanz.store.accounts import count_accounts
from tests.kit.accounts import ADDRESS, NOON, PASSWORD
from tests.kit.pages import Site

FORM = {"name": "Alice", "address": ADDRESS, "password": PASSWORD, "tracking": "individual"}


def test_before_the_set_up_everything_leads_to_it(empty_site: Site) -> None:
    """A stranger learns how to print the link, and no more."""
    visitor = empty_site.visitor()
    assert visitor.get("/").headers["location"] == "/sign-in"
    assert visitor.get("/sign-in").headers["location"] == "/set-up"
    assert "resonanz account link" in visitor.get("/set-up").text
    assert visitor.get("/set-up/guess").status_code == 403


def test_the_set_up_makes_the_account_and_signs_in(empty_site: Site) -> None:
    """Once: afterwards the same link leads to the sign-in."""
    path = f"/set-up/{setup_link_secret(empty_site.database, NOON)}"
    visitor = empty_site.visitor()
    assert visitor.submit(path, FORM).headers["location"] == "/"
    assert visitor.get("/").status_code == 200
    with empty_site.database.read() as tx:
        assert tracking_without_choice(tx) is TrackingMode.INDIVIDUAL
    assert empty_site.visitor().get(path).headers["location"] == "/sign-in"
    assert visitor.get("/sign-in").headers["location"] == "/"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "nowhere"}, "has no @"),
        ({"password": "short"}, "at least 10 characters"),
        ({"tracking": ""}, "Choose one of the two."),
        ({"tracking": "off"}, "Choose one of the two."),
    ],
)
def test_a_mistake_in_the_set_up_is_said_and_nothing_is_lost(
    empty_site: Site, changes: dict[str, str], said: str
) -> None:
    """The choice has to be made by somebody: there is no default. The password is never sent back."""
    path = f"/set-up/{setup_link_secret(empty_site.database, NOON)}"
    answer = empty_site.visitor().submit(path, FORM | changes)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Alice"' in answer.text
    assert PASSWORD not in answer.text
    with empty_site.database.read() as tx:
        assert count_accounts(tx) == 0


def test_the_set_up_asks_nothing_that_a_setting_says(empty_site: Site) -> None:
    """Where a setting fixes how people without a choice are tracked, the page says so and asks for no choice."""
    fixed = empty_site.with_parts(mode_is_fixed=True, unknown_mode=lambda _tx: TrackingMode.ANONYMOUS)
    path = f"/set-up/{setup_link_secret(fixed.database, NOON)}"
    visitor = fixed.visitor()
    page = visitor.get(path).text
    assert "counted without names" in page
    assert 'name="tracking"' not in page
    assert visitor.submit(path, {name: FORM[name] for name in FORM if name != "tracking"}).headers["location"] == "/"


def test_signing_in_leads_back_and_signing_out_ends_it(site: Site) -> None:
    """The page that was asked for comes first; after signing out the old cookie is worth nothing."""
    visitor = site.visitor()
    door = visitor.get("/messages?search=x").headers["location"]
    answer = visitor.submit(
        "/sign-in", {"address": ADDRESS, "password": PASSWORD, "next": "/messages?search=x"}, page=door
    )
    assert answer.headers["location"] == "/messages?search=x"
    cookie = visitor.client.cookies["resonanz-session"]
    assert visitor.submit("/sign-out", {}, page="/account").headers["location"] == "/sign-in"
    assert visitor.get("/").status_code == 303
    assert site.visitor().get("/", cookie=f"resonanz-session={cookie}").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "evil",
        "", "///evil.example", "http:evil.example", "/ü", "/a b", "\\\\evil.example", "/x\r\nSet-Cookie:x=y", "//[",
        "/\x00",
    ],
)  # fmt: skip
def test_signing_in_never_leads_elsewhere(site: Site, target: str) -> None:
    """Only a plain path of our own is followed; anything else leads to the start page."""
    assert relative_path(target) == "/"
    answer = site.visitor().submit("/sign-in", {"address": ADDRESS, "password": PASSWORD, "next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("target", ["/", "/messages?state=sent&search=a%20b", "/outbox/1"])
def test_a_plain_path_is_followed(target: str) -> None:
    """Pages of our own, with what they were asked."""
    assert relative_path(target) == target


def test_a_wrong_password_is_said_without_telling_who_has_an_account(site: Site) -> None:
    """Known and unknown addresses get the same page, but for the address that was typed."""
    pages = []
    for address in (ADDRESS, "nobody@example.org"):
        answer = site.visitor().submit("/sign-in", {"address": address, "password": "wrong"})
        assert answer.status_code == 422
        assert "wrong" not in answer.text.replace("Address or password is wrong.", "")
        pages.append(len(answer.text.replace(address, "")))
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("charset", "field"),
    [("utf-7", b"+2AA-@b.org"), ("undefined", b"a@b.org"), ("unicode_escape", rb"\ud800@b.org")],
)
def test_a_form_in_a_strange_encoding(site: Site, charset: str, field: bytes) -> None:
    """A form whose text no page could show again is refused as unreadable, whatever charset it claims."""
    visitor = site.visitor()
    parts = {b"form_token": visitor.token("/sign-in").encode(), b"address": field, b"password": b"x"}
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in parts.items()
    )
    kind = f"multipart/form-data; charset={charset}; boundary=b"
    answer = visitor.client.post("/sign-in", content=body + b"--b--\r\n", headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert "encoding" in answer.text


def test_guessing_ends(site: Site) -> None:
    """429 with the time to wait; the right password is refused too until then, and works afterwards."""
    for number in range(ATTEMPTS_PER_ADDRESS):
        answer = site.visitor(peer=f"192.0.2.{number}").submit("/sign-in", {"address": ADDRESS, "password": "no"})
        assert answer.status_code == 422
    answer = site.visitor(peer="198.51.100.1").submit("/sign-in", {"address": ADDRESS, "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "Try again in 15 minutes" in answer.text
    site.clock.move(minutes=15)
    site.alice(peer="198.51.100.1")


@pytest.mark.parametrize("forged", [True, False])
def test_the_networks_limit_cannot_be_talked_away(site: Site, forged: bool) -> None:
    """X-Forwarded-For from somebody who is no trusted proxy does not make a new network of every try."""
    statuses = set()
    for number in range(ATTEMPTS_PER_NETWORK + 1):
        headers = {"x-forwarded-for": f"203.0.113.{number}"} if forged else {}
        visitor = site.visitor(headers=headers)
        statuses.add(visitor.submit("/sign-in", {"address": f"p{number}@example.org", "password": "no"}).status_code)
    assert statuses == {422, 429}


def test_a_browser_stays_signed_in_while_it_is_used(site: Site) -> None:
    """The cookie is renewed together with the session, and not on every page."""
    alice = site.alice()
    assert "set-cookie" not in alice.get("/account").headers
    for _ in range(3):
        site.clock.move(days=20)
        answer = alice.get("/account")
        assert answer.status_code == 200
        assert "Max-Age=2592000" in answer.headers["set-cookie"]
    site.clock.move(days=31)
    assert alice.get("/account").status_code == 303


def test_after_a_wrong_password_the_password_has_the_focus(site: Site) -> None:
    """The address is still there; only what was wrong is typed again. Nothing is wrong yet: the address comes first."""
    visitor = site.visitor()
    focused = re.compile(r'<input[^>]* name="(\w+)"[^>]* autofocus')
    assert focused.findall(visitor.get("/sign-in").text) == ["address"]
    answer = visitor.submit("/sign-in", {"address": ADDRESS, "password": "wrong"})
    assert focused.findall(answer.text) == ["password"]
    assert f'value="{ADDRESS}"' in answer.text
