"""Places as settings name them: in the worker's hands, in the doctor's report, and when their files are spoilt."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from resonanz.app.cli import cli
from resonanz.app.doctor import examine
from resonanz.app.settings import load_settings
from resonanz.app.wiring import judging_of, networks_of, places_of, prepare
from resonanz.ingest.rounds import LOOK_EVERY, Rounds
from resonanz.journal import JournalReader
from resonanz.model import Place
from resonanz.store import Database
from tests.kit.cast import NOON
from tests.kit.mmdb import write_mmdb


@pytest.fixture
def cities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of places that the settings point to."""
    path = write_mmdb(
        tmp_path / "cities.mmdb", {"198.51.100.0/24": {"country_code": "DE", "city": "Bonn"}}, kind="Cities"
    )
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RESONANZ_PLACE_DATABASES", f" {path} ,")
    return path


def test_the_worker_asks_the_databases_that_the_settings_name(cities: Path) -> None:
    """What the judge lets be placed is placed by them, and by the box behind them."""
    settings = load_settings()
    prepare(settings)
    judging = judging_of(settings, networks_of(settings))
    assert judging.place_of("198.51.100.7") == Place("DE", "", "Bonn", "Europe/Berlin")
    assert judging.place_of("193.0.6.139") == Place("NL", timezone="Europe/Amsterdam")


def test_the_doctor_names_the_databases_with_their_dates(cities: Path) -> None:
    """Whoever doubts a place sees what it comes from; the age of the lists of networks is told too."""
    said = {finding.check: finding for finding in examine(load_settings())}
    assert said["place"].detail == "Cities (2026-05-28), DB-IP IP to Country Lite (2026-06-01)"
    assert "oldest list: apple" in said["networks"].detail
    cities.write_bytes(b"<html>")
    said = {finding.check: finding for finding in examine(load_settings())}
    assert said["place"].state == "broken"
    assert "use a MaxMind DB file" in said["place"].remedy


def test_spoilt_files_cost_what_they_hold_and_no_more(cities: Path, tmp_path: Path, sqlite_database: Database) -> None:
    """At the start the box alone is used; meanwhile the old stays in use, and it is told of once."""
    settings = load_settings()
    places, networks = places_of(settings), networks_of(settings)
    now = [NOON]
    rounds = Rounds(sqlite_database, JournalReader(tmp_path / "journal"), now=lambda: now[0], files=(networks, places))
    (tmp_path / "bad").write_bytes(b"<html>")
    (tmp_path / "bad").replace(cities)
    settings.networks_dir.mkdir(parents=True)
    (settings.networks_dir / "own.tsv").write_text("nonsense\n")
    with capture_logs() as told:
        for _ in range(3):
            rounds.run()
            now[0] += LOOK_EVERY + timedelta(seconds=1)
    assert [line["event"] for line in told] == ["ingest.file_unusable"]
    assert places.place_of("198.51.100.7") == Place("DE", "", "Bonn", "Europe/Berlin")
    assert networks.classify("209.222.82.5") is not None
    with capture_logs() as told:
        assert places_of(settings).place_of("198.51.100.7") is None
        assert networks_of(settings).classify("209.222.82.5") is not None
    assert len(told) == 2


def test_commands_go_on_with_spoilt_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What judges the past, tries the shadow and retries hits leans on the catalogue alone then, and says so loudly."""
    monkeypatch.setenv("RESONANZ_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings()
    prepare(settings)
    settings.networks_dir.mkdir(parents=True, exist_ok=True)
    (settings.networks_dir / "own.tsv").write_text("nonsense\n")
    monkeypatch.setattr("resonanz.app.logs.configure_logs", lambda *_, **__: None)  # it would hold for every other test
    for command in (["rejudge"], ["shadow", "--past"], ["journal", "retry"]):
        with capture_logs() as told:
            done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
        assert [(line["log_level"], line["event"]) for line in told] == [
            ("error", "networks of this instance are left out")
        ]
        assert "own.tsv, line 1" in told[0]["error"]
