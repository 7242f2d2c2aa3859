"""Custom tracking domains."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from resonanz import model
from resonanz.api.access import Caller, Operator, Parts
from resonanz.api.operator_shapes import DomainIn, DomainOut, DomainsOut
from resonanz.sending.domains import add_domain, check_domain, remove_domain
from resonanz.store import domains

router = APIRouter(tags=["Tracking domains"])

Name = Annotated[str, Path(max_length=253)]


@router.get("/domains", response_model=DomainsOut, summary="Every custom tracking domain")
def list_domains(parts: Parts, _caller: Caller) -> DomainsOut:
    """Return the domains, whose mail carries them, and what the last check saw."""
    with parts.database.read() as tx:
        return DomainsOut(domains=[DomainOut.model_validate(one) for one in domains.list_domains(tx)])


@router.post("/domains", status_code=201, response_model=DomainOut, summary="Add a custom tracking domain")
def post_domain(wanted: DomainIn, parts: Parts, operator: Operator) -> DomainOut:
    """Add a host for links in mail from these senders. It is used once DNS says that it leads here."""
    added = add_domain(
        parts.database,
        wanted.name,
        wanted.senders,
        edge_url=parts.edge_url,
        actor=operator.address,
        now=model.now(),
        check=None if wanted.unchecked else parts.check_domain,
    )
    return DomainOut.model_validate(added)


@router.post("/domains/{name}/check", response_model=DomainOut, summary="Look again whether a domain leads here")
def post_check(name: Name, parts: Parts, _operator: Operator) -> DomainOut:
    """Ask DNS, and return how the domain stands now."""
    checked = check_domain(parts.database, name, now=model.now(), check=parts.check_domain)
    return DomainOut.model_validate(checked)


@router.delete("/domains/{name}", status_code=204, summary="Forget a custom tracking domain")
def delete_domain(name: Name, parts: Parts, _operator: Operator) -> None:
    """Remove it. Mails that are out keep links with it: they end when its certificate does."""
    remove_domain(parts.database, name)
