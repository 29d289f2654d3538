"""The source of what ran with the shapes of every line, in symbols or at one size, and the table of its layers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shapelint.errors import SpecError
from shapelint.facts.call import Call, Trail
from shapelint.facts.contract import How, RegionOutcome
from shapelint.facts.result import CheckResult
from shapelint.report.json import VERSION, report_data, span_data
from shapelint.report.layers import layer_lines
from shapelint.report.lines import ShownFunction, are_counted, functions_of, line_calls, of_one_run, repeated, shapes_of
from shapelint.report.place import short_path
from shapelint.report.text import subject
from shapelint.size.isl_form import SolverError, Undecidable, limited
from shapelint.size.sets import SizeSet

_LONG: Final = 24
_COLUMN: Final = 76
_WORDS: Final = 160
_NEVER: Final = "raises at every size"


def render(
    report: CheckResult, *, at: Mapping[str, int] | None = None, table: bool = False, width: int | None = None
) -> str:
    """The text for one report: the source with its shapes, or the `table` of layers; at one size where `at` is given.

    On a terminal of `width` columns a shape for which there is no room stands below its line. Raises SpecError where
    `at` is no size of the model.
    """
    told = Told(report, _checked(report, at if report.contract.symbols else at or {}))
    lines = list(layer_lines(_of_one_run(report, told), told.shape, width) if table else _source(report, told, width))
    return "".join(f"{line}\n" for line in (*_head(report, told), *lines, *told.explained()))


def _of_one_run(report: CheckResult, told: Told) -> list[Call]:
    """The calls of the run that is shown first, or of the one at the size."""
    if told.at is None:
        return [call for call in report.calls if call.ways[0].trail is told.main]
    return [call for call in report.calls if call.given(told.at, told.followed) is not None]


def render_json(report: CheckResult, *, at: Mapping[str, int] | None = None) -> str:
    """The JSON of one report with its "calls", each with the shapes that it gives "at" one size where that is given.

    Raises SpecError where `at` is no size of the model.
    """
    sizes, followed = _checked(report, at), dict[Trail, int]()
    calls = [call_data(call, sizes, followed) for call in report.calls]
    targets = [{**report_data(report), "calls": calls}]
    text = json.dumps({"version": VERSION, "targets": targets, "not_checked": []}, indent=2)
    return text.replace("##", "#\\u0023") + "\n"  # a log may take `##[` for a command


def call_data(call: Call, at: Mapping[str, int] | None, followed: dict[Trail, int]) -> dict[str, Any]:
    """One call as plain data."""
    data = {
        "place": None if call.place is None else span_data(call.place),
        "function": call.function,
        "name": call.name,
        "module": call.module,
        "call": call.call,
        "kind": call.kind,
        "inner": call.inner,
        "assigned": list(call.assigned),
        "outputs": [str(shape) for shape in call.outputs],
        "sizes": str(call.sizes),
        "how": str(call.how),
        "parameters": call.parameters,
        "notes": list(call.notes),
    }
    if at is None:
        return data
    given = call.given(at, followed)
    return {**data, "at": None if given is None else [list(shape) for shape in given]}


def _checked(report: CheckResult, at: Mapping[str, int] | None) -> Mapping[str, int] | None:
    if at is None:
        return None
    symbols = report.contract.symbols
    if set(at) != set(symbols):
        raise SpecError(f"--at gives {', '.join(at) or 'nothing'}; the sizes of the model are {', '.join(symbols)}")
    sizes = {name: at[name] for name in symbols}
    if sizes not in SizeSet.universe(symbols) & report.contract.domain:
        raise SpecError(f"--at {_sized(sizes)} is no size of {report.target}")
    return sizes


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the source with its number, and the shapes that it gives; or a `mark` on what is above."""

    text: str
    shapes: str = ""
    mark: bool = False


@dataclass(slots=True)
class Told:
    """The shapes of one report as they are told: at one size as numbers, else in symbols, long expressions by name."""

    report: CheckResult
    at: Mapping[str, int] | None
    names: dict[str, str] = field(default_factory=dict)
    followed: dict[Trail, int] = field(default_factory=dict)

    @property
    def main(self) -> Trail | None:
        """The way of the run that is shown first."""
        return self.report.calls[0].ways[0].trail if self.report.calls else None

    @property
    def failure(self) -> RegionOutcome | None:
        """What raises at the one size, and where."""
        regions = self.report.contract.regions if self.at is not None else ()
        found = (region.outcome for region in regions if region.outcome.ok is False and self.at in region.sizes)
        return next(found, None)

    def shape(self, call: Call) -> str:
        """The shapes that a call gives; "" where it gives none, or none there."""
        if self.at is not None:
            given = call.given(self.at, self.followed)
            return shapes_of(given or ())
        if call.how is not How.PROVED:
            seen = call.ways[0].trail.seen
            shapes = shapes_of(shape.at(seen) for shape in call.outputs)
            return f"{shapes} (seen at {_sized(seen)}, not proved)" if shapes else ""
        return shapes_of(map(self._dim, shape.dims) for shape in call.outputs)

    def place_in_way(self, call: Call) -> str:
        """For which sizes a call is made, where the run that is shown first does not make it."""
        if self.at is not None or call.how is not How.PROVED or any(way.trail is self.main for way in call.ways):
            return ""
        try:
            with limited():
                return f" for {call.sizes}"
        except SolverError:
            return " at other sizes"

    def _dim(self, dim: Any) -> str:
        text = str(dim)
        if len(text) <= _LONG:
            return text
        if text not in self.names:
            self.names[text] = self._free_name(min(dim.symbols(), default="n").lower())
        return self.names[text]

    def _free_name(self, letter: str) -> str:
        taken = {*self.names.values(), *self.report.contract.symbols}
        return next(name for number in range(1, 10**6) if (name := f"{letter}{number}") not in taken)

    def explained(self) -> Iterator[str]:
        """What the names stand for."""
        if self.names:
            yield ""
            yield from (f"{name} = {text}" for text, name in self.names.items())


