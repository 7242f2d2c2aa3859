"""What may not be touched, and why: signed, encrypted and foreign content goes out as it came."""

from __future__ import annotations

import binascii
import re

from resonanz.mail.charset import UnusableCharset, open_text
from resonanz.mail.headers import read_parameters
from resonanz.mail.readable import text_from_html
from resonanz.mail.structure import Part, Structure
from resonanz.mail.tracking import Reason, Tracking
from resonanz.mail.transfer import DamagedEncoding, open_body

_SIGNED = {
    "multipart/signed",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
}
_ENCRYPTED = {"multipart/encrypted", "application/pgp-encrypted"}
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_PGP_BLOCK = re.compile(r"^[ \t\xa0]*-----BEGIN[ \xa0]PGP[ \xa0](SIGNED[ \xa0])?MESSAGE", re.MULTILINE)
_SAYS_NO = {"0", "no", "false", "off"}


def refuse_message(structure: Structure, tracking: Tracking) -> Reason | None:
    """Return why no part of this mail may be touched; None when parts are to be looked at one by one."""
    steps = (_refuse_protected, _refuse_report, _refuse_ambiguous)
    found = next((reason for step in steps if (reason := step(structure))), None)
    if found is None and _opts_out(structure):
        found = Reason.OPTED_OUT
    return found or _refuse_sealed(structure, tracking)


def _refuse_protected(structure: Structure) -> Reason | None:
    for part in structure.walk():
        if part.type in _ENCRYPTED:
            return Reason.ENCRYPTED
        if part.type in _SMIME or part.filename.lower().endswith(".p7m"):
            return Reason.SIGNED if part.parameters.get("smime-type", "").lower() == "signed-data" else Reason.ENCRYPTED
        if part.type in _SIGNED or part.filename.lower().endswith(".p7s"):
            return Reason.SIGNED
        if part.type.startswith("text/") and (reason := _inline_pgp(structure, part)):
            return reason
    return None


def _inline_pgp(structure: Structure, part: Part) -> Reason | None:
    """A block that begins a line of what the part says, however it is encoded; in HTML, of the text a reader sees."""
    body = structure.body(part)
    if not _may_hold_pgp(body, part.encoding):
        return None
    is_html = part.type == "text/html"
    try:
        text = open_text(open_body(body, part.encoding, structure.eol).decoded, part.charset, markup=is_html)
        said = text.read_leniently(0, len(text.mask))
    except (DamagedEncoding, UnusableCharset):
        said = body.decode("latin-1")
    lines = text_from_html(said) if is_html else said.replace("\r", "\n")
    match = _PGP_BLOCK.search(lines)
    if match is None:
        return None
    return Reason.SIGNED if match.group(1) else Reason.ENCRYPTED


def _may_hold_pgp(body: bytes, encoding: str) -> bool:
    """Cheap to ask of every part: without these letters there is no block."""
    if encoding == "base64":
        try:
            return b"PGP" in binascii.a2b_base64(body)
        except binascii.Error:
            return False  # no program reads it as anything, and nobody changes it
    if b"PGP" in body:
        return True
    return encoding == "quoted-printable" and b"PGP" in body.replace(b"=\r\n", b"").replace(b"=\n", b"")


def _refuse_report(structure: Structure) -> Reason | None:
    return Reason.REPORT if structure.root.type == "multipart/report" else None


def _refuse_ambiguous(structure: Structure) -> Reason | None:
    return Reason.AMBIGUOUS if structure.ambiguous else None


def _opts_out(structure: Structure) -> bool:
    value = structure.header("X-No-Track")
    return value is not None and value.strip().lower() not in _SAYS_NO


def _refuse_sealed(structure: Structure, tracking: Tracking) -> Reason | None:
    """A signature over the body may be broken only by who signs anew for the same domain."""
    block = structure.root.block
    signatures = block.all("DKIM-Signature") + block.all("DomainKey-Signature")
    ours = {domain.lower() for domain in tracking.resigned_domains}
    if any(_signing_domain(signature.text) not in ours for signature in signatures):
        return Reason.DKIM_SIGNED
    if block.all("ARC-Seal") or block.all("ARC-Message-Signature"):
        return Reason.ARC_SEALED
    return None


def _signing_domain(signature: str) -> str:
    _, tags, _ = read_parameters("; " + signature)
    return "".join(tags.get("d", "").split()).lower()


def refuse_part(part: Part) -> Reason | None:
    """Return why a leaf is left alone; None for the text and HTML that a reader sees as the mail."""
    around = list(part.ancestors())
    if any(parent.type == "multipart/report" for parent in around):
        return Reason.REPORT
    if part.type.startswith("message/"):
        return Reason.NESTED_MESSAGE
    if part.type == "text/calendar":
        return Reason.CALENDAR
    if part.disposition == "attachment":
        return Reason.ATTACHMENT
    if part.type not in ("text/html", "text/plain"):
        return Reason.NOT_SHOWN
    if around and part.filename and around[0].type != "multipart/alternative":
        return Reason.ATTACHMENT
    if any(parent.type == "multipart/related" and not _is_root_of(parent, part) for parent in around):
        return Reason.NOT_SHOWN
    if any(parent.type in ("multipart/appledouble", "multipart/digest", "multipart/parallel") for parent in around):
        return Reason.NOT_SHOWN
    return None


def _is_root_of(related: Part, part: Part) -> bool:
    """Whether a part lies in the root of a multipart/related (RFC 2387): the one `start` names, else the first."""
    start = related.parameters.get("start", "").strip("<> ")
    root = related.children[0]
    if start:
        named = [child for child in related.children if _content_id(child) == start]
        root = named[0] if named else root
    return part is root or root in part.ancestors()


def _content_id(part: Part) -> str:
    found = part.block.first("Content-ID")
    return found.text.strip("<> ") if found else ""
