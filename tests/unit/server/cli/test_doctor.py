"""``bowerbird doctor``: each check on both sides of its line."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest

from server.cli.doctor import machine, service, storage
from server.cli.doctor.check import Verdict
from server.client.settings import ClientSettings
from server.client.transport import Client
from server.config import load_settings
from server.db import migrate
from tests.support.cli_server import problem, reply_json

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


def test_python():
    assert machine.check_python((3, 11, 0)).verdict is OK
    assert machine.check_python((3, 10, 9)).verdict is FAIL


def test_trainer_packages_are_looked_up_not_imported():
    assert machine.check_trainer(["json"]).verdict is OK
    missing = machine.check_trainer(["json", "no_such_package_at_all"])
    assert missing.verdict is WARN
    assert "no_such_package_at_all" in missing.found


def test_browser():
    assert machine.check_browser(["no-such-browser"]).verdict in {WARN, OK}  # ok on a Mac
    assert machine.check_browser(["sh"]).verdict is OK


def test_data_folder(tmp_path):
    assert storage.check_data(tmp_path / "new" / "data").verdict is OK
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    assert storage.check_data(tmp_path / "file" / "data").verdict is FAIL


def test_disk_space(tmp_path, monkeypatch):
    assert storage.check_space(tmp_path).found.endswith("GiB free")
    monkeypatch.setattr(storage, "FULL_BYTES", 1024**6)
    assert storage.check_space(tmp_path).verdict is FAIL


def test_database(tmp_path):
    settings = load_settings(data=tmp_path)
    assert storage.check_database(settings).found.startswith("none yet")
    migrate.upgrade(settings.resolved_database_url)
    assert storage.check_database(settings).verdict is OK
    (tmp_path / "bowerbird.db").write_bytes(b"")
    assert storage.check_database(settings).verdict is WARN
    (tmp_path / "bowerbird.db").write_bytes(b"no database at all" * 100)
    assert storage.check_database(settings).verdict is FAIL


def _verdicts(checks):
    return {check.name: check.verdict for check in checks}


@pytest.fixture
def client(api):
    with Client(ClientSettings.load()) as made:
        yield made


def test_a_server_that_lets_us_in(client):
    assert _verdicts(service.check_server(client)) == {
        "server": OK,
        "token": OK,
        "running trainer": OK,
    }


def test_a_server_without_a_trainer(api, client):
    api.trainer = {"enabled": False}
    assert _verdicts(service.check_server(client))["running trainer"] is WARN


def test_a_foreign_server(api, client):
    api.has_identity = False
    assert _verdicts(service.check_server(client)) == {"server": FAIL}


def test_a_wrong_token(api, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_TOKEN", "wrong")
    with Client(ClientSettings.load()) as stranger:
        assert _verdicts(service.check_server(stranger)) == {"server": OK, "token": FAIL}


def test_port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert service.check_port("127.0.0.1", port, is_answering=True).verdict is OK
        assert service.check_port("127.0.0.1", port, is_answering=False).verdict is FAIL
    assert service.check_port("127.0.0.1", 0, is_answering=False).verdict is OK


def test_doctor_json_and_exit_code(api, run, tmp_path):
    result = run("doctor", "--data", str(tmp_path / "data"), "--json")
    document = json.loads(result.out)
    names = [check["name"] for check in document["checks"]]
    assert names[:3] == ["python", "onnxruntime", "trainer"]
    assert {"data folder", "disk space", "database", "server", "token", "port"} <= set(names)
    assert result.code == (0 if document["ok"] else 1)


def test_doctor_names_a_setting_that_is_none(run, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_HTPP__PORT", "1")
    result = run("doctor")
    assert result.code == 1
    assert "fail  settings: BOWERBIRD_HTPP__PORT" in result.out


def test_doctor_says_that_no_server_runs(run, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_SERVER", "http://127.0.0.1:9")
    result = run("doctor")
    assert "warn  server: nothing answers" in result.out
    assert "bowerbird serve" in result.out


def test_a_server_that_fails_and_one_that_fails_to_tell(api, client):
    api.script("GET", "/healthz", problem(500, "internal", "See the log."))
    assert _verdicts(service.check_server(client)) == {"server": FAIL}
    api.script("GET", ".*/server", reply_json(200, {"version": 3}))
    assert _verdicts(service.check_server(client)) == {"server": OK, "token": FAIL}


def test_a_trainer_that_ended(api, client):
    api.trainer = {"enabled": True, "state": "failed"}
    assert _verdicts(service.check_server(client))["running trainer"] is FAIL


def test_settings_out_of_bounds(run, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_HTTP__PORT", "99999")
    result = run("doctor")
    assert result.code == 1
    assert "fail  settings: The settings are not usable: http.port" in result.out
