"""A mail looks the same after instrumenting, pixel for pixel, in a real browser that reaches no network."""

from __future__ import annotations

import pytest

from resonanz.mail import instrument_html
from tests.kit.letters import tracking
from tests.kit.rendering import Renderer, chromium

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")

MAILS = {
    "blocks without a margin": "<body style='margin:0'><div style='height:300px;background:#cde'>x</div></body>",
    "a last paragraph whose margin collapses": "<body><p>one</p><p style='margin-bottom:40px'>two</p></body>",
    "a table never closed": "<body style='margin:0'><table width='100%' border='1'><tr><td>x<td>y",
    "rules that blow images up": (
        "<style>img{width:100%!important;height:auto!important;border:9px solid red;margin:20px;padding:9px}</style>"
        "<body><p>x</p></body>"
    ),
    "a body that is a flex box": "<body style='display:flex;gap:20px'><p>one</p><p>two</p></body>",
    "text right up to the end": "<body style='margin:0'>text <b>bold</b> text",
    "no body at all": "<p>a fragment <a href='https://a.example'>link</a></p>\n",
    "right to left": "<body dir=rtl style='margin:0'><p>שלום <a href='https://a.example'>עולם</a></p></body>",
    "a page higher than the window": "<body style='margin:0'><div style='height:1500px;background:#eee'>x</div></body>",
    "content after the end": "<html><body><p>x</p></body></html><p>after</p>",
    "large enough to be clipped": f"<body style='margin:0'><p style='font-size:3px'>{'word ' * 21_500}</p></body>",
}


@pytest.fixture(scope="module")
def renderer():
    with Renderer() as renderer:
        yield renderer


@pytest.mark.parametrize("name", MAILS)
def test_the_picture_is_the_same(renderer: Renderer, name: str) -> None:
    """Before and after, the whole page is the same picture, its height included."""
    html = MAILS[name]
    result = instrument_html(html.encode(), tracking(), charset="utf-8")
    assert result.parts[0].pixel
    assert renderer.picture(result.message.decode()) == renderer.picture(html)
