"""Bundles for tests: a real, tiny ONNX model that tells pictures apart by their colour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from server.contract.bundle import (
    EVALUATION_JSON,
    HISTORY_JSON,
    INPUT_NAME,
    MODEL_CARD,
    MODEL_ONNX,
    OUTPUT_NAME,
    Abstention,
    Backbone,
    BundleManifest,
    Calibration,
    SnapshotRef,
    write_bundle,
)
from server.contract.evaluation import (
    Baselines,
    ClassMetrics,
    EvaluatedImage,
    Evaluation,
    History,
    Metrics,
    PenaltyTrial,
)
from server.contract.preprocess import Preprocessing
from server.contract.recipes import HeadRecipe
from server.contract.snapshot import DatasetRef, Split
from server.contract.training import Choice, FineTuning, TrainingStage
from tests.support.analyses import an_analysis

CLASSES = ("blue", "green", "red")
_CHANNELS = {"red": 0, "green": 1, "blue": 2}


def colour_onnx(classes: Sequence[str] = CLASSES, sharpness: float = 4.0) -> bytes:
    """Return a model whose logit of a class is the mean of its colour's channel."""
    weight = np.zeros((len(classes), 3), dtype=np.float32)
    for row, name in enumerate(classes):
        weight[row, _CHANNELS.get(name, row % 3)] = sharpness
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [INPUT_NAME], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight"], [OUTPUT_NAME], transB=1),
        ],
        "colours",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", len(classes)])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def bundle_manifest(
    classes: Sequence[str] = CLASSES,
    snapshot: SnapshotRef | None = None,
    dataset: DatasetRef | None = None,
) -> BundleManifest:
    """Return a manifest whose numbers are plausible and agree with each other."""
    count = len(classes)
    metrics = Metrics(
        train_count=8 * count,
        valid_count=2 * count,
        error_rate=0.0,
        error_rate_interval=(0.0, 0.4),
        log_loss=0.1,
        calibration_error=0.05,
        per_class=tuple(
            ClassMetrics(label=label, precision=1.0, recall=1.0, support=2) for label in classes
        ),
        confusion=tuple(
            tuple(2 * (row == column) for column in range(count)) for row in range(count)
        ),
        baselines=Baselines(
            majority=1 - 1 / count,
            pixel_similarity=0.2,
            pixel_similarity_l1=0.2,
            pixel_similarity_l2=0.3,
        ),
        cross_validation_error_rate=0.05,
        export_max_difference=1e-6,
        seconds=12.5,
    )
    return BundleManifest(
        dataset=dataset or DatasetRef(id="01JDDATASET", name="colours"),
        snapshot=snapshot or SnapshotRef(id="01JDSNAPSHOT", manifest_sha256="a" * 64),
        classes=tuple(classes),
        preprocessing=Preprocessing(size_px=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        backbone=Backbone(name="efficientnet_lite0", weights_sha256="b" * 64, feature_count=3),
        recipe=HeadRecipe(),
        metrics=metrics,
        calibration=Calibration(temperature=1.0, fitted_on="out-of-fold"),
        abstention=Abstention(threshold=0.4, coverage=0.95),
        versions={"bowerbird": "0.1.0"},
        created_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
    )


def a_fine_tuning() -> FineTuning:
    """Return how a fine-tuning went that was kept, and flattered by the choice."""
    return FineTuning(
        updates=160,
        epochs=4,
        image_count=1280,
        device="cpu",
        seconds_per_update=0.5,
        stages=tuple(TrainingStage.model_validate(stage(number)) for number in range(1, 9)),
        choice=Choice(
            kept="fine-tuned",
            head_error_rate=0.1,
            fine_tuned_error_rate=0.05,
            head_log_loss=0.3,
            fine_tuned_log_loss=0.2,
            cross_fitted_error_rate=0.075,
        ),
    )


def stage(number: int) -> dict[str, float]:
    """Return a stage of a fine-tuning, 1 to 8, of 20 updates each."""
    return {
        "update": 20 * number,
        "epoch": 0.5 * number,
        "lr": 2e-4,
        "train_loss": 1.8 / number,
        "valid_loss": 1.2 / number,
        "valid_error_rate": 0.25,
    }


def bundle_parts(
    classes: Sequence[str] = CLASSES, fine_tuning: FineTuning | None = None
) -> dict[str, bytes]:
    """Return the parts that go with `bundle_manifest`."""
    item = EvaluatedImage(
        sha256="c" * 64,
        split=Split.VALID,
        label=classes[0],
        predicted=classes[1],
        loss=1.5,
        probability=0.7,
    )
    evaluation = Evaluation(items=(item,), analysis=an_analysis())
    history = History(
        folds=5,
        trials=(PenaltyTrial(l2=0.1, log_loss=0.2, error_rate=0.05),),
        l2=0.1,
        iterations=30,
        phase_seconds={"features": 10.0, "head": 2.5},
        fine_tuning=fine_tuning,
    )
    return {
        MODEL_ONNX: colour_onnx(classes),
        EVALUATION_JSON: evaluation.model_dump_json(by_alias=True).encode(),
        HISTORY_JSON: history.model_dump_json(by_alias=True).encode(),
        MODEL_CARD: b"# colours\n",
    }


def make_bundle(
    path: Path,
    classes: Sequence[str] = CLASSES,
    snapshot: SnapshotRef | None = None,
    dataset: DatasetRef | None = None,
    fine_tuning: FineTuning | None = None,
) -> BundleManifest:
    """Write a complete bundle and return its manifest."""
    manifest = bundle_manifest(classes, snapshot, dataset)
    return write_bundle(path, manifest, bundle_parts(classes, fine_tuning))
