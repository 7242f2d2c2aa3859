"""The words of refusals, as tables: wording → reason. The first row that matches decides; the narrow stand first.

The text is in lower case, on one line, with addresses, links and host names taken out, so that `spam@…` or a domain
named after a blocking list speak for nothing. Rows are grouped by what they say; what other languages say for it stands
in `languages` and is set beside the English row. Gaps are bounded (`.{0,40}`), so that no text takes more than linear
time.
"""

from __future__ import annotations

import re
from functools import cache

from resonanz.mail.refusals.languages import FOR_NOW, IN_OTHER_LANGUAGES, VAGUE_IN_OTHER_LANGUAGES
from resonanz.mail.refusals.reasons import Reason

Table = tuple[tuple[Reason, str], ...]


@cache
def compiled(table: Table) -> tuple[tuple[Reason, re.Pattern[str]], ...]:
    """A table's patterns, compiled when first asked for: most processes that know refusals never read one."""
    return tuple((reason, re.compile(pattern)) for reason, pattern in table)


# What these say outranks any status code.
PLAIN: Table = (
    # ── The sender is what does not exist: before anything that reads like the recipient ────────────────────────────
    (Reason.SENDER_REFUSED, r"sender verify fail|sender.{0,24} null ?mx|domain may not exist or dns check"),
    # ── The domain takes no mail (RFC 7505) ─────────────────────────────────────────────────────────────────────────
    (
        Reason.NO_MAIL_ACCEPTED,
        r"null ?mx|nullmx|no smtp service|not accepting network messages"
        r"|(domain|host|server|system|address) (does not|doesn.t|do not) (accept"
        r"|receive) (any )?(e-?)?mails?\b(?! from)"
        r"|does not accept (any )?mail\b(?! from)|accepts no mail|smtp protocol is not (available|supported) on this"
        # an old Postfix that meets a null MX
        r"|type=mx: malformed (or unexpected )?name server reply|cname lookup for null",
    ),
    # ── Words of single systems that would else be taken for something wider ────────────────────────────────────────
    (Reason.UNKNOWN_DOMAIN, r"account or domain may not exist"),  # cPanel: no route to the domain was found
    (Reason.MAILBOX_DISABLED, r"mailbox unavailable or access denied"),  # Tencent
    (Reason.CONTENT, r"not rfc ?\d+ compliant|potential security issue|\baup#|\bdt:spm\b"),  # Gmail, Charter, NetEase
    (Reason.CONTENT, r"(url|link|uri)s?\b.{0,40}black.?list|black.?listed (url|link|uri)"),
    (Reason.EXPIRED, r"message expired|in the queue too long"),
    (Reason.MAILBOX_FULL, r"too many messages (on the|in) |error writing message"),  # their disk, not our mail
    (Reason.FILTERED, r"user (domain )?entry\b"),  # Mimecast: the recipient's own list
    (Reason.REPUTATION, r"\bip[=:]\S{3,40} - |will be permanently deferred"),  # T-Online, Yahoo
    (Reason.RATE_LIMITED, r"\brp:[a-z]{3}\b|resources (are )?temporarily unavailable"),  # NetEase, Mimecast
    (Reason.POLICY, r"transport\.rules"),  # a rule that an Exchange organisation made for itself
    # not now; and errors of the system that read like errors of the address
    (Reason.NETWORK, r"not found, try again|couldn.t find any host by that name"),
    (
        Reason.SYSTEM,
        r"temporarily (unavailable|unable|rejected)|unavailable (at this time|at the moment|right now)"
        r"|currently unavailable|unknown (mail(er)? )?(transport )?(error|status)",
    ),
    (Reason.SENDER_REFUSED, r"authentication (failed|required|credentials)"),  # who sends must log in
    (Reason.FILTERED, r"\bgoogle groups|^5\d\d : user unknown$"),  # a group that takes no posts; KDDI after DATA
    # Yahoo's number says whether the account never was (0) or has gone to sleep
    (Reason.MAILBOX_DISABLED, r"doesn.t have an? \S{1,80} account.{0,20}\[-\d{1,3}\]"),
    (Reason.UNKNOWN_MAILBOX, r"\b542 <> rejected"),  # MessageLabs: not among the registered addresses
    (Reason.UNKNOWN_MAILBOX, r"5\.4\.1 .{0,40}recipient address rejected: access denied"),  # Exchange Online
    # ── Who sends: authentication, reverse DNS ──────────────────────────────────────────────────────────────────────
    (
        Reason.AUTHENTICATION,
        r"\b(spf|dkim|dmarc)\b(?! ?=? ?pass)|\bsender policy framework\b|reverse.{0,3}dns|\bptr\b|\brdns\b|\bfcrdns\b"
        r"|(unverifyable|unverifiable) sending ip|authentication checks failed|not (pass|meet).{0,30}authentication"
        r"|unauthenticated (e-?)?mail|sender is unauthenticated|(e-?mail|message) (is|was) not authenticated"
        r"|sender id \(?.{0,20}\)?.{0,20}fail"
        r"|cannot (find|resolve) (your|the) (reverse )?hostname|(hostname|host name).{0,30}(cannot be|not) resolved"
        r"|(client host|your ip|ip address).{0,40}(name lookup|hostname)|(missing|no|invalid) .{0,12}(reverse"
        r"|ptr|rdns)"
        r"|cannot find your hostname|access denied.{0,12}bad helo|(bad|invalid|unknown) .{0,12}\b(helo|ehlo)\b"
        r"|\b(helo|ehlo)\b.{0,30}(invalid|not found|unknown|reject|must)|not a valid (fqdn|helo)"
        r"|helo command rejected"
        r"|authentication-results.{0,40}fail|required authentication",
    ),
    # ── The sender's address ────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.SENDER_REFUSED,
        # what is said to lack something is ours: the sender's domain, not the recipient's
        r"\b(sender.{0,3}|sending|reply(.to)?|mail.?from|envelope.?from|return.?path"
        r"|your( \w{1,12})?) (e-?mail )?(address"
        r"|domain)\b"
        r".{0,40}(has no|have no|no valid|does not|doesn.t|not |cannot|can.t|without|null|invalid|unknown|unresolv)"
        r"|(resolv|find|locat|look ?up|verif)\w{0,4}.{0,12}(your|the sender.?s?|sender.?s?"
        r"|mail.?from) (e-?mail )?(domain"
        r"|address|host)|sender .{0,60}has no .{0,16}(mx|dns|a)\b|unresolvable.{0,20}from"
        r"|(sender|mail ?from|return.path|envelope.from|from).{0,24}(address|domain).{0,24}"
        r"(reject|refus|denied|not allowed|unknown|invalid|does not (exist|resolve)|not (found|exist|valid|resolv))"
        r"|from:? ?domain is invalid|sender (is )?(rejected|refused|denied|unknown|not allowed|verify fail|invalid"
        r"|not authori[sz]ed|domain)|(bad|invalid|unknown|unauthori[sz]ed) sender|sender.{0,12}(callout"
        r"|verif).{0,20}fail"
        r"|domain of sender|not (allowed|permitted|authori[sz]ed) to send (as|from|mail)|cannot receive mail from you"
        r"|not accepting (any )?(e-?)?mails? from|accept(ing)? mail only from|(no|missing"
        r"|invalid) .{0,16}from:? ?(header|field)"
        r"|relay(ing)? .{0,24}(denied|prohibited|not (allowed|permitted)|disallowed|rejected)|unable to relay"
        r"|(cannot|can.t|not (permitted|allowed|able) to|does not|won.t) relay|relay (access|not permitted"
        r"|prohibited)"
        r"|not a gateway|insecure mail relay|that domain isn.t in my list of allowed rcpthosts|no relaying"
        r"|(does not|doesn.t) accept (any )?(e-?)?mails? from|turn on smtp auth|spoofed|requires authentication when"
        r"|permissions? to send as"
        r"|please use the smtp server of your isp|invalid domain name$|" + IN_OTHER_LANGUAGES[Reason.SENDER_REFUSED],
    ),
    # ── Names of the sending server ─────────────────────────────────────────────────────────────────────────────────
    (
        Reason.REPUTATION,
        r"black.?list|black ?hole|block.?list|blocking list|deny.?list|spamhaus|spamcop|barracudacentral|sorbs"
        r"|\bcbl\b|\bcsi\b"
        r"|\br[bs]bl\b|dns-?[br]l|uceprotect|abuseat|proofpoint.{0,40}block|reputation|(?<!not )listed (in|by"
        r"|at|on)\b"
        r"|(ip|address|host|server|network|connection|messages?|mail|e-?mail)s? .{0,40}(is|was|are|been"
        r"|being) (temporarily )?"
        r"blocked|messages from (?:host|ip|\S{1,40})? ?weren.t sent"
        r"|blocked (using|by|for|due to|because)(?! (the |their )?(admin|polic|content|recipient|user|spam))"
        r"|access denied.{0,24}(ip|host|client)|(ip|client host) .{0,30}(rejected|refused|denied|banned)"
        r"|banned (sending )?(ip|sender)|intrusion prevention|poor .{0,20}score|spam source|open (relay|proxy)"
        r"|suspicious.{0,24}(ip|host|network)"
        r"|dynamic (ip|address|pool)|dial-?up|residential|user complaints|too many (spam|complaints)|bad sender score"
        r"|has been temporarily deferred|" + IN_OTHER_LANGUAGES[Reason.REPUTATION],
    ),
    # ── How much, how fast ──────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.RATE_LIMITED,
        r"too many (?!hops)|rate.?limit|rate that|throttl|too fast|too quickly|too frequent|slow down|unusual rate"
        r"|gr[ea]y.?list|limit(ed)? (on|of|for) (the )?(number|connections|messages)|connection (rate|frequency"
        r"|limit)"
        r"|frequency limit|(hourly|daily) .{0,30}(quota|limit)|(exceed|reach)\w* .{0,40}(maximum|max|allowed"
        r"|limit).{0,30}"
        r"(connection|recipient|messages|e-?mails|rate)|(send|sending|receiv\w*) (rate|limit|quota)|maximum.{0,20}"
        r"(connections|sessions)|deferred due to .{0,30}(volume|complaints)|server is busy"
        r"|(volume|amount) of (e-?)?mail|receiving mail (at a rate|too quickly)|come back later|too much mail from"
        r"|max(imum)? messages? per|(thread|concurren\w{1,3}( \w{1,12})?|per hour) limit|try again in \d"
        r"|" + IN_OTHER_LANGUAGES[Reason.RATE_LIMITED],
    ),
    # ── No room ─────────────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.MAILBOX_FULL,
        r"quota|mailbox exceed|(mail)?(box|folder|drop)\S{0,2} (is |are |has |was "
        r"|of .{0,40} (is )?)?(now )?(full|exceed|over"
        r"|reached"
        r"|too full)|full mail(box|folder)|over.?quota|out of (storage|(disk )?space|email storage)"
        r"|insufficient (system |disk |mail )?(storage|space|resources)"
        r"|(not enough|\bno|exceed\w*|out of).{0,24}(disk|storage|mail ?box)?.{0,8}(space|room)\b"
        r"|exceed\w* .{0,24}(storage|mail ?box)"
        r"|space not enough|storage (limit|exceed|full|allocation)|too much mail|recipient storage full"
        r"|account is full|(mailbox|maildir|inbox).{0,40}(size|limit).{0,24}(exceed|reached)|maildir delivery failed"
        r"|delivery failed to mailbox|user is over|has exceeded .{0,30}(space|storage|limit)|mailfolder is full"
        r"|exceeds? (the )?maximum mailbox|" + IN_OTHER_LANGUAGES[Reason.MAILBOX_FULL],
    ),
    # ── Size ────────────────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.TOO_LARGE,
        r"(message|mail|size|content|attachment|line|header)s?.{0,30}(too (large|big|long)|exceed|over limit)"
        r"|(maximum|max\.?) (incoming |inbound |allowed )?(message|mail) size|exceed.{0,40}(message|mail|fixed"
        r"|maximum|size)"
        r".{0,12}(size|limit|length)|larger than|size (limit|exceed)|line limit exceeded|resizing|too (large|big) "
        r"(for|to)|" + IN_OTHER_LANGUAGES[Reason.TOO_LARGE],
    ),
    # ── A local delivery program broke, whatever it says about users ────────────────────────────────────────────────
    (
        Reason.SYSTEM,
        r"procmail: |(couldn.t|can.t|cannot|could not) create (user|output|\"?/)|maildrop: .{0,24}(unable|error)",
    ),
    # ── Moved ───────────────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.MOVED,
        r"not local[;,]? please try|(has|have|was|been) (moved|relocated|changed to|transferred)"
        r"(?!.{0,24}(quarantine|junk|spam|trash))|mailbox has moved|moved to\b(?!.{0,24}(quarantine|junk|spam|trash))"
        r"|(address|e-?mail|account|domain).{0,30}(has (been )?changed|replaced (by|with)|is changing)"
        r"|no longer (works?|working|with|employed|at|in use)|left the (company|organi[sz]ation)"
        r"|new (e-?mail )?address is"
        r"|please (use|update|forward).{0,24}new (e-?mail )?address|has been replaced by|mailbox .{0,20}relocat"
        r"|recipient no longer on server|" + IN_OTHER_LANGUAGES[Reason.MOVED],
    ),
    # ── No such domain ──────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.UNKNOWN_DOMAIN,
        r"\b(host|domain)( or domain)?( name)?( ·| \S{1,80})? ?:? ?(is |was |could |does )?"
        r"(not (be )?(found|known|exist|resolved)|doesn.t exist|couldn.t be found|unknown|non.?existent)"
        r"|unable to route: (dns|no mail host)"
        r"|unknown (host|domain)|no such (domain|host)|invalid (domain|host)( name)?\b(?! in)|nxdomain"
        r"|non.?existent domain"
        r"|unrouteable|unroutable|no route for address|(cannot|could not|couldn.t|can.t) (find|resolve|locate)"
        r" .{0,24}(host|domain|gateway|mx\b|exchanger)|name (or )?(service|server) not known|no mx (record|host|for)"
        r"|all relevant mx records point to non-existent|bad destination (host|system)|dns (error|failure|lookup fail"
        r"|query fail).{0,60}(not found|nxdomain|does not exist|no such)|lookup failed .{0,30}(perm|nxdomain)"
        r"|domain (is|has) (not reachable|expired|invalid|been suspended)|because the domain is not reachable"
        r"|no (a|aaaa|dns) record|illegal host/domain|domain must exist|unable to (find|resolve|look ?up).{0,24}"
        r"(host|domain|exchanger)|mail for .{0,24}loops back to myself \(no mx\)|couldn.t find (any|a) host"
        r"|" + IN_OTHER_LANGUAGES[Reason.UNKNOWN_DOMAIN],
    ),
    # ── Switched off ────────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.MAILBOX_DISABLED,
        r"(account|mailbox|user|recipient|address|mail ?drop|box).{0,40}"
        r"\b(disabled|inactive|suspended|deactivated|on hold|locked|frozen|discontinued|not active|not been activated"
        r"|terminated|blocked by admin|expired|is restricted|dormant)"
        r"|(disabled|inactive|suspended|deactivated|locked|closed|frozen) (e-?mail )?(recipient|user|mailbox|account"
        r"|address)|\bon hold\b|not active|mailbox currently suspended|(?<!delivery )temporarily (disabled|suspended"
        r"|locked)|vdelivermail.{0,30}disabled|account is not (enabled|active)|(user|account) not (been )?activated"
        r"|inbounds disabled"
        r"|is unavailable: user is terminated|recipient suspend|" + IN_OTHER_LANGUAGES[Reason.MAILBOX_DISABLED],
    ),
    # ── The recipient's own settings ────────────────────────────────────────────────────────────────────────────────
    (
        Reason.FILTERED,
        r"recipient preferences|rule imposed mailbox|preferences of the person|(by"
        r"|due to) (the )?recipient.{0,16}(settings?"
        r"|preference|filter|rule)"
        r"|because (protected )?recipient|recipient (has )?(refused|declined|chosen)"
        r"|not allowed to send (mail )?to (this|that)"
        r" (user|recipient)|(recipient|user|mailbox) (is )?(only )?accept\w* (mail|messages) (only )?from"
        r"|only (members|authori[sz]ed|internal)|not (a )?(authori[sz]ed|permitted|allowed) to (post|send|mail)"
        r" .{0,40}(group|list|recipient|user)|restricted (recipient|address|distribution)|requires? authentication to"
        r"|deliveryrestricted|resolver\.rst\.|automatically rejected|rejected by (the )?(user"
        r"|recipient)(?!.{0,3} domain)|you are not allowed"
        r"|may not have permission to post|sender not authenticated for group"
        r"|because .{0,40}not accepting mail from you"
        r"|not accepting (mail|messages) from (you|this sender|your)|does not like recipient\W*$|filtered"
        r"|(don.t|do not|may not|no) (have )?permission to|isn.t a group member|external senders aren.t"
        r"|mail rule|(user|recipient) (rejects|refuses)\b|rejected by recipients|blocked by the (recipient|user)|"
        + IN_OTHER_LANGUAGES[Reason.FILTERED],
    ),
    (Reason.SYSTEM, FOR_NOW),
    # ── No such mailbox ─────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.UNKNOWN_MAILBOX,
        r"\b(user|username|recipient|mail ?box|address(ee)?|account|alias|destinat\w+|userid|login|customer"
        r"|person|name"
        r"|local part"
        r"|id|inbox)s?\b.{0,60}?"
        r"(unknown|not? (be |a |an )?(found|known|exist\w*|listed|recogni[sz]ed|valid|registered|locat\w+"
        r"|present|matched"
        r"|available here|on (this|our))|does ?n.t (exist|have)|does not (exist|have)|do not exist"
        r"|didn.t (exist|match)"
        r"|couldn.t be found|no longer (exists?|available|valid|on|active|a valid|here|in (use|service)"
        r"|accepts? (any )?(e-?)?mail\b(?! from))|non.?existent"
        r"|is invalid|is bad"
        r"|invalid|wrong|unavailable|undefined|unrecogni[sz]ed|no match|is not (a|one of)|isn.t (a|known))"
        r"|(unknown|no such|invalid|non.?existent|bad|wrong|unrecogni[sz]ed|undeliverable|incorrect|illegal"
        r"|not a (known|valid)"
        r"|not (a|our) |isn.t a|not an? (active|existing)) ?(or (illegal|invalid) )?(local |virtual |final "
        r"|delivery |e-?mail )*"
        r"(alias|user|recipient|mail ?box|address|account|person|destination|addressee|customer|userid"
        r"|name here|local.?part"
        r"|mailbox)"
        r"|no (mail ?(box|drop)|account|user by)|wasn.t found at|recipient (address )?verif\w+ fail"
        r"|unknown to address"
        r"|receiver not found|persona non grata"
        r"|no (valid )?recipients?\b|there is no (user|one|account|such)|nobody (here"
        r"|by that|with that)"
        r"|not our customer|not known (at|here)|no such (person|entry|object|local)|recip(ient)?.?not.?found"
        r"|recipnotfound"
        r"|resolver\.adr\.|550 unknown|user(name)? .{0,40}is not|does ?n.t have an? .{0,40}account|this user doesn"
        r"|(this|that|the) (user|person|recipient) (has no|is not here)|no final (e-?mail )?delivery point"
        r"|does not have a final|no matches to nameserver|could not find (the )?(user|recipient|mailbox)"
        r"|mailbox lookup fail"
        r"|unable to find (the )?(recipient|user|mailbox)|has no mailbox|not a (member|mailbox|local)"
        r"|is not accepting mail\b(?! from)"
        r"|delivery to .{0,30}not possible.{0,20}unknown|ldap.{0,24}(no such|not found)|not (listed"
        r"|found) in .{0,40}directory"
        r"|address rejected.{0,8}5\.1\.0|5\.1\.0 .{0,24}address rejected"
        r"|recipient address rejected: access denied|rcpt .{0,16}(invalid|does not exist)"
        r"|(account|user|mailbox|recipient) .{0,30}(has been |has |was |is )?(been )?(deleted|removed"
        r"|cancell?ed|purged|closed)|(deleted"
        r"|removed) (user|account|mailbox)"
        r"|mailbox .{0,30}(deleted|removed|not local)|bad destination mailbox|addressee unknown|user not"
        r"|address couldn.t be found"
        r"|recipient address rejected\W*(\(in reply to rcpt|$)|the email account that you tried to reach|no such user"
        r"|(do not|don.t) have an? (user|mailbox|account)|badrcptto|not in my validrcptto|mailbox unavaiable"
        r"|<>:? (does not exist|doesn.t exist|not found|is unknown)|in name directory|cannot deliver mail for <>|"
        + IN_OTHER_LANGUAGES[Reason.UNKNOWN_MAILBOX],
    ),
    # ── What the mail holds ─────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.CONTENT,
        r"\bspam\b|spammy|\bvirus(es)?\b|malware|infected|phish|(content|message|header|body|url|link"
        r"|attachment|subject)s?"
        r" ?.{0,24}(reject|refus|denied|blocked|not (allowed|accepted|permitted)|suspicious|prohibited|violat"
        r"|format error)"
        r"|blocked (attachment|content|file)|bulk (e-?)?mail|unsolicited|junk mail|\bube\b|\buce\b|media error"
        r"|(bad|forbidden|dangerous|executable) (attachment|content|header|extension)|header error|malformed"
        r"|looks like spam|filter reject|scored? .{0,12}points"
        r"|message (was )?(considered|classified|identified|detected)|spam[- ]?(score|filter|assassin|content)"
        r"|rejected for policy"
        r"|improper use of 8-?bit|duplicate header|no resent-from|message.{0,12}non.?compliant"
        r"|surbl|uribl"
        r"|" + IN_OTHER_LANGUAGES[Reason.CONTENT],
    ),
    # ── Policy, in so many words ────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.POLICY,
        r"polic(y|ies)|security (policy|reason|violation)|administrative(ly)? (prohibit|denied|reject|block)"
        r"|not authori[sz]ed"
        r"|delivery not authori[sz]ed|must (use|issue a) (starttls|tls)|tls (is )?required|encryption (required"
        r"|needed)"
        r"|starttls|requires? (tls|encryption)|prohibited by admin",
    ),
    # ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────
    (
        Reason.EXPIRED,
        r"(message|delivery|queue|retry|retries|timeout|time).{0,24}(expired|exceeded(?! .{0,12}hop)|timed out)"
        r"|in the queue too long|giving up after|could not (be )?deliver(ed)? for the last|retry time not reached"
        r"|not delivered within|delivery (failed|was aborted) (after )?\d+|too old|(allowed|maximum) (queue"
        r"|time).{0,16}(period|in"
        r" queue)|exceeded maximum delivery attempts|delivery attempts?.{0,24}fail|not been collected after"
        r"|gave up|given up trying"
        r"|delivery time expired|keine zustellung innerhalb|retry timeout|queue lifetime|deleted from (the )?queue"
        r"|could not be delivered for \d",
    ),
)

