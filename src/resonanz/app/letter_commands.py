"""The letter on the command line: instrument files of mail, read reports about mail, read and mint tokens.

Needs no database and no server.

What `instrument` and `bounce` write is an interface: programs read it. Fields may be added, never renamed.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from resonanz.model import InvalidInput, ResonanzError, new_id

if TYPE_CHECKING:
    from resonanz.mail import Instrumented, PartReport
    from resonanz.mail.reports import Report
    from resonanz.tokens import Keys, Token

DEFAULT_BASE_URL = "http://localhost:8601"  # where the edge of a fresh instance listens
KEY_FILE = "keys.json"


class _HexKey(click.ParamType[bytes]):
    """A signing key in hexadecimal, 16 to 64 bytes."""

    name = "hex"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            secret = value if isinstance(value, bytes) else bytes.fromhex(value)
        except ValueError:
            self.fail("not hexadecimal", param, ctx)
        if not 16 <= len(secret) <= 64:
            self.fail("a key has 16 to 64 bytes", param, ctx)
        return secret


_key_option = click.option(
    "--key", "secret", type=_HexKey(), help="Signing key; default: the one in the data folder, made if there is none."
)
_base_url_option = click.option(
    "--base-url",
    envvar="RESONANZ_EDGE_URL",
    default=DEFAULT_BASE_URL,
    show_default=True,
    help="Tracking host with its scheme, no trailing slash.",
)


def _keys(secret: bytes | None, *, create: bool) -> Keys:
    """Return the key given, or those of the data folder (RESONANZ_DATA_DIR, else ./data)."""
    from resonanz.tokens import Key, Keys, create_keys, load_keys

    if secret is not None:
        return Keys([Key(1, secret)])
    folder = Path(os.environ.get("RESONANZ_DATA_DIR") or "data")
    if not create:
        return load_keys(folder / KEY_FILE)
    folder.mkdir(parents=True, exist_ok=True)
    return create_keys(folder / KEY_FILE)


# ── instrument ──────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--out-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where the mails go.")
@click.option("--report-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="And the reports.")
@click.option("--type", "kind", type=click.Choice(["eml", "html"]), help="Default: html for .html and .htm, else eml.")
@_base_url_option
@_key_option
@click.option("--message", type=click.UUID, help="Message id in the tokens; default: a new one for each file.")
@click.option("--text-links", is_flag=True, help="Track links in text/plain parts too.")
@click.option("--text", "with_text", is_flag=True, help="Also write the readable text of the HTML as FILE.txt.")
def instrument(
    files: tuple[Path, ...],
    out_dir: Path,
    report_dir: Path,
    kind: str | None,
    base_url: str,
    secret: bytes | None,
    message: UUID | None,
    text_links: bool,
    with_text: bool,
) -> None:
    """Rewrite the links of mails and add the pixel; report every change as JSON.

    One process takes many files and never stops at a bad one. The exit code is 1 when a file could not be read or
    written.
    """
    from resonanz.mail import Tracking

    keys = _keys(secret, create=True)
    out_dir.mkdir(parents=True, exist_ok=True)
    report_dir.mkdir(parents=True, exist_ok=True)
    tracked = failed = 0
    for file, name in _named(files):
        tracking = Tracking(base_url.rstrip("/"), keys, message or new_id(), text_links=text_links)
        try:
            result = _instrument_file(file, kind or _kind_of(file), tracking)
            (out_dir / name).write_bytes(result.message)
            if with_text:
                (out_dir / f"{name}.txt").write_text(_readable(file, kind or _kind_of(file)), "utf-8")
            report = report_of(str(file), result, tracking.message)
        except OSError as error:
            failed += 1
            click.echo(f"resonanz: {file}: {error.strerror or error}", err=True)
            report = {"file": str(file), "tracked": False, "reason": "unreadable", "parts": [], "splices": []}
        _write_report(report_dir / f"{name}.json", report)
        tracked += bool(report["tracked"])
    click.echo(f"{len(files)} files: {tracked} tracked, {len(files) - tracked} as they came")
    if failed:
        raise SystemExit(1)


def _kind_of(file: Path) -> str:
    return "html" if file.suffix.lower() in (".html", ".htm") else "eml"


def _instrument_file(file: Path, kind: str, tracking: Any) -> Instrumented:
    from resonanz.mail import instrument, instrument_html

    data = file.read_bytes()
    return instrument_html(data, tracking) if kind == "html" else instrument(data, tracking)


def _readable(file: Path, kind: str) -> str:
    from resonanz.mail import readable_text

    return readable_text(file.read_bytes(), is_html=kind == "html")


def _named(files: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file with the name its output gets: its own, numbered when two folders hold files of one name."""
    seen: dict[str, int] = {}
    for file in files:
        count = seen[file.name] = seen.get(file.name, 0) + 1
        yield file, file.name if count == 1 else f"{file.stem}-{count}{file.suffix}"


def _write_report(path: Path, report: dict[str, Any]) -> None:
    # A lone surrogate (possible in a UTF-16 mail) has no UTF-8; JSON's own escapes carry it.
    path.write_text(json.dumps(report, indent=1), "ascii")


def report_of(file: str, result: Instrumented, message: UUID) -> dict[str, Any]:
    """Return the report of one file. Offsets in `splices` count bytes of the input; their bytes are base64."""
    return {
        "file": file,
        "tracked": result.tracked,
        "reason": result.reason,
        "message": str(message),
        "coverage": result.coverage,
        "warnings": list(result.warnings),
        "parts": [_part(part) for part in result.parts],
        "splices": [
            {"start": start, "end": end, "original": _base64(original), "replacement": _base64(replacement)}
            for start, end, original, replacement in result.splices
        ],
    }


