"""Rules for tracking what an account's mail programs hand in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from resonanz import model
from resonanz.api.access import Caller, Operator, Parts
from resonanz.api.operator_shapes import CopiesIn, CopiesOut, RuleBookOut, RulesIn, RulesOut
from resonanz.sending.rule_book import copies_of_instance, remove_rules, rules_of, set_copies_of_instance, set_rules
from resonanz.sending.rules import read_rules

router = APIRouter(tags=["Mail programs"])


@router.get("/rules", response_model=RuleBookOut, summary="The account's rules for its mail programs")
def list_rules(parts: Parts, caller: Caller) -> RuleBookOut:
    """Return the rules for all mail, and those for mail from some sender domains."""
    with parts.database.read() as tx:
        book, copies = rules_of(tx, caller.id), copies_of_instance(tx)
    rules = [RulesOut(domain=domain, **asdict(one)) for domain, one in book.items()]
    return RuleBookOut(rules=rules, copies=copies)


@router.put("/rules/copies", response_model=CopiesOut, summary="Own or shared copies, for the instance")
def put_copies(wanted: CopiesIn, parts: Parts, _operator: Operator) -> CopiesOut:
    """Set what several recipients of one mail get where an account's rules leave it to the instance."""
    return CopiesOut(copies=set_copies_of_instance(parts.database, wanted.copies, model.now()))


@router.put("/rules", response_model=RulesOut, summary="Set rules")
def put_rules(wanted: RulesIn, parts: Parts, caller: Caller) -> RulesOut:
    """Set the rules for all mail, or for mail from one sender domain. They hold from the next mail on."""
    rules = read_rules(
        wanted.track, wanted.marker, wanted.never, wanted.internal, replies=wanted.replies, copies=wanted.copies
    )
    domain = set_rules(parts.database, caller.id, wanted.domain, rules, model.now())
    return RulesOut(domain=domain, **asdict(rules))


@router.delete("/rules", status_code=204, summary="Forget rules")
def delete_rules(
    parts: Parts,
    caller: Caller,
    domain: Annotated[str, Query(max_length=253, description="Empty: those for all mail")] = "",
) -> None:
    """Forget the rules for all mail, or for mail from one sender domain."""
    remove_rules(parts.database, caller.id, domain, model.now())
