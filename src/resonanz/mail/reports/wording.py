"""How mail systems say what became of a mail, as tables. One row per wording, named after the systems that use it.

Patterns see text with LF line endings. Gaps are bounded, so that no text takes more than linear time.
"""

from __future__ import annotations

import re


def _any(*rows: tuple[str, str], flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """One pattern of many rows; the first of a row names who writes so."""
    return re.compile("|".join(f"(?:{pattern})" for _, pattern in rows), flags)


# ── Where the copy of our mail begins ───────────────────────────────────────────────────────────────────────────────

RETURNED = _any(
    ("Exim", r"^-{3,} ?this is a copy of (?:the|your) message.{0,60}$"),
    ("qmail and kin", r"^-{2,} ?below (?:this line|the next line) is (?:a copy of the|the) .{0,30}$"),
    ("Yahoo, X2, IMail", r"^(?:-{2,} ?)?original message (?:follows|headers? follow|as received).{0,20}$"),
    (
        "Gmail, sendmail 5",
        r"^ {0,6}-{3,} ?(?:original message|message header follows|unsent message (?:follows|below)).{0,20}$",
    ),
    ("DragonFly, MailEnable", r"^message headers follow.{0,4}$"),
    ("kundenserver, GMX", r"^-{2,} ?the header of the original message.{0,30}$"),
    ("MXLogic", r"^included is a copy of the message header.{0,4}$"),
    ("OpenSMTPD", r"^ {0,8}below is a copy of the original message.{0,4}$"),
    ("m-FILTER", r"^-{3,}original (?:message|mail info).{0,20}$"),
    ("Yahoo", r"^-{3,} forwarded message -{3,}$"),
    ("X.400 gateways", r"^the original message follows.{0,4}$"),
    ("demon", r"^-{2,} ?start of returned message.{0,8}$"),
    ("many", r"^-{2,} ?(?:returned (?:mail|message)|message text follows|unsent message below|message body).{0,30}$"),
    ("many", r"^\|-{3,} ?message text follows.{0,30}$"),
    ("many", r"^(?:-- )?the (?:first|header and top) \d{0,3} ?(?:lines )?.{0,30}follows?.{0,6}$"),
    ("many", r"^(?:a )?(?:copy|summary) of the (?:original|undelivered|rejected)? ?message.{0,40}$"),
    ("many", r"^your message reads \(in part\).{0,4}$"),
    ("GroupWise", r"^possibly truncated original message follows.{0,4}$"),
    ("JetMail", r"^-{2,} ?header of the source mail.{0,20}$"),
    ("hMailServer", r"^original message (?:details|headers).{0,4}$"),
    ("Spanish systems", r"^-{2,} ?mensaje original.{0,20}$"),
    ("Sina", r"^-{2,} ?附件中的内容.{0,30}$"),
    ("usa.net", r"^-{3,} ?returned mail follows.{0,20}$"),
    (
        "Outlook quoting",
        r"^-{3,} ?(?:original message|ursprüngliche nachricht|message d.origine|mensaje original) ?-{3,}$",
    ),
    flags=re.IGNORECASE | re.MULTILINE,
)

# Or, without a word, its first header lines.
RETURNED_HEADER = re.compile(
    r"^>? {0,6}(?:Received: ?(?:from|by|\(|for)|Return-Path: ?<|X-Received: |DKIM-Signature: "
    r"|Delivered-To: \S{1,200}@"
    r"|X-Originating-IP: |ARC-Seal: |X-Envelope-From: )",
    re.MULTILINE | re.IGNORECASE,
)

# ── What is a report at all ─────────────────────────────────────────────────────────────────────────────────────────

DAEMON = re.compile(
    r"mailer[-_. ]?daemon|mail[-_. ]?delivery|\bpost[-_]?master\b|mail[-_. ]?(?:system|administrator|admin\b|gateway)"
    r"|system administrator|mdaemon|delivery (?:sub)?system|mailer\b|mail error|jetmail|imss@|interscan"
    r"|antivirus_for_smtp"
    r"|bounce|smtp_mail_service|^\s*(?:\"[^\"]{0,80}\"\s*)?<>\s*$|ndr@|mail router|returned mail|mailadmin",
    re.IGNORECASE,
)

FAILED_SUBJECT = _any(
    (
        "English",
        r"undeliver(?:able|ed)|non-?deliver(?:y|able)|returned mail|failure notice|not delivered"
        r"|could not be delivered",
    ),
    (
        "English",
        r"deliver\w* (?:\w+ )?(?:failure|failed|problem|error|has failed|notification|status|report)"
        r"|delivery failure",
    ),
    (
        "English",
        r"mail (?:error|system error|delivery|failure|failed)|failed mail|failure delivery"
        r"|message delivery has failed",
    ),
    ("fml", r"^loop alert"),
    (
        "English",
        r"error sending your mail|rejected mail|mail processing error|processing error|notice: mail delivery"
        r"|your message .{0,80}(?:not|failed)",
    ),
    (
        "English",
        r"(?:message|mail|delivery) (?:delayed|warning|delay)|delayed mail|not yet (?:been )?delivered|user unknown",
    ),
    (
        "Exchange, Notes in German",
        r"unzustellbar|nicht zustellbar|nicht zugestellt|übermittlungsstatus|zustellung.{0,30}fehl",
    ),
    (
        "late, in many languages",
        r"verzögert|pas encore remis|retardé|retrasad|aún no entregad|ritardat|atrasad|vertraagd|försenad|forsinket"
        r"|opóźnion|задержан|遅延|延迟|延遲",
    ),
    ("in French", r"non remis|non distribu|échec (?:de la )?remise|non délivré|notification d.état de remise"),
    ("in Spanish", r"no se (?:puede|pudo|ha podido) entregar|no entregad|devuelto|error de entrega|no entregable"),
    ("in Italian", r"non recapitabile|mancato recapito|impossibile recapitare|recapito non riuscito"),
    ("in Portuguese", r"n[aã]o entreg|falha na entrega|n[aã]o é possível entregar|não foi possível entregar"),
    ("in Dutch", r"onbestelbaar|niet bezorgd|bezorging.{0,20}mislukt"),
    (
        "in Nordic languages",
        r"gick inte att leverera|kunne ikke leveres|kan ikke leveres|olevererbart|ei voitu toimittaa|uleverbar",
    ),
    ("in Polish, Czech, Hungarian", r"niedostarczon|nie można dostarczyć|nedoruč|kézbesíthetetlen|nem kézbesíthető"),
    ("in Russian", r"не доставлен|недоставлен|недоставка|не удалось доставить|сбой доставки"),
    ("in Turkish", r"teslim edilemedi|iletilemedi"),
    (
        "in Japanese",
        r"配信不能|未配信|不達|配信できま|送信できま|エラーメール|リターンメール|配送不能|送信エラー|配信状況",
    ),
    ("in Chinese", r"退信|未送达|无法投递|无法送达|投递失败|退回|無法傳遞|無法送達|未傳遞的郵件|发送失败"),
    ("in Korean", r"배달되지 않|배달할 수 없|반송|전송 실패"),
)

# Words that open the list of recipients, or say in themselves that a mail did not arrive.
ANNOUNCED = _any(
    ("Exim, MXLogic, kundenserver", r"following (?:address|recipient)(?:\(?(?:es|s)\)?)? ?(?:has |have )?failed"),
    (
        "Exim",
        r"address to which the message has not yet been delivered|not yet been delivered to (?:all"
        r"|the following|one)",
    ),
    ("sendmail", r"following addresses had (?:permanent|transient|delivery)|addresses? had (?:permanent|transient)"),
    (
        "sendmail 5",
        r"transcript of (?:the )?session|addresses have delivery (?:notifications|problems)"
        r"|could not send message for",
    ),
    ("fml", r"duplicated message-id in"),
    (
        "qmail",
        r"wasn.t able to deliver (?:your|the following) message|problem with the e-mail address"
        r"|was unable to deliver (?:your|the) message|unable to deliver",
    ),
    (
        "Postfix",
        r"could not be delivered(?: to| for)|be delivered to one or more|not be delivered to (?:the|one|your"
        r"|some|all)",
    ),
    (
        "many",
        r"(?:could|can|did|was|were|has|have)(?: ?not|n.t|not) (?:yet )?(?:been "
        r"|be )?(?:able to be )?(?:successfully )?(?:deliver"
        r"|receive|reach|sent)",
    ),
    (
        "many",
        r"delivery to the following recipients?(?:\(s\))? (?:has |have |was |were )?(?:failed|been delayed|aborted)",
    ),
    (
        "Exchange",
        r"did not reach (?:the following|some or all)|following recipient\(?s?\)? (?:cannot|could not"
        r"|can.t) be reached",
    ),
    (
        "Exchange Online",
        r"delivery has failed to th(?:ese|is)|couldn.t be delivered|wasn.t delivered to"
        r"|rejected your (?:message|e-?mail)",
    ),
    (
        "Gmail",
        r"delivery (?:to the following|incomplete|has been delayed)|address not found|message not delivered"
        r"|message blocked",
    ),
    ("AOL", r"unable to deliver your message to the following|not accepting mail from"),
    ("Courier", r"undeliverable mail|cannot be delivered"),
    (
        "ezweb",
        r"(?:following|each of the following) recipients? (?:was|were|did)|did not receive (?:this|your"
        r"|a copy of your) message",
    ),
    ("MAILsweeper, VOPmail", r"awaiting delivery|following recipient\(s\):|following message, addressed to"),
    ("DragonFly", r"error delivering your mail"),
    (
        "GroupWise, MailMarshal, Kerio",
        r"was undeliverable to|affected recipients|recipients? (?:was|were) affected|following recipients? (?:is|are)",
    ),
    ("Notes of old, CompuServe", r"failure reasons|receiver not found|electronic mail delivery notification"),
    ("Mercury, MDaemon", r"address\(es\) that failed|has failed delivery|did not receive a copy"),
    ("OpenSMTPD", r"error has occurred while attempting to deliver|following list of recipients"),
    ("Mercury, hMailServer", r"recipient\(s\) could not be reached|failed recipients?|failed addresses|error-for:"),
    ("Notes, X.400", r"was not delivered to|not delivered to|unable to deliver message|message not delivered"),
    (
        "IMail",
        r"delivery failed \d+ attempts|undeliverable +to|unknown user:|invalid final delivery userid"
        r"|user mailbox exceeds",
    ),
    (
        "many",
        r"failed to deliver|delivery (?:failed|failure)|failed permanently|non-delivery|undeliverable address"
        r"|delivery problems",
    ),
    (
        "many",
        r"(?:has|have|had) (?:been )?(?:encountered|postponed)|returned because|automatically rejected|bounced"
        r"|being returned",
    ),
    ("MessageLabs, Symantec", r"unable to deliver|mail delivery (?:agent|failed)|rejected (?:it|the message|your)"),
    ("James, Verizon", r"error: invalid user address|error message below|no valid recipients"),
    ("X6", r"trouble delivering your message|returned permanent errors"),
    (
        "in German",
        r"nicht (?:an .{0,40} )?(?:zugestellt|zustellbar|übermittelt|erreicht)"
        r"|fehler bei der (?:nachrichten)?zustellung"
        r"|unzustellbar",
    ),
    (
        "in French",
        r"n.a pas (?:pu|été) .{0,20}(?:deliv|délivr|remis|distribu)|échec de la remise|n.est pas parvenu"
        r"|pas pu etre delivre",
    ),
    (
        "in Spanish",
        r"no (?:se )?(?:pudo|ha podido|puede|pude) .{0,20}(?:entreg|enviar)|no (?:llegó|ha llegado) a"
        r"|no pudo ser entregado",
    ),
    (
        "in Italian",
        r"recapito non riuscito|non (?:è stato|può essere) (?:possibile )?(?:recapit|consegn)"
        r"|impossibile (?:recapit|consegn)",
    ),
    ("in Portuguese", r"n[aã]o (?:p[oô]de|pode|foi) .{0,24}(?:entreg|envia)|falha na entrega"),
    ("in Dutch", r"(?:bezorging|aflevering).{0,60}mislukt|niet (?:worden )?(?:bezorgd|afgeleverd)"),
    ("in Nordic languages", r"inte (?:att |kunde )?lever|ikke lever|kunne ikke leveres|ei voitu toimittaa"),
    (
        "in Polish, Czech",
        r"nie można dostarczyć|nie została dostarczona|nelze doručit|nebyla doručena|doručení .{0,40}selhalo",
    ),
    ("mail.ru, in Russian", r"не может быть доставлен|не (?:было|удалось) достав|невозможно доставить|не доставлено"),
    ("in Turkish", r"teslim edile(?:me|me)|iletilemedi"),
    (
        "in Japanese",
        r"配信(?:できま|に失敗|不能)|送信(?:できま|に失敗)|配送(?:できま|に失敗)|届け(?:られ|ることが)|受信者に到達|未配達",
    ),
    (
        "in Chinese",
        r"无法(?:发送|投递|送达|传递|正常接收)|未能(?:送达|传递)|投递失败|无法到达|無法(?:傳遞|送達|傳送)|发送失败|被退回",
    ),
    ("in Korean", r"배달(?:하지 못|되지|할 수 없)|전달되지 않|전송(?:하지 못|에 실패)"),
    ("Google Groups", r"group you tried to contact|groups\.google\.com/support"),
)

# It arrived, or was handed on.
SUCCEEDED = _any(
    (
        "Postfix",
        r"success(?:ful)?(?:ly)? (?:mail )?(?:deliver(?:ed|y)|delivery report)"
        r"|enclosed is the mail delivery report",
    ),
    (
        "Exchange",
        r"delivery (?:status )?(?:notification|report|receipt)? ?\(?:?\s?(?:success|relay|delivered)\b"
        r"|^(?:delivered|relayed):",
    ),
    (
        "many",
        r"delivery has been successful|(?:message|mail) (?:has been|was|is) (?:successfully )?(?:delivered"
        r"|relayed)\b(?! by)",
    ),
    (
        "in German, French",
        r"erfolgreich (?:zugestellt|übermittelt)|(?<!nicht )zugestellt:|remis avec succès"
        r"|(?<!non )(?<!encore )remis\s?:",
    ),
    (
        "in Spanish, Italian",
        r"entregado (?:con éxito|correctamente)|^entregado:|(?<!non )recapitato:|consegnato con successo",
    ),
)

# Still being tried.
LATE = _any(
    ("Exim", r"message .{0,60}delayed \d|has not yet been delivered|delay reason"),
    (
        "Postfix, Gmail",
        r"this is a warning only|warning message only|delayed mail|has been delayed|temporarily delayed",
    ),
    (
        "many",
        r"will (?:be|continue|keep) (?:retried|(?:to be )?(?:re)?try|trying|to (?:attempt|try))|will retry for"
        r"|is delayed\b",
    ),
    (
        "many",
        r"delivery attempts will continue|has been postponed|still (?:being|be) retried"
        r"|no action is required on your part",
    ),
    (
        "many",
        r"notification about a delay|\(delay\)|delivery (?:is |has been )?delay(?:ed)?\b|delivery incomplete"
        r"|awaiting delivery",
    ),
    ("many", r"just a warning|advisory-only|not yet (?:received|been delivered)|warning: (?:could not send|message)"),
    ("in German", r"verzöger|(?:wird|werden) weiter versucht"),
    ("in French", r"retardé|(?<!pas de )nouvelles tentatives|tentatives suivront"),
    ("in Spanish", r"retrasad|demorad|(?<!no )se (?:volverá a|seguirá) intenta|nuevos intentos"),
    ("in Italian, Portuguese", r"ritardat|nuovi tentativi|atrasad|novas tentativas|tentará novamente"),
    ("in Dutch, Nordic languages", r"vertraagd|opnieuw geprobeerd|försenad|försöker igen|forsinket|prøver igen"),
    ("in Polish, Turkish", r"opóźnion|kolejne próby|gecik|yeniden denen"),
    ("in Japanese, Chinese, Russian", r"遅延|延迟|延遲|задержк|задержан"),
)
GIVEN_UP = _any(
    (
        "many",
        r"given up|giving up|gave up|permanent(?:ly)? (?:error|fatal|fail)|failed permanently"
        r"|permanent failure",
    ),
    ("many", r"not going to try again|no further (?:delivery )?attempts|undeliverable|has been (?:returned|removed)"),
)
