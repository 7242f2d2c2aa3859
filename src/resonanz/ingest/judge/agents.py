"""The programs we know by name: mail clients and proxies, scanners, previews, crawlers, libraries.

Asked before any general parser, because to those a mail proxy is a bot and a mail client an old browser. A row is one
marker in the user agent; the first that matches decides, so more special rows stand above more general ones. Markers
are taken from what the programs send, as their makers document it or as uap-core's test cases (Apache-2.0) show it.
They are written for the regular expressions of uap-core's engine, which tries all of them in one go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from resonanz.model import ClientKind

if TYPE_CHECKING:
    from ua_parser import PartialResult


class Machine(StrEnum):
    """Sorts of programs that act for nobody who reads the mail."""

    SCANNER = "scanner"
    PREVIEW = "preview"
    CRAWLER = "crawler"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Agent:
    """One row: what to look for, and what it is. `os` and `device` only where the name alone tells them."""

    marker: str
    kind: ClientKind
    name: str
    machine: Machine | None = None
    os: str = ""
    device: str = ""


def find(user_agent: str) -> Agent | None:
    """Return the first row that matches."""
    found = _search()(user_agent).user_agent
    return AGENTS[int(found.family)] if found is not None else None


@cache
def _search() -> Callable[[str], PartialResult]:
    """Compile the table when it is first asked: doors that judge nothing do without the parser."""
    from ua_parser import Domain
    from ua_parser.matchers import UserAgentMatcher
    from ua_parser.regex import Resolver as RustResolver

    search = RustResolver(([UserAgentMatcher(agent.marker, str(row)) for row, agent in enumerate(AGENTS)], [], []))
    return lambda user_agent: search(user_agent, Domain.USER_AGENT)


def _proxy(marker: str, name: str) -> Agent:
    return Agent(marker, ClientKind.MAIL_PROXY, name)


def _mail(marker: str, name: str, os: str = "", device: str = "") -> Agent:
    return Agent(marker, ClientKind.MAIL_CLIENT, name, None, os, device)


def _scanner(marker: str, name: str) -> Agent:
    return Agent("(?i)" + marker, ClientKind.BOT, name, Machine.SCANNER)


def _preview(marker: str, name: str) -> Agent:
    return Agent("(?i)" + marker, ClientKind.BOT, name, Machine.PREVIEW)


def _script(marker: str, name: str) -> Agent:
    return Agent("(?i)" + marker, ClientKind.BOT, name, Machine.PROGRAM)


def _library(marker: str, name: str) -> Agent:
    return Agent("(?i)" + marker, ClientKind.LIBRARY, name, Machine.PROGRAM)


_PROXIES = (
    _proxy(r"GoogleImageProxy", "Gmail image proxy"),
    _proxy(r"YahooMailProxy", "Yahoo Mail proxy"),
    _proxy(r"^hey\.com/imageproxy", "HEY image proxy"),
    _proxy(r"^FastmailUA/", "Fastmail image proxy"),
    _proxy(r"SeznamEmailProxy", "Seznam Email proxy"),
    _proxy(r"^RamblerMail/.*ImageProxy", "Rambler Mail image proxy"),
    _proxy(r"\bmail\.ukr\.net proxy\)", "UKR.NET image proxy"),
    _proxy(r"(?i)\(via [^)]*\bmail[^)]* proxy\)|mail[a-z]*[ -]?(?:image[ -]?)?proxy\b", "Mail image proxy"),
)

_MAIL_CLIENTS = (
    # Microsoft. Outlook for Windows renders with Word and asks as Office, or as an Internet Explorer that names Office.
    _mail(r"\bOutlook-iOS-Android/", "Outlook (iOS, Android)"),
    _mail(r"\bOutlook(?:Mobile)?-iOS/", "Outlook (iOS)", "iOS", "phone"),
    _mail(r"\bOutlook(?:Mobile)?-Android/", "Outlook (Android)", "Android", "phone"),
    _mail(
        r"^MacOutlook/|^Outlook/[\d.]+ CFNetwork/|^Microsoft Outlook [^(]*\(Macintosh",
        "Outlook (Mac)",
        "macOS",
        "desktop",
    ),
    _mail(r"^Outlook-Express/", "Windows Live Mail", "Windows", "desktop"),
    _mail(r"\bOneOutlook/", "Outlook (new)", device="desktop"),
    _mail(r"^WindowsMail/", "Windows Mail", "Windows", "desktop"),
    _mail(
        r"Microsoft (?:Office )?Outlook|\bMSOffice \d|ms-office;|^Microsoft Office/.*\bMAPI ",
        "Outlook (Windows)",
        "Windows",
        "desktop",
    ),
    # Mozilla and its relatives.
    _mail(r"\bPostbox[/ ]\d", "Postbox", device="desktop"),
    _mail(r"\bBetterbird/", "Betterbird", device="desktop"),
    _mail(r"\bLightning/\S+ Thunderbird/", "Thunderbird (Lightning)"),
    _mail(r"\b(?:Thunderbird|Icedove|Lightning)/", "Thunderbird"),
    # Apple Mail without privacy protection: WebKit with no browser's name behind it.
    _mail(
        r"^Mozilla/5\.0 \(Macintosh; (?:Intel|PPC) Mac OS X[^)]*\) AppleWebKit/[\d.]+ \(KHTML, like Gecko\)\s*$",
        "Apple Mail",
        "macOS",
        "desktop",
    ),
    _mail(r"^MobileMail/|^Mail/[\d.]+ CFNetwork/", "Apple Mail"),
    # Google's and Yahoo's apps, where they fetch by themselves.
    _mail(r"^Android-Gmail/", "Gmail (Android)", "Android"),
    _mail(r"\bYahooMobileMail/|^YMobile/.*Mail|^Yahoo(?:%20| )?Mail/|\bjp\.co\.yahoo\.ymail/", "Yahoo Mail app"),
    # Desktop programs.
    _mail(r"^Airmail\b", "Airmail", "macOS", "desktop"),
    _mail(r"^MailBar/", "MailBar", "macOS", "desktop"),
    _mail(r"\bMimestream/", "Mimestream", "macOS", "desktop"),
    _mail(r"^MailMate/", "MailMate", "macOS", "desktop"),
    _mail(r"\bSpark Desktop/|^Spark/[\d.]+ CFNetwork/", "Spark"),
    _mail(r"^Canary(?:%20Mail)?/[\d.]+ CFNetwork/", "Canary Mail"),
    _mail(r"^Newton/[\d.]+ CFNetwork/", "Newton Mail"),
    _mail(r"\beM ?Client\b", "eM Client", device="desktop"),
    _mail(r"\bMailspring/", "Mailspring", device="desktop"),
    _mail(r"\bNylas ?Mail/|\bNylas-Mail/", "Nylas Mail", device="desktop"),
    _mail(r"\bMailbird/", "Mailbird", device="desktop"),
    _mail(r"\bFoxmail\b", "Foxmail", device="desktop"),
    _mail(r"\bThe Bat!", "The Bat!", "Windows", "desktop"),
    _mail(r"\bBarca(?:Pro)?/", "Barca", "Windows", "desktop"),
    _mail(r"\bLotus-Notes/", "Lotus Notes", device="desktop"),
    _mail(r"\bHCL-?Notes/|\bIBM-Notes/", "HCL Notes", device="desktop"),
    _mail(r"\bEudora\b", "Eudora", device="desktop"),
    _mail(r"\b(?i:kmail2?|kontact)/", "KMail", "Linux", "desktop"),
    _mail(r"^Evolution/", "Evolution", "Linux", "desktop"),
    _mail(r"^Geary/", "Geary", "Linux", "desktop"),
    _mail(r"\bClaws Mail\b|^claws-mail/", "Claws Mail", device="desktop"),
    _mail(r"^Sylpheed/", "Sylpheed", device="desktop"),
    _mail(r"\bSuperhuman\b", "Superhuman"),
    _mail(r"\bMissive/", "Missive"),
    _mail(r"\bPolymail/", "Polymail"),
    _mail(r"\bProtonMail/", "Proton Mail"),
    _mail(r"\btutanota-desktop/", "Tuta", device="desktop"),
    _mail(r"\bHEY/[\d.]+ .*\bElectron/", "HEY", device="desktop"),
    _mail(r"\bMailMaster(?:PC)?/", "Mail Master"),
    _mail(r"\bWavebox/", "Wavebox", device="desktop"),
    _mail(r"\bZimbra\b", "Zimbra", device="desktop"),
    # Phones.
    _mail(r"\bK-9 Mail\b|^k9mail/", "K-9 Mail", "Android"),
    _mail(r"\bFairEmail/", "FairEmail", "Android"),
    _mail(r"\bBlueMail/", "BlueMail"),
    _mail(r"\bSamsung ?Email/|^SAMSUNG-Android-EAS/", "Samsung Email", "Android"),
    _mail(r"\bNaverMailApp/", "NAVER Mail"),
    _mail(r"\bGMX Mail/|\bWEB\.DE Mail/", "GMX, WEB.DE"),
    _mail(r"^ru\.mail\.mailapp/", "Mail.ru"),
    _mail(r"\bEdison ?Mail/", "Edison Mail"),
    _mail(r"^DAVdroid/", "DAVdroid", "Android"),
    _mail(r"^DAVx5/", "DAVx⁵", "Android"),
    # Whatever else calls itself mail first and then names what a person's device runs.
    _mail(
        r"^[A-Za-z0-9.%]*[Mm]ail(?:App|%20App)?/[\d.]+ (?:CFNetwork/|\([^)]*\b(?:Android|iOS|iPhone|iPad)\b)",
        "Mail app",
    ),
)

_SCANNERS = (
    _scanner(r"Barracuda ?Sentinel|\bBarracuda\b", "Barracuda"),
    _scanner(r"\bProofpoint\b", "Proofpoint"),
    _scanner(r"\bMimecast\b", "Mimecast"),
    _scanner(r"\bIronPort\b", "Cisco IronPort"),
    _scanner(r"\bForcepoint\b|\bWebsense\b", "Forcepoint"),
    _scanner(r"\bTrend ?Micro\b|\bTMASE\b", "Trend Micro"),
    _scanner(r"\bSophos\b", "Sophos"),
    _scanner(r"\bSymantec\b|\bMessageLabs\b", "Symantec"),
    _scanner(r"\bFireEye\b|\bTrellix\b", "Trellix"),
    _scanner(r"\bzscaler\b", "Zscaler"),
    _scanner(r"\bBitdefender\b", "Bitdefender"),
    _scanner(r"\bGoogle-Safety\b", "Google Safety"),
    _scanner(r"\bsafebrowsing\b|\burlscan\b|\bvirustotal\b|\bPhishTank\b|\bNetcraft", "URL checker"),
)

_PREVIEWS = (
    _preview(r"\bSlackbot|\bSlack-ImgProxy", "Slack preview"),
    _preview(r"\bSkypeUriPreview", "Skype preview"),
    _preview(r"\bMicrosoftPreview|\bMicrosoft-?Teams-?Preview|\bTeamsBot", "Microsoft preview"),
    _preview(r"^WhatsApp/", "WhatsApp preview"),
    _preview(r"\bTelegramBot", "Telegram preview"),
    _preview(r"\bDiscordbot", "Discord preview"),
    _preview(r"\bLinkedInBot", "LinkedIn preview"),
    _preview(r"\bfacebookexternalhit|\bFacebot\b|\bmeta-externalfetcher", "Facebook preview"),
    _preview(r"\bTwitterbot", "X preview"),
    _preview(r"\bSnap URL Preview", "Snapchat preview"),
    _preview(r"\bYahoo Link Preview", "Yahoo preview"),
    _preview(r"\bViber\b.*preview", "Viber preview"),
    _preview(r"\bline-poker", "LINE preview"),
    _preview(r"\bMastodon/|\bPleroma|\bMisskey/", "Fediverse preview"),
    _preview(r"\bredditbot", "Reddit preview"),
    _preview(r"\bPinterest(?:bot)?/[\d.]+.*(?:bot|\+http)|\bPinterestbot", "Pinterest preview"),
    _preview(r"\bvkShare", "VK preview"),
    _preview(r"\bIframely|\bEmbedly|\bOpenGraph|\bUnfurl|\blink ?preview|\burl ?preview", "Link preview"),
    _preview(r"\bGoogle-PageRenderer|\bGoogle Web Preview|\bGoogle-Apps-Script", "Google preview"),
    _preview(r"\bBingPreview", "Bing preview"),
)

# What scripts fetch with. Nobody reads with these.
_SCRIPTS = (
    _script(r"^python-requests/|^python-urllib3?/|^Python-httplib2|^urllib3/|^python-httpx/", "Python"),
    _script(r"^Python/[\d.]+ aiohttp|\baiohttp/", "aiohttp"),
    _script(r"^curl(?:/|$)|^libcurl/", "curl"),
    _script(r"^PHP-Curl|^GuzzleHttp/|^PHP/|^Symfony HttpClient", "PHP"),
    _script(r"^Wget/|^wget2?/", "Wget"),
    _script(r"^HTTPie/", "HTTPie"),
    _script(r"^libwww-perl/|^LWP::|^lwp-", "Perl"),
    _script(r"^Ruby$|^Faraday |^rest-client/|^Typhoeus|^http\.rb/", "Ruby"),
    _script(r"\bWindowsPowerShell/|^PowerShell/", "PowerShell"),
    _script(r"^Scrapy/", "Scrapy"),
    _script(r"^PostmanRuntime/|^insomnia/", "API client"),
    _script(r"^Microsoft Office (?:Existence|Protocol) Discovery", "Office link check"),
    _script(r"\bHeadlessChrome/|\bPhantomJS/|\bPuppeteer|\bPlaywright/|\bSelenium|\bCypress/", "Headless browser"),
)

# What apps for people are built with too.
_LIBRARIES = (
    _library(r"^Go-http-client/|^Go \d.* package http", "Go"),
    _library(r"^Java/|^Apache-HttpClient/|^Jakarta Commons-HttpClient/|^Jersey/|^ReactorNetty/|^AHC/", "Java"),
    _library(r"^okhttp/", "OkHttp"),
    _library(r"^axios/|^node-fetch|^node$|^undici|^got\b|^superagent/|^node-superagent/", "Node.js"),
    _library(r"^Dart/|^Deno/|^Bun/|^reqwest/|^hyper/", "HTTP library"),
    _library(r"^Microsoft URL Control|^WinHTTP|^Microsoft-WNS|^WinInet", "Windows HTTP"),
)

AGENTS: tuple[Agent, ...] = (*_PROXIES, *_MAIL_CLIENTS, *_SCANNERS, *_PREVIEWS, *_SCRIPTS, *_LIBRARIES)
