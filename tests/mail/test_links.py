"""Which links are tracked and where they lead; one case for each kind that real mail holds."""

from __future__ import annotations

import pytest

from resonanz.mail import LinkReason, instrument, instrument_html
from resonanz.model import TrackingMode
from resonanz.tokens import TokenKind, read
from tests.kit.letters import BASE_URL, CAMPAIGN, KEYS, mail, tracking


def only(html: str, **settings: object) -> tuple[str | None, LinkReason | None]:
    """Return destination and reason of the single link of a document; the destination comes out of the token."""
    result = instrument_html(html.encode(), tracking(**settings))
    part = result.parts[0]
    assert len(part.links) + len(part.untracked) == 1
    if part.untracked:
        return None, part.untracked[0].reason
    link = part.links[0]
    assert link.url.startswith(f"{BASE_URL}/c/")
    assert read(KEYS, link.url.rpartition("/")[2]).destination == link.destination
    return link.destination, None


@pytest.mark.parametrize(
    ("href", "destination"),
    [
        ("https://a.example/?x=1&amp;y=2", "https://a.example/?x=1&y=2"),
        ("https://a.example/?a=1&timestamp=2", "https://a.example/?a=1&timestamp=2"),
        ("HTTP://A.example", "HTTP://A.example"),
        ("https://a.example/p?f[]=1&g[x]=2#top", "https://a.example/p?f[]=1&g[x]=2#top"),
        ("https://a.example/100%25/%E2%82%AC", "https://a.example/100%25/%E2%82%AC"),
        ("https://müller.example/grün#straße", "https://müller.example/grün#straße"),
        ("https://ex.example/👍", "https://ex.example/👍"),
        ("https://user:pass@a.example/", "https://user:pass@a.example/"),
        (" https://a.example/x ", " https://a.example/x "),
        ("https://a.example/\nx", "https://a.example/\nx"),
        ("https://a.example/" + "x" * 3000, "https://a.example/" + "x" * 3000),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("https://a.example?x=%7B%7Bid%7D%7D", "https://a.example?x=%7B%7Bid%7D%7D"),
        ("https://a.example/?q=100%abc%20d", "https://a.example/?q=100%abc%20d"),
        ("https://a.example/?q=<b>", "https://a.example/?q=<b>"),
        ("https://a.example/<script>#</script>", "https://a.example/<script>#</script>"),
        ("https://a.example/?q=&lt;b&gt;&amp;r=1", "https://a.example/?q=<b>&r=1"),
    ],
)
def test_a_web_address_is_tracked_and_kept_exactly(href: str, destination: str) -> None:
    """The token holds the attribute value after character references, to the last character."""
    assert only(f'<a href="{href}">x</a>') == (destination, None)


@pytest.mark.parametrize(
    ("href", "reason"),
    [
        ("mailto:a@b.example", LinkReason.NOT_HTTP),
        ("tel:+49123", LinkReason.NOT_HTTP),
        ("sms:+49123", LinkReason.NOT_HTTP),
        ("data:text/plain,x", LinkReason.NOT_HTTP),
        ("cid:part1", LinkReason.NOT_HTTP),
        ("javascript:void(0)", LinkReason.NOT_HTTP),
        ("&#106;avascript:x", LinkReason.NOT_HTTP),
        ("#top", LinkReason.ANCHOR),
        (" #top", LinkReason.ANCHOR),
        ("", LinkReason.EMPTY),
        ("http://", LinkReason.HOSTLESS),
        ("https://?x", LinkReason.HOSTLESS),
        ("www.shop.example", LinkReason.RELATIVE),
        ("/path", LinkReason.RELATIVE),
        ("//a.example/x", LinkReason.RELATIVE),
        ('3D"https://a.example"', LinkReason.RELATIVE),
        ("{{link}}", LinkReason.PLACEHOLDER),
        ("https://a.example/?u={{ id }}", LinkReason.PLACEHOLDER),
        ("*|ARCHIVE|*", LinkReason.PLACEHOLDER),
        ("https://a.example/?e=*|EMAIL|*", LinkReason.PLACEHOLDER),
        ("%%view_url%%", LinkReason.PLACEHOLDER),
        ("https://a.example/[[id]]", LinkReason.PLACEHOLDER),
        ("http://[WEBVERSION]", LinkReason.PLACEHOLDER),
        ("https://a.example/%recipient.id%/", LinkReason.PLACEHOLDER),
        ("https://a.example/{% if x %}a{% endif %}", LinkReason.PLACEHOLDER),
        ("https://a.example>text</a><p class=", LinkReason.MALFORMED),
        ("https://a.example/unsubscribe?u=1", LinkReason.UNSUBSCRIBE),
        ("https://a.example/email-preferences", LinkReason.PREFERENCES),
        (f"{BASE_URL}/c/abc", LinkReason.ALREADY_OURS),
        ("https://a.example/" + "x" * 13_000, LinkReason.TOO_LONG),
    ],
)
def test_what_is_no_web_address_of_the_author_is_left_alone(href: str, reason: LinkReason) -> None:
    """Every such link stays as written and is listed with the reason that is right."""
    quote = "'" if '"' in href else '"'
    assert only(f"<a href={quote}{href}{quote}>x</a>") == (None, reason)


