"""Every page in real Chromium: nothing the content policy has to block, nothing wider than a phone, forms that work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.kit.instance import Instance
from tests.kit.listeners import Listener, listener
from tests.kit.waiting import wait_for

__all__ = ["listener"]

PAGES = (
    "/",
    "/messages",
    "/messages?search=nobody",
    "/compose",
    "/compose?kind=file",
    "/campaigns",
    "/campaigns/new",
    "/contacts",
    "/lists",
    "/outbox",
    "/account",
    "/webhooks",
    "/limits",
)
SCRIPTED = (
    "<!doctype html><p>Hello</p><script>top.location='/account'</script><img src=x onerror=\"document.title='ran'\">"
    '<form action="https://example.invalid"><button>Send</button></form><a href="https://example.invalid/x">A link</a>'
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One instance for all tests of this file."""
    settings = {"RESONANZ_WEBHOOK_PRIVATE_HOSTS": "localhost"}
    with Instance(Path(tmp_path_factory.mktemp("instance")), settings) as instance:
        yield instance


@pytest.fixture(scope="module")
def state(instance: Instance, chromium: Browser) -> dict[str, object]:
    """The cookies of whoever finished the set-up, after one mail was sent."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(instance.setup_link)
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("a lamp in the harbour")
    page.get_by_label("Count without names").check()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    page.goto(f"{instance.dashboard}/compose")
    page.get_by_label("To", exact=True).fill("grace@example.net, linus@example.net")
    page.get_by_label("Subject").fill("A" * 300)
    page.get_by_text("HTML, for a mail with layout").click()
    page.get_by_label("HTML", exact=True).fill(SCRIPTED)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("2 messages are stored")
    page.goto(f"{instance.dashboard}/messages")
    expect(page.locator("tbody").get_by_text("Delivered", exact=True)).to_have_count(2)  # what comes later is news
    page.goto(f"{instance.dashboard}/lists")
    page.get_by_label("Name").fill("Whoever asked for the letter at the fair in spring, and whose card we could read")
    page.get_by_role("button", name="Create").click()
    stored = context.storage_state()
    context.close()
    return dict(stored)


@pytest.fixture(params=["light", "dark", "phone"])
def visitor(request: pytest.FixtureRequest, chromium: Browser, state: dict[str, object]) -> Iterator[BrowserContext]:
    """A signed-in browser: by day, by night, and on a phone."""
    context = chromium.new_context(
        storage_state=state,  # type: ignore[arg-type]
        color_scheme="dark" if request.param == "dark" else "light",
        viewport={"width": 360, "height": 740} if request.param == "phone" else {"width": 1280, "height": 800},
    )
    yield context
    context.close()


def complaints_of(page: Page) -> list[str]:
    """What the browser complains about: script errors, and what the content policy had to block."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    return complaints


def test_every_page_is_clean_and_fits(visitor: BrowserContext, instance: Instance) -> None:
    """No complaint, no sideways scrolling, one heading, every field with a label; in light, dark and on a phone."""
    page = visitor.new_page()
    complaints = complaints_of(page)
    page.goto(f"{instance.dashboard}/messages")
    links = [link.get_attribute("href") or "" for link in page.locator("a.cell-title").all()]
    page.goto(f"{instance.dashboard}{links[0]}")
    submission = page.get_by_role("link", name=re.compile("one of 2")).get_attribute("href") or ""
    for path in (*PAGES, links[0], submission):
        page.goto(f"{instance.dashboard}{path}")
        assert page.get_by_role("heading", level=1).count() == 1, path
        width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], f"{path} is {width[0]} wide in {width[1]}"
        for field in page.locator("input:not([type=hidden]):not([hidden]), textarea, select").all():
            assert field.evaluate("field => field.labels.length"), f"{path}: a field without a label"
    assert complaints == []


def test_a_hostile_mail_cannot_leave_its_frame(visitor: BrowserContext, instance: Instance) -> None:
    """Its script does not run, its form does not send, its link opens in a tab of its own, by way of the edge."""
    page = visitor.new_page()
    page.goto(f"{instance.dashboard}/outbox")
    page.locator("a.cell-title").first.click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Hello")).to_be_visible()
    here = page.url

    def is_click(asked: Request) -> bool:
        return asked.url.startswith(f"{instance.edge}/c/")

    frame.get_by_role("button", name="Send").click()
    assert page.url == here
    expect(frame.get_by_text("Hello")).to_be_visible()
    inner = page.frames[1]
    assert inner.evaluate("document.title") == ""
    assert inner.evaluate("self.origin") == "null"
    with visitor.expect_page(), visitor.expect_event("request", is_click):
        frame.get_by_role("link", name="A link").click()
    assert page.url == here


