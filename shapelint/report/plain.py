"""A report whose names and texts act on nothing that shows it: a terminal, the log of a CI, an annotation, a page.

Layers, classes, files and errors are named by whoever wrote the model. Each form but JSON, which writes what is not
ASCII in escapes and keeps names to the letter, is made of a plain report.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

from shapelint.errors import escaped
from shapelint.facts.call import Call
from shapelint.facts.result import CheckResult
from shapelint.size.sets import SizeSet
from shapelint.source.span import Edit, Span

Result = TypeVar("Result", bound=CheckResult)

_MODEL: Final = "checked"  # what a report keeps of the model: no text of ours, and its classes answer by their own code
_SEVERAL_LINES: Final = frozenset({"notes", "remarks", "title", "verified"})


def plain(report: Result) -> Result:
    """The report with what acts in its names and texts escaped; the same one where nothing does."""
    names = {name: escaped(name) for name in _names(report) if escaped(name) != name}
    return _plain(report, "", names)  # type: ignore[no-any-return]


def _names(report: CheckResult) -> Iterator[str]:
    """The names that may stand in its texts, which are of one line each."""
    yield report.target
    yield from (finding.module for finding in report.findings if finding.module)
    yield from (name for pair in report.pairs for name in (*pair.down, *pair.up))


def _plain(value: Any, name: str, names: Mapping[str, str]) -> Any:
    """A part of a report; `name` is that of the field in which it stands."""
    if name == _MODEL or isinstance(value, (enum.Enum, Span, Edit, SizeSet, Call)):
        return value
    if isinstance(value, str):
        return _text(value, name, names)
    if isinstance(value, tuple):
        return _same(value, tuple(_plain(each, name, names) for each in value))
    if type(value) is dict:
        part = partial(_plain, name=name, names=names)
        return _same(value, {part(key): part(each) for key, each in value.items()})
    if is_dataclass(value) and not isinstance(value, type):
        before = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        after = {each: _plain(part, each, names) for each, part in before.items()}
        changed = {each: part for each, part in after.items() if part is not before[each]}
        return replace(value, **changed) if changed else value
    return value


def _same(before: Any, after: Any) -> Any:
    """What was there where nothing has changed, so that a plain report stays the same one."""
    return before if all(old is new for old, new in zip(_parts(before), _parts(after), strict=True)) else after


def _parts(value: Any) -> list[Any]:
    return [part for pair in value.items() for part in pair] if isinstance(value, dict) else list(value)


def _text(text: str, field: str, names: Mapping[str, str]) -> str:
    if field not in _SEVERAL_LINES:
        return escaped(text)
    for name, shown in names.items():
        text = text.replace(name, shown)
    lines = text.split("\n")
    shown_lines = [escaped(line) for line in lines]
    return text if shown_lines == lines else "\n".join(shown_lines)
