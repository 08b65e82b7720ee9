"""Feedback: it waits for a person, is capped, and never gets among what models are measured by."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.contract.snapshot import Manifest, Split
from server.db.feedback_models import FeedbackRecord
from server.services import feedback as feedback_service
from server.services.access import TokenKind
from server.services.feedback import PER_HOUR
from tests.support.app import API, Bird, in_one_task, problem, running
from tests.support.images import jpeg
from tests.support.played_trainer import coloured_dataset, snapshot, trained
from tests.support.site import Site, answer


@pytest.fixture
async def bird(data_folder: Path) -> AsyncIterator[Bird]:
    async with in_one_task(lambda: running(data_folder, workers=False)) as bird:
        yield bird


@pytest.fixture
async def model(bird: Bird) -> dict[str, Any]:
    """Return a live model of red, green and blue."""
    dataset = await coloured_dataset(bird, 8, "colours")
    return {"id": await trained(bird, dataset), "dataset": dataset}


async def say(bird: Bird, model: dict[str, Any], data: bytes | None = None, **said: Any):
    form = {"model_id": model["id"], "is_right": "false", "predicted": "red"} | said
    form = {name: value for name, value in form.items() if value is not None}
    files = {} if data is None else {"file": ("a.png", data, "image/png")}
    # Without a file, a part that is one all the same, so that the form stays multipart.
    return await bird.post("/feedback", data=form, files=files or None)


async def said(bird: Bird, model: dict[str, Any], data: bytes, **more: Any) -> dict[str, Any]:
    response = await say(bird, model, data, **more)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def inbox(bird: Bird, model: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    response = await bird.get(f"/datasets/{model['dataset']}/feedback", params=wanted)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def decide(bird: Bird, found: dict[str, Any], verb: str, **body: Any) -> httpx2.Response:
    return await bird.post(f"/feedback/{found['id']}/{verb}", json=body or None)


def odd(number: int) -> bytes:
    """Return a picture that looks like no other."""
    return jpeg(64, 48, 7000 + number)


def files(bird: Bird) -> list[str]:
    return sorted(path.name for path in (bird.data / "feedback").glob("??/*"))


async def test_what_is_said_waits_and_changes_no_dataset(bird: Bird, model):
    before = await bird.images(model["dataset"])
    data = odd(1)
    found = await said(bird, model, data, label="green", note="a frog")
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert (found["state"], found["has_picture"], found["image_id"]) == ("new", True, None)
    assert (found["predicted"], found["label"], found["note"]) == ("red", "green", "a frog")
    assert [one["id"] for one in await inbox(bird, model)] == [found["id"]]
    shown = await bird.get(f"/feedback/{found['id']}/file")
    assert (shown.content, shown.headers["content-type"]) == (data, "image/jpeg")
    assert shown.headers["cache-control"] == "private, no-store"
    assert await bird.images(model["dataset"]) == before


async def test_said_again_it_replaces_what_was_said(bird: Bird, model):
    data = odd(2)
    first = await said(bird, model, data, label="green")
    again = await say(bird, model, data, is_right="true")
    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    (only,) = await inbox(bird, model)
    assert (only["is_right"], only["label"]) == (True, None)
    assert await bird.parts.services.feedback.counts(model["id"], long_ago()) == (1, 0)


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


async def test_right_and_wrong_are_counted_for_rollouts(bird: Bird, model):
    for number in range(5):
        await said(bird, model, odd(number), is_right=str(number < 2).lower())
    counts = bird.parts.services.feedback.counts
    assert await counts(model["id"], long_ago()) == (2, 3)
    assert await counts(model["id"], datetime.now(UTC) + timedelta(minutes=1)) == (0, 0)
    assert [one["is_right"] for one in await inbox(bird, model, is_right=True)] == [True, True]
    assert len(await inbox(bird, model, state="new", is_right=False)) == 3


async def test_taken_over_it_is_a_reviewed_image_and_its_file_moves(bird: Bird, model):
    data = odd(3)
    found = await said(bird, model, data, label="green")
    taken = (await decide(bird, found, "accept")).json()
    assert (taken["state"], taken["has_picture"]) == ("accepted", False)
    image = (await bird.get(f"/images/{taken['image_id']}")).json()
    assert (image["label"], image["status"], image["sha256"]) == ("green", "ready", found["sha256"])
    assert image["reviewed_at"] is not None
    assert (await bird.get(f"/images/{taken['image_id']}/file")).content == data
    assert files(bird) == []
    problem(await bird.get(f"/feedback/{found['id']}/file"), 404, "feedback-not-found")
    problem(await decide(bird, found, "accept"), 409, "feedback-decided")
    problem(await decide(bird, found, "dismiss"), 409, "feedback-decided")
    problem(await decide(bird, found, "reopen"), 409, "feedback-decided")


async def test_the_person_who_takes_it_over_has_the_last_word(bird: Bird, model):
    unsaid = await said(bird, model, odd(4))
    assert "label" in problem(await decide(bird, unsaid, "accept"), 422, "input-refused")["detail"]
    taken = (await decide(bird, unsaid, "accept", label="a new label")).json()
    image = (await bird.get(f"/images/{taken['image_id']}")).json()
    assert image["label"] == "a new label"
    right = await said(bird, model, odd(5), is_right="true")
    taken = (await decide(bird, right, "accept")).json()
    assert (await bird.get(f"/images/{taken['image_id']}")).json()["label"] == "red"


async def test_let_go_it_can_be_taken_up_again(bird: Bird, model):
    found = await said(bird, model, odd(6), label="blue")
    assert (await decide(bird, found, "dismiss")).json()["state"] == "dismissed"
    assert await inbox(bird, model, state="new") == []
    assert len(files(bird)) == 1
    reopened = (await decide(bird, found, "reopen")).json()
    assert (reopened["state"], reopened["decided_at"]) == ("new", None)
    assert (await decide(bird, found, "accept")).status_code == 200


async def test_deleted_it_leaves_nothing(bird: Bird, model):
    found = await said(bird, model, odd(7))
    assert (await bird.delete(f"/feedback/{found['id']}")).status_code == 204
    assert files(bird) == []
    assert await inbox(bird, model) == []
    problem(await bird.delete(f"/feedback/{found['id']}"), 404, "feedback-not-found")
    problem(await decide(bird, found, "accept"), 404, "feedback-not-found")


async def test_what_is_in_the_dataset_stays_as_it_is_there(bird: Bird, model):
    image = (await bird.images(model["dataset"], label="green"))[0]
    data = (await bird.get(f"/images/{image['id']}/file")).content
    same = await said(bird, model, data, label="green")
    taken = (await decide(bird, same, "accept")).json()
    assert taken["image_id"] == image["id"]
    other = (await say(bird, model, data, label="blue")).json()
    refused = problem(await decide(bird, other, "accept"), 409, "picture-known")
    assert (refused["image_id"], refused["label"]) == (image["id"], "green")
    after = (await bird.get(f"/images/{image['id']}")).json()
    assert (after["label"], after["version"]) == ("green", image["version"])


async def test_by_its_hash_alone_it_is_counted_and_becomes_no_image(bird: Bird, model):
    digest = hashlib.sha256(b"kept at home").hexdigest()
    response = await say(bird, model, sha256=digest, label="green")
    assert response.status_code == 201, response.text
    found = response.json()
    assert (found["has_picture"], found["sha256"]) == (False, digest)
    problem(await decide(bird, found, "accept"), 409, "feedback-without-picture")
    problem(await bird.get(f"/feedback/{found['id']}/file"), 404, "feedback-not-found")
    assert await bird.parts.services.feedback.counts(model["id"], long_ago()) == (0, 1)


@pytest.mark.parametrize(
    "form",
    [
        {"predicted": "purple"},
        {"is_right": "true", "label": "green"},
        {"label": "red"},
        {"sha256": "0" * 64},
        {"url": "http://127.0.0.1/a.png"},
    ],
    ids=["no class", "right and other", "wrong and same", "two pictures", "two ways"],
)
async def test_what_makes_no_sense_is_refused(bird: Bird, model, form):
    problem(await say(bird, model, odd(8), **form), 422, "input-refused")
    assert await inbox(bird, model) == []


async def test_the_picture_must_be_one_and_be_there(bird: Bird, model):
    problem(await say(bird, model), 422, "input-refused")
    refused = problem(await say(bird, model, b"GIF89a, but not really"), 422, "image-not-usable")
    assert refused["reason"]
    guarded = await say(bird, model, url="http://10.0.0.1/a.png")
    assert problem(guarded, 422, "image-not-usable")["reason"] == "blocked-address"
    problem(await say(bird, model, odd(9), sha256="not a hash"), 422, "invalid-request")
    problem(await say(bird, model, odd(9), wrong="x"), 422, "invalid-request")
    problem(await say(bird, {"id": "0" * 26}, odd(9)), 404, "model-not-found")
    large = bytes(bird.parts.services.limits.image_bytes + 1)
    problem(await say(bird, model, large), 413, "body-too-large")
    assert files(bird) == []


async def test_a_client_is_heard_so_often_and_others_go_on(bird: Bird, model):
    digests = (hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(PER_HOUR + 9))
    for _ in range(PER_HOUR):
        assert (await say(bird, model, sha256=next(digests))).status_code == 201
    response = await say(bird, model, sha256=next(digests))
    body = problem(response, 429, "too-much-feedback")
    assert 0 < int(response.headers["retry-after"]) == body["retry_after_s"] <= 60
    text, _ = await bird.parts.services.access.create("other", TokenKind.API)
    async with bird.anonymous(Authorization=f"Bearer {text}") as other:
        form = {"model_id": model["id"], "is_right": "true", "sha256": next(digests)}
        assert (await other.post(f"{API}/feedback", data=form)).status_code == 201


async def test_a_full_inbox_takes_no_more_until_some_is_decided(bird: Bird, model, monkeypatch):
    monkeypatch.setattr(feedback_service, "MAX_WAITING", 2)
    found = [await said(bird, model, odd(number)) for number in range(2)]
    problem(await say(bird, model, odd(2)), 409, "inbox-full")
    await decide(bird, found[0], "dismiss")
    assert (await say(bird, model, odd(2))).status_code == 201
    monkeypatch.setattr(feedback_service, "MAX_WAITING", 100)
    monkeypatch.setattr(feedback_service, "MAX_BYTES", 100)
    problem(await say(bird, model, odd(3)), 409, "inbox-full")


async def test_what_was_decided_long_ago_goes_with_its_file(bird: Bird, model):
    old, young = [await said(bird, model, odd(number)) for number in range(2)]
    for found in (old, young):
        await decide(bird, found, "dismiss")
    async with bird.database.write() as session:
        record = await session.get(FeedbackRecord, old["id"])
        record.decided_at = datetime.now(UTC) - timedelta(days=91)
    (bird.data / "feedback" / "ab").mkdir(exist_ok=True)
    (bird.data / "feedback" / "ab" / ("ab" * 32)).write_bytes(b"left by a crash")
    await bird.parts.services.inbox.prune()
    assert [one["id"] for one in await inbox(bird, model)] == [young["id"]]
    assert files(bird) == [young["sha256"]]


async def test_a_snapshot_never_validates_on_it(bird: Bird, model):
    wanted = {"valid_ratio": 0.5, "seed": 3}
    before = await sides(bird, model, **wanted)
    twins = await bird.images(model["dataset"])
    known = [
        (await bird.get(f"/images/{one['id']}/file")).content + b"one byte more" for one in twins
    ]
    sent = [(odd(number), "green") for number in range(12)]
    sent += [(data, one["label"]) for data, one in zip(known, twins, strict=True)]
    for data, label in sent:
        more = {"is_right": "true"} if label == "red" else {"label": label}
        found = await said(bird, model, data, **more)
        assert (await decide(bird, found, "accept")).status_code == 200
    counts, after = await sides_and_counts(bird, model, **wanted)
    extra = set(after) - set(before)
    assert {sha256: side for sha256, side in after.items() if sha256 in before} == before
    assert {after[sha256] for sha256 in extra} == {Split.TRAIN}
    valid = sum(side is Split.VALID for side in before.values())
    assert valid > 0
    assert counts["from_feedback"]["train"] == len(extra)
    assert counts["from_feedback"]["left_out"] == len(sent) - len(extra) >= valid
    assert counts["straddling"]["near_duplicate_pairs"] == 0


async def sides(bird: Bird, model: dict[str, Any], **wanted: Any) -> dict[str, Split]:
    return (await sides_and_counts(bird, model, **wanted))[1]


async def sides_and_counts(
    bird: Bird, model: dict[str, Any], **wanted: Any
) -> tuple[dict[str, Any], dict[str, Split]]:
    made = await snapshot(bird, model["dataset"], **wanted)
    data = (await bird.get(f"/snapshots/{made['id']}/manifest")).content
    return made["counts"], {item.sha256: item.split for item in Manifest.from_bytes(data).items}


async def test_it_goes_with_its_model_and_its_dataset(bird: Bird, model):
    await said(bird, model, odd(1))
    assert (await bird.delete(f"/datasets/{model['dataset']}")).status_code == 204
    await bird.parts.services.inbox.prune()
    assert files(bird) == []


async def test_an_address_is_fetched_and_said_where_it_is_from(bird: Bird, model, site: Site):
    data = odd(20)
    site.routes["/odd.jpg"] = answer(data)
    url = site.url("/odd.jpg")
    response = await say(bird, model, url=url, label="green")
    assert response.status_code == 201, response.text
    assert response.json()["sha256"] == hashlib.sha256(data).hexdigest()
    taken = (await decide(bird, response.json(), "accept")).json()
    image = (await bird.get(f"/images/{taken['image_id']}")).json()
    assert (image["source_url"], image["train_only"]) == (url, True)


async def test_of_a_site_that_is_kept_out_nothing_stays_and_nothing_comes(
    bird: Bird, model, site: Site
):
    site.routes["/odd.jpg"] = answer(odd(21))
    url = site.url("/odd.jpg")
    found = (await say(bird, model, url=url, label="green")).json()
    away = {"site": "127.0.0.1", "block": True, "dataset_id": None}
    removed = await bird.post("/sites/removal", json=away)
    assert removed.status_code == 200, removed.text
    problem(await decide(bird, found, "accept"), 422, "image-not-usable")
    refused = problem(await say(bird, model, url=url), 422, "image-not-usable")
    assert refused["reason"] == "opt-out"
    await bird.parts.services.inbox.prune()
    assert await inbox(bird, model) == []
    assert files(bird) == []
