"""From a mail to the sender's own site: what a real browser reports of a visit, and what it does not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from uuid import UUID

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from resonanz.insight import Entry, message_page
from resonanz.model import EventKind
from resonanz.store import Database, open_database
from tests.kit.browser import ARGUMENTS
from tests.kit.cast import BROWSER
from tests.kit.instance import Instance
from tests.kit.waiting import wait_for
from tests.kit.website import Website

GRACE = "grace@rcpt.test"
OBJECTING = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """`resonanz up` with the built-in outbox; the test's website is the sender's own."""
    settings = {"RESONANZ_TRACKING_WITHOUT_CHOICE": "individual", "RESONANZ_SITES": "127.0.0.1"}
    with Instance(tmp_path_factory.mktemp("instance"), settings) as instance:
        wait_for((instance.data / "snapshot").exists, "the snapshot")
        yield instance


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Iterator[Browser]:
    """A browser that never says it has no head: what it sends as a page goes away has its name from the start."""
    path = shutil.which("chromium")
    named = chromium.browser_type.launch(executable_path=path, args=[*ARGUMENTS, f"--user-agent={BROWSER}"])
    yield named
    named.close()


@pytest.fixture
def database(instance: Instance) -> Iterator[Database]:
    """A look into its database."""
    with closing(open_database(f"sqlite:///{instance.data / 'resonanz.sqlite'}")) as database:
        yield database


@pytest.fixture
def site(instance: Instance, website: Website) -> Website:
    """The sender's site, with the script on its pages."""
    website.page = (
        f'<!doctype html><title>Prices</title><script src="{instance.edge}/s.js" defer></script>'
        '<h1>Prices</h1><a href="/order" data-resonanz="order">Order</a>'
    ).encode()
    return website


def test_a_visit_is_in_the_timeline(instance: Instance, database: Database, site: Website, browser: Browser) -> None:
    """Mail, click, page, what is clicked there, and the next page: each an entry of the mail it came from."""
    message, link = receive(instance, f"{site.url}/prices?id=7&utm_source=news")
    with browser.new_context() as context:
        context.clock.install()
        page = context.new_page()
        page.goto(link)
        expect(page).to_have_url(f"{site.url}/prices?id=7&utm_source=news")
        page.clock.run_for(5_000)
        page.get_by_role("link", name="Order").click()
        expect(page).to_have_url(f"{site.url}/order")
        page.clock.run_for(1_000)
        assert context.cookies() == []
        assert page.evaluate("localStorage.length") == 0
    wait_for(lambda: len(visits(database, message)) == 3, "the visits")
    (clicked,) = entries(database, message, EventKind.CLICKED)
    prices, element, order = visits(database, message)
    assert prices.event.url == f"{site.url}/prices?utm_source=news"
    assert (prices.event.detail["title"], prices.event.link) == ("Prices", clicked.event.link)
    assert wait_for(lambda: visits(database, message)[0].seconds, "the time on the page") >= 5
    assert element.event.detail["element"] == "order"
    assert (order.event.url, order.event.detail["from"]) == (f"{site.url}/order", "/prices")
    assert site.visited == ["/prices?id=7&utm_source=news", "/order"], "no token ever reaches the site"


@pytest.mark.parametrize("by", ["header", "script"])
def test_who_objects_is_not_recorded(
    instance: Instance, database: Database, site: Website, browser: Browser, by: str
) -> None:
    """With Global Privacy Control on, nothing is sent, whether the edge hears of it or only the script does."""
    message, link = receive(instance, f"{site.url}/prices")
    headers = {"Sec-GPC": "1"} if by == "header" else {}
    with browser.new_context(extra_http_headers=headers) as context:
        context.add_init_script(OBJECTING)
        page = context.new_page()
        asked = requests_of(page)
        page.goto(link)
        expect(page).to_have_url(f"{site.url}/prices")
        page.get_by_role("link", name="Order").click()
        expect(page).to_have_url(f"{site.url}/order")
        assert page.evaluate("sessionStorage.length") == 0
    assert f"{instance.edge}/s.js" in asked
    assert f"{instance.edge}/b" not in asked
    wait_for(lambda: entries(database, message, EventKind.CLICKED), "the click")
    assert visits(database, message) == []


