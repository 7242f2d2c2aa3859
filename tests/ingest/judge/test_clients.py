"""Which program stands behind a user agent."""
# ruff: noqa: E501  # user agents are as long as they are

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.ingest.judge import shapes
from resonanz.ingest.judge.agents import AGENTS, Machine, find
from resonanz.ingest.judge.clients import MAX_AGENT_CHARACTERS, identify
from resonanz.model import Client, ClientKind
from tests.kit.cast import GMAIL

MAIL, PROXY, BROWSER, UNKNOWN = (
    ClientKind.MAIL_CLIENT,
    ClientKind.MAIL_PROXY,
    ClientKind.BROWSER,
    ClientKind.UNKNOWN,
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"


@pytest.mark.parametrize(
    ("user_agent", "client"),
    [
        # Mail clients; the system and the device from the string, or from the name where only that tells them.
        ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.6326; Pro)", Client(MAIL, "Outlook (Windows)", "Windows", "desktop")),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0; Microsoft Outlook 15.0.4420)", Client(MAIL, "Outlook (Windows)", "Windows", "desktop")),
        ("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", Client(MAIL, "Outlook (Windows)", "Windows", "desktop")),
        ("MacOutlook/15.27.0.161010 (Intelx64 Mac OS X Version 10.11.6 (Build 15G1108))", Client(MAIL, "Outlook (Mac)", "macOS", "desktop")),
        ("Outlook-iOS/709.2189947.prod.iphone (3.24.0)", Client(MAIL, "Outlook (iOS)", "iOS", "phone")),
        ("Outlook-Android/2.0", Client(MAIL, "Outlook (Android)", "Android", "phone")),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0", Client(MAIL, "Thunderbird", "Linux", "desktop")),
        ("Mozilla/5.0 (Windows NT 6.2; WOW64; rv:7.0.1) Gecko/20151105 Postbox/4.0.8", Client(MAIL, "Postbox", "Windows", "desktop")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", Client(MAIL, "Apple Mail", "macOS", "desktop")),
        ("Airmail 1.0.6 rv:196 (Macintosh; Mac OS X 10.8.4; en_GB)", Client(MAIL, "Airmail", "macOS", "desktop")),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/534.34 (KHTML, like Gecko) kmail2/4.14.2 Safari/534.34", Client(MAIL, "KMail", "Linux", "desktop")),
        ("Evolution/3.26.2.1", Client(MAIL, "Evolution", "Linux", "desktop")),
        ("The Bat! 4.0.0.22", Client(MAIL, "The Bat!", "Windows", "desktop")),
        ("Superhuman", Client(MAIL, "Superhuman")),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0 OneOutlook/1.2024.1212.100", Client(MAIL, "Outlook (new)", "Windows", "desktop")),
        (f"{IPHONE} Mobile/15E148 OutlookMobile-iOS/4.2430.0", Client(MAIL, "Outlook (iOS)", "iOS", "phone")),
        ("Outlook/16.89.0 CFNetwork/902.1 Darwin/17.7.0 (x86_64)", Client(MAIL, "Outlook (Mac)", "macOS", "desktop")),
        ("WindowsMail/17.5.9600.22013", Client(MAIL, "Windows Mail", "Windows", "desktop")),
        ("Yahoo%20Mail/49268 CFNetwork/1121.2.2 Darwin/19.3.0", Client(MAIL, "Yahoo Mail app", "iOS", "phone")),
        ("Postbox 7.0b14 (Windows/2009072715)", Client(MAIL, "Postbox", "Windows", "desktop")),
        (f"{IPHONE} Mobile/15F79 MailMaster/6.5.3.1210", Client(MAIL, "Mail Master", "iOS", "phone")),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) tutanota-desktop/258.241202 Chrome/130.0.0.0 Electron/33.2.0 Safari/537.36", Client(MAIL, "Tuta", "Windows", "desktop")),
        ("SomebodyMail/2.2 (Android 15; Pixel 9)", Client(MAIL, "Mail app", "Android")),
        # Proxies hide everything behind them.
        (GMAIL, Client(PROXY, "Gmail image proxy")),
        ("Firefox/11.0 (via ggpht.com GoogleImageProxy)", Client(PROXY, "Gmail image proxy")),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", Client(PROXY, "Yahoo Mail proxy")),
        ("hey.com/imageproxy Mozilla/5.0 (compatible)", Client(PROXY, "HEY image proxy")),
        ("FastmailUA/1.0", Client(PROXY, "Fastmail image proxy")),
        ("Mozilla/5.0 SeznamEmailProxy/2.0.174", Client(PROXY, "Seznam Email proxy")),
        ("RamblerMail/6.0 (incompatible; ImageProxy/6.0)", Client(PROXY, "Rambler Mail image proxy")),
        ("Mozilla/5.0 (compatible; SomeMailImageProxy/1.0)", Client(PROXY, "Mail image proxy")),
        # Browsers, under one name wherever they run.
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", Client(BROWSER, "Chrome", "Windows", "desktop")),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", Client(BROWSER, "Edge", "Windows", "desktop")),
        (f"{ANDROID} Chrome/141.0.0.0 Mobile Safari/537.36", Client(BROWSER, "Chrome", "Android", "phone")),
        (f"{ANDROID} Chrome/141.0.0.0 Safari/537.36", Client(BROWSER, "Chrome", "Android", "tablet")),
        (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", Client(BROWSER, "Safari", "iOS", "phone")),
        (f"{IPHONE} CriOS/141.0.0.0 Mobile/15E148 Safari/604.1", Client(BROWSER, "Chrome", "iOS", "phone")),
        (f"{WINDOWS[:-1]}; rv:143.0) Gecko/20100101 Firefox/143.0", Client(BROWSER, "Firefox", "Windows", "desktop")),
        # A bare web view could be anything: no guess.
        (f"{IPHONE} Mobile/15E148", Client(UNKNOWN, "", "iOS", "phone")),
        ("Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0 Mobile Safari/537.36", Client(UNKNOWN, "", "Android", "phone")),
        ("Mozilla/5.0", Client(UNKNOWN, "")),
        ("", Client(UNKNOWN, "")),
        # Machines.
        ("okhttp/4.12.0", Client(ClientKind.LIBRARY, "OkHttp")),
        ("curl/8.5.0", Client(ClientKind.BOT, "curl")),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Client(ClientKind.BOT, "Slack preview")),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Client(ClientKind.BOT, "Googlebot")),
    ],
)  # fmt: skip
def test_the_program_behind_a_user_agent(user_agent: str, client: Client) -> None:
    """Name, kind, system and device, each only where the string really tells it."""
    assert identify(user_agent).client == client


