"""Which links are tracked, where each leads, and why another is left alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, urljoin, urlsplit

from resonanz.mail.references import resolve_references
from resonanz.mail.tracking import LinkReason, Tracking
from resonanz.mail.wording import is_preferences, is_unsubscribe
from resonanz.model import TrackingMode, value
from resonanz.tokens import MAX_TOKEN_CHARACTERS, TokenKind

# A token holds head, key id, id, index and tag besides the destination, and base64 makes four characters of three.
MAX_DESTINATION_OCTETS = MAX_TOKEN_CHARACTERS // 4 * 3 - 40

_OWN = re.compile(r"\{\{\s*(unsubscribe_url|preferences_url|browser_url)\s*\}\}")
_OWN_KINDS = {
    "unsubscribe_url": TokenKind.UNSUBSCRIBE,
    "preferences_url": TokenKind.PREFERENCES,
    "browser_url": TokenKind.VIEW,
}
PLACEHOLDER = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\*\|.*?\|\*|%%.*?%%|\[\[.*?\]\]|<%.*?%>|<\?.*?\?>|\[%.*?%\]|[$#]\{.*?\}|~~.+?~~|<<.+?>>"
    r"|\{[A-Za-z_][\w .:|\-]*\}|(?<![\w\]])\[[A-Za-z_][\w .:\-]*\]"
    r"|%[A-Za-z_][\w.\-]*%(?![0-9A-Fa-f]{2})|\|[A-Z_]{3,}\|",
    re.DOTALL,
)
# Cheap to ask of every link: without one of these there is no placeholder.
_MAY_HOLD_PLACEHOLDER = re.compile(r"[{\[<|~]|\*\||%[A-Za-z_%][^%]*%")
_PLAIN = re.compile(r"[!-~]*")
_STRAY = re.compile("[\t\r\n]")
_EDGES = "".join(map(chr, range(0x21)))
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_HOST = re.compile(r"https?:[/\\]{2}(?:[^/\\?#@]*@)*([^/\\?#@]*)", re.IGNORECASE)
_LOOKS_LIKE_URL = re.compile(
    r"(?:https?://(?:[^\s/?#@]*@)?([^\s/?#:]+)|((?:[\w\-]+\.)+[^\W\d_]{2,24}))(?::\d{1,5})?(?:[/?#]\S*)?", re.IGNORECASE
)
_FILE_ENDINGS = ("html", "htm", "pdf", "js", "php", "jpg", "png", "gif", "txt", "docx", "xlsx", "css", "net")
_OPT_OUTS = (b"data-no-track", b"mc:disable-tracking", b"mautic:disable-tracking", b"data-skip-click")
_SAYS_NO = {"false", "0", "no", "off"}


class Later(str):
    """A placeholder that a resolver leaves in a destination, to be filled for each recipient."""

    __slots__ = ()


@value
class Decision:
    """What becomes of one link: a destination and the kind of token that leads there, or a reason."""

    destination: str = ""
    kind: TokenKind = TokenKind.CLICK
    reason: LinkReason | None = None


class Policy:
    """The rules of one mail. `declared` are the addresses in its List-Unsubscribe header."""

    def __init__(self, tracking: Tracking, declared: frozenset[str]) -> None:
        self._tracking = tracking
        self._declared = declared
        self._tracking_host = host_of(tracking.base_url)
        self._excluded = tuple(host.lower().strip(".") for host in tracking.excluded_hosts)

    def judge(
        self, written: str, *, base: str = "", markers: Callable[[bytes], str | None], text: Callable[[], str]
    ) -> Decision:
        """Decide about one attribute value as written.

        `markers` returns an attribute's value or None; `text` what a reader sees. Both are asked only when needed.
        """
        value = resolve_references(written)
        own = _OWN.fullmatch(value.strip()) if "{{" in value else None
        if own:
            return Decision(kind=_OWN_KINDS[own.group(1)])
        if self._tracking.clicks is TrackingMode.OFF:
            return Decision(reason=LinkReason.TRACKING_OFF)
        if _MAY_HOLD_PLACEHOLDER.search(value) and PLACEHOLDER.search(value):
            resolved = self._resolve(value)
            if resolved is None:
                return Decision(reason=LinkReason.PLACEHOLDER)
            value = resolved
        return self._judge_url(value, base, markers, text)

    def _judge_url(
        self, value: str, base: str, markers: Callable[[bytes], str | None], text: Callable[[], str]
    ) -> Decision:
        cleaned = value if _PLAIN.fullmatch(value) else _STRAY.sub("", value).strip(_EDGES)
        # Whether an address that begins with a personal field is one on the web is known when the field is.
        reason = None if isinstance(value, Later) else self._classify(cleaned)
        if reason is LinkReason.RELATIVE and base:
            value = cleaned = urljoin(base, cleaned)
            reason = self._classify(cleaned)
        if reason is None:
            host = host_of(cleaned)
            reason = self._refuse_target(cleaned, host) or self._refuse_marked(markers)
            reason = reason or self._refuse_text(cleaned, host, text)
        if reason is not None:
            return Decision(reason=reason)
        utm = self._tracking.utm
        destination = add_utm(value, utm) if utm and markers(b"data-skip-utm-params") is None else value
        if len(destination.encode("utf-8", "surrogatepass")) > MAX_DESTINATION_OCTETS:
            return Decision(reason=LinkReason.TOO_LONG)
        return Decision(destination)

    def _resolve(self, value: str) -> str | None:
        resolve = self._tracking.resolve
        if resolve is None:
            return None
        values = [resolve(match.group()) for match in PLACEHOLDER.finditer(value)]
        if any(found is None for found in values):
            return None
        found = iter(values)
        resolved = PLACEHOLDER.sub(lambda _: next(found) or "", value)
        begins_later = isinstance(values[0], Later) and value.startswith(values[0])
        return Later(resolved) if begins_later else resolved

    def _classify(self, cleaned: str) -> LinkReason | None:
        if not cleaned:
            return LinkReason.EMPTY
        if cleaned[0] == "#":
            return LinkReason.ANCHOR
        scheme = _SCHEME.match(cleaned)
        if scheme is None:
            return LinkReason.RELATIVE
        if scheme.group(1).lower() not in ("http", "https"):
            return LinkReason.NOT_HTTP
        host = host_of(cleaned)
        # In a path or query both are data like any other (URL standard section 1.3); no host can hold them.
        if "<" in host or ">" in host:
            return LinkReason.MALFORMED
        return None if host else LinkReason.HOSTLESS

    def _refuse_target(self, cleaned: str, host: str) -> LinkReason | None:
        if self._excluded and any(host == excluded or host.endswith(f".{excluded}") for excluded in self._excluded):
            return LinkReason.EXCLUDED_HOST
        if cleaned.startswith(f"{self._tracking.base_url}/"):
            return LinkReason.ALREADY_OURS
        return None

    def _refuse_marked(self, markers: Callable[[bytes], str | None]) -> LinkReason | None:
        for name in _OPT_OUTS:
            value = markers(name)
            if value is not None and value.strip().lower() not in _SAYS_NO:
                return LinkReason.OPTED_OUT
        clicktracking = markers(b"clicktracking")
        if clicktracking is not None and clicktracking.strip().lower() in _SAYS_NO:
            return LinkReason.OPTED_OUT
        return None

    def _refuse_text(self, cleaned: str, host: str, text: Callable[[], str]) -> LinkReason | None:
        said = text()
        if cleaned in self._declared or is_unsubscribe(cleaned, said):
            return LinkReason.UNSUBSCRIBE
        if is_preferences(cleaned, said):
            return LinkReason.PREFERENCES
        return self._refuse_visible_url(host, said)

    def _refuse_visible_url(self, host: str, said: str) -> LinkReason | None:
        shown = visible_host(said)
        if not shown:
            return None
        if self._tracking.leave_visible_urls:
            return None if _is_of(self._tracking_host, shown) else LinkReason.VISIBLE_URL
        differs = not _is_of(host, shown)
        return LinkReason.VISIBLE_URL if differs and not self._tracking.track_mismatched else None


def visible_host(said: str) -> str:
    """Return the host that a link's text names when the text is itself a URL, else an empty string."""
    if "." not in said:
        return ""
    match = _LOOKS_LIKE_URL.fullmatch(said.strip().rstrip(".,;:!"))
    if match is None:
        return ""
    host = (match.group(1) or match.group(2)).lower().removeprefix("www.")
    return "" if match.group(1) is None and host.rpartition(".")[2] in _FILE_ENDINGS else host