def _sized(sizes: Mapping[str, int]) -> str:
    return ",".join(f"{name}={value}" for name, value in sizes.items())


def _head(report: CheckResult, told: Told) -> Iterator[str]:
    yield subject(report)
    yield from [f"  {report.assumed}"] * bool(report.assumed)
    if told.at is None:
        yield f"  runs for: {report.contract.runs}"
    else:
        where = f"at {_sized(told.at)}: " * bool(told.at)
        yield f"  {where}{_ending(told, told.at)}"
    yield ""


def _ending(told: Told, at: Mapping[str, int]) -> str:
    """How the run at one size ends."""
    outcome = told.report.contract.outcome(**at)
    if outcome.ok:
        return "gives " + shapes_of(outcome.outputs)
    if outcome.ok is False:
        return f"raises {outcome.error}"
    model = (call.given(at, told.followed) for call in told.report.calls if call.kind and not call.module)
    seen = next((given for given in model if given), None)
    return "not decided" if seen is None else f"not proved; gave {shapes_of(seen)} in a run on meta tensors"


def function_lines(report: CheckResult) -> tuple[list[tuple[str, list[SourceLine]]], list[str]]:
    """The functions that ran, each with its file and its lines, in symbols; and what the short names in them mean."""
    told = Told(report, None)
    functions = [(each.file, list(_lines(each, told))) for each in functions_of(report.every_call)]
    return functions, [f"{name} = {text}" for text, name in told.names.items()]


def _source(report: CheckResult, told: Told, width: int | None) -> Iterator[str]:
    """Each function that ran, its lines with their shapes."""
    functions = functions_of(report.every_call, None if told.failure is None else told.failure.place)
    for number, function in enumerate(functions):
        yield from [""] * bool(number)
        yield short_path(function.file)
        yield from _function(function, told, width)
    if not functions:
        yield "no line of the source made a call"


def _function(function: ShownFunction, told: Told, width: int | None) -> Iterator[str]:
    column = min(max(map(len, function.lines), default=0), _COLUMN) + 7
    for line in _lines(function, told):
        text, shapes = line.text.rstrip(), f"  # {line.shapes}" * bool(line.shapes)
        start = column if width is None else max(len(text), min(column, width - len(shapes)))
        if width is None or not shapes or start + len(shapes) <= width:
            yield text.ljust(start) + shapes if shapes else text
        else:
            yield from (text, " " * (7 + _indent(line.text[7:])) + shapes)


def _lines(function: ShownFunction, told: Told) -> Iterator[SourceLine]:
    for number, line in enumerate(function.lines, function.first):
        calls = line_calls(function.calls, number)
        calls = of_one_run(calls, told.main) if told.at is None else calls
        given = [told.shape(call) + told.place_in_way(call) for call in calls if told.shape(call)]
        shapes = repeated(given, counted=told.at is not None or are_counted(calls))
        yield SourceLine(f"{number:>5}  {line}", shapes)
        for mark in _marks(function, number, told):
            yield SourceLine(f"       {'^':>{_indent(line) + 1}} {mark}", mark=True)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _marks(function: ShownFunction, line: int, told: Told) -> Iterator[str]:
    """What is to be said below a line: which of its calls raise, and what its layers lose."""
    calls = [call for call in function.calls if call.place is not None and call.place.line == line]
    if told.at is not None:
        failure = told.failure
        if failure and failure.place and (failure.place.file, failure.place.line) == (function.file, line):
            where = f"`{failure.module}` " if failure.module else ""
            yield f"{where}raises {told.report.contract.outcome(**told.at).error}"
        return
    proved = [call for call in calls if call.how is How.PROVED]
    for name in dict.fromkeys(call.name for call in proved if call.conditional):
        words = _fitting([call for call in proved if call.name == name])
        why = _error_on(function.file, line, told) if words == _NEVER else ""
        yield from [f"`{name}` {words}{why}"] * bool(words)
    yield from dict.fromkeys(
        f"not {'decided' if region.how is How.UNKNOWN else 'proved'}: {region.why}"
        for region in told.report.contract.regions
        if region.why and region.place is not None and (region.place.file, region.place.line) == (function.file, line)
    )
    yield from dict.fromkeys(f"`{call.module or call.name}` {note}" for call in calls for note in call.notes)


def _error_on(file: str, line: int, told: Told) -> str:
    """What is raised on a line, where that is one error."""
    ends = [region.outcome for region in told.report.contract.regions if region.outcome.ok is False]
    said = {end.error for end in ends if end.place and (end.place.file, end.place.line) == (file, line)}
    return f": {said.pop()}" if len(said) == 1 else ""


def _fitting(calls: Sequence[Call]) -> str:
    """For which sizes all of some calls fit, in words; "" where that is for all."""
    try:
        with limited():
            sets = [call.fits for call in calls if call.conditional]
            found = sets[0]
            for each in sets[1:]:
                found = found & each
            if found == calls[0].ways[0].trail.domain:
                return ""
            reached = next((each for call in calls if (each := found & call.sizes)), None)
            named = found if found.exact_words else reached  # where members are named, those whose run comes by
            words = str(named) if reached is not None else ""
    except (SolverError, Undecidable):
        return "raises at some sizes"
    if not words:
        return _NEVER
    return f"fits only for: {words if len(words) <= _WORDS else words[:_WORDS] + ' ...'}"
