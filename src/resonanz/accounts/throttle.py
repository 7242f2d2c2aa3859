"""How often anybody may guess: attempts are counted per address and per network, before the password is looked at.

Counted first and in one statement, so that a hundred guesses at the same moment are a hundred. A correct password
clears the address's count, never the network's: otherwise an attacker with one account of their own could guess on.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from resonanz.model import TooMany
from resonanz.store import Database
from resonanz.store import accounts as rows

WINDOW = timedelta(minutes=15)
ATTEMPTS_PER_ADDRESS = 10
ATTEMPTS_PER_NETWORK = 50

_LIMITS = {"address": ATTEMPTS_PER_ADDRESS, "network": ATTEMPTS_PER_NETWORK}


def address_bucket(address: str) -> str:
    """Name the bucket of a mail address. Hashed: whatever was typed there is nobody's business, and of any length."""
    digest = blake2b(address.lower().encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"address:{digest}"


def network_bucket(peer: str) -> str:
    """Name the bucket of the network behind an IP address: one IPv4 address, or an IPv6 /56 (what a household gets)."""
    try:
        ip = ipaddress.ip_address(peer)
    except ValueError:
        return "network:unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return f"network:{ipaddress.ip_network((ip, 56), strict=False)}"
        ip = ip.ipv4_mapped
    return f"network:{ip}"


def count(database: Database, buckets: Iterable[str], now: datetime) -> None:
    """Count one attempt in each bucket. Raises TooMany, with the seconds to wait, when one of them is full."""
    wait = timedelta(0)
    with database.write() as tx:
        for bucket in buckets:
            attempts, window_ends_at = rows.count_attempt(tx, bucket, now, now + WINDOW)
            if attempts > _LIMITS[bucket.partition(":")[0]]:
                wait = max(wait, window_ends_at - now)
    if wait:
        seconds = math.ceil(wait.total_seconds())
        raise TooMany("too many attempts", retry_after=seconds, where="sign-in", remedy="wait, then try again")
