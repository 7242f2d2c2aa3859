"""The codes that say why a verdict was given. They are stored with events: a code is never renamed or reused."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One piece of evidence. `insight.explain` has the words for each."""

    # How it was asked, and by whom by its own word.
    METHOD_NOT_GET = "method_not_get"
    PREFETCH_HEADER = "prefetch_header"
    GMAIL_PREFETCH = "gmail_prefetch"
    MAIL_PROXY = "mail_proxy"
    PROXY_FOLLOWED_LINK = "proxy_followed_link"
    BARE_MOZILLA = "bare_mozilla"
    SCANNER_AGENT = "scanner_agent"
    PREVIEW_AGENT = "preview_agent"
    CRAWLER_AGENT = "crawler_agent"
    PROGRAM_AGENT = "program_agent"
    NO_AGENT = "no_agent"
    POSTED = "posted"
    NOT_A_BROWSER = "not_a_browser"
    MAIL_CLIENT = "mail_client"
    BROWSER = "browser"
    APP = "app"
    UNKNOWN_CLIENT = "unknown_client"
    # Where it came from.
    OWN = "own"
    APPLE_NETWORK = "apple_network"
    PROXY_NETWORK = "proxy_network"
    OTHER_NETWORK = "other_network"
    SCANNER_NETWORK = "scanner_network"
    PREVIEW_NETWORK = "preview_network"
    SECURITY_NETWORK = "security_network"
    PROVIDER_NETWORK = "provider_network"
    HOSTING_NETWORK = "hosting_network"
    # When, and together with what.
    BEFORE_DELIVERY = "before_delivery"
    AT_ONCE = "at_once"
    ASKED_BEFORE = "asked_before"
    SWEEP = "sweep"
    NO_TIME_TO_READ = "no_time_to_read"
    CROWD = "crowd"
    SAME_SOURCE = "same_source"
    OTHER_DEVICE = "other_device"
    OPENED_HERE = "opened_here"
    ACTED = "acted"
    REPLIED = "replied"
    WINDOW_OPEN = "window_open"
