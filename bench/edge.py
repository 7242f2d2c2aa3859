"""The edge: pixels and redirects per second, each hit verified, journalled and fsynced before it is answered.

    python -m bench edge [--seconds 2] [--rounds 6] [--connections 64 256] [--long MILLIONS]

Needs `wrk` and `nginx` (Debian packages of these names). Compared in turns, so that whatever else the machine does
hits all alike: `granian`, the same HTTP server with a constant answer, no journal and asyncio's own event loop, as
anybody would run it; `constant`, the same in the edge's loop, which answers where a request arrives; the stages in
between; and nginx with one worker doing `empty_gif` or `return 302` with a buffered access log, which loses what is in
its buffer. Every request carries another token. Printed is the best of several short rounds, because other programs can
only slow a round down, and ratios from this run; figures of other runs do not mix. The aims are 0.35 of nginx (`of
aim`: how far each stage is) and 0.8 of granian with a constant answer.

`--long` does nothing but drive an edge for so many million hits and print its memory after each.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from resonanz.edge import answers
from resonanz.edge.app import Edge, build
from resonanz.edge.client import EVIDENCE, evidence
from resonanz.edge.loop import EdgeLoop
from resonanz.edge.serve import EdgeSettings, http_server, run
from resonanz.journal import JournalReader
from resonanz.tokens import TAG_BYTES, BadToken, Key, Keys, Token, TokenKind, create_keys, load_keys, mint, verify

TOKENS = 20_000
LINKS = 50  # different destinations, as in a campaign
STAGES = ("granian", "constant", "parsing", "verifying", "edge")
KINDS = ("pixels", "redirects")
AIM_OF_NGINX = 0.35
JOURNAL_BYTES = 256 * 1024**2  # small, so that giving up the oldest pixels is part of what is measured

_LUA = """
local requests, number = {}, 0
local pause = tonumber(os.getenv("PAUSE_MS") or "0")
function init(arguments)
  for path in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", path, {
      ["Host"] = "t.example.org",
      ["User-Agent"] = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
      ["Accept"] = "image/avif,image/webp,*/*", ["Accept-Language"] = "de,en;q=0.5", ["Accept-Encoding"] = "gzip"})
  end
  number = math.random(#requests)
end
function request()
  number = number % #requests + 1
  return requests[number]
end
if pause > 0 then
  function delay() return pause end
end
"""

_NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/access.log combined buffer=64k; keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location /o/ {{ empty_gif; }}
    location /c/ {{ return 302 https://shop.example.org/47?colour=blue; }}
  }}
}}
"""


@dataclass(frozen=True)
class Measured:
    """One run of wrk: answers a second, milliseconds at the 99th percentile, the server's CPU microseconds each."""

    rate: float
    p99: float
    cpu: float


def main(arguments: Sequence[str] = ()) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench edge")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--long", type=int, default=0, metavar="MILLIONS")
    options = parser.parse_args(list(arguments))
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None:
            sys.exit(f"bench edge: {tool} is missing (apt-get install {tool})")
    print(f"{os.cpu_count()} cores, load average before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="bench-edge-") as name:
        folder = Path(name)
        _prepare(folder)
        if options.long:
            _print_long_run(folder, options.long)
            return
        _print_timing(folder)
        with contextlib.ExitStack() as stack:
            servers = {stage: stack.enter_context(_our_server(folder, stage)) for stage in STAGES}
            servers["nginx"] = stack.enter_context(_nginx(folder))
            for connections in options.connections:
                for kind in KINDS:
                    _compare(folder, servers, kind, connections, options.seconds, options.rounds)
            _print_half_load(folder, servers["edge"], options.seconds)
            print(f"\nmemory of the edge process after {_hits(folder):,} hits: {_resident_mb(servers['edge']):.0f} MB")
        _print_two_processes(folder, options.seconds, options.rounds)


# ── Measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Server:
    """A server under test."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far."""
        pids = [self.process.pid, *_children(self.process.pid)]
        ticks = 0
        for pid in pids:
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def _compare(folder: Path, servers: dict[str, Server], kind: str, connections: int, seconds: int, rounds: int) -> None:
    runs: dict[str, list[Measured]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, server in servers.items():
            runs[name].append(_wrk(folder, [server], kind, connections, seconds))
    best = {name: max(found, key=lambda run: run.rate) for name, found in runs.items()}
    print(f"\n{kind}, {connections} connections, best of {rounds} x {seconds} s")
    for name, measured in best.items():
        ratios = "".join(f"  {measured.rate / best[to].rate:5.2f} of {to}" for to in ("granian", "constant", "nginx"))
        ratios += f"  {measured.rate / (AIM_OF_NGINX * best['nginx'].rate):5.2f} of aim"
        costs = f"  CPU {measured.cpu:5.1f} us  p99 {measured.p99:5.1f} ms"
        print(f"  {name:10}{measured.rate:9,.0f}/s{ratios}{costs}", flush=True)


def _print_half_load(folder: Path, edge: Server, seconds: int) -> None:
    full = _wrk(folder, [edge], "pixels", 64, seconds)
    pause = max(1, round(64 / (full.rate / 2) * 1000 - 64 / full.rate * 1000))
    half = _wrk(folder, [edge], "pixels", 64, seconds, pause=pause)
    print(f"\nhalf load: {half.rate:,.0f}/s of {full.rate:,.0f}/s, 64 connections: p99 {half.p99:.1f} ms (aim: 10)")


def _resident_mb(server: Server) -> float:
    resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text("ascii"))
    assert resident is not None
    return int(resident[1]) / 1024


def _hits(folder: Path) -> int:
    reader = JournalReader(folder / "edge")
    hits = sum(reader.depth(journal) + reader.given_up(journal) for journal in reader.journals())
    reader.close()
    return hits


def _print_long_run(folder: Path, millions: int) -> None:
    with _our_server(folder, "edge") as edge:
        print(f"memory at the start: {_resident_mb(edge):.0f} MB")
        for million in range(1, millions + 1):
            while _hits(folder) < million * 1_000_000:
                _wrk(folder, [edge], "pixels", 64, 10)
            print(f"after {_hits(folder):12,} hits: {_resident_mb(edge):.0f} MB", flush=True)


def _print_timing(folder: Path) -> None:
    """Print how long the edge takes over tokens of all kinds, the journal's wait left out; medians, taken in turns."""
    keys = load_keys(folder / "keys.json")
    strangers = Keys([Key(200, bytes(32))])
    cases = {"valid": [], "last byte wrong": [], "first byte of the tag wrong": [], "unknown key": []}  # type: ignore[var-annotated]
    for _ in range(200):
        good = mint(keys, Token(TokenKind.CLICK, uuid4(), destination="https://shop.example.org/"))
        sealed = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))
        cases["valid"].append(good)
        for name, at in (("last byte wrong", -1), ("first byte of the tag wrong", -TAG_BYTES)):
            damaged = bytearray(sealed)
            damaged[at] ^= 1
            cases[name].append(base64.urlsafe_b64encode(bytes(damaged)).rstrip(b"=").decode())
        foreign = Token(TokenKind.CLICK, uuid4(), destination="https://shop.example.org/")
        cases["unknown key"].append(mint(strangers, foreign))
    edge = build(keys, _NoJournal())  # type: ignore[arg-type]
    checks: dict[str, list[float]] = {name: [] for name in cases}
    whole: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(300):
        for name, tokens in cases.items():
            started = time.perf_counter_ns()
            for token in tokens:
                with contextlib.suppress(BadToken):
                    verify(keys, token)
            checks[name].append((time.perf_counter_ns() - started) / len(tokens) / 1000)
            started = time.perf_counter_ns()
            for token in tokens:
                _answer(edge, token)
            whole[name].append((time.perf_counter_ns() - started) / len(tokens) / 1000)
    print("\ntiming of a click, the journal's wait left out")
    for name in cases:
        print(f"  {name:28} checked in {median(checks[name]):5.2f} us, answered in {median(whole[name]):5.2f} us")


