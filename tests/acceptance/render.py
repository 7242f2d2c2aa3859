"""Mails look the same before and after, pixel for pixel, in Chromium, offline."""

from __future__ import annotations

from pathlib import Path

from resonanz.mail import instrument_html
from tests.acceptance.findings import Findings
from tests.kit.letters import tracking
from tests.kit.rendering import Renderer


def run(corpus: Path, findings: Findings) -> None:
    """Compare every mail that render.txt lists."""
    listing = corpus / "html" / "render.txt"
    names = listing.read_text("utf-8").split() if listing.exists() else []
    if not names:
        return
    with Renderer() as renderer:
        for name in names:
            data = (corpus / "html" / name).read_bytes()
            result = instrument_html(data, tracking())
            charset = result.parts[0].charset if result.parts else "utf-8"
            for width in (800, 375):
                before = renderer.picture(data.decode(charset, "replace"), width)
                after = renderer.picture(result.message.decode(charset, "replace"), width)
                findings.check(before == after, "pictures identical", name, f"at {width} pixels")
