"""Stage 1: gather the texts, ask the teacher for their vectors, keep both in a work folder."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from tools.train_static_table.corpus import contractions, gather, plain_words
from tools.train_static_table.teacher import Teacher


def collect(folder: Path) -> None:
    """Write texts.txt, words.txt, pieces.txt and the teacher's vectors of each to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    started = time.perf_counter()
    teacher = Teacher()
    first, last = teacher.pieces.index("[CLS]"), teacher.pieces.index("[SEP]")
    words = plain_words() + contractions()
    texts = gather()
    for name, lines in (("words", words), ("pieces", teacher.pieces), ("texts", texts)):
        (folder / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
    print(f"{len(texts)} texts gathered in {time.perf_counter() - started:.0f} s", flush=True)
    pieces = teacher.encode_ids([[first, i, last] for i in range(len(teacher.pieces))])
    np.save(folder / "pieces.npy", pieces)
    np.save(folder / "words.npy", teacher.encode(words))
    np.save(folder / "texts.npy", teacher.encode(texts, max_tokens=256))
    print(f"teacher vectors done after {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
