"""How mail systems name who did not get a mail, as tables: in lines of their own, in sentences, in sessions.

Gaps are bounded, so that no text takes more than linear time.
"""

from __future__ import annotations

import re

from resonanz.mail.reports.addresses import ADDRESS

_LEAD = r"[\s>*•·\-–#|=]{0,12}(?:\d{1,3}[.)]\s{1,4})?"
_OPEN = r"[<\"'“‘\[(]{0,3}(?:(?:smtp|mailto|rfc822)\s?[:=;]\s?)?<?"

# qmail's own line, also where the words around it were replaced: `<user@example.org>:`.
QMAIL = re.compile(rf"^<(?P<address>{ADDRESS})>:\s*$")

# A line of its own: `<user@example.org>: said no`, `user@example.org`, `"user@example.org":`, `* user@example.org`.
LISTED = re.compile(rf"^{_LEAD}{_OPEN}(?P<address>{ADDRESS})(?P<rest>.*)$")

# `Name <user@example.org>`, `Name (user@example.org)`.
LISTED_NAME = re.compile(
    rf"^{_LEAD}[\"']?[^\W\d_][^\n<>@:;()]{{0,60}}[\"']?\s{{0,3}}[<(](?:mailto:)?(?P<address>{ADDRESS})[>)]\W{{0,12}}$",
    re.MULTILINE,
)

# In a sentence. The text is on one line here.
NAMED: tuple[re.Pattern[str], ...] = tuple(
    re.compile(
        pattern.replace("ADDRESS", rf"[<\"'\[(«]{{0,3}}(?:(?:smtp|mailto|rfc822)\s?[:=;]\s?)?<?(?P<address>{ADDRESS})"),
        re.IGNORECASE,
    )
    for pattern in (
        # labels: IMail, MailEnable, LSMTP, HotPOP, ezweb, Notes, X.400
        r"\b(?:failed|intended|undeliverable|invalid|bad|unknown|failing|rejected)[ _-](?:final delivery )?"
        r"(?:recipients?|address(?:es)?|user(?:id)?|mailbox)(?: address)?\s?[:=]\s{0,8}ADDRESS",
        r"\berror-for:\s{0,8}ADDRESS",
        r"\bdda:smtp=ADDRESS",
        r"\breceiver not found:\s{0,4}ADDRESS",
        r"\bexceeds allowed size:\s{0,4}ADDRESS",
        r"\bdestination address\s?:\s{0,4}ADDRESS",
        r"\bduplicated message-id in ADDRESS",
        r"\breturned permanent errors:\s{0,4}ADDRESS",
        r"\b(?:status|error)\b.{0,40}\baddress\s?:\s{0,4}ADDRESS",
        r"\bmessage was addressed,\s{0,4}ADDRESS",
        r"\boriginal address:\s{0,8}ADDRESS",
        r"\b(?:recipient|addressee|addressed to|empf[äa]e?nger|destinataire|destinatario|destinatário"
        r"|geadresseerde|получатель"
        r"|收件人|受信者|あて先|宛先)(?:s|\(s\))?(?: address)?\s?[:：]\s{0,8}ADDRESS",
        r"\brecipient address\s?:\s{0,8}ADDRESS",
        # sentences
        r"\b(?:deliver|delivering|delivered|deliver (?:your|this|the|following)? ?(?:mail|message|e-?mail)"
        r"|reach|sent)"
        r"(?: (?:your|this|the|following))?(?: (?:mail|message|e-?mail))? to:?(?: the following (?:recipients?"
        r"|address(?:es)?)"
        r"(?:\(s\)|\(es\))?)?:?(?: local user)?\s{0,8}ADDRESS",
        r"\bundeliverable:?\s{1,4}(?:to\s{1,4})?ADDRESS",
        r"\b(?:message|mail|e-?mail)s?,? (?:sent |addressed |destined |delivery )?(?:to|for):?\s{1,4}ADDRESS",
        r"\b(?:nachricht|message|courriel|mensaje|mensagem|messaggio|bericht|meddelande\w{0,2}|meddelelse|besked|письмо"
        r"|wiadomość) (?:an|à|a|para|per|aan|till|til|для|do):?\s{1,4}ADDRESS",
        r"\bto (?:this|the following|email|the) (?:e-?mail )?address(?:es)?\s?(?:\(es\))?\s?:?[\s\-]{0,8}ADDRESS",
        r"\bdelivery failed \d{1,4} attempts:\s{0,4}ADDRESS",
        r"\breach the following recipients?(?:\(s\))?:\s{0,4}ADDRESS",
        r"\b(?:mailbox is full|over ?quota|quota violation for|quota exceeded for|mailbox full)[:\s]{0,4}ADDRESS",
        r"\b(?:mailbox|user|account|recipient|address|alias|utilisateur|adresse|benutzer)\s{1,2}ADDRESS",
        r"^\W{0,8}ADDRESS\W{0,4}\s?-\s(?:no such|user|unknown|mailbox)",
        r"\bbeen delivered to:?\s{1,4}ADDRESS",
        r"\bdelivered .{0,40}, ADDRESS",
        r"\b(?:an|à|a|para|aan|do|na adres|для|til|till)\s?:?\s{1,4}ADDRESS.{0,60}(?:nicht|pas|no |non |não"
        r"|niet|nie|не|ikke|inte)",
        r"\b(?:nicht|pas|no|non|n[ãa]o|niet|nie|не|ikke|inte)\b.{0,60}\b(?:an|à|a|al|para|aan|bij|naar|do|для|по адресу"
        r"|получателю|til|till):?\s{1,4}ADDRESS",
        r"(?:给|給|至|到|收件人)\s{0,4}ADDRESS",
        r"ADDRESS\s?(?:へ|に|宛|は|에게|으로).{0,60}(?:できま|不明|存在し|見つかり|失敗|없)",
        r"ADDRESS (?:adresine|adresi|alıcısına)",
        r"ADDRESS (?:bestaat niet|existiert nicht|ist unbekannt|no existe|n.existe pas|não existe|non esiste"
        r"|не найден)",
    )
)

