"""A server, as a program uses it: its datasets, snapshots, jobs, models and answers.

May import the rest of ``server.client``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from server.client.dataset import POLL_S, DatasetClient, image_changes, read_image_file, segment
from server.client.downloads import Download, Source
from server.client.errors import ClientError
from server.client.rollout_views import Disagreement, Rollout, RolloutRules
from server.client.site_views import BlockedSite, BlockedSites, Removal
from server.client.training_views import (
    Drift,
    Job,
    KeptPrediction,
    Model,
    PredictionCounts,
    StageChange,
)
from server.client.transport import SNAPSHOT_S, Client, Upload
from server.client.views import (
    Answer,
    Dataset,
    Difference,
    Health,
    Image,
    Snapshot,
)
from server.contract.jobs import FINISHED


class Bowerbird:
    """A running server.

    Nothing is sent before the first call, and no token to a program that is not Bowerbird. Safe to
    share between threads. Every method raises `server.client.errors.ClientError`: one of its
    subclasses where a program may want to tell them apart.

    Args:
        server: Its address; by default ``BOWERBIRD_SERVER``, or this machine's port 8000.
        token: By default ``BOWERBIRD_TOKEN``, or the one that ``serve`` leaves in ``data``.
        data: The server's data folder; by default ``BOWERBIRD_DATA``, or ``./data``.
        transport: A connection to use instead of one of its own.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        data: Path | None = None,
        transport: Client | None = None,
    ) -> None:
        if transport is None:
            # pydantic-settings takes 0.2 s to import, which `--help` need not pay.
            from server.client.settings import ClientSettings  # noqa: PLC0415

            transport = Client(ClientSettings.load(data, server, token))
        self.transport = transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.transport.close()

    def health(self) -> Health:
        """Return who answers; no token is sent."""
        return self.transport.health()

    # --- datasets and images ------------------------------------------------------------------

    def datasets(self) -> Iterator[Dataset]:
        """Yield all datasets with their counts, newest first."""
        return self.transport.pages("/datasets", Dataset)

    def dataset(self, name: str) -> DatasetClient:
        """Return the dataset of this name, or of this id.

        Raises:
            NotFoundError: There is none.
        """
        wanted = " ".join(name.split())  # as the server keeps names
        by_id = None
        for found in self.datasets():
            if found.name == wanted:
                return DatasetClient(self.transport, found.id)
            by_id = found if found.id == wanted else by_id
        # For what is neither a name nor an id the server says so itself.
        found = by_id or self.transport.get(f"/datasets/{segment(wanted)}", Dataset)
        return DatasetClient(self.transport, found.id)

    def create_dataset(self, name: str, description: str = "") -> DatasetClient:
        """Make a dataset.

        Raises:
            AlreadyThereError: The name is taken.
        """
        body: dict[str, JsonValue] = {"name": name, "description": description}
        made = self.transport.post("/datasets", Dataset, body)
        return DatasetClient(self.transport, made.id)

    def image(self, image_id: str) -> Image:
        """Return an image; where it was seen is in its ``model_extra``, as all else."""
        return self.transport.get(f"/images/{segment(image_id)}", Image)

    def change_image(
        self,
        image_id: str,
        *,
        label: str | None = None,
        excluded: bool | None = None,
        reviewed: bool | None = None,
        version: int | None = None,
    ) -> Image:
        """Change an image; None leaves a member as it is.

        Args:
            image_id: The image.
            label: The name of a label that the dataset has.
            excluded: Keep it out of snapshots.
            reviewed: Somebody has looked at it.
            version: Refuse when the image is no longer of this version.

        Raises:
            VersionConflictError: Somebody has changed it in between.
            UnknownLabelError: The dataset has no such label.
        """
        body = image_changes(label, excluded=excluded, reviewed=reviewed)
        return self.transport.patch(f"/images/{segment(image_id)}", Image, body, version=version)

    def read_image(self, image_id: str) -> bytes:
        """Return the bytes of an image as they were fetched."""
        with self.transport.stream(f"/images/{segment(image_id)}/file") as pieces:
            return b"".join(pieces)

    # --- sites ---------------------------------------------------------------------------------

    def remove_site(
        self,
        site: str,
        *,
        dataset_id: str | None = None,
        dry_run: bool = False,
        block: bool = False,
    ) -> Removal:
        """Remove everything of a site for good, and say what had used it. It can't be undone.

        Bytes that an image of another site holds too stay. One that was cut off goes on when it is
        asked for again.

        Args:
            site: A host, such as ``example.org``; it stands for its sub-domains too.
            dataset_id: Of this dataset only; of all when None.
            dry_run: Only say what would go.
            block: Take nothing of it any more.
        """
        body: dict[str, JsonValue] = {"site": site, "dry_run": dry_run, "block": block}
        if dataset_id is not None:
            body["dataset_id"] = dataset_id
        return self.transport.post("/sites/removal", Removal, body, timeout_s=SNAPSHOT_S)

    def removals(self) -> Iterator[Removal]:
        """Yield what was removed, newest first."""
        return self.transport.pages("/sites/removals", Removal)

    def blocked_sites(self) -> list[BlockedSite]:
        """Return the sites of which nothing is collected, by name."""
        return self.transport.get("/sites/blocked", BlockedSites).items

    def unblock_site(self, site: str) -> None:
        """Collect from a site again.

        Raises:
            NotFoundError: It is not kept out.
        """
        self.transport.delete(f"/sites/blocked/{segment(site)}")

    # --- snapshots ----------------------------------------------------------------------------

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot with its counts."""
        return self.transport.get(f"/snapshots/{segment(snapshot_id)}", Snapshot)

    def compare(self, before_id: str, after_id: str) -> Difference:
        """Return what was added to a snapshot, removed, relabelled and moved in the split."""
        path = f"/snapshots/{segment(before_id)}/diff/{segment(after_id)}"
        return self.transport.get(path, Difference)

    def export(self, snapshot_id: str, form: str, out: Path, *, shard: int | None = None) -> int:
        """Write a snapshot to a file, which appears when it is whole; return its bytes.

        A download that was cut goes on by itself, or with the next call for the same file.

        Args:
            snapshot_id: The snapshot.
            form: ``folder``, ``webdataset``, ``hf``, ``csv``, ``parquet``, ``croissant``,
                ``datasheet``.
            out: Replaced when it is there.
            shard: Of ``webdataset``: one part of it.
        """
        params: dict[str, str | int] = {"format": form}
        if shard is not None:
            params["shard"] = shard
        source = Source(f"/snapshots/{segment(snapshot_id)}/export", params)
        return Download(self.transport, source, out).run(lambda _done, _total: None)

    # --- training -----------------------------------------------------------------------------

    def train(self, snapshot_id: str, recipe: Mapping[str, JsonValue] | None = None) -> Job:
        """Queue a training on a snapshot; `wait_for_job` waits for its end."""
        body: dict[str, JsonValue] = {} if recipe is None else {"recipe": dict(recipe)}
        return self.transport.post(f"/snapshots/{segment(snapshot_id)}/jobs", Job, body)

    def jobs(self, *, dataset_id: str | None = None, state: str | None = None) -> Iterator[Job]:
        """Yield the jobs, newest first."""
        return self.transport.pages("/jobs", Job, _given(dataset=dataset_id, state=state))

    def job(self, job_id: str) -> Job:
        """Return a job."""
        return self.transport.get(f"/jobs/{segment(job_id)}", Job)

    def cancel_job(self, job_id: str) -> Job:
        """Cancel a job."""
        return self.transport.post(f"/jobs/{segment(job_id)}/cancel", Job, {})

    def wait_for_job(self, job_id: str, timeout_s: float = SNAPSHOT_S) -> Job:
        """Return the job once it has ended, however it did.

        Raises:
            ClientError: It has not after ``timeout_s``; it goes on.
        """
        end_s = time.monotonic() + timeout_s
        while (job := self.job(job_id)).state not in FINISHED:
            if time.monotonic() >= end_s:
                raise ClientError(f"Job {job_id} has not ended after {timeout_s:g} seconds.")
            time.sleep(POLL_S)
        return job

    # --- models and answers -------------------------------------------------------------------

    def models(self, *, dataset_id: str | None = None, stage: str | None = None) -> Iterator[Model]:
        """Yield the models, newest first."""
        return self.transport.pages("/models", Model, _given(dataset=dataset_id, stage=stage))

    def model(self, model_id: str) -> Model:
        """Return a model."""
        return self.transport.get(f"/models/{segment(model_id)}", Model)

    def stage_model(
        self,
        model_id: str,
        stage: str,
        *,
        force: bool = False,
        reason: str | None = None,
        rollout: RolloutRules | None = None,
    ) -> Model:
        """Move a model to another stage: ``candidate``, ``shadow``, ``limited``, ``live``, ….

        Args:
            model_id: The model.
            stage: Where to.
            force: Let it go live though it is worse than the live one; needs a reason.
            reason: Kept in the models' history.
            rollout: The rules that it goes by in ``shadow`` or ``limited``.

        Raises:
            ProblemError: ``model-worse``, when it is not forced; ``rollout-running``, when another
                model is in that stage.
        """
        path = f"/models/{segment(model_id)}/stage"
        body: dict[str, JsonValue] = {"stage": stage, "force": force, "reason": reason}
        if rollout is not None:
            body["rollout"] = rollout.body
        return self.transport.post(path, Model, body)

    def rollouts(self, dataset_id: str) -> Iterator[Rollout]:
        """Yield the times that models of a dataset were beside the live one, newest first."""
        return self.transport.pages(f"/datasets/{segment(dataset_id)}/rollouts", Rollout)

    def disagreements(self, rollout_id: str) -> Iterator[Disagreement]:
        """Yield what a model and the live one answered differently, newest first."""
        return self.transport.pages(f"/rollouts/{segment(rollout_id)}/disagreements", Disagreement)

    def roll_back(self, dataset_id: str, *, reason: str | None = None) -> Model:
        """Let the model that was live before the live one answer again; return it."""
        path = f"/datasets/{segment(dataset_id)}/rollback"
        return self.transport.post(path, Model, {"reason": reason})

    def stage_changes(self, dataset_id: str) -> Iterator[StageChange]:
        """Yield what became of a dataset's models, newest first."""
        return self.transport.pages(f"/datasets/{segment(dataset_id)}/stage-changes", StageChange)

    def prediction_counts(self, model_id: str, *, days: int = 30) -> PredictionCounts:
        """Return how often a model gave each label in the last days, as far as that is kept."""
        path = f"/models/{segment(model_id)}/prediction-counts"
        return self.transport.get(path, PredictionCounts, params={"days": days})

    def drift(self, model_id: str, *, days: int = 7) -> Drift:
        """Return whether the answers of the last days are like those on the validation split."""
        path = f"/models/{segment(model_id)}/drift"
        return self.transport.get(path, Drift, params={"days": days})

    def predictions(self, model_id: str) -> Iterator[KeptPrediction]:
        """Yield the answers of a model that are kept with their images, newest first."""
        return self.transport.pages(f"/models/{segment(model_id)}/predictions", KeptPrediction)

    def forget_predictions(self, model_id: str) -> None:
        """Delete all that is kept of what a model was asked."""
        self.transport.delete(f"/models/{segment(model_id)}/predictions")

    def save_model(self, model_id: str, out: Path) -> int:
        """Write a model's bundle to a file; return its bytes."""
        return self._save(f"/models/{segment(model_id)}/bundle", out)

    def classify(
        self,
        source: bytes | Path | str,
        *,
        model_id: str | None = None,
        dataset_id: str | None = None,
        top: int | None = None,
    ) -> Answer:
        """Say what is on an image.

        Args:
            source: Its bytes, a file, or an http(s) address that the server asks.
            model_id: By default the live model of the dataset, or the newest live one.
            dataset_id: The dataset.
            top: How many labels to list; all when None.

        Raises:
            NoModelError: No model can answer.
            ImageNotUsableError: It is no image that can be used.
        """
        params = _given(model=model_id, dataset=dataset_id)
        if top is not None:
            params["top"] = str(top)
        if isinstance(source, str):
            return self.transport.post("/classify", Answer, {"url": source}, params=params)
        upload = Upload(read_image_file(source), "image", {})
        return self.transport.upload("/classify", Answer, upload, params)[1]

    def _save(self, path: str, out: Path) -> int:
        aside = out.with_name(f".{out.name}.part")
        size_bytes = 0
        try:
            with self.transport.stream(path) as pieces, aside.open("wb") as file:
                for piece in pieces:
                    size_bytes += file.write(piece)
            aside.replace(out)
        except OSError as error:
            raise ClientError(f"{out} can't be written: {error.strerror}.") from error
        finally:
            aside.unlink(missing_ok=True)
        return size_bytes


def _given(**values: str | None) -> dict[str, str | int]:
    return {name: value for name, value in values.items() if value is not None}
