"""`dynamic_shapes` of torch.export for a model, as Python text that was tried before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from shapelint.errors import SpecError
from shapelint.facts.portability import Portability
from shapelint.facts.result import CheckResult
from shapelint.size.sets import SizeSet
from shapelint.size.words import sized
from shapelint.source.ownership import shown
from shapelint.spec.boxes import SizeBox
from shapelint.spec.exporting import Exportable, SpecTrial
from shapelint.spec.live import NOT_EXPORTED, Live
from shapelint.spec.ranges import wanted_sizes
from shapelint.spec.search import FoundSpec, found_spec

_SHOWN = 3


def render(report: CheckResult, live: Live | None) -> str:
    """The text for one model. Raises SpecError where it cannot be exported, or no spec is right."""
    if live is None or live.reason:
        reason = live.reason if live else NOT_EXPORTED
        raise SpecError(f"no spec for torch.export: {reason}")
    if not report.contract.runs:
        raise SpecError("no spec for torch.export: the model runs at no size")
    with live.imported():
        model = Exportable.of(live, report.contract, wanted_sizes(report))
        found = found_spec(model)
    if found.spec is None:
        said = found.refused[0].refusal if found.refused else "no range of sizes was found in which the model runs"
        raise SpecError(f"no spec for torch.export is right: {said}")
    lines = [*_head(report, found), *_left_out(wanted_sizes(report), found, live.portability), *batch_line(live)]
    return "\n".join([*(f"# {line}" for line in lines), *_code(found), ""])


def _head(report: CheckResult, found: FoundSpec) -> Iterator[str]:
    assert found.spec is not None
    yield f"torch.export for {report.target} at {' and '.join(report.inputs)}, tried with torch {torch.__version__}"
    sizes = found.spec.box.sizes
    yield f"the program takes: {sizes}" if sizes.symbols else "the program takes the one size that the model takes"
    if not sizes <= report.contract.decided:
        yield "that the model runs at all of these is not proved: see `shapelint sizes`"


def _left_out(runs: SizeSet, found: FoundSpec, known: Portability) -> Iterator[str]:
    """The sizes that run and are not in the spec, and what torch.export said of a spec with them."""
    assert found.spec is not None
    if runs <= found.spec.box.sizes:
        return
    yield f"left out, though the model runs there: {_outside(runs, found.spec.box)}"
    for trial in found.refused[:_SHOWN]:
        yield f"  with {trial.spec.box.sizes}: {_said(trial)}"
    places = dict.fromkeys(shown(str(each.place)) for each in known.baked)
    yield from (f"  an export keeps one way of the branch at {place}" for place in places)


def _outside(runs: SizeSet, box: SizeBox) -> str:
    """The sizes of a set outside of a box, symbol by symbol where the box is the product of its symbols."""
    if any(axis.tied for axis in box.axes):
        return str(runs - box.sizes)
    left = {axis.symbol: runs.onto([axis.symbol]) - box.sizes.onto([axis.symbol]) for axis in box.axes}
    words = [str(each).replace("every size but", f"{name} not") for name, each in left.items() if each]
    return "; or ".join(words) or str(runs - box.sizes)


def _said(trial: SpecTrial) -> str:
    return trial.refusal if trial.at is None else f"at {_size(trial.at)} {trial.refusal}"


def _size(sizes: Mapping[str, int]) -> str:
    return sized(sizes.values())


def batch_line(live: Live) -> Iterator[str]:
    """That the first dim is fixed, where it is."""
    fixed = [spec for spec in live.inputs.tensors() if spec.dims and spec.dims[0].constant is not None]
    if len(fixed) == len(list(live.inputs.tensors())):
        yield f"the first dim is fixed at {fixed[0].dims[0]}; write --input N,... for an open batch"


def _code(found: FoundSpec) -> Iterator[str]:
    assert found.spec is not None
    yield "import torch"
    yield from ["from torch.export import Dim"] if "Dim" in found.spec.code else []
    yield ""
    yield found.spec.code
    yield "# program = torch.export.export(net, args, kwargs, dynamic_shapes=dynamic_shapes)"