def test_the_stream_pauses_while_the_tab_is_hidden(visitor: BrowserContext, instance: Instance) -> None:
    """The page says whether it is live; hidden it closes its stream, shown again it opens one."""
    page = visitor.new_page()
    page.goto(instance.dashboard)
    expect(page.locator("body")).to_have_attribute("data-stream", "on")
    page.evaluate("delete document.body.dataset.stream")
    for hidden in (True, False):
        page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
            " document.dispatchEvent(new Event('visibilitychange')) }",
            hidden,
        )
    expect(page.locator("body")).to_have_attribute("data-stream", "on")


def test_all_of_the_navigation_is_in_sight(visitor: BrowserContext, instance: Instance) -> None:
    """Every page and the way out, without scrolling sideways inside the bar; on a phone what is used daily stands in
    one line, and the rest is one press away, with the keyboard too."""
    page = visitor.new_page()
    page.goto(instance.dashboard)
    width = page.viewport_size["width"] if page.viewport_size else 0
    if width < 400:
        daily = page.get_by_role("navigation", name="Main").locator("a").all()
        lines = {(way.bounding_box() or {})["y"] for way in daily}
        assert len(lines) == 1
        expect(page.get_by_role("link", name="Account")).to_be_hidden()
        page.get_by_label("Menu").press("Space")
        expect(page.get_by_role("link", name="Account")).to_be_visible()
    ways = page.locator(".side a, .side button")
    assert ways.count() == 12
    for way in ways.all():
        box = way.bounding_box()
        assert box, way.inner_text()
        assert box["x"] >= 0, way.inner_text()
        assert box["x"] + box["width"] <= width, way.inner_text()
        assert way.evaluate("way => way.scrollWidth <= way.clientWidth"), way.inner_text()


def test_a_webhook_is_made_and_tried(visitor: BrowserContext, instance: Instance, listener: Listener) -> None:
    """Its secret is shown; a test that the running worker posts arrives signed, and its answer appears by itself."""
    page = visitor.new_page()
    complaints = complaints_of(page)
    page.goto(f"{instance.dashboard}/webhooks")
    page.get_by_role("textbox", name="Address").fill(listener.url.replace("127.0.0.1", "localhost"))
    page.get_by_role("button", name="Add", exact=True).click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#deliveries")).to_contain_text("delivered")
    (told,) = listener.told
    assert (told.type, told.is_signed_by(secret)) == ("webhook.test", True)
    page.get_by_role("button", name="Remove this webhook").click()
    expect(page.locator("main")).to_contain_text("Nothing more is told there")
    assert complaints == []


def test_only_what_is_new_glows(visitor: BrowserContext, instance: Instance) -> None:
    """When a part of the page is shown anew, the entries that were there before stay as they are."""
    page = visitor.new_page()
    page.goto(f"{instance.dashboard}/messages")
    page.locator("a.cell-title").first.click()
    entries = page.locator(".timeline > li")
    expect(entries).to_have_count(3)
    newest = entries.first.get_attribute("data-entry")
    page.evaluate("document.querySelector('.timeline > li').remove()")
    page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'live')")
    expect(entries).to_have_count(3)
    glowing = page.locator(".fresh")
    expect(glowing).to_have_count(1)
    expect(glowing).to_have_attribute("data-entry", newest or "")
    page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'live')")
    expect(glowing).to_have_count(0)


def test_news_do_not_swallow_a_press(chromium: Browser, state: dict[str, object], instance: Instance) -> None:
    """While a button is held down its part of the page stays; let go, it is shown anew."""
    context = chromium.new_context(storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{instance.dashboard}/messages")
    page.locator("a.cell-title").first.click()
    page.get_by_role("heading", level=1).hover()
    page.evaluate("window.entry = document.querySelector('.timeline > li')")
    page.mouse.down()
    stands = page.evaluate(
        "() => new Promise(done => { document.body.addEventListener('htmx:afterRequest', () => done(entry.isConnected),"
        " {once: true}); htmx.trigger(document.querySelector('[data-live]'), 'live') })"
    )
    assert stands
    page.mouse.up()
    # Asked again and again from outside: the page's own policy forbids waiting for it inside.
    wait_for(lambda: page.evaluate("!entry.isConnected"), "the entry to be drawn anew")
    context.close()


def test_figures_stand_in_even_rows(visitor: BrowserContext, instance: Instance) -> None:
    """Those beside each other are as wide as each other on a phone, and end where their card ends."""
    page = visitor.new_page()
    page.goto(f"{instance.dashboard}/messages")
    page.locator("a.cell-title").first.click()
    figures = page.locator(".figures > div")
    expect(figures).to_have_count(3)
    boxes = [figure.bounding_box() for figure in figures.all()]
    card = page.locator(".figures").bounding_box()
    assert card
    rows: dict[float, list[float]] = {}
    for box in boxes:
        assert box
        rows.setdefault(round(box["y"]), []).append(box["width"])
    for widths in rows.values():
        assert abs(sum(widths) - card["width"]) <= 1
    if (page.viewport_size or {})["width"] < 400:
        assert [len(widths) for widths in rows.values()] == [1, 2]
        assert abs(rows[max(rows)][0] - rows[max(rows)][1]) <= 1
