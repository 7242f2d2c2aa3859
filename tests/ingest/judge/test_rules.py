"""The judge's rules: who caused a hit, by the evidence of that one hit."""
# ruff: noqa: E501  # user agents are as long as they are

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonanz.ingest.judge import Evidence, Judgement, Reason, identify, judge_one
from resonanz.model import Confidence, HitKind, Verdict
from tests.kit.cast import APPLE_PRIVACY, BROWSER, GMAIL, OUTLOOK

OPEN, CLICK, FILE, UNSUBSCRIBE = HitKind.OPEN, HitKind.CLICK, HitKind.FILE, HitKind.UNSUBSCRIBE

GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
)
REAL_EDGE_12 = GMAIL_PREFETCH.removesuffix(" Mozilla/5.0")
APPLE_MAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE_VIEW = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
HEY = "hey.com/imageproxy Mozilla/5.0 (compatible)"


def judged(kind: HitKind, user_agent: str = BROWSER, method: str = "GET", **headers: str) -> Judgement:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge_one(Evidence(kind, method, named, user_agent, identify(user_agent)))


@pytest.mark.parametrize(
    ("kind", "user_agent", "verdict", "reason"),
    [
        # Opens through a proxy are a person's, and hide place and device; a proxy on a link is nobody's click.
        (OPEN, GMAIL, Verdict.HUMAN_PROXIED, Reason.MAIL_PROXY),
        (OPEN, YAHOO, Verdict.HUMAN_PROXIED, Reason.MAIL_PROXY),
        (OPEN, HEY, Verdict.HUMAN_PROXIED, Reason.MAIL_PROXY),
        (OPEN, "FastmailUA/1.0", Verdict.HUMAN_PROXIED, Reason.MAIL_PROXY),
        (CLICK, GMAIL, Verdict.MACHINE_SCANNER, Reason.PROXY_FOLLOWED_LINK),
        # Apple's privacy protection is recognised and not decided; the same string on a link is some program.
        (OPEN, APPLE_PRIVACY, Verdict.PRIVACY_PREFETCH, Reason.BARE_MOZILLA),
        (OPEN, APPLE_PRIVACY + " ", Verdict.PRIVACY_PREFETCH, Reason.BARE_MOZILLA),
        (CLICK, APPLE_PRIVACY, Verdict.MACHINE_SCANNER, Reason.BARE_MOZILLA),
        # Apple Mail without that protection ends in `(KHTML, like Gecko)` and is a person.
        (OPEN, APPLE_MAIL, Verdict.HUMAN_DIRECT, Reason.MAIL_CLIENT),
        (OPEN, IPHONE_VIEW, Verdict.HUMAN_DIRECT, Reason.UNKNOWN_CLIENT),
        # Gmail's fetch ahead is one exact string; a real old Edge is a browser.
        (OPEN, GMAIL_PREFETCH, Verdict.MACHINE_PREFETCH, Reason.GMAIL_PREFETCH),
        (OPEN, REAL_EDGE_12, Verdict.HUMAN_DIRECT, Reason.BROWSER),
        # Mail clients and browsers.
        (OPEN, OUTLOOK, Verdict.HUMAN_DIRECT, Reason.MAIL_CLIENT),
        (OPEN, BROWSER, Verdict.HUMAN_DIRECT, Reason.BROWSER),
        (CLICK, BROWSER, Verdict.HUMAN_LIKELY, Reason.BROWSER),
        (FILE, BROWSER, Verdict.HUMAN_LIKELY, Reason.BROWSER),
        (CLICK, IPHONE_VIEW, Verdict.HUMAN_LIKELY, Reason.UNKNOWN_CLIENT),
        # Machines that say what they are.
        (OPEN, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Verdict.MACHINE_PREVIEW, Reason.PREVIEW_AGENT),
        (OPEN, "Slack-ImgProxy (+https://api.slack.com/robots)", Verdict.MACHINE_PREVIEW, Reason.PREVIEW_AGENT),
        (CLICK, "WhatsApp/2.23.20.0", Verdict.MACHINE_PREVIEW, Reason.PREVIEW_AGENT),
        (CLICK, "LinkedInBot/1.0 (compatible; Mozilla/5.0)", Verdict.MACHINE_PREVIEW, Reason.PREVIEW_AGENT),
        (CLICK, "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", Verdict.MACHINE_PREVIEW, Reason.PREVIEW_AGENT),
        (CLICK, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Verdict.MACHINE_PREVIEW, Reason.CRAWLER_AGENT),
        (CLICK, "Barracuda Sentinel (EE)", Verdict.MACHINE_SCANNER, Reason.SCANNER_AGENT),
        (CLICK, "python-requests/2.32.3", Verdict.MACHINE_SCANNER, Reason.PROGRAM_AGENT),
        (CLICK, "curl/8.5.0", Verdict.MACHINE_SCANNER, Reason.PROGRAM_AGENT),
        (OPEN, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0 Safari/537.36", Verdict.MACHINE_SCANNER, Reason.PROGRAM_AGENT),
        # Those that do not.
        (OPEN, "", Verdict.MACHINE_SCANNER, Reason.NO_AGENT),
        (CLICK, "  ", Verdict.MACHINE_SCANNER, Reason.NO_AGENT),
        (CLICK, "Frobnimail 3", Verdict.MACHINE_SCANNER, Reason.NOT_A_BROWSER),
        (OPEN, "Frobnimail 3", Verdict.HUMAN_DIRECT, Reason.UNKNOWN_CLIENT),  # there are mail clients we do not know
    ],
)  # fmt: skip
def test_who_asked(kind: HitKind, user_agent: str, verdict: Verdict, reason: Reason) -> None:
    """What a program calls itself, and what it asks for, decide together."""
    judgement = judged(kind, user_agent)
    assert (judgement.verdict, judgement.reasons) == (verdict, (reason,))


@pytest.mark.parametrize("kind", [OPEN, CLICK, FILE])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_looking_without_fetching_is_a_machine(kind: HitKind, method: str) -> None:
    """Whatever it calls itself: a reader's program fetches."""
    assert judged(kind, BROWSER, method) == Judgement(
        Verdict.MACHINE_SCANNER, Confidence.CERTAIN, (Reason.METHOD_NOT_GET,)
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"sec_purpose": "Prefetch; anonymous-client-ip"},
        {"purpose": "prefetch"},
        {"x_purpose": "preview"},
        {"x_moz": "prefetch"},
    ],
)
@pytest.mark.parametrize("user_agent", [BROWSER, GMAIL, APPLE_PRIVACY])
def test_who_says_that_it_fetches_ahead_is_believed(headers: dict[str, str], user_agent: str) -> None:
    """Nobody claims to be a machine who is not."""
    judgement = judged(OPEN, user_agent, **headers)
    assert (judgement.verdict, judgement.confidence) == (Verdict.MACHINE_PREFETCH, Confidence.CERTAIN)


