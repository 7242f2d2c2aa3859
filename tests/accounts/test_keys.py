"""API keys are shown once, work until they are revoked, and note when they were used."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from resonanz.accounts import authenticate_key, create_key, create_mail_password
from resonanz.accounts.keys import API, MAIL, authenticate_mail, revoke_key
from resonanz.model import InvalidInput, NotFound, new_id
from resonanz.store import Database
from resonanz.store.accounts import list_api_keys
from resonanz.store.tables import api_keys
from tests.kit.accounts import NOON, cheap_passwords, make_account

CHEAP = cheap_passwords()


def test_a_key_authenticates_its_account_until_it_is_revoked(database: Database) -> None:
    """And revoking it twice, or by another account, finds no such key."""
    account = make_account(database, CHEAP)
    secret, key = create_key(database, account.id, "  shop   backend ", NOON)
    assert key.name == "shop backend"
    assert secret.startswith("rz_")
    assert secret.startswith(key.prefix)
    assert authenticate_key(database, secret, NOON) == account
    with pytest.raises(NotFound):
        revoke_key(database, new_id(), key.id, API, NOON)
    revoke_key(database, account.id, key.id, API, NOON)
    assert authenticate_key(database, secret, NOON) is None
    with pytest.raises(NotFound):
        revoke_key(database, account.id, key.id, API, NOON)


def test_a_key_is_revoked_as_what_it_is(database: Database) -> None:
    """Whoever ends a telephone's password cannot end a program's key with it, nor the other way round."""
    account = make_account(database, CHEAP)
    (secret, key), (password, mail) = (
        create_key(database, account.id, "shop", NOON),
        create_mail_password(database, account.id, "telephone", NOON),
    )
    for one, kind, said in ((key, MAIL, "mail password"), (mail, API, "no such key")):
        with pytest.raises(NotFound, match=said):
            revoke_key(database, account.id, one.id, kind, NOON)
    assert authenticate_key(database, secret, NOON) == authenticate_mail(database, password, NOON) == account
    revoke_key(database, account.id, mail.id, MAIL, NOON)
    assert authenticate_mail(database, password, NOON) is None


def test_a_name_that_no_database_can_hold(database: Database) -> None:
    """What cannot be stored of a key's name is left out of it."""
    account = make_account(database, CHEAP)
    assert create_key(database, account.id, "shop\0", NOON)[1].name == "shop"
    with pytest.raises(InvalidInput):
        create_key(database, account.id, "\0", NOON)


def test_the_key_itself_is_not_stored(sqlite_database: Database) -> None:
    """Nothing in the row but its first characters gives a key away."""
    account = make_account(sqlite_database, CHEAP)
    secret, key = create_key(sqlite_database, account.id, "x", NOON)
    with sqlite_database.read() as tx:
        row = tx.execute(select(api_keys)).one()
    assert secret not in repr(row)
    assert len(key.prefix) < len(secret) / 4


def test_use_is_noted_at_most_once_a_minute(sqlite_database: Database) -> None:
    """Reading through the API does not become a write per request."""
    account = make_account(sqlite_database, CHEAP)
    secret, _ = create_key(sqlite_database, account.id, "x", NOON)
    noted = []
    for seconds in (0, 30, 59, 60, 90):
        authenticate_key(sqlite_database, secret, NOON + timedelta(seconds=seconds))
        with sqlite_database.read() as tx:
            noted.append(list_api_keys(tx, account.id)[0].used_at)
    assert [(moment - NOON).seconds for moment in noted if moment] == [0, 0, 0, 60, 60]


@pytest.mark.parametrize("secret", ["", "rz_", "rz_" + "x" * 43, "Bearer", "rz_\ud800", "rz_" + "x" * 1_000_000])
def test_what_is_no_key_authenticates_nobody(sqlite_database: Database, secret: str) -> None:
    """Whatever stands in an Authorization header, the answer is nobody."""
    assert authenticate_key(sqlite_database, secret, NOON) is None


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_key_needs_a_name(sqlite_database: Database, name: str) -> None:
    """A key nobody can tell apart is refused before anything is stored."""
    account = make_account(sqlite_database, CHEAP)
    with pytest.raises(InvalidInput):
        create_key(sqlite_database, account.id, name, NOON)
    with sqlite_database.read() as tx:
        assert list_api_keys(tx, account.id) == []
