"""To which sizes an input can be padded so that a model is right at all of them."""

from __future__ import annotations

from shapelint.facts.analysis import Analysis
from shapelint.size.usual import congruent


def padded_to(analysis: Analysis) -> tuple[tuple[int, int], ...]:
    """The total stride per axis and a rest, where padding the size at the focus, and larger ones, to sizes with that
    rest makes it right: multiples of the stride, or else the next right size and what follows it by whole strides.

    () where that is not so, or the spatial axes are not the last ones.
    """
    asked, diagnosis = analysis.question, analysis.diagnosis
    rank, whole = len(asked.axes), len(asked.led.dims)
    last = tuple(range(whole - rank, whole))
    alone = len(list(asked.inputs.tensors())) == 1
    if diagnosis is None or not analysis.intent.meant or not alone or asked.axes != last or not rank:
        return ()
    names, stride = [str(dim) for dim in asked.target], analysis.intent.stride
    if max(stride) == 1 or sorted(names) != sorted(asked.symbols):
        return ()
    steps = dict(zip(names, stride, strict=True))
    padded = {name: -(-diagnosis.focus[name] // step) * step for name, step in steps.items()}
    for start in (padded, analysis.wanted.nearest(diagnosis.focus, above=True)):
        if start is not None and congruent(analysis.contract.domain, start, steps).at_least(start) <= analysis.wanted:
            return tuple((step, start[name] % step) for name, step in steps.items())
    return ()
