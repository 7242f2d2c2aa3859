"""What notices say to people, in their language: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resonanz.mail.refusals import MEANINGS, Reason

if TYPE_CHECKING:
    from resonanz.mail.notices.composing import Fate, Notice

Said = tuple[str, str]  # what it means, and what to do


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a notice says in one language. By action: `subjects` and `beginnings`, and what happens `next`."""

    language: str
    system: str
    subjects: Mapping[str, str]
    beginnings: Mapping[str, str]
    next: Mapping[str, str]
    recipient: str
    why: str
    advice: str
    said: str
    until: str  # with the moment as `moment` writes it (strftime)
    moment: str
    suppressed: Said
    meanings: Mapping[Reason, Said]

    def text(self, notice: Notice) -> str:
        """Return the words of a notice, in lines of moderate length."""
        action = notice.fates[0].action
        blocks = [self.beginnings[action], *(self._about(fate) for fate in notice.fates), self.next[action]]
        if notice.retry_until is not None:
            blocks[-1] += " " + self.until.format(notice.retry_until.strftime(self.moment))
        return "\n\n".join(blocks) + "\n"

    def _about(self, fate: Fate) -> str:
        lines = [f"  {self.recipient} {fate.recipient}"]
        found = self.suppressed if fate.suppressed else self.meanings[fate.reason] if fate.reason else None
        if found is not None:
            meaning, advice = found
            lines += [f"  {self.why} {meaning}", f"  {self.advice} {advice}"]
            if fate.said and not fate.suppressed:
                lines.append(f"  {self.said} {' '.join(fate.said.split())}")
        return "\n".join(lines)


def words_in(language: str) -> Words:
    """Return the words of a language, given as a tag of RFC 5646; English where there are none."""
    return _WORDS.get(language.partition("-")[0].lower(), _ENGLISH)


def language_of(*wishes: str) -> str:
    """Return the first language in these wishes (tags, or values of Accept-Language) that notices are written in."""
    for wish in wishes:
        for part in wish.split(","):
            tag = part.partition(";")[0].strip().partition("-")[0].lower()
            if tag in _WORDS:
                return tag
    return _ENGLISH.language


_ENGLISH = Words(
    language="en",
    system="Mail Delivery System",
    subjects={
        "failed": "Not delivered",
        "delayed": "Not delivered yet",
        "delivered": "Delivered",
        "relayed": "Handed on",
    },
    beginnings={
        "failed": "Your mail could not be delivered.",
        "delayed": "Your mail could not be delivered yet.",
        "delivered": "Your mail has been delivered.",
        "relayed": "Your mail has been handed on to a server that does not report whether it is delivered.",
    },
    next={
        "failed": "It will not be tried again.",
        "delayed": "There is nothing you need to do: it will be tried again.",
        "delivered": "You get this notice because your mail program asked for it.",
        "relayed": "You get this notice because your mail program asked for it.",
    },
    recipient="To:",
    why="Why:",
    advice="What to do:",
    said="The receiving server said:",
    until="Attempts end on {}.",
    moment="%Y-%m-%d at %H:%M UTC",
    suppressed=(
        "This address is on the suppression list of this instance, so the mail was not sent.",
        "Whoever runs the instance can tell why, and take the address off the list.",
    ),
    meanings={reason: (meaning.meaning, meaning.advice) for reason, meaning in MEANINGS.items()},
)

