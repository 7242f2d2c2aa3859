"""The judge against simulated mailings with known truth, and its speed.

    python -m bench judge [--campaigns 6] [--recipients 3000] [--seed 1] [--patient 4000] [--hits 200000]

People open by a delay whose median is two hours and click soon after; their programs, networks and gateways are
drawn by share. Scanners are of many kinds; nothing of what is drawn here is read by the rules, whose windows come from
what is published about scanners. Two kinds cannot be told from a person by anything a server sees (a single link, after
a long wait, under a browser's name, from a home or a rented machine): `--patient N` makes each one in N recipients.

Opens are counted per message, clicks per link of a message. A fetch by Apple's privacy protection is neither.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from resonanz.ingest.judge import Evidence, Mail, Windows, identify, judge_all, place_allowed
from resonanz.ingest.judge.networks import classify
from resonanz.ingest.place import Places
from resonanz.model import HitKind, Verdict, Who

SECOND = 1_000_000
OPEN, CLICK, UNSUBSCRIBE = HitKind.OPEN, HitKind.CLICK, HitKind.UNSUBSCRIBE

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"
THUNDERBIRD = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0"
APPLE_MAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE_MAIL = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15"
)


def chrome(version: int, system: str = "Windows NT 10.0; Win64; x64") -> str:
    """Return the name that Chrome gives itself."""
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"


BROWSERS = [chrome(version) for version in (138, 139, 140, 141)] + [chrome(141) + " Edg/141.0.0.0", SAFARI]
SCANNER_BROWSERS = [chrome(version) for version in (108, 114, 120, 126, 132, 138)] + [
    chrome(120, "X11; Linux x86_64"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
]


# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Client:
    """How one class of readers looks at the server: share, the opener and the browser for links."""

    name: str
    share: float
    agent: str
    opens_from: str  # home, google, yahoo, microsoft, apple
    browsers: tuple[str, ...] = tuple(BROWSERS)
    images: float = 1.0  # how many of them load images


CLIENTS = (
    Client("Gmail", 0.29, GMAIL, "google"),
    Client("Apple, privacy on", 0.24, "Mozilla/5.0", "apple", (SAFARI, IPHONE)),
    Client("Apple Mail, privacy off", 0.05, APPLE_MAIL, "home", (SAFARI,)),
    Client("iPhone, privacy off", 0.06, IPHONE_MAIL, "home", (IPHONE,)),
    Client("Outlook for Windows", 0.13, OUTLOOK, "home", images=0.6),
    Client("Outlook on the web", 0.09, BROWSERS[4], "microsoft"),
    Client("Thunderbird", 0.04, THUNDERBIRD, "home", images=0.6),
    Client("Yahoo", 0.05, YAHOO, "yahoo"),
    Client("webmail, direct", 0.05, BROWSERS[3], "home"),
)

# ── Where things come from ──────────────────────────────────────────────────────────────────────────────────────────

_BLOCKS = {
    "google": ("66.249.84.", 15169),
    "yahoo": ("98.137.11.", 36646),
    "microsoft": ("20.50.{}.", 8075),
    "apple": ("172.225.{}.", None),
    "m365": ("40.92.{}.", 8075),
    "barracuda": ("209.222.82.", 16509),
    "proofpoint": ("148.163.{}.", 22843),
    "mimecast": ("207.211.{}.", 30031),
    "aws": ("3.80.{}.", 16509),
    "ovh": ("51.75.{}.", 16276),
    "home": ("84.{}.{}.", 3320),
}


class World:
    """Random draws, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def address(self, where: str) -> tuple[str, int | None]:
        """Return an address of a network, and its autonomous system."""
        block, asn = _BLOCKS[where]
        draws = [self.chance.randrange(256) for _ in range(block.count("{}"))]
        return block.format(*draws) + str(self.chance.randrange(1, 255)), asn

    def about(self, median: float, sigma: float) -> float:
        """Return a span around a median, log-normal."""
        return self.chance.lognormvariate(math.log(median), sigma)


@dataclass
class Truth:
    """One message as it really was, and what the server sees of it."""

    mail: str
    links: int
    client: Client
    kind: str = ""  # of the scanner in front of it
    opened: bool = False  # by a person, and visible: the image was fetched for them
    clicked: set[int] = field(default_factory=set)
    hits: list[tuple[Evidence, str]] = field(default_factory=list)  # with who made it: `person` or the scanner's kind


