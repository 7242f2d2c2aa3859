"""Every answer the edge gives, built once: status, headers in order, body.

The pixel is a transparent 1x1 GIF89a of 43 bytes. Nothing may be kept by a cache, or later opens would be hidden;
redirects send no Referer on, or the token would leak to the destination. No answer repeats anything of the request.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")

NOTHING: dict[str, Any] = {"type": "http.response.body", "body": b""}

_NO_STORE: HeaderList = [
    (b"cache-control", b"no-store, no-cache, must-revalidate, max-age=0, private"),
    (b"pragma", b"no-cache"),
    (b"expires", b"Thu, 01 Jan 1970 00:00:00 GMT"),
]
_REDIRECT: HeaderList = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"content-type", b"text/html; charset=utf-8"),
]


class Answer:
    """A constant answer: the ASGI messages for GET and HEAD, ready to be sent."""

    __slots__ = ("body", "start")

    def __init__(self, start: dict[str, Any], body: dict[str, Any]) -> None:
        self.start = start
        self.body = body

    async def send(self, send: Send, method: str) -> None:
        """Send it; HEAD gets the same headers and no body (RFC 9110 section 9.3.2)."""
        await send(self.start)
        await send(NOTHING if method == "HEAD" else self.body)


def answer(status: int, headers: HeaderList, body: bytes) -> Answer:
    """Build a constant answer; the length is added."""
    return Answer(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", str(len(body)).encode("ascii"))],
        },
        {"type": "http.response.body", "body": body},
    )


def redirect(to: bytes) -> Answer:
    """Build a 302 to `to`, which is ASCII and came out of a signed token."""
    link = escape(to.decode("ascii")).encode("ascii")
    return answer(
        302, [*_REDIRECT, (b"location", to)], b'<!doctype html><title>Moved</title><a href="%b">Go on</a>\n' % link
    )


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.0625rem/1.6 system-ui,sans-serif;max-width:34rem;margin:16vh auto 4rem;padding:0 1.5rem}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}"
    "button{font:inherit;font-weight:600;padding:.6rem 1.4rem;border:0;border-radius:.5rem;cursor:pointer;"
    "background:#1f5fd6;color:#fff}button:focus-visible{outline:3px solid #8fb4ff;outline-offset:2px}"
    "h2{font-size:1.0625rem;margin:2rem 0 0}h2~p{margin:.25rem 0 .75rem}"
    ".record{list-style:none;margin:1rem 0;padding:0;overflow-wrap:anywhere}"
    ".record li{padding:.8rem 0;border-top:1px solid #8886}.record b,.record small{display:block}"
    ".record small{font-size:.9rem;opacity:.8}"
    "button.other{background:none;color:inherit;box-shadow:inset 0 0 0 2px #888}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode("ascii")).digest()).decode("ascii")

_PAGE: HeaderList = [
    *_NO_STORE,
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'".encode("ascii"),
    ),
    (b"content-type", b"text/html; charset=utf-8"),
]


def page(status: int, title: str, *paragraphs: str, form: str = "", headers: HeaderList | None = None) -> Answer:
    """Build a static page. All texts are ours; `form` is HTML."""
    text = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in paragraphs)
    body = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{text}{form}</main>\n</body>\n</html>\n"
    )
    return answer(status, [*_PAGE, *(headers or [])], body.encode("utf-8"))


PIXEL = answer(200, [(b"content-type", b"image/gif"), *_NO_STORE], GIF)

HOME = page(
    200,
    "Links from e-mails",
    "This address carries links and images of e-mails. There is nothing to see here.",
    "If you came from a mail and expected something else, go back to the mail and follow its link again.",
)
NOT_FOUND = page(
    404,
    "This link does not work",
    "The address is not complete or was changed on its way. Go back to the mail and follow the link there.",
)
BLOCKED = page(
    410,
    "This link was withdrawn",
    "Whoever runs the system that this mail came from has withdrawn its links and documents: the mail was sent by "
    "mistake, or by somebody who should not have sent it.",
    "Do not look for the page elsewhere. If you have entered a password after following a link in this mail before, "
    "change that password now.",
)
UNSUBSCRIBE = page(
    200,
    "Unsubscribe?",
    "You will no longer get mails like the one you came from.",
    form='<form method="post"><input type="hidden" name="confirm" value="unsubscribe">'
    "<button>Unsubscribe</button></form>\n",
)
NOBODY_LEAVES, NOBODY_TO_LEAVE = (
    page(
        status,
        "You are still getting this mail",
        "This link is the same for everybody who got the mail: nothing in it says who you are, so nobody can be "
        "unsubscribed by it, and nothing was changed.",
        "Answer the mail instead, from the address that it came to, and ask its sender to take you off. If the mail "
        "has another link to unsubscribe, that one may be yours alone: try it first.",
    )
    for status in (200, 409)
)
UNSUBSCRIBED = page(200, "You are unsubscribed", "No more mails of this kind will be sent to your address.")
NOT_CONFIRMED = page(
    400,
    "That did not arrive complete",
    "Nothing was changed. Please press the button once more.",
    form='<form method="post"><input type="hidden" name="confirm" value="unsubscribe">'
    "<button>Unsubscribe</button></form>\n",
)


def _choice(heading: str, what: str, name: str, value: str, label: str, looks: str = "") -> str:
    """Return one thing to choose, with its button, as HTML."""
    shown = f' class="{looks}"' if looks else ""
    return (
        f"<h2>{heading}</h2>\n<p>{what}</p>\n"
        f'<form method="post"><button name="{name}" value="{value}"{shown}>{label}</button></form>\n'
    )


_TRACKING_OFF = _choice(
    "Mail without tracking",
    "You still get mail. New mails come without an image and with their original links; of those you have already, "
    "nothing more is recorded with your name.",
    "tracking",
    "off",
    "Stop tracking",
)
_TRACKING_ON = _choice(
    "Mail with tracking",
    "The sender may see, with your name, when you open mails, which links you follow and which documents you fetch. "
    "You can take that back here at any time.",
    "tracking",
    "on",
    "Allow tracking",
    "other",
)
_LEAVE = _choice(
    "No mail at all", "You will no longer get mails like this one.", "confirm", "unsubscribe", "Unsubscribe", "other"
)


def preferences(record: str) -> Answer:
    """Build the preference page; `record` is HTML on what is recorded of the mail, in front of the choices."""
    return page(
        200,
        "What the sender of this mail can see",
        "A mail can hold an image that tells when it is opened, and links that tell when they are followed. If this "
        "one does, its sender can see whether and when you opened it, which of its links you followed and documents "
        "you fetched, and with which sort of program. Your network address only serves to tell people from programs.",
        "Where a link leads to a site of the sender's own, that site may tell which of its pages you look at "
        "afterwards, unless your browser objects to that. The sender cannot see how long you read the mail, what else "
        "is in your mailbox or what you do elsewhere.",
        "You decide whether that goes on. What you choose counts for all mail from here to your address.",
        form=_TRACKING_OFF + _TRACKING_ON + _LEAVE + record,
    )


PREFERENCES_WITHOUT_RECORD = preferences(
    "<h2>What was recorded about this mail</h2>\n<p>This cannot be shown just now: the part of this system that knows "
    "it does not answer. Please look again in a minute. Your choices above work all the same.</p>\n"
)
PREFERENCES_WORDING = hashlib.sha256(preferences("").body["body"]).hexdigest()[:12]
"""Names the page's wording: kept with each choice, so that it can be shown later what somebody agreed to. The page
that confirms a choice offers the others in the same words."""

CHOSEN: dict[str, Answer] = {
    "off": page(
        200,
        "Tracking is off",
        "You still get mail. What you open and which links you follow is no longer recorded with your name, in mails "
        "that you have already as well. This takes effect within moments.",
        form=_TRACKING_ON + _LEAVE,
    ),
    "on": page(
        200,
        "Tracking is allowed",
        "The sender may see when you open mails, which links you follow and which documents you fetch.",
        form=_TRACKING_OFF + _LEAVE,
    ),
    "unsubscribe": UNSUBSCRIBED,
}
NOT_CHOSEN = page(
    400,
    "That did not arrive complete",
    "Nothing was changed. Please choose once more.",
    form=_TRACKING_OFF + _TRACKING_ON + _LEAVE,
)
NO_PREFERENCES, NOTHING_TO_CHOOSE = (
    page(
        status,
        "Nobody can be told from this page",
        "What you came from carries no id of a person: it is the same for everybody who got this mail. The sender can "
        "count how often its links and images were fetched, but not by whom. No record is kept of you.",
        "So there is nothing to switch off here, and nobody to be unsubscribed. If the mail in your mailbox has links "
        "for that, those are yours alone: follow them there.",
    )
    for status in (200, 409)
)
UNAVAILABLE = page(
    503,
    "Please try again in a minute",
    "Your request could not be stored just now, so it would be lost. Nothing was changed.",
    headers=[(b"retry-after", b"60")],
)
BUSY = page(
    503,
    "Too many are fetching just now",
    "This page or document is there, but so many are being fetched at this moment that it would take too long. Please "
    "try again in a minute.",
    headers=[(b"retry-after", b"60")],
)
READING = ("GET", "HEAD")
READING_AND_ACTING = ("GET", "HEAD", "POST")
ACTING = ("POST",)
NO_SUCH_METHOD: dict[tuple[str, ...], Answer] = {
    methods: page(405, "That cannot be done here", headers=[(b"allow", ", ".join(methods).encode("ascii"))])
    for methods in (READING, READING_AND_ACTING, ACTING)
}
TOO_SLOW = page(408, "That took too long")
BODY_TOO_LARGE = page(413, "That is too much")
PATH_TOO_LONG = page(414, "This address is too long")

ROBOTS = answer(
    200,
    [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"max-age=86400")],
    b"User-agent: *\nDisallow: /\n",
)
HEALTHY = answer(200, [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")], b"ok\n")
