"""Gives fixes their edits: the text that makes the model as the repair has it, seen in a module that is built again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from numbers import Number
from types import MappingProxyType
from typing import Any, Final

from torch import nn

from shapelint.edit.document import texts
from shapelint.edit.functions import called_with
from shapelint.edit.layers import Manner, Proposal, Value, Wish, proposals
from shapelint.edit.origin import writing_calls
from shapelint.errors import ShapelintError
from shapelint.facts.diagnosis import called_line
from shapelint.facts.finding import Finding, Safety
from shapelint.load import Loaded, edited
from shapelint.source.notebook import is_cell
from shapelint.source.ownership import installed, shown
from shapelint.source.span import CallSite, Edit, Span
from shapelint.source.syntax import written

_POOLS = (nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)
Setting = tuple[str, str]
Arguments = Mapping[str, Mapping[str, Value]]
Load = Callable[[], Loaded]

_TRIED: Final = 8
_KEYS: Final = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "output_padding", "groups"),
    *("in_features", "out_features", "num_features", "ceil_mode", "scale_factor"),
)


def with_edits(
    findings: Sequence[Finding],
    loaded: Loaded,
    load_again: Load | None,
    functions: Mapping[str, Span] = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """The findings, those whose fix assigns arguments with the edits that write them; all of a report or none.

    `load_again` loads the target once more; None where its source cannot be imported again. `functions` are the calls
    of modules that call a function in the place of a layer, where the argument is to be written.
    """
    wanted = dict(_wanted(findings))
    if not wanted:
        return tuple(findings)
    called = {setting: value for setting, value in wanted.items() if setting[0] in functions}
    layers = {setting: value for setting, value in wanted.items() if setting not in called}
    found = _Mender(loaded, load_again, layers).repaired()
    if called and not isinstance(found, str):
        written_there = called_with(called, functions, [name for name in functions if called_line(name) is None])
        found = written_there if isinstance(written_there, str) else {**found, **written_there}
    return tuple(_with_edits(finding, found, functions) for finding in findings)


def without_cell_edits(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, without edits of the cells of a notebook, saved or just typed: those are not written."""

    def left(finding: Finding) -> Finding:
        files = () if finding.fix is None else {edit.span.file for edit in finding.fix.edits}
        if finding.fix is None or not any(is_cell(file) or not os.path.isfile(file) for file in files):
            return finding
        note = "no edit: a notebook is not written; make the change in its cell"
        return replace(finding, fix=replace(finding.fix, edits=()), notes=(*finding.notes, note))

    return tuple(map(left, findings))


def _wanted(findings: Iterable[Finding]) -> Iterator[tuple[Setting, Value]]:
    for finding in findings:
        if finding.fix is not None and finding.fix.safety is not Safety.ADVICE and not finding.fix.edits:
            for name, value in finding.fix.assignments.items():
                module, _, parameter = name.rpartition(".")
                yield (module, parameter), tuple(value)


def _with_edits(finding: Finding, found: Mapping[Setting, Proposal] | str, functions: Mapping[str, Span]) -> Finding:
    """A finding with its edits; what a function is called with is no attribute of a layer, and not assigned."""
    fix = finding.fix
    settings = [] if fix is None else [name.rpartition(".")[::2] for name in fix.assignments]
    if fix is None or not settings or fix.safety is Safety.ADVICE or fix.edits:
        return finding
    if isinstance(found, str):
        called = [module for module, _ in settings if called_line(module) is not None]
        fix = replace(fix, safety=Safety.ADVICE, assignments={}) if called else fix
        return replace(finding, notes=(*finding.notes, found), fix=fix) if found else finding
    chosen = [found[setting] for setting in settings if setting in found]
    if len(chosen) < len(settings):  # an argument of a function that the module calls, which no layer has
        return replace(finding, fix=replace(fix, safety=Safety.ADVICE, assignments={}))
    edits = tuple(dict.fromkeys(edit for proposal in chosen for edit in proposal.edits))
    guessed = any(proposal.manner is Manner.REPLACED for proposal in found.values())
    safety = Safety.UNSAFE if guessed else fix.safety
    assigned = {name: value for name, value in fix.assignments.items() if name.rpartition(".")[0] not in functions}
    return replace(finding, fix=replace(fix, safety=safety, assignments=assigned, edits=edits))


