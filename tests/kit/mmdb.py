"""Writes small MaxMind DB files, so that tests can point at databases of every maker's layout.

The format: https://maxmind.github.io/MaxMind-DB/ (version 2.0). A tree of 32-bit records, data without pointers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path

_MARKER = b"\xab\xcd\xefMaxMind.com"


def write_mmdb(path: Path, records: Mapping[str, object], *, kind: str = "Test", version: int = 6) -> Path:
    """Write a database of these networks' records. `version` 4 makes one that knows IPv4 only."""
    nodes: list[list[int | tuple[int]]] = [[-1, -1]]
    data = b""
    for network, record in records.items():
        leaf = (len(data),)
        data += _encoded(record)
        _put(nodes, _bits(network, version), leaf)
    tree = b"".join(_record(side, len(nodes)) for node in nodes for side in node)
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": Unsigned(_UINT64, 1_780_000_000),
        "database_type": kind,
        "description": {"en": "a test"},
        "ip_version": version,
        "languages": ["en"],
        "node_count": Unsigned(_UINT32, len(nodes)),
        "record_size": 32,
    }
    path.write_bytes(tree + bytes(16) + data + _MARKER + _encoded(metadata))
    return path


def _bits(network: str, version: int) -> str:
    parsed = ip_network(network)
    whole = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]
    return "0" * 96 + whole if isinstance(parsed, IPv4Network) and version == 6 else whole


def _put(nodes: list[list[int | tuple[int]]], bits: str, leaf: tuple[int]) -> None:
    at = 0
    for bit in bits[:-1]:
        below = nodes[at][int(bit)]
        if below == -1:
            nodes.append([-1, -1])
            below = nodes[at][int(bit)] = len(nodes) - 1
        assert isinstance(below, int), "networks must not lie in each other"
        at = below
    nodes[at][int(bits[-1])] = leaf


def _record(side: int | tuple[int], nodes: int) -> bytes:
    if isinstance(side, tuple):
        return (nodes + 16 + side[0]).to_bytes(4, "big")
    return (nodes if side == -1 else side).to_bytes(4, "big")


def _encoded(value: object) -> bytes:
    if isinstance(value, str):
        body = value.encode()
        return _control(2, len(body)) + body
    if isinstance(value, Mapping):
        return _control(7, len(value)) + b"".join(_encoded(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, Unsigned):
        return _number(value.kind, value.value)
    assert isinstance(value, int)
    return _number(_UINT16, value)


_UINT16, _UINT32, _UINT64 = 5, 6, 9


@dataclass(frozen=True)
class Unsigned:
    """A number of a certain width; readers are strict about it in the metadata."""

    kind: int
    value: int


def _number(kind: int, value: int) -> bytes:
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(body)) + body


def _control(kind: int, size: int) -> bytes:
    extended = bytes([kind - 7]) if kind > 7 else b""
    first = kind << 5 if kind <= 7 else 0
    if size < 29:
        return bytes([first | size]) + extended
    assert size < 285
    return bytes([first | 29]) + extended + bytes([size - 29])
