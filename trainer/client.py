"""The server's REST API as a trainer sees it.

May import the contract, ``trainer.transport``, ``trainer.snapshot`` and ``trainer.errors``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from server.contract.errors import FormatError
from server.contract.files import sha256_of, write_atomically
from server.contract.jobs import (
    Claim,
    ClaimRequest,
    FailReport,
    FindingReport,
    JobError,
    JobFinding,
    Progress,
    ProgressReply,
    ProgressReport,
)
from server.contract.origins import MAX_ORIGINS_BYTES, Origin, Origins
from server.contract.removed import MAX_REMOVED, RemovedBlobs
from server.contract.schema import Id, ReplyModel, Sha256, describe
from server.contract.snapshot import MAX_MANIFEST_BYTES, Item, Manifest
from trainer.errors import JobFailedError, ServerAwayError, ServerRefusedError
from trainer.snapshot import blob_path
from trainer.transport import Reply, Request, Transport

if TYPE_CHECKING:
    from server.contract.bundle import Bundle


_CLAIM_MARGIN_S = 10  # on top of the time that the server may hold a claim
_LIST_TIMEOUT_S = 10  # a page of hashes takes milliseconds, and is asked for before every claim
_UPLOAD_TIMEOUT_S = 300  # the server reads and checks the whole bundle before it answers
_POLL_S = 1.0  # how often a slow download looks whether the job was stopped
_NO_CONTENT = 204
_GONE = frozenset({404, 409})  # never there; there, but its file is lost
_NOT_TOLD = frozenset({403, 404})  # a server that is older than the question

Step = Callable[[int, int], None]
_Model = TypeVar("_Model", bound=BaseModel)


class _SnapshotReply(ReplyModel):
    manifest_sha256: Sha256


class _BundleReply(ReplyModel):
    model_id: Id


class ServerClient:
    """What a trainer asks of its server; safe to use from several threads.

    Every method may raise `ServerAwayError`, after a bounded number of attempts, and
    `ServerRefusedError`.

    Args:
        transport: Open for as long as this is used.
        worker: This trainer's name.
        download_threads: Blobs fetched at once.
    """

    def __init__(self, transport: Transport, worker: str, download_threads: int) -> None:
        self._transport = transport
        self._worker = worker
        self._download_threads = download_threads

    def claim(self, wait_s: float) -> Claim | None:
        """Ask once for a job; None when there is none within ``wait_s`` seconds.

        A job in a form not known here (of a newer server) is reported as failed, so that it does
        not come back for ever; that too gives None.
        """
        body = ClaimRequest(worker=self._worker, wait_s=wait_s)
        reply = self._transport.send(
            Request(
                "POST",
                "jobs/claim",
                body=_json(body),
                timeout_s=wait_s + _CLAIM_MARGIN_S,
                attempts=1,  # the caller tries for ever
            )
        )
        if reply.status == _NO_CONTENT:
            return None
        try:
            return Claim.model_validate_json(reply.content)
        except ValidationError as error:
            self._refuse(reply.content, describe(error))
            return None

    def _refuse(self, content: bytes, why: str) -> None:
        try:
            job_id = json.loads(content)["job"]["id"]
        except (ValueError, LookupError, TypeError) as error:
            raise ServerAwayError(f"the claimed job cannot be read: {why}") from error
        detail = f"This trainer does not understand the job ({why}). Update the trainer."
        self.fail(str(job_id), JobError(kind="job-not-understood", detail=detail))

    def report(self, job_id: str, progress: Progress) -> ProgressReply:
        """Tell how far a job is, which renews its lease. One attempt: the next report follows.

        Raises:
            LeaseLostError: The job is no longer ours.
        """
        body = ProgressReport(worker=self._worker, progress=progress)
        # What is empty is left out: a server that is older than a member of it would refuse it.
        told = body.model_dump_json(exclude_defaults=True).encode()
        request = Request("POST", f"jobs/{job_id}/progress", body=told, attempts=1)
        return _parse(ProgressReply, self._transport.send(request))

    def fail(self, job_id: str, error: JobError) -> None:
        """Report that a job cannot be done.

        Raises:
            LeaseLostError: The job is no longer ours.
        """
        body = FailReport(worker=self._worker, error=error)
        self._transport.send(Request("POST", f"jobs/{job_id}/fail", body=_json(body)))

    def conclude(self, job_id: str, finding: JobFinding) -> None:
        """Report what a job that makes no model has found, which ends it.

        Raises:
            LeaseLostError: The job is no longer ours.
        """
        body = FindingReport(worker=self._worker, finding=finding)
        self._transport.send(Request("POST", f"jobs/{job_id}/finding", body=_json(body)))

    def fetch_manifest(self, snapshot_id: str) -> Manifest:
        """Fetch a snapshot's manifest and check it against the snapshot's identity.

        Raises:
            JobFailedError: ``manifest-damaged``.
        """
        path = f"snapshots/{snapshot_id}"
        known = _parse(_SnapshotReply, self._transport.send(Request("GET", path)))
        request = Request("GET", f"{path}/manifest", max_bytes=MAX_MANIFEST_BYTES)
        data = self._transport.send(request).content
        try:
            if sha256_of(data) != known.manifest_sha256:
                raise FormatError("its sha256 is not that of the snapshot")
            return Manifest.from_bytes(data)
        except FormatError as error:
            raise JobFailedError(
                "manifest-damaged",
                f"The manifest of snapshot {snapshot_id} cannot be used: {error}. "
                "Take a new snapshot.",
            ) from error

    def fetch_bundle(self, model_id: str, out: Path) -> Bundle:
        """Fetch a model's bundle and check it.

        Args:
            model_id: Of the registry.
            out: Where the file may lie meanwhile; removed afterwards.

        Raises:
            JobFailedError: ``model-missing`` or ``model-damaged``.
        """
        # Only now: it brings Pillow, which a trainer that waits does without.
        from server.contract.bundle import MAX_BUNDLE_BYTES, read_bundle  # noqa: PLC0415

        request = Request("GET", f"models/{model_id}/bundle", max_bytes=MAX_BUNDLE_BYTES)
        try:
            write_atomically(out, self._transport.send(request).content)
            return read_bundle(out)
        except ServerRefusedError as error:
            if error.status not in _GONE:
                raise
            raise JobFailedError(
                "model-missing", f"The server no longer has the model {model_id}. Choose another."
            ) from error
        except FormatError as error:
            raise JobFailedError(
                "model-damaged", f"The bundle of model {model_id} cannot be used: {error}."
            ) from error
        finally:
            out.unlink(missing_ok=True)

    def fetch_origins(self, snapshot_id: str) -> dict[str, Origin]:
        """Fetch where a snapshot's images come from, by sha256; empty from an older server."""
        request = Request("GET", f"snapshots/{snapshot_id}/origins", max_bytes=MAX_ORIGINS_BYTES)
        try:
            reply = self._transport.send(request)
        except ServerRefusedError as error:
            # What is not told is not reported; it is no reason not to train.
            if error.status not in _NOT_TOLD:
                raise
            return {}
        return {item.sha256: item for item in _parse(Origins, reply).items}

    def list_removed(self, cursor: str | None) -> RemovedBlobs:
        """Ask once for the next bytes that were removed for good, after a cursor or from the first.

        An older server does not know the question, or lets no trainer ask it: 404 or 403.
        """
        params = (("limit", str(MAX_REMOVED)), *((("cursor", cursor),) if cursor else ()))
        request = Request(
            "GET", "removed-blobs", params=params, timeout_s=_LIST_TIMEOUT_S, attempts=1
        )
        return _parse(RemovedBlobs, self._transport.send(request))

    def fetch_blobs(self, items: Sequence[Item], folder: Path, step: Step) -> None:
        """Fetch the blobs that ``folder`` lacks, several at a time.

        Args:
            items: What should be there afterwards.
            folder: See ``trainer.snapshot.blob_path``.
            step: Told (done, total) at least once a second; may raise to stop.

        Raises:
            JobFailedError: ``blob-missing`` or ``blob-damaged``.
        """
        todo = [item for item in items if not _is_there(folder, item)]
        step(len(items) - len(todo), len(items))
        with ThreadPoolExecutor(self._download_threads, thread_name_prefix="fetch") as pool:
            waiting = {pool.submit(self._fetch_blob, item, folder) for item in todo}
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    step(len(items) - len(waiting), len(items))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _fetch_blob(self, item: Item, folder: Path) -> None:
        request = Request("GET", f"blobs/{item.sha256}", max_bytes=item.bytes)
        try:
            data = self._transport.send(request).content
        except ServerRefusedError as error:
            if error.status not in _GONE:
                raise
            raise JobFailedError(
                "blob-missing",
                f"The server no longer has the image {item.sha256}. "
                "Take a new snapshot, which checks every image.",
            ) from error
        if sha256_of(data) != item.sha256:
            raise JobFailedError(
                "blob-damaged",
                f"The image {item.sha256} arrived with other bytes. If it happens again, the "
                "server's copy is damaged: exclude the image and take a new snapshot.",
            )
        path = blob_path(folder, item.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)

    def upload(self, job_id: str, bundle: Path) -> str:
        """Send the bundle and return the new model's id.

        Raises:
            LeaseLostError: The job is no longer ours.
        """
        request = Request(
            "PUT",
            f"jobs/{job_id}/bundle",
            file=bundle,
            params=(("worker", self._worker),),
            timeout_s=_UPLOAD_TIMEOUT_S,
        )
        return _parse(_BundleReply, self._transport.send(request)).model_id


def _is_there(folder: Path, item: Item) -> bool:
    # Names are hashes and files are written whole, so the size is check enough.
    path = blob_path(folder, item.sha256)
    return path.is_file() and path.stat().st_size == item.bytes


def _json(body: BaseModel) -> bytes:
    return body.model_dump_json(by_alias=True).encode()


def _parse(model: type[_Model], reply: Reply) -> _Model:
    try:
        return model.model_validate_json(reply.content)
    except ValidationError as error:
        raise ServerAwayError(f"the answer is not a {model.__name__}: {describe(error)}") from error
