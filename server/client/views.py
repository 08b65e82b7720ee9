"""What is read of the server's answers. Imports nothing of the project.

Members that are not named here are kept (``extra="allow"``), so that ``--json`` shows the server's
whole document, and a newer server's additions break nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class View(BaseModel):
    """A document of the server."""

    model_config = ConfigDict(extra="allow", frozen=True)


ViewT = TypeVar("ViewT", bound=View)


class Page(View, Generic[ViewT]):
    """One page of a list."""

    items: list[ViewT]
    next_cursor: str | None = None


class LabelCounts(View):
    """Images of one label in a dataset."""

    total: int = 0
    ready: int = 0


class DatasetCounts(View):
    """Images of a dataset per status and label."""

    total: int = 0
    excluded: int = 0
    status: dict[str, int] = Field(default_factory=dict)
    labels: dict[str, LabelCounts] = Field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Return how many images have no verdict yet."""
        return self.status.get("queued", 0) + self.status.get("downloading", 0)


class Dataset(View):
    """A dataset with its counts."""

    id: str
    name: str
    paused: bool = False
    counts: DatasetCounts = Field(default_factory=DatasetCounts)
    live_model_id: str | None = None


class Label(View):
    """A class name within a dataset."""

    id: str
    name: str


class Image(View):
    """An image as the server holds it.

    Attributes:
        version: Rises with every change of its label and review; None of a server without it.
    """

    id: str
    label: str | None = None
    status: str
    reason: str | None = None
    detail: str | None = None
    excluded: bool = False
    reviewed_at: datetime | None = None
    version: int | None = None
    url: str | None = None
    source_url: str | None = None
    title: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None


class VersionConflict(View):
    """An image that was left as it is, since somebody has changed it in between."""

    id: str
    version: int | None = None


class BulkResult(View):
    """What became of a change of several images.

    Attributes:
        action_id: By which the change can be undone.
        conflicts: Those that were left as they are.
    """

    changed: int
    action_id: str | None = None
    conflicts: list[VersionConflict] = Field(default_factory=list)


class Action(View):
    """A change that was made, and perhaps undone."""

    id: str
    at: datetime
    kind: str
    count: int
    undone_at: datetime | None = None


class UndoResult(View):
    """What became of an undoing."""

    action: Action
    changed: int
    conflicts: list[JsonValue] = Field(default_factory=list)


class Retried(View):
    """How many images were queued again."""

    queued: int


class RefusedEntry(View):
    """An entry of an import that was not taken."""

    path: str
    reason: str
    detail: str


class OtherLabel(View):
    """An entry of an import that is there under another label, which is kept."""

    path: str
    label: str | None = None
    kept: str | None = None


class ImportReport(View):
    """What became of an import, or would; the lists hold the first 10,000.

    Attributes:
        labels: Images added or known, by label; those without under ``""``.
        reasons: All that was refused, by reason.
    """

    format: str
    dry_run: bool
    found: int
    added: int
    known: int
    skipped: int
    refused: list[RefusedEntry]
    refused_count: int
    reasons: dict[str, int]
    other_label: list[OtherLabel]
    other_label_count: int
    labels: dict[str, int]


class Refusal(View):
    """A candidate the server did not take."""

    index: int
    reason: str
    detail: str | None = None


class CaptureResult(View):
    """What became of a batch of candidates."""

    capture_id: str
    added: int
    known: int
    refused: list[Refusal] = Field(default_factory=list)


class Straddling(View):
    """What of a snapshot belongs together and is on both sides of the split."""

    near_duplicate_pairs: int = 0
    source_pages: int = 0


class FromFeedback(View):
    """Images that came by feedback: learned from, or left out for looking like a validation one."""

    train: int = 0
    left_out: int = 0


class SplitCounts(View):
    """How many images a snapshot holds on each side."""

    total: int
    train: int
    valid: int
    straddling: Straddling = Field(default_factory=Straddling)
    from_feedback: FromFeedback = Field(default_factory=FromFeedback)


class Snapshot(View):
    """An immutable list of verified images with a fixed split."""

    id: str
    counts: SplitCounts
    created_at: str | None = None


class Change(View):
    """An image that differs between two snapshots."""

    sha256: str
    label: str
    split: str
    before: str | None = None


class Difference(View):
    """What differs between two snapshots."""

    added: list[Change]
    removed: list[Change]
    relabelled: list[Change]
    moved: list[Change]
    counts: dict[str, int]

    def by_kind(self) -> list[tuple[str, list[Change]]]:
        """Return the changes by what they are."""
        kinds = ("added", "removed", "relabelled", "moved")
        return [(kind, getattr(self, kind)) for kind in kinds]


class Guess(View):
    """One label with its probability, 0 to 1."""

    label: str
    probability: float


class Answer(View):
    """What a model says of one image."""

    model_id: str
    label: str | None
    probability: float
    abstained: bool = False
    predictions: list[Guess]
    prediction_id: str | None = None


class SignIn(View):
    """A link that signs a browser in, once."""

    url: str
    expires_at: str | None = None


class Health(View):
    """Who answers."""

    status: str
    version: str = "unknown"


class TrainerInfo(View):
    """The trainer beside the server."""

    enabled: bool
    state: str | None = None


class TokenInfo(View):
    """Whose token was sent."""

    name: str
    kind: str | None = None


class ServerInfo(View):
    """The server about itself."""

    version: str
    token: TokenInfo | None = None
    trainer: TrainerInfo | None = None
