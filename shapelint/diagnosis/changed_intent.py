"""What is meant of a model that one changed layer would put right, and the size that is then expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from shapelint.diagnosis.scale import slope_of
from shapelint.diagnosis.shown_run import ShownRun
from shapelint.facts.analysis import Intent
from shapelint.facts.diagnosis import Change
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.size.function import Function, as_function
from shapelint.source.syntax import written
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration
from shapelint.trace.run import overriding

Meant = tuple[Intent, Expectation | None]


def scale_of(dim: Function, wanted: Function, question: Question) -> Fraction:
    """How much faster than the input's size a dimension grows; 0 where it does not depend on it."""
    return slope_of(dim, question.symbols) / (slope_of(wanted, question.symbols) or 1)


def scaled(shown: ShownRun, change: Change, scale: Sequence[Fraction], place: tuple[int, tuple[int, ...]]) -> Meant:
    """The intent, and the size expected: the multiple, or where it is a part what the changed model gives."""
    text = f"with `{change.parameter}={written(change.value)}` in `{change.module}`, which the layers around it fit"
    meaning = replace(shown.meaning, meant=True, output=place[0], axes=place[1], change=change)
    if all(each == 1 for each in scale) and place == shown.place:
        return replace(meaning, why=f"{text}, the output is as large as the input"), None
    if all(each == 1 for each in scale):
        return _expected(shown, replace(meaning, why=f"{text}, the output is as large as the input"), change)
    times = " by ".join(dict.fromkeys(map(str, scale))) + (" times" if max(scale) > 1 else " of")
    meaning = replace(meaning, why=f"{text}, the output has {times} the input's size", scale=times)
    return _expected(shown, meaning, change)


def as_the_others(shown: ShownRun, change: Change, place: tuple[int, tuple[int, ...]]) -> Meant:
    """The intent, and the size expected, where a layer is to be like the others: what the changed model gives."""
    found = made_by(shown, change, place)
    pairs = list(zip(found[0].wanted, shown.question.target, strict=False))
    scale = [scale_of(dim, wanted, shown.question) for dim, wanted in pairs]
    known = zip(pairs, scale, strict=True)
    if scale and all(0 < each < 1 == each.numerator or dim == size.times(int(each)) for (dim, size), each in known):
        return scaled(shown, change, scale, place)
    return found


def made_by(shown: ShownRun, change: Change, place: tuple[int, tuple[int, ...]]) -> Meant:
    """The intent, and the size expected: what a model gives of which one layer is changed to be like the others."""
    text = f"with `{change.parameter}={written(change.value)}` in `{change.module}`"
    why = f"{text} it gives a whole multiple of what it takes, as the layers like it do"
    return _expected(shown, replace(shown.meaning, meant=True, output=place[0], axes=place[1], why=why), change)


def _expected(shown: ShownRun, meaning: Intent, change: Change) -> Meant:
    """The intent with what the changed model gives, and that as what is expected."""
    trial = Exploration(shown.explored.subject, shown.explored.domain, overriding(change.values, change.parameter))
    shape = frozen_shape(trial.run(shown.question.first, symbolic=True).outputs[meaning.output])
    dims: list[Function | None] = [None] * len(shape.dims)
    for axis in meaning.axes:
        dims[axis] = as_function(shape.dims[axis])
    wanted = tuple(as_function(shape.dims[axis]) for axis in meaning.axes)
    return replace(meaning, change=change, wanted=wanted), Expectation(tuple(dims), False, "", meaning.output)
