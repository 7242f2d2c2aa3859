"""Whose webhooks are let in, and what of their reports became no fact."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from resonanz import model
from resonanz.api.access import ApiParts, Operator, Parts
from resonanz.api.source_shapes import (
    ProviderAdded,
    ProviderIn,
    ProviderOut,
    ProvidersOut,
    SecretIn,
    StrayOut,
    StraysOut,
)
from resonanz.ingest import providers
from resonanz.store import providers as rows
from resonanz.store.strays import count_strays, list_strays

router = APIRouter(tags=["Provider webhooks"])


@router.get("/providers", response_model=ProvidersOut, summary="Every provider that reports to this instance")
def get_providers(parts: Parts, _operator: Operator) -> ProvidersOut:
    """Return the providers' addresses, whether a secret is set, and what came last."""
    with parts.database.read() as tx:
        found = rows.list_providers(tx)
    return ProvidersOut(
        providers=[ProviderOut.of(row, providers.address(parts.dashboard_url, row.id)) for row in found]
    )


@router.post("/providers", status_code=201, response_model=ProviderAdded, summary="Give a provider an address")
def post_provider(wanted: ProviderIn, parts: Parts, operator: Operator) -> ProviderAdded:
    """Make an address for a provider's webhooks. Where the provider signs nothing a password is made and shown once;
    where it shows its own secret only afterwards, set that next: until then nothing is let in."""
    added = providers.add_provider(
        parts.database,
        parts.sealer,
        wanted.provider,
        label=wanted.label,
        secret=wanted.secret,
        actor=operator.address,
        now=model.now(),
    )
    return _added(parts, added)


@router.put("/providers/{provider}/secret", response_model=ProviderAdded, summary="Set or change a provider's secret")
def put_secret(provider: UUID, wanted: SecretIn, parts: Parts, _operator: Operator) -> ProviderAdded:
    """Set the secret. The one before is believed for another day."""
    added = providers.set_secret(parts.database, parts.sealer, provider, secret=wanted.secret, now=model.now())
    return _added(parts, added)


@router.delete("/providers/{provider}", status_code=204, summary="Let nothing more in from a provider")
def delete_provider(provider: UUID, parts: Parts, _operator: Operator) -> None:
    """Remove the address. What was recorded stays."""
    providers.remove_provider(parts.database, provider)


@router.get("/strays", response_model=StraysOut, summary="Reports that became no fact")
def get_strays(parts: Parts, _operator: Operator, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> StraysOut:
    """Return how many reports were kept that are about no mail of ours, of a kind nobody knows, or unreadable, and the
    newest of them."""
    with parts.database.read() as tx:
        counted, found = count_strays(tx), list_strays(tx, limit=limit)
    return StraysOut(
        total=sum(counted.values()),
        strays=[StrayOut.of(stray) for stray in found],
    )


def _added(parts: ApiParts, added: providers.Added) -> ProviderAdded:
    address = providers.address(parts.dashboard_url, added.row.id)
    shown = ProviderOut.of(added.row, address)
    return ProviderAdded(**shown.model_dump(), secret_address=f"{address}/{added.password}" if added.password else None)
