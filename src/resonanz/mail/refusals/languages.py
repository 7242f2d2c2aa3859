"""What refusals say in languages other than English, by reason: patterns that `wording` sets beside the English ones.

Most are a thing and what is wrong with it, in either order, as languages differ in that. Text and bounds are those of
`wording`. Where several languages share a word it stands in one row.
"""

from __future__ import annotations

from resonanz.mail.refusals.reasons import Reason


def _either(things: str, wrong: str, *, apart: int = 40) -> str:
    """Both orders: `Postfach … voll`, and `volles Postfach` with hardly anything between them."""
    return rf"({things}).{{0,{apart}}}({wrong})|({wrong}).{{0,12}}({things})"


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_FRENCH_GONE = (
    r"inconnu|n.exist|introuvable|non (recens|valide|trouv)|invalide|pas été trouvé|erroné"
    r"|n.est plus (utilis|valide|attribu|en service)"
)
_SPANISH_GONE = r"desconocid|no existe|no (fue |se )?(encontr|ha encontrado|pudo encontrar)|inexistente|inv[aá]lid"
_ITALIAN_GONE = r"sconosciut|non esist|inesistent|non (è )?(stat[oa] )?trovat|non valid"
_PORTUGUESE_GONE = r"desconhecid|n[aã]o exist|inexistente|n[aã]o (foi |p[oô]de ser )?encontrad|inv[aá]lid"
_DUTCH_GONE = r"onbekend|bestaat niet|niet (worden )?(gevonden|bestaand)|ongeldig"
_NORDIC_GONE = (
    r"finns inte|okänd|hittades inte|inte att hitta|ogiltig|(findes|finnes|eksisterer) ikke|ikke funnet|ukendt|ukjent"
    r"|blev ikke fundet|ikke finde|ugyldig"
)
_POLISH_GONE = r"nie istnieje|nieznan|nie (został[oay]? )?znalezion|nieprawidłow"
_RUSSIAN_GONE = r"не (был[аио]? )?найден|не существует|не зарегистрирован|неизвест|недоступ|несуществующ"
_TURKISH_GONE = r"bulunamadı|geçersiz|mevcut değil|bilinmeyen"
_CHINESE_GONE = r"不存在|未找到|找不到|无效|無效|不正确|有误"