_GERMAN = Words(
    language="de",
    system="Mail Delivery System",
    subjects={
        "failed": "Nicht zugestellt",
        "delayed": "Noch nicht zugestellt",
        "delivered": "Zugestellt",
        "relayed": "Weitergeleitet",
    },
    beginnings={
        "failed": "Ihre E-Mail konnte nicht zugestellt werden.",
        "delayed": "Ihre E-Mail konnte noch nicht zugestellt werden.",
        "delivered": "Ihre E-Mail ist zugestellt worden.",
        "relayed": "Ihre E-Mail ist an einen Server weitergeleitet worden, der nicht meldet, ob er sie zustellt.",
    },
    next={
        "failed": "Es werden keine weiteren Zustellversuche unternommen.",
        "delayed": "Sie müssen nichts tun: Die Zustellung wird weiter versucht.",
        "delivered": "Sie erhalten diese Nachricht, weil Ihr Mailprogramm darum gebeten hat.",
        "relayed": "Sie erhalten diese Nachricht, weil Ihr Mailprogramm darum gebeten hat.",
    },
    recipient="An:",
    why="Grund:",
    advice="Was Sie tun können:",
    said="Antwort des empfangenden Servers:",
    until="Die Versuche enden am {}.",
    moment="%d.%m.%Y um %H:%M Uhr (UTC)",
    suppressed=(
        "Diese Adresse steht auf der Sperrliste dieser Instanz; die E-Mail wurde deshalb nicht gesendet.",
        "Wer die Instanz betreibt, kann den Grund nennen und die Adresse von der Liste nehmen.",
    ),
    meanings={
        Reason.UNKNOWN_MAILBOX: ("Diese Adresse gibt es nicht.", "Prüfen Sie die Adresse auf Tippfehler."),
        Reason.UNKNOWN_DOMAIN: ("Den Teil hinter dem @ gibt es nicht.", "Prüfen Sie die Adresse auf Tippfehler."),
        Reason.MOVED: ("Dieses Postfach wird nicht mehr benutzt.", "Fragen Sie die Person nach ihrer neuen Adresse."),
        Reason.NO_MAIL_ACCEPTED: (
            "Diese Domain nimmt keine E-Mails an.",
            "Wenden Sie sich auf anderem Weg an die Person.",
        ),
        Reason.MAILBOX_FULL: ("Das Postfach ist voll.", "Versuchen Sie es in einigen Tagen noch einmal."),
        Reason.MAILBOX_DISABLED: ("Das Konto ist gesperrt oder inaktiv.", "Versuchen Sie es später noch einmal."),
        Reason.FILTERED: (
            "Die Einstellungen des Empfängers lassen diese E-Mail nicht zu.",
            "Wenden Sie sich auf anderem Weg an die Person.",
        ),
        Reason.TOO_LARGE: ("Die E-Mail ist größer, als der Empfänger zulässt.", "Senden Sie eine kleinere E-Mail."),
        Reason.CONTENT: ("Ein Filter hat den Inhalt beanstandet.", "Ändern Sie Wortlaut, Links oder Anhänge."),
        Reason.AUTHENTICATION: (
            "SPF, DKIM, DMARC oder der Reverse-DNS-Eintrag des sendenden Servers stimmen nicht.",
            "Lassen Sie die DNS-Einträge Ihrer Absenderdomain prüfen.",
        ),
        Reason.REPUTATION: (
            "Der sendende Server oder seine Domain ist gesperrt oder hat einen schlechten Ruf.",
            "Wer Ihren Server betreibt, sollte die in der Antwort genannte Liste prüfen.",
        ),
        Reason.RATE_LIMITED: (
            "Der Empfänger nimmt nicht so viele E-Mails auf einmal an.",
            "Senden Sie in größeren Abständen.",
        ),
        Reason.SENDER_REFUSED: (
            "Der Empfänger nimmt von dieser Absenderadresse nichts an.",
            "Prüfen Sie Ihre Absenderadresse und den Server für ausgehende E-Mail.",
        ),
        Reason.POLICY: (
            "Eine Regel des Empfängers steht dieser E-Mail entgegen.",
            "Lesen Sie die Antwort des Servers.",
        ),
        Reason.NETWORK: (
            "Der Server des Empfängers war nicht zu erreichen.",
            "Vorerst nichts; prüfen Sie die Domain, wenn das Problem anhält.",
        ),
        Reason.SYSTEM: ("Das System des Empfängers hat eine Störung.", "Versuchen Sie es später noch einmal."),
        Reason.EXPIRED: ("Die Frist für Zustellversuche ist abgelaufen.", "Versuchen Sie es später noch einmal."),
        Reason.UNSPECIFIED: ("Die Antwort nennt keinen bekannten Grund.", "Lesen Sie die Antwort des Servers."),
    },
)

