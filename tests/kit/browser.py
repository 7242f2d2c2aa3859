"""Real Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.kit.waiting import DEADLINE

ARGUMENTS = [
    "--no-sandbox",  # tests may run as root, in containers
    "--disable-gpu",
    "--no-first-run",
    # Without these Chromium asks its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")  # not longer: while Playwright is open its loop runs in this thread, asyncio.run fails
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    path = shutil.which("chromium")
    assert path, "these tests drive Chromium; `make test` installs it, or: apt install chromium"
    expect.set_options(timeout=DEADLINE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