def test_a_page_without_a_click_reports_nothing(instance: Instance, site: Website, browser: Browser) -> None:
    """Who comes to the site by themselves is nobody to the script."""
    with browser.new_context() as context:
        page = context.new_page()
        asked = requests_of(page)
        page.goto(f"{site.url}/prices#rz=short")
        page.get_by_role("link", name="Order").click()
        expect(page).to_have_url(f"{site.url}/order")
    assert f"{instance.edge}/b" not in asked


def test_a_mail_in_the_browser(instance: Instance, database: Database, browser: Browser) -> None:
    """The page is the mail without its pixel; its script does not run, looking is recorded, and its reader is told."""
    message, _ = receive(instance, "https://example.org/", extra="<script>document.title = 'hacked'</script>")
    html = copy_of(instance, message)
    (address,) = re.findall(r'"(http[^"]+/v/[^"]+)"', html)
    with browser.new_context() as context:
        page = context.new_page()
        asked = requests_of(page)
        page.goto(address)
        expect(page.get_by_text("The link")).to_be_visible()
        assert page.title() != "hacked"
        assert not [url for url in asked if "/o/" in url]
        wait_for(lambda: entries(database, message, EventKind.SHOWN), "the look")
        (preferences,) = re.findall(r'"(http[^"]+/p/[^"]+)"', html)
        page.goto(preferences)
        expect(page.locator(".record")).to_contain_text("The mail was looked at in a browser")
        expect(page.get_by_role("button", name="Stop tracking")).to_be_visible()
    assert not entries(database, message, EventKind.OPENED)
    with httpx2.Client() as client:
        token = address.rpartition("/")[2]
        assert client.get(f"{instance.dashboard}/readers/copy/{token}").status_code == 404


def requests_of(page: Page) -> list[str]:
    """The addresses a page asks for, as it does."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def receive(instance: Instance, destination: str, extra: str = "") -> tuple[UUID, str]:
    """Send a mail with one link, and return its id and where the link in the outbox's copy leads."""
    mail = (
        "From: Ada <ada@sender.test>\nTo: Grace <grace@rcpt.test>\nSubject: Prices\nMIME-Version: 1.0\n"
        "Content-Type: text/html; charset=utf-8\n\n"
        f'<html><body>{extra}<p><a href="{destination.replace("&", "&amp;")}">The link</a></p>'
        '<p><a href="{{browser_url}}">Browser</a> <a href="{{preferences_url}}">You decide</a></p></body></html>\n'
    )
    done = instance.run("send", "-", "--json", "--to", GRACE, stdin=mail.encode())
    assert done.returncode == 0, done.stderr
    (sent,) = json.loads(done.stdout)["messages"]
    message = UUID(sent["id"])
    (link,) = re.findall(r'"(http[^"]+/c/[^"]+)"', copy_of(instance, message))
    return message, link


def copy_of(instance: Instance, message: UUID) -> str:
    """The HTML of the copy in the outbox."""
    copy = instance.data / "outbox" / f"{message}.eml"
    wait_for(copy.exists, "the mail")
    return str(message_from_bytes(copy.read_bytes(), policy=policy.default).get_content())  # type: ignore[attr-defined]


def entries(database: Database, message: UUID, kind: EventKind) -> list[Entry]:
    """The entries of one kind in a message's timeline."""
    page = message_page(database, message)
    assert page is not None
    return [entry for entry in page.timeline if entry.event.kind is kind]


def visits(database: Database, message: UUID) -> list[Entry]:
    return entries(database, message, EventKind.VISITED)