_FRENCH = Words(
    language="fr",
    system="Mail Delivery System",
    subjects={
        "failed": "Non remis",
        "delayed": "Pas encore remis",
        "delivered": "Remis",
        "relayed": "Transmis",
    },
    beginnings={
        "failed": "Votre message n'a pas pu être remis.",
        "delayed": "Votre message n'a pas encore pu être remis.",
        "delivered": "Votre message a été remis.",
        "relayed": "Votre message a été transmis à un serveur qui n'indique pas s'il le remet.",
    },
    next={
        "failed": "Il n'y aura pas d'autre tentative.",
        "delayed": "Vous n'avez rien à faire : d'autres tentatives suivront.",
        "delivered": "Vous recevez cet avis parce que votre logiciel de messagerie l'a demandé.",
        "relayed": "Vous recevez cet avis parce que votre logiciel de messagerie l'a demandé.",
    },
    recipient="À :",
    why="Motif :",
    advice="Que faire :",
    said="Le serveur du destinataire a répondu :",
    until="Elles prendront fin le {}.",
    moment="%d/%m/%Y à %H:%M UTC",
    suppressed=(
        "Cette adresse figure sur la liste de suppression de cette instance ; le message n'a pas été envoyé.",
        "La personne qui gère l'instance peut vous en indiquer le motif et retirer l'adresse de la liste.",
    ),
    meanings={
        Reason.UNKNOWN_MAILBOX: ("Cette adresse n'existe pas.", "Vérifiez qu'elle ne contient pas de faute de frappe."),
        Reason.UNKNOWN_DOMAIN: (
            "La partie après le @ n'existe pas.",
            "Vérifiez qu'elle ne contient pas de faute de frappe.",
        ),
        Reason.MOVED: ("Cette boîte aux lettres n'est plus utilisée.", "Demandez à la personne sa nouvelle adresse."),
        Reason.NO_MAIL_ACCEPTED: ("Ce domaine n'accepte pas de courrier.", "Contactez la personne par un autre moyen."),
        Reason.MAILBOX_FULL: ("La boîte aux lettres est pleine.", "Réessayez dans quelques jours."),
        Reason.MAILBOX_DISABLED: ("Le compte est suspendu ou inactif.", "Réessayez plus tard."),
        Reason.FILTERED: (
            "Les paramètres du destinataire bloquent ce message.",
            "Contactez la personne par un autre moyen.",
        ),
        Reason.TOO_LARGE: ("Le message dépasse la taille que le destinataire accepte.", "Réduisez sa taille."),
        Reason.CONTENT: ("Un filtre a refusé le contenu.", "Modifiez le texte, les liens ou les pièces jointes."),
        Reason.AUTHENTICATION: (
            "SPF, DKIM, DMARC ou le DNS inverse du serveur d'envoi ne sont pas correctement configurés.",
            "Faites vérifier les enregistrements DNS de votre domaine.",
        ),
        Reason.REPUTATION: (
            "Le serveur d'envoi ou son domaine est bloqué ou a mauvaise réputation.",
            "La personne qui gère votre serveur devrait consulter la liste citée dans la réponse.",
        ),
        Reason.RATE_LIMITED: ("Le destinataire n'accepte pas autant de messages à la fois.", "Espacez vos envois."),
        Reason.SENDER_REFUSED: (
            "Le destinataire n'accepte aucun message de cette adresse d'expéditeur.",
            "Vérifiez votre adresse et votre serveur d'envoi.",
        ),
        Reason.POLICY: ("Une règle du destinataire s'oppose à ce message.", "Lisez la réponse du serveur."),
        Reason.NETWORK: (
            "Le serveur du destinataire était injoignable.",
            "Rien pour l'instant ; vérifiez le domaine si le problème persiste.",
        ),
        Reason.SYSTEM: ("Le système du destinataire est en panne.", "Réessayez plus tard."),
        Reason.EXPIRED: ("Le délai prévu pour la remise a expiré.", "Réessayez plus tard."),
        Reason.UNSPECIFIED: ("La réponse ne donne aucune raison connue.", "Lisez la réponse du serveur."),
    },
)

