"""What a network sees in an image before it names it: the values that its last layer weighs.

May import contract and ``inference.protobuf``. A bundle's network answers logits alone; the values
below them are computed all the same, and become a second answer by adding a few bytes to its file.
"""

from __future__ import annotations

from typing import Final

from server.contract.bundle import OUTPUT_NAME
from server.inference import protobuf

# Fields of ModelProto, GraphProto, NodeProto and ValueInfoProto; onnx/onnx.proto of ONNX 1.23.
_GRAPH = 7
_NODES, _OUTPUTS = 1, 12
_INPUT, _OUTPUT, _OPERATOR = 1, 2, 4
_NAME = 1

# What weighs features, their first input.
_WEIGHING: Final = frozenset({"Gemm", "MatMul"})
# What may stand between that and the logits: a bias, numbers in eight bits, a new shape.
_PASSING: Final = frozenset({
    "Add", "Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape",
})  # fmt: skip
_MOST_STEPS: Final = 16  # an exporter writes three or four


def find_embedding(model: bytes) -> str | None:
    """Return the name of what the last layer weighs, ``[N, F]``; None when there is no such layer.

    Args:
        model: An ONNX file whose structure was checked.

    Raises:
        FormatError: It is none.
    """
    made: dict[str, tuple[str, list[str]]] = {}
    for number, value in protobuf.fields(memoryview(model)):
        if number == _GRAPH:
            for inner, node in protobuf.fields(protobuf.part(value)):
                if inner == _NODES:
                    operator, inputs, outputs = _read_node(protobuf.part(node))
                    made.update(dict.fromkeys(outputs, (operator, inputs)))
    name = OUTPUT_NAME
    for _ in range(_MOST_STEPS):
        operator, inputs = made.get(name, ("", []))
        if operator in _WEIGHING:
            # Without a layer that makes it, it would be the image itself.
            return inputs[0] if inputs[0] in made else None
        if operator not in _PASSING:
            return None
        name = next((each for each in inputs if each in made), "")
    return None


def expose(model: bytes, name: str) -> bytes:
    """Return an ONNX file that answers one more of its values, after its own answers.

    A message that comes twice is one to protobuf, with the lists of both: so the network is not
    written anew. Source: protobuf.dev/programming-guides/encoding#last-one-wins.

    Args:
        model: An ONNX file.
        name: Of the value.
    """
    output = protobuf.write(_NAME, name.encode())
    return model + protobuf.write(_GRAPH, protobuf.write(_OUTPUTS, output))


def _read_node(node: memoryview) -> tuple[str, list[str], list[str]]:
    """Return an operator's name, and the names of what it takes and makes."""
    operator, inputs, outputs = "", [], []
    for number, value in protobuf.fields(node):
        if number == _INPUT:
            inputs.append(protobuf.text(value))
        elif number == _OUTPUT:
            outputs.append(protobuf.text(value))
        elif number == _OPERATOR:
            operator = protobuf.text(value)
    return operator, inputs, outputs
