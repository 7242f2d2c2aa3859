"""Many rows at once, past SQLAlchemy's types, for the few tables that take thousands of them a second.

Rows are tuples of what the driver stores: ids and JSON as `Plain` turns them, moments as microseconds, words as text.
On SQLite they go through `executemany`; on PostgreSQL many new rows are copied in, and all else travels as one JSON
document in one statement.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID, SafeUUID

from sqlalchemy import JSON, Table
from sqlalchemy.exc import DBAPIError

from resonanz.store.engine import Tx
from resonanz.store.rows import in_portions

BY_NUMBER = attrgetter("int")  # comparing UUIDs themselves takes ten times as long

_SEEN: dict[str, str] = {}
_SEEN_AT_MOST = 1_000

Row = tuple[Any, ...]

_COPIED_FROM = 50  # rows: COPY takes a fifth of our time for each, and one more turn to the server


class Ids(dict[Any, UUID]):
    """Ids as the driver gives them, and as UUIDs: each is built once, however often it comes."""

    def __missing__(self, key: Any) -> UUID:
        id = key if isinstance(key, UUID) else _id(key)
        self[key] = id
        return id

    @classmethod
    def known(cls, tx: Tx, ids: Iterable[UUID]) -> Ids:
        """Begin with ids that are there already, so that none of them is built again."""
        return cls({_id_as_bytes(id): id for id in ids} if tx.dialect.name == "sqlite" else {id: id for id in ids})


def _id(octets: bytes) -> UUID:
    """Return `UUID(bytes=octets)` for a quarter of its time: the constructor looks at seven ways of being called."""
    id = object.__new__(UUID)
    object.__setattr__(id, "int", int.from_bytes(octets, "big"))
    object.__setattr__(id, "is_safe", SafeUUID.unknown)
    return id


class Words(dict[Any, str | None]):
    """Members of closed vocabularies as plain words: asking a member for its value takes ten times as long."""

    def __missing__(self, member: StrEnum) -> str:
        self[member] = word = member.value
        return word


WORDS = Words({None: None})


class Plain(NamedTuple):
    """How one kind of database takes ids, JSON (as text), and a tuple of words as JSON."""

    id: Any
    json: Any
    words: Any


def plain(tx: Tx) -> Plain:
    """Return the converters for this database."""
    return _SQLITE if tx.dialect.name == "sqlite" else _POSTGRESQL


def select_by_ids(
    tx: Tx,
    table: Table,
    columns: Sequence[str],
    ids: Collection[UUID],
    *,
    by: str = "id",
    where: str = "",
    order: str = "id",
    lock: str = "",
) -> Iterator[Any]:
    """Yield these columns, as the driver gives them, of the rows whose `by` is one of `ids`; by `by`, then `order`.

    `where` is a further condition. `lock` says how the rows are held until the transaction ends: `UPDATE`, `KEY SHARE`
    (PostgreSQL; on SQLite a writing transaction holds everything).
    """
    as_plain = plain(tx)
    for portion in in_portions(sorted(ids, key=BY_NUMBER)):
        among, values = _among(tx, [as_plain.id(id) for id in portion], "uuid")
        statement = (
            f"SELECT {', '.join(columns)} FROM {table.name} WHERE {by} {among}"  # noqa: S608  # names of our own
            f"{f' AND {where}' if where else ''} ORDER BY {by}, {order}"
            f"{f' FOR {lock}' if lock and tx.dialect.name != 'sqlite' else ''}"
        )
        yield from tx.exec_driver_sql(statement, values).cursor.fetchall()


def select_by_numbers(
    tx: Tx,
    table: Table,
    columns: Sequence[str],
    numbers: Collection[int],
    *,
    by: str = "id",
    where: str = "",
    group: str = "",
    limit: int | None = None,
) -> Iterator[Any]:
    """Yield these columns, as the driver gives them, of the rows whose `by` is one of `numbers`; in no order.

    `where` is a further condition, `group` what follows after GROUP BY; of each portion `limit` rows at most.
    """
    for portion in in_portions(sorted(numbers)):
        among, values = _among(tx, portion, "bigint")
        statement = (
            f"SELECT {', '.join(columns)} FROM {table.name} WHERE {by} {among}"  # noqa: S608  # names of our own
            f"{f' AND {where}' if where else ''}{f' GROUP BY {group}' if group else ''}"
            f"{f' LIMIT {limit:d}' if limit is not None else ''}"
        )
        yield from tx.exec_driver_sql(statement, values).cursor.fetchall()


def update_by_numbers(tx: Tx, table: Table, settings: str, numbers: Collection[int]) -> None:
    """Give all rows with these ids the same values: what stands behind SET."""
    for portion in in_portions(numbers):
        among, values = _among(tx, portion, "bigint")
        tx.exec_driver_sql(f"UPDATE {table.name} SET {settings} WHERE id {among}", values)  # noqa: S608  # our own


def update_by_ids(
    tx: Tx, table: Table, settings: str, ids: Collection[UUID], *, by: str = "id", where: str = ""
) -> None:
    """Give all rows whose `by` is one of `ids` the same values: what stands behind SET. `where` is a further condition.

    Rows are written in any order: whoever writes several has locked them."""
    for portion in in_portions(ids):
        among, values = _among(tx, [plain(tx).id(id) for id in portion], "uuid")
        condition = f"{by} {among}{f' AND {where}' if where else ''}"
        tx.exec_driver_sql(f"UPDATE {table.name} SET {settings} WHERE {condition}", values)  # noqa: S608  # our own


def delete_by_ids(tx: Tx, table: Table, ids: Collection[UUID], *, by: str = "id") -> None:
    """Delete all rows whose `by` is one of `ids`; in any order, as `update_by_ids`."""
    for portion in in_portions(ids):
        among, values = _among(tx, [plain(tx).id(id) for id in portion], "uuid")
        tx.exec_driver_sql(f"DELETE FROM {table.name} WHERE {by} {among}", values)  # noqa: S608  # our own


def _among(tx: Tx, values: list[Any], kind: str) -> tuple[str, tuple[Any, ...]]:
    """Return the end of a condition that a column has one of these values, and the values to be bound."""
    if tx.dialect.name == "sqlite":
        return f"IN ({', '.join('?' * len(values))})", tuple(values)
    return f"= ANY(%s::{kind}[])", (values,)


def insert_many(
    tx: Tx, table: Table, rows: Sequence[Row], *, columns: Sequence[str] = (), only_missing: bool = False
) -> None:
    """Insert rows that hold every column of the table in its order, or only `columns`. With `only_missing` those whose
    key is there already are left alone. Raises IntegrityError, DataError; UnicodeError for a text that PostgreSQL's
    driver cannot even write down."""
    if not rows:
        return
    names = columns or [column.name for column in table.columns]
    into = f"{table.name} ({', '.join(names)})"
    known = " ON CONFLICT DO NOTHING" if only_missing else ""
    if tx.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        tx.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks}){known}", list(rows))  # noqa: S608  # names of our own
    elif len(rows) >= _COPIED_FROM and not only_missing:
        _copy(tx, f"COPY {into} FROM STDIN", rows)
    else:
        document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
        tx.exec_driver_sql(
            f"INSERT INTO {into} SELECT {', '.join(_unpacked(table, name) for name in names)} "  # noqa: S608  # our own
            f"FROM json_populate_recordset(NULL::{table.name}, %s::json) AS new{known}",
            (document,),
        )


def _copy(tx: Tx, statement: str, rows: Sequence[Row]) -> None:
    """Send rows past SQLAlchemy, which knows no COPY; what goes wrong is raised as from any statement of its."""
    if not tx.in_transaction():
        tx.begin()  # else a transaction whose first statement this is would end without a commit
    dialect, driver = tx.dialect, tx.connection.driver_connection
    assert driver is not None, "a transaction has a connection"
    assert dialect.dbapi is not None, "and its dialect a driver"
    refusals: Any = dialect.dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except refusals as error:
        is_gone = dialect.is_disconnect(error, tx.connection, None)
        # The server's text quotes the line that it refused; the first sentence of it does not.
        told = type(error)(error.diag.message_primary or str(error))
        raise DBAPIError.instance(
            statement, None, told, refusals, hide_parameters=True, connection_invalidated=is_gone, dialect=dialect
        ) from None


def update_many(tx: Tx, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Set these columns of rows that exist; each row holds the values in order, and the id last."""
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        settings = ", ".join(f"{name} = ?" for name in columns)
        tx.exec_driver_sql(f"UPDATE {table.name} SET {settings} WHERE id = ?", list(rows))  # noqa: S608
        return
    names = (*columns, "id")
    settings = ", ".join(f"{name} = {_unpacked(table, name)}" for name in columns)
    document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    tx.exec_driver_sql(
        f"UPDATE {table.name} SET {settings} "  # noqa: S608
        f"FROM json_populate_recordset(NULL::{table.name}, %s::json) AS new WHERE {table.name}.id = new.id",
        (document,),
    )


