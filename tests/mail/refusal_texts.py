"""What servers say when they refuse, one reply a line: of addresses that are dead, and of anything else.

Short replies in the words that mail systems and providers use, with addresses of nobody.
"""

DEAD_SAID = """
550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table
550 5.1.1 The email account that you tried to reach does not exist.
550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking
550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).
550 5.4.1 Recipient address rejected: Access denied. [VE1EUR.eop-EUR.prod.protection.outlook.com]
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
550 5.1.1 RESOLVER.ADR.RecipNotFound; not found
554 delivery error: dd This user doesn't have a mail.example account (a@mail.example) [0] - mta1.mail
552 1 Requested mail action aborted, mailbox not found
550 5.1.1 <a@mail.example>: Recipient address rejected: mail.example
550 <a@b>: Requested action not taken: mailbox unavailable For explanation visit http://postmaster.gmx.com
550 5.1.1 User does not exist: a@mail.example
511 sorry, no mailbox here by that name (#5.1.1 - chkuser)
550 unknown user account
550 No such person at this address
550 #5.1.0 Address rejected.
550 5.1.1 unknown or illegal alias: a@b
550 Unrouteable address
Host or domain name not found. Name service error for name=b.example type=A: Host not found
Domain b.example does not accept mail (nullMX)
550 5.1.1 This user has moved... no
550 5.1.2 Host unknown (Name server: b.example: host not found)
550 5.1.2 a@b... Host unknown
550 5.1.351 Remote server returned unknown recipient or mailbox unavailable
550 Invalid recipient <a@b>
550 a@b... No such user
550 Recipient unknown
553 5.1.3 Invalid recipient address
550 Bad destination mailbox address
550 5.1.6 Recipient no longer at this address
551 5.7.1 User not local; please try <a@c.example>
550 Account a@b has been closed
550 5.1.1 Address does not exist
Sorry, no mailbox here by that name. (#5.1.1)
Sorry, I couldn't find any host named b.example. (#5.1.2)
User a@b.example not listed in Domino Directory
The e-mail account does not exist at the organization this message was sent to.
550 permanent failure for one or more recipients (a@b:550 5.1.1 User unknown)
550 RCPT TO:<a@b> User unknown
550 5.0.0 <a@b> User unknown; rejecting
5.4.4 (unable to route: dns lookup failure)
550 5.4.310 DNS domain b.example does not exist [Message=InfoDomainNonexistent
550 User not found
550 Mailbox not found
550 Unknown address error 550-'5.1.1 unknown'
550 Dieser Empfaenger ist unbekannt
550 Empfänger unbekannt
550 utilisateur inconnu
550 该用户不存在
550 User not found: a@mail.example
550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?id=1000728
550 non-local recipient verification failed
550 No such recipient here
550 RESOLVER.ADR.ExRecipNotFound; not found
550 5.1.1 sid=... Address rejected a@b [PHX]
550 not our customer
550-Verification failed for a@b 550-no such address here
550 5.1.1 <a@b>: Email address could not be found, or was misspelled (G8)
550 5.1.1 Recipient not found. <http://x4z9arb.secureserver.net>
550 Address rejected: a@b unknown
550 5.1.1 Mailbox "a" does not exist
554 5.1.1 unknown recipient
550 5.0.0 a@b... No such user here
550 cuenta inexistente
550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_104
550 5.5.0 Adresse d au moins un destinataire invalide. Invalid recipient. LPN204_104
The recipient's e-mail address was not found in the recipient's e-mail system.
The e-mail system was unable to deliver the message, but did not report a specific reason. #5.1.1
The address may be misspelled; the address couldn't be found
553 5.3.0 a@b... User unknown
550 Unknown local part a in <a@b>
550 Unknown user: a@b
550 no mailbox by that name is currently available
550 Not a valid recipient
550 Invalid user: a
553 invalid address: We have no mailboxes for this domain
550 No account by that name here
550 <a@b> is not a valid mailbox
user doesn't exist on this server
Name or service not known
all relevant MX records point to non-existent hosts
Illegal host/domain name found
5.1.2 - Bad destination host 'DNS Hard Error looking up b.example (MX): NXDOMAIN'
550 5.1.2 Domain does not exist; please check your spelling
DNS Error: DNS type 'mx' lookup of b.example responded with code NXDOMAIN Domain name not found: b.example
550 a@b has moved to a@c
550 5.1.6 mailbox has moved
This address is no longer in use.
a@b is no longer with the company
550 Sorry, this user has been deleted
550 5.1.1 ... account deleted
550 address not present in directory
there is no one at this address
550 no mail box available for this user
no valid recipients, bye
550 this recipient is not in my validrcptto list
550 mailbox unavaiable
553 <a@b.example> does not exist
550 <a@b.example> not found
no joe in name directory
550 unknown e-mail address
mail domain mentioned in email address is unknown
550 5.1.3 Invalid recipient format
550 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain
556 Invalid account. Tenant or Domain not found
This address does not receive mail
550 This account has been permanently closed
550 Es existiert kein Postfach mit diesem Namen
550 kein solcher Benutzer
550 Cette adresse n'est plus utilisée
550 Destinatário inexistente
550 La casilla no existe
550 Casella inesistente
550 Gebruiker bestaat niet
550 Brukeren finnes ikke
550 Käyttäjää ei löydy
550 ユーザが存在しません
550 用户不存在
550 수신자를 찾을 수 없습니다
550 Uživatel neexistuje
550 Ismeretlen felhasználó
550 Невідомий користувач
550 Ο χρήστης δεν υπάρχει
550 המשתמש לא קיים
550 Domain wurde nicht gefunden
550 Empfängerdomain existiert nicht
550 dominio inesistente
550 домен не найден
""".strip().splitlines()

