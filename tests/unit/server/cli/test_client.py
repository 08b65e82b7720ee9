"""The REST client against a real server that misbehaves."""

from __future__ import annotations

import socket
from contextlib import closing
from http import HTTPStatus

import pytest

from server import errors as server_errors
from server.api.problems import STATUS
from server.client import answers
from server.client import transport as client_module
from server.client.errors import (
    KINDS,
    ConnectionLostError,
    ForeignServerError,
    MissingTokenError,
    NoServerError,
    NotFoundError,
    NothingToUndoError,
    ProblemError,
    UnexpectedAnswerError,
)
from server.client.settings import ClientSettings
from server.client.transport import Client, Upload
from server.client.views import Dataset, Image, ServerInfo
from tests.support.cli_server import TOKEN, Reply, problem, reply_json


@pytest.fixture
def client(api):
    with Client(ClientSettings.load()) as made:
        yield made


def test_the_token_goes_only_to_a_server_that_says_it_is_bowerbird(api, client):
    api.has_identity = False
    with pytest.raises(ForeignServerError, match="Another program answers"):
        client.get("/server", ServerInfo)
    assert [request.path for request in api.requests] == ["/healthz"]
    assert "authorization" not in api.requests[0].headers


def test_identity_is_checked_once(api, client):
    client.get("/server", ServerInfo)
    client.get("/server", ServerInfo)
    assert len(api.seen("GET", "/healthz")) == 1


def test_no_server_says_how_to_start_one(monkeypatch):
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("BOWERBIRD_SERVER", f"http://127.0.0.1:{port}")
    with Client(ClientSettings.load()) as client, pytest.raises(NoServerError) as error:
        client.get("/server", ServerInfo)
    assert "bowerbird serve" in error.value.advice


def test_a_problem_keeps_its_slug_status_and_members(api, client):
    api.script("GET", ".*/server", problem(422, "image-not-usable", "No.", reason="truncated"))
    with pytest.raises(ProblemError, match="No") as error:
        client.get("/server", ServerInfo)
    assert (error.value.slug, error.value.status) == ("image-not-usable", 422)
    assert error.value.reason == "truncated"


def test_a_wrong_token_says_how_to_get_one(api, client, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_TOKEN", "wrong")
    with Client(ClientSettings.load()) as stranger, pytest.raises(ProblemError) as error:
        stranger.get("/server", ServerInfo)
    assert error.value.status == 401
    assert "token create" in error.value.advice


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>"),
        Reply(200, b"\xff\xfe\x00odd"),
        Reply(200, b"[]"),
        Reply(200, b'{"version": 3}'),
        Reply(302, b"", {"Location": "http://127.0.0.1:1/"}),
        Reply(500, b"Internal Server Error"),
        Reply(599, b'"text"'),
        Reply(404, b"[1]"),
    ],
    ids=["html", "bytes", "list", "type", "redirect", "500", "599", "404"],
)
def test_an_answer_nobody_promised_is_an_error_and_no_traceback(api, client, reply):
    api.script("GET", ".*/server", reply)
    with pytest.raises(UnexpectedAnswerError):
        client.get("/server", ServerInfo)


def test_a_redirect_is_not_followed_with_the_token(api, client):
    api.script("GET", ".*/server", Reply(307, b"", {"Location": f"{api.address}/elsewhere"}))
    with pytest.raises(UnexpectedAnswerError):
        client.get("/server", ServerInfo)
    assert api.seen("GET", "/elsewhere") == []


def test_get_is_repeated_when_the_connection_breaks(api, client):
    cut = Reply(200, b'{"vers', is_cut=True)
    api.script("GET", ".*/server", cut, cut)
    assert client.get("/server", ServerInfo).version == "9.9.9"
    api.script("GET", ".*/server", cut, cut, cut)
    with pytest.raises(ConnectionLostError):
        client.get("/server", ServerInfo)


def test_post_is_never_repeated(api, client):
    api.script("POST", ".*/datasets", Reply(201, b"{", is_cut=True))
    with pytest.raises(ConnectionLostError):
        client.post("/datasets", Dataset, {"name": "x"})
    assert len(api.seen("POST", ".*/datasets")) == 1


def test_a_slow_answer_ends(api, client):
    api.script("POST", ".*/datasets", Reply(201, b"{}", delay_s=0.6))
    with pytest.raises(ConnectionLostError, match="time"):
        client.post("/datasets", Dataset, {"name": "x"}, timeout_s=0.1)


