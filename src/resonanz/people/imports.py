"""Importing contacts from a file: handed in, looked at, then taken in portions, each one transaction.

The file lies in the database until it is read, so that any worker goes on where another stopped; position, counts and
contacts move together. An import adds and completes; it never takes anything back: who is suppressed stays so, and a
choice against something is not turned by a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import structlog

from resonanz.model import (
    Conflict,
    InvalidInput,
    NotFound,
    TemporaryFailure,
    TooLarge,
    from_microseconds,
    new_id,
    to_microseconds,
)
from resonanz.people.attributes import Attribute, attributes_of
from resonanz.people.columns import Person, check_columns, guess_columns, read_row
from resonanz.people.consent import MAX_SOURCE_CHARACTERS, Choice, Purpose
from resonanz.people.contacts import with_details
from resonanz.people.lists import get_list
from resonanz.people.sheets import Form, Record, guess_form, read
from resonanz.people.suppression import suppressed_among
from resonanz.store import Database, Tx
from resonanz.store import contacts as contact_store
from resonanz.store import imports as store
from resonanz.store import lists as list_store
from resonanz.store.contacts import ConsentRow, Contact
from resonanz.store.imports import PIECE_BYTES, Import, RefusedRow
from resonanz.store.text import storable

log = structlog.get_logger(__name__)

MAX_FILE_BYTES = 100 * 1000 * 1000
MAX_COLUMNS = 200
MAX_CELL_KEPT = 500
SHOWN_ROWS = 8
CHECKED_ROWS = 200_000  # a preview reads so many; an import has no limit but the file's size
ROWS_AT_A_TIME = 500

_AGAINST = (Choice.REFUSED, Choice.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the people in a file agreed to: for which purposes, where they said so, when, and in which wording."""

    purposes: tuple[Purpose, ...]
    source: str
    given_at: datetime
    text_version: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with a file: how it is written, what each column is, which lists, which consent. `heading` is
    what its first row calls the columns, known once the import has begun."""

    form: Form
    columns: tuple[str, ...]
    lists: tuple[UUID, ...] = ()
    consent: Consent | None = None
    heading: tuple[str, ...] = ()

    def encode(self) -> dict[str, Any]:
        """Return the stored form."""
        consent = self.consent
        return {
            "encoding": self.form.encoding,
            "delimiter": self.form.delimiter,
            "has_header": self.form.has_header,
            "start": self.form.start,
            "ending": self.form.ending,
            "columns": list(self.columns),
            "lists": [str(id) for id in self.lists],
            "heading": list(self.heading),
            "consent": None
            if consent is None
            else {
                "purposes": [str(purpose) for purpose in consent.purposes],
                "source": consent.source,
                "given_at": to_microseconds(consent.given_at),
                "text_version": consent.text_version,
            },
        }

    @classmethod
    def decode(cls, stored: Mapping[str, Any]) -> Plan:
        """Read the stored form."""
        said = stored["consent"]
        form = Form(stored["encoding"], stored["delimiter"], stored["has_header"], stored["start"], stored["ending"])
        consent = said and Consent(
            tuple(Purpose(one) for one in said["purposes"]),
            said["source"],
            from_microseconds(said["given_at"]),
            said["text_version"],
        )
        lists = tuple(UUID(one) for one in stored["lists"])
        return cls(form, tuple(stored["columns"]), lists, consent, tuple(stored.get("heading", ())))


# ── Handing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def hand_in(
    database: Database, pieces: Iterable[bytes], *, file_name: str, account_id: UUID | None, now: datetime
) -> Import:
    """Keep a file, tell how it is written and what its columns are, and return the import that is not started yet.

    Raises TooLarge over 100 MB, and InvalidInput for what is empty or no text.
    """
    made = Import(new_id(), account_id, storable(file_name)[:200], 0, "uploaded", {}, now)
    with database.write() as tx:
        size = number = 0
        store.add_import(tx, made)
        for number, body in enumerate(_even(pieces)):
            size += len(body)
            if size > MAX_FILE_BYTES:
                raise TooLarge("the file has more than 100 MB", where="file", remedy="divide it")
            store.add_piece(tx, made.id, number, body)
        if not size:
            raise InvalidInput("is empty", where="file")
        plan = _guess_plan(tx, made.id)
        store.save_import(tx, made.id, size=size, plan=plan.encode())
    return replace(made, size=size, plan=plan.encode())


def _even(pieces: Iterable[bytes]) -> Iterable[bytes]:
    kept = bytearray()
    for piece in pieces:
        kept += piece
        while len(kept) >= PIECE_BYTES:
            yield bytes(kept[:PIECE_BYTES])
            del kept[:PIECE_BYTES]
    if kept:
        yield bytes(kept)


def _guess_plan(tx: Tx, import_id: UUID, *, encoding: str = "", delimiter: str = "") -> Plan:
    form = guess_form(store.pieces_from(tx, import_id, 0), encoding=encoding, delimiter=delimiter)
    head = list(islice(read(store.pieces_from(tx, import_id, 0), form), SHOWN_ROWS + 1))
    if not head:
        raise InvalidInput("holds no rows", where="file")
    first, *others = [record.cells for record in head]
    if len(first) > MAX_COLUMNS:
        raise InvalidInput(f"has more than {MAX_COLUMNS} columns", where="file", remedy="is the delimiter right?")
    sample = others if form.has_header else [first, *others]
    return Plan(form, guess_columns(first, sample, attributes_of(tx), has_header=form.has_header))


def reread(database: Database, import_id: UUID, *, encoding: str, delimiter: str) -> Import:
    """Read a file that is not started yet with another encoding or delimiter (guessed when empty); its columns are told
    anew. Raises NotFound, Conflict, and InvalidInput."""
    with database.write() as tx:
        waiting = _not_started(tx, import_id)
        plan = _guess_plan(tx, import_id, encoding=encoding, delimiter=delimiter)
        store.save_import(tx, import_id, plan=plan.encode())
    return replace(waiting, plan=plan.encode())


# ── Looking at it ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Preview:
    """What an import would do: the heading and first rows as they are read, and what of all rows can be said."""

    plan: Plan
    heading: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    good: int = 0
    known: int = 0  # of the good: contacts already, to be updated
    suppressed: int = 0  # of the good: on the suppression list, and staying there
    problems: Counter[str] = field(default_factory=Counter)  # by what is wrong, without the value
    examples: list[RefusedRow] = field(default_factory=list)
    more: bool = False  # only the first `CHECKED_ROWS` were read

    @property
    def refused(self) -> int:
        """How many rows cannot be taken."""
        return self.problems.total()


def preview(database: Database, import_id: UUID, plan: Plan | None = None) -> Preview:
    """Look at all rows of a file without taking any, by its own plan or another. Raises NotFound."""
    with database.read() as tx:
        waiting = store.get_import(tx, import_id)
        if waiting is None:
            raise _no_import()
        plan = plan or Plan.decode(waiting.plan)
        known = attributes_of(tx)
        seen = Preview(plan)
        records = read(store.pieces_from(tx, import_id, 0), plan.form)
        if plan.form.has_header:
            heading = next(records, None)
            seen.heading = heading.cells if heading is not None else ()
        left = CHECKED_ROWS
        while left > 0 and (portion := list(islice(records, ROWS_AT_A_TIME))):
            left -= len(portion)
            seen.rows += [record.cells for record in portion][: max(0, SHOWN_ROWS - len(seen.rows))]
            good, refused = _read_rows(plan, portion, known)
            addresses = {person.address for person in good}
            seen.good += len(good)
            existing = contact_store.find_contacts(tx, addresses).keys()
            seen.known += sum(person.address in existing for person in good)
            listed = suppressed_among(tx, addresses)
            seen.suppressed += sum(person.address in listed for person in good)
            for row, problem in refused:
                seen.problems[problem] += 1
                if len(seen.examples) < SHOWN_ROWS:
                    seen.examples.append(row)
        seen.more = next(records, None) is not None
        return seen


def heading_of(database: Database, import_id: UUID, plan: Plan) -> tuple[str, ...]:
    """Return the headings of a file's columns, none where it has none."""
    if not plan.form.has_header:
        return ()
    with database.read() as tx:
        heading = next(read(store.pieces_from(tx, import_id, 0), plan.form), None)
    return heading.cells if heading is not None else ()


