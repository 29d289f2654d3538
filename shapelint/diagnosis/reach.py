"""At which sizes a model comes by a recorded call with the sizes that the call was recorded with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shapelint.size.condition import all_of
from shapelint.size.function import Function, as_function
from shapelint.size.isl_form import SolverError, Undecidable
from shapelint.size.sets import SizeSet
from shapelint.trace.branch import frozen_shape
from shapelint.trace.recording.record import Record
from shapelint.trace.run import Run

_NOT_SMALL = 16
UNSOLVED = (Undecidable, SolverError)


def reaching(run: Run, node: int, sizes: SizeSet) -> SizeSet:
    """Those of `sizes` whose run takes the path of `run` up to the call `node`; to the end for -1. Raises UNSOLVED."""
    met = [event.condition for event in run.events if node < 0 or event.node < node]
    return sizes & SizeSet.where(sizes.symbols, all_of(met)) if met else sizes


def dims_of(record: Record) -> tuple[Function, ...]:
    """The dimensions of the first tensor that a call gives; () where it gives none."""
    return tuple(map(as_function, frozen_shape(record.outputs[0]).dims)) if record.outputs else ()


@dataclass(frozen=True, slots=True)
class ExamplePoint:
    """At which size a story is told: at the focus, else at one that is asked for, else at one not too small."""

    focus: Mapping[str, int] | None
    asked: SizeSet

    def at(self, sizes: SizeSet) -> dict[str, int] | None:
        """A member of the set; None where it is empty."""
        if self.focus is not None and self.focus in sizes:
            return dict(self.focus)
        near = (sizes & self.asked) or sizes
        for name in sizes.symbols:
            near = near.at_least({name: _NOT_SMALL}) or near
        return near.sample()
