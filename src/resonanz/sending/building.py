"""From a claimed message to the bytes that go out: the steps before delivery, in order.

Each step takes the work so far and returns it with something added, or with an outcome, which ends the way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from resonanz.mail import Tracking, parse_address
from resonanz.mail import instrument as instrument_mail
from resonanz.mail.answers import lead_answers
from resonanz.mail.author import author_domain
from resonanz.mail.gateways import NOBODY_SPECIAL, Receiver, receiver_at
from resonanz.mail.tracking import Instrumented
from resonanz.model import Coverage, InvalidInput, MessageState, TrackingMode
from resonanz.sending import outcomes
from resonanz.sending.attachments import may_become_documents
from resonanz.sending.bulk import Ways, bulk_headers
from resonanz.sending.copies import AsWritten, Copy, Further, given_header_id, make_copy
from resonanz.sending.drafts import OWN
from resonanz.sending.foresight import foresee
from resonanz.sending.outcomes import Outcome
from resonanz.sending.press import Press, as_it_is
from resonanz.sending.rules import RULE_REASONS
from resonanz.sending.transports.base import ALL_WISHES, Wishes
from resonanz.store.campaigns import CampaignState
from resonanz.store.contacts import Contact
from resonanz.store.messages import Built, Content, Link, Message, Submission
from resonanz.store.opens import NO_PAST, Past
from resonanz.store.queue import Claim
from resonanz.tokens import Keys, mint_reply_path

if TYPE_CHECKING:
    from resonanz.mail.dkim import Signer

MAX_LABEL_CHARACTERS = 200

_STILL_TO_SEND = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED, MessageState.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Workshop:
    """What building needs of the instance. `content` brings a content by its id; None when it is gone. `keep` files a
    document under its key, durably; without it attachments stay in their mails. `signers` are the DKIM keys that sign
    mail from a domain, and `clock` tells them when. `receiver` tells who takes in a domain's mail, None when that is
    not known yet. `return_path_domain` is where mail to us arrives, empty for nowhere;
    `reply_domain` the same where answers can be passed on, and `all_replies` whether every submission's are."""

    keys: Keys
    press: Press
    content: Callable[[UUID], Content | None]
    keep: Callable[[str, bytes], None] | None
    signers: Callable[[str], Sequence[Signer]]
    clock: Callable[[], datetime]
    receiver: Callable[[str], Receiver | None]
    return_path_domain: str = ""
    reply_domain: str = ""
    all_replies: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One message on its way through the steps.

    Known from the start: the `contact`, None when it was erased; why the address is `suppressed` (empty when it is
    not); whether an operator has `blocked` the submission, and whether its campaign is `standing_still`; how
    far (opens, clicks) may be tracked, where its links lead (`base_url`), what the next server is asked to report
    (`wishes`), and what was seen of the contact in the `past`. `tell` and `tell_text` name a link's destination and
    text as its author wrote them. `receiver` takes in the recipient's mail, None as long as that is not known;
    `coverage` is what of the finished copy can be measured, as far as that is known.
    """

    claim: Claim
    message: Message
    submission: Submission
    contact: Contact | None = None
    suppressed: str = ""
    blocked: bool = False
    standing_still: CampaignState | None = None
    allowed: tuple[TrackingMode, TrackingMode] = (TrackingMode.OFF, TrackingMode.OFF)
    past: Past = NO_PAST
    base_url: str = ""
    wishes: Wishes = ALL_WISHES
    opens: TrackingMode = TrackingMode.OFF
    clicks: TrackingMode = TrackingMode.OFF
    content: Content | None = None
    signers: Sequence[Signer] = ()
    copy: Copy | None = None
    built: Instrumented | None = None
    tell: Callable[[str], str] = as_it_is
    tell_text: Callable[[str], str] = as_it_is
    coverage: Coverage = Coverage.NOT_TRACKED
    receiver: Receiver | None = None
    outcome: Outcome | None = None

    def ended(self, outcome: Outcome) -> Work:
        """Return this work with its outcome: no further step is taken."""
        return replace(self, outcome=outcome)

    @property
    def header_id(self) -> str:
        """The Message-ID that we give, where the author gave none."""
        return given_header_id(self.message, self.submission)

    @property
    def domain(self) -> str:
        """The recipient's domain, in lower case."""
        return self.message.recipient.rpartition("@")[2].lower()

    @property
    def to(self) -> str:
        """The recipient as the To of a composed mail shows them."""
        return str(replace(parse_address(self.message.recipient), name=self.contact.name if self.contact else ""))