# ── Starting and stopping ───────────────────────────────────────────────────────────────────────────────────────────


def start(database: Database, import_id: UUID, plan: Plan, now: datetime) -> Import:
    """Let an import begin by this plan; a worker takes it from here, or `run`. Raises NotFound, Conflict when it began
    before, and InvalidInput with everything that is wrong with the plan."""
    with database.write() as tx:
        waiting = _not_started(tx, import_id)
        check_columns(plan.columns, attributes_of(tx))
        for list_id in plan.lists:
            get_list(tx, list_id)
        if plan.consent is not None:
            _check_consent(plan.consent, now)
        # The file goes when it is read; its heading stays for the file of what was refused.
        heading, position, line = _heading(tx, import_id, plan.form)
        plan = replace(plan, heading=heading)
        changed = {"state": "running", "plan": plan.encode(), "position": position, "line": line}
        store.save_import(tx, import_id, **changed)
    return replace(waiting, **changed)  # type: ignore[arg-type]


def _check_consent(consent: Consent, now: datetime) -> None:
    refused: list[InvalidInput] = []
    if not consent.source.strip():
        remedy = "say where these people agreed, such as a form's address: you may have to prove it"
        refused.append(InvalidInput("is missing", where="source", remedy=remedy))
    if len(consent.source) > MAX_SOURCE_CHARACTERS or len(consent.text_version) > MAX_SOURCE_CHARACTERS:
        refused.append(InvalidInput(f"has more than {MAX_SOURCE_CHARACTERS} characters", where="source"))
    if not consent.purposes:
        refused.append(InvalidInput("names no purpose", where="purposes"))
    if consent.given_at > now:
        refused.append(InvalidInput("is in the future", where="given_at"))
    if refused:
        raise InvalidInput.together(refused)