@dataclass(frozen=True, slots=True)
class _Mender:
    """Looks for edits that give some layers other arguments and change nothing else."""

    loaded: Loaded
    load_again: Load | None
    wanted: Mapping[Setting, Value]

    def repaired(self) -> Mapping[Setting, Proposal] | str:
        """The proposal for each setting; where one has none a note that says why."""
        before = arguments(self.loaded.module)
        chosen: dict[Setting, Proposal] = {}
        for wish in self._wishes(before):
            ways = list(islice(proposals(wish), _TRIED))
            proposal = self._chosen(wish, ways, chosen, before)
            if proposal is None:
                return _why_not(wish, ways)
            chosen |= {(module, wish.parameter): proposal for module in wish.values}
        return chosen

    def _wishes(self, before: Arguments) -> Iterator[Wish]:
        """The settings by the call that built their layers and those that it built besides."""
        sites = {name: site.calls for name in before if (site := self.loaded.sites.get(name)) is not None}
        done: set[Setting] = set()
        for module, parameter in self.wanted:
            if (module, parameter) in done or parameter not in before.get(module, {}):
                continue
            calls = {name: writing_calls(sites[name], parameter) for name in sites if parameter in before[name]}
            start = calls.get(module, ())[:1]
            group = [name for name in calls if start and calls[name][:1] == start]
            group = group or [module]
            done |= {(name, parameter) for name in group}
            kind = type(self.loaded.module.get_submodule(module)).__name__.removeprefix("Parametrized")
            present = {name: before[name][parameter] for name in group}
            values = {name: self.wanted.get((name, parameter), present[name]) for name in group}
            yield Wish(kind, parameter, {name: calls.get(name, ()) for name in group}, values, present)

    def _chosen(
        self, wish: Wish, ways: Sequence[Proposal], chosen: Mapping[Setting, Proposal], before: Arguments
    ) -> Proposal | None:
        """The first way that is certain, or seen to do what it should and nothing else."""
        edits = [edit for proposal in chosen.values() for edit in proposal.edits]
        for way in ways:
            if way.manner is Manner.DIRECT or self._works(wish, [*edits, *way.edits], before):
                return way
        return None

    def _works(self, wish: Wish, edits: Sequence[Edit], before: Arguments) -> bool:
        """Whether a module built with the edits made has what is wished, and differs in nothing that is not wanted."""
        if self.load_again is None:
            return False
        try:
            with edited(texts(edits)):
                now = arguments(self.load_again().module)
        except ShapelintError:  # edits that overlap, or a source that does not build any more
            return False
        if now.keys() != before.keys():
            return False
        has = all(now[name].get(wish.parameter) == value for name, value in wish.values.items())
        changed = {(name, key) for name in now for key in now[name] if now[name][key] != before[name].get(key)}
        return has and all(now[n][k] == self.wanted.get((n, k)) for n, k in changed)


def arguments(module: nn.Module) -> dict[str, dict[str, Value]]:
    """By layer and argument, the values that set sizes and channels; one for each axis where the layer has them so."""
    return {name: dict(_arguments(part)) for name, part in module.named_modules()}


def _arguments(layer: nn.Module) -> Iterator[tuple[str, Value]]:
    """The arguments of a layer that are plain numbers or texts: what else has such a name is the user's own."""
    for key in _KEYS:
        value: Any = getattr(layer, key, None)
        parts = tuple(value) if isinstance(value, tuple | list) else (value,) * _axes(layer)
        if all(isinstance(part, Number | str) for part in parts):
            yield key, parts


def _axes(layer: nn.Module) -> int:
    """How many times a number stands for each axis: a pool keeps the one number that it was given for all of them."""
    name = type(layer).__name__
    return int(name[-2]) if isinstance(layer, _POOLS) and name[-2:] in ("1d", "2d", "3d") else 1


def _why_not(wish: Wish, ways: Sequence[Proposal]) -> str:
    """Why there is no edit, and what each layer of the call needs."""
    calls: Sequence[CallSite] = wish.first
    if not calls:
        return ""
    place = calls[0].span()
    where = f"{shown(place.file)}:{place.line}"
    if installed(calls[0].code.co_filename):
        return f"no edit: `{next(iter(wish.calls))}` is built in an installed package, at {where}"
    if not wish.uniform:
        named = ", ".join(f"{written(wish.values[name])} in `{name}`" for name in wish.values)
        return f"no edit: one line builds all of them, and each needs its own `{wish.parameter}`: {named}"
    return "" if ways else f"no edit: no call that builds `{next(iter(wish.calls))}` was found at {where}"
