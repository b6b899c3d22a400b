"""What the static, hash and callable embedders promise through the `Embedder` protocol."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from daybook.embedders import hashing, static
from daybook.embedders.custom import CallableEmbedder
from daybook.embedders.hashing import HashEmbedder
from daybook.embedders.static import StaticEmbedder
from daybook.errors import BadModelOutputError, ConfigError, InvalidInputError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from daybook.protocols.embedder import Embedder, Purpose, TokenEmbedder

ODD_TEXTS = ["", "\x00", "🎉", "\ud800 dog", "dog " * 5_000]


def counted(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


async def counted_async(texts: list[str]) -> list[list[float]]:
    return counted(texts)


class CountedObject:
    async def __call__(self, texts: list[str]) -> list[list[float]]:
        return counted(texts)


def embedders() -> list[Embedder]:
    return [
        StaticEmbedder(),
        HashEmbedder(),
        CallableEmbedder(counted, id="counted-1", dimensions=2),
        CallableEmbedder(counted_async, id="counted-2", dimensions=2),
        CallableEmbedder(CountedObject(), id="counted-3", dimensions=2, batch_size=2),
    ]


def embed(
    embedder: Embedder, texts: list[str], purpose: Purpose = "document"
) -> NDArray[np.float32]:
    return asyncio.run(embedder.embed(texts, purpose=purpose))


@pytest.mark.parametrize("embedder", embedders(), ids=lambda embedder: embedder.id)
def test_the_protocol_holds(embedder: Embedder) -> None:
    rows = embed(embedder, ["a dog", *ODD_TEXTS])
    assert rows.shape == (1 + len(ODD_TEXTS), embedder.dimensions)
    assert rows.dtype == np.float32
    norms = np.linalg.norm(rows, axis=1)
    assert np.all((np.abs(norms - 1) < 1e-5) | (norms == 0))
    assert norms[0] > 0
    assert norms[1] == 0
    assert np.array_equal(rows, embed(embedder, ["a dog", *ODD_TEXTS]))
    assert embed(embedder, []).shape == (0, embedder.dimensions)
    assert embed(embedder, ["a dog"], "query").shape == (1, embedder.dimensions)


def test_long_batches_leave_the_event_loop() -> None:
    embedder = StaticEmbedder()
    texts = [f"dog number {n} in a long list of dogs" for n in range(2_000)]
    assert np.array_equal(embed(embedder, texts), embedder.encode(texts))


def test_the_static_embedder_gives_token_vectors() -> None:
    embedder: TokenEmbedder = StaticEmbedder()
    ids = embedder.token_ids("dogs and cats")
    assert ids.dtype == np.uint16
    assert embedder.token_vectors(ids).shape == (3, 256)
    assert embedder.token_weights(ids).shape == (3,)


def test_static_spec(tmp_path: Path) -> None:
    assert static.from_spec("").id == "static-1-256"
    with pytest.raises(ConfigError, match="cannot be read"):
        static.from_spec(str(tmp_path / "absent.table"))


def test_hash_spec() -> None:
    assert hashing.from_spec("").dimensions == 64
    assert hashing.from_spec("128").id == "hash-1-128"


@pytest.mark.parametrize("spec", ["0", "-1", "many", "1.5", "4097", "٣"])
def test_a_wrong_hash_spec_is_a_config_error(spec: str) -> None:
    with pytest.raises(ConfigError, match="dimensions"):
        hashing.from_spec(spec)


def test_hashing_brings_similar_wording_together() -> None:
    rows = HashEmbedder(256).encode(
        ["I walked the dog today", "I walked my dogs today", "invoices are due next month"]
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3


def test_hashing_is_the_same_in_every_process() -> None:
    code = (
        "from daybook.embedders.hashing import HashEmbedder\n"
        "print(HashEmbedder(8).encode(['a small dog']).round(4).tolist())"
    )
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.strip() == str(HashEmbedder(8).encode(["a small dog"]).round(4).tolist())


def wrong_answers() -> dict[str, Any]:
    return {
        "too few rows": [[1.0, 2.0]],
        "too narrow": [[1.0], [2.0]],
        "ragged": [[1.0, 2.0], [1.0]],
        "not numbers": [["a", "b"], ["c", "d"]],
        "nothing": None,
        "NaN": [[float("nan"), 1.0], [1.0, 1.0]],
        "infinity": [[float("inf"), 1.0], [1.0, 1.0]],
    }


@pytest.mark.parametrize("case", wrong_answers())
def test_a_wrong_answer_is_named(case: str) -> None:
    answer = wrong_answers()[case]
    embedder = CallableEmbedder(lambda _: answer, id="wrong", dimensions=2)
    with pytest.raises(BadModelOutputError, match="the embedding function returned") as caught:
        embed(embedder, ["a", "b"])
    assert caught.value.provider == "wrong"


def failing(_: list[str]) -> list[list[float]]:
    raise RuntimeError("secret text")


def refusing(_: list[str]) -> list[list[float]]:
    raise ProviderError("slow down", provider="mine", retryable=True)


def test_a_failing_function_becomes_a_provider_error_without_its_text() -> None:
    with pytest.raises(ProviderError, match="raised RuntimeError") as caught:
        embed(CallableEmbedder(failing, id="f", dimensions=2), ["a"])
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "secret" not in str(caught.value)


def test_a_function_that_stops_an_iteration_ends_the_call() -> None:
    def stops(texts: list[str]) -> list[list[float]]:
        raise StopIteration("secret")  # no future can carry it

    with pytest.raises(ProviderError, match="raised RuntimeError"):
        embed(CallableEmbedder(stops, id="s", dimensions=2), ["a"])


def test_a_provider_error_passes_through() -> None:
    with pytest.raises(ProviderError, match="slow down") as caught:
        embed(CallableEmbedder(refusing, id="f", dimensions=2), ["a"])
    assert caught.value.retryable


def test_queries_can_have_their_own_function_and_batches_are_small() -> None:
    seen: list[tuple[str, int]] = []

    def noting(kind: str) -> Callable[[list[str]], list[list[float]]]:
        def function(texts: list[str]) -> list[list[float]]:
            seen.append((kind, len(texts)))
            return counted(texts)

        return function

    embedder = CallableEmbedder(
        noting("document"), id="n", dimensions=2, query_function=noting("query"), batch_size=2
    )
    embed(embedder, ["a", "b", "", "c"])
    embed(embedder, ["q"], "query")
    assert seen == [("document", 2), ("document", 1), ("query", 1)]


@pytest.mark.parametrize(
    ("name", "dimensions", "batch_size"), [(" ", 2, 1), ("a", 0, 1), ("a", 2, 0)]
)
def test_wrong_settings_are_refused(name: str, dimensions: int, batch_size: int) -> None:
    with pytest.raises(InvalidInputError, match="callable embedder"):
        CallableEmbedder(counted, id=name, dimensions=dimensions, batch_size=batch_size)


def test_the_package_alone_loads_no_numpy() -> None:
    code = "import sys, daybook.embedders; print('numpy' in sys.modules)"
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert output.strip() == "False"