def _heading(tx: Tx, import_id: UUID, form: Form) -> tuple[tuple[str, ...], int, int]:
    """Return the columns' headings, none where there are none, and where the first row of contacts begins."""
    if form.has_header:
        heading = next(read(store.pieces_from(tx, import_id, 0), form), None)
        if heading is not None:
            return tuple(storable(cell)[:MAX_CELL_KEPT] for cell in heading.cells), heading.end, heading.end_line
    return (), form.start, 1


def cancel(database: Database, import_id: UUID, now: datetime) -> Import:
    """End an import where it is; what was taken stays. Raises NotFound, and Conflict when it has ended."""
    with database.write() as tx:
        found = store.get_import(tx, import_id)
        if found is None:
            raise _no_import()
        if found.state not in ("uploaded", "running"):
            raise Conflict(f"this import is {found.state} already", where="import")
        store.save_import(tx, import_id, state="cancelled", finished_at=now)
        store.drop_pieces(tx, import_id)
    return replace(found, state="cancelled", finished_at=now)


# ── Taking rows in ──────────────────────────────────────────────────────────────────────────────────────────────────


def take_portion(database: Database, import_id: UUID, now: datetime) -> bool:
    """Take the next rows of an import that is running, in one transaction. Returns whether there may be more: not at
    the end, nor when somebody else is at it. Raises TemporaryFailure; nothing of the portion was taken then."""
    with database.write() as tx:
        found = store.lock_import(tx, import_id)
        if found is None or found.state != "running":
            return False
        plan = Plan.decode(found.plan)
        pieces = store.pieces_from(tx, import_id, found.position)
        records = list(islice(read(pieces, plan.form, position=found.position, line=found.line), ROWS_AT_A_TIME))
        if not records:
            store.save_import(tx, import_id, state="finished", finished_at=now, position=found.size)
            store.drop_pieces(tx, import_id)
            return False
        good, refused = _read_rows(plan, records, attributes_of(tx))
        taken = _take(tx, found, plan, good, now)
        store.add_errors(tx, import_id, [row for row, _ in refused])
        taken["refused"] = len(refused)
        store.save_import(
            tx,
            import_id,
            position=records[-1].end,
            line=records[-1].end_line,
            **{name: getattr(found, name) + amount for name, amount in taken.items()},
        )
        return True


def take_some(database: Database, now: datetime) -> bool:
    """Take one portion of each import that is running. Returns whether there was anything. One that fails for a reason
    nobody foresaw is ended, says so, and keeps what was taken. Raises TemporaryFailure."""
    with database.read() as tx:
        running = store.ids_in_state(tx, "running")
    more = False
    for import_id in running:
        try:
            more = take_portion(database, import_id, now) or more
        except TemporaryFailure:
            raise
        except Exception as error:
            log.exception("an import failed", id=str(import_id))
            with database.write() as tx:
                note = f"stopped by a defect ({type(error).__name__}); the log of this instance says more"
                store.save_import(tx, import_id, state="failed", finished_at=now, note=note)
                store.drop_pieces(tx, import_id)
    return more


