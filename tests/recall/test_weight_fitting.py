"""The fitting tool in `tools/fit_ranker`, on made-up questions."""

from __future__ import annotations

import numpy as np

from tools.fit_ranker.linear_fit import Block, fit_weights


def made_blocks(truth: list[float], count: int = 300) -> list[Block]:
    """Return questions whose evidence is drawn by a softmax of known weights."""
    rng = np.random.default_rng(3)
    blocks = []
    for _ in range(count):
        rows = rng.normal(size=(20, len(truth))).astype(np.float32)
        chance = np.exp(rows @ np.array(truth))
        gold = np.zeros(20, np.bool_)
        gold[rng.choice(20, p=chance / chance.sum())] = True
        blocks.append(Block(rows, gold, 1.0))
    return blocks


def test_finds_the_weights_that_made_the_data() -> None:
    truth = [2.0, -1.0, 0.0, 0.5]
    found = fit_weights(made_blocks(truth, 2_000), l2=1e-6, non_negative=np.zeros(4, np.bool_))
    assert np.abs(found - truth).max() < 0.12


def test_bounded_weights_stay_at_zero_and_the_rest_is_optimal() -> None:
    blocks = made_blocks([2.0, -1.0, 0.5])
    bound = fit_weights(blocks, l2=1e-4, non_negative=np.array([True, True, True]))
    without = [Block(block.features[:, [0, 2]], block.gold, block.weight) for block in blocks]
    free = fit_weights(without, l2=1e-4, non_negative=np.zeros(2, np.bool_))
    assert bound[1] == 0
    assert np.abs(bound[[0, 2]] - free).max() < 1e-3


def test_the_same_data_give_the_same_weights() -> None:
    blocks, free = made_blocks([1.0, 1.0]), np.zeros(2, np.bool_)
    first = fit_weights(blocks, l2=1e-3, non_negative=free)
    assert np.array_equal(first, fit_weights(blocks, l2=1e-3, non_negative=free))


def test_a_heavier_question_counts_more() -> None:
    rows = np.array([[1, 0], [0, 1]], np.float32)
    one = Block(rows, np.array([True, False]), 3.0)
    other = Block(rows, np.array([False, True]), 1.0)
    found = fit_weights([one, other], l2=1e-3, non_negative=np.zeros(2, np.bool_))
    assert found[0] > found[1]