@dataclass(frozen=True)
class Office:
    """A domain of recipients: its gateway, and the address its people share, if they do."""

    kind: str
    gateway: tuple[str, int | None]
    agent: str
    shared: tuple[str, int | None] | None


class Mailing:
    """One campaign: recipients in offices and at home, with everything that happens to their mails."""

    def __init__(self, world: World, number: int, recipients: int, patient: int) -> None:
        self.world = world
        self.mails: dict[str, Mail] = {}
        self.truths: list[Truth] = []
        self._number = number
        self._patient = patient
        self._offices = [self._office() for _ in range(max(4, recipients // 60))]
        for index in range(recipients):
            self._deliver(f"{number}/{index}", index)

    def _office(self) -> Office:
        kind = self.world.chance.choices([name for name, _, _ in SCANNERS], [share for _, share, _ in SCANNERS])[0]
        where = {"crowd": "home", "home network": "home", "two at once": "home"}.get(kind, "aws")
        way_out = "ovh" if self.world.chance.random() < 0.03 else "home"  # a few go through rented machines
        shared = self.world.address(way_out) if self.world.chance.random() < 0.5 else None
        return Office(kind, self.world.address(where), self.world.chance.choice(SCANNER_BROWSERS), shared)

    def _deliver(self, mail: str, index: int) -> None:
        chance = self.world.chance
        client = chance.choices(CLIENTS, [client.share for client in CLIENTS])[0]
        office = chance.choice(self._offices) if chance.random() < 0.55 else None
        truth = Truth(mail, chance.choice([1, 2, 3, 4, 5, 5, 6, 7, 8]), client)
        # A mailing goes out over minutes; an office's mails arrive close together.
        sent = (self._offices.index(office) * 7 if office is not None else index * 0.2) + chance.random() * 20
        delivered = sent + self.world.about(3, 1)
        self.mails[mail] = Mail(round(sent * SECOND), round(delivered * SECOND), truth.links)
        self.truths.append(truth)
        if office is not None:
            truth.kind = office.kind
            _SCANS[office.kind](self, truth, office, delivered)
        if chance.randrange(self._patient) == 0:
            self._wait_and_click(truth, delivered, "aws", "patient, rented machine")
        if chance.randrange(self._patient) == 0:
            self._wait_and_click(truth, delivered, "home", "patient, home network")
        self._read(truth, office, delivered)

    def _wait_and_click(self, truth: Truth, delivered: float, where: str, kind: str) -> None:
        agent = self.world.chance.choice(SCANNER_BROWSERS)
        self.hit(truth, kind, CLICK, delivered + self.world.about(3600, 0.6) + 600, self.world.address(where), agent, 0)

    # ── Somebody reads ──────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, truth: Truth, office: Office | None, delivered: float) -> None:
        chance, client = self.world.chance, truth.client
        if client.opens_from == "apple":
            at = delivered + self.world.about(1200, 1.5)
            self.hit(truth, "apple", OPEN, at, self.world.address("apple"), client.agent)
        if client.opens_from == "google" and chance.random() < 0.04:
            at = delivered + self.world.about(40, 1)
            self.hit(truth, "Gmail's fetch ahead", OPEN, at, self.world.address("google"), GMAIL_PREFETCH)
        if chance.random() > 0.38:
            return
        home = office.shared if office is not None and office.shared is not None else self.world.address("home")
        at = delivered + self.world.about(7200, 2.0)
        if client.opens_from != "apple" and chance.random() < client.images:
            truth.opened = True
            where = home if client.opens_from == "home" else self.world.address(client.opens_from)
            for again in range(1 + (chance.random() < 0.3)):
                later = 0 if not again else self.world.about(20_000, 1)
                self.hit(truth, "person", OPEN, at + later, where, client.agent)
        if chance.random() < 0.24:
            self._follow(truth, office, at + 1 + self.world.about(25, 1.2), home)

    def _follow(self, truth: Truth, office: Office | None, at: float, home: tuple[str, int | None]) -> None:
        chance = self.world.chance
        browser = chance.choice(truth.client.browsers)
        where = home
        if truth.client.opens_from == "apple" and chance.random() < 0.3:
            where = self.world.address("apple")  # Private Relay
        elif chance.random() < 0.02:
            where = self.world.address("ovh")  # the company's way to the internet
        elif office is not None and office.kind in ISOLATED and chance.random() < 0.1:
            where = self.world.address(ISOLATED[office.kind])  # an isolated browser
        elif chance.random() < 0.2:
            where = self.world.address("home")  # the telephone, on its own network
        wanted = min(truth.links, 1 + (chance.random() < 0.25) + (chance.random() < 0.05))
        hasty = chance.random() < 0.1  # opens links in tabs
        for link in chance.sample(range(truth.links), wanted):
            if office is not None and office.kind in CHECKED_AT_THE_CLICK and chance.random() < 0.5:
                agent = chance.choice(SCANNER_BROWSERS)
                before = at - self.world.about(1, 0.5)
                checked_from = self.world.address(CHECKED_AT_THE_CLICK[office.kind])
                self.hit(truth, office.kind, CLICK, before, checked_from, agent, link)
            truth.clicked.add(link)
            self.hit(truth, "person", CLICK, at, where, browser, link)
            if chance.random() < 0.02:
                agent = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
                after = at + self.world.about(300, 1)
                self.hit(truth, "chat preview", CLICK, after, self.world.address("aws"), agent, link)
            at += self.world.about(3, 0.5) if hasty else self.world.about(40, 1)

    def hit(
        self,
        truth: Truth,
        by: str,
        kind: HitKind,
        at: float,
        where: tuple[str, int | None],
        agent: str,
        link: int | None = None,
        method: str = "GET",
    ) -> None:
        """Let the server see a request."""
        address, asn = where
        found = Evidence(
            kind=kind,
            method=method,
            user_agent=agent,
            identity=identify(agent),
            network=classify(address, asn),
            address=address,
            at=round(at * SECOND),
            id=f"{truth.mail}/{len(truth.hits)}",
            mail=truth.mail,
            link=link,
        )
        truth.hits.append((found, by))


# ── Scanners ────────────────────────────────────────────────────────────────────────────────────────────────────────

Scan = Callable[[Mailing, Truth, Office, float], None]


def _sweep(
    mailing: Mailing,
    truth: Truth,
    kind: str,
    start: float,
    span: float,
    where: Callable[[], tuple[str, int | None]],
    agent: Callable[[], str],
    *,
    pixel: bool = True,
    share: float = 1.0,
    head: bool = False,
) -> None:
    chance = mailing.world.chance
    if pixel:
        mailing.hit(truth, kind, OPEN, start, where(), agent())
    shown = mailing.world.about(0.7, 1)  # from the image to the first link
    links = [link for link in range(truth.links) if chance.random() < share] or [0]
    for number, link in enumerate(links):
        at = start + shown + span * (number + chance.random() * 0.3) / len(links)
        if head:
            mailing.hit(truth, kind, CLICK, at - 0.1, where(), agent(), link, "HEAD")
        mailing.hit(truth, kind, CLICK, at, where(), agent(), link)


def _m365(mailing: Mailing, truth: Truth, _office: Office, delivered: float) -> None:
    """Exchange Online Protection: from its own ranges, around acceptance."""
    world = mailing.world
    agent = world.chance.choice(SCANNER_BROWSERS)
    _sweep(
        mailing,
        truth,
        "Microsoft 365 protection",
        delivered - 2 + world.about(3, 1),
        3,
        lambda: world.address("m365"),
        lambda: agent,
    )


def _safe_links(mailing: Mailing, truth: Truth, _office: Office, delivered: float) -> None:
    """Detonation soon after delivery, from Microsoft's other networks, under changing names; again at each click."""
    world = mailing.world
    if world.chance.random() < 0.7:
        start = delivered + 10 + min(500, world.about(60, 1))
        _sweep(
            mailing,
            truth,
            "Safe Links",
            start,
            20,
            lambda: world.address("microsoft"),
            lambda: world.chance.choice(SCANNER_BROWSERS),
            pixel=False,
            share=0.6,
        )


def _barracuda(mailing: Mailing, truth: Truth, _office: Office, delivered: float) -> None:
    """From its own range inside Amazon's."""
    world = mailing.world
    agent = world.chance.choice(["Barracuda Sentinel (EE)", *SCANNER_BROWSERS])
    _sweep(
        mailing,
        truth,
        "Barracuda",
        delivered + world.about(10, 1),
        5,
        lambda: world.address("barracuda"),
        lambda: agent,
        pixel=False,
    )


def _vendor(kind: str) -> Scan:
    def scan(mailing: Mailing, truth: Truth, _office: Office, delivered: float) -> None:
        """From the vendor's own network, within minutes, some links."""
        world = mailing.world
        agent = world.chance.choice(SCANNER_BROWSERS)
        start = delivered + 5 + min(480, world.about(60, 1))
        _sweep(
            mailing,
            truth,
            kind,
            start,
            15,
            lambda: world.address(kind.lower()),
            lambda: agent,
            pixel=world.chance.random() < 0.3,
            share=0.5,
        )

    return scan


def _rented(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """Rented machines under a browser's name: image and all links."""
    world = mailing.world
    _sweep(
        mailing,
        truth,
        "rented machines",
        delivered + 3 + world.about(25, 1),
        4,
        lambda: office.gateway,
        lambda: office.agent,
    )


def _slow(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """The same, but it waits half an hour, some for hours, and takes its time."""
    world = mailing.world
    _sweep(
        mailing,
        truth,
        "slow",
        delivered + 600 + world.about(1200, 0.8),
        world.chance.uniform(4, 25),
        lambda: office.gateway,
        lambda: office.agent,
    )


def _home(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """From what looks like a home's network."""
    world = mailing.world
    _sweep(
        mailing,
        truth,
        "home network",
        delivered + 2.5 + world.about(20, 1),
        6,
        lambda: office.gateway,
        lambda: office.agent,
    )


def _fan_out(mailing: Mailing, truth: Truth, _office: Office, delivered: float) -> None:
    """Another machine and another name for every link."""
    world = mailing.world
    start = delivered + world.about(120, 1)
    _sweep(
        mailing,
        truth,
        "fan-out",
        start,
        15,
        lambda: world.address(world.chance.choice(["aws", "ovh"])),
        lambda: world.chance.choice(SCANNER_BROWSERS),
        pixel=False,
    )


def _asking(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """Asks for each link before it fetches it."""
    world = mailing.world
    _sweep(
        mailing,
        truth,
        "HEAD, then GET",
        delivered + world.about(900, 1),
        60,
        lambda: office.gateway,
        lambda: office.agent,
        pixel=False,
        share=0.5,
        head=True,
    )


def _crowd(mailing: Mailing, truth: Truth, office: Office, _delivered: float) -> None:
    """One program takes the office's mails one after the other, a link of each."""
    world = mailing.world
    start = mailing.mails[truth.mail].sent_at or 0
    base = (mailing._offices.index(office) * 7) + 60
    at = max(base, start / SECOND + 11) + world.chance.random() * 12
    mailing.hit(truth, "crowd", CLICK, at, office.gateway, office.agent, world.chance.randrange(truth.links))


def _detonation(mailing: Mailing, truth: Truth, _office: Office, delivered: float) -> None:
    """One address of Microsoft's looks at the mail and follows a link, as two different browsers."""
    world = mailing.world
    at, where = delivered + 2 + min(400, world.about(60, 1)), world.address("microsoft")
    looks, follows = world.chance.sample(SCANNER_BROWSERS, 2)
    mailing.hit(truth, "detonation", OPEN, at, where, looks)
    later = at + world.chance.uniform(0.2, 8)
    mailing.hit(truth, "detonation", CLICK, later, where, follows, world.chance.randrange(truth.links))


def _two_at_once(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """Two of the links at the same time, an hour later, from what looks like a home's network."""
    world = mailing.world
    at = delivered + 600 + world.about(3600, 0.7)
    for link in world.chance.sample(range(truth.links), min(2, truth.links)) if truth.links > 1 else ():
        mailing.hit(truth, "two at once", CLICK, at, office.gateway, office.agent, link)
        at += world.chance.uniform(0.02, 0.8)


def _unsubscribing(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """Follows the links that the mail's header names too."""
    world = mailing.world
    at = delivered + 3 + world.about(200, 1)
    for link in world.chance.sample(range(truth.links), min(2, truth.links)):
        mailing.hit(truth, "unsubscribe page too", CLICK, at, office.gateway, office.agent, link)
        at += world.chance.uniform(0.1, 0.9)
    mailing.hit(truth, "unsubscribe page too", UNSUBSCRIBE, at, office.gateway, office.agent)


def _by_name(mailing: Mailing, truth: Truth, office: Office, delivered: float) -> None:
    """Hours later, a program that says what it is."""
    world = mailing.world
    agent = world.chance.choice([chrome(120).replace("Chrome/", "HeadlessChrome/"), "python-requests/2.32.3", ""])
    at = delivered + world.about(9000, 1)
    mailing.hit(truth, "by its name", OPEN, at, office.gateway, agent)
    mailing.hit(truth, "by its name", CLICK, at + 2, office.gateway, agent, world.chance.randrange(truth.links))


def _none(_mailing: Mailing, _truth: Truth, _office: Office, _delivered: float) -> None:
    """No gateway that fetches anything."""


SCANNERS: tuple[tuple[str, float, Scan], ...] = (
    ("none", 0.14, _none),
    ("Microsoft 365 protection", 0.14, _m365),
    ("Safe Links", 0.14, _safe_links),
    ("Barracuda", 0.08, _barracuda),
    ("Proofpoint", 0.09, _vendor("Proofpoint")),
    ("Mimecast", 0.07, _vendor("Mimecast")),
    ("rented machines", 0.07, _rented),
    ("slow", 0.04, _slow),
    ("home network", 0.03, _home),
    ("fan-out", 0.03, _fan_out),
    ("HEAD, then GET", 0.03, _asking),
    ("crowd", 0.03, _crowd),
    ("check at the click", 0.04, _none),
    ("detonation", 0.02, _detonation),
    ("two at once", 0.02, _two_at_once),
    ("unsubscribe page too", 0.02, _unsubscribing),
    ("by its name", 0.02, _by_name),
)

_SCANS = {name: scan for name, _, scan in SCANNERS}

# Who looks again at each link as it is followed, and from where; and whose people may browse in isolation.
CHECKED_AT_THE_CLICK = {"Safe Links": "microsoft", "check at the click": "mimecast"}
ISOLATED = {"Proofpoint": "proofpoint", "Mimecast": "mimecast", "check at the click": "proofpoint"}

# ── Held against the truth ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Score:
    """People found, missed, and machines taken for people."""

    found: int = 0
    missed: int = 0
    wrong: int = 0

    def add(self, other: Score) -> None:
        self.found += other.found
        self.missed += other.missed
        self.wrong += other.wrong

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0


def _hold(
    truths: Sequence[Truth], verdicts: dict[int | str, Verdict]
) -> tuple[dict[str, dict[str, Score]], dict[str, Counter[str]]]:
    """Return the scores of opens and clicks by client class, and what became of each kind of machine's hits."""
    scores: dict[str, dict[str, Score]] = defaultdict(lambda: {"opens": Score(), "clicks": Score()})
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for truth in truths:
        of_client = scores[truth.client.name]
        people = [hit for hit, _ in truth.hits if verdicts[hit.id].who is Who.HUMAN]
        opened = any(hit.kind is OPEN for hit in people)
        of_client["opens"].add(Score(truth.opened and opened, truth.opened and not opened, opened and not truth.opened))
        clicked = {hit.link for hit in people if hit.kind is CLICK}
        of_client["clicks"].add(
            Score(len(clicked & truth.clicked), len(truth.clicked - clicked), len(clicked - truth.clicked))
        )
        for hit, by in truth.hits:
            if by not in ("person", "apple"):
                kinds[by]["hits"] += 1
                kinds[by][verdicts[hit.id].who] += 1
                kinds[by][f"{'opens' if hit.kind is OPEN else 'clicks'} {verdicts[hit.id].who}"] += 1
    return scores, kinds


def _print_scores(scores: dict[str, dict[str, Score]]) -> None:
    print(f"{'readers with':26} {'opens':>7} {'prec.':>7} {'recall':>7}   {'clicks':>7} {'prec.':>7} {'recall':>7}")
    total = {"opens": Score(), "clicks": Score()}
    for name, of_client in [*scores.items(), ("all", total)]:
        if of_client is not total:
            for what, score in of_client.items():
                total[what].add(score)
        cells = [
            f"{score.found + score.missed:>7,} {score.precision:>7.4f} {score.recall:>7.4f}"
            for score in of_client.values()
        ]
        print(f"{name:26} " + "   ".join(cells))
    opens, clicks = total["opens"], total["clicks"]
    reached = opens.precision >= 0.99 <= clicks.precision and opens.recall >= 0.97 <= clicks.recall
    print(f"aims (precision 0.99, recall 0.97 of each): {'reached' if reached else 'NOT REACHED'}")


def _print_kinds(kinds: dict[str, Counter[str]]) -> None:
    print(f"\n{'machines':28} {'hits':>8} {'machine':>9} {'person':>8}   of which opens, clicks taken for a person's")
    for kind in sorted(kinds, key=lambda kind: -kinds[kind]["hits"]):
        seen = kinds[kind]
        machine, person = seen[Who.MACHINE] / seen["hits"], seen[Who.HUMAN] / seen["hits"]
        wrong = f"{seen[f'opens {Who.HUMAN}']:>6,} {seen[f'clicks {Who.HUMAN}']:>6,}"
        print(f"{kind:28} {seen['hits']:>8,} {machine:>9.4f} {person:>8.4f}   {wrong}")


# ── Speed ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rate(hits: Sequence[Evidence], mails: dict[str, Mail], batch: int = 2_000) -> float:
    """Return hits per second, from user agent and address to verdict and place, in batches as ingest takes them."""
    places = Places()
    started = time.process_time()
    for start in range(0, len(hits), batch):
        some = hits[start : start + batch]
        seen = [
            Evidence(
                hit.kind,
                hit.method,
                hit.headers,
                hit.user_agent,
                identify(hit.user_agent),
                classify(hit.address),
                hit.address,
                hit.at,
                hit.id,
                hit.mail,
                hit.link,
            )
            for hit in some
        ]
        said = judge_all(seen, mails, Windows(), some[-1].at)
        for hit in seen:
            if place_allowed(hit, said[hit.id]):
                places.place_of(hit.address)
    return len(hits) / (time.process_time() - started)


def _repeated(hits: Sequence[Evidence], amount: int) -> Iterator[Evidence]:
    while True:
        for hit in hits:
            if not amount:
                return
            amount -= 1
            yield hit


def _print_speed(hits: Sequence[Evidence], mails: dict[str, Mail], amount: int) -> None:
    some = list(_repeated(hits, min(amount, len(hits))))
    _rate(some[:5_000], mails)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cached = max(_rate(some, mails) for _ in range(3))
    gc.collect()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    new = [replace(hit, user_agent=f"{hit.user_agent} n/{number}") for number, hit in enumerate(some[:20_000])]
    after = f"{grown / 1024:.0f} MB more after {3 * len(some):,}"
    print(f"\n{cached:,.0f} hits/s with a usual mix of user agents (aim 20,000), {after}")
    print(f"{_rate(new, mails):,.0f} hits/s with every user agent new (aim 5,000)")


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="bench judge")
    parser.add_argument("--campaigns", type=int, default=6)
    parser.add_argument("--recipients", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patient", type=int, default=4_000)
    parser.add_argument("--hits", type=int, default=60_000)
    options = parser.parse_args(list(arguments))
    world = World(options.seed)
    mailings = [Mailing(world, n, options.recipients, options.patient) for n in range(options.campaigns)]
    truths = [truth for mailing in mailings for truth in mailing.truths]
    mails = {name: mail for mailing in mailings for name, mail in mailing.mails.items()}
    verdicts: dict[int | str, Verdict] = {}
    for mailing in mailings:  # each mailing is a day of its own
        hits = [hit for truth in mailing.truths for hit, _ in truth.hits]
        verdicts.update({id: said.verdict for id, said in judge_all(hits, mailing.mails, Windows()).items()})
    print(f"{len(truths):,} mails in {len(mailings)} mailings, {len(verdicts):,} requests\n")
    scores, kinds = _hold(truths, verdicts)
    _print_scores(scores)
    _print_kinds(kinds)
    every = sorted((hit for truth in truths for hit, _ in truth.hits), key=lambda hit: hit.at)
    _print_speed(every, mails, options.hits)
