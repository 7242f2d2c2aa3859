"""Mail programs and image proxies as they say who they are, and what they are called here.

Written after the shape of the real strings: every program that uap-core knows as a mail client or mail proxy is here,
in each of the forms in which it comes.
"""
# ruff: noqa: E501  # user agents are as long as they are

from __future__ import annotations

CLIENTS: tuple[tuple[str, str], ...] = (
    # Outlook for Windows: with Word's engine as an Internet Explorer, or as Office; each with and without its name.
    ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; .NET CLR 2.0.50727; MSOffice 12)", "Outlook (Windows)"),
    ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/4.0; SLCC2; MSOffice 14)", "Outlook (Windows)"),
    ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.2; Trident/7.0; Microsoft Outlook 15.0.5589)", "Outlook (Windows)"),
    ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/8.0; Microsoft Outlook 16.0.17328; ms-office; MSOffice 16)", "Outlook (Windows)"),
    ("Mozilla/4.0 (compatible; ms-office; MSOffice rmj)", "Outlook (Windows)"),
    ("Mozilla/4.0 (compatible; ms-office; MSOffice 15)", "Outlook (Windows)"),
    ("Microsoft Office/12.0 (Windows NT 6.0; Microsoft Office Outlook 12.0.6607; Pro)", "Outlook (Windows)"),
    ("Microsoft Office/14.0 (Windows NT 5.1; Microsoft Outlook 14.0.7268; Pro)", "Outlook (Windows)"),
    ("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.14326; Pro)", "Outlook (Windows)"),
    ("Microsoft Office/16.0 (Microsoft Outlook Mail 16.0.8827; Pro)", "Outlook (Windows)"),
    ("MacOutlook/16.78.23100802 (Intelx64 Mac OS X Version 13.6 (Build 22G120))", "Outlook (Mac)"),
    ("Outlook-iOS/723.4109.prod.iphone (4.2340.0)", "Outlook (iOS)"),
    ("Outlook-Android/2.0", "Outlook (Android)"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Outlook-iOS-Android/1.0 Mobile/20G75 Safari/604.1", "Outlook (iOS, Android)"),
    # Windows Live Mail still calls itself by its forerunner's name.
    ("Outlook-Express/7.0 (MSIE 6.0; Windows NT 5.1; SV1; TmstmpExt)", "Windows Live Mail"),
    ("Outlook-Express/7.0 (MSIE 7.0; Windows NT 6.0; SLCC1; .NET CLR 3.5.30729; TmstmpExt)", "Windows Live Mail"),
    ("Outlook-Express/7.0 (MSIE 7.0; Windows NT 5.1; Trident/4.0; GTB6.6; TmstmpExt)", "Windows Live Mail"),
    ("Outlook-Express/7.0 (MSIE 8; Windows NT 6.1; Trident/4.0; SLCC2; TmstmpExt)", "Windows Live Mail"),
    ("Outlook-Express/7.0 (MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; InfoPath.3; TmstmpExt)", "Windows Live Mail"),
    ("Outlook-Express/7.0 (MSIE 9.0; Windows NT 6.1; Trident/5.0; BRI/2; TmstmpExt)", "Windows Live Mail"),
    ("Outlook-Express/7.0 (MSIE 9.11; Windows NT 6.3; WOW64; Trident/7.0; .NET4.0E; TmstmpExt)", "Windows Live Mail"),
    # Mozilla's, with and without the calendar, and its relatives.
    ("Mozilla/5.0 (Windows NT 10.0; rv:115.0) Gecko/20100101 Thunderbird/115.4.1", "Thunderbird"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:91.0) Gecko/20100101 Thunderbird/91.12.0", "Thunderbird"),
    ("Mozilla/5.0 (X11; Linux i686; rv:31.0) Gecko/20100101 Thunderbird/31.2.0 Lightning/3.3.1", "Thunderbird"),
    ("Mozilla/5.0 (X11; U; Linux i686; de; rv:1.9.2.28) Gecko/20120306 Lightning/1.0b2 Thunderbird/3.1.20", "Thunderbird (Lightning)"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:16.0) Gecko/20100101 Postbox/7.0.60", "Postbox"),
    # The others.
    ("Mozilla/4.0 (compatible; Lotus-Notes/8.5; Windows-NT)", "Lotus Notes"),
    ("Superhuman", "Superhuman"),
    ("Barca/3.0.1", "Barca"),
    ("BarcaPro/2.8.5", "Barca"),
    ("The Bat! 9.5.0.6", "The Bat!"),
    ("MailBar/1.4.0 (Mac OS X Version 10.13.6 (Build 17G65))", "MailBar"),
    ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) kmail2/5.1.3 Safari/538.1", "KMail"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", "Apple Mail"),
    ("Airmail 1.2 rv:229 (Macintosh; Mac OS X 10.9.1; de_DE)", "Airmail"),
    ("Airmail 2.1.1 rv:306 (Macintosh; Mac OS X 10.10.5; en_US)", "Airmail"),
    ("Evolution/3.44.4", "Evolution"),
    ("DAVdroid/1.11-gplay (2018/03/29; dav4android; okhttp3) Android/8.0.0", "DAVdroid"),
    ("DAVdroid/2.0.7-ose (2018/12/01; dav4android; okhttp3) Android/9", "DAVdroid"),
)  # fmt: skip

PROXIES: tuple[tuple[str, str], ...] = (
    ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "Gmail image proxy"),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "Yahoo Mail proxy"),
    ("hey.com/imageproxy Mozilla/5.0 (compatible)", "HEY image proxy"),
    ("FastmailUA/1.0", "Fastmail image proxy"),
)