def _part(part: PartReport) -> dict[str, Any]:
    return {
        "path": part.path,
        "type": part.type,
        "charset": part.charset,
        "reason": part.reason,
        "links": [
            {
                "index": link.index,
                "kind": link.kind.name.lower(),
                "original": link.original,
                "destination": link.destination,
                "url": link.url,
                "replacement": link.replacement,
            }
            for link in part.links
        ],
        "untracked": [{"href": link.href, "reason": link.reason} for link in part.untracked],
        "pixel": part.pixel,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


# ── bounce ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@_key_option
def bounce(files: tuple[Path, ...], secret: bytes | None) -> None:
    """Read reports that came back about mail: bounces, delays, complaints, receipts; print one line of JSON each.

    Needs no configuration. Never stops at a bad file: one that cannot be read has the kind none and an error. With keys
    at hand the token is verified and its message named; without, `token` is what has the shape of one.
    """
    keys = _keys_at_hand(secret)
    for file in files:
        try:
            said = _bounce_file(file, keys)
        except OSError as error:
            said = {"file": str(file), "kind": "none", "recipients": [], "message_id": None, "token": None}
            said["error"] = error.strerror or str(error)
        click.echo(json.dumps(said))


def _keys_at_hand(secret: bytes | None) -> Keys | None:
    """Return the keys given or those of the data folder; None where there are none, for reports are read without."""
    try:
        return _keys(secret, create=False)
    except ResonanzError:
        return None


def _bounce_file(file: Path, keys: Keys | None) -> dict[str, Any]:
    from resonanz.mail.reports import MAX_BYTES, read_report

    with file.open("rb") as opened:
        report = read_report(opened.read(MAX_BYTES))
    said: dict[str, Any] = {"file": str(file), **_report(report)}
    if keys is not None:
        said |= _verified(report, keys)
    return said


def _report(report: Report) -> dict[str, Any]:
    return {
        "kind": report.kind.value,
        "recipients": [
            {
                "address": one.address,
                "outcome": one.outcome.value if one.outcome else None,
                "status": one.status or None,
                "code": one.code,
                "reason": one.reason.value if one.reason else None,
                "diagnostic": one.diagnostic or None,
            }
            for one in report.recipients
        ],
        "message_id": report.message_id or None,
        "token": report.token or None,
        "detail": report.detail or None,
    }


def _verified(report: Report, keys: Keys) -> dict[str, Any]:
    from resonanz.mail.reports import find_token

    found = find_token(report, keys)
    return {"token": found[0], "message": str(found[1])} if found else {"token": None}


# ── token ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@click.group()
def token() -> None:
    """Read and mint the signed tokens in tracking URLs."""


@token.command()
@click.argument("texts", nargs=-1, required=True, metavar="URL|TOKEN…")
@_key_option
def read(texts: tuple[str, ...], secret: bytes | None) -> None:
    """Verify tokens and print what they say: one line of JSON each. Exit code 1 when one is not ours."""
    keys = _keys(secret, create=False)
    bad = False
    for text in texts:
        try:
            said = _say(_read_any(keys, text))
        except ResonanzError as error:
            bad = True
            said = {"error": str(error)}
        click.echo(json.dumps(said))
    if bad:
        raise SystemExit(1)


def _read_any(keys: Keys, text: str) -> Token:
    """Read a bare token, a URL that holds one in its path, or a return path."""
    from resonanz.tokens import RETURN_PATH_PREFIX, BadToken, Token, TokenKind, read_return_path
    from resonanz.tokens import read as read_token

    local = text.rpartition("@")[0] or text
    if local.lower().startswith(RETURN_PATH_PREFIX):
        return Token(TokenKind.RETURN_PATH, read_return_path(keys, local))
    path = text.partition("://")[2].partition("?")[0].partition("#")[0] if "://" in text else text
    problem: ResonanzError = BadToken("no token in it", where="token")
    for piece in sorted(path.split("/"), key=len, reverse=True):
        try:
            return read_token(keys, piece.removesuffix(".gif"))
        except BadToken as error:
            problem = problem if piece != max(path.split("/"), key=len) else error
    raise problem


def _say(found: Token) -> dict[str, Any]:
    return {
        "kind": found.kind.name.lower(),
        "id": str(found.id),
        "anonymous": found.anonymous,
        "link": found.link,
        "destination": found.destination or None,
    }


@token.command()
@click.option(
    "--kind",
    type=click.Choice(["open", "click", "file", "unsubscribe", "preferences", "view", "return_path"]),
    default="click",
    show_default=True,
)
@click.option(
    "--id", "id_", type=click.UUID, help="Message id, or the campaign's with --anonymous; default: a new one."
)
@click.option("--link", type=click.IntRange(0, 2**31 - 1), help="Index of the link in the mail (click and file).")
@click.option("--destination", default="", help="Where a click leads.")
@click.option("--anonymous", is_flag=True, help="The id names a campaign, not a person's mail.")
@_key_option
def mint(
    kind: str, id_: UUID | None, link: int | None, destination: str, anonymous: bool, secret: bytes | None
) -> None:
    """Sign a token and print it."""
    from resonanz.tokens import Token, TokenKind, mint_return_path
    from resonanz.tokens import mint as mint_token

    keys, owner = _keys(secret, create=True), id_ or new_id()
    if kind == "return_path":
        click.echo(mint_return_path(keys, owner))
        return
    if kind in ("click", "file"):
        if not destination:
            raise InvalidInput(f"a {kind} token needs a destination", where="--destination")
        link = link or 0
    click.echo(mint_token(keys, Token(TokenKind[kind.upper()], owner, anonymous, link, destination)))


commands: tuple[click.Command, ...] = (instrument, bounce, token)
