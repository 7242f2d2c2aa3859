"""All hits on one mail, side by side: what the rules of `judge.together` ask about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from resonanz.ingest.judge.evidence import Evidence, HitId, Judgement, Mail
from resonanz.ingest.judge.network import NetworkKind
from resonanz.ingest.judge.windows import Windows, microseconds
from resonanz.model import ClientKind, HitKind, Verdict

# Where scanners come from as well as people: such a network widens windows and decides nothing by itself.
PROBABLE_NETWORKS = frozenset({NetworkKind.SECURITY, NetworkKind.PROVIDER, NetworkKind.HOSTING})


class Scene:
    """The hits on one mail in order of time, with what each says alone, and whose bursts reached other mails too.

    `swept` are the hits of a sweep over its links, `machines` those that a rule about many hits has given to a machine;
    `judge.trial` fills both in.
    """

    def __init__(
        self,
        mail: Mail,
        hits: Sequence[Evidence],
        alone: Mapping[HitId, Judgement | None],
        crowded: Set[HitId],
        windows: Windows,
    ) -> None:
        self.mail = mail
        self.hits = hits
        self.alone = alone
        self.crowded = crowded
        self.windows = windows
        self.swept: Set[HitId] = frozenset()
        self.machines: dict[HitId, Judgement] = {}
        self.followed: list[Evidence] = []
        self.asked: list[Evidence] = []
        self.acts: list[Evidence] = []
        for hit in hits:
            if hit.method == "POST":
                if not hit.own:
                    self.acts.append(hit)
            elif hit.kind is not HitKind.OPEN:
                self.followed.append(hit)
                if hit.method != "GET":
                    self.asked.append(hit)
        # Found out when somebody asks: most mails have a hit or two, and few rules look beyond them.
        self._times: list[int] | None = None
        self._openings: Mapping[str, list[int]] | None = None
        self._readings: Mapping[str, list[int]] | None = None

    def since_delivery(self, hit: Evidence) -> int | None:
        """Return microseconds from delivery (or, where that is not known, from sending) to a hit; None if unknown.

        Negative while the receiving server was still looking at the mail.
        """
        delivered, sent = self.mail.delivered_at, self.mail.sent_at
        if delivered is not None and (sent is None or hit.at >= delivered - microseconds(self.windows.acceptance)):
            return hit.at - delivered
        return None if sent is None else hit.at - sent

    def near(self, hit: Evidence, seconds: float) -> Sequence[Evidence]:
        """Return the hits at most so many seconds before or after this one, itself included, in order of time."""
        if self._times is None:
            self._times = [hit.at for hit in self.hits]
        span = microseconds(seconds)
        return self.hits[bisect_left(self._times, hit.at - span) : bisect_right(self._times, hit.at + span)]

    def is_open_question(self, hit: Evidence) -> bool:
        """Whether the hit by itself could be a person's."""
        return self.alone[hit.id] is None

    def opened_from(self, hit: Evidence) -> bool:
        """Whether a reader's own program opened the mail from this address just before; if none is known, this one."""
        if self._openings is None:
            self._openings = self._find_openings()
        return self._lately(self._openings.get(_who(hit), ()), hit)

    def is_read(self, hit: Evidence) -> bool:
        """Whether a mail program showed the mail to somebody just before: from this address, or through its proxy."""
        return self.is_read_here(hit) or self._lately(self._shown().get(_PROXIES, ()), hit)

    def is_read_here(self, hit: Evidence) -> bool:
        """Whether a mail client showed the mail to somebody at this address just before; if none is known, never."""
        return bool(hit.address) and self._lately(self._shown().get(hit.address, ()), hit)

    def _shown(self) -> Mapping[str, list[int]]:
        if self._readings is None:
            self._readings = self._find_readings()
        return self._readings

    def _lately(self, times: Sequence[int], hit: Evidence) -> bool:
        last = bisect_right(times, hit.at)
        return last > 0 and times[last - 1] >= hit.at - microseconds(self.windows.visit)

    def _find_openings(self) -> dict[str, list[int]]:
        """Return when the mail was opened, by address, where that vouches for what follows from there.

        Rented and scanning networks vouch for nobody, and nobody sees a mail within the first moments.
        """
        instant = microseconds(self.windows.instant_open)
        found: dict[str, list[int]] = defaultdict(list)
        for hit in self.hits:
            if hit.kind is not HitKind.OPEN or self.alone[hit.id] is not None:
                continue
            since = self.since_delivery(hit)
            if not on_probable_network(hit) and (since is None or since >= instant):
                found[_who(hit)].append(hit.at)
        return found

    def _find_readings(self) -> dict[str, list[int]]:
        """Return when mail programs showed the mail: by address, and together by the proxies of mail providers.

        Scanners call themselves browsers, so that a browser's image says nothing here.
        """
        found: dict[str, list[int]] = defaultdict(list)
        for hit in self.hits:
            alone = self.alone[hit.id]
            if hit.kind is not HitKind.OPEN:
                continue
            if alone is not None and alone.verdict is Verdict.HUMAN_PROXIED:
                found[_PROXIES].append(hit.at)
            elif alone is None and hit.address and hit.identity.client.kind is ClientKind.MAIL_CLIENT:
                found[hit.address].append(hit.at)
        return found


_PROXIES = ""  # whose addresses say nothing of where a reader is


def _who(hit: Evidence) -> str:
    return hit.address or hit.user_agent


def is_provider(hit: Evidence) -> bool:
    """Whether the hit came through the network of a provider that fetches images for its readers."""
    return hit.network is not None and hit.network.kind is NetworkKind.PROVIDER


def on_probable_network(hit: Evidence) -> bool:
    """Whether scanners come from the hit's network as well as people."""
    return hit.network is not None and hit.network.kind in PROBABLE_NETWORKS


def follows(hit: Evidence) -> bool:
    """Whether the hit follows a link: not an image, and not a form that was sent."""
    return hit.kind is not HitKind.OPEN and hit.method != "POST"


def target(hit: Evidence) -> tuple[HitKind, int | None]:
    """Return what was followed; the unsubscribe page is a link of its own."""
    return hit.kind, hit.link
