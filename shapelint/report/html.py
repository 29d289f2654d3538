"""The report as one self-contained page: the network as a picture, the map of sizes, and the findings.

Everything that comes from the user is escaped; the page asks no network and runs no script.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from shapelint.facts.contract import Contract
from shapelint.facts.finding import BaselineState, Finding
from shapelint.facts.picture import Picture
from shapelint.facts.result import CheckResult
from shapelint.report import sizes as sizes_report
from shapelint.report.confirmed import confirmation_lines
from shapelint.report.network.hourglass import hourglass
from shapelint.report.place import short_path, short_place
from shapelint.report.shapes import function_lines
from shapelint.report.sizemap.map_drawing import MapDrawing, class_of, drawn
from shapelint.report.sizemap.size_map import SizeMap, ordered, repaired_map, size_map, windows
from shapelint.report.text import counted, holds, kept
from shapelint.size.sets import SizeSet
from shapelint.size.words import sized
from shapelint.source.span import Edit, Span

_ROWS, _LAYERS, _FIRST, _LONGEST, _LINES, _NAMED, _SHOWN = 40, 1000, 3, 160, 3, 2, 60
_CELLS: Final = (64, 64)
_REACH: Final = 192
_WIDTH: Final = 80
_ALONE, _SLICES, _LONG_FOLDER = 1000, 3, 24
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def render(reports: Iterable[CheckResult], *, failures: Sequence[str] = ()) -> str:
    """The page of some reports; `failures` are the lines on checks that could not be done."""
    pages = [_page(report) for report in reports]
    return str(_environment().get_template("page.html").render(pages=pages, failures=failures))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("shapelint.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_clean,
    )
    environment.filters["coded"] = coded
    return environment


def _clean(value: Any) -> Any:
    """A text without the characters that no page may have."""
    if isinstance(value, str) and _CONTROL.search(value):
        return type(value)(_CONTROL.sub("\ufffd", value))
    return value


def coded(text: str) -> Markup:
    """The text, escaped, with what stands in backticks as code."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>")
    return Markup("").join(escape(part) if index % 2 == 0 else code.format(part) for index, part in enumerate(parts))


def _page(report: CheckResult) -> dict[str, Any]:
    """What the template shows of one report."""
    wrong = [finding for finding in report.findings if finding.counts]
    regions = sizes_report.rows(report.contract)
    left = len(regions) - _ROWS
    return {
        "target": report.target,
        "inputs": " and ".join(report.inputs),
        "state": str(wrong[0].severity) if wrong else "ok",
        "count": counted(report) if wrong else "ok",
        "first": [_finding(finding) for finding in wrong[:_FIRST]],
        "more": f"and {len(wrong) - _FIRST} more below" if len(wrong) > _FIRST else "",
        "well": f"ok{kept(report)}; {holds(report)}" if report.contract.symbols else f"ok{kept(report)}",
        "findings": [_finding(finding) for finding in report.findings],
        "remarks": [*confirmation_lines(report), *report.remarks, *[report.assumed] * bool(report.assumed)],
        "regions": [[_near(report, text) for text in row] for row in regions[:_ROWS]],
        "regions_more": f"and {left} more" if left > 0 else "",
        "shapes": _shapes(report),
        **_pictures(report),
        **_maps(report),
    }


def _shapes(report: CheckResult) -> dict[str, Any]:
    """The source with the shape of every line: its functions, and what the short names in it stand for."""
    functions, explained = function_lines(report)
    shown = [
        {"file": short_path(file), "lines": lines, "width": min(_WIDTH, max(len(line.text) for line in lines))}
        for file, lines in functions
    ]
    return {"functions": shown, "explained": explained, "open": sum(len(lines) for _, lines in functions) <= _SHOWN}


def _told(report: CheckResult) -> set[str]:
    """The layers that findings name, and those that their mirrors took what they give back from."""
    named = {each.module for each in report.findings if each.counts and each.module}
    return named | {pair.down[0] for pair in report.pairs if pair.down and named & set(pair.up)}


def _pictures(report: CheckResult) -> dict[str, Any]:
    picture = report.picture
    if picture is None:
        return {"now": None, "mended": None, "sizes": "", "layers": []}
    shown = ", ".join(f"{name} = {value}" for name, value in picture.sizes.items())
    return {
        "now": hourglass(picture, told=_told(report)),
        "mended": None if picture.repaired is None else hourglass(picture, repaired=True),
        "sizes": shown or "the given size",
        "layers": _layers(report),
    }


def _layers(report: CheckResult) -> list[tuple[str, ...]]:
    """The calls of the run as a table, for those who do not see the drawing."""
    assert report.picture is not None
    scene = report.picture.now
    rows: list[tuple[str, ...]] = []
    for step in scene.steps[: min(scene.reached, _LAYERS)]:
        where = step.built or step.place
        parameters = ", ".join(f"{name}={value}" for name, value in step.parameters)
        name = f"{step.name} ({step.kind})" if step.kind else step.name
        shape = sized(step.shape)
        rows.append((name, short_place(where) if where else "", shape, " x ".join(step.formula), parameters))
    return rows


def _finding(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "known": finding.baseline is BaselineState.KNOWN,
        "message": finding.message,
        "place": short_place(finding.location) if finding.location else "",
        "line": finding.location.line if finding.location else "",
        "source": _source(finding.location),
        "notes": finding.notes,
        "fix": fix.title if fix else "",
        "safety": str(fix.safety) if fix else "",
        "ready": bool(fix and (fix.assignments or fix.edits)),
        "written": _written(fix.edits) if fix else [],
    }