ALIVE_SAID = """
550 5.2.1 Mailbox unavailable. This server takes no mail of that sender: it does not accept mails from this address
550 5.2.1 The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser
550 5.2.1 The email account that you tried to reach is inactive.
452 4.2.2 The email account that you tried to reach is over quota. https://support.google.com/mail/?p=OverQuotaTemp
552 5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to
550 5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate
421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address
550 5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail.
550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Part of their network is on our block list (S3140)
550 5.7.606 Access denied, banned sending IP [192.0.2.1]
550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP
550 5.7.1 RESOLVER.RST.AuthRequired; authentication required
550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required
554 5.2.2 STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded
554 5.6.0 STOREDRV.Deliver; Corrupt message content
421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints
553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list
554 5.7.1 Message not allowed - [PH01] Email not accepted for policy reasons
554 Transaction failed Reject due to policy restrictions. For explanation visit
550 5.2.0 a@b.fr : Spam detecte
452 too many recipients
550 Mailbox is full / Blocks limit exceeded / Inode limit exceeded
450 4.2.0 <a@b>: Recipient address rejected: Greylisted, see http://postgrey
451 4.7.1 Greylisting in action, please come back later
550 5.7.1 <a@b>: Relay access denied
550 relay not permitted
554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.spamcop.net
550 5.7.1 SPF MAIL FROM check failed
550 DMARC check failed
Host or domain name not found. Name service error for name=b.example type=MX: Host not found, try again
connect to mx.b.example[192.0.2.1]:25: Connection timed out
lost connection with mx.b.example while receiving the initial server greeting
mail for b.example loops back to myself
554 5.4.6 Too many hops
554 5.4.14 Hop count exceeded - possible mail loop
550 5.7.1 Email rejected per SPAM policy
554 5.7.1 Message rejected because of a virus
552 5.3.4 Message size exceeds fixed limit
552 5.2.3 Message exceeds maximum fixed size (10485760)
550 5.7.0 Local Policy Violation
550 5.7.350 Remote server returned message detected as spam -> 554 5.7.1
421 Service not available
451 Temporary local problem - please try later
550 Administrative prohibition
550 High probability of spam
554 5.7.1 The message from (<x@y>) with the subject of (x) matches a profile the Internet community may consider spam
550 account is locked
Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
Sorry, I couldn't find any host by that name. (#4.1.2)
Sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
550 5.7.1 Message rejected due to content restrictions
550 permanent failure for one or more recipients (a@b:blocked)
554 rejected due to spam URL in content
550 rejected by Barracuda reputation
550 5.7.1 Client does not have permissions to send as this sender
501 5.1.8 Domain of sender address x@y does not exist
550 Verification failed for <x@y> Sender verify failed
550 Sender verify failed
554 5.1.0 Sender denied
553 sorry, your envelope sender domain must exist (#5.7.1)
550 5.2.2 <a@b>... Mailbox Full
522 5.7.13 account disabled
550 5.4.300 Message expired -> 421 4.4.1 Connection timed out
550 5.7.511 Access denied, banned sender
451 4.3.2 Please try again later
550 Message was blocked by server
552 Postfach ist voll
550 Mail content denied. http://service.mail.qq.com/cgi-bin/help
550 Connection frequency limited. http://service.mail.qq.com/
550 Recipient Rejected: Temporarily inactive (554)
host mx.b.example[192.0.2.1] said: 554 5.7.1 Service unavailable (in reply to RCPT TO command)
host mx.b.example[192.0.2.1] said: 550 5.7.1 Message undeliverable. Invalid header
host mx[192.0.2.1] said: 553 5.1.8 <x@y>... Domain of sender address x@y does not exist (in reply to MAIL FROM command)
host mx[192.0.2.1] said: 550 5.1.0 <x@y>: Sender unknown (in reply to MAIL FROM command)
550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail
550 5.2.1 Mailbox temporarily disabled
550 Mailbox temporarily unavailable
550 5.3.0 Rejected: no reverse DNS for your IP; unknown host
550 5.7.25 The IP address sending this message does not have a PTR record setup
554 5.7.1 <mail.x[1.2.3.4]>: Client host rejected: cannot find your hostname
450 4.7.1 Client host rejected: cannot find your reverse hostname
554 5.7.1 <host.x>: Helo command rejected: Host not found
504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname
554 5.7.1 <x@y>: Sender address rejected: Domain not found
550 <x@y> is locally blacklisted. Contact blacklist.example with your address
550 user rejected message
550 This message was rejected by the user's filter
550 5.7.1 recipient's mailbox does not accept messages from outside the organisation
unknown mailer error 127
local mailer error: user mail dir not writable
550 5.1.1 <a@b>... mailbox is full
550 5.2.2 user a has exceeded his quota; account is over quota
421 too many errors, unknown users in session
550 too many invalid recipients
554 5.7.1 too many unknown recipients, blocked
550 5.7.1 message content rejected: bad word "invalid account"
554 5.6.0 Message contains invalid header
550 5.4.5 Daily user sending limit exceeded
550 5.4.5 Daily SMTP relay limit exceeded for user
550 5.7.64 TenantAttribution; Relay Access Denied
554 No relaying allowed - psmtp
550 5.7.1 Sender IP must resolve
550 rejected because 1.2.3.4 is in a black list at zen.spamhaus.org
550 Rule imposed mailbox access for a@b refused: user invalid?
550 5.7.1 Your message was blocked; this address is protected by Spamarrest
550 authentication required for relay
530 5.7.0 Must issue a STARTTLS command first
530 5.7.1 Authentication required
535 5.7.8 Error: authentication failed: invalid user or password
550 5.7.1 <a@b>: Recipient address rejected: Please see http://www.openspf.org
550 5.7.23 The message was rejected because of Sender Policy Framework violation
554 5.4.0 Error: too many hops
552 message size exceeds limit for this recipient
552 5.2.0 Message contains an attachment not accepted
521 5.2.1 AOL will not accept delivery of this message.
554 RLY:B1 http://postmaster.info.mail.example/errors/554rlyb1.html
550 SC-001 (BAY004) Unfortunately, messages from 1.2.3.4 weren't sent
550 OU-002 (COL004) Unfortunately, messages from 1.2.3.4 weren't sent
550 5.7.1 Requests to the mail server are limited to members
Connection refused by mx.b.example
Message expired: unable to deliver in 840 minutes.<421 4.4.1 Unable to connect to remote host>
550 5.1.0 sender rejected : invalid sender domain
451 4.1.8 Domain of sender address does not resolve
550 5.7.0 (SPF) unknown sender
550 Blocked - see http://www.x.example/unknown-user
DNS Error: 12345 DNS type 'mx' lookup of b.example responded with code SERVFAIL
550 Sender news@a.example has no A, AAAA, or MX DNS records
553 Your SMTP MAIL FROM domain does not have an MX record
550 Cannot resolve your domain {mp-123}
501 Sender address is not valid in your domain
550 Message was moved to quarantine
550 5.7.0 The message has been moved to the spam folder and rejected
554 5.7.1 L'adresse de l'expéditeur n'existe pas
550 Die Absenderadresse existiert nicht
550 La dirección del remitente no existe
550 Адрес отправителя не существует
550 发件人地址不存在
550 Benutzer ist vorübergehend nicht erreichbar
550 Die Domäne des Absenders ist nicht berechtigt
550 L'utilisateur est temporairement introuvable
550 Пользователь временно недоступен
550 Нет соединения с сервером получателя
550 Alıcının posta kutusunda yer yok
550 Recipient's mailbox is unavailable at this time, try later
550 user refuses to receive this mail
550 recipient is only accepting mail from specific email addresses
550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.
550 5.7.0 Our server does not accept mail from dynamic addresses
421 Unable to resolve recipient host, try again
554 5.7.8 user not found, authentication failed
550 5.7.1 Your mailbox quota policy: message rejected because sender is unknown to recipient
550 5.7.1 Sorry, the address you are sending from does not exist
550 5.1.0 Your email was rejected: reply address not found
554 5.7.1 This message was refused because the From: address is invalid
550 The domain in your From address could not be found in DNS
550 5.7.1 Hostname of your server could not be resolved
550 unable to verify sender address
451 4.1.8 Sender domain not found, try again
550 Envelope sender domain has no MX records
554 5.7.1 Sender domain must exist
550 5.7.1 The HELO name does not exist in DNS
550 spoofed sender: user does not exist on our server, mail from local domain must be authenticated
552 The message contains a nonexistent attachment type which is not allowed
550 5.6.1 body type not supported by the host; 8BITMIME not available
550 5.7.1 invalid message: no recipient header
550 Message rejected: missing or invalid Date header
554 5.6.0 No such header: To field is missing
550 5.7.1 Access to this mailbox is not allowed for external users
550 The group x only accepts messages from its members; your address is not a member
550 5.7.1 This list is closed; you're not subscribed
450 4.2.1 mailbox temporarily locked
550 5.2.1 The mailbox is locked for delivery
450 4.3.2 Mailbox is not available right now
421 4.4.5 Server too busy, unknown users exceeded
554 Too many bad recipients in this session
550 5.7.1 User x quota exceeded, invalid until cleanup
Le compte du destinataire est suspendu, utilisateur inactif
Der Absender ist auf diesem Server unbekannt
Ihr Server wurde nicht gefunden (kein PTR-Eintrag)
Die Mail wurde abgelehnt, weil der Anhang nicht erlaubt ist
Verbindung zum Server des Empfängers nicht möglich
El servidor del remitente no existe en el DNS
No se pudo conectar con el servidor del destinatario
El mensaje fue rechazado por el filtro antispam
Impossible d'établir une connexion avec le serveur du destinataire
L'expéditeur n'est pas autorisé à envoyer à ce destinataire
Il server del destinatario non risponde
O servidor do destinatário não está respondendo
送信元ドメインが存在しません
接続できませんでした。宛先サーバーが応答していません
发件人域名不存在
对方服务器拒绝连接
Сервер получателя не отвечает
Домен отправителя не существует
Serwer odbiorcy nie odpowiada
Alıcı sunucusu yanıt vermiyor
Gönderenin alan adı bulunamadı
""".strip().splitlines()
