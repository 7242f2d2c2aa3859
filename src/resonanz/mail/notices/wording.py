"""What notices say to people, in their language: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
    until: str
    suppressed: Said
    meanings: Mapping[Reason, Said]

    def text(self, notice: Notice) -> str:
        """Return the words of a notice, in lines of moderate length."""
        action = notice.fates[0].action
        blocks = [self.beginnings[action], *(self._about(fate) for fate in notice.fates), self.next[action]]
        if notice.retry_until is not None:
            blocks[-1] += " " + self.until.format(_moment(notice.retry_until))
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


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


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
    until="It is given up at {}.",
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
        "relayed": "Weitergegeben",
    },
    beginnings={
        "failed": "Ihre E-Mail konnte nicht zugestellt werden.",
        "delayed": "Ihre E-Mail konnte noch nicht zugestellt werden.",
        "delivered": "Ihre E-Mail ist zugestellt worden.",
        "relayed": "Ihre E-Mail ist an einen Server weitergegeben worden, der über die Zustellung nicht berichtet.",
    },
    next={
        "failed": "Es wird nicht noch einmal versucht.",
        "delayed": "Sie müssen nichts tun: Es wird weiter versucht.",
        "delivered": "Sie erhalten diese Nachricht, weil Ihr Mailprogramm darum gebeten hat.",
        "relayed": "Sie erhalten diese Nachricht, weil Ihr Mailprogramm darum gebeten hat.",
    },
    recipient="An:",
    why="Grund:",
    advice="Was Sie tun können:",
    said="Der empfangende Server sagte:",
    until="Aufgegeben wird am {}.",
    suppressed=(
        "Diese Adresse steht auf der Sperrliste dieser Instanz; die E-Mail wurde deshalb nicht gesendet.",
        "Wer die Instanz betreibt, kann den Grund nennen und die Adresse von der Liste nehmen.",
    ),
    meanings={
        Reason.UNKNOWN_MAILBOX: ("Niemand hat diese Adresse.", "Suchen Sie nach einem Tippfehler."),
        Reason.UNKNOWN_DOMAIN: ("Den Teil hinter dem @ gibt es nicht.", "Suchen Sie nach einem Tippfehler."),
        Reason.MOVED: ("Das Postfach wurde zugunsten eines anderen aufgegeben.", "Fragen Sie nach der neuen Adresse."),
        Reason.NO_MAIL_ACCEPTED: ("Diese Domain nimmt keine E-Mail an.", "Erreichen Sie die Person auf anderem Weg."),
        Reason.MAILBOX_FULL: ("Das Postfach ist voll.", "Versuchen Sie es in einigen Tagen noch einmal."),
        Reason.MAILBOX_DISABLED: ("Das Konto ist gesperrt oder inaktiv.", "Versuchen Sie es später noch einmal."),
        Reason.FILTERED: (
            "Die eigenen Einstellungen des Empfängers weisen diese E-Mail ab.",
            "Erreichen Sie die Person auf anderem Weg.",
        ),
        Reason.TOO_LARGE: ("Die E-Mail ist größer, als der Empfänger annimmt.", "Senden Sie eine kleinere E-Mail."),
        Reason.CONTENT: ("Ein Filter nahm am Inhalt Anstoß.", "Ändern Sie Wortlaut, Links oder Anhänge."),
        Reason.AUTHENTICATION: (
            "SPF, DKIM, DMARC oder der Reverse-DNS-Eintrag des sendenden Servers stimmen nicht.",
            "Lassen Sie die DNS-Einträge Ihrer Absenderdomain prüfen.",
        ),
        Reason.REPUTATION: (
            "Der sendende Server oder seine Domain hat einen schlechten Ruf.",
            "Wer Ihren Server betreibt, sollte die in der Antwort genannte Liste prüfen.",
        ),
        Reason.RATE_LIMITED: ("Der Empfänger nimmt nicht so viele E-Mails auf einmal an.", "Senden Sie langsamer."),
        Reason.SENDER_REFUSED: (
            "Der Empfänger nimmt von dieser Absenderadresse nichts an.",
            "Prüfen Sie Ihre Absenderadresse und den Server für ausgehende E-Mail.",
        ),
        Reason.POLICY: ("Eine Regel des Empfängers spricht gegen diese E-Mail.", "Lesen Sie die Antwort des Servers."),
        Reason.NETWORK: (
            "Der Server des Empfängers war nicht zu erreichen.",
            "Nichts; prüfen Sie die Domain, wenn es anhält.",
        ),
        Reason.SYSTEM: ("Das System des Empfängers ist gestört.", "Versuchen Sie es später noch einmal."),
        Reason.EXPIRED: ("Es wurde versucht, bis die Zeit um war.", "Versuchen Sie es später noch einmal."),
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
        "relayed": "Votre message a été transmis à un serveur qui ne signale pas la remise.",
    },
    next={
        "failed": "Il n'y aura pas d'autre tentative.",
        "delayed": "Vous n'avez rien à faire : d'autres tentatives suivront.",
        "delivered": "Vous recevez cet avis parce que votre logiciel de messagerie l'a demandé.",
        "relayed": "Vous recevez cet avis parce que votre logiciel de messagerie l'a demandé.",
    },
    recipient="À :",
    why="Raison :",
    advice="Que faire :",
    said="Le serveur du destinataire a répondu :",
    until="L'envoi sera abandonné le {}.",
    suppressed=(
        "Cette adresse figure sur la liste de suppression de cette instance ; le message n'a pas été envoyé.",
        "La personne qui gère l'instance peut en dire la raison et retirer l'adresse de la liste.",
    ),
    meanings={
        Reason.UNKNOWN_MAILBOX: ("Personne n'a cette adresse.", "Cherchez une faute de frappe."),
        Reason.UNKNOWN_DOMAIN: ("La partie après le @ n'existe pas.", "Cherchez une faute de frappe."),
        Reason.MOVED: ("La boîte a été abandonnée pour une autre.", "Demandez la nouvelle adresse."),
        Reason.NO_MAIL_ACCEPTED: ("Ce domaine ne reçoit pas de courrier.", "Contactez la personne autrement."),
        Reason.MAILBOX_FULL: ("La boîte est pleine.", "Réessayez dans quelques jours."),
        Reason.MAILBOX_DISABLED: ("Le compte est suspendu ou inactif.", "Réessayez plus tard."),
        Reason.FILTERED: (
            "Les réglages du destinataire refusent ce message.",
            "Contactez la personne autrement.",
        ),
        Reason.TOO_LARGE: ("Le message est plus grand que ce que le destinataire accepte.", "Réduisez sa taille."),
        Reason.CONTENT: ("Un filtre a refusé le contenu.", "Modifiez le texte, les liens ou les pièces jointes."),
        Reason.AUTHENTICATION: (
            "SPF, DKIM, DMARC ou le DNS inverse du serveur d'envoi ne sont pas en ordre.",
            "Faites vérifier les enregistrements DNS de votre domaine.",
        ),
        Reason.REPUTATION: (
            "Le serveur d'envoi ou son domaine a mauvaise réputation.",
            "La personne qui gère votre serveur devrait consulter la liste citée dans la réponse.",
        ),
        Reason.RATE_LIMITED: ("Le destinataire accepte moins de messages à la fois.", "Envoyez plus lentement."),
        Reason.SENDER_REFUSED: (
            "Le destinataire n'accepte rien de cette adresse d'expéditeur.",
            "Vérifiez votre adresse et votre serveur d'envoi.",
        ),
        Reason.POLICY: ("Une règle du destinataire s'oppose à ce message.", "Lisez la réponse du serveur."),
        Reason.NETWORK: (
            "Le serveur du destinataire était injoignable.",
            "Rien ; vérifiez le domaine si cela dure.",
        ),
        Reason.SYSTEM: ("Le système du destinataire est en panne.", "Réessayez plus tard."),
        Reason.EXPIRED: ("Les tentatives ont duré jusqu'au délai prévu.", "Réessayez plus tard."),
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
        "relayed": "Su mensaje se ha transmitido a un servidor que no informa de la entrega.",
    },
    next={
        "failed": "No se volverá a intentar.",
        "delayed": "No tiene que hacer nada: se volverá a intentar.",
        "delivered": "Recibe este aviso porque su programa de correo lo pidió.",
        "relayed": "Recibe este aviso porque su programa de correo lo pidió.",
    },
    recipient="Para:",
    why="Motivo:",
    advice="Qué hacer:",
    said="El servidor del destinatario respondió:",
    until="Se abandonará el {}.",
    suppressed=(
        "Esta dirección está en la lista de supresión de esta instancia; el mensaje no se envió.",
        "Quien administra la instancia puede decir el motivo y quitar la dirección de la lista.",
    ),
    meanings={
        Reason.UNKNOWN_MAILBOX: ("Nadie tiene esta dirección.", "Busque un error al teclearla."),
        Reason.UNKNOWN_DOMAIN: ("La parte detrás de la @ no existe.", "Busque un error al teclearla."),
        Reason.MOVED: ("El buzón se abandonó por otro.", "Pregunte por la nueva dirección."),
        Reason.NO_MAIL_ACCEPTED: ("Este dominio no recibe correo.", "Contacte con la persona por otra vía."),
        Reason.MAILBOX_FULL: ("El buzón está lleno.", "Inténtelo de nuevo dentro de unos días."),
        Reason.MAILBOX_DISABLED: ("La cuenta está suspendida o inactiva.", "Inténtelo más tarde."),
        Reason.FILTERED: (
            "Los ajustes del destinatario rechazan este mensaje.",
            "Contacte con la persona por otra vía.",
        ),
        Reason.TOO_LARGE: ("El mensaje es mayor de lo que acepta el destinatario.", "Envíe un mensaje más pequeño."),
        Reason.CONTENT: ("Un filtro rechazó el contenido.", "Cambie el texto, los enlaces o los adjuntos."),
        Reason.AUTHENTICATION: (
            "SPF, DKIM, DMARC o el DNS inverso del servidor de envío no están en orden.",
            "Haga revisar los registros DNS de su dominio.",
        ),
        Reason.REPUTATION: (
            "El servidor de envío o su dominio tiene mala reputación.",
            "Quien administra su servidor debería consultar la lista citada en la respuesta.",
        ),
        Reason.RATE_LIMITED: ("El destinatario acepta menos mensajes a la vez.", "Envíe más despacio."),
        Reason.SENDER_REFUSED: (
            "El destinatario no acepta nada de esta dirección de remitente.",
            "Revise su dirección y su servidor de salida.",
        ),
        Reason.POLICY: ("Una regla del destinatario se opone a este mensaje.", "Lea la respuesta del servidor."),
        Reason.NETWORK: (
            "No se pudo contactar con el servidor del destinatario.",
            "Nada; revise el dominio si continúa.",
        ),
        Reason.SYSTEM: ("El sistema del destinatario tiene problemas.", "Inténtelo más tarde."),
        Reason.EXPIRED: ("Se intentó hasta agotar el plazo.", "Inténtelo más tarde."),
        Reason.UNSPECIFIED: ("La respuesta no da ningún motivo conocido.", "Lea la respuesta del servidor."),
    },
)

_WORDS = {words.language: words for words in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH)}
