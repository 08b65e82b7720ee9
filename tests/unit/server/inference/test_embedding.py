"""What a network's last layer weighs: found, and answered beside the logits."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from server.contract.bundle import INPUT_NAME, OUTPUT_NAME
from server.contract.errors import FormatError
from server.inference.embedding import expose, find_embedding
from server.inference.engine import OnnxEngine
from tests.support.bundles import colour_onnx

IMAGES = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)


def network(nodes, weights, features=3):
    """Return an ONNX file: pooled and flat, then these nodes."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [INPUT_NAME], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            *nodes,
        ],
        "odd",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", features])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def test_it_is_what_the_last_layer_weighs_and_the_logits_stay():
    model = colour_onnx()
    assert find_embedding(model) == "flat"
    logits, embeddings = OnnxEngine(model, 1).run(IMAGES)
    assert embeddings is not None
    assert embeddings == pytest.approx(IMAGES.mean(axis=(2, 3)), abs=1e-6)
    weight = numpy_helper.to_array(onnx.load_model_from_string(model).graph.initializer[0])
    assert logits == pytest.approx(embeddings @ weight.T, abs=1e-5)


def test_a_bias_of_its_own_and_a_new_shape_are_looked_through():
    weights = {
        "weight": np.ones((3, 3), np.float32),
        "bias": np.ones(3, np.float32),
        "shape": np.array([-1, 3]),
    }
    model = network(
        [
            helper.make_node("MatMul", ["flat", "weight"], ["weighed"]),
            helper.make_node("Add", ["bias", "weighed"], ["added"]),
            helper.make_node("Reshape", ["added", "shape"], [OUTPUT_NAME]),
        ],
        weights,
    )
    assert find_embedding(model) == "flat"
    assert OnnxEngine(model, 1).run(IMAGES).embeddings is not None


@pytest.mark.parametrize(
    "last",
    [
        helper.make_node("Relu", ["flat"], [OUTPUT_NAME]),
        helper.make_node("Gemm", ["weight", "weight"], [OUTPUT_NAME]),
        helper.make_node("Gemm", [INPUT_NAME, "weight"], [OUTPUT_NAME]),
    ],
    ids=["no layer that weighs", "no image in it", "the image itself"],
)
def test_what_has_no_such_layer_has_none(last):
    model = network([last], {"weight": np.ones((3, 3), np.float32)})
    assert find_embedding(model) is None


def test_what_is_as_large_as_an_image_is_no_summary():
    weights = {"weight": np.ones((3 * 32 * 32, 2), np.float32)}
    graph = helper.make_graph(
        [
            helper.make_node("Relu", [INPUT_NAME], ["bright"]),
            helper.make_node("Flatten", ["bright"], ["wide"]),
            helper.make_node("Tile", ["wide", "twice"], ["wider"]),
            helper.make_node("Gemm", ["wider", "weights"], [OUTPUT_NAME]),
        ],
        "wide",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", 2])],
        [
            numpy_helper.from_array(np.array([1, 2]), "twice"),
            numpy_helper.from_array(np.concatenate([weights["weight"]] * 2), "weights"),
        ],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    assert find_embedding(model) == "wider"
    found = OnnxEngine(model, 1).run(IMAGES)
    assert (found.logits.shape, found.embeddings) == ((2, 2), None)


def test_a_loop_of_names_ends():
    model = network(
        [
            helper.make_node("Identity", ["b"], ["a"]),
            helper.make_node("Identity", ["a"], ["b"]),
            helper.make_node("Identity", ["a"], [OUTPUT_NAME]),
        ],
        {},
    )
    assert find_embedding(model) is None


def test_what_is_no_network_is_refused():
    with pytest.raises(FormatError, match="not an ONNX file"):
        find_embedding(b"\xff\xff\xff")


def test_more_answers_is_all_that_is_added():
    model = colour_onnx()
    seen = onnx.load_model_from_string(expose(model, "flat"))
    before = onnx.load_model_from_string(model)
    assert [output.name for output in seen.graph.output] == [OUTPUT_NAME, "flat"]
    del seen.graph.output[1]
    assert seen == before
