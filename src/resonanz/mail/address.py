"""One mailbox, read strictly: what a person typed or a header holds becomes a name, a local part and a domain.

Follows RFC 5322 section 3.4 (display names, comments, groups), RFC 5321 section 4.1.2 (lengths, quoted local parts,
address literals) and RFC 6531 (UTF-8 local parts). Domains come out as ASCII labels (RFC 5890), so that two spellings
of one domain are one domain. Nothing with a control character gets through: an address ends up in SMTP commands and
headers.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from resonanz.mail.words import decode_words, encode_words
from resonanz.model import InvalidInput

MAX_LOCAL_OCTETS = 64
MAX_DOMAIN_OCTETS = 253
MAX_LABEL_OCTETS = 63
MAX_ADDRESSES_CHARACTERS = 1_000_000
MAX_COMMENT_DEPTH = 50
MAX_REMEMBERED = 320  # characters; longer ones are nobody's address
MAX_SHOWN = 60  # characters of what was handed in that an error quotes

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
# The pieces of a list of mailboxes: a quoted string, a bracket or separator, plain text.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"|[()<>,;:]|[^"()<>,;:]++|"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. `local` is unquoted, `domain` in lower-case ASCII; `name` is the display name, decoded."""

    name: str
    local: str
    domain: str

    @property
    def spec(self) -> str:
        """The address as SMTP and headers want it: the local part quoted where it has to be."""
        if all(_ATOM.fullmatch(atom) for atom in self.local.split(".")):
            return f"{self.local}@{self.domain}"
        quoted = self.local.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"@{self.domain}'

    @property
    def normalised(self) -> str:
        """The address for comparing and looking up: NFC and lower case, as receivers treat it in practice."""
        spec = self.spec
        return (spec if spec.isascii() else unicodedata.normalize("NFC", spec)).lower()

    def __str__(self) -> str:
        if not self.name:
            return self.spec
        if "=?" in self.name:  # in quotes it would be read as an encoded word, and decoded once too often
            return f"{' '.join(encode_words(self.name))} <{self.spec}>"
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.spec}>'


def parse_address(text: str) -> Address:
    """Read exactly one mailbox. Raises InvalidInput, which says what is wrong with it."""
    return _remembered(text) if len(text) <= MAX_REMEMBERED else _parse_one(text)


def _parse_one(text: str) -> Address:
    found = parse_addresses(text)
    if len(found) != 1:
        raise _refused(text, "is not one address") if found else InvalidInput("is empty", where="address")
    return found[0]


# At the door and in the queue each address of a mail is read half a dozen times.
_remembered = lru_cache(maxsize=1_000)(_parse_one)


def parse_addresses(text: str) -> list[Address]:
    """Read a list of mailboxes, groups included (RFC 5322 section 3.4). Raises InvalidInput for the first bad one."""
    if len(text) > MAX_ADDRESSES_CHARACTERS:
        raise InvalidInput("the list of addresses is too long", where="address")
    control = _CONTROL.search(text)
    if control is not None:
        raise _refused(text, f"holds the control character U+{ord(control.group()):04X}")
    if _SURROGATE.search(text):
        raise _refused(text, "is not valid Unicode")
    return [_mailbox(part, text) for part in _split(text)]


@dataclass(slots=True)
class _Draft:
    """One mailbox while its pieces come in: what stands before and inside the angle brackets, and the comments.

    Pieces are joined once, at the end: a list of addresses comes from anybody and can be a million characters long.
    """

    outside: list[str] = field(default_factory=list)
    inside: list[str] | None = None
    comment: list[str] = field(default_factory=list)
    has_at: bool = False  # outside the angle brackets

    def is_blank(self) -> bool:
        return self.inside is None and not any(piece.strip() for piece in self.outside)


def _split(text: str) -> list[_Draft]:
    """Cut a list at its commas, those in quotes, comments and angle brackets left out."""
    drafts: list[_Draft] = []
    draft, depth, in_angle = _Draft(), 0, False
    for piece in _PIECE.findall(text):
        if piece == '"':
            raise _refused(text, "has a quote that is not closed")
        if depth or piece == "(":
            is_outermost = (piece, depth) in (("(", 0), (")", 1))
            depth += {"(": 1, ")": -1}.get(piece, 0)
            if depth > MAX_COMMENT_DEPTH:
                raise _refused(text, f"has comments nested more than {MAX_COMMENT_DEPTH} deep")
            if not is_outermost:
                draft.comment.append(piece)
        elif piece == ")":
            raise _refused(text, "has a bracket too many")
        elif piece == "<":
            if in_angle or draft.inside is not None:
                raise _refused(text, "has an angle bracket too many")
            in_angle, draft.inside = True, []
        elif piece == ">":
            if not in_angle:
                raise _refused(text, "has an angle bracket too many")
            in_angle = False
        elif in_angle:
            assert draft.inside is not None
            draft.inside.append(piece)
        elif piece in (",", ";"):
            drafts.append(draft)
            draft = _Draft()
        elif piece == ":" and not draft.has_at:
            draft = _Draft()  # what stood before was the name of a group
        else:
            draft.outside.append(piece)
            draft.has_at = draft.has_at or "@" in piece
    if depth or in_angle:
        raise _refused(text, "has a bracket that is not closed")
    drafts.append(draft)
    return [draft for draft in drafts if not draft.is_blank()]