def test_a_cubot_is_a_phone() -> None:
    """Words that machines use also stand in names of things people own."""
    agent = "Mozilla/5.0 (Linux; Android 12; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
    assert identify(agent).client == Client(BROWSER, "Chrome", "Android", "phone")


@pytest.mark.parametrize(
    ("user_agent", "machine"),
    [
        # A calling card, words put into an engine's boast, a copied browser with a word behind it, no platform at all.
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 (example.com)", Machine.CRAWLER),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko; Somebody) Chrome/141.0.0.0 Safari/537.36", Machine.CRAWLER),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Somebody", Machine.CRAWLER),
        ("Mozilla/5.0 (compatible; Somebody/1.0)", Machine.CRAWLER),
        ("Mozilla/5.0 (Windows NT 6.1) Gecko/20100101 Thunderbird/115.0 http://example.com/crawler", Machine.CRAWLER),
        ("Mozilla/5.0 Somebody/2.0", Machine.PROGRAM),
        ("Somebody/1.0", Machine.PROGRAM),
        # And what people do read with.
        ("Somebody's Mail/1.0", None),
        ("Mozilla/5.0", None),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Somebody/1.0", None),
        ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; .NET CLR 2.0.50727; ASP.NET)", None),
        (f"{ANDROID} Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36 Somebody", None),
        ("Reader/2.1 (iPhone; iOS 18.5; Scale/3.00)", None),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 SomeBrowser", None),
        (f"{WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) WhatsApp/2.2450.8 Chrome/128.0.0.0 Electron/32.1.2 Safari/537.36", None),
        (f"{ANDROID} Version/4.0 Chrome/141.0.0.0 Mobile Safari/537.36 shop-checkout/2", None),
    ],
)  # fmt: skip
def test_machines_by_their_shape(user_agent: str, machine: Machine | None) -> None:
    """What no table names is a machine where its string has the shape of one, and only there."""
    assert identify(user_agent).machine is machine


def test_no_row_of_the_table_hides_behind_another() -> None:
    """Each marker, shown what it looks for, is the one that answers; else the order of rows is wrong."""
    samples = {
        "Gmail image proxy": "GoogleImageProxy",
        "Outlook (iOS, Android)": "Mozilla/5.0 (iPhone) Outlook-iOS-Android/1.0 Mobile",
        "Betterbird": "Gecko/20100101 Thunderbird/115 Betterbird/115",
        "DAVx⁵": "DAVx5/4.3 (okhttp/4.12)",
        "Google preview": "Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
    }
    for name, sample in samples.items():
        found = find(sample)
        assert found is not None
        assert found.name == name
    assert {agent.machine for agent in AGENTS if agent.kind is ClientKind.MAIL_CLIENT} == {None}
    assert all((agent.machine is None) == (agent.kind in (MAIL, PROXY)) for agent in AGENTS)


@given(
    st.text(max_size=2 * MAX_AGENT_CHARACTERS) | st.text(max_size=20).map(lambda text: f"Mozilla/5.0 {text}bot\ud800\0")
)
def test_any_string_gets_an_answer_that_fits_into_a_row(user_agent: str) -> None:
    """User agents are foreign text; whatever they hold, a client comes out that fits into a row."""
    client = identify(user_agent).client
    assert all("\0" not in text and text.encode() is not None for text in (client.name, client.os, client.device))
    assert all(len(text) <= MAX_AGENT_CHARACTERS for text in (client.name, client.os, client.device))


@pytest.mark.parametrize(
    ("pattern", "marks"),
    [(shapes._WORDS, shapes._WORD_MARKS), (shapes._CARD, shapes._CARD_MARKS)],
    ids=["words", "calling cards"],
)
@given(data=st.data())
def test_looking_for_plain_text_first_misses_nothing(
    pattern: re.Pattern[str], marks: tuple[str, ...], data: st.DataObject
) -> None:
    """Whatever a slow pattern finds holds one of the marks that are looked for before it."""
    folded = data.draw(st.from_regex(pattern)).casefold()
    assert any(mark in folded for mark in marks)
