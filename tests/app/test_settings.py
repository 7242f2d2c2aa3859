"""Settings: every one documented, wrong ones named, secrets never shown."""

from pathlib import Path

import pytest

from resonanz.app.settings import PREFIX, Settings, in_force, load_settings, reference
from resonanz.model import InvalidInput, TrackingMode

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests reaches them."""
    import os

    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_nothing_has_to_be_set() -> None:
    """Every setting has a default, and the addresses follow from the ports."""
    settings = load_settings()
    assert settings.edge_url == "http://localhost:8601"
    assert settings.database_url.get_secret_value() == f"sqlite:///{Path('data').absolute()}/resonanz.sqlite"


def test_derived_addresses_follow_the_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Changing a port or the data folder moves what depends on it."""
    monkeypatch.setenv("RESONANZ_EDGE_PORT", "9999")
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path))
    settings = load_settings()
    assert settings.edge_url == "http://localhost:9999"
    assert str(tmp_path) in settings.database_url.get_secret_value()
    assert settings.keys_file == tmp_path / "keys.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EDGE_PORT", "70000"),
        ("EDGE_PORT", "many"),
        ("EDGE_URL", "track.example.org"),
        ("EDGE_URL", "https://track.example.org/path"),
        ("EDGE_URL", "https://user:pw@track.example.org"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, nonsense"),
        ("TRACKING_WITHOUT_CHOICE", "everything"),
        ("MAX_MESSAGE", "-5"),
        ("SMTP_URL", "http://mail.example.org"),
        ("RELAY_CERTIFICATE", "/nowhere/certificate.pem"),
        ("DASHBOARD_PORT", "8601"),
        ("EDGE_URL", "http://localhost:8600"),
        ("SITES", "shop.example, secret word!"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The error names the variable; it never repeats the value, which might be a secret in the wrong place."""
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    assert f"{PREFIX}{name}" in str(caught.value)
    assert "pw@" not in str(caught.value)


def test_lists_and_words_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks come separated by commas, sizes with units, modes as their words."""
    monkeypatch.setenv("RESONANZ_TRUSTED_PROXIES", "127.0.0.0/8, ::1/128")
    monkeypatch.setenv("RESONANZ_MAX_MESSAGE", "10MB")
    monkeypatch.setenv("RESONANZ_TRACKING_WITHOUT_CHOICE", "individual")
    settings = load_settings()
    assert len(settings.trusted_proxies) == 2
    assert settings.max_message == 10_000_000
    assert settings.tracking_without_choice is TrackingMode.INDIVIDUAL


def test_passwords_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `resonanz config` prints may be pasted into a bug report."""
    monkeypatch.setenv("RESONANZ_SMTP_URL", "smtps://me:hunter2@mail.example.org:465")
    monkeypatch.setenv("RESONANZ_DATABASE_URL", "postgresql://me:hunter2@db/resonanz?password=hunter2")
    settings = load_settings()
    shown = in_force(settings)
    assert shown["RESONANZ_SMTP_URL"] == "smtps://me:…@mail.example.org:465"
    assert shown["RESONANZ_DATABASE_URL"] == "postgresql://me:…@db/resonanz?password=…"
    assert "hunter2" not in repr(shown) + repr(settings)


def test_the_reference_page_is_up_to_date() -> None:
    """Whoever adds a setting documents it: the page is generated from the settings."""
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == reference()
    assert all(field.description for field in Settings.model_fields.values())
