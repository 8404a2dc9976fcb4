"""Writes the network of all-MiniLM-L6-v2 for ONNX Runtime: run it as a module.

The file holds what is computed and where each weight lies in the official file of weights, and no weight itself.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from haystack_agent.encoders.towers.minilm import GRAPH, HEADS, LAYERS, WEIGHTS, WIDTH, model_folder

_OPSET = 20
_EPSILON = 1e-12
_CONTRIBUTED = "com.microsoft"


class _Graph:
    """Nodes and weights, as they come to be needed."""

    def __init__(self, weights: Path) -> None:
        with weights.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            self._places = json.loads(file.read(length))
        self._begin = 8 + length
        self._nodes: list[NodeProto] = []
        self._tensors: dict[str, TensorProto] = {}

    def node(
        self, kind: str, *inputs: str, domain: str = "", attributes: Mapping[str, float] = MappingProxyType({})
    ) -> str:
        """A computation; the name of what comes out of it."""
        output = f"{kind.lower()}_{len(self._nodes)}"
        node = helper.make_node(kind, inputs, [output], domain=domain)
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self._nodes.append(node)
        return output

    def weight(self, name: str) -> str:
        """A tensor of the file of weights."""
        place = self._places[name]
        start, end = place["data_offsets"]
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=place["shape"])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", WEIGHTS), ("offset", self._begin + start), ("length", end - start)):
            tensor.external_data.add(key=key, value=str(value))
        self._tensors[name] = tensor
        return name

    def numbers(self, *values: int) -> str:
        """Whole numbers that never change."""
        name = f"numbers_{'_'.join(map(str, values))}"
        self._tensors[name] = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        return name

    def linear(self, name: str, x: str) -> str:
        """Rows times the transposed weights, plus the bias."""
        return self.node(
            "Gemm", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), attributes={"transB": 1}
        )

    def norm(self, name: str, x: str) -> str:
        """Layer normalisation (Ba et al. 2016)."""
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", x, scale, shift, attributes={"axis": -1, "epsilon": _EPSILON})

    def model(self, output: str) -> ModelProto:
        """The whole, from token ids and what is no padding to sentence vectors."""
        graph = GraphProto(name="all-MiniLM-L6-v2", node=self._nodes, initializer=self._tensors.values())
        rows = ["texts", "tokens"]
        graph.input.append(helper.make_tensor_value_info("ids", TensorProto.INT64, rows))
        graph.input.append(helper.make_tensor_value_info("keep", TensorProto.INT32, rows))
        graph.output.append(helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH]))
        self._nodes = []
        graph.node.append(helper.make_node("Identity", [output], ["vectors"]))
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIBUTED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="haystack-agent")


def _embedded(graph: _Graph) -> str:
    """The sum of word, position and segment (every text is one segment), normalised: rows of tokens."""
    table = "embeddings.{}_embeddings.weight".format
    words = graph.node("Gather", graph.weight(table("word")), "ids")
    tokens = graph.node("Shape", "ids", attributes={"start": 1, "end": 2})
    positions = graph.node("Slice", graph.weight(table("position")), graph.numbers(0), tokens)
    segment = graph.node("Slice", graph.weight(table("token_type")), graph.numbers(0), graph.numbers(1))
    summed = graph.node("Add", words, graph.node("Add", positions, segment))
    rows = graph.node("Reshape", summed, graph.numbers(-1, WIDTH))
    return graph.norm("embeddings.LayerNorm", rows)


def _layer(graph: _Graph, name: str, rows: str, shape: str) -> str:
    """One layer of BERT (Devlin et al. 2019)."""
    parts = [
        graph.node("Reshape", graph.linear(f"{name}.attention.self.{part}", rows), shape)
        for part in ("query", "key", "value")
    ]
    mixed = graph.node("MultiHeadAttention", *parts, "", "keep", domain=_CONTRIBUTED, attributes={"num_heads": HEADS})
    attended = graph.linear(f"{name}.attention.output.dense", graph.node("Reshape", mixed, graph.numbers(-1, WIDTH)))
    rows = graph.norm(f"{name}.attention.output.LayerNorm", graph.node("Add", rows, attended))
    inner = graph.node("Gelu", graph.linear(f"{name}.intermediate.dense", rows))
    return graph.norm(f"{name}.output.LayerNorm", graph.node("Add", rows, graph.linear(f"{name}.output.dense", inner)))


def _pooled(graph: _Graph, rows: str, shape: str) -> str:
    """The mean of what is no padding, of length 1 (Reimers and Gurevych 2019)."""
    states = graph.node("Reshape", rows, shape)
    keep = graph.node("Unsqueeze", graph.node("Cast", "keep", attributes={"to": TensorProto.FLOAT}), graph.numbers(2))
    sums = graph.node("ReduceSum", graph.node("Mul", states, keep), graph.numbers(1), attributes={"keepdims": 0})
    return graph.node("LpNormalization", sums, attributes={"axis": -1, "p": 2})


def make(weights: Path) -> ModelProto:
    """The network for a file of weights."""
    graph = _Graph(weights)
    shape = graph.node("Concat", graph.node("Shape", "ids"), graph.numbers(WIDTH), attributes={"axis": 0})
    rows = _embedded(graph)
    for number in range(LAYERS):
        rows = _layer(graph, f"encoder.layer.{number}", rows, shape)
    return graph.model(_pooled(graph, rows, shape))


if __name__ == "__main__":
    GRAPH.write_bytes(make(model_folder() / WEIGHTS).SerializeToString(deterministic=True))
