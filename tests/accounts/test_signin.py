"""Signing in: right and wrong passwords, and how often anybody may try."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from resonanz.accounts import Passwords, authenticate_key, create_key, reset_password, resume_session, sign_in
from resonanz.accounts.throttle import ATTEMPTS_PER_ADDRESS, ATTEMPTS_PER_NETWORK, WINDOW, count, network_bucket
from resonanz.model import InvalidInput, TemporaryFailure, TooMany
from resonanz.store import Database
from resonanz.store import accounts as rows
from tests.kit.accounts import ADDRESS, NOON, PASSWORD, cheap_passwords, make_account

CHEAP = cheap_passwords()


def attempt(database: Database, address: str, password: str, *, peer: str = "192.0.2.1", now=NOON) -> str:
    """One try at the door; the answer in a word."""
    try:
        sign_in(database, CHEAP, address=address, password=password, peer=peer, user_agent="", now=now)
    except (InvalidInput, TooMany) as refused:
        return str(refused)
    return "in"


def test_the_right_password_signs_in(database: Database) -> None:
    """However the address is spelt; the secret handed out resumes the session."""
    make_account(database, CHEAP)
    secret = sign_in(
        database, CHEAP, address=" ALICE@Example.ORG ", password=PASSWORD, peer="::1", user_agent="Firefox", now=NOON
    )
    signed_in = resume_session(database, secret, NOON)
    assert signed_in is not None
    assert (signed_in.account.address, signed_in.session.user_agent) == (ADDRESS, "Firefox")


def test_unknown_and_known_addresses_are_answered_alike(sqlite_database: Database) -> None:
    """From the first wrong try to the limit and behind it, nobody can tell which addresses have an account."""
    make_account(sqlite_database, CHEAP)
    rounds = ATTEMPTS_PER_ADDRESS + 2
    known = [attempt(sqlite_database, ADDRESS, "wrong", peer="192.0.2.1") for _ in range(rounds)]
    unknown = [attempt(sqlite_database, "bob@example.org", "wrong", peer="192.0.2.2") for _ in range(rounds)]
    no_address = [attempt(sqlite_database, "not an address", "wrong", peer="192.0.2.3") for _ in range(rounds)]
    assert known == unknown == no_address
    assert "too many" in known[-1]


@pytest.mark.parametrize("address", ["", "a\0@b.org", "\0", "\ud800@b.org", "x" * 5_000, "a@" + "b" * 5_000])
def test_what_is_no_address_belongs_to_nobody(database: Database, address: str) -> None:
    """Text that no database can hold is a wrong address like any other, and is counted like one."""
    answers = [attempt(database, address, "p\0\ud800") for _ in range(ATTEMPTS_PER_ADDRESS + 1)]
    assert "wrong" in answers[0]
    assert "too many" in answers[-1]


def test_the_address_is_limited_from_everywhere(sqlite_database: Database) -> None:
    """Guesses from many networks at one address are one series; behind it the right password is refused too."""
    make_account(sqlite_database, CHEAP)
    for number in range(ATTEMPTS_PER_ADDRESS):
        assert "wrong" in attempt(sqlite_database, ADDRESS, "guess", peer=f"192.0.2.{number}")
    assert "too many" in attempt(sqlite_database, ADDRESS, PASSWORD, peer="198.51.100.1")
    assert attempt(sqlite_database, ADDRESS, PASSWORD, peer="198.51.100.1", now=NOON + WINDOW) == "in"


def test_a_correct_password_does_not_lift_the_networks_limit(sqlite_database: Database) -> None:
    """An attacker with an account of their own cannot sign in between guesses to guess on for ever."""
    make_account(sqlite_database, CHEAP)
    for number in range(ATTEMPTS_PER_NETWORK):
        right = number % 5 == 0
        answer = attempt(
            sqlite_database, ADDRESS if right else f"p{number}@example.org", PASSWORD if right else "guess"
        )
        assert answer == "in" if right else "wrong" in answer
    assert "too many" in attempt(sqlite_database, ADDRESS, PASSWORD)
    assert attempt(sqlite_database, ADDRESS, PASSWORD, peer="198.51.100.1") == "in"


def test_the_wait_is_told_in_seconds(sqlite_database: Database) -> None:
    """`retry_after` is what is left of the window, and trying on does not prolong it."""
    for minute in range(ATTEMPTS_PER_ADDRESS):
        attempt(sqlite_database, ADDRESS, "guess", now=NOON + timedelta(minutes=minute))
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            sign_in(
                sqlite_database, CHEAP, address=ADDRESS, password="guess", peer="", user_agent="",
                now=NOON + WINDOW - timedelta(seconds=30),
            )  # fmt: skip
        assert refused.value.retry_after == 30


def test_attempts_at_the_same_moment_are_all_counted(database: Database) -> None:
    """A hundred parallel guesses are a hundred; on both databases."""

    def guess(_: int) -> bool:
        try:
            count(database, ["network:192.0.2.1"], NOON)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        let_through = sum(threads.map(guess, range(ATTEMPTS_PER_NETWORK + 20)))
    assert let_through == ATTEMPTS_PER_NETWORK


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:ff::2", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
        ("", "testclient", True),
    ],
)
def test_networks(one: str, other: str, same: bool) -> None:
    """One IPv4 address, or one household of IPv6 addresses, is one network; what is no address is one network too."""
    assert (network_bucket(one) == network_bucket(other)) is same


def test_a_password_changed_meanwhile_opens_nothing(sqlite_database: Database) -> None:
    """The change comes while the old password is being checked: its session would outlive the change."""
    account = make_account(sqlite_database, CHEAP)

    class Slow(Passwords):
        def matches(self, stored: str | None, password: str) -> bool:
            known = super().matches(stored, password)
            reset_password(sqlite_database, CHEAP, ADDRESS, "another lamp at the pier", NOON)
            return known

    slow = Slow(PasswordHasher.from_parameters(CHEAPEST))
    with pytest.raises(InvalidInput):
        sign_in(sqlite_database, slow, address=ADDRESS, password=PASSWORD, peer="::1", user_agent="", now=NOON)
    with sqlite_database.read() as tx:
        assert rows.list_sessions(tx, account.id, NOON) == []


def test_reading_goes_on_when_nothing_can_be_written(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk a session and an API key still open the pages; only the note of their use is lost."""
    account = make_account(sqlite_database, CHEAP)
    secret = sign_in(sqlite_database, CHEAP, address=ADDRESS, password=PASSWORD, peer="::1", user_agent="", now=NOON)
    key, _ = create_key(sqlite_database, account.id, "tests", NOON)

    def full(_database: Database) -> None:
        raise TemporaryFailure("disk full")

    monkeypatch.setattr(Database, "write", full)
    later = NOON + timedelta(hours=2)
    assert resume_session(sqlite_database, secret, later) is not None
    assert authenticate_key(sqlite_database, key, later) is not None
