"""What the extension makes of pixels, held against what the server makes of them: bit by bit.

Node runs the extension's own modules; Pillow and numpy are the server's.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from server.contract.preprocess import Preprocessing, to_array
from tests.support.processes import ROOT

MODULES = ROOT / "extension" / "inference"
PROGRAM = """
import {{ readFileSync }} from 'node:fs';
import {{ resample }} from '{modules}/resample.js';
import {{ toInput }} from '{modules}/preprocess.js';
const said = JSON.parse(readFileSync(0, 'utf8')).map(({{ image, size, box, preprocessing }}) => {{
  const [width, height, data] = image;
  const pixels = {{ width, height, data: Uint8Array.from(Buffer.from(data, 'base64')) }};
  if (preprocessing === undefined) {{
    return Buffer.from(resample(pixels, ...size, box).data).toString('base64');
  }}
  return Buffer.from(toInput(pixels, preprocessing).buffer).toString('base64');
}});
process.stdout.write(JSON.stringify(said));
"""
SHAPES = ((1, 1), (1, 97), (211, 1), (3, 500), (307, 173), (173, 307), (64, 64), (65, 63), (20, 20))


def in_node(cases: list[dict[str, Any]]) -> list[bytes]:
    """Return the bytes that the extension's modules make of each case."""
    node = shutil.which("node")
    assert node is not None, "Node.js is needed, as for all tests of the extension"
    done = subprocess.run(
        [node, "--input-type=module", "-e", PROGRAM.format(modules=MODULES.as_uri())],
        input=json.dumps(cases), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [base64.b64decode(each) for each in json.loads(done.stdout)]


def noise(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def described(image: Image.Image) -> list[object]:
    return [image.width, image.height, base64.b64encode(image.tobytes()).decode()]


@pytest.mark.parametrize("seed", range(3))
def test_resampling_is_pillows_to_the_bit(seed):
    rng = np.random.default_rng(seed)
    cases, expected = [], []
    for number in range(150):
        width, height = SHAPES[number] if number < len(SHAPES) else rng.integers(1, 260, 2).tolist()
        image = noise(rng, width, height)
        size = (64, 64) if number % 3 == 0 else tuple(rng.integers(1, 150, 2).tolist())
        if number % 3 == 1:
            # About the bound at which the order of the two sides changes.
            wide = int(rng.integers(1, width + 1))
            size = (wide, max(1, height - 2 * (width - wide) + int(rng.integers(-1, 2))))
        box = (0.0, 0.0, float(width), float(height))
        if number % 3 == 2:
            side = min(width, height) * float(rng.choice([1, 0.875, 0.5]))
            left, top = (width - side) / 2, (height - side) / 2
            box = (left, top, left + side, top + side)
        cases.append({"image": described(image), "size": size, "box": box})
        expected.append(image.resize(size, Image.Resampling.BICUBIC, box=box).tobytes())
    found = in_node(cases)
    different = [
        (case["image"][:2], case["size"], case["box"])
        for case, said, right in zip(cases, found, expected, strict=True)
        if said != right
    ]
    assert different == []


@pytest.mark.parametrize("resize", ["squish", "crop", "pad-reflection", "pad-zeros"])
def test_the_input_of_a_network_is_the_servers_to_the_bit(resize):
    rng = np.random.default_rng(7)
    cases, expected = [], []
    for number, (width, height) in enumerate([*SHAPES, (1000, 9), (9, 1000), (640, 427)]):
        numbers = Preprocessing(
            size_px=(32, 45)[number % 2],
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            resize=resize,
            crop_ratio=(1.0, 0.875)[number % 2],
        )
        image = noise(rng, width, height)
        told = {name: getattr(numbers, name) for name in ("size_px", "mean", "std", "crop_ratio")}
        cases.append({"image": described(image), "preprocessing": told | {"resize": resize}})
        expected.append(to_array(image, numbers))
    for case, said, right in zip(cases, in_node(cases), expected, strict=True):
        found = np.frombuffer(said, dtype=np.float32).reshape(right.shape)
        assert np.array_equal(found, right), case["image"][:2]
