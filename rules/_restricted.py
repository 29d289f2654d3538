"""What is said of a model that fits some sizes only: which, and what happens at the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from shapelint.rule import Analysis, SizeSet, SolverError, limited, sized

from ._words import some_of

SHORT = 60


def is_restricted(sizes: SizeSet) -> bool:
    """Whether a set is more than "at least so much" in every axis."""
    smallest = sizes.smallest()
    if smallest is None:
        return True
    corner = {name: sizes.onto([name]).smallest() for name in sizes.symbols}
    least = {name: value[name] for name, value in corner.items() if value is not None}
    with suppress(SolverError), limited():
        return not SizeSet.universe(sizes.symbols).at_least(least) <= sizes
    return True  # so many pieces are no half-space


def elsewhere(analysis: Analysis) -> str | None:
    """Where the model runs, in words, as far as that is proved and short."""
    runs = analysis.contract.runs
    if not analysis.contract.proved:
        return None
    return f"it runs for: {runs}" if runs and len(str(runs)) <= SHORT else None if runs else "no size runs"


def only(verb: str, words: str) -> str:
    """That only such sizes are right; the words may say it themselves."""
    if " but not " in words:
        return f"it {verb} only {words}"
    return f"it {verb} {words}{'' if ' only ' in words else ' only'}"


def otherwise(analysis: Analysis) -> Iterator[str]:
    """What happens at the sizes that are not right: the model raises, or gives another size, of which one is shown."""
    runs = analysis.contract.runs
    other = runs - analysis.wanted if analysis.intent.meant else None
    if not other:
        yield "at other sizes it raises"
        return
    raises = analysis.contract.domain - runs
    at, intent = other.example(16) or {}, analysis.intent
    outputs = analysis.contract.outcome(**at).outputs
    shape = outputs[intent.output] if intent.output < len(outputs) else ()
    given = sized(shape[axis] for axis in intent.axes if axis < len(shape))
    if raises:
        yield f"it runs for: {some_of(runs)}"
    where = "where it runs and does not restore" if raises else "at other sizes"
    yield f"{where}, another size comes back: {given} at {sized(at.values())}"
