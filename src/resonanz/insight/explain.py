"""Plain words for what the codes mean: verdicts, confidence, reasons, coverage, why a mail went out untracked.

The dashboard shows these texts beside the codes and the API can return them. A code that has no words here is a defect;
`tests/insight` goes through every code there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resonanz.ingest.judge.reasons import Reason
from resonanz.mail.gateways import Receiver
from resonanz.mail.refusals import MEANINGS
from resonanz.mail.refusals import Reason as Refused
from resonanz.mail.tracking import Reason as Untracked
from resonanz.model import Confidence, Coverage, Verdict, Who


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code, a short name for it, and one or two sentences on what it means and what it does not."""

    code: str
    title: str
    text: str
    who: Who | None = None


_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.HUMAN_DIRECT: (
        "A person",
        "The recipient's own program fetched the image, so the mail was shown.",
    ),
    Verdict.HUMAN_PROXIED: (
        "A person, through a proxy",
        "The mail provider's image proxy fetched the image when the mail was shown. It hides place and device.",
    ),
    Verdict.PRIVACY_PREFETCH: (
        "Cannot be told",
        "Apple Mail Privacy Protection loads every image by itself. The mail arrived at an Apple Mail; "
        "whether somebody looked at it cannot be known.",
    ),
    Verdict.MACHINE_PREFETCH: (
        "Fetched ahead",
        "A program fetched this before anybody looked at the mail. It does not count as a person.",
    ),
    Verdict.MACHINE_SCANNER: (
        "Security scanner",
        "A security gateway or another automatic program checked the mail. It does not count as a person.",
    ),
    Verdict.MACHINE_PREVIEW: (
        "Link preview or crawler",
        "A chat, a social network or a crawler fetched this to show a preview. It does not count as a person.",
    ),
    Verdict.SENDER_SELF: (
        "The sender",
        "The sender looked at their own mail. It does not count.",
    ),
    Verdict.INFERRED_FROM_CLICK: (
        "Shown by a click",
        "No image was fetched, but a person followed a link, so the mail was read.",
    ),
    Verdict.HUMAN_CONFIRMED: (
        "A person, confirmed",
        "Somebody did what only a person does, such as pressing a button.",
    ),
    Verdict.HUMAN_LIKELY: (
        "Most likely a person",
        "The link was followed and nothing speaks for a machine.",
    ),
    Verdict.PENDING: (
        "Not decided yet",
        "It is too early to tell; what follows within the next moments decides.",
    ),
}

_CONFIDENCE: Mapping[Confidence, tuple[str, str]] = {
    Confidence.CERTAIN: ("certain", "The evidence allows no other reading."),
    Confidence.PROBABLE: ("probable", "The evidence points one way, but does not prove it."),
    Confidence.WEAK: ("weak", "There is little evidence; take it as a hint."),
}

_COVERAGE: Mapping[Coverage, tuple[str, str]] = {
    Coverage.TRACKABLE: (
        "Can be measured",
        "Opens and clicks of this mail can be seen, where the reader's program allows it.",
    ),
    Coverage.TEXT_ONLY: ("Plain text", "A plain-text mail has no image, so its opens cannot be seen. Links can."),
    Coverage.IMAGES_LIKELY_BLOCKED: (
        "Images likely blocked",
        "The recipient's program usually blocks images. No open seen does not mean that nobody read it.",
    ),
    Coverage.PRIVACY_CLIENT: (
        "Privacy protection",
        "The recipient uses Apple Mail with privacy protection: its fetches do not tell whether somebody looked.",
    ),
    Coverage.GATEWAY_SCANNED: (
        "Behind a gateway",
        "A security gateway checks mail for this recipient and follows links by itself. Clicks are judged with care.",
    ),
    Coverage.CLIPPED_RISK: (
        "May be cut off",
        "Gmail cuts mails above about 102 KB, and the image at the end is lost with the rest.",
    ),
    Coverage.STRIPPING_DOMAIN: (
        "Tracking removed",
        "The recipient's provider removes tracking images. Opens cannot be seen; links can.",
    ),
    Coverage.NOT_TRACKED: ("Not tracked", "This mail went out without tracking."),
}