def test_an_endless_answer_ends(api, client, monkeypatch):
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 1000)
    api.script("GET", ".*/server", Reply(200, b" " * 5000))
    with pytest.raises(UnexpectedAnswerError, match="too long"):
        client.get("/server", ServerInfo)


def test_pages_are_followed_to_the_end(api, client):
    for number in range(5):
        api.add_dataset(f"d{number}")
    names = [one.name for one in client.pages("/datasets", Dataset)]
    assert names == ["d0", "d1", "d2", "d3", "d4"]


def test_a_place_to_begin_is_not_sent_beside_a_cursor(api, client):
    first = {"items": [{"id": "i", "status": "ready"}], "next_cursor": "here"}
    last = {"items": [], "next_cursor": None}
    api.script("GET", ".*/images", reply_json(200, first), reply_json(200, last))
    images = list(client.pages("/datasets/d/images", Image, {"skip": 7}))
    assert [image.id for image in images] == ["i"]
    queries = [request.query for request in api.seen("GET", ".*/images")]
    assert [("skip" in query, "cursor" in query) for query in queries] == [
        (True, False),
        (False, True),
    ]


def test_pages_that_never_end_do(api, client, monkeypatch):
    monkeypatch.setattr(client_module, "MAX_PAGES", 3)
    same = reply_json(200, {"items": [], "next_cursor": "same"})
    api.script("GET", ".*/datasets", *[same] * 4)
    with pytest.raises(UnexpectedAnswerError, match="never end"):
        list(client.pages("/datasets", Dataset))


@pytest.mark.parametrize(
    "name", ["a.jpg", "bär\udcff.jpg", 'q"uote\r\nX-Evil: 1.jpg', "..", "/", "x/y.jpg"]
)
def test_file_names_can_not_break_the_upload(api, client, name):
    dataset = api.add_dataset("bears")
    api.labels[dataset["id"]] = ["grizzly"]
    upload = Upload(b"bytes", name, {"label": "grizzly"})
    status, image = client.upload(f"/datasets/{dataset['id']}/images", Image, upload)
    assert (status, image.label) == (201, "grizzly")
    assert b"\r\nX-Evil" not in api.requests[-1].body


def test_settings_come_from_the_environment_then_the_file(monkeypatch, tmp_path):
    (tmp_path / "bowerbird.toml").write_text('data = "elsewhere"\n[http]\nport = 8100\n')
    assert str(ClientSettings.load().data) == "elsewhere"
    monkeypatch.setenv("BOWERBIRD_DATA", "here")
    monkeypatch.setenv("BOWERBIRD_SERVER", "http://localhost:8100/")
    settings = ClientSettings.load()
    assert (str(settings.data), settings.server) == ("here", "http://localhost:8100")


def test_the_token_is_read_from_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_DATA", str(tmp_path))
    with pytest.raises(MissingTokenError, match="BOWERBIRD_TOKEN is not set"):
        ClientSettings.load().read_token()
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert ClientSettings.load().read_token() == TOKEN


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 5000])
def test_a_token_file_with_something_else_is_no_token(tmp_path, monkeypatch, content):
    monkeypatch.setenv("BOWERBIRD_DATA", str(tmp_path))
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(MissingTokenError, match="holds no token"):
        ClientSettings.load().read_token()


def test_an_address_that_is_none_is_named(run, monkeypatch):
    monkeypatch.setenv("BOWERBIRD_SERVER", "localhost:8000")
    result = run("dataset", "list")
    assert result.code == 1
    assert "BOWERBIRD_SERVER is not usable" in result.err
    assert "Traceback" not in result.err


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(api, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Client(ClientSettings.load()) as client:
        assert client.health().version == "9.9.9"


def test_localhost_is_loopback_too(api, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("BOWERBIRD_SERVER", api.address.replace("127.0.0.1", "localhost"))
    with Client(ClientSettings.load()) as client:
        assert client.health().status == "ok"


def test_what_is_not_there_and_what_cannot_be_turned_have_errors_of_their_own():
    """Of the server's own table: a kind that is added there is added here as well."""
    slugs = {kind.slug for kind, status in STATUS.items() if status == HTTPStatus.NOT_FOUND}
    general = {server_errors.NotFoundError.slug}
    assert {slug for slug in slugs if KINDS.get(slug) is not NotFoundError} <= general
    for kind in (server_errors.NothingToUndoError, server_errors.NothingToRedoError):
        assert KINDS[kind.slug] is NothingToUndoError
