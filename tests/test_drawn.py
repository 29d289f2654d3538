"""Contracts of random encoder-decoders against eager PyTorch; `python -m tests.drawn` does the same for thousands."""

from __future__ import annotations

import pytest

from tests.drawn.compare import compare
from tests.drawn.load import load
from tests.drawn.models import draw
from tests.oracle import eager

SEEDS = range(60)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", SEEDS)
def test_contract_agrees_with_eager(seed: int) -> None:
    comparison = compare(draw(seed))
    assert not comparison.disagreements, f"spec {comparison.drawn.spec}\n{comparison.drawn.source}"
    assert not [why for why in comparison.unproved if "max_unpool" not in why], comparison.unproved


@pytest.mark.filterwarnings("ignore")
def test_most_drawn_models_run_somewhere() -> None:
    running = 0
    for seed in SEEDS:
        drawn = draw(seed)
        net = load(drawn.source, f"drawn{seed}").Net
        running += any(not isinstance(eager(net, drawn.shape(point)), str) for point in drawn.points)
    assert running >= 0.7 * len(SEEDS)


def test_a_seed_gives_the_same_model() -> None:
    assert draw(7) == draw(7)
