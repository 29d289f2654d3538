"""Compares the contract of a drawn model with eager PyTorch at each of its points."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

import shapelint
from shapelint.facts.contract import Contract, Outcome
from tests.drawn.load import load
from tests.drawn.models import Drawn, Point, draw
from tests.oracle import Answer, eager


@dataclass(slots=True)
class Comparison:
    """What came of one model: texts of disagreements, counts of checks, reasons of what was not proved.

    `by_value` counts points where the contract says that an unpool raises and eager PyTorch happened not to:
    there the values of the indices decide, not the sizes.
    """

    drawn: Drawn
    disagreements: list[str] = field(default_factory=list)
    checks: int = 0
    by_value: int = 0
    unproved_points: int = 0
    unproved: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def _says(outcome: Outcome) -> Answer:
    return tuple(tuple(shape) for shape in outcome.outputs) if outcome.ok else f"raises ({outcome.error})"


def _agree(said: Answer, seen: Answer) -> bool:
    return isinstance(said, str) == isinstance(seen, str) and (isinstance(said, str) or said == seen)


def _at_point(comparison: Comparison, contract: Contract, point: Point) -> None:
    drawn = comparison.drawn
    try:
        outcome = contract.outcome(**point)
    except Exception as error:
        comparison.disagreements.append(f"{point}: outcome() raised {type(error).__name__}: {error}")
        return
    if outcome.how != "proved":
        comparison.unproved_points += 1
        return
    comparison.checks += 1
    said, seen = _says(outcome), eager(load(drawn.source, f"drawn{drawn.seed}").Net, drawn.shape(point))
    if _agree(said, seen):
        return
    if isinstance(said, str) and "MaxUnpool" in drawn.source and "unpool" in said:
        comparison.by_value += 1
    else:
        comparison.disagreements.append(f"{point}: the contract says {said}, eager PyTorch {seen}")


def compare(drawn: Drawn) -> Comparison:
    """The comparison of one drawn model at all its points."""
    comparison = Comparison(drawn)
    net = load(drawn.source, f"drawn{drawn.seed}").Net
    start = time.perf_counter()
    try:
        contract = shapelint.check(net, drawn.spec).contract
    except Exception as error:
        comparison.disagreements.append(f"check() raised {type(error).__name__}: {error}")
        return comparison
    comparison.seconds = time.perf_counter() - start
    comparison.unproved.update(str(region.why) for region in contract.regions if region.how != "proved")
    for point in drawn.points:
        _at_point(comparison, contract, point)
    return comparison


def disagreements(seed: int) -> list[str]:
    """Where the contract of the model of a seed and eager PyTorch differ; empty when all is well."""
    return compare(draw(seed)).disagreements