# Only when nothing else names anybody: whom an alias stood for.
STOOD_FOR = re.compile(
    rf"\(?(?:generated from|originally addressed to|was addressed to"
    rf"|expanded from:?)\s{{1,4}}<?(?P<address>{ADDRESS})",
    re.IGNORECASE,
)

# In the header of our mail as some systems repeat it.
WRITTEN_TO = re.compile(
    rf"^\W{{0,6}}(?:to|rcpt to|an|à|para|宛先)\s?[:：]\s{{0,8}}<?(?P<address>{ADDRESS})>?\W{{0,6}}$", re.IGNORECASE
)

# A session written out: what was said to the other server, and what it answered.
SESSION = re.compile(rf"(?:^|[>»\s])RCPT TO:\s?<?(?P<address>{ADDRESS})>?", re.IGNORECASE)
REPLIED = re.compile(
    rf"(?m)^\s{{0,4}}[245]\d\d[ -](?:[245]\.\d{{1,3}}\.\d{{1,3}} )?<?(?P<address>{ADDRESS})>?\.{{2,3}} "
)

# A line that holds an address and, behind it, the other server's reply (SendGrid).
REFUSED = re.compile(rf"<(?P<address>{ADDRESS})>\s?: .{{0,120}}\b[45]\d\d[ -]")

# The other server's reply, quoted amid much advice for people. The text is on one line here.
QUOTED_REPLY = re.compile(
    r"(?:remote server returned|other server returned was|response (?:from the remote server )?was"
    r"|remote (?:server|host) (?:said|replied)|error message below|server message|generated response)\s?:?\s?['\"]?"
    r"(?P<reply>[245]\d\d[ -].{1,600})",
    re.IGNORECASE,
)

# Sieve and Dovecot refuse in their own words, above whatever fields they write.
REJECTED_BECAUSE = re.compile(
    r"was automatically rejected:\s{0,8}(?P<reason>[^\n]{1,400}(?:\n[^\n]{1,400}){0,4})", re.IGNORECASE
)

# Lines whose addresses are somebody to turn to, or the sender's, never a recipient.
ASIDE = re.compile(
    r"^\W{0,6}to\s?:|contact|assistance|\bhelp\b|support|please (?:send|reply|forward|write)|\bquestions?\b"
    r"|reply to|\bask\b|customer service"
    r"|mail from|sender|envelope-from|^\W{0,6}(?:from|de|von|da|van|from address|reply-to|cc|message-id|subject"
    r"|sent|date|date/time)"
    r"\s?[:：]|(?:\bnot|\bisn.t) from|accepting (?:any )?mail from|\bvia\b.{0,40}, to|(?:your|the) (?:message"
    r"|mail) (?:from|id)"
    r"|kontakt|wenden sie|contacter|contacte|連絡|お問い?合",
    re.IGNORECASE,
)
