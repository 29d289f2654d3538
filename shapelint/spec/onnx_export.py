"""A call of torch.onnx.export for a model as Python text, with the sizes at which onnxruntime agrees with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from shapelint.confirm import runtime
from shapelint.errors import SpecError
from shapelint.facts.result import CheckResult
from shapelint.size.sets import SizeSet
from shapelint.size.words import sized
from shapelint.source.ownership import shown
from shapelint.spec.exporting import Exportable
from shapelint.spec.live import NOT_EXPORTED, Live
from shapelint.spec.onnx_file import OnnxTrial, onnx_trials
from shapelint.spec.ranges import wanted_sizes
from shapelint.spec.torch_export import batch_line

_SHOWN = 3


def render(report: CheckResult, live: Live | None) -> str:
    """The text for one model. Raises SpecError where it cannot be exported, or no file is right at any size."""
    if live is None or live.reason:
        reason = live.reason if live else NOT_EXPORTED
        raise SpecError(f"no spec for ONNX: {reason}")
    runs = wanted_sizes(report)
    if not runs:
        raise SpecError("no spec for ONNX: the model runs at no size")
    trials: list[OnnxTrial] = []
    with live.imported():
        for trial in onnx_trials(Exportable.of(live, report.contract, runs)):
            trials.append(trial)
            if trial.right is not None and runs <= trial.right:
                break
    best = _best(trials)
    if best is None:
        said = dict.fromkeys(f"{trial.exporter}: {_refusal(trial)}" for trial in trials)
        raise SpecError(f"no spec for ONNX is right: {'; '.join(said)}")
    lines = [*_head(report, best), *_left_out(report, live, runs, best), *_others(trials, best), *batch_line(live)]
    assert best.text is not None
    imports = ["import torch", *(["from torch.export import Dim"] if " Dim(" in best.text.code else []), ""]
    return "\n".join([*(f"# {line}" for line in lines), *imports, best.text.code])


def _best(trials: Sequence[OnnxTrial]) -> OnnxTrial | None:
    """The first trial that no other one surpasses: right wherever it is, and elsewhere too."""
    best: OnnxTrial | None = None
    for trial in trials:
        if trial.right is not None and (best is None or best.right is None or _more(trial, best)):
            best = trial
    return best


def _more(trial: OnnxTrial, best: OnnxTrial) -> bool:
    assert trial.right is not None
    assert best.right is not None
    return trial.right != best.right and (best.right <= trial.right or len(trial.wrong) < len(best.wrong))


def _head(report: CheckResult, best: OnnxTrial) -> Iterator[str]:
    assert best.right is not None
    tools = f"torch {torch.__version__} and onnxruntime {runtime.VERSION}"
    yield f"ONNX for {report.target} at {' and '.join(report.inputs)}, tried with {tools}"
    tried = [sizes for sizes, said in (best.seen or {}).items() if not said and dict(sizes) in best.right]
    what = best.right if report.contract.symbols else "the one size that the model takes"
    yield f"the file gives the sizes of the model for: {what}"
    yield f"  onnxruntime ran it at {len(tried)} of these; at {best.compared} the values were compared with PyTorch"
    if not best.right <= report.contract.decided:
        yield "that the model runs at all of these is not proved: see `shapelint sizes`"


def _left_out(report: CheckResult, live: Live, runs: SizeSet, best: OnnxTrial) -> Iterator[str]:
    """The sizes at which the model runs and the file is wrong, or was not seen to be right."""
    assert best.right is not None
    if runs <= best.right:
        return
    yield f"left out, though the model runs there: {(runs - best.right).coalesced()}"
    yield from (f"  at {sized(sizes.values())} {said}" for sizes, said in best.wrong[:_SHOWN])
    places = dict.fromkeys(shown(str(each.place)) for each in live.portability.baked)
    yield from (f"  an export keeps one way of the branch at {place}" for place in places)


def _others(trials: Sequence[OnnxTrial], best: OnnxTrial) -> Iterator[str]:
    """What the exporter that is tried first made of it, where its file is not the one of the text."""
    if trials[0] is not best:
        said = trials[0].refusal or f"right only for: {trials[0].right or 'no size that was tried'}"
        yield f"not with dynamo=True: {said}"


def _refusal(trial: OnnxTrial) -> str:
    if trial.refusal:
        return trial.refusal
    at, said = trial.wrong[0] if trial.wrong else ({}, "no size was tried")
    return f"at {sized(at.values())} {said}" if at else said
