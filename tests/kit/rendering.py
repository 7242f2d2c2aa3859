"""Pictures of HTML in a real Chromium that reaches no network."""

from __future__ import annotations

import shutil
from types import TracebackType

from playwright.sync_api import Route, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_TRANSPARENT = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


def chromium() -> str | None:
    """Return where Chromium is installed, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Renderer:
    """A browser as a context manager."""

    def __enter__(self) -> Renderer:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()

    def picture(self, html: str, width: int = 800) -> bytes:
        """Return a PNG of the whole page. Nothing is fetched but our own pixel, transparent as the edge's is."""
        context = self._browser.new_context(viewport={"width": width, "height": 600}, java_script_enabled=False)
        page = context.new_page()
        page.route("**/*", _answer)
        page.set_content(html, wait_until="load")
        shot = page.screenshot(full_page=True, animations="disabled")
        context.close()
        return shot


def _answer(route: Route) -> None:
    if "/o/" in route.request.url and route.request.url.endswith(".gif"):
        route.fulfill(body=_TRANSPARENT, content_type="image/gif")
    else:
        route.abort()
