"""What a newcomer does, in real Chromium: `resonanz up`, an account, a mail, and watching what it sets in motion."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.kit.instance import Instance
from tests.kit.waiting import wait_for
from tests.kit.website import Website

# Where to leave the pictures of the README; by default they go with the test's other files.
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """Started with one command and no configuration but free ports."""
    with Instance(tmp_path, {"RESONANZ_TIMEZONE": "Europe/Berlin"}) as instance:
        yield instance


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[BrowserContext]:
    """A person's browser. Headless Chromium says that it is headless; a person's does not."""
    agent = (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{chromium.version.partition('.')[0]}.0.0.0 Safari/537.36"
    )
    context = chromium.new_context(user_agent=agent, viewport={"width": 1280, "height": 860})
    yield context
    context.close()


def test_a_newcomer_sends_a_mail_and_watches_it_live(
    instance: Instance, visitor: BrowserContext, website: Website, tmp_path: Path
) -> None:
    """From `resonanz up` to a mail seen sent, opened and clicked on a page that is never reloaded."""
    page = visitor.new_page()
    problems = _problems_of(page)
    _set_up(page, instance)
    _write(page, website)

    expect(page.get_by_role("heading", level=1)).to_have_text("The harbour in winter")
    expect(page.locator("main")).to_contain_text("Delivered")
    expect(page.locator("main")).not_to_contain_text("Opened by")
    page.evaluate("window.neverReloaded = true")

    reader = visitor.new_page()
    frame = _read(reader, instance)
    expect(page.locator("main")).to_contain_text("Opened")

    with visitor.expect_page() as arrival:
        frame.get_by_role("link", name="See the pictures").click()
    expect(arrival.value.get_by_role("heading")).to_have_text("You have arrived")
    assert wait_for(lambda: website.visited, "the visit") == ["/pictures?season=winter&from=mail"]

    page.bring_to_front()
    expect(page.locator("main")).to_contain_text("Clicked")
    expect(page.locator("main")).to_contain_text(f"{website.url}/pictures?season=winter&from=mail")
    assert page.evaluate("window.neverReloaded") is True
    assert problems == []

    pictures = Path(SCREENSHOTS) if SCREENSHOTS else tmp_path
    _take_picture(page, pictures / "message.png")
    page.goto(instance.dashboard)
    _take_picture(page, pictures / "home.png")
    assert instance.stop() == 0


def _problems_of(page: Page) -> list[str]:
    """Collect what the browser complains about: script errors, and everything the content policy had to block."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    return problems


def _take_picture(page: Page, path: Path) -> None:
    """Take a picture once what has just changed has stopped glowing."""
    settled = (  # asked again and again from outside: the page's own policy forbids waiting for it inside
        "document.getAnimations().every((one) => one.playState === 'finished' ||"
        " one.effect.getComputedTiming().iterations === Infinity)"
    )
    wait_for(lambda: page.evaluate(settled), "the page to settle")
    page.screenshot(path=path)


def _set_up(page: Page, instance: Instance) -> None:
    page.goto(instance.setup_link)
    page.get_by_label("Your name").fill("Ada Lind")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("a lamp in the harbour")
    page.get_by_label("Track per recipient").check()
    page.get_by_role("button", name="Create account").click()


def _write(page: Page, website: Website) -> None:
    page.get_by_role("link", name="Write a mail").first.click()
    page.get_by_label("From", exact=True).fill("Ada Lind <ada@example.org>")
    page.get_by_label("To", exact=True).fill("grace@example.net")
    page.get_by_label("Subject").fill("The harbour in winter")
    page.get_by_label("Text", exact=True).fill("The pictures are there.")
    page.get_by_text("HTML, for a mail with layout").click()
    page.get_by_label("HTML", exact=True).fill(
        "<h2>Dear Grace,</h2><p>the pictures from the harbour are there.</p>"
        f'<p><a href="{website.url}/pictures?season=winter&amp;from=mail">See the pictures</a></p><p>Ada</p>'
    )
    page.get_by_role("button", name="Send").click()


def _read(page: Page, instance: Instance):
    """Open the mail in the outbox, as its recipient would see it."""
    page.goto(f"{instance.dashboard}/outbox")
    page.get_by_role("link", name="The harbour in winter").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("link", name="See the pictures")).to_be_visible()
    return frame
