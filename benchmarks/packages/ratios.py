"""How long a check of a network takes: against building it and running it once on meta, and against torch.export."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from time import process_time

import torch
from torch import nn

import shapelint
from benchmarks.packages.entry import Entry
from shapelint.facts.contract import Contract
from shapelint.report.report import Report
from shapelint.request.inputs import Inputs, parse_inputs
from shapelint.request.spec import TensorSpec

_SMALL = 64


@dataclass(frozen=True, slots=True)
class Ratios:
    """The processor's seconds of a warm check, of building and one run on meta, and of an export (None: refused)."""

    name: str
    check: float
    run: float
    export: float | None

    def __str__(self) -> str:
        export = "" if self.export is None else f", torch.export {self.export / self.check:.1f} checks"
        return f"{self.name}: {self.check / self.run:.1f} runs ({self.check:.2f} s against {self.run:.3f} s{export})"


def ratios(entry: Entry) -> Ratios | None:
    """Each the shorter of two, after one that does not count; None where meta cannot run it at a size that fits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sizes = _fitting(_check(entry).contract, entry)
        if sizes is None:
            return None
        parsed = parse_inputs(entry.inputs, entry.call_kwargs)
        try:
            run = _least(lambda: _run(entry, parsed, sizes))
        except Exception:  # what the network cannot do on meta
            return None
        check = _least(lambda: _check(entry))
        try:
            export = _least(lambda: _export(entry, parsed, sizes), times=1)
        except Exception:  # what torch.export refuses
            export = None
    return Ratios(entry.name, check, run, export)


def summary(found: list[Ratios]) -> str:
    """The median and what nine of ten stay below."""
    runs = [each.check / each.run for each in found]
    exports = [each.export / each.check for each in found if each.export is not None]
    told = f"a check takes {median(runs):.1f} runs, nine of ten at most {quantiles(runs, n=10)[-1]:.1f}"
    return f"{told}; torch.export {median(exports):.1f} checks ({len(exports)} of {len(found)} networks)"


def _check(entry: Entry) -> Report:
    return shapelint.check(entry.build, entry.inputs, call_kwargs=entry.call_kwargs, method=entry.method)


def _least(work: Callable[[], object], times: int = 2) -> float:
    found = []
    for _ in range(times):
        gc.collect()
        start = process_time()
        work()
        found.append(process_time() - start)
    return min(found)


def _fitting(contract: Contract, entry: Entry) -> dict[str, int] | None:
    start = dict.fromkeys(contract.symbols, min(_SMALL, entry.largest))
    if contract.outcome(**start).ok:
        return start
    return next((dict(each) for each in contract.nearest(**start) if each), None)


def _run(entry: Entry, parsed: Inputs, sizes: dict[str, int]) -> None:
    module, args, kwargs = _ready(entry, parsed, sizes)
    with torch.no_grad():
        (module if entry.method is None else getattr(module, entry.method))(*args, **kwargs)


def _export(entry: Entry, parsed: Inputs, sizes: dict[str, int]) -> None:
    module, args, kwargs = _ready(entry, parsed, sizes)
    if entry.method is not None:
        raise NotImplementedError(entry.method)
    dynamic = parsed.map(
        lambda spec: {axis: torch.export.Dim.AUTO for axis, dim in enumerate(spec.dims) if dim.constant is None}
    )
    named = module.forward.__code__.co_varnames[1 : 1 + len(args)]
    torch.export.export(module, args, kwargs, dynamic_shapes=dict(zip(named, dynamic[0], strict=True)) | dynamic[1])


def _ready(
    entry: Entry, parsed: Inputs, sizes: dict[str, int]
) -> tuple[nn.Module, tuple[object, ...], dict[str, object]]:
    def empty(spec: TensorSpec) -> torch.Tensor:
        return torch.empty([dim.value(sizes) for dim in spec.dims], dtype=getattr(torch, spec.dtype), device="meta")

    with torch.device("meta"):
        module = entry.build().eval()
    args, kwargs = parsed.map(empty)
    return module, tuple(args), dict(kwargs)