def _answer(edge: Edge, token: str) -> None:
    scope = {"type": "http", "path": f"/c/{token}", "method": "GET", "headers": [], "client": ("192.0.2.1", "1")}
    with contextlib.suppress(StopIteration):
        edge(scope, _receive_nothing, _send_nowhere).send(None)  # type: ignore[attr-defined]


async def _receive_nothing() -> dict[str, object]:
    return {}


async def _send_nowhere(message: dict[str, object]) -> None:
    """Take an answer that nobody waits for."""


def _print_two_processes(folder: Path, seconds: int, rounds: int) -> None:
    with _our_server(folder, "edge") as one:
        ones = [_wrk(folder, [one], "pixels", 256, seconds).rate for _ in range(rounds)]
        with _our_server(folder, "edge", port=one.port) as two:
            twos = [_wrk(folder, [one, two], "pixels", 256, seconds).rate for _ in range(rounds)]
    one_rate, two_rate = max(ones), max(twos)
    print(
        f"\ntwo processes on one port: {two_rate:,.0f}/s, {two_rate / one_rate:.2f} of one ({one_rate:,.0f}/s), "
        f"on {os.cpu_count()} processors that wrk shares (aim: 1.7 where there are processors for it)"
    )


def _wrk(
    folder: Path, servers: Sequence[Server], kind: str, connections: int, seconds: int, pause: int = 0
) -> Measured:
    before = sum(server.cpu_seconds() for server in servers)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(folder / "paths.lua")]
    command += [f"http://127.0.0.1:{servers[0].port}", "--", str(folder / kind)]
    environment = {**os.environ, "PAUSE_MS": str(pause)}
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    cpu = sum(server.cpu_seconds() for server in servers) - before
    requests = int(_find(r"(\d+) requests in", output))
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"bench edge: wrk saw errors\n{output}")
    number, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)\b", output)[0]
    p99 = float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return Measured(float(_find(r"Requests/sec:\s+([\d.]+)", output)), p99, cpu / requests * 1e6)


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


