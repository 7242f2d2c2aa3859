"""What a client asks to be told of its mail: the parameters of RFC 3461, taken out of MAIL and RCPT.

They are read here because their values must come back as they were written, and aiosmtpd folds the case of everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from resonanz.sending.drafts import ToBeTold, Wish

MAX_ENVELOPE_ID = 100  # RFC 3461 section 4.4
MAX_ORIGINAL_RECIPIENT = 500  # section 4.2

# The path may hold spaces and anything else within quotes; parameters stand behind it.
_PATH = re.compile(r'\s*(?:FROM|TO)\s*:\s*(?:<(?:"(?:[^"\\]|\\.)*"|[^">])*>|\S+)', re.IGNORECASE)
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")
_TYPE = re.compile(r"[A-Za-z0-9-]{1,60}")

_USUAL = Wish()


class BadParameter(Exception):
    """A parameter that is not as RFC 3461 has it; the text is for the answer."""


@dataclass(slots=True)
class Asked:
    """What is known of one transaction: RET (None where it was not given), ENVID, and one wish for each recipient."""

    whole: bool | None = None
    envelope_id: str = ""
    wishes: list[Wish] = field(default_factory=list)

    def to_be_told(self) -> ToBeTold:
        """Return it as it is handed in; what is as by default is left out."""
        wishes = tuple(self.wishes) if any(wish != _USUAL for wish in self.wishes) else ()
        return ToBeTold(bool(self.whole), self.envelope_id, wishes)


def take_mail_parameters(arg: str) -> tuple[str, Asked]:
    """Return MAIL's argument without RET and ENVID, and what they ask. Raises BadParameter."""
    rest, found = _take(arg, {"RET", "ENVID"})
    asked = Asked()
    if "RET" in found:
        if found["RET"].upper() not in ("FULL", "HDRS"):
            raise BadParameter("RET is FULL or HDRS")
        asked.whole = found["RET"].upper() == "FULL"
    if "ENVID" in found:
        if len(found["ENVID"]) > MAX_ENVELOPE_ID or not _is_xtext(found["ENVID"]):
            raise BadParameter("ENVID is no xtext")
        asked.envelope_id = found["ENVID"]
    return rest, asked


def take_rcpt_parameters(arg: str) -> tuple[str, Wish]:
    """Return RCPT's argument without NOTIFY and ORCPT, and what they ask. Raises BadParameter."""
    rest, found = _take(arg, {"NOTIFY", "ORCPT"})
    kind, _, address = found.get("ORCPT", "").partition(";")
    if "ORCPT" in found and not (
        len(found["ORCPT"]) <= MAX_ORIGINAL_RECIPIENT and _TYPE.fullmatch(kind) and _is_xtext(address)
    ):
        raise BadParameter("ORCPT is no type and xtext")
    original = found.get("ORCPT", "")
    if "NOTIFY" not in found:
        return rest, Wish(original_recipient=original)
    words = found["NOTIFY"].upper().split(",")
    if len({*words}) != len(words) or not ({*words} <= {"SUCCESS", "FAILURE", "DELAY"} or words == ["NEVER"]):
        raise BadParameter("NOTIFY is NEVER, or some of SUCCESS, FAILURE, DELAY")
    return rest, Wish("FAILURE" in words, "DELAY" in words, "SUCCESS" in words, original)


def _take(arg: str, names: set[str]) -> tuple[str, dict[str, str]]:
    """Split off the parameters with these names, each at most once."""
    path = _PATH.match(arg)
    end = path.end() if path else 0
    kept: list[str] = []
    found: dict[str, str] = {}
    for parameter in arg[end:].split():
        name, _, value = parameter.partition("=")
        if name.upper() not in names:
            kept.append(parameter)
        elif name.upper() in found:
            raise BadParameter(f"{name.upper()} was given twice")
        else:
            found[name.upper()] = value
    return " ".join([arg[:end], *kept]), found


def _is_xtext(text: str) -> bool:
    """Whether a text is xtext (RFC 3461 section 4) that stands for printable characters: it ends no line later on."""
    return _XTEXT.fullmatch(text) is not None and all(
        0x20 <= int(code, 16) <= 0x7E for code in re.findall(r"\+([0-9A-F]{2})", text)
    )