@pytest.mark.parametrize(
    "marker",
    [
        "data-no-track",
        'clicktracking="off"',
        "clicktracking=off",
        "mc:disable-tracking",
        'mautic:disable-tracking="true"',
        "data-skip-click",
        "DATA-NO-TRACK",
    ],
)
def test_an_opt_out_marker_is_honoured(marker: str) -> None:
    """The markers other systems taught authors keep a link untracked here too."""
    assert only(f'<a {marker} href="https://a.example">x</a>') == (None, LinkReason.OPTED_OUT)


@pytest.mark.parametrize("marker", ['data-no-track="false"', 'clicktracking="on"'])
def test_a_marker_that_says_no_is_no_opt_out(marker: str) -> None:
    """`data-no-track="false"` asks for tracking."""
    assert only(f'<a {marker} href="https://a.example">x</a>')[0] == "https://a.example"


@pytest.mark.parametrize(
    "text",
    [
        "Unsubscribe",
        "click here to <b>unsubscribe</b>",
        "Vom Newsletter abmelden",
        "Se désinscrire",
        "Darse de baja",
        "Отписаться",
        "退订",
        "<img src=x alt='Unsubscribe'>",
    ],
)
def test_a_foreign_unsubscribe_link_is_told_by_its_text(text: str) -> None:
    """Leaving a list must work even when the tracking host does not."""
    assert only(f'<a href="https://a.example/x9">{text}</a>') == (None, LinkReason.UNSUBSCRIBE)


@pytest.mark.parametrize("text", ["Manage preferences", "Email preferences", "Update your profile", "Preferences"])
def test_a_foreign_preference_link_is_told_by_its_text(text: str) -> None:
    """Settings of a list are nobody's interest."""
    assert only(f'<a href="https://a.example/x9">{text}</a>') == (None, LinkReason.PREFERENCES)


def test_a_text_that_shows_another_address_is_left_alone() -> None:
    """A link that shows one host and leads to another reads as phishing, unless a setting wants it tracked."""
    html = '<a href="https://click.example/x">www.bank.example</a>'
    assert only(html) == (None, LinkReason.VISIBLE_URL)
    assert only(html, track_mismatched=True)[0] == "https://click.example/x"


@pytest.mark.parametrize(
    "text", ["https://a.example/sale", "www.a.example", "Read more...", "Version 2.0", "see report.pdf", "report.pdf"]
)
def test_a_text_that_shows_its_own_address_is_tracked(text: str) -> None:
    """A link that shows where it leads is tracked; a stricter setting leaves every visible URL alone."""
    html = f'<a href="https://a.example/sale">{text}</a>'
    assert only(html)[0] == "https://a.example/sale"
    shows_url = "a.example" in text
    strict = only(html, leave_visible_urls=True)
    assert strict == ((None, LinkReason.VISIBLE_URL) if shows_url else ("https://a.example/sale", None))


def test_a_base_url_resolves_relative_links_and_stays() -> None:
    """Relative links lead where the document's base says; the base itself is never changed."""
    html = '<head><base href="https://a.example/shop/"></head><a href="sale?x=1&amp;y=2">x</a>'
    assert only(html)[0] == "https://a.example/shop/sale?x=1&y=2"
    assert b'<base href="https://a.example/shop/">' in instrument_html(html.encode(), tracking()).message
    assert only('<base href="/x/"><a href="sale">x</a>') == (None, LinkReason.RELATIVE)
    assert only('<a href="sale">x</a><base href="https://late.example/">')[0] == "https://late.example/sale"


def test_excluded_hosts_include_their_subdomains() -> None:
    """An excluded host stays untracked with everything below it, and nothing beside it."""
    settings = {"excluded_hosts": ["pay.example"]}
    assert only('<a href="https://pay.example/1">x</a>', **settings) == (None, LinkReason.EXCLUDED_HOST)
    assert only('<a href="https://eu.pay.example/1">x</a>', **settings) == (None, LinkReason.EXCLUDED_HOST)
    assert only('<a href="https://stripepay.example/1">x</a>', **settings)[0] == "https://stripepay.example/1"


