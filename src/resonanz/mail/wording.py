"""Telling a foreign unsubscribe or preference link by its address or its text, in the languages mail is written in.

Such a link must work even when the tracking host is down, and a click on it is not interest; so when in doubt it counts
as one.
"""

from __future__ import annotations

import re

MAX_TEXT = 120

_UNSUBSCRIBE_ADDRESS = re.compile(
    r"un-?_?subscri|unsub(?![a-z])|opt-?_?out|list-?unsub|abmeld|abbestell|austragen|d[eé]sinscri|d[eé]sabonn"
    r"|uitschrij|afmeld|disiscri|cancella-?iscri|darse-?_?de-?_?baja|cancelar-?_?(?:suscri|inscri|assinatura|subscri)"
    r"|descadastr|avregistrer|avprenumer|afmeld|framelding|meld-?av|wypisz|rezygnuj|otpis|odhlasit|leiratkoz"
    r"|remove-?_?me(?![a-z])|stop-?_?e?mails?(?![a-z])",
    re.IGNORECASE,
)
_UNSUBSCRIBE_TEXT = re.compile(
    r"\bunsubscri|\bopt[ -]?out\b|\babmeld|\babbestell|\baustragen\b|\bd[eé]sinscri|\bd[eé]sabonn|\buitschrijv"
    r"|\bafmelden\b|\bdisiscri|\bannulla(?:re)? l['’]iscrizione|\bdarse de baja|\bcancelar (?:la |tu |su |mi |a )?"
    r"(?:suscripci|inscri|assinatura|subscri)|\bdescadastr|\bavregistrer|\bavprenumer|\bafmeld|\bmeld (?:deg )?av\b"
    r"|\bwypisz|\brezygnuj|\bzrezygnuj|\botpis|\bodhl[aá]sit|\bleiratkoz|\bperuuta tilaus|\bdezabon|отпис|отказаться от"
    r"|відпис|配信(?:停止|解除)|購読解除|退会|退订|退訂|取消订阅|取消訂閱"
    r"|수신\s?거부|구독\s?취소|إلغاء الاشتراك|ביטול הרשמה"
    r"|\bstop receiving\b|\bremove me\b|\baboneliğ|\bhủy đăng ký|\bberhenti berlangganan|ยกเลิก",
    re.IGNORECASE,
)
_PREFERENCES_ADDRESS = re.compile(
    r"(?:e-?_?mail|mail|notification|subscription|communication|contact|newsletter|subscriber|update|manage|edit)s?"
    r"[-_/]?(?:preference|setting)|preference-?_?cent(?:er|re)|(?:manage|update|edit)[-_/]?(?:subscription|profile)"
    r"|subscription-?_?cent(?:er|re)|/preferences?(?:[/?#]|\Z)|newsletter-?einstellung|update_profile",
    re.IGNORECASE,
)
_PREFERENCES_TEXT = re.compile(
    r"\b(?:e-?mail|mailing|notification|subscription|communication|contact|newsletter)s? (?:preference|setting)s?\b"
    r"|\b(?:manage|update|change|edit|adjust|set) (?:your |my |the )?(?:e-?mail |notification |subscription "
    r"|newsletter |communication |contact )?(?:preference|subscription|setting|profile)s?\b"
    r"|\A\W*(?:your )?preferences\W*\Z"
    r"|\bpreference cent(?:er|re)\b|\b(?:e-?mail|newsletter|abo|benachrichtigungs)-?einstellung|\babonnement verwalten"
    r"|\bprofil (?:ändern|bearbeiten)|\bpr[eé]f[eé]rences (?:e-?mail|de communication)|\bg[eé]rer (?:vos|mes) "
    r"(?:pr[eé]f[eé]rences|abonnements)|\bgestionar (?:sus|tus|mis) (?:preferencias|suscripciones)|\bpreferencias de "
    r"(?:correo|e-?mail)|\bgestisci (?:le )?(?:tue )?preferenze|\bvoorkeuren (?:wijzigen|aanpassen)"
    r"|настро(?:ить|йки) рассыл",
    re.IGNORECASE,
)


def is_unsubscribe(url: str, text: str) -> bool:
    """Tell whether a link leads out of a mailing list."""
    return bool(_UNSUBSCRIBE_ADDRESS.search(url) or (len(text) <= MAX_TEXT and _UNSUBSCRIBE_TEXT.search(text)))


def is_preferences(url: str, text: str) -> bool:
    """Tell whether a link leads to the settings of a mailing list."""
    return bool(_PREFERENCES_ADDRESS.search(url) or (len(text) <= MAX_TEXT and _PREFERENCES_TEXT.search(text)))