IN_OTHER_LANGUAGES: dict[Reason, str] = {
    Reason.SENDER_REFUSED: _any(
        r"absender.{0,40}(unbekannt|abgelehnt|verweigert|ungültig|existiert nicht|nicht (gefunden|berechtigt|erlaubt))",
        r"([ée]metteur|exp[ée]diteur).{0,30}(invalide|inconnu|refus|n.exist|introuvable|interdit|non autoris)",
        r"(remitente|mittente|remetente).{0,30}(desconocid|desconhecid|sconosciut|rechazad|rifiutat|rejeitad|recusad"
        r"|inv[aá]lid|inesistente|n(o|on|[aã]o) (exist|esist|autori|(é |è )?valid|encontrad|trovat))",
        r"afzender.{0,30}(onbekend|geweigerd|ongeldig|bestaat niet)|avsändar.{0,30}(okänd|avvisa|finns inte)",
        r"отправител.{0,30}(не (найден|существует|разреш)|отклон|запрещ|неизвест|заблокирован|отверг)",
        r"nadawc.{0,30}(nieznan|odrzuc|nie istnieje|zablokowan)|gönder(en|ici).{0,30}(reddedil|geçersiz|bulunamadı)",
        r"(送信者|差出人|送信元).{0,16}(拒否|存在し|不明|認証)|(发件人|發件人|寄件者).{0,16}(不存在|拒|无效|無效|未授权)",
        r"relais? (refus|interdit)",
    ),
    Reason.REPUTATION: _any(
        r"sperrliste|schwarze liste|blockierliste|liste noire|lista (de )?(negra|nera|bloque)|zwarte lijst",
        r"ч[её]рн.{0,4} спис|czarn.{0,4} li[sś]|kara liste|ブラックリスト|拒否リスト|黑名单|黑名單",
        r"\b(ip|server|host)\b.{0,60}(gesperrt|geblockt|blockiert|bloqu[eé]|bloquead|bloccat|geblokkeerd|заблокирован"
        r"|zablokowan|engellen|拒否|被封|封禁)",
    ),
    Reason.RATE_LIMITED: _any(
        r"zu viele (verbindungen|nachrichten|e-?mails|empfänger|anfragen)|zu häufig",
        r"trop (de (connexions|messages|destinataires|requ[êe]tes)|fr[ée]quent)",
        r"demasiad[oa]s (conexiones|mensajes|destinatarios)|tropp[ei] (connessioni|messaggi|destinatari)",
        r"(muit|demasiad)[oa]s (conex[õo]es|mensagens|destinat[aá]rios)|te veel (verbindingen|berichten)",
        r"f[öo]r m[åa]ng[ae] (anslutningar|forbindelser|tilkoblinger|meddel)|слишком (много|часто)",
        r"zbyt (wiele|dużo|często)|çok (fazla|sık)|頻繁|频繁|频率|頻率|次数.{0,6}(超|过多|限)|数量.{0,6}超|レート制限",
    ),
    Reason.MAILBOX_FULL: _any(
        _either(
            r"postfach|mailbox|speicher|kontingent",
            r"\bvoll(e[rsn]?)?\b|überfüllt|ersch(ö|oe)pft|(ü|ue)berschritten|ausgeschöpft",
            apart=60,
        ),
        r"(kein|nicht gen[üu]e?gend).{0,12}speicher",
        _either(r"bo[iî]te|messagerie|quota|espace|stockage", r"pleine?\b|satur|d[ée]pass|insuffisant", apart=48),
        _either(
            r"buz[oó]n|casilla|casella|caixa|cuota|\bcota\b|\bquota\b|espa[cç]i?o|spazio|armazenamento|almacenamiento",
            r"llen[oa]|pien[ao]|chei[ao]|lotad|exced|superad|superat|supera |agotad|esaurit|esgotad|insufficient"
            r"|insuficiente|ultrapass|satur",
        ),
        r"(postvak|postbus|mailbox|opslag).{0,40}(\bvol\b|overschreden|onvoldoende)|vol(le)? postvak",
        r"(brevlåda|postlåda|inkorg|postkasse|indbakke|innboks|kvot|lagring|utrymme).{0,40}(\bfull|\bfuld|överskrid"
        r"|overskred|\bslut\b|oppbrukt)|(postilaatikko|kiintiö).{0,30}(täynnä|ylit)",
        r"переполнен|(ящик|квот|мест[ао]).{0,40}(заполнен|переполн|превыш|исчерпан|законч)|превыш.{0,24}(квот"
        r"|объ[её]м)",
        _either(r"skrzynk|pojemno|przydział|miejsca na", r"pełn|przepełnion|przekrocz|wyczerpan"),
        r"(posta kutusu|\bkota|depolama).{0,30}(\bdol|aş[ıt]|yetersiz)|(schránka|kvóta).{0,30}(pln[áa]|přeplněn"
        r"|překroč)",
        r"メールボックス.{0,20}(いっぱい|容量|上限|満杯|一杯|フル)|容量.{0,10}(超|オーバー|一杯|不足)",
        r"(邮箱|信箱|郵箱|空间|空間|容量|配额|储存).{0,12}([满滿]|不足|超出|超过|用尽)|空间不足|配额",
        r"(메일함|편지함|용량|저장).{0,12}(가득|꽉|초과|부족)",
    ),
    Reason.TOO_LARGE: _any(
        r"zu gro(ß|ss)\b|(ü|ue)berschreitet.{0,40}gr(ö|oe)(ß|ss)e|gr(ö|oe)(ß|ss)e.{0,40}(ü|ue)berschr"
        r"|größenbeschränkung",
        r"trop (gros|volumineu|lourd)|taille.{0,40}(atteinte|d[ée]pass|exc[ée]d)|d[ée]passe.{0,24}taille",
        r"demasiado grande|troppo grande|muito grande|(excede|supera|ultrapassa).{0,30}(tama[nñ]|dimension)"
        r"|(tama[nñ]h?o|dimensione).{0,40}(excede|supera|ultrapassa|exced)",
        r"\bte groot\b|för stor|for stort?\b|слишком больш|превыш.{0,30}размер|размер.{0,30}превыш",
        r"zbyt duż|rozmiar.{0,30}przekr|przekr.{0,30}rozmiar|çok büyük|boyut.{0,24}aş",
        r"サイズ.{0,12}(超|大き|制限|オーバー)|(大小|附件).{0,12}(超|过大|過大|限制)|邮件过大|郵件過大|크기.{0,12}초과",
    ),
    Reason.MOVED: _any(
        r"nicht mehr (im (unternehmen|haus|dienst|amt)|in unserem|bei (uns|der|dem))|arbeitet nicht mehr"
        r"|hat das unternehmen verlassen",
        r"ne travaille plus|ne fait plus partie|a quitté (la soci|l.entreprise|notre|l.organisation)",
        r"ya no (trabaja|pertenece|labora)|non lavora più|(n[aã]o|já n[aã]o) trabalha (mais )?|werkt niet (meer"
        r"|langer)",
        r"arbetar inte längre|arbejder ikke længere|больше не работает|(już nie|nie) pracuje|artık çalışm",
        r"退職|離職|已离职|퇴사",
    ),
    Reason.UNKNOWN_DOMAIN: _any(
        _either(
            r"\bdom(ain|äne|aene)\b",
            r"nicht (gefunden|vorhanden|bekannt|aufgelöst)|existiert nicht|unbekannt",
            apart=30,
        ),
        _either(r"\bdomaine", _FRENCH_GONE, apart=30),
        _either(r"\bdom[ií]nio", rf"{_SPANISH_GONE}|{_ITALIAN_GONE}|{_PORTUGUESE_GONE}", apart=30),
        _either(r"\bdomein", _DUTCH_GONE, apart=30),
        _either(r"\bdom[äæe]ne?n?t?\b", _NORDIC_GONE, apart=30),
        _either(r"\bдомен", _RUSSIAN_GONE, apart=30),
        _either(r"\bdomen[ay]\b", _POLISH_GONE, apart=30),
        rf"alan adı.{{0,30}}({_TURKISH_GONE})|ドメイン.{{0,16}}(見つかり|存在し|不明)",
        rf"(域名|網域|网域).{{0,16}}({_CHINESE_GONE})|도메인.{{0,16}}(없|찾을 수)",
    ),
    Reason.MAILBOX_DISABLED: _any(
        r"(konto|postfach|benutzer|account|empfänger).{0,40}(gesperrt|deaktiviert|inaktiv|stillgelegt|abgeschaltet)",
        r"(compte|bo[iî]te|adresse|utilisateur).{0,40}(d[ée]sactiv|suspendu|archiv|bloqu|inacti)",
        r"(cuenta|\bconta\b|buz[oó]n|casilla|casella|caixa|usu[aá]rio|utente|utenza).{0,40}(suspend|suspens|sospes"
        r"|desactivad|desativad|deshabilitad|desabilitad|disabilitat|disattivat|inac?tiv|inattiv|blo(que|cc)a)",
        r"(account|postvak|mailbox|gebruiker).{0,30}(uitgeschakeld|geblokkeerd|gedeactiveerd|inactief|opgeschort)",
        r"(konto|postlåda|användare|bruger|bruker).{0,30}(inaktiv|spärrad|avstängd|spærret|deaktiver|sperret)",
        r"(ящик|аккаунт|пользовател|уч[её]тн\w{1,4} запис).{0,40}(заблокирован|отключ[её]н|неактив|приостановлен"
        r"|заморожен)",
        r"(konto|skrzynk|użytkownik).{0,30}(zablokowan|nieaktywn|wyłączon|zawieszon)",
        r"(hesa[bp]|posta kutusu|kullanıcı).{0,30}(devre dışı|askıya|engellen|pasif)",
        r"(アカウント|メールボックス|ユーザ).{0,20}(停止|無効|凍結|休止|ロック)|停用|冻结|凍結|被禁用|未激活"
        r"|(계정|메일함).{0,12}(정지|비활성|휴면)",
    ),
    Reason.FILTERED: _any(
        r"(vom|von dem) empfänger (abgelehnt|blockiert|gesperrt|verweigert|zurückgewiesen)|empfänger lehnt",
        r"(refusé|rejeté|bloqué)e? par le destinataire|destinataire (refuse|n.accepte)",
        r"(rechazad|bloquead|rifiutat|bloccat|recusad|rejeitad)[oa] (por el|dal|pelo) destinat",
        r"(geweigerd|geblokkeerd) door de ontvanger|(отклонен|отверг)\w{0,4} получател|odrzucon\w{1,3} przez odbiorc",
        r"受信拒否|受信者.{0,12}拒否|被收件人拒|拒收|수신 ?거부|alıcı tarafından (reddedil|engellen)",
    ),
    Reason.UNKNOWN_MAILBOX: _any(
        r"empf[äa]e?nger.{0,60}(unbekannt|nicht (gefunden|bekannt|vorhanden|erreichbar)|existiert nicht|ung[üu]e?ltig)",
        r"(adresse|postfach|benutzer|konto|teilnehmer).{0,40}(unbekannt|nicht gefunden|existiert nicht"
        r"|nicht (vorhanden|bekannt)|konnte nicht gefunden|ung[üu]e?ltig)|unbekannte[rs]? (benutzer|empf|adress)",
        r"kein (solches |solcher )?(postfach|benutzer|konto)\b",
        _either(r"adresse|utilisateur|destinataire|compte|bo[iî]te", _FRENCH_GONE, apart=60) + "|n.existe pas",
        _either(r"usuario|direcci[oó]n|destinatario|cuenta|buz[oó]n|casilla", _SPANISH_GONE),
        _either(r"utente|indirizzo|destinatario|casella", _ITALIAN_GONE) + "|nessun (utente|destinatario|indirizzo)",
        _either(r"usu[aá]rio|endere[cç]o|destinat[aá]rio|\bconta\b|\bcaixa\b", _PORTUGUESE_GONE),
        _either(r"adres\b|gebruiker|geadresseerde|ontvanger|postvak", _DUTCH_GONE),
        _either(r"användare|adress|mottagar|modtager|mottaker|bruger|bruker|adresse", _NORDIC_GONE),
        _either(r"adresat|użytkownik|adres|konto|odbiorc|skrzynk", _POLISH_GONE),
        r"nie ma (takie\w{1,3} )?(użytkownik|adres|kont|odbiorc|skrzynk)",
        _either(r"пользовател|адрес|получател|ящик", _RUSSIAN_GONE, apart=60),
        r"нет так\w{2,3} (пользовател|адрес|получател|ящик)|так\w{2,3} (пользовател|адрес|получател|ящик)\w{0,4} нет",
        _either(r"kullanıcı|adres|alıcı|posta kutusu|hesap", _TURKISH_GONE)
        + r"|(kullanıcı|adres|alıcı|hesap)\w{0,4} yok",
        _either(r"adresát|uživatel|adresa|příjemce|schránka", r"neexistuje|nenalezen|neznám|nebyla nalezena"),
        r"(osoite|vastaanottaja|käyttäjä).{0,30}(tuntematon|ei löy)|(címzett|felhasználó).{0,30}(nem létez|ismeretlen)"
        r"|ismeretlen (címzett|felhasználó)",
        r"(あて先|宛先|ユーザ|アドレス|受信者).{0,40}(見つかり|存在し|不明|ありません|不存在|誤り|間違)|ユーザー?不明",
        rf"(收件人|用户|用戶|地址|帐号|账号|邮箱|郵箱|信箱|使用者|帳號).{{0,20}}({_CHINESE_GONE})|不存在",
        r"找不到.{0,4}(收件人|用户|用戶|地址|邮箱|郵箱|信箱)",
        r"(사용자|주소|수신자|받는 사람|계정).{0,20}(없|찾을 수|존재하지)",
        _either(r"користувач|отримувач|адрес|скриньк", r"не (існує|знайден)|невідом"),
        _either(r"χρήστη|παραλήπτη|διεύθυνση", r"δεν (υπάρχει|βρέθηκε)|άγνωστ"),
        r"(משתמש|נמען|כתובת).{0,20}לא (קיים|קיימת|נמצא)|(المستخدم|المستلم|العنوان).{0,20}غير (موجود|معروف)",
    ),
    Reason.CONTENT: _any(
        r"pourriel|courrier indésirable|correo (no deseado|basura)|posta indesiderata|lixo eletr|ongewenst|skräppost",
        r"uønsket|niechcian|niepożądan|istenmeyen|спам|вирус|スパム|迷惑メール|ウイルス|垃圾|病毒|스팸|바이러스",
    ),
}