def test_utm_parameters_are_added_only_where_missing() -> None:
    """UTM goes before the fragment, never replaces the author's, and never where the link opts out of it."""
    utm = {"utm_source": "news", "utm_medium": "e mail"}
    assert only('<a href="https://a.example/p#top">x</a>', utm=utm)[0] == (
        "https://a.example/p?utm_source=news&utm_medium=e%20mail#top"
    )
    assert only('<a href="https://a.example/?utm_source=own">x</a>', utm=utm)[0] == (
        "https://a.example/?utm_source=own&utm_medium=e%20mail"
    )
    assert only('<a data-skip-utm-params href="https://a.example/">x</a>', utm=utm)[0] == "https://a.example/"


def test_placeholders_are_resolved_when_somebody_can() -> None:
    """A resolver's values go into the destination; what it does not know keeps the link untracked."""
    known = {"{{id}}": "42", "*|NAME|*": "M"}
    html = '<a href="https://a.example/{{id}}/*|NAME|*">x</a>'
    assert only(html, resolve=known.get)[0] == "https://a.example/42/M"
    assert only('<a href="https://a.example/{{other}}">x</a>', resolve=known.get) == (None, LinkReason.PLACEHOLDER)


def test_our_own_unsubscribe_and_preference_links_get_their_own_route() -> None:
    """The two placeholders of ours become signed pages, also when clicks are not tracked."""
    html = b'<p>x</p><a href="{{ unsubscribe_url }}">leave</a> <a href="{{preferences_url}}">choose</a>'
    for clicks in TrackingMode:
        for opens in TrackingMode:
            result = instrument_html(html, tracking(clicks=clicks, opens=opens))
            leave, choose = result.parts[0].links
            assert leave.url.startswith(f"{BASE_URL}/u/")
            assert choose.url.startswith(f"{BASE_URL}/p/")
            assert read(KEYS, leave.url.rpartition("/")[2]).kind is TokenKind.UNSUBSCRIBE
            assert not read(KEYS, leave.url.rpartition("/")[2]).anonymous
            assert b"{{" not in result.message
    result = instrument_html(html, tracking(unsubscribe_url="https://own.example/out?a=1&b=2"))
    assert b'href="https://own.example/out?a=1&amp;b=2"' in result.message
    assert result.parts[0].links[0].url == "https://own.example/out?a=1&b=2"


@pytest.mark.parametrize("opens", TrackingMode)
@pytest.mark.parametrize("clicks", TrackingMode)
def test_the_link_to_the_browser_is_named_as_opens_are(opens: TrackingMode, clicks: TrackingMode) -> None:
    """It names the message where opens are tracked with names, else the campaign: its address tells nobody apart."""
    html = b'<p>x</p><a href="{{browser_url}}">in the browser</a>'
    settings = tracking(opens=opens, clicks=clicks, campaign=CAMPAIGN)
    (link,) = instrument_html(html, settings).parts[0].links
    assert link.url.startswith(f"{BASE_URL}/v/")
    token = read(KEYS, link.url.rpartition("/")[2])
    assert token.kind is TokenKind.VIEW
    named = opens is TrackingMode.INDIVIDUAL
    assert (token.id, token.anonymous) == (settings.message if named else CAMPAIGN, not named)


def test_the_link_to_the_browser_can_lead_elsewhere_and_works_in_text() -> None:
    """An address of the sender's own takes its place; plain text gets the signed one as well."""
    result = instrument_html(b'<a href="{{browser_url}}">x</a>', tracking(browser_url="https://own.example/web"))
    assert b'href="https://own.example/web"' in result.message
    plain = instrument(mail(b"In the browser: {{ browser_url }}", type="text/plain; charset=utf-8"), tracking())
    assert f"In the browser: {BASE_URL}/v/".encode() in plain.message


def test_the_same_address_twice_is_two_links() -> None:
    """Links are told apart by position, so that a report can say which of them was clicked."""
    result = instrument_html(b'<a href="https://a.example">1</a><a href="https://a.example">2</a>', tracking())
    assert [(index, link.text) for index, link in result.links.items()] == [(0, "1"), (1, "2")]
    assert result.links[0].url != result.links[1].url


def test_links_in_mso_comments_are_found_and_stylesheets_named() -> None:
    """Outlook's buttons are tracked; a stylesheet in the same comment is listed as nothing to click."""
    html = (
        b'<body><!--[if mso]><link href="https://f.example/x.css"><v:roundrect xmlns:v="urn:x" '
        b'href="https://a.example/buy?a=1&amp;b=2"><center>Buy</center></v:roundrect><![endif]-->'
        b'<!--[if !mso]><!--><a href="https://a.example/buy?a=1&amp;b=2">Buy</a><!--<![endif]--></body>'
    )
    part = instrument_html(html, tracking()).parts[0]
    assert [link.destination for link in part.links] == ["https://a.example/buy?a=1&b=2"] * 2
    assert [link.text for link in part.links] == ["Buy", "Buy"]
    assert [(left.href, left.reason) for left in part.untracked] == [
        ("https://f.example/x.css", LinkReason.NOT_CLICKABLE)
    ]
