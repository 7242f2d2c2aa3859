"""What `resonanz up` starts stays small: no process carries around what it does not need."""

from __future__ import annotations

from pathlib import Path

from tests.kit.instance import Instance

# Compiled parts of libraries, which stand in a process's memory map once something has imported them.
LIBRARIES = {"granian": "/granian/", "sqlalchemy": "/sqlalchemy/", "pydantic": "/pydantic_core/"}


def test_no_process_loads_what_it_does_not_need(tmp_path: Path) -> None:
    """The supervisor serves and stores nothing; the edge knows no database; settings are checked elsewhere,
    and what shapes the API comes with its first request."""
    with Instance(tmp_path) as instance:
        loaded = {_role(pid): _loaded(pid) for pid in _family(instance.process.pid)}
    assert loaded == {
        "up": set(),
        "edge": {"granian"},
        "app": {"granian", "sqlalchemy"},
        "worker": {"granian", "sqlalchemy"},
        "relay": {"granian", "sqlalchemy"},
    }


def _family(supervisor: int) -> list[int]:
    """Return the supervisor and its roles."""
    return [supervisor, *map(int, Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split())]


def _role(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[3]


def _loaded(pid: int) -> set[str]:
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {name for name, mark in LIBRARIES.items() if mark in maps}
