"""The catalogue of networks: rows in a file, each with its source and date, and which row an address is in.

A row names a CIDR block, an autonomous system (`asn:15169`) or a published list (`list:apple`), whose ranges are in a
table of their own. Operators' rows stand in a file of the same form beside the fetched lists; a row for the same range
takes the place of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path

from resonanz.ingest.judge.network import Network, NetworkKind
from resonanz.ingest.ranges import Ranges, number_of, of_networks, read_ranges
from resonanz.model import InvalidInput

DATA = Path(__file__).parent / "data"
OWN_FILE = "own.tsv"
CACHED_ADDRESSES = 50_000


class RowState(StrEnum):
    """Whether a row takes part."""

    ON = "on"
    SHADOW = "shadow"  # only shown: what it would change
    OFF = "off"


PEOPLE = "people"
"""The kind of a row that takes a range out of all else that is said of it: readers sit there (an office in a cloud)."""

KINDS = (*(kind.value for kind in NetworkKind), PEOPLE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `network` is what it says of its range: None for a row of people."""

    range: str
    owner: str
    name: str
    kind: str
    state: RowState = RowState.ON
    source: str = ""
    as_of: str = ""

    @property
    def network(self) -> Network | None:
        """What the judge is told."""
        if self.kind == PEOPLE:
            return None
        return Network(NetworkKind(self.kind), self.owner, self.state is RowState.SHADOW)

    @property
    def asn(self) -> int | None:
        """The autonomous system this row is about, if it is about one."""
        return int(self.range[4:]) if self.range.startswith("asn:") else None

    @property
    def list(self) -> str:
        """The published list this row is about, empty when it is about none."""
        return self.range[5:] if self.range.startswith("list:") else ""


# ── Rows in files ───────────────────────────────────────────────────────────────────────────────────────────────────

_COLUMNS = 7


def normalised_range(text: str) -> str:
    """Return a row's range in its one form. Raises InvalidInput for what names no network."""
    text = text.strip()
    prefix, _, rest = text.partition(":")
    if prefix.lower() in ("asn", "as") and rest.isascii() and rest.isdigit() and int(rest) < 1 << 32:
        return f"asn:{int(rest)}"
    if prefix.lower() == "list" and rest.replace("-", "").isalnum():
        return f"list:{rest.lower()}"
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise InvalidInput(
            f"{text[:80]!r} names no network",
            where="range",
            remedy="give a block such as 192.0.2.0/24 or 2001:db8::/32, or asn:64496",
        ) from None


