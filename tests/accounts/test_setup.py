"""The first account is made exactly once, by whoever holds the newest link."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from resonanz.accounts import finish_setup, set_up_is_open, setup_link_secret, tracking_without_choice
from resonanz.accounts.setup import LINK_LIFETIME
from resonanz.model import Forbidden, InvalidInput, ResonanzError, TrackingMode
from resonanz.store import Database
from resonanz.store.accounts import Account, count_accounts, find_account
from tests.kit.accounts import NOON, PASSWORD, cheap_passwords, make_account

CHEAP = cheap_passwords()


def finish(
    database: Database, secret: str, *, address="alice@example.org", password=PASSWORD, name="Alice", now=NOON
) -> Account:
    """Go through with the set-up."""
    return finish_setup(
        database, CHEAP, secret=secret, address=address, name=name, password=password,
        tracking_without_choice=TrackingMode.INDIVIDUAL, now=now,
    )  # fmt: skip


def test_set_up_makes_the_account_and_remembers_the_choice(database: Database) -> None:
    """The address is normalised, the choice is in force, and the link is used up."""
    with database.read() as tx:
        assert tracking_without_choice(tx) is TrackingMode.ANONYMOUS
    secret = setup_link_secret(database, NOON)
    account = finish(database, secret, address="Alice Adler <Alice@Example.org>")
    with database.read() as tx:
        assert find_account(tx, "alice@example.org") == account
        assert tracking_without_choice(tx) is TrackingMode.INDIVIDUAL
    with pytest.raises(Forbidden):
        finish(database, secret, address="mallory@example.org")
    with pytest.raises(Forbidden):
        setup_link_secret(database, NOON)


def test_a_name_that_no_database_can_hold(database: Database) -> None:
    """What cannot be stored of a name is left out of it."""
    account = finish(database, setup_link_secret(database, NOON), address='"" <alice@example.org>', name="Al\0ice")
    with database.read() as tx:
        stored = find_account(tx, "alice@example.org")
    assert stored == account
    assert account.name == "Alice"


def test_two_at_the_same_moment_make_one_account(database: Database) -> None:
    """The link is used up by exactly one request, on both databases."""
    secret = setup_link_secret(database, NOON)

    def try_it(number: int) -> bool:
        try:
            finish(database, secret, address=f"a{number}@example.org")
        except ResonanzError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        made = sum(threads.map(try_it, range(6)))
    with database.read() as tx:
        assert (made, count_accounts(tx)) == (1, 1)


def test_only_the_newest_link_works_and_only_for_a_day(sqlite_database: Database) -> None:
    """A link printed earlier, a wrong one and one from yesterday are refused."""
    older = setup_link_secret(sqlite_database, NOON)
    newest = setup_link_secret(sqlite_database, NOON)
    for secret, now in ((older, NOON), ("guess", NOON), ("", NOON), (newest, NOON + LINK_LIFETIME)):
        assert not set_up_is_open(sqlite_database, secret, now)
        with pytest.raises(Forbidden):
            finish(sqlite_database, secret, now=now)
    assert finish(sqlite_database, newest, now=NOON + LINK_LIFETIME - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"address": "nowhere"}, "address"),
        ({"password": "short"}, "password"),
        ({"password": "1234567890"}, "password"),
    ],
)
def test_a_mistake_in_the_form_leaves_the_link_working(
    sqlite_database: Database, changes: dict[str, str], field: str
) -> None:
    """The error names the field, nothing is stored, and the next try may succeed."""
    secret = setup_link_secret(sqlite_database, NOON)
    with pytest.raises(InvalidInput) as refused:
        finish(sqlite_database, secret, **changes)
    assert refused.value.where == field
    assert finish(sqlite_database, secret)


def test_without_a_link_nobody_sets_up(sqlite_database: Database) -> None:
    """Neither a fresh database nor one with an account opens to a guess."""
    assert not set_up_is_open(sqlite_database, "anything", NOON)
    make_account(sqlite_database, CHEAP)
    assert not set_up_is_open(sqlite_database, "anything", NOON)
