"""Questions that Resonanz asks of others: names in DNS, files on web servers. Nothing here is ever asked while a reader
waits."""

from resonanz.outbound.dns import Resolver
from resonanz.outbound.web import Answer, Rules, fetch, is_public, post

__all__ = ["Answer", "Resolver", "Rules", "fetch", "is_public", "post"]
