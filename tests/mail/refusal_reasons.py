"""What servers say when they refuse, one reply a line, under the reason it gives: mail systems, providers, languages.

Short replies in the words that these use, with addresses of nobody.
"""

from resonanz.mail.refusals import Reason

SAID = {
    Reason.UNKNOWN_MAILBOX: """
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient someone@b.example not found by SMTP address lookup
550 5.1.11 RESOLVER.ADR.ExRecipNotFound; not found
550 5.4.1 [someone@b.example]: Recipient address rejected: Access denied. AS(201806281)
550 5.1.1 User Unknown
550-5.1.1 RESOLVER.ADR.RecipNotFound; not found
550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the
554 delivery error: dd Requested mail action aborted, mailbox not found - atlas.aol.mail.bf1.yahoo.com
552 1 Requested mail action aborted, mailbox not found
550 5.1.1 <someone@icloud.example>: user does not exist
<someone@b.example>: unknown user: "someone"
550 5.1.1 <someone@b.example>: Recipient address rejected: b.example
550 5.1.0 <someone@b.example>: Recipient address rejected: User unknown in relay recipient table
550 5.1.1 <x@b.example>: Recipient address rejected: undeliverable address: host mx.b.example[192.0.2.1] said: 550
550 No Such User Here
550-Callout verification failed: 550 550 5.1.1 unknown user
550 5.1.1 <someone@b.example>... User unknown
5.3.0 553 <someone>... User address required, no such user
This address no longer accepts mail.
511 sorry, no mailbox here by that name (#5.1.1 - chkusr)
sorry, that recipient does not exist (#5.1.1)
550 User unknown.
550 User <someone@b.example> unknown
User someone (someone@b.example) not listed in Domino Directory
550 someone@b.example... No such user
550 someone@b.example Recipient not found
The following recipient is not known in the GroupWise system
550 5.1.1 Recipient address rejected: someone@b.example: zimbra user lookup: no such account
550 Requested action not taken: mailbox unavailable or not local
550 unknown user <someone@b.example>
invalid user someone
550 <someone@b.example> No such user here
550 someone@b.example unknown user account
550 Account is not available
550 5.1.1 unknown or illegal alias: someone@b.example
550 5.1.1 Mailbox of <someone@b.example> does not exist
550 permanent failure for one or more recipients (someone@b.example:550 5.1.1 User unknown)
550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [AbCdEfGhIjKlMnOp.uk12]
550 5.1.1 <someone@b.example>... User unknown - pphosted
550 5.1.0 Address rejected someone@b.example
550 #5.1.0 Address rejected.
550 Invalid recipient <someone@b.example> (#5.1.1)
550 5.1.1 <someone@b.example> is invalid
550 5.7.1 No such user!
550 No such user: someone@yandex.example
550 Message was not accepted -- invalid mailbox.  Local mailbox someone@mail.example is unavailable: user not found
550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728
550 User not found: someone@163.example
550 RCPT <someone@139.example>: user doesn't exist in corp.139
550 Requested action not taken: mailbox unavailable. For explanation visit
550 5.1.1 unknown user/Teilnehmer existiert nicht
550 Benutzer nicht gefunden
Die E-Mail-Adresse, die Sie eingegeben haben, wurde nicht gefunden
550 5.1.1 Empfaengeradresse unbekannt
550 5.1.1 Adresse wurde nicht gefunden oder kann keine E-Mails empfangen
550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]
550 5.1.1 <x@free.example>: Utilisateur inconnu
L'adresse de messagerie que vous avez saisie est introuvable
550 5.1.1 La cuenta de correo no existe
550 No existe ese usuario en este servidor
No se encontró la dirección de correo electrónico
550 Utente sconosciuto
550 5.1.1 nessun utente simile in questo indirizzo
L'indirizzo e-mail immesso non è stato trovato
550 Usuário desconhecido
550 Caixa postal inexistente
O endereço de e-mail não foi encontrado
550 Onbekende gebruiker
Het e-mailadres kan niet worden gevonden
550 Mottagaren finns inte
Det gick inte att hitta e-postadressen du angav
550 Ukendt bruger
宛先のメールアドレスは存在しません
指定されたユーザーは見つかりませんでした
550 Unknown user someone@docomo.example
550 Invalid recipient: <x@i.softbank.example>
收件人地址不存在
550 收件人邮件地址不存在
550 Пользователь не найден
550 Такого пользователя не существует
Получатель с таким адресом не зарегистрирован
550 Nie ma takiego użytkownika
550 Nieznany odbiorca
550 Kullanıcı bulunamadı
550 Böyle bir kullanıcı yok
550 That e-mail address is not associated with any account here
550 We do not have a user by that name
550 The person you tried to reach is not at this address
553 5.3.0 <someone@b.example>... Addressee unknown, relay=[192.0.2.9]
550 Mailbox no longer in service
550 5.1.1 This email address is wrong or no longer valid
550 Account Closed, Please Remove
550 Not our Customer
550 Unknown or invalid local user
550 sorry, user unknown
""",
    Reason.FILTERED: """
550 5.7.124 RESOLVER.RST.SenderNotAuthenticatedForGroup; sender not in group's allowed-senders list
550 5.7.193 UnifiedGroupAgent; Delivery failed because the sender isn't a group member or external senders aren't
550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized to send to recipient because the sender isn't
550 5.7.12 Access denied, sender was not authenticated by organization
sorry, your envelope recipient is in my badrcptto list (#5.7.1)
Your message was rejected by a mail rule of the addressee
550 Envelope blocked - User Entry - https://community.mimecast.com/docs/DOC-1369#550
Ihre Nachricht wurde vom Empfänger abgelehnt
550 <x@ezweb.example>: User rejects mail by domain filter
554 5.7.1 You are not allowed to connect
550 You have been blocked by the recipient
550 Mail is rejected by recipients [AbC= IP: 192.0.2.9]
554 5.7.1 recipient's preferences prevent this message from being delivered, user unknown to list
""",
    Reason.SENDER_REFUSED: """
550 5.7.60 SMTP; Client does not have permissions to send as this sender
550 5.7.64 TenantAttribution; Relay Access Denied [ValidationStatus of 'CN=a' is 'EmptyCertificate']
451 Message temporarily deferred due to unresolvable RFC.5321 from domain
454 4.7.1 <someone@b.example>: Relay access denied
550 5.1.8 <news@a.example>: Sender address rejected: Domain not found
550-Verification failed for <news@a.example> 550-The account or domain may not exist 550 Sender verify failed
550-Please turn on SMTP Authentication in your mail client. host.a.example [192.0.2.9] is not permitted to relay
553 5.1.8 <news@a.example>... Domain of sender address news@a.example does not exist
554 Relay rejected for policy reasons.
503 This mail server requires authentication when attempting to send to a non-local e-mail address. Please check your
550 Domain may not exist or DNS check failed [MAabc== IP: 192.0.2.9] (in reply to MAIL FROM command)
501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405] (in reply to MAIL FROM command)
550 5.7.1 Recipient does not accept mail from unknown senders
550 5.7.27 Sender address has null MX
550 Sender address news@a.example does not exist, rejected
""",
    Reason.RATE_LIMITED: """
550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients
550 5.2.121 RESOLVER.RST.RecipientReceiveQuota.PerSender; recipient's per hour message receive limit from specific
550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour
432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded
450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being
550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits
451 4.7.0 User is receiving mail too quickly
421 Max message per connection reached, closing transmission channel
Domain a.example has exceeded the max emails per hour (200/200 (100%)) allowed. Message discarded.
451 Internal resources are temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451
452 Too many recipients received this hour
450 Zu viele Verbindungen, bitte später erneut versuchen
421 mwinf5c79 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR005_104
发送频率过高,请稍后再试
450 4.7.1 Error: too much mail from 192.0.2.9
451 4.7.1 Please try again later (greylisted for 300 seconds)
450 4.2.0 <x@b.example>: Recipient address rejected: Temporarily deferred, try again in 5 minutes
""",
    Reason.UNKNOWN_DOMAIN: """
550 5.4.310 DNS domain c.example does not exist [Message=InfoDomainNonexistent] [LastAttemptedServerName=c.example]
Host or domain name not found. Name service error for name=typo.example type=AAAA: Host not found
unable to look up host typo.example: No address associated with hostname
Unrouteable address
all relevant MX records point to non-existent hosts
550 5.1.2 <someone@typo.example>... Host unknown (Name server: typo.example: host not found)
Sorry, I couldn't find any host named typo.example. (#5.1.2)
Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)
Die Domain des Empfängers existiert nicht
Le domaine du destinataire n'existe pas
El dominio no existe
O domínio do destinatário não existe
收件人域名不存在
Домен получателя не существует
""",
    Reason.EXPIRED: """
550 5.4.316 Message expired, connection refused(Socket error code 10061)
550 5.4.312 Message expired, DNS query failed(ErrorRetry)
550 5.4.317 Message expired, cannot connect to remote server(451 4.4.397 Error communicating with target host. -> 421
550 4.4.7 QUEUE.Expired; message expired
delivery temporarily suspended; maximal queue lifetime exceeded
retry timeout exceeded
all hosts for 'b.example' have been failing for a long time (and retry time not reached)
Message could not be delivered for 5 days, message will be deleted from queue
I'm not going to try again; this message has been in the queue too long.
""",
    Reason.REPUTATION: """
550 5.7.511 Access denied, banned sender[192.0.2.9]. To request removal from this list forward this message to
550 5.7.513 Service unavailable, Client host [192.0.2.9] blocked by c.example using Customer Block list (AS16012607)
451 4.7.650 The mail server [192.0.2.9] has been temporarily rate limited due to IP reputation. For e-mail delivery
550 5.7.1 [192.0.2.9 12] Gmail has detected that this message is likely suspicious due to the very low reputation of
553 5.7.2 [TSS09] All messages from 192.0.2.9 will be permanently deferred; Retrying will NOT succeed. See
421 4.7.0 [TSS04] Messages from 192.0.2.9 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1
521 5.2.1 :  (HVU:B1) https://postmaster.aol.example/error-codes#554hvub1 blacklisted
550 5.7.0 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=192.0.2.9
554 Service unavailable; Client host [192.0.2.9] blocked using Barracuda Reputation;
554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.9
554-mx.b.example 554 Your access to this mail system has been rejected due to the sending MTA's poor reputation. If you
550 5.7.1 Mail from 192.0.2.9 refused by blackhole site rbl-plus.mail-abuse.org, see mail-abuse
421 4.7.1 Intrusion prevention active for [192.0.2.9]
554 IP=192.0.2.9 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)
550 Ihre IP-Adresse steht auf einer Sperrliste
550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102
550 Su IP está en una lista negra
您的IP被列入黑名单
550 IP 192.0.2.9 is blacklisted (xbl.spamhaus.org). Help at/Hilfe unter www.mfaq.info
553 5.3.0 flph825 DNSBL:ATTRBL 521< 192.0.2.9 >_is_blocked.For assistance forward this email to abuse_rbl@abuse-att.net
591 someone@b.example your host [192.0.2.9] is blacklisted by dnsbl.example
""",
    Reason.SYSTEM: """
451 4.7.500 Server busy. Please try again later from [192.0.2.9]. (S77719)
550 5.4.6 ORAR; Routing loop detected
450 4.1.1 <x@b.example>: Recipient address rejected: unverified address: Address verification in progress
mail transport unavailable
bounce: Command died with status 1: "/usr/lib/dovecot/deliver"
Child process of virtual_delivery transport returned 75 (could mean temporary error) from command: /usr/bin/procmail
local delivery failed: error opening mailbox
451 4.0.0 Deferred: local mailer (/usr/bin/procmail) exited with EX_TEMPFAIL
550 5.3.5 Local configuration error
This message is looping: it already has my Delivered-To line. (#5.4.6)
451 4.3.5 Server configuration problem
554 5.3.0 Unknown mailer error 1
""",
    Reason.AUTHENTICATION: """
550 5.7.515 Access denied, sending domain NEWS.EXAMPLE doesn't meet the required authentication level. The sender's
550 5.7.509 Access denied, sending domain a.example does not pass DMARC verification and has a DMARC policy of reject.
550-5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to
554 5.7.5 (AU01) Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes: DMARC
450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.9]
550 SPF check failed [MMabc== IP: 192.0.2.9]
550 5.7.1 Fix reverse DNS for 192.0.2.9
""",
    Reason.MAILBOX_FULL: """
554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to
452 4.2.2 mailbox full
552 5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to
552 2 Requested mail action aborted: mailbox exceeded quota, someone@yahoo.example over quota
552 5.2.2 <someone@icloud.example>: user is over quota
cannot update mailbox /var/mail/someone for user someone. error writing message: File too large
maildir delivery failed: Disk quota exceeded
mailbox is full (MTA-imposed quota exceeded while writing to file /home/x/Maildir/tmp)
552 5.2.2 <someone@b.example>... Mailbox full
user does not have enough space (#5.2.2)
Recipient's mailbox is full, message returned to sender. (#5.2.2)
maildrop: maildir over quota.
552 5.2.2 Over quota
LMTP: 552-5.2.2 someone 552 5.2.2 Over quota mailbox has exceeded limit
user mailbox exceeds allowed size: someone@b.example
452 4.2.2 Mailbox full, message exceeds quota
554 mailbox is full, quota of someone@yandex.example exceeded
552 Quota exceeded or service disabled.
552 Requested mail action aborted: exceeded storage allocation. Quota exceeded. The recipient mailbox is full. For
Das Postfach des Empfängers ist voll und kann zurzeit keine Nachrichten annehmen
552 Speicherplatz des Empfaengers erschoepft
552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]
La boîte aux lettres du destinataire est saturée
550 5.2.2 quota de la boite depasse
El buzón del destinatario está lleno
552 Cuota excedida
La casella di posta del destinatario è piena
552 Spazio esaurito nella casella del destinatario
552 Caixa postal cheia
Caixa de correio lotada, espaço excedido
Het postvak van de ontvanger is vol
Mottagarens brevlåda är full
Modtagerens postkasse er fuld
宛先のメールボックスの容量を超えているため配信できません
受信者のメールボックスがいっぱいです
552 too much mail data
收件人邮箱已满
对方邮箱空间已满,无法接收
Почтовый ящик получателя переполнен
Skrzynka odbiorcy jest pełna
552 Przekroczony limit pojemności skrzynki
Posta kutusu dolu
552 Kota aşıldı
550 Mailbox is full / Blocks limit exceeded / Inode limit exceeded
452 4.3.1 Insufficient system storage
550 User has too many messages on the server
""",
    Reason.MAILBOX_DISABLED: """
550 5.2.1 Mailbox disabled; STOREDRV.Deliver.Exception:AccountDisabledException.MapiExceptionMailboxDisabled
550 5.2.1 STOREDRV.Deliver; mailbox is disabled
550 5.2.1 The email account that you tried to reach is inactive. For more information, go to
554 30 Sorry, your message to someone@yahoo.example cannot be delivered. This mailbox is disabled (554.30).
554 5.1.1 someone@aol.example is no longer valid, mailbox disabled
550 5.1.1 <someone@icloud.example>: inactive email address
vdelivermail: account is locked email bounced
550 Mailbox is disabled
451 Account inbounds disabled
550 5.1.1 Mailbox is frozen. See https://help.mail.ru/mail/account/delete/return
550 Message was not accepted -- invalid mailbox. Local mailbox someone@mail.example is unavailable: user is terminated
550 Mailbox unavailable or access denied [AbC= IP: 192.0.2.9]
550 This is a deactivated mailbox, someone@qq.example is a deactivated mailbox
550 User suspended: someone@163.example
550 Dieses Konto ist vorübergehend deaktiviert
550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_420
550 5.5.0 Le compte du destinataire est bloque. The recipient account isblocked. LPN007_426
La cuenta está deshabilitada
550 casella disabilitata
550 Conta bloqueada por inatividade
对方帐号已被停用
550 Почтовый ящик заблокирован
550 User account not activated
550 5.2.1 someone@b.example is expired account
554 5.2.1 Inactive user
""",
    Reason.NETWORK: """
554 5.4.14 Hop count exceeded - possible mail loop ATTR34
451 4.4.2 Timeout - closing connection. a1-2 - gsmtp
delivery temporarily suspended: connect to b.example[192.0.2.1]:25: No route to host
connect to b.example[2001:db8::1]:25: Network is unreachable
mail for b.example loops back to myself
server certificate not trusted: Server certificate not verified
SMTP timeout while waiting for response after end of data
421 4.2.0 mx.b.example... Deferred: Connection reset by mx.b.example.
Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
451 4.3.0 Temporary lookup failure
421 4.4.2 Connection dropped due to SocketError
""",
    Reason.CONTENT: """
550 5.6.11 Invalid characters; your email program added invalid characters (bare line feed characters) into a message
552 5.7.0 This message was blocked because its content presents a potential security issue. Please visit
550 5.7.1 This message is not RFC 5322 compliant. Messages missing a valid address in From: header, or having no From:
550 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.example/en-us/HT204137
550 This message contains a virus or other harmful content
554 rejected due to spam content
554 5.7.1 Message cannot be accepted, filter rejection
554 5.7.1 This message has been blocked because it contains FortiSpamshield blacklisted URL(s)
550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=abc or report details to
554 5.7.1 Message rejected under suspicion of SPAM; https://ya.cc/1IrBc
554 DT:SPM 163 mx1,PcCowAB3abc,please see http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.9
451 DT:SPM 126 mx, please try again, 421 RP:CEL http://mail.163.com
Die Nachricht wurde als Spam eingestuft und abgewiesen
Votre message a été considéré comme un spam
邮件内容被判定为垃圾邮件
Письмо отклонено как спам
550 5.7.1 Message rejected as spam by Content Filtering.
550 This message scored 8.7 points and was rejected
552 sender rejected AUP#CDRBL
550 Message refused
""",
    Reason.TOO_LARGE: """
550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient
message size 31457280 exceeds size limit 10240000 of server mx.b.example[192.0.2.1]
Die Nachricht überschreitet die zulässige Größe
Taille limite du message atteinte
メールサイズが制限を超えています
552 5.3.4 Error: message file too big
523 the message size 30000000 exceeds the size limit of 20000000 established for the recipient
""",
    Reason.POLICY: """
550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy
550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail that you sent
TLS is required, but was not offered by host mx.b.example[192.0.2.1]
554 5.7.1 <someone@b.example>: Recipient address rejected: Blocked by policy
550 Rejected by header-based Anti-Spoofing policy: news@a.example - https://community.mimecast.com/docs/DOC-1369#550
550 Administrative prohibition - envelope blocked - https://community.mimecast.com
553 This route requires encryption (TLS)
554 Transaction failed. Reject due to policy restrictions. For explanation visit https://postmaster.web.de/de/case
554 5.7.1 rejected based on geographical location
530 5.7.0 Must issue a STARTTLS command first
""",
    Reason.MOVED: """
550 5.1.6 recipient no longer on server: someone@icloud.example
551 5.1.6 <someone@b.example>... User has moved to somebody@c.example
Frau Muster ist nicht mehr bei uns beschäftigt
Cette personne ne travaille plus chez nous
551 User not local; please try <new@c.example>
""",
    Reason.NO_MAIL_ACCEPTED: """
Domain nomail.example does not accept mail (nullMX)
an MX or SRV record indicated no SMTP service
554 Mail for b.example rejected for policy: domain does not accept mail
""",
    Reason.UNSPECIFIED: """
554 5.0.0 rewrite: excessive recursion (max 50), ruleset canonify
554 Transaction failed
""",
}

REPLIES = [(reason, line) for reason, lines in SAID.items() for line in lines.strip().splitlines()]
