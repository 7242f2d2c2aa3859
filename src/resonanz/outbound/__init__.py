"""Questions that Resonanz asks of others: names in DNS, files on web servers. Nothing here is ever asked while a reader
waits."""

from resonanz.outbound.dns import Resolver
from resonanz.outbound.web import Answer, Poster, Reply, Rules, check_url, fetch, is_public, post

__all__ = ["Answer", "Poster", "Reply", "Resolver", "Rules", "check_url", "fetch", "is_public", "post"]
