"""The contract alone: for which sizes the model runs and restores its input, and a table of its regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shapelint.finding import Report
from shapelint.report.place import short_place
from shapelint.report.table import aligned
from shapelint.report.text import subject

if TYPE_CHECKING:
    from shapelint.contract import Region


_WIDEST = 120
_ROWS = 40


def render(report: Report) -> str:
    """The contract of one report as a sentence and a table."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    contract = report.contract
    yield subject(report)
    yield f"  runs for: {contract.runs}"
    yield f"  restores the size for: {contract.restores}"
    yield "  proved for every size" if contract.proved else "  not proved for every size: see the last column"
    yield ""
    regions = sorted(contract.regions[:_ROWS], key=_least)
    rows = [("sizes", "outcome", "known"), *(_row(region) for region in regions)]
    yield from aligned(rows)
    if len(contract.regions) > _ROWS:
        yield f"and {len(contract.regions) - _ROWS} more"


def _least(region: Region) -> tuple[bool, tuple[int, ...]]:
    """A small member, by which regions are sorted; what has none comes last."""
    member = region.sizes.sample()
    return member is None, tuple((member or {}).values())


def _row(region: Region) -> Sequence[str]:
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
