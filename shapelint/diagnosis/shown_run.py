"""A run that gives an output, with what is known of the size that it is meant to give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shapelint.diagnosis.intent import output_axes
from shapelint.diagnosis.layer_groups import Group
from shapelint.facts.analysis import Intent
from shapelint.facts.contract import Region
from shapelint.facts.graph import ShapeGraph
from shapelint.request.question import Question
from shapelint.size.function import Function, as_function
from shapelint.source.span import Span
from shapelint.trace.branch import frozen_shape
from shapelint.trace.explore import Exploration


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run that gives an output: its calls, its region, and what is known of what it is meant to give."""

    explored: Exploration
    graph: ShapeGraph
    region: Region
    question: Question
    meaning: Intent
    groups: tuple[Group, ...]
    built: Mapping[str, Span]

    @property
    def place(self) -> tuple[int, tuple[int, ...]] | None:
        """The output that is compared, and its axes that follow the input's."""
        return output_axes(self.region.outcome.outputs, self.question)

    @property
    def places(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The outputs that have axes which follow the input's, and these: first the one that is compared."""
        for index, shape in enumerate(self.region.outcome.outputs):
            own = output_axes((shape,), self.question)
            if own is not None:
                yield index, own[1]

    def dims(self, place: tuple[int, tuple[int, ...]]) -> list[Function]:
        """The size of an output along some axes."""
        return [as_function(self.region.outcome.outputs[place[0]].dims[axis]) for axis in place[1]]

    @property
    def fixed_place(self) -> tuple[int, tuple[int, ...]] | None:
        """The first output of a model whose layers make it of a fixed size, and its axes that they set."""
        rank = max((node.spatial for node in self.graph.nodes), default=0)
        for index, shape in enumerate(self.region.outcome.outputs):
            if rank and len(shape.dims) == rank + 2 and not any(as_function(dim).symbols() for dim in shape.dims[2:]):
                return index, tuple(range(2, rank + 2))
        return None


def given_along(trial: Exploration, place: tuple[int, tuple[int, ...]], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The size of the output along the axes that are compared; () where the model raises."""
    run = trial.run(sizes, symbolic=False)
    if run.failure is not None or run.error is not None or place[0] >= len(run.outputs):
        return ()
    shape = frozen_shape(run.outputs[place[0]]).value(dict(sizes))
    return tuple(shape[axis] for axis in place[1]) if max(place[1], default=0) < len(shape) else ()
