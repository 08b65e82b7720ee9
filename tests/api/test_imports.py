"""Importing files through the API: what comes in, what is said, what stays out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tarfile
from typing import Any

import httpx2
import pytest

from tests.support.app import Bird, listening, problem, running
from tests.support.archives import plain_tar, plain_zip
from tests.support.images import jpeg

on_shared = pytest.mark.asyncio(loop_scope="module")

A, B, C = (jpeg(64, 48, seed) for seed in (1, 2, 3))


async def send(bird: Bird, dataset_id: str, body: bytes, **params: Any) -> dict[str, Any]:
    response = await bird.post(f"/datasets/{dataset_id}/imports", content=body, params=params)
    assert response.status_code == (200 if params.get("dry_run") else 201), response.text
    report: dict[str, Any] = response.json()
    settled = report["added"] + report["known"] + report["refused_count"]
    assert settled == report["found"], "every entry ends in exactly one count"
    return report


async def labels(bird: Bird, dataset_id: str) -> dict[str, str | None]:
    """Return the label of each image by its sha256."""
    return {i["sha256"]: i["label"] for i in await bird.images(dataset_id, status="ready")}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


WDS = {
    "000.jpg": A,
    "000.json": json.dumps({"label": "grizzly", "width": 64}).encode(),
    "000.cls": b"0",
    "001.jpg": B,
    "001.cls": b"teddy",
    "002.jpg": C,
    "002.json": b'{"label": "teddy"}',
}
HF = {
    "train/metadata.csv": b"file_name,label\r\na.jpg,grizzly\r\nsub/b.jpg,teddy\r\n",
    "train/a.jpg": A,
    "train/sub/b.jpg": B,
    "validation/metadata.csv": "\ufefffile_name,label\nc.jpg,teddy\n".encode(),
    "validation/c.jpg": C,
}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            plain_zip({"grizzly/a.jpg": A, "teddy/b.jpg": B, "teddy/x/c.jpg": C}), id="folders"
        ),
        pytest.param(
            plain_zip(
                {"bears/grizzly/a.jpg": A, "bears/teddy/b.jpg": B, "bears/teddy/c.jpg": C}, 8
            ),
            id="one-folder-around",
        ),
        pytest.param(
            plain_zip({"train/grizzly/a.jpg": A, "train/teddy/b.jpg": B, "valid/teddy/c.jpg": C}),
            id="splits",
        ),
        pytest.param(
            plain_zip(
                {
                    f"x/{n}": d
                    for n, d in (
                        ("train/grizzly/a.jpg", A),
                        ("val/teddy/b.jpg", B),
                        ("val/teddy/c.jpg", C),
                    )
                }
            ),
            id="splits-in-a-folder",
        ),
        pytest.param(plain_zip(HF), id="imagefolder"),
        pytest.param(
            plain_zip(HF | {"README.md": b"#", ".git/x": b"", "__MACOSX/a": b""}), id="more"
        ),
        pytest.param(plain_tar(WDS), id="webdataset"),
        pytest.param(
            plain_tar({f"shard/{n}": d for n, d in WDS.items()}), id="webdataset-in-folder"
        ),
        pytest.param(plain_tar(dict(reversed(WDS.items())), tarfile.PAX_FORMAT), id="any-order"),
        pytest.param(
            plain_tar(
                {f"grizzly/{'n' * 150}.jpg": A, "teddy/b.jpg": B, "teddy/ä.jpg": C},
                tarfile.GNU_FORMAT,
            ),
            id="folders-in-a-tar",
        ),
    ],
)
@on_shared
async def test_each_form_gives_its_labels(shared: Bird, body: bytes):
    dataset_id = await shared.dataset()
    preview = await send(shared, dataset_id, body, dry_run=True)
    assert (await shared.counts(dataset_id))["total"] == 0, "a dry run changes nothing"
    assert (await shared.get(f"/datasets/{dataset_id}/labels")).json()["items"] == []
    report = await send(shared, dataset_id, body)
    assert report == preview | {"dry_run": False}, "the dry run said what would happen"
    assert (report["added"], report["known"], report["refused"]) == (3, 0, [])
    assert report["labels"] == {"grizzly": 1, "teddy": 2}
    assert await labels(shared, dataset_id) == {
        digest(A): "grizzly",
        digest(B): "teddy",
        digest(C): "teddy",
    }
    again = await send(shared, dataset_id, body)
    assert (again["added"], again["known"]) == (0, 3), "nothing is added twice"
    assert (await shared.counts(dataset_id))["total"] == 3


@on_shared
async def test_an_image_without_any_label_comes_in_without_one(shared: Bird):
    dataset_id = await shared.dataset()
    report = await send(shared, dataset_id, plain_zip({"a.jpg": A, "train/b.jpg": B}))
    assert report["labels"] == {"": 1, "train": 1}
    assert (await labels(shared, dataset_id))[digest(A)] is None


@on_shared
async def test_bytes_that_are_there_under_another_label_keep_it(shared: Bird):
    dataset_id = await shared.dataset()
    await shared.upload(dataset_id, A, "grizzly")
    body = plain_zip({"teddy/a.jpg": A, "teddy/b.jpg": B, "black/b.jpg": B})
    report = await send(shared, dataset_id, body)
    assert (report["added"], report["known"]) == (1, 2)
    assert report["other_label"] == [
        {"path": "teddy/a.jpg", "label": "teddy", "kept": "grizzly"},
        {"path": "black/b.jpg", "label": "black", "kept": "teddy"},
    ]
    assert (await labels(shared, dataset_id))[digest(A)] == "grizzly"
    image = (await shared.images(dataset_id, status="ready"))[1]
    assert image["title"] == "b.jpg"
    assert (await shared.get(f"/images/{image['id']}/thumbnail")).status_code == 200


@on_shared
async def test_what_exports_write_is_read_back(shared: Bird):
    """Folders of labels that no file system takes, formulas that were guarded, provenance."""
    dataset_id = await shared.dataset()
    folders = plain_zip(
        {
            "train/black%2Fbrown/a.jpg": A,
            "valid/100%25/b.jpg": B,
            "valid/100%25%(2)/c.jpg": C,
            "train/caf%FF/d.jpg": jpeg(64, 48, 4),
        }
    )
    report = await send(shared, dataset_id, folders)
    assert report["labels"] == {"black/brown": 1, "100%": 2, "caf%FF": 1}

    dataset_id = await shared.dataset()
    rows = [
        "file_name,label,url,source_url,title,license",
        "train/a.jpg,'=1+1,https://e.org/a.jpg,https://e.org/,'-a,CC BY 4.0",
        "train/b.jpg,''quoted,javascript:alert(1),file:///etc/passwd,,",
        "../c.jpg,x,,,,",
    ]
    table = "\r\n".join(rows).encode()
    files = {"metadata.csv": table, "train/a.jpg": A, "train/b.jpg": B}
    report = await send(shared, dataset_id, plain_zip(files))
    assert report["labels"] == {"=1+1": 1, "'quoted": 1}
    first, second = await shared.images(dataset_id)
    assert (first["title"], first["license"]) == ("-a", "CC BY 4.0")
    assert (first["final_url"], first["source_url"]) == ("https://e.org/a.jpg", "https://e.org/")
    assert (second["title"], second["final_url"], second["source_url"]) == ("b.jpg", None, None)


async def test_a_table_of_addresses_is_queued_with_captures(still: Bird):
    dataset_id = await still.dataset()
    rows = [
        "url,label,title",
        "https://example.org/a.jpg,grizzly,=1+1",
        'https://example.org/b.jpg,"teddy",x',
        "https://example.org/a.jpg,grizzly,twice",
        "https://example.org/c.jpg,,",
        "ftp://example.org/d.jpg,teddy,",
        "",
        ",teddy,",
        "https://example.org/e.jpg,\x07,",
    ]
    body = "\n".join(rows).encode()
    preview = await send(still, dataset_id, body, dry_run=True)
    assert (await still.counts(dataset_id))["total"] == 0
    report = await send(still, dataset_id, body)
    assert report["reasons"] == preview["reasons"]
    assert report["reasons"] == {"bad-url": 1, "bad-row": 1, "bad-label": 1}
    assert [r["path"].split(":")[0] for r in report["refused"]] == ["line 8", "line 9", "line 6"]
    assert (report["found"], report["added"], report["known"]) == (7, 3, 1)
    assert report["labels"] == preview["labels"] == {"grizzly": 2, "teddy": 1, "": 1}
    counts = await still.counts(dataset_id)
    assert counts["status"]["queued"] == 3
    captures = (await still.get(f"/datasets/{dataset_id}/captures")).json()
    assert [c["label"] for c in captures["items"]] == [None, "teddy", "grizzly"]
    again = await send(still, dataset_id, body)
    assert (again["added"], again["known"]) == (0, 4)
    assert (await still.get(f"/datasets/{dataset_id}/captures")).json() == captures


async def test_progress_is_told_by_the_events_of_the_dataset(still: Bird):
    dataset_id = await still.dataset()
    signal = still.parts.services.feed.dataset(dataset_id)
    before = signal.count
    await send(still, dataset_id, plain_zip({f"x/{n}.jpg": jpeg(32, 32, n) for n in range(250)}))
    assert signal.count - before == 3, "one for each batch of a hundred"


async def test_nothing_is_left_of_a_file_that_was_sent(still: Bird):
    dataset_id = await still.dataset()
    await send(still, dataset_id, plain_zip({"x/a.jpg": A}))
    response = await still.post(f"/datasets/{dataset_id}/imports", content=b"\0")
    problem(response, 422, "import-refused")
    assert list((still.data / "incoming").iterdir()) == []


@on_shared
async def test_an_unknown_dataset_is_said_before_anything_is_read(shared: Bird):
    problem(await shared.post("/datasets/x/imports", content=b"PK"), 404, "dataset-not-found")


async def test_a_file_over_the_cap_is_refused(data_folder):
    async with running(data_folder, workers=False, http={"max_import_bytes": 1024}) as bird:
        path = f"/datasets/{await bird.dataset()}/imports"
        problem(await bird.post(path, content=bytes(2000)), 413, "body-too-large")


async def test_two_imports_at_once_add_each_image_once(still: Bird):
    """One after the other: the second one finds what the first has added, under its label."""
    dataset_id = await still.dataset()
    files = [jpeg(32, 32, n) for n in range(130)]
    first = plain_zip({f"x/{n}.jpg": data for n, data in enumerate(files)})
    second = plain_tar({f"y/{n}.jpg": data for n, data in enumerate(files)})
    reports = await asyncio.gather(
        send(still, dataset_id, first),
        send(still, dataset_id, second),
        send(still, dataset_id, first),
    )
    assert sum(report["added"] for report in reports) == 130
    assert sum(report["known"] for report in reports) == 260
    assert (await still.counts(dataset_id))["status"]["ready"] == 130


async def test_a_body_that_nobody_reads_costs_no_connection(still: Bird):
    headers = {"Authorization": f"Bearer {still.token}"}
    ports = set()
    async with listening(still) as address, httpx2.AsyncClient(trust_env=False) as client:
        for body in (b"", bytes(1 << 22), b"", bytes(100)):
            url = f"{address}/api/v1/datasets/nowhere/imports"
            response = await client.post(url, headers=headers, content=body)
            problem(response, 404, "dataset-not-found")
            stream = response.extensions["network_stream"]
            ports.add(stream.get_extra_info("client_addr"))
    assert len(ports) == 1, "all went over one connection"