Step = Callable[[Workshop, Work], Work]


def skip_settled(workshop: Workshop, work: Work) -> Work:
    """Leave alone what evidence has settled since it was queued: a mail that was opened need not be sent again."""
    return work if work.message.state in _STILL_TO_SEND else work.ended(outcomes.nothing_to_do())


def check_block(workshop: Workshop, work: Work) -> Work:
    """Hold back what an operator has blocked."""
    return work.ended(outcomes.held()) if work.blocked else work


def check_campaign(workshop: Workshop, work: Work) -> Work:
    """Hold back what belongs to a campaign that is paused, and give up what belongs to a cancelled one."""
    match work.standing_still:
        case CampaignState.PAUSED:
            return work.ended(outcomes.paused())
        case CampaignState.CANCELLED:
            return work.ended(outcomes.cancelled())
        case _:
            return work


def check_suppression(workshop: Workshop, work: Work) -> Work:
    """Stop at the suppression list."""
    return work.ended(outcomes.suppressed(work.suppressed)) if work.suppressed else work


def choose_tracking(workshop: Workshop, work: Work) -> Work:
    """Track as far as the sender asks for and the contact allows."""
    opens, clicks = work.allowed
    return replace(work, opens=opens, clicks=clicks)


def fetch_content(workshop: Workshop, work: Work) -> Work:
    """Bring what the author handed in, where it did not come with the message."""
    if work.content is not None:
        return work
    content = workshop.content(work.submission.content_id)
    return work.ended(outcomes.nothing_to_do()) if content is None else replace(work, content=content)


def choose_signers(workshop: Workshop, work: Work) -> Work:
    """Find who signs for the domain that stands in From. Raises TemporaryFailure when keys cannot be read."""
    assert work.content is not None
    composed = work.content.form != "rfc822"
    domain = work.content.sender.rpartition("@")[2] if composed else author_domain(work.content.body)
    return replace(work, signers=workshop.signers(domain))


def _further(workshop: Workshop, work: Work) -> Further:
    """Which header fields this copy gets beside the author's."""

    def further(given: Collection[str]) -> Mapping[str, str]:
        if not work.submission.bulk:
            return {}
        ways = Ways(work.base_url, workshop.return_path_domain)
        return bulk_headers(workshop.keys, work.message, work.submission, ways, given=given)

    return further


def print_copy(workshop: Workshop, work: Work) -> Work:
    """Take the finished copy from the press where many get the same content; the next two steps are done then."""
    assert work.content is not None
    try:
        printed = workshop.press.print(
            work.message,
            work.submission,
            work.content,
            work.to,
            (work.opens, work.clicks),
            work.base_url,
            _further(workshop, work),
            work.contact,
        )
    except InvalidInput as error:
        return work.ended(outcomes.failed(str(error)))
    return work if printed is None else replace(work, copy=printed.copy, built=printed.built, tell=printed.tell)


def personalise(workshop: Workshop, work: Work) -> Work:
    """Make this recipient's copy."""
    if work.copy is not None:
        return work
    assert work.content is not None
    try:
        copy = make_copy(
            work.content,
            to=work.to,
            header_id=work.header_id,
            date=work.message.created_at,
            further=_further(workshop, work),
            contact=work.contact,
        )
    except InvalidInput as error:
        return work.ended(outcomes.failed(str(error)))
    if work.content.form == "template":
        written = AsWritten.of(work.content.body)
        return replace(work, copy=copy, tell=written.destination, tell_text=written.text)
    return replace(work, copy=copy)


