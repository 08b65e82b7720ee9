"""LitServe with torch.

``python run_litserve.py DESCRIBED PORT``, in an environment that has litserve, timm and Pillow. One
worker for each core, each with its own copy of the network and one thread.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import litserve
import numpy as np
import timm
import torch
from PIL import Image
from torch import nn

ARCHITECTURE = "tf_efficientnet_lite0"


class Classifier(litserve.LitAPI):  # type: ignore[misc]  # no types
    """From a photo to its classes."""

    def setup(self, device: str) -> None:
        """Load the network."""
        torch.set_num_threads(1)
        self._described = json.loads(Path(sys.argv[1]).read_text())
        kept = torch.load(self._described["weights"], weights_only=True)
        body = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
        body.load_state_dict(kept["body"])
        head = nn.Linear(*reversed(kept["weight"].shape))
        head.load_state_dict({"weight": kept["weight"], "bias": kept["bias"]})
        self._network = nn.Sequential(body, head).eval().to(device)

    def decode_request(self, request) -> torch.Tensor:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a type would be taken for a field
        """Return the network's input."""
        numbers = self._described["preprocessing"]
        side = numbers["size_px"]
        with Image.open(request["file"].file) as image:  # noqa: TID251 - photos of this benchmark
            square = image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
        pixels = np.asarray(square, dtype=np.float32) / 255
        normal = (pixels - np.float32(numbers["mean"])) / np.float32(numbers["std"])
        return torch.from_numpy(np.ascontiguousarray(normal.transpose(2, 0, 1)))[None]

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return probabilities."""
        with torch.inference_mode():
            return self._network(images).softmax(1)

    def encode_response(self, output: torch.Tensor) -> dict[str, Any]:
        """Return the classes, the most probable first."""
        pairs = zip(self._described["classes"], output[0].tolist(), strict=True)
        return {"predictions": sorted(pairs, key=lambda pair: -pair[1])}


if __name__ == "__main__":
    workers = len(os.sched_getaffinity(0))
    server = litserve.LitServer(
        Classifier(api_path="/classify"), accelerator="cpu", workers_per_device=workers
    )
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False)
