"""Access tokens for transports that log in with a provider: one for all lanes, and no storm of questions while the
provider gives none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from resonanz.outbound.oauth import EARLY_SECONDS, Ask, Client, GrantEnded, Tokens, ask_provider, refresh_tokens
from resonanz.sending.transports.base import SignInAgain, Unreachable

BACK_OFF_SECONDS = (5, 15, 60, 300)  # after the n-th failure in a row to get a token


class AccessTokens:
    """Access tokens for one account: kept until shortly before they end, had once for all who wait.

    `read` gives the client and the refresh token as they are stored now; `keep` stores a new refresh token.
    """

    def __init__(
        self,
        read: Callable[[], tuple[Client, str]],
        keep: Callable[[str], None],
        *,
        ask: Ask = ask_provider,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._keep = keep
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._access = ""
        self._ends = 0.0
        self._failures = 0
        self._again_at = 0.0
        self._failed = ""

    async def get(self) -> str:
        """Return a token that holds for a while. Raises SignInAgain, and Unreachable while the provider gives none."""
        async with self._lock:
            now = self._clock()
            if self._access and now < self._ends:
                return self._access
            if now < self._again_at:
                raise Unreachable(self._failed)
            try:
                tokens = await asyncio.to_thread(self._refresh)
            except SignInAgain:
                raise
            except Exception as error:  # whatever it was, mail waits and it is tried again
                self._failed = f"no access token: {error}"[:500]
                self._again_at = now + BACK_OFF_SECONDS[min(self._failures, len(BACK_OFF_SECONDS) - 1)]
                self._failures += 1
                raise Unreachable(self._failed) from error
            self._failures = 0
            self._access, self._ends = tokens.access, now + tokens.seconds - min(EARLY_SECONDS, tokens.seconds / 2)
            return self._access

    def drop(self, access: str) -> None:
        """Forget a token that the mail server did not take."""
        if access == self._access:
            self._access = ""

    def _refresh(self) -> Tokens:
        client, refresh = self._read()
        try:
            tokens = refresh_tokens(client, refresh, ask=self._ask)
        except GrantEnded as ended:
            raise SignInAgain(ended.what, remedy=ended.remedy) from ended
        if tokens.refresh and tokens.refresh != refresh:
            self._keep(tokens.refresh)
        return tokens
