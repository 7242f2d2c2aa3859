"""Questions that Resonanz asks of others: names in DNS, files on web servers. Nothing here is ever asked while a reader
waits."""

from resonanz.outbound.dns import Resolver
from resonanz.outbound.web import Rules, fetch, is_public

__all__ = ["Resolver", "Rules", "fetch", "is_public"]
