"""What may be tracked, and what came of it: the settings of one instrumentation, its reasons, its result."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from resonanz.mail.documents import Document
from resonanz.mail.structure import Part
from resonanz.mail.transfer import Splice
from resonanz.model import Coverage, InvalidInput, TrackingMode, value
from resonanz.tokens import Keys, TokenKind

_BASE_URL = re.compile(r"https?://[A-Za-z0-9.\-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~\-]+)*")

CLIPPED_AT = 102 * 1024  # bytes of HTML after which Gmail hides the rest behind a link


class Reason(StrEnum):
    """Why a mail, or one part of it, goes out as it came."""

    TRACKING_OFF = "tracking_off"  # opens and clicks are both off
    OPTED_OUT = "opted_out"  # the header X-No-Track
    SIGNED = "signed"  # S/MIME, PGP/MIME or inline PGP
    ENCRYPTED = "encrypted"
    DKIM_SIGNED = "dkim_signed"  # by a domain we do not sign for
    ARC_SEALED = "arc_sealed"  # a forwarder's seal covers the body
    REPORT = "report"  # a bounce, a receipt, a complaint
    AMBIGUOUS = "ambiguous_structure"  # programs would read its headers or boundaries in different ways
    NOTHING_TO_TRACK = "nothing_to_track"  # no part that is shown holds a link to follow or a place for a pixel
    ATTACHMENT = "attachment"
    NESTED_MESSAGE = "nested_message"
    CALENDAR = "calendar"
    NOT_SHOWN = "not_shown"  # a part of a type, or at a place, that readers do not see as the mail's text
    TEXT_LINKS_OFF = "text_links_off"
    DAMAGED_ENCODING = "damaged_encoding"  # the body is not what its transfer encoding says
    TOO_LARGE = "too_large"  # more markup or more links than any letter has
    UNUSABLE_CHARSET = "unusable_charset"  # markup cannot be found safely in this charset
    VERIFICATION_FAILED = "verification_failed"  # our own check of the result found a difference
    INTERNAL_FAILURE = "internal_failure"  # a defect of ours; the mail is unharmed


class LinkReason(StrEnum):
    """Why one link stays as the author wrote it."""

    TRACKING_OFF = "tracking_off"
    NOT_HTTP = "not_http"  # mailto, tel, sms, data, cid, javascript and whatever else is no web page
    ANCHOR = "anchor"
    EMPTY = "empty"
    RELATIVE = "relative"  # and no http base to resolve it against
    HOSTLESS = "hostless"  # `http://` and nothing to go to
    PLACEHOLDER = "placeholder"  # another system will put something here
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    EXCLUDED_HOST = "excluded_host"
    OPTED_OUT = "opted_out"  # a marker on the link
    VISIBLE_URL = "visible_url"  # its text is a URL that differs from where it leads; reads as phishing
    MALFORMED = "malformed"  # a quote was never closed, and markup ran into the host
    UNDECODABLE = "undecodable"  # bytes that are invalid in the part's charset
    ALREADY_OURS = "already_ours"  # it leads to the tracking host
    TOO_LONG = "too_long"  # no line or token can hold it
    NOT_CLICKABLE = "not_clickable"  # a stylesheet or the like inside an MSO comment


class Caution(StrEnum):
    """What the sender should know although the mail is tracked."""

    CLIPPED = "clipped"  # Gmail will clip it; the pixel stands near the top
    NO_PLACE_FOR_PIXEL = "no_place_for_pixel"
    LOGO_NOT_FOUND = "logo_not_found"  # no image has the address that was to carry the token; a pixel was added


@dataclass(frozen=True, slots=True)
class Tracking:
    """The settings of one instrumentation.

    `base_url` is the tracking host, no trailing slash: `https://t.example.org`. Tokens carry `message` where a mode is
    individual; where it is anonymous they carry `campaign`, or `message` when there is no campaign (then that must be
    the id of the submission, shared by all its copies). Raises InvalidInput for a base URL that cannot be written into
    a mail as it is.
    """

    base_url: str
    keys: Keys
    message: UUID
    campaign: UUID | None = None
    opens: TrackingMode = TrackingMode.INDIVIDUAL
    clicks: TrackingMode = TrackingMode.INDIVIDUAL
    text_links: bool = False
    """Track links in text/plain parts as well; their indices follow those of the HTML parts."""
    track_mismatched: bool = False
    """Track links whose visible text is a URL of another host than the one they lead to."""
    leave_visible_urls: bool = False
    """Leave every link whose visible text is a URL, so that text and target never differ, not even by us."""
    excluded_hosts: Sequence[str] = ()
    """Hosts that stay untracked, with all their subdomains."""
    utm: Mapping[str, str] = field(default_factory=dict)
    """Query parameters added to destinations that lack them: `{"utm_source": "news"}`."""
    resolve: Callable[[str], str | None] | None = None
    """Called with each placeholder in a link (`{{name}}`, `*|NAME|*`, …); returns what to put there, or None."""
    unsubscribe_url: str = ""
    preferences_url: str = ""
    browser_url: str = ""
    """Where `{{unsubscribe_url}}`, `{{preferences_url}}` and `{{browser_url}}` lead; empty means our own routes."""
    logo: str = ""
    """The `src` of an image of the author that carries the open token instead of a pixel."""
    resigned_domains: frozenset[str] = frozenset()
    """Domains whose DKIM signature is removed because we sign for them afterwards."""
    documents: Callable[[Part], bool] | None = None
    """Asked about each attachment; those it wants are taken out and replaced by links (`Instrumented.documents`)."""
    verify: bool = True
    """Hold the result against the input; whoever compiles a campaign does it once and not for every copy."""

    def __post_init__(self) -> None:
        if not _BASE_URL.fullmatch(self.base_url):
            raise InvalidInput(
                "not a base URL", where="base_url", remedy="give scheme and host, like https://t.example.org"
            )

    def own_url(self, kind: TokenKind) -> str | None:
        """Return the address that stands in for our own page of a kind, or None where ours does."""
        return {
            TokenKind.UNSUBSCRIBE: self.unsubscribe_url,
            TokenKind.PREFERENCES: self.preferences_url,
            TokenKind.VIEW: self.browser_url,
        }.get(kind) or None

    @property
    def is_off(self) -> bool:
        """Whether nothing at all may be tracked."""
        return self.opens is TrackingMode.OFF and self.clicks is TrackingMode.OFF


@value
class Link:
    """One rewritten link. `original` and `replacement` are the attribute value as written before and after, decoded
    from the part's charset; `destination` is the value after character references; `text` is what a reader sees."""

    index: int
    original: str
    destination: str
    url: str
    replacement: str
    text: str = ""
    kind: TokenKind = TokenKind.CLICK


@value
class Untracked:
    """One link left as it is, and why."""

    href: str
    reason: LinkReason


@dataclass(frozen=True, slots=True)
class PartReport:
    """What was done in one part. `reason` says why nothing was; `pixel` is the text that was inserted."""

    path: str
    type: str
    charset: str
    links: tuple[Link, ...] = ()
    untracked: tuple[Untracked, ...] = ()
    pixel: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Instrumented:
    """The result. `message` is what to send; `undo(message, splices)` is what came in.

    `tracked` is whether any byte was changed for tracking; if not, `reason` says why.
    """

    message: bytes
    tracked: bool
    reason: Reason | None
    parts: tuple[PartReport, ...] = ()
    splices: tuple[Splice, ...] = ()
    coverage: Coverage = Coverage.NOT_TRACKED
    warnings: tuple[Caution, ...] = ()
    documents: tuple[Document, ...] = ()

    @property
    def links(self) -> dict[int, Link]:
        """The rewritten links of all parts, by index."""
        return {link.index: link for part in self.parts for link in part.links if link.kind is TokenKind.CLICK}
