"""OAuth 2.0 for mail accounts at Google and Microsoft: how a first refresh token is had, and access tokens from it.

What differs between the two is data (`PROVIDERS`); the rest is RFC 6749 with PKCE (RFC 7636), and RFC 8628 for machines
without a browser. Google grants its mail scope to no device: there a refresh token comes by the dashboard or by hand.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from resonanz.model import InvalidInput, TemporaryFailure

if TYPE_CHECKING:
    from resonanz.outbound.web import Answer

EARLY_SECONDS = 120.0  # a token that ends sooner is replaced: what it is used for may take its time
DEFAULT_LIFETIME = 300.0  # where the answer does not say
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEAD = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})

Ask = Callable[[str, Mapping[str, str]], "Answer"]


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider's users sign in, where tokens are had, and what is asked for; `{tenant}` is the directory, and
    `{permission}` what a protocol needs."""

    title: str
    smtp_host: str
    authorize_url: str
    token_url: str
    device_url: str
    scope: str
    extra: Mapping[str, str] = field(default_factory=dict)


PROVIDERS: dict[str, Provider] = {
    # developers.google.com/identity/protocols/oauth2/web-server; one mail scope for SMTP, IMAP and POP3.
    "google": Provider(
        "Google",
        "smtp.gmail.com",
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        "",
        "https://mail.google.com/",
        {"access_type": "offline", "prompt": "consent"},  # else a second consent brings no refresh token
    ),
    # learn.microsoft.com: "Authenticate an IMAP, POP or SMTP connection using OAuth".
    "microsoft": Provider(
        "Microsoft",
        "smtp.office365.com",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode",
        "https://outlook.office.com/{permission} offline_access",
    ),
}


_PERMISSIONS = {"smtp": "SMTP.Send", "imap": "IMAP.AccessAsUser.All", "pop3": "POP.AccessAsUser.All"}  # Microsoft's


@dataclass(frozen=True, slots=True)
class Client:
    """Our application as the provider knows it, and the protocol that it is to speak (smtp, imap, pop3)."""

    provider: str
    id: str
    secret: str = field(default="", repr=False)
    tenant: str = ""
    protocol: str = "smtp"

    @property
    def at(self) -> Provider:
        """Its provider."""
        return PROVIDERS[self.provider]

    @property
    def scope(self) -> str:
        """What is asked for."""
        return self.at.scope.replace("{permission}", _PERMISSIONS[self.protocol])

    def url(self, template: str) -> str:
        """Return an address of the provider for this client's directory."""
        return template.replace("{tenant}", self.tenant or "common")

    @property
    def credentials(self) -> dict[str, str]:
        """What names us in a request for tokens; a public client has no secret."""
        return {"client_id": self.id, **({"client_secret": self.secret} if self.secret else {})}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider handed out: an access token, its seconds, and a refresh token where it is new."""

    access: str = field(repr=False)
    seconds: float
    refresh: str = field(default="", repr=False)


def ask_provider(url: str, form: Mapping[str, str]) -> Answer:
    """Post a form to a provider, past none of the rules for going out."""
    from resonanz.outbound.web import Rules, post  # loads an HTTP client, which few processes need

    return post(url, form, Rules(limit_bytes=200_000, seconds=30.0))


# ── Getting the first refresh token ─────────────────────────────────────────────────────────────────────────────────


def challenge_of(verifier: str) -> str:
    """Return what PKCE shows of a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def sign_in_url(client: Client, *, user: str, redirect_uri: str, state: str, verifier: str) -> str:
    """Return where somebody signs in with the provider and allows us to send."""
    query = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "scope": client.scope,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "login_hint": user,
        **client.at.extra,
    }
    return f"{client.url(client.at.authorize_url)}?{urlencode(query)}"


def exchange_code(client: Client, code: str, *, redirect_uri: str, verifier: str, ask: Ask = ask_provider) -> Tokens:
    """Return the tokens for the code that signing in gave. Raises InvalidInput when the provider refuses it or gives
    no refresh token, TemporaryFailure when it does not answer."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    tokens = _tokens(client, form, ask)
    if not tokens.refresh:
        raise InvalidInput("gave no refresh token", where=client.at.title, remedy="allow offline access, sign in again")
    return tokens


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What to type where (`user_code` at `url`), and how often to ask whether it was done."""

    code: str = field(repr=False)
    user_code: str
    url: str
    pause: float
    seconds: float


