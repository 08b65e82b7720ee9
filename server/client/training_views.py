"""What is read of the server's answers on jobs and models. May import ``client.views``."""

from __future__ import annotations

from pydantic import Field, JsonValue, field_validator

from server.client.views import View


class JobProgress(View):
    """How far a job is."""

    phase: str
    done: int = 0
    total: int | None = None
    message: str | None = None


class JobFailure(View):
    """Why a job failed."""

    kind: str
    detail: str | None = None


class Job(View):
    """A piece of training work."""

    id: str
    state: str
    progress: JobProgress | None = None
    error: JobFailure | None = None
    finding: JsonValue = None
    model_id: str | None = None


class LrPoint(View):
    """One step of a learning-rate finder."""

    lr: float
    loss: float
    smoothed: float


class LrFinding(View):
    """What a job of the recipe ``lr-find`` found: the curve, and what it suggests."""

    points: list[LrPoint] = Field(min_length=1)
    valley: float
    steep: float
    minimum: float


class Confused(View):
    """How often images of one label were taken for another."""

    label: str
    predicted: str
    count: int


class Foreign(View):
    """Images whose label is none of the model's classes."""

    labels: list[str]
    count: int
    abstained_ratio: float


class ModelEvaluation(View):
    """What a job of the recipe ``evaluate`` found; rates and intervals are 0 to 1.

    Attributes:
        seen_count: Images left out, since the model's training had them or ones alike.
        told_error_rate: What the model's own bundle says.
        answered_error_rate: Of the images from which it did not abstain; None without any.
    """

    count: int
    seen_count: int
    error_rate: float
    error_rate_interval: tuple[float, float]
    majority_error_rate: float
    abstained_ratio: float
    answered_error_rate: float | None
    told_error_rate: float
    told_error_rate_interval: tuple[float, float]
    confused: list[Confused]
    foreign: Foreign | None = None


class Model(View):
    """A trained model in the registry."""

    id: str
    dataset_id: str
    stage: str
    classes: list[str] = Field(default_factory=list)
    metrics: dict[str, JsonValue] = Field(default_factory=dict)
    bundle_sha256: str | None = None
    bundle_bytes: int | None = None
    created_at: str | None = None


class Quantisation(View):
    """What a model in eight bits costs; rates are 0 to 1.

    Attributes:
        float_error_rate: Of the model in float32 that it was made from.
        changed_ratio: Share of the validation images that the two name differently.
    """

    float_error_rate: float
    changed_ratio: float
    model_bytes: int
    float_bytes: int


class Metrics(View):
    """How good a model is on its validation images; rates and intervals are 0 to 1.

    Attributes:
        baselines: Error rates by name; of a model that is older than a baseline, without it.
        quantisation: Of a model in eight bits.
    """

    error_rate: float
    error_rate_interval: tuple[float, float]
    baselines: dict[str, float]
    seconds: float
    valid_count: int | None = None
    quantisation: Quantisation | None = None

    @field_validator("baselines", mode="before")
    @classmethod
    def _drop_unknown(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: rate for name, rate in value.items() if rate is not None}


class LabelCount(View):
    """How often a label was given; of these, how often the model abstained."""

    label: str
    count: int
    abstained: int


class PredictionCounts(View):
    """What a model was asked in some days; ``mode`` is what is kept of answers now."""

    mode: str
    days: int
    count: int
    abstained: int
    labels: list[LabelCount]


class DriftTest(View):
    """One test of a drift; ``p_value`` is corrected for the number of tests."""

    kind: str
    effect: float
    p_value: float
    is_alert: bool
    sentence: str


class Drift(View):
    """Whether what a model is asked is still what it was validated on."""

    mode: str
    days: int
    count: int
    min_count: int
    is_alert: bool
    sentence: str
    tests: list[DriftTest]
    notes: list[str]


class KeptPrediction(View):
    """An answer that is kept with its image."""

    id: str
    model_id: str
    sha256: str
    label: str
    probability: float
    abstained: bool
    created_at: str


class StageChange(View):
    """A model's move from one stage to another."""

    model_id: str
    before: str
    after: str
    kind: str
    replaced_id: str | None = None
    reason: str | None = None
    created_at: str