def _mailbox(draft: _Draft, text: str) -> Address:
    if draft.inside is None:
        name, spec = "".join(draft.comment), "".join(draft.outside).strip()
    else:
        name, spec = "".join(draft.outside), "".join(draft.inside).strip()
    at = spec.rfind("@")
    if at < 0:
        raise _refused(spec or text, "has no @")
    return Address(_display_name(name), _local_part(spec[:at], text), ascii_domain(spec[at + 1 :]))


def _display_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    decoded = decode_words(name)
    return " ".join(_CONTROL.sub(" ", decoded).split())


def _local_part(text: str, whole: str) -> str:
    if not text:
        raise _refused(whole, "has nothing before the @")
    local = text
    if text[0] == '"':
        if len(text) < 2 or text[-1] != '"':
            raise _refused(whole, "has a quote that is not closed")
        local = re.sub(r"\\(.)", r"\1", text[1:-1])
    else:
        if any(character.isspace() for character in text):
            raise _refused(whole, "has a space before the @")
        if ".." in text or text[0] == "." or text[-1] == ".":
            raise _refused(whole, "has a dot out of place before the @", "put the part before the @ in double quotes")
        if not all(_ATOM.fullmatch(atom) for atom in text.split(".")):
            raise _refused(whole, "has a character before the @ that needs quotes")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise _refused(whole, f"has more than {MAX_LOCAL_OCTETS} octets before the @")
    return local


def ascii_domain(text: str) -> str:
    """Return a domain in lower-case ASCII labels, or an address literal. Raises InvalidInput.

    Non-ASCII labels are mapped as UTS 46 does without transitional processing: NFKC, lower case, Punycode. So `faß.de`
    and `fass.de` stay two domains.
    """
    domain = text.strip()
    if domain.startswith("[") and domain.endswith("]"):
        return _literal(domain)
    domain = re.sub("[\u3002\uff0e\uff61]", ".", domain)
    labels = [_label(label, text) for label in domain.removesuffix(".").split(".")]
    joined = ".".join(labels)
    if len(joined) > MAX_DOMAIN_OCTETS:
        raise _refused(text, f"has a domain of more than {MAX_DOMAIN_OCTETS} octets")
    if labels[-1].isdigit():
        raise _refused(text, "has a domain that ends in a number", "an IP address goes into square brackets")
    return joined


def _label(label: str, text: str) -> str:
    if not label:
        raise _refused(text, "has an empty label in its domain")
    if len(label) > 4 * MAX_LABEL_OCTETS:  # however it is mapped; mapping and Punycode take long over long ones
        raise _refused(text, f"has a label of more than {MAX_LABEL_OCTETS} octets in its domain")
    mapped = label
    if not label.isascii():
        mapped = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", label).lower())
        if any(unicodedata.category(character)[0] not in "LMN" and character not in "-·" for character in mapped):
            raise _refused(label, "has a character that no domain can hold")
        mapped = mapped if mapped.isascii() else "xn--" + mapped.encode("punycode").decode("ascii")
    if len(mapped) > MAX_LABEL_OCTETS:
        raise _refused(text, f"has a label of more than {MAX_LABEL_OCTETS} octets in its domain")
    if not _LABEL.fullmatch(mapped):
        raise _refused(label, "is a label that no domain can hold")
    return mapped.lower()


def _literal(domain: str) -> str:
    body = domain[1:-1]
    try:
        if body[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(body[5:])}]"
        return f"[{ipaddress.IPv4Address(body)}]"
    except ValueError:
        raise _refused(domain, "holds no IP address between its square brackets") from None


def _refused(text: str, why: str, remedy: str = "") -> InvalidInput:
    return InvalidInput(f"{_shown(text)} {why}", where="address", remedy=remedy)


def _shown(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…")
