"""Plain words for what the codes mean: verdicts, confidence, reasons, coverage, why a mail went out untracked.

The dashboard shows these texts beside the codes and the API can return them. A code that has no words here is a defect;
`tests/insight` goes through every code there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resonanz.ingest.judge.reasons import Reason
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

_UNTRACKED: Mapping[str, tuple[str, str]] = {}

_REASONS: Mapping[Reason, tuple[str, str]] = {
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
    Reason.UNKNOWN_CLIENT: ("unknown program", "The user agent is not known to us; nothing speaks for a machine."),
    Reason.ANONYMOUS: (
        "counted without names",
        "This mail is counted without names, so little is known about the request.",
    ),
}


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


def explain_reason(code: str) -> Explanation:
    """Return what a reason code means. A code of an older or newer judge is shown as it stands."""
    try:
        return Explanation(code, *_REASONS[Reason(code)])
    except ValueError:
        return Explanation(code, code.replace("_", " "), "")


def explain_untracked(code: str) -> Explanation:
    """Return why a mail, or a part of it, went out untracked."""
    title, text = _UNTRACKED.get(code, (code.replace("_", " "), ""))
    return Explanation(code, title, text)