def test_other_purposes_are_no_prefetch() -> None:
    """Only the known words count."""
    assert judged(CLICK, BROWSER, sec_purpose="navigate").verdict is Verdict.HUMAN_LIKELY


@pytest.mark.parametrize("user_agent", [BROWSER, "", "python-requests/2.32", GMAIL])
def test_sending_the_unsubscribe_form_is_an_act(user_agent: str) -> None:
    """A mail provider sends the one-click form from its servers; it is a person's wish all the same."""
    assert judged(UNSUBSCRIBE, user_agent, "POST").verdict is Verdict.HUMAN_CONFIRMED


@given(
    st.sampled_from(list(HitKind)),
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    st.text(max_size=200),
    st.dictionaries(st.sampled_from(["purpose", "sec-purpose", "accept", "from"]), st.text(max_size=20)),
)
def test_every_hit_gets_one_verdict_and_always_the_same(
    kind: HitKind, method: str, user_agent: str, headers: dict[str, str]
) -> None:
    """Nothing that comes in breaks the judge, and judging again gives the same; a verdict always has a reason."""
    evidence = Evidence(kind, method, headers, user_agent, identify(user_agent))
    judgement = judge_one(evidence)
    assert judgement == judge_one(evidence)
    assert judgement.reasons
    opens = {Verdict.HUMAN_DIRECT, Verdict.HUMAN_PROXIED, Verdict.PRIVACY_PREFETCH}
    assert judgement.verdict not in (opens if kind is not OPEN else {Verdict.HUMAN_LIKELY})