def instrument(workshop: Workshop, work: Work) -> Work:
    """Add pixel and links, to documents too. On any doubt the mail goes out as it is, and the reason is kept."""
    if work.built is not None:
        return work
    assert work.copy is not None
    takes_documents = work.submission.track_documents and workshop.keep is not None
    tracking = Tracking(
        base_url=work.base_url,
        keys=workshop.keys,
        message=work.message.id,
        campaign=work.submission.id,
        opens=work.opens,
        clicks=work.clicks,
        documents=may_become_documents(work.copy.message) if takes_documents else None,
        resigned_domains=frozenset(signer.domain for signer in work.signers),
    )
    built = instrument_mail(work.copy.message, tracking, structure=work.copy.structure)
    return replace(work, built=built, copy=replace(work.copy, message=built.message, structure=None))


def lead_replies(workshop: Workshop, work: Work) -> Work:
    """Let answers come here first, where that is wanted and the contact lets us count by name."""
    named = TrackingMode.INDIVIDUAL in (work.opens, work.clicks)
    wanted = work.submission.replies or workshop.all_replies
    if not (workshop.reply_domain and wanted and named) or work.submission.null_path or work.submission.source in OWN:
        return work
    assert work.copy is not None
    local = mint_reply_path(workshop.keys, work.message.id)
    return replace(work, copy=replace(work.copy, message=lead_answers(work.copy.message, local, workshop.reply_domain)))


def keep_documents(workshop: Workshop, work: Work) -> Work:
    """Have documents on disk before any mail leads to them. Raises TemporaryFailure."""
    assert work.built is not None
    for document in work.built.documents:
        assert workshop.keep is not None
        workshop.keep(document.key, document.content)
    return work


def foresee_coverage(workshop: Workshop, work: Work) -> Work:
    """Tell what of this copy can be measured."""
    assert work.built is not None
    receiver = receiver_at(work.domain) or workshop.receiver(work.domain)
    past = work.past if work.opens is TrackingMode.INDIVIDUAL else NO_PAST  # counted without a name, nobody has one
    return replace(work, coverage=foresee(work.built.coverage, receiver or NOBODY_SPECIAL, past), receiver=receiver)


def sign(workshop: Workshop, work: Work) -> Work:
    """Sign the finished bytes; nothing may change them any more."""
    assert work.copy is not None
    if not work.signers:
        return work
    from resonanz.mail import dkim  # only where somebody signs: cryptography takes seven megabytes

    return replace(work, copy=replace(work.copy, message=dkim.sign(work.copy.message, work.signers, workshop.clock())))


STEPS: tuple[Step, ...] = (
    skip_settled,
    check_block,
    check_campaign,
    check_suppression,
    choose_tracking,
    fetch_content,
    choose_signers,
    print_copy,
    personalise,
    instrument,
    lead_replies,
    keep_documents,
    foresee_coverage,
    sign,
)


def build(workshop: Workshop, work: Work) -> Work:
    """Go through the steps until one of them ends the way."""
    for step in STEPS:
        work = step(workshop, work)
        if work.outcome is not None:
            return work
    return work


# ── What is kept of it ──────────────────────────────────────────────────────────────────────────────────────────────


def built_of(work: Work) -> Built:
    """Return what the message's row is to say about the mail that was built."""
    assert work.copy is not None
    assert work.built is not None
    tracked = work.built.tracked
    found = work.built.reason.value if work.built.reason else ""
    return Built(
        message_id=work.message.id,
        track_opens=work.opens if tracked else TrackingMode.OFF,
        track_clicks=work.clicks if tracked else TrackingMode.OFF,
        coverage=work.coverage,
        gateway=work.receiver.name if work.receiver is not None else None,
        untracked_reason=work.message.untracked_reason if work.message.untracked_reason in RULE_REASONS else found,
        header_id=work.copy.header_id,
    )


def links_of(work: Work) -> list[Link]:
    """Return the links of the mail that was built, those to documents behind the others, for reports to name them
    by."""
    if work.built is None:
        return []
    links = [
        Link(
            link.index, work.tell(link.destination), " ".join(work.tell_text(link.text).split())[:MAX_LABEL_CHARACTERS]
        )
        for link in work.built.links.values()
    ]
    return links + [Link(document.index, "", document.name) for document in work.built.documents]