def begin_device(client: Client, *, ask: Ask = ask_provider) -> DeviceCode:
    """Begin to sign in on another device (RFC 8628). Raises InvalidInput where the provider has no such way."""
    if not client.at.device_url:
        raise InvalidInput(
            "grants no mail access to devices",
            where=client.at.title,
            remedy="sign in on the dashboard, or give a refresh token",
        )
    answer = _read(client, ask(client.url(client.at.device_url), {"client_id": client.id, "scope": client.scope}))
    return DeviceCode(
        str(answer["device_code"]),
        str(answer["user_code"]),
        str(answer.get("verification_uri") or answer.get("verification_url") or ""),
        float(answer.get("interval", 5)),
        float(answer.get("expires_in", 900)),
    )


def poll_device(
    client: Client, device: DeviceCode, *, ask: Ask = ask_provider, wait: Callable[[float], None] = time.sleep
) -> Tokens:
    """Wait until somebody has typed the code. Raises InvalidInput when they refuse or take too long."""
    pause, waited = device.pause, 0.0
    while waited < device.seconds:
        wait(pause)
        waited += pause
        answer = ask(client.url(client.at.token_url), {**client.credentials, "grant_type": DEVICE_GRANT,
                                                       "device_code": device.code})  # fmt: skip
        error = _error_of(answer.body) if answer.status != 200 else ""
        if error == "slow_down":
            pause += 5
        elif error != "authorization_pending":
            return _granted(_read(client, answer))
    raise InvalidInput("the code was not used in time", where=client.at.title, remedy="begin again")


# ── Access tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


class GrantEnded(TemporaryFailure):
    """The provider honours our refresh token no more, or nobody has signed in yet: somebody has to."""


def refresh_tokens(client: Client, refresh: str, *, ask: Ask = ask_provider) -> Tokens:
    """Return an access token for a refresh token. Raises GrantEnded, InvalidInput for a client that is refused, and
    TemporaryFailure while the provider gives none."""
    if not refresh:
        raise GrantEnded("nobody has signed in yet", remedy="sign in on the dashboard's page")
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "scope": client.scope}
    try:
        return _tokens(client, form, ask)
    except _Dead as dead:
        raise GrantEnded(
            f"{client.at.title} does not honour our sign-in any more: {dead.what}", remedy="sign in again"
        ) from dead


class _Dead(InvalidInput):
    """The grant itself is refused: no other try will help."""


def _tokens(client: Client, form: Mapping[str, str], ask: Ask) -> Tokens:
    return _granted(_read(client, ask(client.url(client.at.token_url), {**client.credentials, **form})))


def _granted(answer: Mapping[str, Any]) -> Tokens:
    seconds = answer.get("expires_in")
    lifetime = float(seconds) if isinstance(seconds, int | float | str) and str(seconds).isdigit() else DEFAULT_LIFETIME
    return Tokens(str(answer["access_token"]), lifetime, str(answer.get("refresh_token") or ""))


def _read(client: Client, answer: Answer) -> dict[str, Any]:
    """Read an answer (RFC 6749 sections 5.1, 5.2). A refusal of the request or its grant is final, the rest is not."""
    error = _error_of(answer.body)
    if answer.status == 200 and not error:
        try:
            found = json.loads(answer.body)
            if isinstance(found, dict) and (found.get("access_token") or found.get("device_code")):
                return found
        except ValueError:
            pass
        raise TemporaryFailure("gave an answer that cannot be read", where=client.at.title)
    if error in _DEAD:
        raise _Dead(error, where=client.at.title, remedy="sign in again")
    if error and 400 <= answer.status < 429:
        raise InvalidInput(
            f"refused the request: {error}", where=client.at.title, remedy="check the client's id, secret and directory"
        )
    raise TemporaryFailure(f"answered {answer.status} {error}".strip(), where=client.at.title)


def _error_of(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    error = found.get("error") if isinstance(found, dict) else None
    return "".join(character for character in str(error) if character.isprintable())[:100] if error else ""
