"""What a diagnosis works on: a model with its exploration, contract and solver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shapelint.diagnosis.output_padding import Solver
from shapelint.facts.analysis import Intent
from shapelint.facts.contract import Contract
from shapelint.facts.graph import Node, ShapeGraph
from shapelint.request.question import Question
from shapelint.request.spec import Expectation
from shapelint.source.span import Span
from shapelint.trace.explore import Exploration
from shapelint.trace.freeze import freeze
from shapelint.trace.run import overriding

Values = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """A model with its exploration, contract and solver: what a diagnosis works on."""

    explored: Exploration
    built: Mapping[str, Span]
    contract: Contract
    intent: Intent
    solver: Solver
    question: Question
    expect: Expectation | None
    symbolic: ShapeGraph

    def graph(self, sizes: Mapping[str, int], values: Values) -> ShapeGraph:
        """The calls at one size with some values of `output_padding` set; ends at the call that fails."""
        run = replace(self.explored, overrides=overriding(values)).run(sizes, symbolic=False)
        return freeze(run, self.explored.subject.module, self.built)

    def failing(self, graph: ShapeGraph) -> Node | None:
        """The call without a result, with which a run ended."""
        last = graph.nodes[-1]
        return last if not last.shapes and not graph.outputs else None
