"""ONNX files that no trainer of ours would make: each runs, or would, and should not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

from server.contract.bundle import INPUT_NAME, OUTPUT_NAME

CLASS_COUNT = 3
SIDE_PX = 32
_SHAPE = ["N", 3, SIDE_PX, SIDE_PX]


def network(
    nodes: Sequence[NodeProto],
    constants: Sequence[TensorProto] = (),
    domains: Sequence[str] = (),
) -> bytes:
    """Return a network: the nodes make ``more`` of the images, whose mean is added to the logits.

    Args:
        nodes: In order; none has to make ``more``.
        constants: Their weights.
        domains: Of operators beside ONNX's own.
    """
    made = {name for node in nodes for name in node.output}
    tail = [
        helper.make_node("GlobalAveragePool", [INPUT_NAME], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    if "more" in made:
        tail += [
            helper.make_node("ReduceMean", ["more"], ["mean"], keepdims=0),
            helper.make_node("Add", ["flat", "mean"], [OUTPUT_NAME]),
        ]
    else:
        tail += [helper.make_node("Identity", ["flat"], [OUTPUT_NAME])]
    graph = helper.make_graph(
        [*nodes, *tail],
        "hostile",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, _SHAPE)],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", CLASS_COUNT])],
        list(constants),
    )
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(name, 1) for name in domains)]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return data


def constant(name: str, values: object, kind: type = np.float32) -> TensorProto:
    """Return a weight."""
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def external(name: str, path: str) -> TensorProto:
    """Return a weight whose values lie in another file."""
    tensor = constant(name, np.zeros(4))
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", path
    return tensor


def _body() -> GraphProto:
    """Return the inside of a loop that goes on, and carries a number."""
    kinds = {"turn": TensorProto.INT64, "go_on": TensorProto.BOOL, "x": TensorProto.FLOAT}
    return helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_after"]) for name in ("go_on", "x")],
        "body",
        [helper.make_tensor_value_info(name, kind, []) for name, kind in kinds.items()],
        [
            helper.make_tensor_value_info(f"{name}_after", kinds[name], [])
            for name in ("go_on", "x")
        ],
    )


def endless() -> bytes:
    """Return a network with a loop that has no end."""
    loop = helper.make_node("Loop", ["", "true", "one"], ["more"], body=_body())
    return network([loop], [constant("true", True, np.bool_), constant("one", 1)])


def hidden_subgraph() -> bytes:
    """Return a network whose subgraph hangs at an operator that takes none."""
    node = helper.make_node("Relu", [INPUT_NAME], ["more"])
    attribute = node.attribute.add()
    attribute.name, attribute.type = "body", AttributeProto.GRAPH
    attribute.g.CopyFrom(_body())
    return network([node])


def computed_padding() -> bytes:
    """Return a network that pads by what is on the picture."""
    nodes = [
        helper.make_node("ReduceMax", [INPUT_NAME], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mul", ["whole", "huge"], ["pads"]),
        helper.make_node("Pad", [INPUT_NAME, "pads"], ["more"]),
    ]
    return network(nodes, [constant("huge", [0] * 4 + [10_000] * 4, np.int64)])


def computed_range() -> bytes:
    """Return a network that counts as far as the picture is bright."""
    nodes = [
        helper.make_node("ReduceMax", [INPUT_NAME], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "huge"], ["end"]),
        helper.make_node("Range", ["zero", "end", "one"], ["more"]),
    ]
    return network(nodes, [constant("zero", 0), constant("one", 1), constant("huge", 1e9)])


def range_of_sizes() -> bytes:
    """Return a harmless one: the exporter counts dimensions so for convnext_tiny."""
    nodes = [
        helper.make_node("Shape", [INPUT_NAME], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["height"]),
        helper.make_node("Range", ["zero", "height", "one"], ["counted"]),
        helper.make_node("Cast", ["counted"], ["more"], to=TensorProto.FLOAT),
    ]
    names = {"zero": 0, "one": 1, "two": 2}
    return network(nodes, [constant(name, value, np.int64) for name, value in names.items()])


def huge_sum(count: int = 60_000) -> bytes:
    """Return half a megabyte that asks for 14 GB: a column plus a row."""
    nodes = [
        helper.make_node("ReduceMean", [INPUT_NAME], ["seen"], keepdims=0),
        helper.make_node("Add", ["column", "seen"], ["moved"]),
        helper.make_node("Add", ["moved", "row"], ["more"]),
    ]
    constants = [constant("column", np.zeros((count, 1))), constant("row", np.zeros((1, count)))]
    return network(nodes, constants)


def huge_folding(count: int = 60_000) -> bytes:
    """Return the same of constants alone: what asks for it is the loading."""
    nodes = [
        helper.make_node("Add", ["column", "row"], ["large"]),
        helper.make_node("ReduceMean", ["large"], ["small"], keepdims=1),
        helper.make_node("Add", [INPUT_NAME, "small"], ["more"]),
    ]
    constants = [constant("column", np.zeros((count, 1))), constant("row", np.zeros((1, count)))]
    return network(nodes, constants)


def wide_convolution(count: int = 50_000) -> bytes:
    """Return a kilobyte that makes a picture of 100,000 pixels a side."""
    pads = [count] * 4
    node = helper.make_node("Conv", [INPUT_NAME, "kernel"], ["more"], pads=pads)
    return network([node], [constant("kernel", np.ones((1, 3, 1, 1)))])


def not_numbers() -> bytes:
    """Return a network with a weight that is not a number."""
    node = helper.make_node("Mul", [INPUT_NAME, "weight"], ["more"])
    return network([node], [constant("weight", [np.nan])])


def not_numbers_for_pictures() -> bytes:
    """Return a network that answers black, and nothing else, with numbers."""
    return network([helper.make_node("Sqrt", [INPUT_NAME], ["more"])])
