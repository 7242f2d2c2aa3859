"""The providers whose webhooks are understood, and the addresses that were given to them with the secrets in force."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, cast
from uuid import UUID

from resonanz.model import InvalidInput, NotFound, from_microseconds, new_id, to_microseconds
from resonanz.store import Database
from resonanz.store import providers as rows
from resonanz.store.providers import ProviderRow

if TYPE_CHECKING:
    from resonanz.ingest.sources.notices import Source
    from resonanz.sealing import Sealer

ROTATION = timedelta(days=1)  # how long the secret before the newest one is still believed


class Proof(StrEnum):
    """What a provider proves itself with."""

    SECRET = "secret"  # noqa: S105 - a shared one that signs
    PUBLIC_KEY = "public key"
    PASSWORD = "password"  # noqa: S105 - it signs nothing: a password of our own making stands in the address
    TOPIC = "topic"  # Amazon's certificate signs; the topic says whose


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its name here, what people call it, how it proves itself, and where it shows its secret. `trial` is
    the word by which it asks, before there is a secret, whether anybody is there."""

    name: str
    title: str
    proof: Proof
    shown: str
    trial: str = ""

    @property
    def makes_password(self) -> bool:
        """Whether the secret is made here and stands in the address."""
        return self.proof is Proof.PASSWORD


_PASSWORD = "made here; it stands in the address"  # noqa: S105

PROVIDERS = {
    provider.name: provider
    for provider in (
        Provider("ses", "Amazon SES", Proof.TOPIC, "the ARN of the SNS topic that SES publishes to"),
        Provider("brevo", "Brevo", Proof.PASSWORD, _PASSWORD),
        Provider("mailersend", "MailerSend", Proof.SECRET, "the signing secret of the webhook", "webhook.test"),
        Provider("mailgun", "Mailgun", Proof.SECRET, "the HTTP webhook signing key of the account"),
        Provider("mailjet", "Mailjet", Proof.PASSWORD, _PASSWORD),
        Provider("mandrill", "Mailchimp Transactional (Mandrill)", Proof.SECRET, "the key of the webhook"),
        Provider(
            "postal", "Postal", Proof.PUBLIC_KEY, "the public key of the installation (the p= of its DKIM record)"
        ),
        Provider("postmark", "Postmark", Proof.PASSWORD, _PASSWORD),
        Provider("resend", "Resend", Proof.SECRET, "the signing secret of the webhook (whsec_…)"),
        Provider("sendgrid", "SendGrid", Proof.PUBLIC_KEY, "the verification key of the signed event webhook"),
        Provider("sparkpost", "SparkPost", Proof.PASSWORD, _PASSWORD),
    )
}


def source_of(name: str) -> Source:
    """Return the module that understands a provider; loaded when first asked for. Raises InvalidInput."""
    provider_of(name)
    return cast("Source", import_module(f"resonanz.ingest.sources.{name}"))


def provider_of(name: str) -> Provider:
    """Return a provider by its name. Raises InvalidInput."""
    if name not in PROVIDERS:
        raise InvalidInput("no such provider", where="provider", remedy=f"one of {', '.join(sorted(PROVIDERS))}")
    return PROVIDERS[name]


# ── Adding, changing, removing ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Added:
    """A provider's row, and the password that was made for it: shown once, empty where the provider has its own."""

    row: ProviderRow
    password: str = ""


def add_provider(
    database: Database,
    sealer: Callable[[], Sealer],
    name: str,
    *,
    label: str,
    secret: str,
    actor: str,
    now: datetime,
) -> Added:
    """Give a provider an address. Its secret may follow: most show it only once they know the address.

    Raises InvalidInput for a provider nobody knows here and a secret that cannot be one.
    """
    provider = provider_of(name)
    label = label.strip()
    if len(label) > 80:
        raise InvalidInput("longer than 80 characters", where="label")
    id = new_id()
    password = random.token_urlsafe(24) if provider.makes_password and not secret.strip() else ""
    given = password or _checked(provider, secret)
    sealed = _seal(sealer(), id, [(given, None)]) if given else None
    row = ProviderRow(id, name, label, sealed, now, actor)
    with database.write() as tx:
        rows.add_provider(tx, row)
    return Added(row, password)


def set_secret(database: Database, sealer: Callable[[], Sealer], id: UUID, *, secret: str, now: datetime) -> Added:
    """Set a new secret; the one before is believed for another day, so that a change loses nothing. An empty one is
    made anew where the password is ours. Raises NotFound, InvalidInput."""
    row = get_provider(database, id)
    provider = provider_of(row.provider)
    password = random.token_urlsafe(24) if provider.makes_password and not secret.strip() else ""
    given = password or _checked(provider, secret)
    if not given:
        raise InvalidInput("a secret is missing", where="secret", remedy=f"it is {provider.shown}")
    before = [(one, until) for one, until in _open(sealer(), row) if until is None and one != given]
    sealed = _seal(sealer(), id, [(given, None), *((one, now + ROTATION) for one, _ in before[:1])])
    with database.write() as tx:
        if not rows.save_secrets(tx, id, sealed):
            raise _gone()
    return Added(get_provider(database, id), password)


def get_provider(database: Database, id: UUID) -> ProviderRow:
    """Return one. Raises NotFound."""
    with database.read() as tx:
        row = rows.get_provider(tx, id)
    if row is None:
        raise _gone()
    return row


def remove_provider(database: Database, id: UUID) -> None:
    """Let nothing more in at this address. What was recorded stays. Raises NotFound."""
    with database.write() as tx:
        if not rows.remove_provider(tx, id):
            raise _gone()


def address(dashboard_url: str, id: UUID) -> str:
    """Return the address that a provider posts to."""
    return f"{dashboard_url}/api/v1/hooks/{id}"


def secrets_of(sealer: Callable[[], Sealer], row: ProviderRow, now: datetime) -> list[str]:
    """Return the secrets in force, the newest first. Raises TemporaryFailure when they cannot be opened."""
    if row.secrets is None:
        return []
    return [secret for secret, until in _open(sealer(), row) if until is None or until > now]


def _checked(provider: Provider, secret: str) -> str:
    from resonanz.ingest.sources.signatures import load_public_key, standard_secret

    secret = secret.strip()
    if not secret:
        return ""
    if provider.makes_password and (len(secret) < 16 or not secret.isascii() or "/" in secret):
        raise InvalidInput("a password in an address needs 16 characters or more, and no slash", where="secret")
    if provider.proof is Proof.PUBLIC_KEY:
        load_public_key(secret)
    elif provider.proof is Proof.TOPIC:
        from resonanz.ingest.sources.ses import region_host

        region_host(secret)
    elif provider.name == "resend":
        standard_secret(secret)
    return secret


def _purpose(id: UUID) -> str:
    return f"provider {id.hex}"


def _seal(sealer: Sealer, id: UUID, found: list[tuple[str, datetime | None]]) -> bytes:
    plain = [[secret, None if until is None else to_microseconds(until)] for secret, until in found]
    return sealer.seal(json.dumps(plain), _purpose(id))


def _open(sealer: Sealer, row: ProviderRow) -> list[tuple[str, datetime | None]]:
    if row.secrets is None:
        return []
    plain = json.loads(sealer.open(row.secrets, _purpose(row.id)))
    return [(secret, None if until is None else from_microseconds(until)) for secret, until in plain]


def _gone() -> NotFound:
    return NotFound("there is no such provider", where="provider")