def _source(span: Span | None) -> tuple[str, str, str] | None:
    """The line of a place, before, in and after it; None where the source is gone."""
    line = "" if span is None else span.text()
    if span is None or not line.strip():
        return None
    indent = len(line) - len(line.lstrip())
    stop = span.end_column - 1 if span.end_line == span.line else len(line)
    return line[indent : span.column - 1], line[max(indent, span.column - 1) : stop], line[stop:]


def _written(edits: Iterable[Edit]) -> list[tuple[int, list[tuple[str, bool]]]]:
    """The lines as they read with some edits: each with its number, in pieces that are new or not."""
    lines: dict[tuple[str, int], list[Edit]] = {}
    for edit in edits:
        if edit.span.line != edit.span.end_line or not edit.span.text().strip():
            return []
        lines.setdefault((edit.span.file, edit.span.line), []).append(edit)
    shown = list(lines.items())[:_LINES]
    return [(line, _pieces(here, len(str(line)) + 2)) for (_, line), here in shown]


def _pieces(edits: list[Edit], gutter: int) -> list[tuple[str, bool]]:
    """One line with its edits, without the indent; what becomes a line of its own stands below the first."""
    text, end = edits[0].span.text(), 0
    found: list[tuple[str, bool]] = []
    for edit in sorted(edits, key=lambda each: each.span.column):
        found += [(text[end : edit.span.column - 1], False), (edit.replacement, True)]
        end = edit.span.end_column - 1
    found.append((text[end:], False))
    indent = text[: len(text) - len(text.lstrip())]
    inner = [(piece.replace(f"\n{indent}", "\n" + " " * gutter), new) for piece, new in found]
    return [(inner[0][0].removeprefix(indent), False), *inner[1:]]


def _maps(report: CheckResult) -> dict[str, Any]:
    """The maps of sizes as it is and with the fix, with the sentences above them and their legend."""
    contract, picture = report.contract, report.picture
    shown = windows(report, _CELLS, alone=_ALONE, slices=_SLICES, reach=_REACH)
    now = [size_map(report, window) for window in shown]
    after = [found for window in shown if (found := repaired_map(report, window)) is not None]
    known = "proved for every size" if contract.proved else "not proved for every size: see the regions"
    sentence = _sentence(contract, contract.runs, contract.restores)
    panes = [{"heading": "As it is", "sentence": sentence, "maps": _drawings(report, now, "Sizes as it is")}]
    if picture is not None and picture.runs is not None:
        restores = (picture.restores or picture.runs) if contract.meant else None  # else what is right is what runs
        sentence = _sentence(contract, picture.runs, restores)
        maps = _drawings(report, after, "Sizes with the fix")
        panes.append({"heading": _heading(picture), "sentence": sentence, "maps": maps})
    return {
        "shape": "wide" if len(contract.symbols) == 1 else "many" if len(shown) > 1 else "",
        "panes": panes,
        "known": known,
        "legend": [
            {**each, "text": _near(report, each["text"])} for each in _legend([*now, *after], meant=contract.meant)
        ],
        "asked": _asked(report),
    }


def _near(report: CheckResult, text: str) -> str:
    """A text without the folder of the target's file where that is long: the page says it above."""
    folder = os.path.join(os.path.dirname(short_path(os.path.abspath(report.target.rpartition(":")[0]))), "")
    return text.replace(folder, "") if len(folder) > _LONG_FOLDER else text


def _heading(picture: Picture) -> str:
    """What the repaired model has that the other has not."""
    changes = list(dict.fromkeys(f"`{picture.said(name)}`" for name in picture.changes))
    return f"With {' and '.join(changes)}" if 0 < len(changes) <= _NAMED else "With the fix"


def _sentence(contract: Contract, runs: SizeSet, restores: SizeSet | None) -> list[str]:
    """The sizes at which a model runs and restores, in words; where these are long, a few of them."""
    said = [("runs for", runs)]
    if restores is not None and (contract.meant or restores):
        said.append(("restores the size for", restores))
    words = [(what, str(sizes), sizes) for what, sizes in said]
    brief = ((what, sizes.outline if len(text) > _LONGEST and contract.proved else text) for what, text, sizes in words)
    return [f"{what}: {text}" for what, text in brief]


def _asked(report: CheckResult) -> str:
    """The asked sizes: a single one as it is written, others in words; "" where none is asked for."""
    contract = report.contract
    if report.asked == contract.domain or not contract.symbols:
        return ""
    member = report.asked.sample()
    if member is not None and report.asked == SizeSet.point(contract.symbols, member):
        return sized(member.values())
    return str(report.asked)


def _drawings(report: CheckResult, maps: list[SizeMap], heading: str) -> list[MapDrawing]:
    contract = report.contract
    period = reduce(math.lcm, (contract.restores or contract.runs).periods(), 1)
    small = len(maps) > 1
    return [drawn(each, meant=contract.meant, period=period, heading=heading, small=small) for each in maps]


def _legend(maps: list[SizeMap], *, meant: bool) -> list[dict[str, str]]:
    kinds = ordered(kind for found in maps for kind in found.kinds)
    return [{"kind": class_of(kind, meant=meant), "text": kind.text} for kind in kinds]
