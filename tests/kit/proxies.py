"""Debian's Caddy as a TLS proxy on this machine, with its internal CA, after the recipe in `docs/Caddyfile`."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.edges import Reply, parse_reply
from tests.kit.waiting import wait_for

RECIPE = Path(__file__).parents[2] / "docs" / "Caddyfile"


class Caddy:
    """A running Caddy. `port` is where it speaks TLS."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._authority = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        self._log = folder / "caddy.log"

    def ask(self, host: str, path: str, headers: dict[str, str] | None = None, source: str = "127.0.0.1") -> Reply:
        """GET over TLS from the address `source`, verified for `host` against the internal CA.

        Raises ssl.SSLError or ConnectionError when there is no certificate for it.
        """
        context = ssl.create_default_context(cafile=self._authority)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0)) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            received = bytearray()
            while chunk := connection.recv(65536):
                received += chunk
        reply = parse_reply(bytes(received))
        assert reply is not None, self.log()
        return reply

    def is_ready(self) -> bool:
        """Whether it has made its CA and listens."""
        with socket.socket() as probe:
            return self._authority.exists() and probe.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text("utf-8", "replace")


@contextmanager
def caddy(folder: Path, port: int, *, edge: str, ask: str) -> Iterator[Caddy]:
    """Run Caddy with the recipe's part for links: the edge at `edge` and its listener for operators at `ask` (both
    `host:port`)."""
    assert shutil.which("caddy"), "these tests run Debian's caddy; `make test` installs it, or: apt install caddy"
    recipe = RECIPE.read_text()
    links = recipe.partition("resonanz.example.org {")[0]
    assert "on_demand" in links
    links = links.replace("127.0.0.1:8610", ask).replace("127.0.0.1:8601", edge)
    links = links.replace("{\n\ton_demand_tls", f"{{\n\tlocal_certs\n\tadmin off\n\tskip_install_trust\n"
                          f"\tauto_https disable_redirects\n\thttps_port {port}\n\ton_demand_tls", 1)  # fmt: skip
    config = folder / "Caddyfile"
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(links)
    running = Caddy(folder, port)
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"),
                   "HOME": str(folder)}  # fmt: skip
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"], env=environment, stdout=log, stderr=log
        )
    try:

        def is_up() -> bool:
            assert process.poll() is None, running.log()
            return running.is_ready()

        wait_for(is_up, "Caddy")
        yield running
    finally:
        process.terminate()
        process.wait(20)
