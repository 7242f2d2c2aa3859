"""What a mailing set in motion, in words: the two or three sentences that stand above its figures."""

from __future__ import annotations

from collections.abc import Iterator

from resonanz.dashboard.rendering import number
from resonanz.insight import Results
from resonanz.model import MessageState

WAITING = (MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED)


def waiting(results: Results) -> int:
    """Return how many of its mails still wait to go out."""
    return sum(results.page.states.get(state, 0) for state in WAITING)


def summary(results: Results, *, in_outbox: bool) -> str:
    """Return what is known of a mailing as sentences. With the built-in outbox nobody was reached: it lies there."""
    return " ".join((_reached(results, in_outbox=in_outbox), *_read(results), *_left(results)))


def _reached(results: Results, *, in_outbox: bool) -> str:
    recipients, arrived = results.page.submission.recipients, _arrived(results)
    left = waiting(results)
    still = f"; {number(left)} still {'waits' if left == 1 else 'wait'} to be sent" if left else ""
    if not arrived:
        return f"Nothing has arrived yet{still}." if left else "Nothing of it arrived."
    of = f"{number(arrived)} of {number(recipients)}" if arrived < recipients else f"all {number(recipients)}"
    if in_outbox:
        return f"{of[0].upper()}{of[1:]} copies lie in the outbox{still}."
    proven = results.page.states.get(MessageState.DELIVERED, 0)
    if proven < arrived:  # a next hop's word is no proof, and is not told as one
        return f"It went to {of} people and has not come back; that it arrived is proven for {_number(proven)}{still}."
    return f"It reached {of} people{still}."


def _arrived(results: Results) -> int:
    rate = results.page.rates.arrived
    return rate.part if rate else 0


def _read(results: Results) -> Iterator[str]:
    """Who opened and who clicked, by name where copies carry one; and how often without."""
    page = results.page
    if not _arrived(results):
        return
    said = []
    if page.names_openers:
        said.append(f"{_seen(page.openers, opened_at_most(results))} it")
    if page.names_clickers:
        said.append(_followed(page.clickers, first=not said))
    if said:
        sentence = ", ".join(said)
        yield f"{sentence[0].upper()}{sentence[1:]}."
    counted = [
        f"{word} {number(times)} {'time' if times == 1 else 'times'}"
        for word, times in (("opened", page.anonymous_opens), ("clicked", page.anonymous_clicks))
        if times is not None
    ]
    if counted:
        yield f"Without names it was {' and '.join(counted)}."


def opened_at_most(results: Results) -> int:
    """Return how many may have opened, as far as images can tell: whoever Apple's privacy protection hides included."""
    page = results.page
    return page.openers + (page.opens.estimate.indeterminate if page.opens.estimate else 0)


def _followed(clickers: int, *, first: bool) -> str:
    """A click that is not decided yet is no proof: that nobody followed a link is never said."""
    if not clickers:
        return "nobody was seen to follow a link"
    return f"{_people(clickers) if first else _number(clickers)} followed a link"


def _seen(proven: int, possible: int) -> str:
    if possible > proven:
        return f"{number(proven)} to {number(possible)} people opened"
    return f"{_people(proven)} {'was' if proven <= 1 else 'were'} seen to open"


def _left(results: Results) -> Iterator[str]:
    """Who wrote back, unsubscribed or complained; that nobody left is worth a sentence once somebody could have."""
    answers = results.answers
    said = [
        f"{_people(count)} {did}"
        for count, did in (
            (answers.replied, "wrote back"),
            (answers.unsubscribed, "unsubscribed"),
            (answers.complained, "called it spam"),
        )
        if count
    ]
    if said:
        sentence = ", ".join(said)
        yield f"{sentence[0].upper()}{sentence[1:]}."
    if _arrived(results) and not answers.unsubscribed and not answers.complained:
        yield "Nobody unsubscribed or called it spam."


def _number(count: int) -> str:
    return "nobody" if not count else "one" if count == 1 else number(count)


def _people(count: int) -> str:
    return f"{_number(count)} {'person' if count == 1 else 'people'}" if count else _number(count)