# ── The servers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _prepare(folder: Path) -> None:
    keys = create_keys(folder / "keys.json")
    pixels = (f"/o/{mint(keys, Token(TokenKind.OPEN, uuid4()))}.gif\n" for _ in range(TOKENS))
    (folder / "pixels").write_text("".join(pixels))
    redirects = (
        mint(keys, Token(TokenKind.CLICK, uuid4(), False, n % 9, f"https://shop.example.org/{n % LINKS}?colour=blue"))
        for n in range(TOKENS)
    )
    (folder / "redirects").write_text("".join(f"/c/{token}\n" for token in redirects))
    (folder / "paths.lua").write_text(_LUA)


@contextlib.contextmanager
def _our_server(folder: Path, stage: str, port: int = 0) -> Iterator[Server]:
    port = port or _free_port()
    yield from _running([sys.executable, "-m", "bench.edge", stage, str(folder), str(port)], port)


@contextlib.contextmanager
def _nginx(folder: Path) -> Iterator[Server]:
    port = _free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=port))
    yield from _running(["nginx", "-c", str(configuration)], port)


def _running(command: list[str], port: int) -> Iterator[Server]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"bench edge: {command[0]} does not start")
        time.sleep(0.05)
    try:
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(20)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ── What is compared, each in a process of its own ──────────────────────────────────────────────────────────────────


async def _constant(scope, receive, send):  # type: ignore[no-untyped-def]
    """The least any ASGI callable can do: one constant answer."""
    if scope["path"].startswith("/o/"):
        await send(answers.PIXEL.start)
        await send(answers.PIXEL.body)
    else:
        await send(_MOVED.start)
        await send(_MOVED.body)


async def _parsing(scope, receive, send):  # type: ignore[no-untyped-def]
    """The constant answer after reading what of the request is kept."""
    evidence(scope["headers"], EVIDENCE)
    await _constant(scope, receive, send)


class _NoJournal:
    """Stores nothing and says it did."""

    def append_token(self, *hit: object) -> _NoJournal:
        return self

    def __await__(self) -> Generator[None, None, int]:
        return 1
        yield


_MOVED = answers.redirect(b"https://shop.example.org/47?colour=blue")


def _serve_stage(stage: str, folder: Path, port: int) -> None:
    if stage == "edge":
        run(EdgeSettings(folder / "keys.json", folder / "edge", JOURNAL_BYTES, port=port))
        return
    keys = load_keys(folder / "keys.json")
    verifying = build(keys, _NoJournal())  # type: ignore[arg-type]
    app = {"granian": _constant, "constant": _constant, "parsing": _parsing, "verifying": verifying}[stage]
    loop = asyncio.SelectorEventLoop if stage == "granian" else lambda: EdgeLoop(lambda begin: begin())
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(http_server(app, "127.0.0.1", port).serve())


if __name__ == "__main__":
    _serve_stage(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
