"""jaxtyping annotations of a model's functions as claims about all sizes: which do not hold, where, and what would."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shapelint.diagnosis.annotated_calls import AnnotatedCall, BoundNames, Key, annotated, listening, value_of
from shapelint.diagnosis.reach import UNSOLVED
from shapelint.evidence.annotations import Axis, Claim, Claimed, dims_of
from shapelint.facts.contract import Contract, How, Region
from shapelint.facts.diagnosis import WrongAnnotation
from shapelint.size.condition import all_of, equal
from shapelint.size.function import Function
from shapelint.size.isl_form import limited
from shapelint.size.sets import SizeSet
from shapelint.trace.explore import Exploration

_STEPS: Final = 2_000_000
_LARGEST: Final = 4  # factors and divisors of what is tried in the place of a wrong size
_POINTS: Final = 64


@dataclass(frozen=True, slots=True)
class _Held:
    """A tensor that is held to a claim: the sizes that are spoken of, and those of them at which it fails.

    `wrong` are the axes that fail somewhere, with what they are; `scope` is what was bound before.
    """

    function: str
    argument: str
    claim: Claim
    domain: SizeSet
    fails: SizeSet
    wrong: Mapping[int, Function | None]
    shape: tuple[Function, ...]
    scope: BoundNames


def wrong_annotations(explored: Exploration, contract: Contract, asked: SizeSet) -> tuple[WrongAnnotation, ...]:
    """Each annotation that fails at sizes at which the model is proved to run, seen to fail at one of them too."""
    known = annotated(explored.subject.module)
    held: list[_Held] = []
    for region in contract.regions if known else ():
        if region.how is How.PROVED and region.outcome.ok:
            try:
                with limited(_STEPS):
                    held += _in_region(explored, region, known)
            except UNSOLVED:
                continue
    places = dict.fromkeys(each.claim.place for each in held if each.fails)
    found = (_told([each for each in held if each.claim.place == place], asked) for place in places)
    return tuple(each for each in found if _is_seen(each, explored, known))


def _in_region(explored: Exploration, region: Region, known: Mapping[Key, Claimed]) -> list[_Held]:
    """All that is held to a claim in the run of a region; none where the shapes are not those of another run."""
    sizes = explored.runs[region.run].sizes
    calls, again = _calls(explored, sizes, known), _calls(explored, sizes, known, symbolic=False)
    if [_at(call, sizes) for call in calls] != [_at(call, sizes) for call in again]:
        return []
    held: list[_Held] = []
    domain = region.sizes
    for call in calls:
        scope = BoundNames()
        for tensor in call.tensors:
            argument, claim, shape = tensor.argument, tensor.claim, tensor.shape
            before = scope.copy()
            asks = scope.asks_of(tensor)
            fine = domain & SizeSet.where(domain.symbols, all_of(condition for _, condition in asks))
            if call.is_root and argument:
                domain = fine  # what a caller must keep to
                continue
            parts = ((index, SizeSet.where(domain.symbols, condition)) for index, condition in asks)
            wrong = {index: _size(claim, shape, index) for index, part in parts if domain - part}
            held.append(_Held(call.claimed.name, argument, claim, domain, domain - fine, wrong, shape, before))
    return held


def _calls(
    explored: Exploration, sizes: Mapping[str, int], known: Mapping[Key, Claimed], *, symbolic: bool = True
) -> list[AnnotatedCall]:
    with listening(known, explored.subject.module) as calls:
        explored.run(sizes, symbolic=symbolic)
    return calls


def _at(call: AnnotatedCall, sizes: Mapping[str, int]) -> tuple[object, ...]:
    shapes = ((each.argument, tuple(dim.value(sizes) for dim in each.shape)) for each in call.tensors)
    return call.claimed.name, *shapes


def _size(claim: Claim, shape: Sequence[Function], index: int) -> Function | None:
    """The size of the tensor at an axis of the claim; None where that stands for several, or for none."""
    many = next((at for at, dim in enumerate(claim.dims) if dim.kind is Axis.MANY), len(claim.dims))
    if index < 0 or index == many:
        return None
    return shape[index if index < many else index - len(claim.dims)]


def _is_seen(found: WrongAnnotation, explored: Exploration, known: Mapping[Key, Claimed]) -> bool:
    """Whether the annotation fails in a run with plain sizes too."""
    for call in _calls(explored, found.at, known, symbolic=False):
        scope = BoundNames()
        for tensor in call.tensors:
            asks = scope.asks_of(tensor)
            if tensor.claim.place == found.place and not all(condition.holds(found.at) for _, condition in asks):
                return True
    return False


def _told(held: Sequence[_Held], asked: SizeSet) -> WrongAnnotation:
    """What is said of one annotation, by all the tensors that are held to it."""
    first = next(each for each in held if each.fails)
    fails, domain = first.fails, first.domain
    for each in held:
        fails, domain = fails | each.fails, domain | each.domain
    at = (fails & asked).example() or fails.example() or {}
    at = at if at in first.fails else (first.fails.example() or {})
    index, size = next(iter(first.wrong.items()))
    axis = "" if index < 0 else first.claim.dims[index].text
    named = None if size is None else _in_names(size, first)
    seen = tuple(dim.value(at) for dim in first.shape)
    return WrongAnnotation(
        function=first.function, argument=first.argument, place=first.claim.place, text=first.claim.text, axis=axis,
        gives=named or ("" if size is None else str(size)), fails=fails, holds=domain - fails, at=at, seen=seen,
        better=_better(held, first),
    )  # fmt: skip


def _better(held: Sequence[_Held], first: _Held) -> str:
    """The annotation with what the failing axes are in the place of what they say, if that holds everywhere."""
    words = re.split(r"(\s+)", first.claim.text.strip())
    for index, size in first.wrong.items():
        text = None if size is None else _in_names(size, first)
        if text is None or (index == 0 and text.isdigit()):
            return ""  # the number of samples is this check's own
        words[2 * index] = text
    better = "".join(words)
    dims = dims_of(better)
    if dims is None:
        return ""
    claim = replace(first.claim, dims=dims, text=better)
    try:
        with limited(_STEPS):
            return better if all(_holds(each, claim) for each in held) else ""
    except UNSOLVED:
        return ""


def _holds(held: _Held, claim: Claim) -> bool:
    scope = held.scope.copy()
    conditions = [condition for _, condition in scope.asks(claim, held.shape)]
    known = all(dim.kind is not Axis.COMPUTED or value_of(dim.name, scope.sizes) is not None for dim in claim.dims)
    return known and held.domain <= SizeSet.where(held.domain.symbols, all_of(conditions))


def _in_names(size: Function, held: _Held) -> str | None:
    """A size in the names that the annotations before have bound; None where none of the expressions tried is it."""
    if size.constant is not None:
        return str(size.constant)
    plain = {str(bound): name for name, bound in held.scope.sizes.items() if str(bound).isidentifier() and bound}
    if size.symbols() <= plain.keys():
        text = re.sub(r"\w+", lambda word: plain.get(word[0], word[0]), str(size)).replace(" ", "")
        if _is_simple(text):
            return text
    return next(_fitting(size, held), None)


def _is_simple(text: str) -> bool:
    """Whether a text has nothing but names, numbers and the operators that an annotation is read with."""
    allowed = ast.Expression | ast.BinOp | ast.UnaryOp | ast.Name | ast.Constant | ast.operator | ast.unaryop | ast.Load
    try:
        return all(isinstance(each, allowed) for each in ast.walk(ast.parse(text, mode="eval")))
    except SyntaxError:
        return False


def _fitting(size: Function, held: _Held) -> Iterator[str]:
    """Expressions of one name, such as `2*h-1` and `(h+1)//2`, that are the size at every size."""
    symbols = sorted(size.symbols())
    points = list(held.domain.onto(symbols).at_most({symbols[0]: _POINTS}).members()) if len(symbols) == 1 else []
    for name, bound in held.scope.sizes.items() if points else ():
        if bound is None or bound.symbols() != size.symbols():
            continue
        for divisor in range(1, _LARGEST + 1):
            for factor in range(1, _LARGEST + 1):
                rest = min(divisor * size.value(at) + divisor - 1 - factor * bound.value(at) for at in points)
                fitted = bound.times(factor).plus(rest).floor_divide(divisor)
                if all(fitted.value(at) == size.value(at) for at in points) and _same(fitted, size, held.domain):
                    text = _written(name, factor, rest, divisor)
                    if value_of(text, {name: bound}) == fitted:
                        yield text


def _same(one: Function, other: Function, domain: SizeSet) -> bool:
    return domain <= SizeSet.where(domain.symbols, equal(one, other))


def _written(name: str, factor: int, rest: int, divisor: int) -> str:
    text = (f"{factor}*" if factor > 1 else "") + name + (f"{rest:+}" if rest else "")
    return text if divisor == 1 else f"({text})//{divisor}" if rest or factor > 1 else f"{text}//{divisor}"
