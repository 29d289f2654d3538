"""Contracts of drawn models of every idiom against eager PyTorch at thirty sizes each (`tests/drawn`)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import replace

from benchmarks.prove.shrink import shrunk
from benchmarks.prove.trial import Trial
from tests.drawn.compare import compare
from tests.drawn.models import Drawn, draw


def trial(seed: int) -> Trial:
    """One model at all its sizes; what disagrees is made small first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = draw(seed)
        comparison = compare(drawn)
        if not comparison.disagreements:
            return Trial(comparison.checks)
        small = smallest(drawn, comparison.disagreements[0])
        return Trial(comparison.checks, (told(small, seed),))


def told(drawn: Drawn, seed: int) -> str:
    """A disagreement as a person wants it: the model, its input, and what differs."""
    differs = compare(drawn).disagreements
    return f"models, trial {seed}: {differs[0] if differs else 'it comes and goes'}\n# {drawn.spec}\n{drawn.source}"


def smallest(drawn: Drawn, wrong: str) -> Drawn:
    """The smallest model found that disagrees in the same way."""
    kind = _kind(wrong)

    def fails(source: str) -> bool:
        found = compare(replace(drawn, source=source)).disagreements
        return any(_kind(each) == kind for each in found)

    return replace(drawn, source=shrunk(drawn.source, _kept(fails)))


def _kept(fails: Callable[[str], bool]) -> Callable[[str], bool]:
    """The question, answered False where a candidate is no program any more."""

    def asked(source: str) -> bool:
        try:
            compile(source, "candidate", "exec")
            return fails(source)
        except Exception:
            return False

    return asked


def _kind(wrong: str) -> str:
    """What a disagreement is about, without its sizes."""
    return re.sub(r"\d+|\(.*?\)", "", wrong.split(": ", 1)[-1])[:40]
