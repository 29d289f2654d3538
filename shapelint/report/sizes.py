"""The contract alone: for which sizes the model runs and restores its input, a table of its regions, and a map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from shapelint.facts.result import CheckResult
from shapelint.report.place import short_place
from shapelint.report.sizemap.terminal_map import ASCII, BLOCKS, map_lines
from shapelint.report.table import aligned
from shapelint.report.text import subject
from shapelint.size.sets import SizeSet

if TYPE_CHECKING:
    from shapelint.facts.contract import Contract, Region


_WIDEST = 120
_LONG = 60
_ROWS = 40


def render(report: CheckResult, *, colour: bool = False, plain: bool = False, width: int | None = None) -> str:
    """The contract of one report as a sentence, a table of at most `width` columns and a map.

    `plain` keeps to ASCII in the map.
    """
    signs = ASCII if plain else BLOCKS
    drawn = () if _runs_at_one(report) else map_lines(report, signs=signs)
    text = "".join(f"{line}\n" for line in (*_lines(report, width), *drawn))
    return text if colour else click.unstyle(text)


def _runs_at_one(report: CheckResult) -> bool:
    """Whether all sizes but one surely raise, as in a file whose sizes are fixed: a map of it is empty."""
    contract = report.contract
    raising = [region.sizes for region in contract.regions if region.outcome.ok is False]
    left = reduce(SizeSet.__sub__, raising, contract.domain)
    member = left.sample()
    return member is not None and left == SizeSet.point(left.symbols, member)


def _lines(report: CheckResult, width: int | None) -> Iterator[str]:
    contract = report.contract
    yield subject(report)
    yield from [f"  {report.assumed}"] * bool(report.assumed)
    found = rows(contract)
    if not contract.symbols:  # at its one size
        yield from (f"  {outcome}{'' if contract.proved else f' ({known})'}" for _, outcome, known in found)
        return
    yield f"  runs for: {contract.runs}"
    yield f"  restores the size for: {contract.restores}"
    yield "  proved for every size" if contract.proved else "  not proved for every size: see the last column"
    yield ""
    shown = [("sizes", "outcome", "known"), *found[:_ROWS]]
    yield from aligned([row[: 2 if contract.proved else 3] for row in shown], width)
    if len(found) > _ROWS:
        yield f"and {len(found) - _ROWS} more"


def rows(contract: Contract) -> list[tuple[str, str, str]]:
    """The sizes, what happens there and how that is known: first where the model runs, then one row for each call.

    A call that raises for several reasons of one kind, such as along each axis or at each level, is told once; the
    sizes of the one that takes the longest to say are all others.
    """
    alike: dict[tuple[Any, ...], list[Region]] = {}
    regions = [part for region in contract.regions for part in _parts(region, contract.mixed)]
    for region, mixes in sorted(regions, key=lambda each: _least(each[0])):
        outcome, kind = region.outcome, None if region.outcome.failure is None else region.outcome.failure.kind
        ended = outcome.outputs if outcome.ok else (outcome.module, outcome.place, kind) if outcome.ok is False else ()
        alike.setdefault((mixes, outcome.ok, ended, region.how, region.why), []).append(region)
    groups = sorted(alike.items(), key=lambda each: (each[1][0].outcome.ok is not True, each[0][0]))
    found = [_row(group, mixes=key[0]) for key, group in groups]
    longest = max(range(len(groups)), key=lambda each: (groups[each][0][1] is not True, len(found[each][0])))
    if len(found) > 1 and len(found[longest][0]) > _LONG:
        _, *rest = found.pop(longest)
        found.append(("all others", rest[0], rest[1]))
    return found


def _parts(region: Region, mixed: SizeSet | None) -> Iterator[tuple[Region, bool]]:
    """A region in two, those of its sizes at which the samples of a batch are `mixed` or split apart."""
    found = SizeSet.empty(region.sizes.symbols) if mixed is None or not region.outcome.ok else region.sizes & mixed
    for sizes, mixes in ((region.sizes - found, False), (found, True)) if found else ((region.sizes, False),):
        if sizes or not found:
            yield replace(region, sizes=sizes), mixes


def _least(region: Region) -> tuple[bool, tuple[int, ...]]:
    """A small member, by which regions are sorted; what has none comes last."""
    member = region.sizes.sample()
    return member is None, tuple((member or {}).values())


def _row(group: list[Region], *, mixes: bool) -> tuple[str, str, str]:
    """The sizes of regions that end alike, what happens there, and how that is known."""
    first = group[0]
    known = str(first.how) + (f": {first.why}" if first.why else "")
    united = reduce(SizeSet.__or__, (region.sizes for region in group))
    sizes = str(united.coalesced() if len(group) > 1 else united)
    sizes = sizes if len(sizes) <= _WIDEST else f"{sizes[:_WIDEST]} ..."
    outcome = _outcome(first, len({_said(region) for region in group}) - 1)
    return sizes, f"{outcome}, with samples mixed" if mixes else outcome, known


def _said(region: Region) -> str:
    """The error of a region, without the size at which it was seen."""
    return region.outcome.error.partition(" (seen at ")[0]


def _outcome(region: Region, others: int) -> str:
    """What happens in a region, and how many other errors of the kind stand for it."""
    outcome = region.outcome
    if outcome.ok is None:
        return "unknown"
    if outcome.ok:
        return "gives " + (", ".join(map(str, outcome.outputs)) or "no tensor")
    place = f" ({short_place(outcome.place)})" if outcome.place else ""
    error = outcome.error.removesuffix(".") + (f", and {others} alike," if others else "")
    return f"raises {error} in `{outcome.module or 'forward'}`{place}"
