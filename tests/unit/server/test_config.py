"""Settings: where they come from, and what stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.config import Settings, UnknownSettingError, load_settings, setting_names


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_anything_the_defaults_hold():
    settings = load_settings()
    assert settings.data == Path("data")
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8000)
    assert settings.fetch.allowed_hosts == ()
    assert settings.training.enabled
    assert settings.resolved_database_url.startswith("sqlite+aiosqlite:////")
    assert settings.resolved_database_url.endswith("/data/bowerbird.db")


def test_arguments_win_over_the_environment_and_it_over_the_file(tmp_path, monkeypatch):
    (tmp_path / "bowerbird.toml").write_text(
        'log_level = "error"\n[http]\nport = 1\nhost = "file"\nhost_names = ["a", "b"]\n'
    )
    assert load_settings().http.port == 1
    assert load_settings().http.host_names == ("a", "b")
    monkeypatch.setenv("BOWERBIRD_HTTP__PORT", "2")
    monkeypatch.setenv("BOWERBIRD_HTTP__HOST_NAMES", "c")
    assert load_settings().http.port == 2
    settings = load_settings(http={"port": 3})
    assert settings.http.port == 3
    assert settings.http.host == "file", "groups are merged"
    assert settings.http.host_names == ("c",)
    assert settings.log_level == "error"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", ()),
        ("127.0.0.1:9000", ("127.0.0.1:9000",)),
        (" a:1 , b ,, c ", ("a:1", "b", "c")),
        ("[::1]:80", ("[::1]:80",)),
    ],
)
def test_lists_are_comma_separated(monkeypatch, text, hosts):
    monkeypatch.setenv("BOWERBIRD_FETCH__ALLOWED_HOSTS", text)
    assert load_settings().fetch.allowed_hosts == hosts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP__PORT", "65536"),
        ("HTTP__PORT", "-1"),
        ("HTTP__PORT", "http"),
        ("HTTP__MAX_JSON_BYTES", "0"),
        ("FETCH__CONCURRENCY", "0"),
        ("FETCH__CONCURRENCY", "257"),
        ("FETCH__TOTAL_S", "0"),
        ("FETCH__TOTAL_S", "nan"),
        ("FETCH__TOTAL_S", "inf"),
        ("FETCH__MAX_REDIRECTS", "21"),
        ("FETCH__MAX_PIXELS", "1"),
        ("TRAINING__LEASE_S", "1"),
        ("TRAINING__ENABLED", "perhaps"),
        ("INFERENCE__THREADS", "0"),
        ("LOG_LEVEL", "loud"),
        ("FETCH__CONTACT", "a\r\nCookie: b"),
        ("FETCH__CONTACT", "jürgen@example.org"),
    ],
)
def test_a_value_out_of_its_bounds_stops_the_start(monkeypatch, name, value):
    monkeypatch.setenv(f"BOWERBIRD_{name}", value)
    with pytest.raises(ValidationError):
        load_settings()


@pytest.mark.parametrize(
    "name",
    ["BOWERBIRD_PORT", "BOWERBIRD_HTTP_PORT", "BOWERBIRD_FETCH__ALLOWED_HOST", "bowerbird_dta"],
)
def test_a_name_that_is_no_setting_stops_the_start(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with pytest.raises(UnknownSettingError, match=name):
        load_settings()


@pytest.mark.parametrize("text", ["prot = 1", "[http]\nprot = 1", "[htpt]\nport = 1"])
def test_an_unknown_name_in_the_file_stops_the_start(tmp_path, text):
    (tmp_path / "bowerbird.toml").write_text(text)
    with pytest.raises(ValidationError, match="xtra"):
        load_settings()


@pytest.mark.parametrize(
    "name", ["BOWERBIRD_SERVER", "BOWERBIRD_TOKEN", "BOWERBIRD_TRAINER__NAME", "BOWERBIRDS"]
)
def test_names_that_others_read_do_no_harm(monkeypatch, name):
    monkeypatch.setenv(name, "x")
    load_settings()


def test_the_address_of_a_database_is_not_shown(monkeypatch):
    url = "postgresql+asyncpg://me:secret@db/bowerbird"
    monkeypatch.setenv("BOWERBIRD_DATABASE_URL", url)
    settings = load_settings()
    assert "secret" not in repr(settings)
    assert settings.resolved_database_url == url


def test_settings_do_not_change():
    settings = load_settings()
    for change in (
        lambda: setattr(settings, "data", "x"),
        lambda: setattr(settings.http, "port", 1),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            change()


def test_each_name_is_told_once():
    names = [name for name, _ in setting_names()]
    assert len(names) == len(set(names)) > 20
    assert set(Settings.model_fields) <= {n.split("_")[1].lower() for n in names} | {
        "database_url",
        "log_level",
        "prediction_log",
    }
