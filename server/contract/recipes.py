"""Recipes: what to train and how, kept word for word in the job and in the bundle.

Every member has a default that a person need not touch. New members come with a default that means
what the trainer did before, so that old jobs and bundles stay readable. May import
``contract.schema``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator

from server.contract.errors import FormatError
from server.contract.schema import Id, StrictModel, describe

BackboneName = Literal[
    "efficientnet_lite0",
    "resnet18",
    "resnet34",
    "resnet50",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "convnext_tiny",
]
BACKBONES: Final[tuple[str, ...]] = get_args(BackboneName)  # the default first
Resize = Literal["squish", "crop", "pad-reflection", "pad-zeros"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "int8"]

_SIDE_STEP_PX = 32  # every backbone offered halves its input five times
MIN_UPDATES = 150  # below, one-cycle ends before a small set is learned (measured: 42 against 150)
MAX_UPDATES = 100_000  # some weeks on two cores: a slip of the finger
_DEFAULT_EPOCHS = 4  # fastai's lesson; on a large set that is more than the updates above


class _Shared(StrictModel):
    """What every recipe has.

    Attributes:
        backbone: The pretrained network. ``efficientnet_lite0`` needs no download.
        seed: Of everything random: folds, order of images, augmentation.
        size_px: Side of the square input of the finished model.
        resize: How an image becomes a square. ``squish`` ignores the aspect ratio, ``crop`` takes
            the centred square, ``pad-reflection`` and ``pad-zeros`` fill up with the image's
            mirrored border or with black. Measured on photos of food (426 in 13 groups, 5 splits):
            cross-validated error .283 squished, .295 padded to a square, .302 cropped.
        folds: Of the cross-validation that chooses the linear head's penalty.
        l2: Strength of that penalty; null = chosen by cross-validation.
        device: Where the arithmetic is done; ``auto`` = the fastest that the trainer has.
    """

    backbone: BackboneName = "efficientnet_lite0"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    size_px: Annotated[int, Field(ge=64, le=512, multiple_of=_SIDE_STEP_PX)] = 224
    resize: Resize = "squish"
    folds: Annotated[int, Field(ge=2, le=10)] = 5
    l2: Annotated[float, Field(gt=0, le=1e4)] | None = None
    device: Device = "auto"


class _Making(_Shared):
    """What the recipes that make a model have.

    Attributes:
        precision: Of the finished model's arithmetic. ``int8``: a quarter of the bytes; what it
            costs is measured on all validation images, and it is that model which is judged.
    """

    precision: Precision = "float32"


class HeadRecipe(_Making):
    """Frozen backbone, cached features, a regularised linear head: seconds."""

    kind: Literal["head"] = "head"


class FineTuneRecipe(_Making):
    """The head first, then the whole network from there: minutes.

    At most one of ``updates``, ``epochs`` and ``time_budget_s`` may be given; without any, four
    epochs, but at least `MIN_UPDATES` updates: a small set needs updates, not epochs.

    Attributes:
        updates: Steps of the optimiser.
        epochs: Passes over the training images, broken ones too.
        time_budget_s: Seconds for the updates; how many fit is measured at the start, so two runs
            may differ.
        batch_size: Images per update. When memory does not suffice the trainer computes the same
            update in parts.
        train_size_px: Side of the training pictures; null = five sevenths of ``size_px``. Random
            crops show objects larger than they are at evaluation, which smaller pictures undo, at
            half the cost: Touvron et al. 2019, https://arxiv.org/abs/1906.06423
        lr: Highest learning rate of the last layer group and the head.
        first_lr_ratio: The first layer group's share of ``lr``; groups between lie between,
            geometrically.
        frozen_updates: Updates of the head alone before the rest is unfrozen. The head starts at
            the optimum that was found on cached features, so none are needed.
        weight_decay: Of AdamW, on weights but not on biases and BatchNorm: fastai's number.
        max_gradient_norm: Longer gradients are cut to it; null = never.
        augmentation: ``none``; ``flip``: horizontal alone; ``full``: also crop, zoom, rotation,
            perspective, brightness and contrast with fastai's numbers.
        min_scale: Smallest share of the picture's area that a random crop may take.
        mixup: Alpha of the Beta distribution of mixtures of two images; 0 = none.
        label_smoothing: Probability taken from the right class and spread over all.
        ema_decay: Weight of the past in the average of the network over updates; 0 = the network
            after the last update.
        tta: ``flip`` = the finished model averages an image's logits with its mirror image's, at
            twice the time of an answer.
        class_weights: ``balanced`` = a class counts as much as any other, however few its images.
    """

    kind: Literal["fine-tune"] = "fine-tune"
    updates: Annotated[int, Field(ge=1, le=MAX_UPDATES)] | None = None
    epochs: Annotated[float, Field(gt=0, le=1000)] | None = None
    time_budget_s: Annotated[float, Field(ge=1, le=7 * 86_400)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=256)] = 32
    train_size_px: Annotated[int, Field(ge=32, le=512, multiple_of=_SIDE_STEP_PX)] | None = None
    lr: Annotated[float, Field(gt=0, le=1)] = 2e-4
    first_lr_ratio: Annotated[float, Field(gt=0, le=1)] = 0.1
    frozen_updates: Annotated[int, Field(ge=0, le=MAX_UPDATES)] = 0
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    max_gradient_norm: Annotated[float, Field(gt=0, le=1e6)] | None = None
    augmentation: Literal["none", "flip", "full"] = "full"
    min_scale: Annotated[float, Field(gt=0, le=1)] = 0.5
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    tta: Literal["none", "flip"] = "none"
    class_weights: Literal["none", "balanced"] = "none"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(given is not None for given in (self.updates, self.epochs, self.time_budget_s)) > 1:
            raise ValueError("give one of updates, epochs and time_budget_s, not several")
        if self.train_size_px is not None and self.train_size_px > self.size_px:
            raise ValueError("train_size_px must not be above size_px")
        return self

    @property
    def training_side_px(self) -> int:
        """Side of the training pictures, a multiple of 32."""
        if self.train_size_px is not None:
            return self.train_size_px
        steps = round(self.size_px * 5 / 7 / _SIDE_STEP_PX)
        return max(1, steps) * _SIDE_STEP_PX

    def updates_for(self, image_count: int) -> int:
        """Return how many updates are asked for; ``time_budget_s`` is the trainer's to measure.

        Args:
            image_count: Training images; above 0.
        """
        if self.updates is not None:
            return self.updates
        per_epoch = image_count / self.batch_size
        if self.epochs is not None:
            return min(MAX_UPDATES, max(1, round(self.epochs * per_epoch)))
        return min(MAX_UPDATES, max(MIN_UPDATES, round(_DEFAULT_EPOCHS * per_epoch)))


class LrFindRecipe(_Shared):
    """No model: a short training at ever higher learning rates, and the curve of its loss.

    It changes the network as ``fine-tune`` with the same members would; see there.
    """

    kind: Literal["lr-find"] = "lr-find"
    batch_size: Annotated[int, Field(ge=1, le=256)] = 32
    train_size_px: Annotated[int, Field(ge=32, le=512, multiple_of=_SIDE_STEP_PX)] | None = None
    first_lr_ratio: Annotated[float, Field(gt=0, le=1)] = 0.1
    augmentation: Literal["none", "flip", "full"] = "full"
    min_scale: Annotated[float, Field(gt=0, le=1)] = 0.5

    def as_fine_tune(self) -> FineTuneRecipe:
        """Return the fine-tuning whose learning rate is sought."""
        return FineTuneRecipe(**self.model_dump(exclude={"kind"}))


class EvaluateRecipe(StrictModel):
    """No model: a finished one answers the snapshot's images that it was not trained on.

    Attributes:
        model_id: The model's, of this or of another dataset.
    """

    kind: Literal["evaluate"] = "evaluate"
    model_id: Id


def _kind_of(value: Any) -> str:
    # A document that names no kind is the oldest recipe.
    if isinstance(value, dict):
        return str(value.get("kind", "head"))
    return str(getattr(value, "kind", "head"))


Recipe = Annotated[
    Annotated[HeadRecipe, Tag("head")]
    | Annotated[FineTuneRecipe, Tag("fine-tune")]
    | Annotated[LrFindRecipe, Tag("lr-find")],
    Discriminator(_kind_of),
]
# A bundle has the recipe that made it; a job may also be one that trains nothing.
JobRecipe = Annotated[
    Annotated[HeadRecipe, Tag("head")]
    | Annotated[FineTuneRecipe, Tag("fine-tune")]
    | Annotated[LrFindRecipe, Tag("lr-find")]
    | Annotated[EvaluateRecipe, Tag("evaluate")],
    Discriminator(_kind_of),
]
_JOB_RECIPE: TypeAdapter[JobRecipe] = TypeAdapter(JobRecipe)


def parse_recipe(document: object) -> JobRecipe:
    """Return the recipe of a job that a JSON document is.

    Args:
        document: Of this version or an older one.

    Raises:
        FormatError: It is none.
    """
    try:
        return _JOB_RECIPE.validate_python(document)
    except ValidationError as error:
        raise FormatError(f"no recipe that is known here: {describe(error)}") from error
