"""Snapshots leave the server: in every format, the same bytes each time, any part of them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
import tarfile
import zipfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet
import pytest
import pytest_asyncio

from server.archives.cells import unguard
from server.contract.files import sha256_of
from server.contract.snapshot import Manifest
from server.services import exports
from tests.support.app import Bird, listening, problem
from tests.support.images import jpeg
from tests.support.played_trainer import coloured_dataset, snapshot
from tests.support.site import Site, answer

on_shared = pytest.mark.asyncio(loop_scope="module")

FORMATS = ("folder", "webdataset", "hf", "csv", "parquet", "croissant", "datasheet")
EVIL = '=HYPERLINK("http://evil.test")'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(shared: Bird) -> dict[str, Any]:
    """Return a snapshot of 24 images in three colours."""
    dataset = await coloured_dataset(shared)
    await shared.patch(f"/datasets/{dataset}", json={"description": "Colours, for <tests>"})
    await shared.upload(
        dataset, jpeg(seed=99), "red", source_url="https://pages.test/a", page_url="https://p.test/"
    )
    out = await shared.upload(dataset, jpeg(seed=98), "blue")
    await shared.patch(f"/images/{out['id']}", json={"excluded": True})
    return await snapshot(shared, dataset)


async def export(bird: Bird, made: dict[str, Any], wanted: str, **headers: str) -> httpx2.Response:
    path, _, shard = wanted.partition("/")
    params = {"format": path} | ({"shard": shard} if shard else {})
    return await bird.get(f"/snapshots/{made['id']}/export", params=params, headers=headers)


async def manifest_of(bird: Bird, made: dict[str, Any]) -> Manifest:
    return Manifest.from_bytes((await bird.get(f"/snapshots/{made['id']}/manifest")).content)


@pytest.mark.parametrize("wanted", [*FORMATS, "webdataset/0", "webdataset/1"])
@on_shared
async def test_an_export_is_the_same_each_time_and_served_in_parts(
    shared: Bird, made: dict[str, Any], wanted: str
):
    whole = await export(shared, made, wanted)
    assert whole.status_code == 200, whole.text
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    assert "attachment" in whole.headers["content-disposition"]
    etag = whole.headers["etag"]
    assert etag.startswith('"')
    again = await export(shared, made, wanted)
    assert (again.content, again.headers["etag"]) == (whole.content, etag)
    middle = len(whole.content) // 2
    rest = await export(shared, made, wanted, Range=f"bytes={middle}-", **{"If-Range": etag})
    assert rest.status_code == 206
    assert rest.content == whole.content[middle:]
    size = len(whole.content)
    assert rest.headers["content-range"] == f"bytes {middle}-{size - 1}/{size}"
    assert (await export(shared, made, wanted, **{"If-None-Match": etag})).status_code == 304
    head = await shared.request("HEAD", f"/snapshots/{made['id']}/export", params=whole.url.params)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=10-19", slice(10, 20)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=5-999999999", slice(5, None)),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("lines=0-1", None),
    ],
)
@on_shared
async def test_ranges_are_those_of_http(shared: Bird, made: dict[str, Any], header: str, part):
    whole = (await export(shared, made, "csv")).content
    response = await export(shared, made, "csv", Range=header)
    assert response.status_code == (200 if part is None else 206)
    assert response.content == (whole if part is None else whole[part])


@on_shared
async def test_a_range_of_another_file_gets_the_whole_and_one_behind_the_end_nothing(
    shared: Bird, made: dict[str, Any]
):
    whole = (await export(shared, made, "csv")).content
    for beyond in (f"bytes={len(whole)}-", "bytes=-0", "bytes=9999999999999999999-"):
        refused = await export(shared, made, "csv", Range=beyond)
        assert refused.status_code == 416
        assert refused.headers["content-range"] == f"bytes */{len(whole)}"
    last = await export(shared, made, "csv", Range=f"bytes={len(whole) - 1}-{len(whole)}")
    assert (last.status_code, last.content) == (206, whole[-1:])
    headers = {"Range": "bytes=5-", "If-Range": '"another"'}
    assert (await export(shared, made, "csv", **headers)).content == whole
    beyond = await export(shared, made, "csv", Range=f"bytes={len(whole)}-")
    slug = HTTPStatus(416).phrase.lower().replace(" ", "-")  # depends on Python's version
    problem(beyond, 416, slug)
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"


@on_shared
async def test_a_folder_is_the_snapshot_by_side_and_label(shared: Bird, made: dict[str, Any]):
    manifest = await manifest_of(shared, made)
    with zipfile.ZipFile(io.BytesIO((await export(shared, made, "folder")).content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        endings = {"jpeg": "jpg", "png": "png"}
        assert names == {"labels.csv"} | {
            f"{item.split}/{item.label}/{item.sha256}.{endings[item.format]}"
            for item in manifest.items
        }
        for name in names - {"labels.csv"}:
            assert sha256_of(archive.read(name)) == Path(name).stem


@on_shared
async def test_a_hugging_face_folder_has_metadata_beside_each_side(
    shared: Bird, made: dict[str, Any]
):
    manifest = await manifest_of(shared, made)
    with zipfile.ZipFile(io.BytesIO((await export(shared, made, "hf")).content)) as archive:
        seen = {}
        for split in ("train", "valid"):
            text = archive.read(f"{split}/metadata.csv").decode()
            for row in csv.DictReader(io.StringIO(text)):
                data = archive.read(f"{split}/{row['file_name']}")
                seen[sha256_of(data)] = (row["label"], split)
        assert seen == {item.sha256: (item.label, item.split) for item in manifest.items}
        assert archive.read("README.md").startswith(b"# Datasheet")


@on_shared
async def test_shards_together_are_the_snapshot(shared: Bird, made: dict[str, Any]):
    manifest = await manifest_of(shared, made)
    listed = (await shared.get(f"/snapshots/{made['id']}/exports")).json()["items"]
    assert [each["format"] for each in listed] == list(FORMATS)
    shards = next(each["shards"] for each in listed if each["format"] == "webdataset")
    assert shards == 2
    wholes = [(await export(shared, made, "webdataset")).content]
    parts = [(await export(shared, made, f"webdataset/{n}")).content for n in range(shards)]
    for tars in (wholes, parts):
        found = {}
        for data in tars:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                files = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
            for name, note in files.items():
                if name.endswith(".json"):
                    said = json.loads(note)
                    image = files[next(f for f in files if f[:-4] == name[:-5] and f[-3:] != "cls")]
                    found[sha256_of(image)] = (said["label"], said["split"])
        assert found == {item.sha256: (item.label, item.split) for item in manifest.items}
    problem(await export(shared, made, f"webdataset/{shards}"), 404, "shard-not-found")


@on_shared
async def test_csv_and_parquet_have_the_same_rows(shared: Bird, made: dict[str, Any]):
    text = (await export(shared, made, "csv")).text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    table = pyarrow.parquet.read_table(
        io.BytesIO((await export(shared, made, "parquet")).content)
    ).to_pylist()
    assert len(rows) == len(table) == made["counts"]["total"]
    for row, typed in zip(rows, table, strict=True):
        assert {name: unguard(cell) for name, cell in row.items()} == {
            name: "" if value is None else str(value) for name, value in typed.items()
        }
    [page] = [row for row in rows if row["source_url"]]
    assert (page["source_url"], page["obtained_by"]) == ("https://pages.test/a", "upload")


@on_shared
async def test_a_datasheet_says_what_is_in_it_and_what_is_not(shared: Bird, made: dict[str, Any]):
    text = (await export(shared, made, "datasheet")).text
    assert text.startswith("# Datasheet: dataset")
    assert "Colours, for &lt;tests>" in text
    assert made["manifest_sha256"] in text
    assert "| excluded, by label | images |\n| --- | ---: |\n| blue | 1 |" in text
    assert "https://pages.test/a" in text.split("## Credits")[1]
    counts = made["counts"]
    assert f"| all | {counts['train']} | {counts['valid']} |" in text


# Apart from the tests: the library leaves files open and a cache in the person's home.
READ_CROISSANT = """
import json, sys, mlcroissant
issues = mlcroissant.Dataset(sys.argv[1]).metadata.ctx.issues
records = [
    {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in r.items()}
    for r in mlcroissant.Dataset(sys.argv[2]).records("records")
]
print(json.dumps({"said": [*issues.errors, *issues.warnings], "records": records}, default=str))
"""


@on_shared
async def test_croissant_is_valid_and_its_hashes_are_those_of_the_files(
    shared: Bird, made: dict[str, Any], tmp_path: Path
):
    pytest.importorskip("mlcroissant")
    text = (await export(shared, made, "croissant")).text
    described = json.loads(text)
    for file in described["distribution"][:2]:
        content = (await export(shared, made, file["contentUrl"].rpartition("=")[2])).content
        assert (sha256_of(content), f"{len(content)} B") == (file["sha256"], file["contentSize"])
        (tmp_path / file["name"]).write_bytes(content)
        file["contentUrl"] = file["name"]  # as one who has the files beside the description
    paths = [tmp_path / "as-exported.json", tmp_path / "beside.json"]
    paths[0].write_text(text)
    paths[1].write_text(json.dumps(described))
    reading = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "ignore", "-c", READ_CROISSANT, *map(str, paths)),
        env={"HOME": str(tmp_path), "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
    )
    answer, _ = await asyncio.wait_for(reading.communicate(), 60)
    read = json.loads(answer)
    assert read["said"] == []
    items = (await manifest_of(shared, made)).items
    found = {row["records/sha256"]: row for row in read["records"]}
    assert {sha256: row["records/label"] for sha256, row in found.items()} == {
        item.sha256: item.label for item in items
    }
    for sha256, row in found.items():
        assert sha256 in row["records/path"], "each image is beside its own row"


@on_shared
async def test_what_is_exported_once_stays_what_it_was(shared: Bird, made: dict[str, Any]):
    before = {each: (await export(shared, made, each)).content for each in FORMATS}
    dataset = made["dataset_id"]
    [first, *_] = await shared.images(dataset, status="ready")
    await shared.patch(f"/images/{first['id']}", json={"label": "green", "excluded": True})
    await shared.patch(f"/datasets/{dataset}", json={"description": "another"})
    shared.parts.services.exports._listings.clear()
    for each in FORMATS:
        assert (await export(shared, made, each)).content == before[each]


async def test_provenance_of_captures_is_kept_and_formulas_are_text(bird: Bird, site: Site):
    dataset = await coloured_dataset(bird, 6)
    site.routes["/a.jpg"] = answer(jpeg(seed=5))
    body = {
        "capture_key": "k",
        "label": "red",
        "captured_at": "2026-11-22T10:00:00Z",
        "engine": "bing",
        "query": "@red",
        "page_url": "https://www.bing.com/images/search?q=red",
        "candidates": [
            {
                "url": site.url("/a.jpg"),
                "source_url": "https://a.test/page",
                "title": EVIL,
                "license": "CC-BY-4.0",
            },
            {"url": site.url("/gone.jpg")},
        ],
    }
    assert (await bird.post(f"/datasets/{dataset}/captures", json=body)).status_code == 201
    await bird.settled(dataset)
    made = await snapshot(bird, dataset)
    text = (await export(bird, made, "csv")).text
    [row] = [r for r in csv.DictReader(io.StringIO(text)) if r["engine"]]
    assert (row["title"], row["query"]) == (f"'{EVIL}", "'@red")
    assert row["captured_at"].startswith("2026-11-22T10:00:00")
    assert (row["source_url"], row["license"], row["sightings"]) == (
        "https://a.test/page",
        "CC-BY-4.0",
        "1",
    )
    sheet = (await export(bird, made, "datasheet")).text
    for said in ("| bing | 1 |", "| red | @red | 1 |", "| CC-BY-4.0 | 1 |", "| http-status | 1 |"):
        assert said in sheet, said


@on_shared
async def test_a_trainer_is_told_engine_site_and_licence_and_no_more(
    shared: Bird, made: dict[str, Any]
):
    said = (await shared.get(f"/snapshots/{made['id']}/origins")).json()
    manifest = await manifest_of(shared, made)
    assert said["snapshot_id"] == made["id"]
    assert [item["sha256"] for item in said["items"]] == [item.sha256 for item in manifest.items]
    assert all(set(item) == {"sha256", "engine", "site", "license"} for item in said["items"])
    assert "pages.test" in {item["site"] for item in said["items"]}
    missing = await shared.get("/snapshots/01JD0000000000000000000000/origins")
    assert missing.status_code == 404


async def test_a_snapshot_without_checksums_gets_them_and_a_lost_blob_is_named(bird: Bird):
    made = await snapshot(bird, await coloured_dataset(bird))
    before = (await export(bird, made, "folder")).content
    crcs = bird.data / "snapshots" / f"{made['id']}.crc32"
    crcs.unlink()
    bird.parts.services.exports._listings.clear()
    assert (await export(bird, made, "folder")).content == before
    assert crcs.is_file()
    crcs.unlink()
    bird.parts.services.exports._listings.clear()
    item = (await manifest_of(bird, made)).items[3]
    bird.parts.services.images._stores.blobs.path(item.sha256).unlink()
    problem(await export(bird, made, "folder"), 409, "blob-damaged")


async def test_a_client_that_reads_slowly_or_leaves_holds_nothing(bird: Bird):
    made = await snapshot(bird, await coloured_dataset(bird))
    headers = {"Authorization": f"Bearer {bird.token}"}
    pool = bird.database._engine.pool
    async with listening(bird) as address, httpx2.AsyncClient(trust_env=False) as client:
        url = f"{address}/api/v1/snapshots/{made['id']}/export?format=hf"
        async with client.stream("GET", url, headers=headers) as response:
            await anext(response.aiter_raw(100))
            assert pool.checkedout() == 0, "no session is open while a client reads"
        whole = await client.get(url, headers=headers)
        assert len(whole.content) == int(whole.headers["content-length"])


async def test_a_download_of_what_is_deleted_meanwhile_breaks_off(bird: Bird):
    """Never a file that looks whole: fewer bytes come than were promised."""
    made = await snapshot(bird, await coloured_dataset(bird))
    headers = {"Authorization": f"Bearer {bird.token}"}
    items = (await manifest_of(bird, made)).items
    async with listening(bird) as address, httpx2.AsyncClient(trust_env=False) as client:
        url = f"{address}/api/v1/snapshots/{made['id']}/export?format=folder"
        for item in items[len(items) // 2 :]:
            bird.parts.services.images._stores.blobs.path(item.sha256).unlink()
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(url, headers=headers)


async def test_what_several_want_at_once_is_written_once(
    bird: Bird, monkeypatch: pytest.MonkeyPatch
):
    made = await snapshot(bird, await coloured_dataset(bird))
    written: list[Path] = []
    write = exports._write
    monkeypatch.setattr(exports, "_write", lambda path, do: (written.append(path), write(path, do)))
    answers = await asyncio.gather(*(export(bird, made, "parquet") for _ in range(4)))
    assert len({answer.content for answer in answers}) == 1
    assert len(written) == 1


@on_shared
async def test_what_cannot_be_exported_says_so(shared: Bird, made: dict[str, Any]):
    problem(await shared.get("/snapshots/01JD/export?format=csv"), 404, "snapshot-not-found")
    for query in ("", "?format=pickle", "?format=webdataset&shard=-1"):
        path = f"/snapshots/{made['id']}/export{query}"
        problem(await shared.get(path), 422, "invalid-request")
    other = await snapshot(shared, await coloured_dataset(shared))
    (shared.data / "snapshots" / f"{other['id']}.json").write_bytes(b"{}")
    problem(await export(shared, other, "folder"), 409, "snapshot-damaged")