_UNTRACKED: Mapping[str, tuple[str, str]] = {
    "rule_none": ("Not tracked by rule", "The account's rules track no mail from this sender."),
    "rule_not_marked": ("Not marked", "The account's rules track only mail that is marked for it, and this was not."),
    "switched_off": ("Switched off", "The mail's header asked not to be tracked."),
    "never_list": ("On the never-track list", "The account's rules name this recipient or its domain."),
    "internal_recipient": ("Internal recipient", "The account's rules name the recipient's domain as its own."),
    Untracked.TRACKING_OFF: ("Tracking is off", "The sender switched it off, or the recipient does not allow it."),
    Untracked.OPTED_OUT: ("Opted out", "The mail carries the header X-No-Track."),
    Untracked.SIGNED: ("Signed", "Changing one byte would break the author's signature (S/MIME or PGP)."),
    Untracked.ENCRYPTED: ("Encrypted", "What is encrypted cannot be changed, and is nobody's business."),
    Untracked.DKIM_SIGNED: (
        "Signed by another domain",
        "The mail came with a DKIM signature of a domain that we do not sign for; a change would break it.",
    ),
    Untracked.ARC_SEALED: ("Sealed", "A forwarder's ARC seal covers the mail; a change would break it."),
    Untracked.REPORT: (
        "A report",
        "Bounces, receipts and complaints are for machines; they are passed on as they are.",
    ),
    Untracked.AMBIGUOUS: (
        "Ambiguous structure",
        "Programs would read this mail's headers or parts in different ways, so no change is safe.",
    ),
    Untracked.NOTHING_TO_TRACK: ("Nothing to track", "No part that is shown holds a link, or a place for an image."),
    Untracked.ATTACHMENT: ("An attachment", "Attachments are passed on as they are."),
    Untracked.NESTED_MESSAGE: ("A forwarded mail", "A mail inside the mail is passed on as it is."),
    Untracked.CALENDAR: ("A calendar entry", "Invitations are passed on as they are."),
    Untracked.NOT_SHOWN: ("Not shown", "Readers do not see this part as the mail's text."),
    Untracked.TEXT_LINKS_OFF: ("Plain text", "Links in plain text are left alone unless that is switched on."),
    Untracked.DAMAGED_ENCODING: ("Damaged encoding", "The body is not encoded the way its header says."),
    Untracked.UNUSABLE_CHARSET: ("Unusual characters", "Markup cannot be found safely in this character set."),
    Untracked.VERIFICATION_FAILED: (
        "Failed our own check",
        "Undoing our changes would not have given the original back, so the mail went out as it was.",
    ),
    Untracked.TOO_LARGE: (
        "Too large",
        "This part is larger than what is searched for links, so it went out as it was.",
    ),
    Untracked.INTERNAL_FAILURE: ("Our own failure", "Something went wrong on our side; the mail is unharmed."),
}

_REASONS: Mapping[str, tuple[str, str]] = {
    Reason.POSTED: ("a form was sent", "Somebody pressed a button; scanners look at pages but do not send forms."),
    Reason.METHOD_NOT_GET: (
        "asked without fetching",
        "The request only asked whether the address exists. A reader's program fetches it.",
    ),
    Reason.PREFETCH_HEADER: (
        "says it fetches ahead",
        "The program itself said that it loads this before it is needed.",
    ),
    Reason.GMAIL_PREFETCH: (
        "Gmail's fetch ahead",
        "Gmail loads some images before the mail is shown, under a user agent that nothing else uses.",
    ),
    Reason.MAIL_PROXY: ("image proxy", "The request came from the image proxy of a mail provider."),
    Reason.PROXY_FOLLOWED_LINK: (
        "image proxy on a link",
        "An image proxy followed a link, which no reader asked it to.",
    ),
    Reason.BARE_MOZILLA: (
        "bare user agent",
        "The program calls itself `Mozilla/5.0` and nothing more, as Apple's privacy protection does.",
    ),
    Reason.SCANNER_AGENT: ("scanner's name", "The user agent is that of a known security scanner."),
    Reason.PREVIEW_AGENT: ("preview's name", "The user agent is that of a chat or network that builds link previews."),
    Reason.CRAWLER_AGENT: ("crawler's name", "The user agent is that of a crawler."),
    Reason.PROGRAM_AGENT: ("a program's name", "The user agent is that of a script or library, not of a reader."),
    Reason.NO_AGENT: ("no user agent", "The program did not say what it is. Mail clients and browsers do."),
    Reason.MAIL_CLIENT: ("mail client", "The user agent is that of a mail client."),
    Reason.BROWSER: ("browser", "The user agent is that of a browser."),
    Reason.NOT_A_BROWSER: (
        "not a browser",
        "Links are followed with browsers; this program does not say that it is one.",
    ),
    Reason.APP: ("app", "The user agent is that of an app on a phone or tablet."),
    Reason.UNKNOWN_CLIENT: ("unknown program", "The user agent is not known to us; nothing speaks for a machine."),
    Reason.OWN: ("the sender's own", "It came from a browser or an address of the account that sent the mail."),
    Reason.APPLE_NETWORK: (
        "Apple's network",
        "The address is one of those through which Apple fetches images.",
    ),
    Reason.PROXY_NETWORK: ("the provider's network", "The address belongs to the provider whose proxy this is."),
    Reason.OTHER_NETWORK: (
        "from elsewhere",
        "The user agent belongs to one provider only, and the address is none of theirs.",
    ),
    Reason.SCANNER_NETWORK: (
        "scanner's network",
        "The address belongs to a security gateway. Nobody reads mail from there.",
    ),
    Reason.PREVIEW_NETWORK: ("preview's network", "The address belongs to a service that builds link previews."),
    Reason.SECURITY_NETWORK: (
        "security vendor's network",
        "The address belongs to a security vendor: its scanner, or a person whose browser it isolates.",
    ),
    Reason.PROVIDER_NETWORK: (
        "Microsoft's or Google's network",
        "They check links from there, and show images to readers from there.",
    ),
    Reason.HOSTING_NETWORK: (
        "rented machines",
        "The address belongs to a hosting provider: most often a program, sometimes a company's way to the internet.",
    ),
    Reason.BEFORE_DELIVERY: (
        "before delivery",
        "It came while the receiving server was still looking at the mail. Nobody could read it yet.",
    ),
    Reason.AT_ONCE: (
        "too soon",
        "It came sooner after delivery than a person notices a mail and reads it; where scanners are at home, minutes.",
    ),
    Reason.ASKED_BEFORE: (
        "asked first",
        "The same program asked whether the link exists and then fetched it. Browsers just fetch.",
    ),
    Reason.SWEEP: ("swept all links", "Several links of this one mail were followed within seconds."),
    Reason.NO_TIME_TO_READ: (
        "no time to read",
        "The same program fetched the image and followed a link within a second.",
    ),
    Reason.CROWD: (
        "many recipients at once",
        "The same address and program asked for the mails of many recipients within a minute.",
    ),
    Reason.SAME_SOURCE: (
        "from where a machine was at work",
        "In the same minutes a machine worked on this mail from the same address.",
    ),
    Reason.OTHER_DEVICE: (
        "a second device within seconds",
        "The same link was followed from another network and system within seconds; one of the two is a scanner.",
    ),
    Reason.OPENED_HERE: ("opened here before", "The mail was opened from the same address just before."),
    Reason.ACTED: ("a form was sent after it", "The same program then sent a form, which scanners do not."),
    Reason.REPLIED: ("answered", "Somebody answered the mail afterwards."),
    Reason.WINDOW_OPEN: (
        "too early to tell",
        "What comes within a minute of a click can still show that it was a machine's.",
    ),
}


