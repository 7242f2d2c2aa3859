"""What a bulk mail says of itself: that it is one, whose it is, and how to leave.

Receivers ask for it (the sender requirements of Gmail, Yahoo and Microsoft), and answering programs keep quiet when
they see it. What the author wrote under one of these names stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

from resonanz.store.messages import Message, Submission
from resonanz.tokens import Keys, Token, TokenKind, mint, mint_unsubscribe_path

LEAVING = ("list-unsubscribe", "list-unsubscribe-post")
SENDER_ID_CHARACTERS = 12  # Gmail takes 5 to 15


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a recipient can leave: on the edge at `base_url`, and by mail to `return_path_domain` where that is set."""

    base_url: str
    return_path_domain: str = ""


def bulk_headers(
    keys: Keys, message: Message, submission: Submission, ways: Ways, *, given: Collection[str] = ()
) -> dict[str, str]:
    """Return the header fields that this copy is to have, but for those whose names are `given` already.

    - List-Unsubscribe (RFC 2369) and List-Unsubscribe-Post (RFC 8058): both or, where the author gave one, neither.
    - List-Id (RFC 2919): one for all mailings of a sender's domain.
    - Feedback-ID: submission, source and sender, for the complaint rates of Gmail's Postmaster Tools.
    - Precedence: bulk, so that vacation programs do not answer (RFC 3834 section 2).
    """
    domain = message.sender.rpartition("@")[2].lower()
    fields = {
        "List-Id": f"<mailings.{domain if domain[:1] != '[' else 'localhost'}>",
        "Feedback-ID": f"{submission.id.hex}:{submission.source}:bulk:{_sender_id(domain)}",
        "Precedence": "bulk",
    }
    known = {name.lower() for name in given}
    if known.isdisjoint(LEAVING):
        fields = {
            "List-Unsubscribe": ", ".join(_leaving(keys, message, ways)),
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            **fields,
        }
    return {name: value for name, value in fields.items() if name.lower() not in known and value.isascii()}


def _leaving(keys: Keys, message: Message, ways: Ways) -> list[str]:
    url = f"{ways.base_url}/u/{mint(keys, Token(TokenKind.UNSUBSCRIBE, message.id))}"
    found = [f"<{url}>"]
    if ways.return_path_domain:
        local = mint_unsubscribe_path(keys, message.id)
        found.append(f"<mailto:{local}@{ways.return_path_domain}?subject=unsubscribe>")
    return found


def _sender_id(domain: str) -> str:
    """Name a sender's domain in letters that no field separates at, the same in every mail."""
    return blake2b(domain.encode("utf-8", "surrogatepass"), digest_size=SENDER_ID_CHARACTERS // 2).hexdigest()
