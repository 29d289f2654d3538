"""One network: its contract for all sizes, compared with what eager PyTorch does on the CPU at drawn sizes."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

import shapelint
from benchmarks.packages.entry import Entry
from shapelint.facts.contract import Contract
from shapelint.request.inputs import Inputs, parse_inputs
from shapelint.restore.process import restored_state
from tests.oracle import attempt, given, real

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was claimed for a network and where eager PyTorch did otherwise; `how` is the weakest of its regions.

    `seconds` are the processor's, of the check alone.
    """

    name: str
    how: str
    words: str
    checks: int
    wrong: tuple[str, ...]
    seconds: float
    why: tuple[str, ...] = ()


def compare(entry: Entry, checks: int = 30, seed: int = 0) -> Comparison:
    """The comparison at `checks` sizes, the same ones for one seed; fewer where there are fewer or no answer."""
    start = time.process_time()
    seconds = 0.0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = shapelint.check(entry.build, entry.inputs, call_kwargs=entry.call_kwargs, method=entry.method)
            seconds = time.process_time() - start
            return _compared(entry, report.contract, checks, seed, seconds)
    except Exception as error:
        seconds = seconds or time.process_time() - start
        return Comparison(entry.name, "failed", f"{type(error).__name__}: {error}", 0, (), seconds)


def _compared(entry: Entry, contract: Contract, checks: int, seed: int, seconds: float) -> Comparison:
    how = {region.how.value for region in contract.regions}
    weakest = next(each for each in ("unknown", "sampled", "proved") if each in how)
    why = tuple(dict.fromkeys(f"{region.why} ({region.place})" for region in contract.regions if region.why))
    words = f"runs: {contract.runs}; restores: {contract.restores}"
    torch.manual_seed(0)
    parsed = parse_inputs(entry.inputs, entry.call_kwargs)
    answered, wrong = 0, []
    for sizes in _drawn(contract, entry.largest, checks, random.Random(seed)):
        claimed = contract.outcome(**sizes)
        answered += claimed.ok is not None
        seen = None if claimed.ok is None else _eager(entry, parsed, sizes)
        if seen != (claimed.outputs if claimed.ok else None):
            said = claimed.outputs if claimed.ok else claimed.error
            wrong.append(f"{dict(sizes)} {claimed.how}: claimed {said}, eager {seen or 'raises'}")
    return Comparison(entry.name, weakest, words, answered, tuple(wrong), seconds, why)


def _drawn(contract: Contract, largest: int, checks: int, source: random.Random) -> list[Sizes]:
    """Sizes to try, no two alike; a third of them are such as run or restore, since few may."""
    drawn: dict[tuple[int, ...], Sizes] = {}
    for number in range(3 * checks):
        sizes = _sizes(contract.symbols, largest, source)
        if number % 3 == 0:
            near = [each for each in contract.nearest(**sizes) if each and max(each.values(), default=0) <= 2 * largest]
            sizes = source.choice(near) if near else sizes
        drawn.setdefault(tuple(sizes.values()), sizes)
        if len(drawn) == checks:
            break
    return list(drawn.values())


def _sizes(symbols: tuple[str, ...], largest: int, source: random.Random) -> Sizes:
    multiple = source.choice((1, 1, 1, 2, 4, 8, 16, 32, 32))
    drawn = {name: multiple * source.randint(1, max(1, largest // multiple)) for name in symbols}
    return dict.fromkeys(symbols, drawn[symbols[0]]) if symbols and source.random() < 0.3 else drawn


_built: dict[str, nn.Module] = {}
"""The network that is being tried, until it raises: a failed forward may leave it spoilt."""


def _module(entry: Entry) -> nn.Module:
    if entry.name not in _built:
        _built.clear()
        _built[entry.name] = entry.build().eval()
    return _built[entry.name]


def _eager(entry: Entry, parsed: Inputs, sizes: Sizes) -> tuple[tuple[int, ...], ...] | None:
    """The shapes of all outputs, depth first; None where the model raises."""
    args, kwargs = parsed.map(lambda spec: real(spec, sizes, drawn=True))
    with restored_state():
        module = _module(entry)
        seen = given(attempt(module if entry.method is None else getattr(module, entry.method), *args, **kwargs))
    if seen is None:
        _built.clear()
    return seen
