"""Reads which operators an ONNX file has, to refuse what a classifier has no use for.

May import contract and ``inference.protobuf``. Networks are data of strangers. Loops, subgraphs,
operators of others and outputs whose size depends on the picture have no place in an image
classifier; without them, a network that once ran within its bounds always will. Only structure is
read here, in some milliseconds: weights are skipped.

Source of the field numbers: onnx/onnx.proto of ONNX 1.23.
"""

from __future__ import annotations

from typing import Final

from server.contract.bundle import MODEL_ONNX
from server.contract.errors import FormatError
from server.inference import protobuf

# Of each of these the size of the output follows from the sizes of the inputs alone; of Pad and
# Range from values, which must follow from sizes and constants. All that the exporter makes of the
# backbones on offer, also in eight bits, and what others of their kind are made of.
OPERATORS: Final = frozenset({
    "Abs", "Add", "ArgMax", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat",
    "Constant", "Conv", "DequantizeLinear", "Div", "Dropout", "Elu", "Erf", "Exp", "Flatten",
    "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "HardSwish",
    "Identity", "InstanceNormalization", "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax",
    "MatMul", "Max", "MaxPool", "Min", "Mish", "Mul", "Neg", "PRelu", "Pad", "Pow",
    "QuantizeLinear", "Range", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceSum", "Relu",
    "Reshape", "Shape", "Sigmoid", "Slice", "Softmax", "Softplus", "Split", "Sqrt", "Squeeze",
    "Sub", "Sum", "Tanh", "Transpose", "Unsqueeze", "Where",
})  # fmt: skip
_SIZED_BY_VALUES: Final = frozenset({"Pad", "Range"})
_STANDARD: Final = frozenset({"", "ai.onnx"})
_MAX_NODES: Final = 20_000  # convnext_tiny has some 300

# ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto, OperatorSetIdProto.
_GRAPH, _OPSETS, _TRAINING, _FUNCTIONS = 7, 8, 20, 25
_NODES, _WEIGHTS, _SPARSE_WEIGHTS = 1, 5, 15
_INPUT, _OUTPUT, _OPERATOR, _ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_TENSOR, _SUBGRAPH, _TENSORS, _SUBGRAPHS, _SPARSE, _SPARSES = 5, 6, 10, 11, 22, 23
_TENSOR_NAME, _EXTERNAL, _LOCATION = 8, 13, 14
_OPSET_DOMAIN = 1


def check_structure(model: bytes) -> None:
    """Refuse a network with anything that an image classifier has no use for.

    Args:
        model: An ONNX file.

    Raises:
        FormatError: It is none, or which operator, or what else, is not taken.
    """
    graphs = []
    for number, value in protobuf.fields(memoryview(model)):
        if number == _GRAPH:
            graphs.append(protobuf.part(value))
        elif number == _OPSETS:
            _check_domain(protobuf.text_of(protobuf.part(value), _OPSET_DOMAIN))
        elif number in {_TRAINING, _FUNCTIONS}:
            raise FormatError(f"{MODEL_ONNX} has functions or training steps of its own")
    if len(graphs) != 1:
        raise FormatError(f"{MODEL_ONNX} has {len(graphs)} networks, not one")
    _check_graph(graphs[0])


def _check_graph(graph: memoryview) -> None:
    nodes, settled = [], set()
    for number, value in protobuf.fields(graph):
        if number == _NODES:
            nodes.append(protobuf.part(value))
        elif number == _WEIGHTS:
            settled.add(_check_tensor(protobuf.part(value)))
        elif number == _SPARSE_WEIGHTS:
            raise FormatError(f"{MODEL_ONNX} has sparse weights")
    if len(nodes) > _MAX_NODES:
        raise FormatError(f"{MODEL_ONNX} has {len(nodes)} operators; at most {_MAX_NODES} are run")
    for node in nodes:
        _check_node(node, settled)


def _check_node(node: memoryview, settled: set[str]) -> None:
    """Check one operator, which comes after those that it takes from.

    Args:
        node: The operator.
        settled: Names of values that are the same whatever is on the picture; grows by what the
            operator gives, if that is.
    """
    inputs, outputs, operator = [], [], ""
    for number, value in protobuf.fields(node):
        if number == _INPUT:
            inputs.append(protobuf.text(value))
        elif number == _OUTPUT:
            outputs.append(protobuf.text(value))
        elif number == _OPERATOR:
            operator = protobuf.text(value)
        elif number == _NODE_DOMAIN:
            _check_domain(protobuf.text(value))
        elif number == _ATTRIBUTE:
            _check_attribute(protobuf.part(value))
    if operator not in OPERATORS:
        raise FormatError(f"{MODEL_ONNX} has the operator {operator[:40]!r}, which is not run")
    taken = set(filter(None, inputs))
    sizing = taken - set(inputs[:1]) if operator == "Pad" else taken
    if operator in _SIZED_BY_VALUES and not sizing <= settled:
        raise FormatError(f"{MODEL_ONNX} has a size that depends on what is on the picture")
    if operator == "Shape" or taken <= settled:
        settled.update(outputs)


def _check_attribute(attribute: memoryview) -> None:
    for number, value in protobuf.fields(attribute):
        if number in {_SUBGRAPH, _SUBGRAPHS}:
            raise FormatError(f"{MODEL_ONNX} has networks within its network")
        if number in {_SPARSE, _SPARSES}:
            raise FormatError(f"{MODEL_ONNX} has sparse weights")
        if number in {_TENSOR, _TENSORS}:
            _check_tensor(protobuf.part(value))


def _check_tensor(tensor: memoryview) -> str:
    """Refuse a tensor whose values lie in another file; return its name."""
    name = ""
    for number, value in protobuf.fields(tensor):
        if number == _EXTERNAL or (number == _LOCATION and value):
            raise FormatError(f"{MODEL_ONNX} has weights outside of itself")
        if number == _TENSOR_NAME:
            name = protobuf.text(value)
    return name


def _check_domain(domain: str) -> None:
    if domain not in _STANDARD:
        raise FormatError(f"{MODEL_ONNX} has operators of {domain[:40]!r}; only ONNX's own are run")