def read_rows(path: Path) -> list[Row]:
    """Read a file of rows. Raises InvalidInput that names the line. A file that is not there has none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot be read: {error}", where=str(path)) from error
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            rows.append(_read_row(line, f"{path}, line {number}"))
    return rows


def _read_row(line: str, where: str) -> Row:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != _COLUMNS:
        raise InvalidInput(f"{len(cells)} columns instead of {_COLUMNS}", where=where, remedy="separate them by tabs")
    range_, owner, name, kind, state, source, as_of = cells
    try:
        if as_of:
            date.fromisoformat(as_of)
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of network")
        return Row(normalised_range(range_), owner, name, kind, RowState(state), source, as_of)
    except (ValueError, InvalidInput) as error:
        raise InvalidInput(str(error), where=where) from None


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a file of rows, put in place at once."""
    lines = ["# Networks this instance's operators added. Written by `resonanz networks`; columns as in its catalogue."]
    for row in rows:
        cells = (row.range, row.owner, row.name, row.kind, row.state, row.source, row.as_of)
        lines.append("\t".join(" ".join(str(cell).split()) for cell in cells))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text("\n".join(lines) + "\n", "utf-8")
    fresh.replace(path)


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Networks:
    """The catalogue of one instance: ours, the operators' rows, and the lists fetched since, in `folder`.

    Without a folder it is what the package brings. `refresh` takes up what changed in the folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self.rows: tuple[Row, ...] = ()
        self._classify: Callable[[str, int | None, bool], Network | None]
        self._in_force: _Layers
        self._load(self._signature())

    def classify(self, address: str = "", asn: int | None = None, *, shadow: bool = False) -> Network | None:
        """Return the network that an address is in or, where it says nothing more, an autonomous system; else None.

        With `shadow` those rows take part too that are only to show what they would change.
        """
        return self._classify(address, asn, shadow)

    def row_of(self, address: str = "", asn: int | None = None) -> Row | None:
        """Return the row behind that answer; one of people too."""
        return self._in_force.find(address, asn)

    def refresh(self) -> bool:
        """Read the folder again if something in it changed. Returns whether it did; costs a look at a few files."""
        signature = self._signature()
        if signature == self._seen:
            return False
        self._load(signature)
        return True

    def table_of(self, list_: str) -> Path | None:
        """Return the file of a published list: the one fetched last, else the one in the package, else None."""
        folders = [folder for folder in (self._folder, DATA) if folder is not None]
        return next((path for folder in folders if (path := folder / f"{list_}.ranges").exists()), None)

    def _signature(self) -> tuple[tuple[str, int, int], ...]:
        if self._folder is None or not self._folder.is_dir():
            return ()
        files = [path for path in sorted(self._folder.iterdir()) if path.suffix in (".tsv", ".ranges")]
        stats = [(path.name, path.stat()) for path in files]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)

    def _load(self, signature: tuple[tuple[str, int, int], ...]) -> None:
        own = read_rows(self._folder / OWN_FILE) if self._folder is not None else []
        rows = merged(read_rows(DATA / "catalogue.tsv"), own)
        tables = {row.list: read_ranges(path) for row in rows if row.list and (path := self.table_of(row.list))}
        asns = read_ranges(DATA / "asn.ranges")
        in_force = _Layers([row for row in rows if row.state is RowState.ON], tables, asns)
        with_shadow = _Layers([row for row in rows if row.state is not RowState.OFF], tables, asns)

        @lru_cache(CACHED_ADDRESSES)
        def classify(address: str, asn: int | None, shadow: bool) -> Network | None:
            row = (with_shadow if shadow else in_force).find(address, asn)
            return row.network if row is not None else None

        self.rows, self._classify, self._in_force, self._seen = tuple(rows), classify, in_force, signature


def merged(ours: Sequence[Row], own: Sequence[Row]) -> list[Row]:
    """Return the operators' rows, then ours without those that a row of theirs stands for."""
    theirs = {row.range: row for row in own}
    return [*theirs.values(), *(row for row in ours if row.range not in theirs)]


class _Layers:
    """The rows by how narrow they are: blocks, then lists in their order, then autonomous systems."""

    def __init__(self, rows: Sequence[Row], tables: Mapping[str, Ranges], asns: Ranges) -> None:
        self._rows = {row.range: row for row in rows}
        blocks = [row.range for row in rows if row.asn is None and not row.list]
        self._blocks = of_networks((ip_network(block), block) for block in blocks)
        self._lists = [(tables[row.list], row) for row in rows if row.list in tables]
        self._asns = asns

    def find(self, address: str, asn: int | None) -> Row | None:
        number = number_of(address)
        if number is not None:
            block = self._blocks.at(number)
            if block:
                return self._rows[block]
            for table, row in self._lists:
                if table.at(number):
                    return row
        if asn is not None:
            return self._rows.get(f"asn:{asn}")
        return self._rows.get(self._asns.at(number)) if number is not None else None


def changed(own: Sequence[Row], row: Row) -> list[Row]:
    """Return the operators' rows with this one in the place of any for the same range."""
    return [*(other for other in own if other.range != row.range), row]


def without(own: Sequence[Row], ours: Sequence[Row], range_: str) -> list[Row]:
    """Return the operators' rows without the one for a range; a row of ours is switched off by a row of theirs.

    Raises InvalidInput when there is neither.
    """
    kept = [row for row in own if row.range != range_]
    if len(kept) < len(own):
        return kept
    for row in ours:
        if row.range == range_:
            return [*kept, replace(row, state=RowState.OFF)]
    raise InvalidInput(f"there is no row for {range_}", where="range", remedy="`resonanz networks list` shows them")