# What counts only after an exact status code.
VAGUE_IN_OTHER_LANGUAGES: dict[Reason, str] = {
    Reason.NETWORK: _any(
        r"zeitüberschreitung|verbindung.{0,40}(abgelehnt|fehlgeschlagen|nicht (möglich|hergestellt)|getrennt)",
        r"(connexion|conexi[oó]n|connessione|conex[aã]o).{0,40}(refus|impossible|échou|rechazad|fall|rifiutat|recusad)",
        r"соединени\w{1,3}.{0,30}(не удалось|отклон|разорван)|połączeni\w{1,2}.{0,30}(odrzuc|nie udało)",
        r"接続.{0,12}(失敗|拒否|できま)|タイムアウト|连接.{0,12}(失败|超时|被拒)|連線.{0,12}(失敗|逾時)",
    ),
    Reason.SYSTEM: _any(
        r"vorübergehend|später (noch ?mal|erneut|wieder)|(essayer|réessayer) plus tard|temporaire",
        r"(intente|int[eé]ntelo|prueb)\w{0,3} (de nuevo )?m[aá]s tarde|rechazo temporal|riprov\w{1,3} più tardi",
        r"tent\w{1,3} (novamente )?mais tarde|probeer het later|försök (igen )?senare|prøv igen senere",
        r"(попробуйте|повторите).{0,24}(позже|позднее)|spróbuj (ponownie )?później|daha sonra (tekrar|yeniden)",
        r"一時的|しばらく|稍后再试|稍後再試|请稍后|나중에 다시",
    ),
}

# Not now, whatever the words beside it say of the address.
FOR_NOW = _any(
    r"vorübergehend|(momentan|zurzeit|derzeit) nicht|temporairement|temporalmente|temporane|temporariamente|tijdelijk",
    r"tillfällig|midlertidig|tymczasowo|chwilowo|временно|geçici olarak|一時的|暂时|暫時|일시적",
)
