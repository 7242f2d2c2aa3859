"""The domains that mail is sent from and what they publish, and custom tracking domains."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from resonanz import model
from resonanz.api.access import Caller, Operator, Parts
from resonanz.api.operator_shapes import DomainIn, DomainOut, DomainsOut, SenderDomainOut
from resonanz.model import NotFound
from resonanz.sending.domains import add_domain, check_domain, remove_domain
from resonanz.sending.sender_checks import last_look, look, read_domain
from resonanz.store import domains

router = APIRouter(tags=["Domains"])

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


@router.get(
    "/sender-domains/{name}", response_model=SenderDomainOut, summary="What a sender's domain publishes, as seen last"
)
def get_sender_domain(name: Name, parts: Parts, _caller: Caller) -> SenderDomainOut:
    """Return SPF, DKIM, DMARC, tracking host and return path as the last look at DNS found them. 404 if nobody has
    looked yet."""
    with parts.database.read() as tx:
        found = last_look(tx, read_domain(name))
    if found is None:
        raise NotFound("nobody has looked at it yet", where="name", remedy="POST …/check does")
    return SenderDomainOut.model_validate(found)


@router.post("/sender-domains/{name}/check", response_model=SenderDomainOut, summary="Look at a sender's domain now")
def post_sender_check(name: Name, parts: Parts, caller: Caller) -> SenderDomainOut:
    """Ask DNS, keep what it says, and return it. It takes seconds where DNS is slow."""
    seen = look(
        parts.database,
        name,
        edge_url=parts.edge_url,
        look_up=parts.look_up,
        actor=caller.address,
        now=model.now(),
    )
    return SenderDomainOut.model_validate(seen)
