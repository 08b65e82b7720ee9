"""The lesson's app: a page of Starlette's that asks ``learner.predict``.

``python run_fastai.py DESCRIBED PORT``, in an environment that has fastai and timm, and what those
bring: uvicorn, Starlette, python-multipart.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import timm
import torch
import uvicorn
from fastai.vision.all import (
    CrossEntropyLossFlat,
    ImageDataLoaders,
    Learner,
    Normalize,
    PILImage,
    Resize,
    ResizeMethod,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from torch import nn

ARCHITECTURE = "tf_efficientnet_lite0"


def build_learner(described: dict[str, Any]) -> Learner:
    """Return a learner of the same network, with fastai's own way from a photo to its input."""
    kept = torch.load(described["weights"], weights_only=True)
    body = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
    body.load_state_dict(kept["body"])
    head = nn.Linear(*reversed(kept["weight"].shape))
    head.load_state_dict({"weight": kept["weight"], "bias": kept["bias"]})
    classes, numbers = described["classes"], described["preprocessing"]
    photos = described["photos"][: 2 * len(classes)]
    dls = ImageDataLoaders.from_lists(
        "/",
        photos,
        [classes[place % len(classes)] for place in range(len(photos))],
        item_tfms=Resize(numbers["size_px"], method=ResizeMethod.Squish),
        batch_tfms=Normalize.from_stats(numbers["mean"], numbers["std"], cuda=False),
        num_workers=0,
    )
    network = nn.Sequential(body, head).eval()
    return Learner(dls, network, loss_func=CrossEntropyLossFlat())


def build_app(learner: Learner) -> Starlette:
    """Return the app, as the lesson writes it: it does one thing after the other."""

    async def classify(request: Request) -> JSONResponse:
        form = await request.form()
        photo = PILImage.create(io.BytesIO(await form["file"].read()))
        with learner.no_bar(), learner.no_logging():
            _, _, probabilities = learner.predict(photo)
        pairs = zip(learner.dls.vocab, map(float, probabilities), strict=True)
        return JSONResponse({"predictions": sorted(pairs, key=lambda pair: -pair[1])})

    return Starlette(routes=[Route("/classify", classify, methods=["POST"])])


def main() -> None:
    """Serve until stopped."""
    learner = build_learner(json.loads(Path(sys.argv[1]).read_text()))
    uvicorn.run(build_app(learner), port=int(sys.argv[2]), log_level="warning")


if __name__ == "__main__":
    main()
