"""The contract alone: for which sizes the model runs and restores its input, a table of its regions, and a map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING

import click

from shapelint.facts.result import CheckResult
from shapelint.report.place import short_place
from shapelint.report.sizemap.terminal_map import ASCII, BLOCKS, map_lines
from shapelint.report.table import aligned
from shapelint.report.text import subject
from shapelint.size.sets import SizeSet

if TYPE_CHECKING:
    from shapelint.facts.contract import Region


_WIDEST = 120
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
    yield f"  runs for: {contract.runs}"
    yield f"  restores the size for: {contract.restores}"
    yield "  proved for every size" if contract.proved else "  not proved for every size: see the last column"
    yield ""
    regions = sorted(contract.regions[:_ROWS], key=least)
    rows = [("sizes", "outcome", "known"), *(row(region) for region in regions)]
    yield from aligned(rows, width)
    if len(contract.regions) > _ROWS:
        yield f"and {len(contract.regions) - _ROWS} more"


def least(region: Region) -> tuple[bool, tuple[int, ...]]:
    """A small member, by which regions are sorted; what has none comes last."""
    member = region.sizes.sample()
    return member is None, tuple((member or {}).values())


def row(region: Region) -> tuple[str, str, str]:
    """The sizes of a region, what happens there, and how that is known."""
    known = str(region.how) + (f": {region.why}" if region.why else "")
    sizes = str(region.sizes)
    sizes = sizes if len(sizes) <= _WIDEST else f"{sizes[:_WIDEST]} ..."
    return sizes, _outcome(region), known


def _outcome(region: Region) -> str:
    outcome = region.outcome
    if outcome.ok is None:
        return "unknown"
    if outcome.ok:
        return "gives " + (", ".join(map(str, outcome.outputs)) or "no tensor")
    place = f" ({short_place(outcome.place)})" if outcome.place else ""
    return f"raises {outcome.error} in `{outcome.module or 'forward'}`{place}"
