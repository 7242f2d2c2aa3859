"""Reports in the words of many mail systems, written for these tests after the shapes those systems use.

One row each: who writes so, sender, subject, text, and what must be read: kind, and address with outcome and reason.
"""

from __future__ import annotations

from textwrap import dedent
from typing import NamedTuple

GRACE, IVAN = "grace@rcpt.example", "ivan@rcpt.example"


class Text(NamedTuple):
    """One report in words."""

    system: str
    sender: str
    subject: str
    body: str
    kind: str
    recipients: dict[str, tuple[str, str | None]]

    @property
    def message(self) -> bytes:
        """The report as a mail."""
        head = (
            f"From: {self.sender}\nTo: news@sender.example\nSubject: {self.subject}\n"
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        )
        return (head + dedent(self.body).lstrip("\n")).encode().replace(b"\n", b"\r\n")


RETURNED = """
        Received: from sender.example by mx.rcpt.example; Mon, 4 May 2026 12:00:00 +0000
        From: news@sender.example
        To: grace@rcpt.example
        Message-ID: <7@sender.example>
        Subject: Minutes
"""

UNKNOWN, FULL = ("hard", "unknown_mailbox"), ("soft", "mailbox_full")
DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.rcpt.example>"

TEXTS = (
    Text("qmail", "MAILER-DAEMON@mx.rcpt.example", "failure notice", f"""
        Hi. This is the qmail-send program at mx.rcpt.example.
        I'm afraid I wasn't able to deliver your message to the following addresses.
        This is a permanent error; I've given up. Sorry it didn't work out.

        <{GRACE}>:
        Sorry, no mailbox here by that name. (#5.1.1)

        <{IVAN}>:
        192.0.2.7 does not like recipient.
        Remote host said: 552 disk quota exceeded
        Giving up on 192.0.2.7.

        --- Below this line is a copy of the message.

        Return-Path: <news@sender.example>{RETURNED}
        """, "bounce", {GRACE: UNKNOWN, IVAN: FULL}),
    Text("qmail with other words around it", "postmaster@rcpt.example", "Delivery problem", f"""
        The person you wrote to is not with us. Please look at the address again.

        <{GRACE}>:
        Sorry, no mailbox here by that name. (#5.1.1)

        --- Below this line is a copy of the message.
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Exim", DAEMON, "Mail delivery failed: returning message to sender", f"""
        This message was created automatically by mail delivery software.

        A message that you sent could not be delivered to one or more of its
        recipients. This is a permanent error. The following address(es) failed:

          {GRACE}
            host mx.rcpt.example [192.0.2.7]
            SMTP error from remote mail server after RCPT TO:<{GRACE}>:
            550 5.1.1 <{GRACE}>: Recipient address rejected: User unknown
          {IVAN}
            mailbox is full: retry timeout exceeded

        ------ This is a copy of the message, including all the headers. ------
        {RETURNED}
        """, "bounce", {GRACE: UNKNOWN, IVAN: FULL}),
    Text("Exim, a late mail", DAEMON, "Warning: message 1AbCdE-000001-Aa delayed 24 hours", f"""
        A message that you sent has not yet been delivered to one or more of its
        recipients after more than 24 hours on the queue on mx.sender.example.

        The address to which the message has not yet been delivered is:

          {GRACE}
            Delay reason: connection timed out

        No action is required on your part. Delivery attempts will continue for
        some time.
        """, "delay", {GRACE: ("delayed", "network")}),
    Text("Exim, refused after the content", DAEMON, "Mail delivery failed: returning message to sender", f"""
        A message that you sent could not be delivered to one or more of its
        recipients. The following address(es) failed:

          {GRACE}
            SMTP error from remote mail server after end of data:
            host mx.rcpt.example [192.0.2.7]: 550 User unknown
        """, "bounce", {GRACE: ("soft", "filtered")}),
    Text("old Postfix", DAEMON, "Undelivered Mail Returned to Sender", f"""
        I'm sorry to have to inform you that the message returned
        below could not be delivered to one or more destinations.

        For further assistance, please contact <postmaster@mx.rcpt.example>

        <{GRACE}>: host mx.rcpt.example[192.0.2.7] said: 550 5.1.1 <{GRACE}>...
            User unknown (in reply to RCPT TO command)

        <{IVAN}>: host mx.rcpt.example[192.0.2.7] said: 554 5.7.1 Service unavailable;
            Client host [192.0.2.1] blocked using zen.spamhaus.org
        """, "bounce", {GRACE: UNKNOWN, IVAN: ("soft", "reputation")}),
    Text("sendmail 5", "Mail Delivery Subsystem <MAILER-DAEMON@mx.rcpt.example>", "Returned mail: User unknown", f"""
           ----- Transcript of session follows -----
        While talking to mx.rcpt.example:
        >>> RCPT To:<{GRACE}>
        <<< 550 <{GRACE}>... User unknown
        550 <{GRACE}>... User unknown
        While talking to mx.rcpt.example:
        >>> MAIL From:<news@sender.example>
        <<< 501 <news@sender.example>... no access from an open relay
        554 <{IVAN}>... Remote protocol error

           ----- Unsent message follows -----
        {RETURNED}
        """, "bounce", {GRACE: UNKNOWN, IVAN: ("soft", "reputation")}),
    Text("Gmail", "mailer-daemon@googlemail.com", "Delivery Status Notification (Failure)", f"""
        Delivery to the following recipient failed permanently:

             {GRACE}

        Technical details of permanent failure:
        The error that the other server returned was:
        550 550 5.1.1 no such user here (state 14).

        ----- Original message -----
        {RETURNED}
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Gmail, a late mail", "mailer-daemon@googlemail.com", "Delivery Status Notification (Delay)", f"""
        THIS IS A WARNING MESSAGE ONLY.

        YOU DO NOT NEED TO RESEND YOUR MESSAGE.

        Delivery to the following recipient has been delayed:

             {GRACE}

        Message will be retried for 2 more day(s)
        """, "delay", {GRACE: ("delayed", "unspecified")}),
    Text("Yahoo", "MAILER-DAEMON@yahoo.example", "Delivery failure", f"""
        Message from yahoo.example.
        Unable to deliver message to the following address(es).

        <{GRACE}>:
        This user doesn't have a yahoo.example account ({GRACE}) [0]

        <{IVAN}>:
        Sorry, your message to {IVAN} cannot be delivered.  This account is over quota.

        --- Original message follows.
        """, "bounce", {GRACE: UNKNOWN, IVAN: FULL}),
    Text("AOL, users without their domain", "MAILER-DAEMON@aol.example", "Mail Delivery Problem", """
        Your mail to the following recipients could not be delivered because they are not accepting mail from
        news@sender.example:

        \tgrace
        """, "bounce", {"grace@aol.example": ("soft", "sender_refused")}),
    Text("Exchange 5.5", "System Administrator <postmaster@rcpt.example>", "Undeliverable: Minutes", f"""
        Your message

          To:      someone@list.example
          Subject: Minutes
          Sent:    Mon, 4 May 2026 12:00:00 +0000

        did not reach the following recipient(s):

        c=US;a= ;p=Org;o=Site;dda:SMTP={GRACE}; on Mon, 4 May 2026
            The recipient name is not recognized
            MSEXCH:IMS:Org:SITE:SERVER 0 (000C05A6) Unknown Recipient
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Exchange Online in German", "Microsoft Outlook <postmaster@rcpt.example>", "Unzustellbar: Protokoll", f"""
        Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:

        Grace Hopper ({GRACE})
        Die eingegebene E-Mail-Adresse konnte nicht gefunden werden. Überprüfen Sie die Adresse.

        Diagnoseinformationen für Administratoren:
        Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Exchange in French", "postmaster@rcpt.example", "Non remis : Procès-verbal", f"""
        Échec de la remise à ces destinataires ou groupes :

        {GRACE}
        La boîte aux lettres du destinataire est pleine.
        """, "bounce", {GRACE: FULL}),
    Text("Exchange in Spanish", "postmaster@rcpt.example", "No se puede entregar: Acta", f"""
        No se pudo entregar a estos destinatarios o grupos:

        {GRACE}
        La dirección de correo que escribió no existe.
        """, "bounce", {GRACE: UNKNOWN}),
    Text("in Portuguese", "postmaster@rcpt.example", "Não entregue: Ata", f"""
        Falha na entrega a estes destinatários ou grupos:

        {GRACE}
        O endereço de email não foi encontrado: usuário desconhecido.
        """, "bounce", {GRACE: UNKNOWN}),
    Text("in Russian, as Mail.ru writes", "mailer-daemon@mail.example", "Ваше сообщение не доставлено", f"""
        К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:

          {GRACE}
            Такой пользователь не найден

        **********************
        """, "bounce", {GRACE: UNKNOWN}),
    Text("in Japanese", "postmaster@rcpt.example", "メールを配信できませんでした", f"""
        次のあて先へのメッセージは送信できませんでした。

        <{GRACE}>
        送信先メールアドレスが見つかりません。
        """, "bounce", {GRACE: UNKNOWN}),
    Text("in Chinese", "Postmaster@rcpt.example", "系统退信", f"""
        您的邮件无法送达以下收件人:

        <{GRACE}>
        收件人不存在
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Domino", "Postmaster@rcpt.example", "DELIVERY FAILURE: User grace not listed in Domino Directory", f"""
        Your message

          Subject: Minutes

        was not delivered to:

          {GRACE}

        because:

          User grace ({GRACE}) not listed in Domino Directory
        """, "bounce", {GRACE: UNKNOWN}),
    Text("IMail", '"Postmaster" <postmaster@rcpt.example>', "Undeliverable Mail", f"""
        Unknown user: {GRACE}

        RCPT TO generated following response:
        553 5.3.0 <{GRACE}>... Addressee unknown

        Original message follows.
        """, "bounce", {GRACE: UNKNOWN}),
    Text("IMail, time is up", '"Postmaster" <postmaster@rcpt.example>', "Undeliverable Mail", f"""
        Delivery failed 20 attempts: {GRACE}

        Original message follows.
        """, "bounce", {GRACE: ("soft", "expired")}),
    Text("MailEnable", '"Delivery Subsystem" <POSTMASTER@rcpt.example>', "Message Delivery Failure", f"""
        The following recipient(s) could not be reached:

        \tRecipient: [SMTP:{GRACE}]
        \tReason: Remote SMTP Server Returned: 550 mailbox unavailable or not local.

        Message headers follow:
        """, "bounce", {GRACE: UNKNOWN}),
    Text("hMailServer", "<mailer-daemon@rcpt.example>", "Undeliverable: Minutes", f"""
        Your message did not reach some or all of the intended recipients.

           Subject: Minutes

        The following recipient(s) could not be reached:

        {GRACE}
           Error Type: SMTP
           Remote server (192.0.2.7) issued an error.
           hMailServer sent: RCPT TO:<{GRACE}>
           Remote server replied: 550 5.1.1 <{GRACE}>... User unknown
        """, "bounce", {GRACE: UNKNOWN}),
    Text("LSMTP", '"LSMTP" <postmaster@rcpt.example>', "Undelivered mail", f"""
        An error was detected while processing the enclosed message.

        Error-for:  {GRACE}
        Error-Code: 0
        Error-Text: Mailer mx.rcpt.example said: "554 Message looping"
        Error-End:  One error reported.
        """, "bounce", {GRACE: ("soft", "network")}),
    Text("OpenSMTPD", "Mailer Daemon <MAILER-DAEMON@mx.rcpt.example>", "Delivery status notification: error", f"""
            Hi!

            This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

            An error has occurred while attempting to deliver a message for
            the following list of recipients:

        {GRACE}: Domain does not exist

            Below is a copy of the original message:
        """, "bounce", {GRACE: ("hard", "unknown_domain")}),
    Text("DragonFly Mail Agent", "MAILER-DAEMON <>", "Mail delivery failed", f"""
        This is the DragonFly Mail Agent v0.13 at sender.example.

        There was an error delivering your mail to <{GRACE}>.

        mx.rcpt.example [192.0.2.7] did not like our RCPT TO:
        550 5.1.6 <{GRACE}>: Recipient address rejected: Destination mailbox has moved

        Message headers follow.
        """, "bounce", {GRACE: ("hard", "moved")}),
    Text("InterScan", "InterScan MSS <imss@rcpt.example>", "Mail could not be delivered", f"""
        ****** Message from InterScan Messaging Security Suite ******

        Sent <<< RCPT TO:<{GRACE}>
        Received >>> 550 5.1.1 unknown user.
        Unable to deliver message to <{GRACE}>.

        ************************     End of message     **********************
        """, "bounce", {GRACE: UNKNOWN}),
    Text("a mobile carrier", "Postmaster@carrier.example", "Mail System Error - Returned Mail", f"""
        Each of the following recipients was rejected by a remote
        mail server.

            Recipient: <{GRACE}>
            >>> RCPT TO:<{GRACE}>
            <<< 550 <{GRACE}>: User unknown
        """, "bounce", {GRACE: UNKNOWN}),
    Text("a system that answers with our subject", "post_master@carrier.example", "Re:Minutes", f"""
        Error: Invalid user address

        Error message below:
        550 - Requested action not taken: no such user here

        Message details:
          Subject: Minutes
          MAIL FROM: news@sender.example
          RCPT TO: {GRACE}
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Zoho", "mailer-daemon@mail.zoho.example", "Mail Delivery Status Notification (Delay)", f"""
        THIS IS A WARNING MESSAGE ONLY.

        ----- The following addresses had fatal errors -----

        [Status: Error, Address: <{GRACE}>, ResponseCode 421, , Host not reachable.]

        Message will be retried for 4 more day(s)
        """, "delay", {GRACE: ("delayed", "network")}),
    Text("GroupWise", "<postmaster@rcpt.example>", "Message status - undeliverable", f"""
        The message that you sent was undeliverable to the following:
        \t{GRACE} (user not found)

        Possibly truncated original message follows:

        Hello, {IVAN} will be there too.
        """, "bounce", {GRACE: UNKNOWN}),
    Text("GroupWise, users without their domain", "<postmaster@rcpt.example>", "Message status - undeliverable", """
        The message that you sent was undeliverable to the following:
        \tgrace (mailbox full)
        \tivan (user not found)
        """, "bounce", {GRACE: FULL, IVAN: UNKNOWN}),
    Text("X1", "Mail Deliver System <MDA@rcpt.example>", "Undelivered Mail Returned to Sender", f"""
        The original message was received at Mon, 4 May 2026 12:00:00 +0900
        from news@sender.example

        ---The following addresses had delivery errors---

        {GRACE} [User unknown]
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Biglobe", "postmaster@rcpt.example", "Returned mail: see transcript for details", f"""
           ----- The following addresses had delivery problems -----
        {GRACE}   (unrecoverable error)
            ----- Non-delivered information -----
        The number of messages in recipient's mailbox exceeded the local limit.
        """, "bounce", {GRACE: FULL}),
    Text("IMail, a full mailbox", '"Postmaster" <postmaster@rcpt.example>', "Undeliverable Mail", f"""
        User mailbox exceeds allowed size: {GRACE}

        Original message follows.
        """, "bounce", {GRACE: FULL}),
    Text("MailMarshal", "postmaster@rcpt.example", "Undeliverable Mail: \"Minutes\"", f"""
        Your message:
           From:    news@sender.example
           Subject: Minutes

        Could not be delivered because of

        550 5.1.1 User unknown

        The following recipients were affected:
            {GRACE}
        """, "bounce", {GRACE: UNKNOWN}),
    Text("MDaemon", "MDaemon@rcpt.example", "Permanent Delivery Failure", f"""
        The attached message had PERMANENT fatal delivery errors!

        YOUR MESSAGE WAS NOT DELIVERED!

        The following addresses did NOT receive a copy of your message:

        > {GRACE}

        --- Session Transcript ---
         RCPT To:<{GRACE}>
         550 5.1.1 <{GRACE}>, Recipient unknown
         QUIT
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Notes of old", "Postmaster@rcpt.example", "DELIVERY FAILURE", f"""
        ------- Failure Reasons  --------

        User not listed in public Name & Address Book
        {GRACE}

        ------- Returned Message --------
        {RETURNED}
        """, "bounce", {GRACE: UNKNOWN}),
    Text("CompuServe", "<postmaster@rcpt.example>", "Undeliverable message", f"""
        Receiver not found: {GRACE}

        Your message could not be delivered as addressed.

        --- Returned message ---
        """, "bounce", {GRACE: UNKNOWN}),
    Text("SendGrid", "MAILER-DAEMON@provider.example", "Delivery Status Notification (Failure)", f"""
        I'm sorry to have to tell you that your message was not able to be
        delivered to one of its intended recipients.

        If you require assistance with this, please contact support.

        grace:000000:<{GRACE}> : 192.0.2.250 : mx.rcpt.example:[192.0.2.7] : 550 5.1.1 <{GRACE}>... User Unknown
        """, "bounce", {GRACE: UNKNOWN}),
    Text("Exchange Online with advice", "Microsoft Outlook <postmaster@rcpt.example>", "Undeliverable: Minutes", f"""
        Your message to {GRACE} couldn't be delivered.

        How to Fix It
        The recipient may have set up forwarding to an address that no longer exists, or you may not have
        permission to send to this group.

        Diagnostic information for administrators:
        Remote Server returned '552 5.2.2 mailbox full'
        """, "bounce", {GRACE: FULL}),
    Text("a carrier in few words", "Postmaster@carrier.example", "Mail System Error - Returned Mail", f"""
        Your mail sent on: Mon, 4 May 2026 12:00:00 +0900
            Could not be delivered to: <{GRACE}>
            As their mailbox is full.
        """, "bounce", {GRACE: FULL}),
    Text("a success report", DAEMON, "Successful Mail Delivery Report", f"""
        Your message was successfully delivered to the destination(s)
        listed below.

        <{GRACE}>: delivery via mx.rcpt.example[192.0.2.7]:25: 250 2.1.5 Ok
        """, "delivered", {GRACE: ("delivered", None)}),
    Text("an alias that is late", DAEMON, "Delayed Mail (still being retried)", f"""
        # THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #

        Your message could not be delivered for more than 4 hours.

        <{GRACE}> (expanded from
            <{IVAN}>): temporary failure. Command output: Quota exceeded
        """, "delay", {GRACE: ("delayed", "mailbox_full")}),
    Text("a full mailbox in one line", "MAILER-DAEMON@rcpt.example", "Returned mail: Minutes", f"""
        User's mailbox is full: <{GRACE}>
        Unable to deliver mail.
        """, "bounce", {GRACE: FULL}),
    Text("a domain that takes no mail", DAEMON, "Mail delivery failed: returning message to sender", f"""
        A message that you sent could not be delivered. The following address(es) failed:

          {GRACE}
            an MX or SRV record indicated no SMTP service
        """, "bounce", {GRACE: ("hard", "no_mail_accepted")}),
    Text("fields written into the text", "MAILER-DAEMON@provider.example", "Delivery Notification (Failure)", f"""
        An error occurred while trying to deliver the mail to the following recipients:
        {GRACE}

        Technical report:

        Reporting-MTA: dsn; out.provider.example

        Action: failed
        Final-Recipient: rfc822; {GRACE}
        Diagnostic-Code: smtp; 550 5.1.1 <{GRACE}>... User Unknown
        Status: 5.1.1
        """, "bounce", {GRACE: UNKNOWN}),
    Text("a report that names nobody, with a copy", "MAILER-DAEMON@rcpt.example", "Undeliverable mail", f"""
        Your message could not be delivered.

        --- Original message follows.
        {RETURNED}
        """, "bounce", {GRACE: ("soft", "unspecified")}),
)  # fmt: skip