# What these say counts after an exact status code.
VAGUE: Table = (
    (
        Reason.NETWORK,
        r"timed? ?out|connection (refused|reset|lost|closed|dropped|timed|failed|died)|unreachable|not reachable"
        r"|no route|not responding"
        r"|(cannot|can.t|could not|couldn.t|unable to|wasn.t able to|did not accept).{0,24}(connect|establish"
        r"|contact|reach)"
        r"|network (error|problem|is down)|socket error|no answer|lost connection|server unavailable"
        r"|name (service|server) error"
        r"|(dns|name server|nameserver).{0,24}(error|fail|temporar)|host not found, try again|too many hops|\bloop"
        r"|mail forwarding|hop count|tls (handshake|negotiation|connection)|temporar\w+ (lookup|resolution)"
        r"|smtp service"
        r" (not|un)available|ssl|certificate|" + VAGUE_IN_OTHER_LANGUAGES[Reason.NETWORK],
    ),
    (
        Reason.SYSTEM,
        r"temporar|try (again|later)|local (error|problem)|server error|(mis)?configur|system (error|fail"
        r"|problem|not|config|is)"
        r"|internal (error|server|system)|i/o error|(cannot|can.t|could not|couldn.t|unable to) (open|create"
        r"|write|lock|append|store"
        r"|update|access)|command (died|failed|output|time limit)|mailer (error|died)|lock fail|disk"
        r"|permission denied|procmail"
        r"|exit status|pipe|service (not|un)?available|service refused|error while|unexpected|resource|maildrop"
        r"|signal \d|busy|transport unavailable|error opening|" + VAGUE_IN_OTHER_LANGUAGES[Reason.SYSTEM],
    ),
    (Reason.POLICY, r"access denied|not allowed|not permitted|prohibited|denied|refused|rejected|forbidden|block"),
    (Reason.UNKNOWN_MAILBOX, r"mailbox unavailable|mailbox not available|address rejected|postfach nicht verfügbar"),
)

# In links of providers, which are taken out before the words are read.
LINKS: Table = (
    (
        Reason.REPUTATION,
        r"spamhaus\.org|spamcop\.net|barracudacentral|uceprotect|abuseat\.org|sorbs\.net"
        r"|ipcheck\.|dnsbl|mailspike|spamrl\.com|csi\.cloudmark|senderscore|talosintelligence|senderbase",
    ),
    (Reason.UNKNOWN_MAILBOX, r"p=nosuchuser|answer=6596\b"),
    (Reason.MAILBOX_FULL, r"p=overquota\w*|answer=6558\b|answer=22689\b"),
    (Reason.MAILBOX_DISABLED, r"p=disableduser|answer=6592\b"),
    (Reason.RATE_LIMITED, r"p=receivingrate\w*|answer=22370\b"),
    (Reason.CONTENT, r"p=(unsolicitedmessage\w*|blockedmessage|unsolicitedrate\w*)"),
    (Reason.AUTHENTICATION, r"p=(unauthenticated\w*|ipv6authenticationerror)"),
)
