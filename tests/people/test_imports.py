"""Importing contacts: what is looked at is what happens, in portions, and nothing that was refused is turned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resonanz.model import Conflict, InvalidInput, TooLarge
from resonanz.people import Choice, Purpose, Reason, attributes, imports, mailing_choices, reason_for, suppress
from resonanz.people.attributes import Kind
from resonanz.people.consent import record_choice
from resonanz.people.imports import Consent, Plan
from resonanz.people.lists import create_list
from resonanz.store import Database, Tx, contacts, lists
from resonanz.store import imports as rows
from resonanz.store.imports import Import
from tests.kit.cast import ALMA, BRUNO, NOON, Cast

FILE = """E-Mail;Vorname;Nachname;Ort;Kunde seit;VIP;Sprache;Notiz
alma@example.org;Alma;Anders;Köln;;;de;
NEW@Example.org;Neu;Mensch;Ulm;18.03.2024;ja;de_AT;hello
new@example.org;;;;19.03.2024;;;
nobody;No;Body;;;;;
x@example.org;X;;;31.02.2024;;;
y@example.org;Y;;;;perhaps;;
z@example.org;Z;;;;;;;too;many
""".encode("windows-1252")


def handed_in(database: Database, file: bytes = FILE) -> Import:
    """Hand a file in, as a browser does in small parts."""
    pieces = [file[start : start + 1000] for start in range(0, len(file), 1000)]
    return imports.hand_in(database, pieces, file_name="people.csv", account_id=None, now=NOON)


def define(tx: Tx) -> None:
    """Let this instance know a town, a date and a yes or no."""
    attributes.define(tx, "town", label="Ort", kind=Kind.TEXT, now=NOON)
    attributes.define(tx, "since", label="Kunde seit", kind=Kind.DATE, now=NOON)
    attributes.define(tx, "vip", label="VIP", kind=Kind.YES_NO, now=NOON)


def run(database: Database, one: Import, plan: Plan) -> Import:
    """Start an import and take all of it."""
    imports.start(database, one.id, plan, NOON)
    while imports.take_portion(database, one.id, NOON):
        pass
    with database.read() as tx:
        done = rows.get_import(tx, one.id)
    assert done is not None
    return done


def test_a_file_is_looked_at_and_taken(database: Database) -> None:
    """Encoding, delimiter and columns are told; the preview counts what the import then does; empty cells take nothing
    away; each refused row is kept with its line and all that is wrong with it."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        define(tx)
        news = create_list(tx, "News", now=NOON)
    one = handed_in(database)
    plan = Plan.decode(one.plan)
    assert (plan.form.encoding, plan.form.delimiter) == ("windows-1252", ";")
    assert plan.columns == ("address", "first_name", "last_name", "town", "since", "vip", "language", "")
    seen = imports.preview(database, one.id)
    assert (seen.good, seen.known, seen.refused, seen.more) == (3, 1, 4, False)
    assert seen.rows[0][3] == "Köln"
    assert set(seen.problems) == {
        "The address cannot be read",
        "Kunde seit does not fit its kind",
        "VIP does not fit its kind",
        "The row has more cells than the file has columns",
    }
    done = run(database, one, Plan(plan.form, plan.columns, (news.id,)))
    assert (done.state, done.added, done.updated, done.unchanged, done.refused) == ("finished", 1, 1, 1, 4)
    with database.read() as tx:
        new, alma = contacts.find_contact(tx, "new@example.org"), contacts.find_contact(tx, ALMA)
        assert new is not None
        assert alma is not None
        assert (new.name, new.language) == ("Neu Mensch", "de-AT")
        assert new.attributes == {"town": "Ulm", "since": "2024-03-19", "vip": True}
        assert (alma.id, alma.name, alma.attributes) == (cast.people[ALMA], "Alma Anders", {"town": "Köln"})
        assert lists.count_members(tx, news.id) == 2
        refused = rows.list_errors(tx, one.id, limit=99)
        assert [row.line for row in refused] == [5, 6, 7, 8]
        assert refused[0].reason == "address: 'nobody' has no @"
        assert refused[0].cells[:3] == ["nobody", "No", "Body"]
        assert list(rows.pieces_from(tx, one.id, 0)) == [], "the file is forgotten once it is read"


def test_a_large_file_is_taken_in_portions_from_wherever_it_stopped(database: Database) -> None:
    """Rows come in portions, each whole; going on in another process changes nothing, and each row counts once."""
    lines = [f"person{number}@example.org,Person {number}," + "x" * 400 for number in range(1_300)]
    one = handed_in(database, "\n".join(lines).encode())
    plan = Plan.decode(one.plan)
    assert (plan.form.has_header, plan.columns) == (False, ("address", "", ""))
    imports.start(database, one.id, Plan(plan.form, ("address", "name", "")), NOON)
    counted = []
    while imports.take_some(database, NOON):
        with database.read() as tx:
            counted.append(contacts.count_contacts(tx))
    assert counted == [500, 1000, 1300]
    with database.read() as tx:
        done = rows.get_import(tx, one.id)
        assert done is not None
        assert (done.state, done.added, done.position) == ("finished", 1300, one.size)
        assert contacts.find_contact(tx, "person1299@example.org") is not None
    assert not imports.take_some(database, NOON)


