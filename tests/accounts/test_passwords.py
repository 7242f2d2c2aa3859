"""Which passwords are accepted, how they are kept, and what changing one does."""

from contextlib import suppress
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from resonanz.accounts import change_password, reset_password, resume_session, sign_in, start_session
from resonanz.accounts.passwords import (
    MAX_CHARACTERS,
    MIN_CHARACTERS,
    MIN_DISTINCT_CHARACTERS,
    Passwords,
    check_password,
)
from resonanz.accounts.throttle import ATTEMPTS_PER_ADDRESS
from resonanz.model import InvalidInput, NotFound, TooMany
from resonanz.store import Database
from resonanz.store.accounts import find_account
from tests.kit.accounts import ADDRESS, NOON, PASSWORD, cheap_passwords, make_account

CHEAP = cheap_passwords()
ANY_TEXT = st.text(st.characters(), max_size=40)  # half characters (surrogates) included


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 10"),
        ("x" * (MAX_CHARACTERS + 1), "more than"),
        ("ALICE@example.org", "is your address"),
        ("example.org", "is your address"),
        ("ababababab", "different characters"),
        ("Password1234", "one of the first"),
        ("1234567890", "one of the first"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, why: str) -> None:
    """The refusal says why, and never repeats the password."""
    with pytest.raises(InvalidInput, match=why) as refused:
        check_password(password, ADDRESS)
    assert password not in str(refused.value)


@given(st.text(min_size=MIN_CHARACTERS, max_size=MAX_CHARACTERS))
def test_checking_any_text_accepts_or_refuses(password: str) -> None:
    """No text whatever makes the check fail in another way; long and varied enough, only a listed one is refused."""
    with suppress(InvalidInput):
        check_password(password, ADDRESS)
        assert len(set(password.strip().lower())) >= MIN_DISTINCT_CHARACTERS


@given(ANY_TEXT, ANY_TEXT)
def test_only_the_same_password_matches(one: str, other: str) -> None:
    """A hash matches its own password and no other; without an account nothing matches."""
    hashed = CHEAP.hash(one)
    assert CHEAP.matches(hashed, one)
    assert CHEAP.matches(hashed, other) == (one == other)
    assert not CHEAP.matches(None, one)


def test_a_damaged_hash_matches_nothing() -> None:
    """A row that was damaged signs nobody in and crashes nothing."""
    assert not CHEAP.matches("$argon2id$broken", PASSWORD)


def test_a_password_hash_is_renewed_when_the_parameters_changed(sqlite_database: Database) -> None:
    """Whoever signs in after the parameters were raised has a stronger hash from then on, and stays signed in."""
    account = make_account(sqlite_database, CHEAP)
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    before = start_session(sqlite_database, account.id, user_agent="", now=NOON)
    sign_in(sqlite_database, stronger, address=ADDRESS, password=PASSWORD, peer="::1", user_agent="", now=NOON)
    with sqlite_database.read() as tx:
        renewed = find_account(tx, ADDRESS)
    assert renewed is not None
    assert "m=16,t=2" in renewed.password_hash
    assert resume_session(sqlite_database, before, NOON) is not None


def test_changing_the_password_ends_every_session(sqlite_database: Database) -> None:
    """Whoever knew the old password is out, on every device."""
    account = make_account(sqlite_database, CHEAP)
    sessions = [start_session(sqlite_database, account.id, user_agent="", now=NOON) for _ in range(3)]
    change_password(sqlite_database, CHEAP, account.id, current=PASSWORD, new="another fine harbour", now=NOON)
    assert [resume_session(sqlite_database, secret, NOON) for secret in sessions] == [None, None, None]


def test_changing_the_password_needs_the_current_one(sqlite_database: Database) -> None:
    """A browser left open is not enough, and guessing there is counted as guessing at the door."""
    account = make_account(sqlite_database, CHEAP)
    session = start_session(sqlite_database, account.id, user_agent="", now=NOON)
    for _ in range(ATTEMPTS_PER_ADDRESS):
        with pytest.raises(InvalidInput) as refused:
            change_password(sqlite_database, CHEAP, account.id, current="a guess", new="another harbour", now=NOON)
        assert refused.value.where == "current"
    with pytest.raises(TooMany):
        change_password(sqlite_database, CHEAP, account.id, current=PASSWORD, new="another harbour", now=NOON)
    assert resume_session(sqlite_database, session, NOON) is not None


def test_the_administrator_can_reset_a_password(sqlite_database: Database) -> None:
    """A reset needs no old password, ends the sessions, lifts the address's limit, and signs nobody in."""
    account = make_account(sqlite_database, CHEAP)
    session = start_session(sqlite_database, account.id, user_agent="", now=NOON)
    reset_password(sqlite_database, CHEAP, "Alice@Example.org", "another fine harbour", NOON)
    assert resume_session(sqlite_database, session, NOON) is None
    later = NOON + timedelta(minutes=1)
    assert sign_in(
        sqlite_database, CHEAP, address=ADDRESS, password="another fine harbour", peer="::1", user_agent="", now=later
    )
    with pytest.raises(NotFound):
        reset_password(sqlite_database, CHEAP, "bob@example.org", "another fine harbour", NOON)