def _unpacked(table: Table, name: str) -> str:
    """Return a column of the rows in a JSON document; JSON stands there as text."""
    return f"(new.{name} #>> '{{}}')::jsonb" if isinstance(table.c[name].type, JSON) else f"new.{name}"


def add_up_many(tx: Tx, table: Table, keys: int, rows: Sequence[Row]) -> None:
    """Add to counters: of each row the first `keys` values are the table's key, the others, all of its further columns,
    are added to what is there, from zero. A key comes once. Rows are written in the order they are given."""
    if not rows:
        return
    mark = "?" if tx.dialect.name == "sqlite" else "%s"
    names = [column.name for column in table.columns]
    adding = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in names[keys:])
    tx.exec_driver_sql(
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET {adding}",
        list(rows),
    )


def _id_as_bytes(id: UUID | None) -> bytes | None:
    return None if id is None else id.int.to_bytes(16, "big")  # `bytes` does the same behind two more calls


def _id_as_text(id: UUID | None) -> str | None:
    return None if id is None else id.hex


def _json_as_text(value: Any) -> str:
    """Return JSON. The same few lists of words and small objects come thousands of times: those are remembered."""
    key = repr(value)  # equal only for equal types too: 1, 1.0 and True are different JSON
    text = _SEEN.get(key)
    if text is None:
        text = json.dumps(value)
        if len(_SEEN) >= _SEEN_AT_MOST:
            _SEEN.clear()  # those that come once fill it; those that come often are back at once
        _SEEN[key] = text
    return text


@lru_cache(maxsize=1_000)
def _words_as_text(words: tuple[str, ...]) -> str:
    return json.dumps(words)


_SQLITE = Plain(_id_as_bytes, _json_as_text, _words_as_text)
_POSTGRESQL = Plain(_id_as_text, _json_as_text, _words_as_text)
