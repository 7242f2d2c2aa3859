"""Reports in languages other than English and in the words of more systems, and mails that only sound like reports.

Written for these tests after the shapes that those systems use: sender, subject, text, and what must be read.
"""

from tests.mail.report_texts import GRACE, RETURNED, Text

GOOGLE = "Mail Delivery Subsystem <mailer-daemon@mail.example>"
FAILED, LATE = "Delivery Status Notification (Failure)", "Delivery Status Notification (Delay)"

MORE_TEXTS = (
    Text("gmail de", GOOGLE, FAILED, f"""
        ** Adresse nicht gefunden **

        Ihre Nachricht wurde nicht an {GRACE} zugestellt, weil die Adresse nicht gefunden wurde oder keine
        E-Mails empfangen kann.

        Die Antwort lautete:
        550 5.1.1 The email account that you tried to reach does not exist.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail fr", GOOGLE, FAILED, f"""
        ** Adresse introuvable **

        Votre message n'est pas parvenu à {GRACE}, car l'adresse est introuvable ou ne peut pas recevoir de
        messages.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail es", GOOGLE, FAILED, f"""
        ** No se ha encontrado la dirección **

        Tu mensaje no se ha entregado a {GRACE} porque no se ha encontrado la dirección o esta no puede
        recibir correo.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail it", GOOGLE, FAILED, f"""
        ** Indirizzo non trovato **

        Il tuo messaggio non è stato recapitato a {GRACE} perché l'indirizzo non è stato trovato o non può
        ricevere posta.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail pt", GOOGLE, FAILED, f"""
        ** Endereço não encontrado **

        Sua mensagem não foi entregue a {GRACE} porque o endereço não foi encontrado ou não pode receber
        e-mails.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail nl", GOOGLE, FAILED, f"""
        ** Adres niet gevonden **

        Je bericht is niet bezorgd bij {GRACE} omdat het adres niet kan worden gevonden of geen e-mail kan
        ontvangen.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail pl", GOOGLE, FAILED, f"""
        ** Nie znaleziono adresu **

        Twoja wiadomość nie została dostarczona do {GRACE}, ponieważ nie znaleziono adresu lub nie może on
        odbierać poczty.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail ru", GOOGLE, FAILED, f"""
        ** Адрес не найден **

        Письмо не доставлено получателю {GRACE}, так как адрес не найден или не может принимать почту.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail ja", GOOGLE, FAILED, f"""
        ** アドレス不明 **

        {GRACE} にメールを配信できませんでした。アドレスが見つからないか、このアドレスではメールを受信できません。
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail tr", GOOGLE, FAILED, f"""
        ** Adres bulunamadı **

        İletiniz {GRACE} adresine teslim edilemedi, çünkü adres bulunamadı veya e-posta alamıyor.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail sv", GOOGLE, FAILED, f"""
        ** Adressen hittades inte **

        Meddelandet levererades inte till {GRACE} eftersom adressen inte hittades eller inte kan ta emot
        e-post.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail da", GOOGLE, FAILED, f"""
        ** Adressen blev ikke fundet **

        Din besked blev ikke leveret til {GRACE}, fordi adressen ikke blev fundet eller ikke kan modtage
        mail.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail zh", GOOGLE, FAILED, f"""
        ** 找不到地址 **

        系统未能将您的邮件传送给 {GRACE}，因为系统找不到该地址，或该地址无法接收邮件。
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("gmail full de", GOOGLE, FAILED, f"""
        ** Postfach des Empfängers voll **

        Ihre Nachricht konnte nicht an {GRACE} zugestellt werden. Das Postfach ist voll oder erhält derzeit
        zu viele Nachrichten.
        """, "bounce", {GRACE: ("soft", "rate_limited")}),
    Text("m365 de", "Microsoft Outlook <postmaster@rcpt.example>", "Unzustellbar: Protokoll", f"""
        Ihre Nachricht an {GRACE} konnte nicht zugestellt werden.

        grace wurde unter rcpt.example nicht gefunden.

        news    Office 365    grace
        Aktion erforderlich                Empfänger
        Unbekannte An-Adresse
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("m365 fr", "Microsoft Outlook <postmaster@rcpt.example>", "Non remis : Procès-verbal", f"""
        Impossible de remettre votre message à {GRACE}.

        grace est introuvable sur rcpt.example.

        Action requise
        Adresse À inconnue
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("m365 es", "Microsoft Outlook <postmaster@rcpt.example>", "No se puede entregar: Acta", f"""
        El mensaje para {GRACE} no se pudo entregar.

        No se encontró a grace en rcpt.example.

        Dirección de Para desconocida
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("m365 it", "Microsoft Outlook <postmaster@rcpt.example>", "Non recapitabile: Verbale", f"""
        Impossibile recapitare il messaggio a {GRACE}.

        grace non è stato trovato in rcpt.example.
        Indirizzo A sconosciuto
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("m365 ja", "Microsoft Outlook <postmaster@rcpt.example>", "配信不能: 議事録", f"""
        {GRACE} へのメッセージを配信できませんでした。

        grace は rcpt.example で見つかりませんでした。
        宛先アドレスが不明です
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("exchange de old", "Systemadministrator <postmaster@rcpt.example>", "Unzustellbar: Protokoll", f"""
        Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.

              Betreff:  Protokoll
              Gesendet am:  04.05.2026 12:00

        Folgende(r) Empfänger kann/können nicht erreicht werden:

              '{GRACE}' am 04.05.2026 12:01
                    Das E-Mail-Konto ist in der Organisation nicht vorhanden, an die diese Nachricht
                    gesendet wurde. Überprüfen Sie die E-Mail-Adresse.
                    <mx.rcpt.example #5.1.1>
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("groupwise", "Mailer-Daemon@rcpt.example", "Message status - undeliverable", f"""
        The message that you sent was undeliverable to the following:
                grace (user not found)

        Possibly truncated original message follows:

{RETURNED}
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("imail", "Postmaster <postmaster@rcpt.example>", "Undeliverable Mail", f"""
        unknown user: <{GRACE}>

        Original message follows.

{RETURNED}
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("mailenable", "Mail Delivery System <postmaster@rcpt.example>", "Message Delivery Failure", f"""
        Message Delivery Failure - Mailbox is over quota

        This message could not be delivered to the recipient: {GRACE}

        The mailbox has exceeded its quota.

        Message headers follow:

{RETURNED}
        """, "bounce", {GRACE: ("soft", "mailbox_full")}),
    Text("hmail", "mailer-daemon@rcpt.example", "Message undeliverable: Minutes", f"""
        Your message did not reach some or all of the intended recipients.

           Sent: Mon, 4 May 2026 12:00:00 +0000
           Subject: Minutes

        The following recipient(s) could not be reached:

        {GRACE}
           Error Type: SMTP
           Remote server (192.0.2.7) issued an error.
           hMailServer sent: RCPT TO:<{GRACE}>
           Remote server replied: 550 Unknown user

        hMailServer
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("mdaemon", "MDaemon@rcpt.example", "Permanent Delivery Failure", f"""
        The attached message had PERMANENT fatal delivery errors!

        After one or more unsuccessful delivery attempts the attached message has
        been removed from the mail queue on this server.

        YOUR MESSAGE WAS NOT DELIVERED TO ONE OR MORE RECIPIENTS!

        Failed address: {GRACE}

        --- Session Transcript ---
         Mon 2026-05-04 12:00:00: --> RCPT To:<{GRACE}>
         Mon 2026-05-04 12:00:00: <-- 550 5.1.1 User unknown
        --- End Transcript ---
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("kerio", "MAILER-DAEMON@rcpt.example", "Undeliverable Mail: Minutes", f"""
        Hello,

        this is the mail server on mx.rcpt.example.

        I am sending you this message to inform you on the delivery status of a
        message you previously sent.  Immediately below you will find a list of
        the affected recipients;  also attached is a Delivery Status Notification
        (DSN) report in standard format, as well as the headers of the original message.

          <{GRACE}>  delivery failed; will not continue trying
              550 5.1.1 No such account
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("smartermail", "System Administrator <postmaster@rcpt.example>", "Delivery Failure", f"""
        Could not deliver message to the following recipient(s):

        Failed Recipient: {GRACE}
        Reason: Remote host said: 550 No such user here

           -- The header and top 20 lines of the message follows --

{RETURNED}
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("axigen", "Mail Delivery Subsystem <mailer-daemon@rcpt.example>", FAILED, f"""
        The following message to <{GRACE}> was undeliverable.
        The reason for the problem:
        5.1.0 - Unknown address error 550-'5.1.1 User unknown'
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("zimbra/amavis", "\"Content-filter at mx.rcpt.example\" <postmaster@rcpt.example>",
         "Undeliverable mail, MTA-BLOCKED", f"""
        This nondelivery report was generated by the program amavisd-new at host
        mx.rcpt.example. Our internal reference code for your message is 01234-01/abc

          The message WAS NOT relayed to:
        <{GRACE}>:
           550 5.1.1 id=01234 - Rejected by next-hop MTA: 550 5.1.1 user unknown
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("yandex ru", "mailer-daemon@yandex.example", "Недоставленное сообщение", f"""
        Это письмо отправлено почтовым сервером yandex.example.

        К сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может
        быть отправлено одному или нескольким адресатам.

                           Почтовая система
        <{GRACE}>: host mx.rcpt.example[192.0.2.7] said: 550 5.7.1 No such user!
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("mailru", "mailer-daemon@corp.mail.example", "Mail failure.", f"""
        Это письмо создано автоматически сервером.
        К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:

        **********************

        {GRACE}
            Ящик переполнен: превышена квота

        **********************
        """, "bounce", {GRACE: ("soft", "mailbox_full")}),
    Text("qq zh", "PostMaster@qq.example", "系统退信/Systems bounce", f"""
        抱歉，您的邮件被退回来了……

        原邮件信息：
        时 间 2026-05-04 12:00:00
        主 题 Minutes
        收件人 {GRACE}

        退信原因：
        收件人邮件地址（{GRACE}）不存在，邮件无法送达。
        host mx.rcpt.example[192.0.2.7] said: 550 Mailbox not found.
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("163 zh", "Postmaster@163.example", "系统退信", f"""
        您好，您的邮件被退回，原因如下：

        收件人：
        {GRACE}

        退信原因：
        SMTP error, RCPT TO: Host mx.rcpt.example(192.0.2.7) said 552 收件人邮箱已满
        """, "bounce", {GRACE: ("soft", "mailbox_full")}),
    Text("docomo", "mail delivery subsystem <mailer-daemon@docomo.example>", "Returned mail: User unknown", f"""
        The user(s) account is unknown.

           ----- Transcript of session follows -----
        ... while talking to mfsmax.docomo.example.:
        >>> RCPT To:<{GRACE}>
        <<< 550 Unknown user {GRACE}
        550 5.1.1 <{GRACE}>... User unknown
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("orange fr", "Mail Delivery System <mailer-daemon@mwinf.example>", "Echec de remise / Undelivered mail", f"""
        Ce message vous informe que votre courriel n'a pas pu être délivré au destinataire suivant :

        <{GRACE}>: 552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417
        """, "bounce", {GRACE: ("soft", "mailbox_full")}),
    Text("free fr", "MAILER-DAEMON@free.example", "failure notice", f"""
        Bonjour,
        Ce message a été envoyé par le système de messagerie de free.example.
        Votre message n'a pu être remis aux adresses suivantes.

        <{GRACE}>:
        550 5.1.1 Utilisateur inconnu
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("tonline de", "Mail Delivery System <mailer-daemon@tonline.example>",
         "Nachricht nicht zustellbar / Undelivered Mail", f"""
        Ihre E-Mail an den folgenden Empfänger konnte nicht zugestellt werden:

        {GRACE}
        Unbekannter Empfänger (unknown user)
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("italy", "MAILER-DAEMON@rcpt.example", "Mancata consegna del messaggio", f"""
        Il messaggio inviato non è stato consegnato ai seguenti destinatari:

        <{GRACE}>: casella piena (552 quota superata)
        """, "bounce", {GRACE: ("soft", "mailbox_full")}),
    Text("brazil uol", "Mail Delivery System <mailer-daemon@uol.example>", "Mensagem devolvida - Undelivered Mail", f"""
        Sua mensagem não pôde ser entregue ao destinatário abaixo:

        <{GRACE}>: caixa postal inexistente
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("dutch", "Mail Delivery System <MAILER-DAEMON@rcpt.example>", "Onbestelbaar: Notulen", f"""
        Uw bericht aan de volgende ontvanger kon niet worden afgeleverd:

        {GRACE}
           Onbekende gebruiker
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("proofpoint", "Mail Delivery System <MAILER-DAEMON@ppe.example>", "Undeliverable: Minutes", f"""
        Your message could not be delivered to the following recipients:

        {GRACE}

        The error that the other server returned was:
        550 5.1.1 <{GRACE}>: Recipient address rejected: User unknown
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("mimecast", "postmaster@rcpt.example", "[Postmaster] Email Delivery Failure", f"""
        This is a delivery failure notification message indicating that an email you addressed to email
        address :
        -- {GRACE}

        could not be delivered. The problem appears to be :
        -- Recipient email server rejected the message

        Additional information follows :
        -- 5.1.1 User unknown

        This condition occurred after 1 attempt(s) to deliver over a period of 0 hour(s).
        """, "bounce", {GRACE: ("hard", "unknown_mailbox")}),
    Text("ironport", "Mail Delivery System <MAILER-DAEMON@esa.example>", FAILED, f"""
        The following message to <{GRACE}> was undeliverable.
        The reason for the problem:
        5.4.7 - Delivery expired (message too old) 'timeout'
        """, "bounce", {GRACE: ("soft", "expired")}),
    Text("delay exim de", "Mail Delivery System <Mailer-Daemon@mx.rcpt.example>",
         "Warnung: Nachricht 1abc-0 seit 24 Stunden verzögert", f"""
        Diese Nachricht wurde automatisch von einem Mailserver erzeugt.

        Ihre Nachricht konnte nach mehr als 24 Stunden noch nicht an alle Empfänger zugestellt werden:

          {GRACE}
            Verzögerungsgrund: Verbindung abgelehnt

        Sie müssen nichts tun. Es wird weiter versucht, die Nachricht zuzustellen.
        """, "delay", {GRACE: ("delayed", "network")}),
    Text("delay gmail fr", GOOGLE, LATE, f"""
        ** Distribution incomplète **

        Un problème temporaire est survenu lors de la remise de votre message à {GRACE}. Gmail effectuera de
        nouvelles tentatives pendant 46 heures.
        """, "delay", {GRACE: ("delayed", "system")}),
    Text("delay postfix", "MAILER-DAEMON@mx.rcpt.example (Mail Delivery System)",
         "Delayed Mail (still being retried)", f"""
        This is the mail system at host mx.rcpt.example.

        ####################################################################
        # THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
        ####################################################################

        Your message could not be delivered for more than 4 hour(s).
        It will be retried until it is 5 day(s) old.

        <{GRACE}>: connect to mx.rcpt.example[192.0.2.7]:25: Connection timed out
        """, "delay", {GRACE: ("delayed", "network")}),
)  # fmt: skip

# Sender, subject, further headers, text: nobody is suppressed by any of them.
HARMLESS = (
    ("System Administrator <postmaster@sender.example>", "Your mailbox is almost full", "", """
        Your mailbox news@sender.example has reached 95% of its quota of 1 GB.
        Please delete messages, or you will not be able to receive mail.
        """),
    ("Microsoft Outlook <postmaster@sender.example>", "Your mailbox is full", "", """
        Your mailbox can no longer send or receive messages. The mailbox size limit was exceeded. Mail will
        be returned to sender: mailbox full.

        user: grace@rcpt.example
        """),
    ("noreply-dmarc-support@google.example", "Report domain: sender.example Submitter: google.com Report-ID: 123",
         "", """
        This is an aggregate report from google.com.
        """),
    ("\"Grace\" <grace-confirm+1.abc@rcpt.example>", "Please confirm your message",
         "Auto-Submitted: auto-replied\n", """
        This message was created automatically by mail delivery software (TMDA).

        Your message attached below is being held because the address <news@sender.example> has not been
        verified.

        To release your message for delivery, please send an empty message to the following address:
        grace-confirm@rcpt.example
        """),
    ("grace@rcpt.example", "Message to grace@rcpt.example, action required", "X-Boxbe-Auto: 1\n", """
        Your message about "Minutes" was waitlisted. Please add yourself to my guest list so your messages
        will be delivered to my inbox.
        """),
    ("grace@rcpt.example", "Re: Minutes (verification required)", "In-Reply-To: <7@sender.example>\n", """
        Hello, grace is protected by Spam Arrest. Click the link below to verify yourself; your message will
        then be delivered.
        """),
    ("list-request@lists.example", "Users Digest, Vol 12, Issue 3",
         "List-Id: <users.lists.example>\nPrecedence: list\n", """
        Send Users mailing list submissions to users@lists.example

        Today's Topics:
           1. Bounces (Ada)

        ----
        Message: 1
        From: Ada

        I get these:
        <grace@rcpt.example>: 550 5.1.1 user unknown
        Mail could not be delivered to one or more recipients.
        """),
    ("Grace <grace@rcpt.example>", "Re: Minutes", "In-Reply-To: <7@sender.example>\n", """
        Hi, I got this when I answered you, any idea?

        > <ivan@rcpt.example>: 550 5.1.1 user unknown
        > could not be delivered
        """),
    ("Grace <grace@rcpt.example>", "Fwd: Undelivered Mail Returned to Sender", "", """
        FYI

        ---------- Forwarded message ---------
        From: Mail Delivery System <MAILER-DAEMON@mx.example>
        Subject: Undelivered Mail Returned to Sender
        To: grace@rcpt.example

        Your message could not be delivered to one or more recipients.

        <ivan@rcpt.example>: 550 5.1.1 user unknown
        """),
    ("Grace <grace@rcpt.example>", "mail delivery problem", "", """
        Hello, your last message to ivan@rcpt.example could not be delivered: user unknown. What is his new
        address?
        """),
    ("Support <support@rcpt.example>", "[Ticket#12] Your request has been received",
         "Auto-Submitted: auto-generated\n", """
        Thanks. If delivery failed or your user is unknown please call.
        """),
    ("Grace <grace@rcpt.example>", "Automatic reply: Minutes", "Auto-Submitted: auto-replied\n", """
        I am no longer with the company. This mailbox does not exist any more; please write to
        ivan@rcpt.example.
        """),
    ("Postmaster <postmaster@rcpt.example>", "Automatic reply: Minutes",
         "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All\n", """
        Grace is no longer with the company. Please write to ivan@rcpt.example.
        """),
    ("AntiVirus <antivirus@rcpt.example>", "VIRUS FOUND in message you sent", "", """
        Our virus scanner found W32/Klez in a message from you to grace@rcpt.example. The message was not
        delivered.
        """),
    ("postmaster@sender.example", "Spam Notification: 3 new messages", "", """
        These messages are in your quarantine:

        From: ivan@rcpt.example Subject: user unknown
        """),
    ("users-request@lists.example", "confirm 1234abcd", "Precedence: bulk\n", """
        Mailing list subscription confirmation notice for mailing list Users. To confirm, reply.
        """),
    ("mailman-bounces@lists.example", "Bounce action notification",
         "Precedence: bulk\nList-Id: <mailman.lists.example>\n", """
        This is a Mailman mailing list bounce action notice:

            List:       Users
            Member:     grace@rcpt.example
            Action:     Subscription disabled.
            Reason:     Excessive or fatal bounces.
        """),
    ("Grace <grace@rcpt.example>", "Respuesta automática: Acta", "", """
        Estoy de vacaciones. El buzón está lleno de trabajo.
        """),
    ("\"Grace\" <grace@rcpt.example>", "Out of Office: Minutes", "Return-Path: <>\nAuto-Submitted: auto-replied\n", """
        I am away. Your mail has not been delivered to my substitute.
        """),
    ("postmaster@rcpt.example", "Email authentication report for sender.example", "", """
        Messages from sender.example failed DMARC. No user is unknown.
        """),
    ("postmaster@rcpt.example", "Delivery receipt: Minutes", "", """
        Your message was delivered to the following recipients:

        grace@rcpt.example
        """),
    ("Grace <grace@rcpt.example>", "Read: Minutes", "", """
        Your message To: grace Subject: Minutes was read on 4 May 2026.
        """),
    ("Grace <grace@rcpt.example>", "My address has changed", "", """
        Please use grace@new.example from now on, the old one is no longer in use.
        """),
    ("Mail Administrator <admin@sender.example>", "Your password has expired", "", """
        The account grace@rcpt.example is disabled. Mail will be rejected, user unknown.
        """),
)  # fmt: skip
