"""An OAuth server that answers as Google's and Microsoft's do: codes with PKCE, devices, refresh tokens that change."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from resonanz.outbound.oauth import DEVICE_GRANT, Client, Provider, challenge_of
from tests.kit.certificates import make_certificate


@dataclass
class OAuthServer:
    """What it knows and was asked. `fail_with` is answered in place of a token: a status and an error's name."""

    url: str = ""
    certificate: Path = Path()
    client_id: str = "our-app"
    client_secret: str = "our-secret"
    seconds: int = 3600
    rotates: bool = False
    fail_with: tuple[int, str] | None = None
    refresh_tokens: set[str] = field(default_factory=set)
    access_tokens: list[str] = field(default_factory=list)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    pending: int = 2
    user: str = ""
    withdrawn: set[str] = field(default_factory=set)

    def provider(self, *, device: bool = True) -> Provider:
        """This server in the form of a known provider."""
        at = f"{self.url}/{{tenant}}"
        device_url = f"{at}/device" if device else ""
        extra = {"access_type": "offline"}
        return Provider(
            "The test provider", "localhost", f"{at}/authorize", f"{at}/token", device_url, "mail offline_access", extra
        )

    def allow(self, sign_in_url: str) -> tuple[str, str]:
        """Sign in as a person would; return the code and the state that come back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(sign_in_url).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == self.client_id
        code = secrets.token_urlsafe(8)
        self.codes[code] = query["code_challenge"], query["redirect_uri"]
        return code, query["state"]

    def new_refresh_token(self) -> str:
        """A refresh token that it honours."""
        token = secrets.token_urlsafe(16)
        self.refresh_tokens.add(token)
        return token

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer one request."""
        self.asked.append(form)
        if path.endswith("/device"):
            return 200, {"device_code": "dev", "user_code": "ABCD-EFGH", "verification_uri": f"{self.url}/go",
                         "interval": 1, "expires_in": 60}  # fmt: skip
        if self.fail_with:
            return self.fail_with[0], {"error": self.fail_with[1]}
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client"}
        match form.get("grant_type"):
            case "authorization_code":
                challenge, redirect = self.codes.pop(form["code"], ("", ""))
                if challenge_of(form["code_verifier"]) != challenge or form["redirect_uri"] != redirect:
                    return 400, {"error": "invalid_grant"}
                return 200, self._grant(refresh=True)
            case "refresh_token":
                if form["refresh_token"] not in self.refresh_tokens:
                    return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
                if self.rotates:
                    self.refresh_tokens.discard(form["refresh_token"])
                return 200, self._grant(refresh=self.rotates)
            case kind if kind == DEVICE_GRANT:
                self.pending -= 1
                return (
                    (400, {"error": "authorization_pending"}) if self.pending > 0 else (200, self._grant(refresh=True))
                )
        return 400, {"error": "unsupported_grant_type"}

    def _grant(self, *, refresh: bool) -> dict[str, Any]:
        self.access_tokens.append(f"access-{len(self.access_tokens)}")
        grant = {"access_token": self.access_tokens[-1], "expires_in": self.seconds, "token_type": "Bearer"}
        return {**grant, **({"refresh_token": self.new_refresh_token()} if refresh else {})}

    def describe(self, token: str) -> tuple[int, dict[str, Any]]:
        """Tell a mail server whose an access token is."""
        if token in self.access_tokens and token not in self.withdrawn:
            return 200, {"email": self.user, "expires_in": self.seconds}
        return 400, {"error": "invalid_token"}

    def client(self, provider: str = "test") -> Client:
        """Our application there."""
        return Client(provider, self.client_id, self.client_secret)


@contextmanager
def running_oauth_server(folder: Path) -> Iterator[OAuthServer]:
    """Serve over TLS until the block ends."""
    import ssl

    server = OAuthServer()
    server.certificate, key = make_certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._tell(*server.describe(self.path.partition("access_token=")[2]))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._tell(*server.answer(self.path, form))

        def _tell(self, status: int, answer: dict[str, Any]) -> None:
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, key)
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.socket = context.wrap_socket(listener.socket, server_side=True)
    server.url = f"https://localhost:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