_SPANISH = Words(
    language="es",
    system="Mail Delivery System",
    subjects={
        "failed": "No entregado",
        "delayed": "Aún no entregado",
        "delivered": "Entregado",
        "relayed": "Transmitido",
    },
    beginnings={
        "failed": "No se pudo entregar su mensaje.",
        "delayed": "Aún no se ha podido entregar su mensaje.",
        "delivered": "Su mensaje ha sido entregado.",
        "relayed": "Su mensaje se ha transmitido a un servidor que no informa de si lo entrega.",
    },
    next={
        "failed": "No se volverá a intentar.",
        "delayed": "No tiene que hacer nada: se volverá a intentar.",
        "delivered": "Recibe este aviso porque su programa de correo lo solicitó.",
        "relayed": "Recibe este aviso porque su programa de correo lo solicitó.",
    },
    recipient="Para:",
    why="Motivo:",
    advice="Qué hacer:",
    said="El servidor del destinatario respondió:",
    until="Los intentos terminarán el {}.",
    moment="%d/%m/%Y a las %H:%M UTC",
    suppressed=(
        "Esta dirección está en la lista de supresión de esta instancia; el mensaje no se envió.",
        "Quien administra la instancia puede indicarle el motivo y quitar la dirección de la lista.",
    ),
    meanings={
        Reason.UNKNOWN_MAILBOX: ("Esta dirección no existe.", "Compruebe que esté bien escrita."),
        Reason.UNKNOWN_DOMAIN: ("La parte que sigue a la @ no existe.", "Compruebe que esté bien escrita."),
        Reason.MOVED: ("Este buzón ya no se usa.", "Pregunte a la persona por su nueva dirección."),
        Reason.NO_MAIL_ACCEPTED: ("Este dominio no acepta correo.", "Contacte con la persona por otra vía."),
        Reason.MAILBOX_FULL: ("El buzón está lleno.", "Inténtelo de nuevo dentro de unos días."),
        Reason.MAILBOX_DISABLED: ("La cuenta está suspendida o inactiva.", "Inténtelo más tarde."),
        Reason.FILTERED: (
            "La configuración del destinatario rechaza este mensaje.",
            "Contacte con la persona por otra vía.",
        ),
        Reason.TOO_LARGE: ("El mensaje supera el tamaño que acepta el destinatario.", "Envíe un mensaje más pequeño."),
        Reason.CONTENT: ("Un filtro rechazó el contenido.", "Cambie el texto, los enlaces o los adjuntos."),
        Reason.AUTHENTICATION: (
            "SPF, DKIM, DMARC o el DNS inverso del servidor de envío no están bien configurados.",
            "Haga revisar los registros DNS de su dominio.",
        ),
        Reason.REPUTATION: (
            "El servidor de envío o su dominio está bloqueado o tiene mala reputación.",
            "Quien administra su servidor debería consultar la lista citada en la respuesta.",
        ),
        Reason.RATE_LIMITED: ("El destinatario no acepta tantos mensajes a la vez.", "Espacie los envíos."),
        Reason.SENDER_REFUSED: (
            "El destinatario no acepta mensajes de esta dirección de remitente.",
            "Revise su dirección y su servidor de salida.",
        ),
        Reason.POLICY: ("Una regla del destinatario se opone a este mensaje.", "Lea la respuesta del servidor."),
        Reason.NETWORK: (
            "No se pudo contactar con el servidor del destinatario.",
            "Por ahora nada; compruebe el dominio si el problema continúa.",
        ),
        Reason.SYSTEM: ("El sistema del destinatario tiene problemas.", "Inténtelo más tarde."),
        Reason.EXPIRED: ("Ha vencido el plazo para la entrega.", "Inténtelo más tarde."),
        Reason.UNSPECIFIED: ("La respuesta no da ningún motivo conocido.", "Lea la respuesta del servidor."),
    },
)

_WORDS = {words.language: words for words in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH)}