def _is_of(host: str, shown: str) -> bool:
    """Whether a host is the one shown or lies below it."""
    return host.removeprefix("www.") == shown or host.endswith(f".{shown}")


def host_of(url: str) -> str:
    """Return the host of an http URL in lower case, without port and user; empty when there is none."""
    match = _HOST.match(url)
    if match is None:
        return ""
    host = match.group(1).strip().lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def add_utm(url: str, utm: Mapping[str, str]) -> str:
    """Return the URL with those query parameters that it lacks, before its fragment; the rest stays byte for byte."""
    before, hash_sign, fragment = url.partition("#")
    path, _, query = before.partition("?")
    present = {pair.partition("=")[0] for pair in re.split("[&;]", query)}
    missing = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in utm.items() if name not in present]
    if not missing:
        return url
    parts = [query, *missing] if query else missing
    return f"{path}?{'&'.join(parts)}{hash_sign}{fragment}"


def base_of(href: str) -> str:
    """Return a document's base URL if links can be resolved against it, else an empty string."""
    cleaned = _STRAY.sub("", resolve_references(href)).strip(_EDGES)
    if PLACEHOLDER.search(cleaned) or urlsplit_scheme(cleaned) not in ("http", "https") or not host_of(cleaned):
        return ""
    return cleaned


def urlsplit_scheme(url: str) -> str:
    """Return a URL's scheme in lower case, empty when it has none or is none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""
