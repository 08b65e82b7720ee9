"""Answers of the browser itself, with the server stopped, held against the server's: real model."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from server.contract.files import sha256_of
from server.contract.preprocess import decode
from tests.support.photo_model import add_photo_model
from tests.support.photo_site import PHOTOS
from tests.support.processes import ServerProcess, wait_until
from tests.support.steps import BROWSERS, PATIENCE_S, Steps, open_browser, pair

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(600)]

GROUPS = "CEPO"
LEARNED = 8  # of each group
ASKED = 200  # of all groups: half are none of its classes
AT_ONCE = 20  # in one script: browsers stop those that take too long
TOLERANCE = 0.02  # of each probability
SEND = "return (globalThis.browser ?? chrome).runtime.sendMessage({{ type: '{}', request: {} }})"
ASK_ALL = """
const send = (data_url) => (globalThis.browser ?? chrome).runtime.sendMessage(
  {{ type: 'classify-upload', request: {{ data_url, dataset_id: null }} }});
const all = [];
return {pictures}.reduce(
  (before, data_url) => before.then(() => send(data_url)).then((answer) => all.push(answer)),
  Promise.resolve(),
).then(() => all);
"""


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def odd_pictures(photo: bytes) -> dict[str, bytes]:
    """Return a photo in forms that are easily decoded in another way."""
    image = decode(photo)
    alpha = image.copy()
    fade = np.linspace(0, 255, image.width).astype(np.uint8)
    alpha.putalpha(Image.fromarray(np.tile(fade, (image.height, 1))))
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    wide = np.asarray(image.convert("L"), dtype=np.uint16) * 257
    return {
        "turned by EXIF": encoded(image, "JPEG", exif=turned, quality=95),
        "half transparent": encoded(alpha, "PNG"),
        "grey": encoded(image.convert("L"), "JPEG", quality=95),
        "with a palette": encoded(image.quantize(64), "GIF"),
        "WebP": encoded(image, "WEBP", lossless=True),
        "sixteen bits": encoded(Image.fromarray(wide), "PNG"),
        "a strip": encoded(image.resize((600, 20)), "PNG"),
        "tiny": encoded(image.resize((40, 30)), "PNG"),
        "large": encoded(image.resize((2400, 1350)), "JPEG", quality=90),
    }


def different(paths: list[Path]) -> list[Path]:
    """Return the photos, those that are there under two codes once."""
    return list({sha256_of(path.read_bytes()): path for path in reversed(paths)}.values())[::-1]


@dataclass
class Kitchen:
    """A server with a real model, and what it says of the pictures."""

    server: ServerProcess
    pictures: dict[str, bytes]
    answers: dict[str, dict[str, Any]]


def ask_server(client: httpx2.Client, pictures: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    answers = {}
    for name, data in pictures.items():
        reply = client.post("/api/v1/classify", files={"file": (name, data)})
        assert reply.status_code == 200, (name, reply.text)
        answers[name] = reply.json()
    return answers


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory) -> Iterator[Kitchen]:
    folder = tmp_path_factory.mktemp("kitchen")
    by_group = {group: different(sorted(PHOTOS.glob(f"{group}*.jpeg"))) for group in GROUPS}
    learned = {group: paths[:LEARNED] for group, paths in by_group.items()}
    taken = {path for paths in learned.values() for path in paths}
    rest = [path for path in different(sorted(PHOTOS.glob("*.jpeg"))) if path not in taken]
    asked = rest[:: max(1, len(rest) // ASKED)][:ASKED]
    assert len(asked) == ASKED
    pictures = {path.name: path.read_bytes() for path in asked}
    pictures |= odd_pictures(asked[3].read_bytes())
    server = ServerProcess(folder / "data", has_trainer=False)
    with server, server.client() as client:
        add_photo_model(client, learned, folder)
        yield Kitchen(server, pictures, ask_server(client, pictures))


def send(steps: Steps, message: str, request: object) -> Any:
    answer = steps.run_in_popup(SEND.format(message, json.dumps(request)))
    assert answer["ok"], answer
    return answer["reply"]


def ask_browser(steps: Steps, pictures: list[bytes]) -> list[dict[str, Any]]:
    """Return what the browser answers, or fails with, for each picture."""
    said: list[dict[str, Any]] = []
    for start in range(0, len(pictures), AT_ONCE):
        part = [
            f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}"
            for data in pictures[start : start + AT_ONCE]
        ]
        said += steps.run_in_popup(ASK_ALL.format(pictures=json.dumps(part)))
    return said


def difference(here: dict[str, Any], there: dict[str, Any]) -> float:
    """Return the largest difference of a class's probability."""
    told = {each["label"]: each["probability"] for each in there["predictions"]}
    return max(abs(each["probability"] - told[each["label"]]) for each in here["predictions"])


@pytest.mark.parametrize("name", BROWSERS)
def test_a_browser_answers_as_the_server_did_when_that_is_stopped(
    name: str, kitchen: Kitchen, tmp_path: Path, record_property: Callable[[str, object], None]
):
    server = kitchen.server
    if server.process is None or server.process.poll() is not None:
        server.start()
    with open_browser(name, tmp_path / "profile") as steps:
        with server.client() as client:
            pair(steps, server, client)
        assert send(steps, "list-kept-models", None) == {"mode": "off", "models": []}
        send(steps, "choose-answers", {"mode": "away"})
        (kept,) = send(steps, "list-kept-models", None)["models"]
        assert kept["bytes"] > 10e6
        server.stop()

        names = list(kitchen.pictures)
        said = ask_browser(steps, [kitchen.pictures[each] for each in names])
        failed = {n: each["error"] for n, each in zip(names, said, strict=True) if not each["ok"]}
        assert failed == {}
        answers = {n: each["reply"] for n, each in zip(names, said, strict=True)}
        assert all(each["is_here"] for each in answers.values())
        apart = {n: difference(answers[n], kitchen.answers[n]) for n in names}
        record_property("largest", max(apart.values()))
        record_property("median", float(np.median(list(apart.values()))))
        assert {n: value for n, value in apart.items() if value > TOLERANCE} == {}
        other = [n for n in names if answers[n]["label"] != kitchen.answers[n]["label"]]
        assert other == []
        abstained = [n for n in names if answers[n]["abstained"] != kitchen.answers[n]["abstained"]]
        assert abstained == []

        # What a person sees of it.
        photo = tmp_path / "a.jpg"
        photo.write_bytes(kitchen.pictures[names[0]])
        steps.click("tab-classify")
        steps.choose_file("file", photo)
        steps.wait_for_text("answer-model", "This browser answered")
        steps.wait_for_text("top-label", answers[names[0]]["label"])
    wait_until(
        lambda: server.process is None or server.process.poll() is not None, PATIENCE_S, "it"
    )
