"""Telling a foreign unsubscribe or preference link by its address or its text, in the languages mail is written in.

Such a link must work even when the tracking host is down, and a click on it is not interest; so when in doubt it counts
as one. Stems come first, because they are cheap to ask of every link; what needs its neighbours is an expression.
"""

from __future__ import annotations

import re

MAX_TEXT = 120

# Stems in addresses; hyphens and underscores are taken out before.
_UNSUBSCRIBE_ADDRESS = (
    "unsubscri", "optout", "listunsub", "abmeld", "abbestell", "austragen", "desinscri", "désinscri", "desabonn",
    "désabonn", "uitschrij", "afmeld", "disiscri", "cancellaiscri", "darsedebaja", "cancelarsuscri", "cancelarinscri",
    "cancelarassinatura", "cancelarsubscri", "descadastr", "avregistrer", "avprenumer", "framelding", "meldav",
    "wypisz", "rezygnuj", "odhlasit", "leiratkoz", "stopemail",
)  # fmt: skip
_SHORT_UNSUBSCRIBE_ADDRESS = re.compile(r"(?<![a-z])(?:unsub|remove-?_?me|otpis)(?![a-z])")
_UNSUBSCRIBE_TEXT = (
    "unsubscri", "opt out", "opt-out", "abmelde", "abbestell", "austragen", "désinscri", "desinscri", "désabonn",
    "desabonn", "uitschrijv", "afmeld", "disiscri", "annulla l'iscrizione", "annulla iscrizione", "darse de baja",
    "dar de baja", "cancelar suscripci", "cancelar la suscripci", "cancelar tu suscripci", "cancelar su suscripci",
    "cancelar inscri", "cancelar a inscri", "cancelar assinatura", "cancelar a assinatura", "cancelar subscri",
    "cancelar a subscri", "descadastr", "avregistrer", "avprenumer", "meld av", "meld deg av", "wypisz", "rezygnuj",
    "odhlásit", "odhlasit", "leiratkoz", "peruuta tilaus", "dezabon", "отпис", "отказаться от", "відпис", "配信停止",
    "配信解除", "購読解除", "退会", "退订", "退訂", "取消订阅", "取消訂閱", "수신거부", "수신 거부", "구독취소",
    "구독 취소", "إلغاء الاشتراك", "ביטול הרשמה", "stop receiving", "remove me", "aboneliğ", "hủy đăng ký",
    "berhenti berlangganan", "ยกเลิก",
)  # fmt: skip
_PREFERENCES_STEMS = (
    "preference", "setting", "subscription", "profil", "einstellung", "abonnement", "préférence", "preferenc",
    "suscripci", "preferenz", "voorkeur", "рассыл",
)  # fmt: skip
_PREFERENCES_ADDRESS = re.compile(
    r"(?:e-?_?mail|mail|notification|subscription|communication|contact|newsletter|subscriber|update|manage|edit)s?"
    r"[-_/]?(?:preference|setting)|preference-?_?cent(?:er|re)|(?:manage|update|edit)[-_/]?(?:subscription|profile)"
    r"|subscription-?_?cent(?:er|re)|/preferences?(?:[/?#]|\Z)|newsletter-?einstellung"
)
_PREFERENCES_TEXT = re.compile(
    r"\b(?:e-?mail|mailing|notification|subscription|communication|contact|newsletter)s? (?:preference|setting)s?\b"
    r"|\b(?:manage|update|change|edit|adjust|set) (?:your |my |the )?(?:e-?mail |notification |subscription "
    r"|newsletter |communication |contact )?(?:preference|subscription|setting|profile)s?\b"
    r"|\A\W*(?:your )?preferences\W*\Z|\bpreference cent(?:er|re)\b|\babonnement verwalten"
    r"|\b(?:e-?mail|newsletter|abo|benachrichtigungs)-?einstellung|\bprofil (?:ändern|bearbeiten)"
    r"|\bpréférences (?:e-?mail|de communication)|\bgérer (?:vos|mes) (?:préférences|abonnements)"
    r"|\bgestionar (?:sus|tus|mis) (?:preferencias|suscripciones)|\bpreferencias de (?:correo|e-?mail)"
    r"|\bgestisci (?:le )?(?:tue )?preferenze|\bvoorkeuren (?:wijzigen|aanpassen)|настро(?:ить|йки) рассыл"
)


def is_unsubscribe(url: str, text: str) -> bool:
    """Tell whether a link leads out of a mailing list."""
    lowered = url.lower()
    squeezed = lowered.replace("-", "").replace("_", "")
    if _holds(squeezed, _UNSUBSCRIBE_ADDRESS) or _SHORT_UNSUBSCRIBE_ADDRESS.search(lowered):
        return True
    said = text.lower() if len(text) <= MAX_TEXT else ""
    return bool(said) and _holds(said, _UNSUBSCRIBE_TEXT)


def is_preferences(url: str, text: str) -> bool:
    """Tell whether a link leads to the settings of a mailing list."""
    return _matches(url.lower(), _PREFERENCES_ADDRESS) or (
        len(text) <= MAX_TEXT and _matches(text.lower(), _PREFERENCES_TEXT)
    )


def _matches(lowered: str, expression: re.Pattern[str]) -> bool:
    return _holds(lowered, _PREFERENCES_STEMS) and expression.search(lowered) is not None


def _holds(text: str, stems: tuple[str, ...]) -> bool:
    for stem in stems:  # noqa: SIM110  # half the time of any(), and every link passes here
        if stem in text:
            return True
    return False
