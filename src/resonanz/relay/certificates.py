"""The certificate of the SMTP doors. A renewed one is used from the next handshake on, without a restart."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

from resonanz.model import InvalidInput

log = structlog.get_logger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """Certificate chain and key in PEM files. Raises InvalidInput when they cannot be used from the start.

    `context` is what doors listen with. Each handshake looks whether the files have changed; while the new ones cannot
    be used (the second file is still to come, say) the old ones stay in force.
    """

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self._files = (certificate, key)
        self._stamp = self._look()
        try:
            self._current = self._load()
            self.context = self._load()
        except OSError as error:
            raise InvalidInput(
                f"certificate and key cannot be read: {error.strerror or error}",
                where="RESONANZ_RELAY_CERTIFICATE",
                remedy="both must be PEM files that belong together",
            ) from error
        # Despite its name it is called in every handshake, also when the client names no host.
        self.context.sni_callback = self._use_current

    def _use_current(self, handshake: ssl.SSLObject | ssl.SSLSocket, _host: str | None, _context: object) -> None:
        stamp = self._look()
        if stamp != self._stamp:
            try:
                self._current = self._load()
                log.info("the certificate has been renewed", file=str(self._files[0]))
            except OSError as error:
                log.error("the new certificate cannot be used; the old one stays", error=str(error))
            self._stamp = stamp
        handshake.context = self._current

    def _load(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        return context

    def _look(self) -> _Stamp:
        """What changes with the files: renewing tools put new files in their place, or write into the old ones."""
        found = []
        for path in self._files:
            try:
                status = path.stat() if path else None
            except OSError:
                status = None
            found.append((status.st_ino, status.st_mtime_ns, status.st_size) if status else (0, 0, 0))
        return tuple(found)