def test_an_import_turns_no_refusal(database: Database) -> None:
    """Who is suppressed stays so and is granted nothing; who withdrew keeps that; others' consent has its source, its
    moment and its wording."""
    with database.write() as tx:
        cast = Cast.enter(tx)
        suppress(tx, ALMA, Reason.UNSUBSCRIBED, now=NOON, source="edge")
        record_choice(
            tx, cast.people[BRUNO], Purpose.MAILING, Choice.WITHDRAWN, now=NOON - timedelta(days=9), source="form"
        )
    one = handed_in(database, f"email\n{ALMA}\n{BRUNO}\nnew@example.org\n".encode())
    assert imports.preview(database, one.id).suppressed == 1
    plan = Plan.decode(one.plan)
    consent = Consent((Purpose.MAILING, Purpose.OPENS), "form on fair.example", NOON - timedelta(days=1), "v3")
    done = run(database, one, Plan(plan.form, plan.columns, (), consent))
    assert (done.suppressed, done.kept) == (1, 1)
    with database.read() as tx:
        assert reason_for(tx, ALMA) == "unsubscribed"
        new = contacts.find_contact(tx, "new@example.org")
        assert new is not None
        chosen = mailing_choices(tx, [*cast.people.values(), new.id])
        assert chosen == {cast.people[BRUNO]: Choice.WITHDRAWN, new.id: Choice.GRANTED}
        mailing, opens = contacts.consent_history(tx, new.id)
        assert (mailing.source, mailing.text_version, mailing.occurred_at) == (
            "form on fair.example",
            "v3",
            consent.given_at,
        )
        assert (opens.purpose, opens.actor) == ("opens", "import of people.csv")


@pytest.mark.parametrize(
    ("columns", "consent", "told"),
    [
        (("", "name"), None, "no column is the address"),
        (("address", "address"), None, "another column"),
        (("address", "shoe_size"), None, "no field"),
        (("address", ""), Consent((Purpose.MAILING,), " ", NOON), "is missing"),
        (("address", ""), Consent((), "form", NOON), "names no purpose"),
        (("address", ""), Consent((Purpose.OPENS,), "form", NOON + timedelta(days=1)), "in the future"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    database: Database, columns: tuple[str, ...], consent: Consent | None, told: str
) -> None:
    """Nothing starts before it is clear what each column is and where consent comes from; the file stays."""
    one = handed_in(database, b"a@example.org,A\n")
    with pytest.raises(InvalidInput, match=told):
        imports.start(database, one.id, Plan(Plan.decode(one.plan).form, columns, (), consent), NOON)
    assert run(database, one, Plan(Plan.decode(one.plan).form, ("address", "name"))).added == 1


def test_an_import_is_started_once_and_can_be_ended(database: Database) -> None:
    """A second start, and cancelling what has ended, contradict; what a cancelled import took stays."""
    one, other = handed_in(database), handed_in(database)
    plan = Plan.decode(one.plan)
    run(database, one, Plan(plan.form, plan.columns[:1]))
    for again in (lambda: imports.start(database, one.id, plan, NOON), lambda: imports.cancel(database, one.id, NOON)):
        with pytest.raises(Conflict, match="finished"):
            again()
    assert imports.cancel(database, other.id, NOON).state == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        imports.reread(database, other.id, encoding="", delimiter=",")


def test_files_that_are_none(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty files, programs, and files over the limit are refused, and nothing of them stays."""
    for file in (b"", b"\n\n", b"PK\3\4\0\0\0" * 9):
        with pytest.raises(InvalidInput):
            handed_in(database, file)
    monkeypatch.setattr(imports, "MAX_FILE_BYTES", 1_000_000)
    with pytest.raises(TooLarge):
        handed_in(database, b"a@example.org\n" * 100_000)
    with database.read() as tx:
        assert rows.list_imports(tx, limit=9) == []


def test_people_s_data_is_forgotten(database: Database) -> None:
    """A file nobody started goes after a day, refused rows thirty days after the end."""
    one, other = handed_in(database), handed_in(database)
    plan = Plan.decode(one.plan)
    run(database, one, Plan(plan.form, plan.columns[:1]))
    with database.write() as tx:
        rows.forget_old(tx, NOON + timedelta(days=29))
        assert rows.get_import(tx, other.id) is None
        assert rows.list_errors(tx, one.id, limit=1)
        rows.forget_old(tx, NOON + timedelta(days=31))
        assert not rows.list_errors(tx, one.id, limit=1)
        assert rows.get_import(tx, one.id) is not None
