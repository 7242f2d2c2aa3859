"""The settings as plain values, for processes that stay: what reads and checks settings takes 14 MB in each of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from zoneinfo import ZoneInfo


class Derived:
    """What follows from the settings, whichever form they have."""

    if TYPE_CHECKING:

        @property
        def data_dir(self) -> Path: ...
        @property
        def timezone(self) -> str: ...
        @property
        def ops_port(self) -> int: ...
        @property
        def submission_port(self) -> int: ...
        @property
        def inbound_port(self) -> int: ...
        @property
        def lmtp_listen(self) -> str: ...

    @property
    def keys_file(self) -> Path:
        """The signing keys of all tokens."""
        return self.data_dir / "keys.json"

    @property
    def secret_file(self) -> Path:
        """The secret behind forms and previews."""
        return self.data_dir / "secret.key"

    @property
    def sealing_file(self) -> Path:
        """The keys that seal other systems' secrets in the database."""
        return self.data_dir / "sealing.json"

    @property
    def journal_dir(self) -> Path:
        """The edges' journals."""
        return self.data_dir / "journal"

    @property
    def snapshot_file(self) -> Path:
        """What a worker tells the edges."""
        return self.data_dir / "snapshot"

    @property
    def documents_dir(self) -> Path:
        """Attachments that were sent as tracked documents."""
        return self.data_dir / "documents"

    @property
    def signing_keys_dir(self) -> Path:
        """The DKIM keys of the domains we sign for."""
        return self.data_dir / "dkim"

    @property
    def networks_dir(self) -> Path:
        """Published lists of networks as fetched last, and the operators' own rows."""
        return self.data_dir / "networks"

    @property
    def outbox_dir(self) -> Path:
        """The built-in outbox."""
        return self.data_dir / "outbox"

    @property
    def zone(self) -> ZoneInfo:
        """The dashboard's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def has_relay(self) -> bool:
        """Whether any of the SMTP doors is to be open."""
        return bool(self.submission_port or self.inbound_port or self.lmtp_listen)

    def ops_port_of(self, role: str, number: int = 0) -> int:
        """The health and metrics port of a role, 0 for none; further edge processes follow behind the four roles."""
        offset = 3 + number if number else ("edge", "app", "worker", "relay").index(role)
        return self.ops_port + offset if self.ops_port else 0


class Secret:
    """A text that shows itself to nobody who does not ask for it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret('…')"

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._text


class Values(Derived):
    """Every setting by its name, and what follows from them; in place of `Settings`, and as unchangeable."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"settings are read once, so {name} stays as it is")


class Read(NamedTuple):
    """The settings, and the variables that look like settings and are none."""

    values: Values
    unknown: list[str]


def read_values() -> Read:
    """Read the settings from the environment. Raises InvalidInput naming each wrong variable, never its value.

    To be run `aside`, or this process has loaded what it wanted to do without.
    """
    from resonanz.app.settings import Settings, load_settings, unknown_settings

    settings = load_settings()
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return Read(Values({name: _plain(value) for name, value in values.items()}), unknown_settings(os.environ))


def _plain(value: Any) -> Any:
    """Return a value without the types of the library that read it."""
    if hasattr(value, "get_secret_value"):
        return Secret(value.get_secret_value())
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