NOT_BUILT_YET = Explanation(
    "not_built",
    "Not known yet",
    "What of this mail can be measured is known once its copy has been built.",
)
NEVER_BUILT = Explanation(
    "never_built",
    "Nothing to measure",
    "No copy of this mail was made, so nothing of it can be opened or followed.",
)
COUNTED_WITHOUT_NAME = Explanation(
    "anonymous",
    "Counted without a name",
    "These copies share one image and the same links: their opens and clicks are in the totals, and nobody's in "
    "particular.",
)
TOO_SMALL_A_GROUP = Explanation(
    "small_group",
    "Withheld",
    "Counts without names are shown from five recipients on: in a smaller group they would point at somebody.",
)


def explain_verdict(verdict: Verdict) -> Explanation:
    """Return what a verdict means."""
    return Explanation(verdict, *_VERDICTS[verdict], who=verdict.who)


def explain_confidence(confidence: Confidence) -> Explanation:
    """Return what a grade of confidence means."""
    return Explanation(confidence, *_CONFIDENCE[confidence])


def explain_coverage(coverage: Coverage) -> Explanation:
    """Return what of a message can be measured."""
    return Explanation(coverage, *_COVERAGE[coverage])


def explain_gateway(name: str) -> Explanation:
    """Return what it means for measuring that they take in somebody's mail; `name` is as `mail.gateways` gives it."""
    if Receiver(name).strips:
        return Explanation("stripping", name, _STRIPPING)
    return Explanation("gateway", name, _OUTLOOK if name == "Microsoft 365" else _GATEWAY)


_STRIPPING = (
    "They remove tracking images before anybody sees the mail: whether it was opened cannot be seen, and no open is no "
    "sign that nobody read it. Links are followed and counted as ever."
)
_GATEWAY = (
    "They check mail before their customers see it, and may fetch its image and follow all its links by themselves, at "
    "once or hours later. What comes from their networks, in haste, or link after link is taken for the check and "
    "never counts as a person. A person in a browser that they isolate cannot be told from it within ten minutes of "
    "delivery; a check that waits and looks like a single reader may be taken for one."
)
_OUTLOOK = (
    "Where its protection is switched on, Microsoft follows links by itself, before delivery and when somebody clicks, "
    "and shows images to readers of Outlook from the same networks. So these networks speak about clicks and never "
    "against an open; of an open through them, place and program stay unknown."
)


def explain_reason(code: str) -> Explanation:
    """Return what a reason code means. A code of another version is shown as it stands."""
    title, text = _REASONS.get(code) or (code.replace("_", " "), "")
    return Explanation(code, title, text)


def explain_refusal(code: str) -> Explanation:
    """Return why a mail was refused or is late, and what to do. A code of another version is shown as it stands."""
    if code not in {reason.value for reason in Refused}:
        return Explanation(code, code.replace("_", " "), "")
    found = MEANINGS[Refused(code)]
    return Explanation(code, found.title, f"{found.meaning} {found.advice}")


def explain_untracked(code: str) -> Explanation:
    """Return why a mail went out untracked. A code of another version is shown as it stands."""
    title, text = _UNTRACKED.get(code) or (code.replace("_", " "), "")
    return Explanation(code, title, text)
