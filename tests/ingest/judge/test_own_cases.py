"""Situations of our own making: gateways, offices, relays, isolation, forwarding, patience, haste and wrong clocks.

Each says what happened, as a small table, and why it must come out so. Their numbers go on from the published ones.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.ingest.judge.judging import judged
from tests.kit.traces import differences, unnoticed, written


class Case(NamedTuple):
    why: str
    table: str
    links: int = 6


CASES = {
    # ── Gateways ────────────────────────────────────────────────────────────────────────────────────────────────
    "31 a gateway scans, a person reads an hour later": Case(
        "What the scanner did must not stick to the person, who comes from another address.",
        """
        0     sent
        1     delivered
        3     open     aws   chrome   machine_scanner
        4     click:0  aws   chrome   machine_scanner
        5     click:1  aws   chrome   machine_scanner
        6     click:2  aws   chrome   machine_scanner
        3600  open     home  outlook  human_direct counted placed
        3660  click:1  home  chrome   human_likely counted placed
        """,
    ),
    "32 Safe Links looks at the moment of the click": Case(
        "Microsoft's fetch is the detonation; the person's browser follows the same link from home.",
        """
        0     sent
        1     delivered
        7200  open     home       outlook    human_direct counted placed
        7260  click:0  microsoft  safelinks  machine_scanner other_device
        7262  click:0  home       chrome     human_likely counted placed opened_here
        """,
    ),
    "33 Microsoft looks soon after delivery": Case(
        "Its networks may speak about clicks: within ten minutes it is the scan.",
        """
        0    sent
        1    delivered
        240  click:0  microsoft  edge  machine_scanner provider_network
        """,
    ),
    "34 Microsoft's networks say nothing against an open": Case(
        "Outlook on the web fetches images through them at once, for people.",
        """
        0   sent
        1   delivered
        15  open  microsoft  edge  human_proxied counted provider_network
        """,
    ),
    "35 one address of Microsoft opens and sweeps under two user agents": Case(
        "Seen in the wild: neither was the recipient. The pattern tells, not the network.",
        """
        0    sent
        1    delivered
        700  open     microsoft  chrome  machine_scanner same_source
        702  click:0  microsoft  edge    machine_scanner sweep
        703  click:1  microsoft  edge    machine_scanner sweep
        704  click:2  microsoft  edge    machine_scanner sweep
        """,
    ),
    "36 a gateway scans twice, with hours between": Case(
        "A second sweep is a sweep too.",
        """
        0     sent
        1     delivered
        5     click:0  aws   chrome  machine_scanner
        6     click:1  aws   chrome  machine_scanner
        7     click:2  aws   chrome  machine_scanner
        9000  click:0  aws2  chrome  machine_scanner sweep
        9003  click:1  aws2  chrome  machine_scanner sweep
        9006  click:2  aws2  chrome  machine_scanner sweep
        """,
    ),
    "37 fetches spread over many addresses": Case(
        "Some scanners use a new address and user agent for every link; together they sweep all the same.",
        """
        0     sent
        1     delivered
        3000  click:0  aws   chrome         machine_scanner sweep
        3004  click:1  ovh   firefox_linux  machine_scanner sweep
        3009  click:2  aws3  edge           machine_scanner sweep
        """,
    ),
    "38 while a scanner sweeps, the reader follows a link": Case(
        "Who opened the mail here just before is no part of the sweep from elsewhere.",
        """
        0     sent
        1     delivered
        3000  open     home  thunderbird    human_direct counted placed
        3050  click:0  aws   chrome         machine_scanner sweep
        3051  click:1  aws2  chrome         machine_scanner sweep
        3052  click:4  home  firefox_linux  human_likely counted placed
        3053  click:2  aws3  chrome         machine_scanner sweep
        """,
    ),
    "39 HEAD, then GET": Case(
        "The same program asked first whether the link exists. Browsers just fetch.",
        """
        0     sent
        1     delivered
        5000  click:0  mobile  chrome  machine_scanner certain HEAD
        5002  click:0  mobile  chrome  machine_scanner asked_before
        """,
    ),
    "40 Office asks, then the reader's browser fetches": Case(
        "Office looks whether a link leads to a document before it hands it to the browser: another program.",
        """
        0     sent
        1     delivered
        5000  open     home  office  human_direct counted placed
        5020  click:0  home  office  machine_scanner HEAD
        5021  click:0  home  edge    human_likely counted placed
        """,
    ),
    "41 a scanner that says its name": Case(
        "Named scanners need neither network nor pattern.",
        """
        0     sent
        9000  click:0  home  barracuda  machine_scanner certain
        9900  click:1  home  requests   machine_scanner probable
        """,
    ),
    "42 a scanner's images": Case(
        "A security vendor's network opens nothing for a person while it scans.",
        """
        0   sent
        1   delivered
        30  open  proofpoint  outlook  machine_scanner security_network
        """,
    ),
    "43 the unsubscribe page counts as a link": Case(
        "A scanner fetches it like any other; a person does not visit three in seconds.",
        """
        0     sent
        1     delivered
        2000  click:0          mobile  chrome  machine_scanner sweep
        2002  unsubscribe_get  mobile  chrome  machine_scanner sweep
        2004  click:1          mobile  chrome  machine_scanner sweep
        """,
    ),
    "44 a person looks at the unsubscribe page": Case(
        "Somebody did, but that is no click in the statistics.",
        """
        0     sent
        1     delivered
        5000  unsubscribe_get   home  chrome  human_confirmed placed
        5010  unsubscribe_post  home  chrome  human_confirmed placed
        """,
    ),
    "45 the proxy of a mail provider on a link": Case(
        "No reader asked it to follow links.",
        """
        0     sent
        5000  click:0  google  gmail  machine_scanner
        """,
    ),
    "46 somebody pretends to be Gmail's proxy": Case(
        "Only Google's network is where that proxy comes from.",
        """
        0     sent
        1     delivered
        9000  open  ovh  gmail  machine_scanner weak other_network
        """,
    ),
    # ── Before and just after delivery ──────────────────────────────────────────────────────────────────────────
    "47 a click before the mailbox has the mail": Case(
        "Servers look before they accept; a person cannot.",
        """
        0   sent
        90  delivered
        60  click:0  mobile  chrome  machine_scanner before_delivery
        """,
    ),
    "48 a report of delivery that comes late": Case(
        "No server scans for more than ten minutes before it accepts: the clock falls back to sending.",
        """
        0     sent
        9000  delivered
        4000  open     home  outlook  human_direct counted placed
        4030  click:0  home  chrome   human_likely counted placed
        """,
    ),
    "49 the clock starts at delivery, not at sending": Case(
        "Held back by the other side for an hour, then scanned at once.",
        """
        0     sent
        3600  delivered
        3605  click:0  mobile  chrome  machine_scanner at_once
        """,
    ),
    "50 without a report of delivery the clock starts at sending": Case(
        "Better a rough clock than none.",
        """
        0  sent
        6  click:0  mobile  chrome  machine_scanner at_once weak
        """,
    ),
    "51 nothing but a click is known of the mail": Case(
        "Times in a trace count from sending.",
        """
        8000  click:0  mobile  chrome  human_likely counted placed
        """,
    ),
    "52 an edge whose clock is behind": Case(
        "A mail program that shows the mail as it comes in may seem to be early; it is nobody's scanner.",
        """
        0   sent
        2   delivered
        -1  open  home  outlook  human_direct counted placed
        """,
    ),
    "53 haste without an open": Case(
        "Nothing vouches for a click within ten seconds of delivery.",
        """
        0  sent
        1  delivered
        7  click:0  home  chrome  machine_scanner weak
        """,
    ),
    "54 haste, and then the form is sent": Case(
        "What only a person does outweighs that it came soon.",
        """
        0   sent
        1   delivered
        7   click:0           home  chrome  human_confirmed counted placed acted
        40  unsubscribe_post  home  chrome  human_confirmed placed
        """,
    ),
    "55 a hasty click leaves the next one alone": Case(
        "Time alone shows no machine that later clicks would have to suffer for.",
        """
        0    sent
        1    delivered
        7    click:0  home  chrome  machine_scanner weak
        200  click:1  home  chrome  human_likely counted placed
        """,
    ),
    "56 rented machines need more patience": Case(
        "They widen the window to ten minutes; what comes later is believed, weakly.",
        """
        0     sent
        1     delivered
        300   click:0  aws  chrome  machine_scanner hosting_network
        5000  click:1  ovh  chrome  human_likely counted weak hosting_network
        """,
    ),
    # ── Offices and crowds ──────────────────────────────────────────────────────────────────────────────────────
    "57 an office opens the newsletter together": Case(
        "One address, one mail program, forty people in a minute: that is an office at nine o'clock.",
        "\n".join(f"0 n{n}/sent\n{5000 + n} n{n}/open office outlook human_direct counted placed" for n in range(40)),
    ),
    "58 nine colleagues follow one link within a minute": Case(
        "Behind one address and the same browser; still people.",
        "\n".join(
            f"0 n{n}/sent\n{5000 + 6 * n} n{n}/click:0 office edge human_likely counted placed" for n in range(9)
        ),
    ),
    "59 rented machines over four recipients in a minute": Case(
        "Few people come from there, so that few are a crowd.",
        "\n".join(f"0 n{n}/sent\n{5000 + 10 * n} n{n}/click:{n} aws chrome machine_scanner crowd" for n in range(4)),
    ),
    "60 a crowd's first click is judged again": Case(
        "When the first came, nothing spoke against it; the tenth tells.",
        "\n".join(f"0 n{n}/sent\n{5000 + 5 * n} n{n}/click:0 mobile chrome machine_scanner crowd" for n in range(12)),
    ),
    "61 one person follows a link again and again": Case(
        "Twelve clicks on one mail are no crowd; those within a minute are one click.",
        "0 sent\n"
        + "\n".join(
            f"{5000 + 4 * n} click:0 home chrome human_likely placed {'' if n else 'counted'}" for n in range(12)
        ),
    ),
    "62 the office's scanner and its people share an address": Case(
        "Another program than the one that swept, in a network of people: not the same source.",
        """
        0     sent
        1     delivered
        3000  click:0  office  chrome120  machine_scanner sweep
        3001  click:1  office  chrome120  machine_scanner sweep
        3002  click:2  office  chrome120  machine_scanner sweep
        3200  open     office  outlook    human_direct counted placed
        3230  click:2  office  edge       human_likely counted placed
        """,
    ),
    # ── Private Relay and isolation ─────────────────────────────────────────────────────────────────────────────
    "63 webmail through Private Relay": Case(
        "Apple's network with a real browser is a person; where they are stays unknown.",
        """
        0     sent
        4000  open     relay  safari  human_direct counted
        4010  click:0  relay  safari  human_likely counted
        """,
    ),
    "64 a link under Apple's bare user agent": Case(
        "Privacy protection loads images. Links are followed with browsers.",
        """
        0     sent
        4000  click:0  relay  apple  machine_scanner
        """,
    ),
    "65 an isolated browser inside the scan's window": Case(
        "Cannot be known, and is said so in the documentation: within ten minutes it is taken for the scan.",
        """
        0    sent
        1    delivered
        400  click:0  mimecast  chrome  machine_scanner
        """,
    ),
    "66 an isolated browser at the next day, its scanner before": Case(
        "A security vendor's network is no verdict once its scan is over.",
        """
        0      sent
        1      delivered
        12     click:0  mimecast  chrome  machine_scanner
        13     click:1  mimecast  chrome  machine_scanner
        14     click:2  mimecast  chrome  machine_scanner
        86400  click:1  mimecast  edge    human_likely counted weak security_network
        """,
    ),
    # ── Devices, forwarding, re-opens ───────────────────────────────────────────────────────────────────────────
    "67 the same person on phone and computer": Case(
        "Minutes apart, two systems are two devices of one reader.",
        """
        0     sent
        4000  click:0  mobile  safari_iphone  human_likely counted placed
        4300  click:0  home    chrome         human_likely counted placed
        """,
    ),
    "68 from mobile network to home network": Case(
        "The same telephone, another address: one system is no pair.",
        """
        0     sent
        4000  click:0  mobile  safari_iphone  human_likely counted placed
        4012  click:0  home    safari_iphone  human_likely placed
        """,
    ),
    "69 the later of two, but the mail was opened there": Case(
        "An open speaks for the click that came second; the first is the scanner's.",
        """
        0     sent
        1     delivered
        3990  open     home    thunderbird    human_direct counted placed
        4000  click:0  mobile  chrome         machine_scanner other_device
        4012  click:0  home    firefox_linux  human_likely counted placed
        """,
    ),
    "70 a forwarded mail": Case(
        "Somebody else reads the copy elsewhere: a person, though not the recipient. Counted once per message.",
        """
        0      sent
        4000   open     home    outlook        human_direct counted placed
        90000  open     mobile  iphone_mail    human_direct placed
        90030  click:0  mobile  safari_iphone  human_likely counted placed
        """,
    ),
    "71 opened again over a week": Case(
        "Opens of one mail are one open, whatever they are made with.",
        """
        0       sent
        4000    open  home    outlook      human_direct counted placed
        90000   open  google  gmail        human_proxied
        600000  open  mobile  iphone_mail  human_direct placed
        """,
    ),
    "72 the same link again an hour later": Case(
        "A click of its own.",
        """
        0     sent
        4000  click:0  home  chrome  human_likely counted placed
        4030  click:0  home  chrome  human_likely placed
        7700  click:0  home  chrome  human_likely counted placed
        """,
    ),
    # ── Patience and its limits ─────────────────────────────────────────────────────────────────────────────────
    "73 a scanner that waits half an hour": Case(
        "Waiting does not hide the pattern.",
        """
        0     sent
        1     delivered
        1800  open     mobile  chrome  machine_scanner same_source
        1803  click:0  mobile  chrome  machine_scanner sweep
        1812  click:1  mobile  chrome  machine_scanner sweep
        1826  click:2  mobile  chrome  machine_scanner sweep
        """,
    ),
    "74 the last link of a sweep comes late": Case(
        "From where a machine was at work it goes on being one for five minutes.",
        """
        0     sent
        1     delivered
        1800  click:0  mobile  chrome  machine_scanner sweep
        1801  click:1  mobile  chrome  machine_scanner sweep
        1802  click:2  mobile  chrome  machine_scanner sweep
        1950  click:3  mobile  chrome  machine_scanner same_source
        """,
    ),
    "75 three links, a minute between each": Case(
        "Somebody who reads.",
        """
        0     sent
        1     delivered
        3000  click:0  home  chrome  human_likely counted placed
        3060  click:1  home  chrome  human_likely counted placed
        3120  click:2  home  chrome  human_likely counted placed
        """,
    ),
    "76 both links of a short mail, soon after delivery": Case(
        "All links of a mail within half a minute of each other, while it is still being scanned.",
        """
        0    sent
        1    delivered
        120  click:0  mobile  chrome  machine_scanner sweep
        130  click:1  mobile  chrome  machine_scanner sweep
        """,
        links=2,
    ),
    "77 both links of a short mail, hours later": Case(
        "One after the other, with time to read: a person.",
        """
        0     sent
        1     delivered
        8000  click:0  home  chrome  human_likely counted placed
        8009  click:1  home  chrome  human_likely counted placed
        """,
        links=2,
    ),
    "78 the only link of a mail": Case(
        "One of one is no sweep.",
        """
        0    sent
        1    delivered
        120  click:0  home  chrome  human_likely counted placed
        """,
        links=1,
    ),
    # ── Acts, replies, and the sender ───────────────────────────────────────────────────────────────────────────
    "79 a click, and an answer to the mail": Case(
        "Who answers has read; a click before it is confirmed, a machine's stays a machine's.",
        """
        0      sent
        1      delivered
        5      click:1  aws   chrome  machine_scanner
        4000   click:0  home  chrome  human_confirmed counted placed replied
        90000  reply
        """,
    ),
    "80 an answer before the click": Case(
        "What came earlier confirms nothing.",
        """
        0     sent
        3000  reply
        4000  click:0  home  chrome  human_likely counted placed
        """,
    ),
    "81 the sender looks at the sent mail": Case(
        "Own opens and clicks are shown and never counted.",
        """
        0    sent
        300  open     home  chrome  sender_self own
        310  click:0  home  chrome  sender_self own
        """,
    ),
    "82 a program without a name": Case(
        "Mail clients and browsers say what they are.",
        """
        0     sent
        4000  open     home  -  machine_scanner weak
        4000  click:0  home  -  machine_scanner weak
        """,
    ),
    "83 no address is known": Case(
        "Judged by what there is; nothing to place.",
        """
        0     sent
        4000  open     nowhere  outlook  human_direct counted
        4010  click:0  nowhere  chrome   human_likely counted
        """,
    ),
    # ── One address, one moment, one after the other ────────────────────────────────────────────────────────────
    "84 one address of Microsoft opens and clicks under two user agents": Case(
        "Seen in the wild, for nobody: the address has been at a link, so that its open is no reader's either.",
        """
        0   sent
        1   delivered
        60  open     microsoft  chrome         machine_scanner weak same_source provider_network
        62  click:0  microsoft  safari_iphone  machine_scanner at_once
        """,
    ),
    "85 Outlook on a rented desktop at Microsoft": Case(
        "A mail client shows the mail to somebody; only the click is too early to be believed from there.",
        """
        0   sent
        1   delivered
        60  open     microsoft  outlook  human_proxied counted mail_client
        70  click:0  microsoft  edge     machine_scanner at_once
        """,
    ),
    "86 Outlook on the web, a check by Microsoft, a reader at home": Case(
        "The image came through another of Microsoft's addresses: for the reader.",
        """
        0   sent
        1   delivered
        60  open     microsoft   edge       human_proxied counted
        65  click:0  microsoft2  safelinks  machine_scanner at_once
        67  click:0  home        edge       human_likely counted placed
        """,
    ),
    "87 two links of a long mail within a second": Case(
        "Nobody follows two links at once, from wherever.",
        """
        0       sent
        1       delivered
        7200    click:1  home  chrome  machine_scanner sweep
        7200.4  click:4  home  chrome  machine_scanner sweep
        """,
    ),
    "88 two links of a long mail, in two tabs": Case(
        "Three seconds are enough for a hand.",
        """
        0     sent
        1     delivered
        7200  click:1  home  chrome  human_likely counted placed
        7203  click:4  home  chrome  human_likely counted placed
        """,
    ),
    "89 both links of a short mail while it is read in Gmail": Case(
        "Early, and within the window of a sweep, but its proxy has just shown the mail to somebody.",
        """
        0   sent
        1   delivered
        60  open     google  gmail          human_proxied counted
        75  click:0  mobile  safari_iphone  human_likely counted placed
        90  click:1  mobile  safari_iphone  human_likely counted placed
        """,
        links=2,
    ),
    "90 both links of a short mail, and an image by the same browser": Case(
        "Scanners call themselves browsers: their own image vouches for nothing.",
        """
        0   sent
        1   delivered
        60  open     home  chrome  machine_scanner same_source
        75  click:0  home  chrome  machine_scanner sweep
        90  click:1  home  chrome  machine_scanner sweep
        """,
        links=2,
    ),
    "91 an isolated browser, behind a check at the moment of the click": Case(
        "Both come from networks that check links; the check comes first, and then the person is let through.",
        """
        0     sent
        1     delivered
        7200  open     office      outlook    human_direct counted placed
        7260  click:0  mimecast    safelinks  machine_scanner other_device
        7262  click:0  proofpoint  chrome     human_likely counted
        """,
    ),
    "92 a rented desktop, behind a check at the moment of the click": Case(
        "Where links are checked nobody works; on rented machines some do.",
        """
        0     sent
        1     delivered
        7200  open     aws        outlook        human_direct counted
        7260  click:0  microsoft  firefox_linux  machine_scanner other_device
        7262  click:0  aws        chrome         human_likely counted
        """,
    ),
    "93 a rented desktop, soon after delivery": Case(
        "A mail client showed the mail there: its reader works on a rented machine. Nobody else there is believed.",
        """
        0    sent
        1    delivered
        600  open     aws   outlook  human_direct counted mail_client
        640  click:0  aws   edge     human_likely counted hosting_network
        641  click:1  aws2  edge     machine_scanner at_once
        """,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    """The verdicts are what the case's reason says."""
    case = CASES[name]
    trace = written(case.table, links=case.links)
    assert list(differences(trace.expected, judged(trace.text))) == [], case.why


@pytest.mark.parametrize("name", CASES)
def test_a_case_that_is_told_wrongly_is_found(name: str) -> None:
    """No case holds by accident: with any one of its verdicts turned round it fails."""
    case = CASES[name]
    trace = written(case.table, links=case.links)
    assert trace.expected
    assert unnoticed(trace, judged(trace.text)) == []


def test_there_are_more_than_forty() -> None:
    """Numbered on from the published ones without a gap, each a trace of its own, and each says why."""
    assert [int(name.split()[0]) for name in CASES] == list(range(31, 31 + len(CASES)))
    assert len({case.table for case in CASES.values()}) == len(CASES) >= 40
    assert all(case.why.endswith(".") for case in CASES.values())