def _read_rows(
    plan: Plan, records: Sequence[Record], known: Mapping[str, Attribute]
) -> tuple[list[Person], list[tuple[RefusedRow, str]]]:
    """Read rows as people; those that cannot be taken come with what is wrong, once in full and once in short."""
    good: list[Person] = []
    refused: list[tuple[RefusedRow, str]] = []
    nobody = Contact(UUID(int=0), "", "", from_microseconds(0))
    for record in records:
        problems: list[InvalidInput] = []
        if record.problem:
            problems.append(InvalidInput(record.problem, where="row"))
        else:
            try:
                person = read_row(plan.columns, record.cells, known)
                with_details(nobody, person.details, known, nobody.created_at, problems)
                if not problems:
                    good.append(person)
            except InvalidInput as error:
                problems += error.problems
        if problems:
            reason = "; ".join(f"{problem.where}: {problem.what}" for problem in problems)
            cells = [storable(cell)[:MAX_CELL_KEPT] for cell in record.cells]
            refused.append((RefusedRow(record.line, storable(reason)[:1_000], cells), _in_short(problems[0], known)))
    return good, refused


def _in_short(problem: InvalidInput, known: Mapping[str, Attribute]) -> str:
    if problem.where == "row":
        return f"The row {problem.what}"
    if problem.where in known:
        return f"{known[problem.where].label} does not fit its kind"
    return {"address": "The address cannot be read", "language": "The language is none"}.get(
        problem.where, f"The {problem.where} cannot be taken"
    )


def _take(tx: Tx, found: Import, plan: Plan, good: Sequence[Person], now: datetime) -> dict[str, int]:
    """Add and change contacts, put them on the lists, record what they agreed to. Returns what to count."""
    addresses = {person.address for person in good}
    before = contact_store.find_contacts(tx, addresses)
    after = dict(before)
    known = attributes_of(tx)
    for person in good:  # a later row of the same address completes the earlier one
        contact = after.get(person.address) or Contact(new_id(), person.address, "", now)
        after[person.address] = with_details(contact, person.details, known, now, [])
    added = [contact for address, contact in after.items() if address not in before]
    changed = [contact for address, contact in after.items() if address in before and contact != before[address]]
    contact_store.add_contacts(tx, added)
    contact_store.save_contacts(tx, changed)
    # Somebody else may have added one of them meanwhile (PostgreSQL): their row is the one that counts.
    present = contact_store.find_contacts(tx, addresses)
    ids = [contact.id for contact in present.values()]
    for list_id in plan.lists:
        if list_store.get_list(tx, list_id) is not None:  # deleted while the import runs
            list_store.add_members(tx, list_id, ids, since=now, source=f"import of {found.file_name}")
    listed = suppressed_among(tx, addresses)
    kept = 0
    if plan.consent is not None:
        willing = [contact.id for address, contact in present.items() if address not in listed]
        kept = _grant(tx, plan.consent, willing, actor=f"import of {found.file_name}")
    return {
        "added": len(added),
        "updated": len(changed),
        "unchanged": len(good) - len(added) - len(changed),
        "suppressed": sum(person.address in listed for person in good),
        "kept": kept,
    }


def _grant(tx: Tx, consent: Consent, ids: Sequence[UUID], *, actor: str) -> int:
    """Record a grant for who has none, and return how many have chosen against it: their choice stays."""
    chosen = contact_store.current_consents(tx, ids)
    rows: list[ConsentRow] = []
    kept: set[UUID] = set()
    for contact_id in ids:
        for purpose in consent.purposes:
            state = chosen.get((contact_id, purpose))
            if state in _AGAINST:
                kept.add(contact_id)
            elif state != Choice.GRANTED:
                rows.append(
                    ConsentRow(
                        contact_id,
                        purpose,
                        Choice.GRANTED,
                        consent.given_at,
                        consent.source,
                        consent.text_version,
                        actor,
                    )
                )
    contact_store.add_consents(tx, rows)
    return len(kept)


def _not_started(tx: Tx, import_id: UUID) -> Import:
    found = store.get_import(tx, import_id)
    if found is None:
        raise _no_import()
    if found.state != "uploaded":
        raise Conflict(f"this import is {found.state} already", where="import", remedy="hand the file in again")
    return found


def _no_import() -> NotFound:
    return NotFound("there is no such import", where="import")
