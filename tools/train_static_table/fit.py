"""Stage 2: fit the rows to the teacher's vectors and write the table file.

Text vector = sum of rows, unit length. Loss = 1 - cosine to the teacher + cross entropy
between the two softmaxes over the batch: a text should be as near to the other texts as the
teacher has it.
"""

# mypy: disable-error-code="import-not-found,import-untyped", allow-untyped-calls

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from wordfreq import get_frequency_dict

from daybook.embedders.table_file import TableArrays, write_table
from daybook.embedders.word_tokenizer import WordTokenizer, words

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """What may be varied; the defaults made the shipped table."""

    dimensions: int = 256
    epochs: int = 4
    batch: int = 512
    learning_rate: float = 1e-3
    softmax_share: float = 1.0
    softmax_scale: float = 20.0
    smoothing: float = 1e-4
    seed: int = 20261120


def vocabulary_of(folder: Path) -> tuple[list[str], Floats]:
    """Return entries the tokenizer can reach and the teacher's vector of each alone."""
    pieces = (folder / "pieces.txt").read_text(encoding="utf-8").split("\n")
    whole = (folder / "words.txt").read_text(encoding="utf-8").split("\n")
    entries: dict[str, NDArray[np.float16]] = {
        entry: vector
        for entry, vector in zip(pieces, np.load(folder / "pieces.npy"), strict=True)
        if words(entry.removeprefix("##")) == [entry.removeprefix("##")]
    }
    for entry, vector in zip(whole, np.load(folder / "words.npy"), strict=True):
        entries.setdefault(entry, vector)
    return list(entries), np.stack(list(entries.values())).astype(np.float32)


def row_frequencies(tokenizer: WordTokenizer, rows: int) -> Floats:
    """Return how often each row occurs in English text, from word frequencies."""
    frequencies = np.full(rows, 1e-8)
    for word, frequency in get_frequency_dict("en").items():
        np.add.at(frequencies, np.frombuffer(tokenizer.rows(word), np.uint16), frequency)
    return frequencies.astype(np.float32)


@dataclass(frozen=True)
class Examples:
    """Training texts as one long run of rows, and the vector each should get."""

    ids: torch.Tensor
    offsets: torch.Tensor
    targets: torch.Tensor

    def batch(self, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return rows, offsets and targets of some examples."""
        starts, ends = self.offsets[chosen], self.offsets[chosen + 1]
        lengths = ends - starts
        offsets = torch.cumsum(lengths, 0) - lengths
        places = torch.arange(int(lengths.sum())) + torch.repeat_interleave(
            starts - offsets, lengths
        )
        return self.ids[places], offsets, self.targets[chosen]


def examples_of(
    tokenizer: WordTokenizer, texts: Sequence[str], targets: Floats, singles: Floats
) -> Examples:
    """Return texts and single rows as examples; texts without a known word are left out."""
    rows = [np.frombuffer(tokenizer.rows(text), np.uint16) for text in texts]
    kept = [i for i, ids in enumerate(rows) if len(ids)]
    parts = [rows[i] for i in kept] + [np.array([i], np.uint16) for i in range(len(singles))]
    ends = np.cumsum([0, *map(len, parts)])
    return Examples(
        ids=torch.from_numpy(np.concatenate(parts).astype(np.int64)),
        offsets=torch.from_numpy(ends),
        targets=torch.from_numpy(np.concatenate([targets[kept], singles])),
    )


def fit(start: Floats, examples: Examples, settings: Settings) -> Floats:
    """Return fitted rows; prints the mean loss of each epoch."""
    torch.manual_seed(settings.seed)
    table = torch.nn.EmbeddingBag.from_pretrained(
        torch.from_numpy(start.copy()), freeze=False, mode="sum", sparse=True
    )
    count = len(examples.targets)
    steps = settings.epochs * -(-count // settings.batch)
    optimizer = torch.optim.SparseAdam(list(table.parameters()), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for epoch in range(settings.epochs):
        began, total = time.perf_counter(), 0.0
        for chosen in torch.randperm(count).split(settings.batch):
            ids, offsets, targets = examples.batch(chosen)
            made = functional.normalize(table(ids, offsets), dim=1)
            loss = 1 - (made * targets).sum(1).mean()
            wanted = torch.softmax(settings.softmax_scale * targets @ targets.T, dim=1)
            scores = settings.softmax_scale * made @ targets.T
            loss = loss + settings.softmax_share * functional.cross_entropy(scores, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        took = time.perf_counter() - began
        print(f"  epoch {epoch + 1}: loss {total / count:.4f}, {took:.0f} s", flush=True)
    return np.asarray(table.weight.detach().numpy(), np.float32)


def quantise(rows: Floats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Return int8 rows and their scales; the largest number of a row becomes 127."""
    scales = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
    scales = np.maximum(scales, np.float16(6e-8))
    return np.rint(rows / scales[:, None].astype(np.float32)).astype(np.int8), scales


def unit(rows: Floats) -> Floats:
    """Return rows of unit length."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)


def build(folder: Path, target: Path, settings: Settings) -> None:
    """Fit a table on what `collect.py` left in `folder` and write it to `target`."""
    torch.set_num_threads(2)
    entries, alone = vocabulary_of(folder)
    tokenizer = WordTokenizer(entries)
    frequencies = row_frequencies(tokenizer, len(entries))
    texts = (folder / "texts.txt").read_text(encoding="utf-8").split("\n")
    vectors = np.load(folder / "texts.npy").astype(np.float32)
    # Top right singular vectors of the uncentred teacher: cosines stay what they were.
    basis = np.linalg.svd(vectors.T @ vectors)[0][:, : settings.dimensions]
    targets, singles = unit(vectors @ basis), unit(alone @ basis)
    kept = np.linalg.norm(vectors @ basis, axis=1).mean()
    print(f"{len(entries)} rows, {len(texts)} texts, projection keeps {kept:.4f} of the length")
    smooth = settings.smoothing / (settings.smoothing + frequencies)
    start = ((alone @ basis) - (alone @ basis).mean(axis=0)) * smooth[:, None]
    rows = fit(start, examples_of(tokenizer, texts, targets, singles), settings)
    quantised, scales = quantise(rows)
    table = TableArrays(
        id=f"static-1-{settings.dimensions}",
        vectors=quantised,
        scales=scales,
        weights=smooth.astype(np.float16),
        vocabulary=entries,
    )
    write_table(target, table)
    print(f"{target.name}: {target.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="work folder of collect.py")
    parser.add_argument("target", type=Path, help="table file to write")
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args())
    build(options.pop("folder"), options.pop("target"), Settings(**options))


if __name__ == "__main__":
    main()
