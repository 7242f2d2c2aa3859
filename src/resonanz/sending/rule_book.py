"""Where an account's tracking rules are kept: for all its mail, and others for mail from some sender domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from resonanz.mail.address import ascii_domain
from resonanz.model import InvalidInput, NotFound
from resonanz.sending.rules import Copies, Rules, Track
from resonanz.store import Database, Tx
from resonanz.store.accounts import get_choice, set_choice

EVERYTHING = ""  # the domain under which the rules for all mail stand
MAX_DOMAINS = 100


def rules_of(tx: Tx, account_id: UUID) -> dict[str, Rules]:
    """Return an account's rules by sender domain; those for all its mail stand first, as they are or by default."""
    kept: Mapping[str, Any] = get_choice(tx, _name(account_id)) or {}
    book = {domain: _read(values) for domain, values in sorted(kept.items())}
    return {EVERYTHING: Rules(), **book}


def rules_for(tx: Tx, account_id: UUID, domain: str) -> Rules:
    """Return the rules for mail from this domain: its own, else those for all mail."""
    book = rules_of(tx, account_id)
    return book.get(domain, book[EVERYTHING])


def set_rules(database: Database, account_id: UUID, domain: str, rules: Rules, now: datetime) -> str:
    """Keep rules for mail from a domain, or for all mail; in force from the next mail that is handed in. Returns the
    domain as it is kept. Raises InvalidInput."""
    name = _domain(domain)
    with database.write() as tx:
        kept = dict(get_choice(tx, _name(account_id)) or {})
        if name not in kept and len(kept) > MAX_DOMAINS:
            raise InvalidInput(f"there are rules for {MAX_DOMAINS} domains already", where="domain")
        set_choice(tx, _name(account_id), {**kept, name: asdict(rules)}, now)
    return name


def remove_rules(database: Database, account_id: UUID, domain: str, now: datetime) -> None:
    """Forget the rules for mail from a domain; those for all mail hold for it then. Raises NotFound."""
    name = _domain(domain)
    with database.write() as tx:
        kept = dict(get_choice(tx, _name(account_id)) or {})
        if kept.pop(name, None) is None:
            raise NotFound("there are no rules for this domain", where="domain")
        set_choice(tx, _name(account_id), kept, now)


def copies_of_instance(tx: Tx) -> Copies:
    """Return what several recipients get where an account's rules leave it to the instance."""
    return Copies(get_choice(tx, "copies") or Copies.OWN)


def set_copies_of_instance(database: Database, copies: str, now: datetime) -> Copies:
    """Change that, from the next mail on. Raises InvalidInput for anything but own and shared."""
    if copies not in (Copies.OWN, Copies.SHARED):
        raise InvalidInput(f"must be {Copies.OWN} or {Copies.SHARED}", where="copies")
    with database.write() as tx:
        set_choice(tx, "copies", Copies(copies).value, now)
    return Copies(copies)


def _name(account_id: UUID) -> str:
    return f"rules:{account_id.hex}"


def _domain(text: str) -> str:
    try:
        return ascii_domain(text.strip().removeprefix("@")) if text.strip() else EVERYTHING
    except InvalidInput as error:
        raise InvalidInput(error.what, where="domain", remedy=error.remedy) from None


def _read(values: Mapping[str, Any]) -> Rules:
    return Rules(
        Track(values["track"]),
        values["marker"],
        tuple(values["never"]),
        tuple(values["internal"]),
        bool(values.get("replies")),
        Copies(values.get("copies", Copies.INSTANCE)),
    )
