"""Finds hand-made pads and crops that put half of a difference on both sides: right for even differences only.

The proof is in the sizes, not in the source: on the way to a join that fails, the call adds `2*(d//2)` rows (or one
rounded up) at every size of the region, where `d` are needed. A crop that begins at half of the
difference and keeps the rest takes `d//2` rows, from one side.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, product

from shapelint.diagnosis.even_windows import even_windows, padded_window
from shapelint.diagnosis.reach import UNSOLVED, ExamplePoint, dims_of, reaching
from shapelint.facts.analysis import OddMiss
from shapelint.facts.contract import Contract, How, Region
from shapelint.facts.diagnosis import EvenWindow
from shapelint.facts.failure import Kind
from shapelint.facts.graph import size_at
from shapelint.request.question import Question
from shapelint.size.condition import any_of, at_least, equal, negate
from shapelint.size.function import Function, as_function
from shapelint.size.sets import SizeSet
from shapelint.source.span import Span
from shapelint.source.syntax import call_at, expression_at, function_around
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.record import Record

_CROPS = ("__getitem__", "narrow")


def odd_differences(
    explored: Exploration, contract: Contract, question: Question, example: ExamplePoint
) -> tuple[OddMiss, ...]:
    """Each such pad or crop once, with all the sizes at which it fails."""
    found: dict[Span, OddMiss] = {}
    for region in contract.regions:
        if region.how is not How.PROVED:
            continue
        try:
            odd = _in_region(explored, contract, question, region, example)
            for each in chain(odd, _even(explored, contract, question, region, example)):
                known = found.setdefault(each.place, each)
                if known is not each:
                    told = each if example.focus == each.at else known
                    found[each.place] = replace(told, sizes=known.sizes | each.sizes)
        except UNSOLVED:
            continue
    return tuple(found.values())


def _in_region(
    explored: Exploration, contract: Contract, question: Question, region: Region, example: ExamplePoint
) -> Iterator[OddMiss]:
    records, failure = explored.runs[region.run].records, region.outcome.failure
    if failure is not None and failure.kind is Kind.JOIN:
        operands = [index for index in dict.fromkeys(records[region.node].inputs) if dims_of(records[index])]
        wrong, rank = region.sizes, len(question.axes) or 2
        targets = [(one, dims_of(records[two])[-rank:]) for one in operands for two in operands if one != two]
    elif region.outcome.ok and contract.meant:
        nodes, wrong = explored.runs[region.run].output_nodes[:1], region.sizes - contract.restores
        targets = [(index, question.target) for index in nodes if index >= 0 and dims_of(records[index])]
    else:
        return
    targets = [each for each in targets if any(True for _ in _resized(records, each[0]))]
    at = example.at(wrong) if targets else None
    targets = [each for each in targets if at is not None and any(_missing_one(records, *each, at))]
    sizes = reaching(explored.runs[region.run], region.node, wrong) if targets else wrong
    at = example.at(sizes)
    for operand, target in targets if at is not None else ():
        found = _fitted(records, operand, target, sizes, at or {})
        if found is not None:
            yield found


def _gives(region: Region, question: Question) -> bool:
    """Whether a region gives the output that is compared, with its axes: at other sizes a model may give others."""
    shapes, place = region.outcome.outputs, question.place
    known = place is not None and bool(question.axes) and place[0] < len(shapes)
    return known and place is not None and max(place[1]) < len(shapes[place[0]].dims)


def _even(
    explored: Exploration, contract: Contract, question: Question, region: Region, example: ExamplePoint
) -> Iterator[OddMiss]:
    """The pads in a region that put the same on both sides of an even window."""
    run, failure = explored.runs[region.run], region.outcome.failure
    if failure is not None and failure.kind is Kind.JOIN:
        pairs = [(as_function(failure.left), as_function(failure.right))]
        operands, wrong = list(dict.fromkeys(run.records[region.node].inputs)), region.sizes
        pairs.append(pairs[0][::-1])
    elif region.outcome.ok and contract.meant and _gives(region, question) and question.place is not None:
        operands, (output, axes) = [run.output_nodes[question.place[0]]], question.place
        dims, wrong = region.outcome.outputs[output].dims, region.sizes - contract.restores
        pairs = [(as_function(dims[axis]), wanted) for axis, wanted in zip(axes, question.target, strict=True)]
    else:
        return
    likely = [(operand, sides) for operand, sides in product(operands, pairs)
              if operand >= 0 and padded_window(run.records, operand, sides[0]) is not None]  # fmt: skip
    sizes = reaching(run, region.node, wrong) if likely else wrong
    at = example.at(sizes) if likely else None
    for operand, sides in likely if at is not None else ():
        for found in even_windows(run.records, operand, sides, sizes, at or {}):
            if found.window is not None and _is_computed(found.window, found.place):
                yield found


def _is_computed(window: EvenWindow, place: Span) -> bool:
    """Whether the source computes what is added: of a literal pad the kernel is as likely at fault."""
    amounts = [each for axis in window.axes for each in _amounts(place, axis)]
    return window.call != "pad" or any(not _is_literal(each) for each in amounts)


def _fitted(
    records: Sequence[Record], operand: int, target: Sequence[Function], sizes: SizeSet, at: dict[str, int]
) -> OddMiss | None:
    """The pad or crop that brings a tensor near its target and misses odd differences, where there is one."""
    for record, axis in _missing_one(records, operand, target, at):
        if _is_odd(record, records, axis, target[axis], sizes, at):
            return _told(record, records, target, sizes, at)
    return None


def _missing_one(
    records: Sequence[Record], operand: int, target: Sequence[Function], at: dict[str, int]
) -> Iterator[tuple[Record, int]]:
    """The hand-made pads and crops that leave, at one size, an axis one row away from its target, or empty."""
    given, rank = dims_of(records[operand]), len(target)
    for axis in range(-rank, 0) if len(given) >= rank else ():
        size, missing = given[axis].value(at), given[axis].value(at) - target[axis].value(at)
        for record in _resized(records, operand) if missing else ():
            likely = abs(missing) == 1 or size == 0 or _is_short(record, records, axis, target[axis], at)
            likely = likely or _is_one_sided(record, records, axis, target[axis], at)
            if likely and dims_of(record)[axis].value(at) == size and _is_hand_made(record, records, axis):
                yield record, axis


def _is_short(record: Record, records: Sequence[Record], axis: int, target: Function, at: Mapping[str, int]) -> bool:
    """Whether a crop gets fewer rows than are needed, and gives half of the lack: its offset is negative, so that it
    begins that far from the end.
    """
    if record.name not in _CROPS:
        return False
    lack = target.value(at) - dims_of(records[record.inputs[0]])[axis].value(at)
    return lack > 0 and dims_of(record)[axis].value(at) in (lack // 2, lack - lack // 2)


def _is_one_sided(
    record: Record, records: Sequence[Record], axis: int, target: Function, at: Mapping[str, int]
) -> bool:
    """Whether a crop takes half of the rows that are too many, of which there are several."""
    if record.name not in _CROPS:
        return False
    before, after = (dims_of(each)[axis].value(at) for each in (records[record.inputs[0]], record))
    surplus = before - target.value(at)
    return surplus > 1 and before - after in (surplus // 2, surplus - surplus // 2)


def _resized(records: Sequence[Record], operand: int) -> Iterator[Record]:
    """The pads and crops on the way to a tensor, back to the first call that treats axes as spatial."""
    index = operand
    while records[index].inputs and not records[index].spatial:
        record, before = records[index], records[records[index].inputs[0]]
        if len(dims_of(record)) != len(dims_of(before)):
            return
        if record.name in ("pad", *_CROPS):
            yield record
        index = record.inputs[0]


def _is_odd(
    record: Record, records: Sequence[Record], axis: int, target: Function, sizes: SizeSet, at: dict[str, int]
) -> bool:
    """Whether the call adds (or cuts) an even number next to the odd one that is needed, at all of the sizes."""
    before, after = dims_of(records[record.inputs[0]])[axis], dims_of(record)[axis]
    needed, added = target - before, after - before
    if record.name in _CROPS:
        needed, added = needed.times(-1), added.times(-1)
        if after.value(at) == 0 and needed.value(at) in (0, 1):
            return True
    if _is_short(record, records, axis, target, at):
        before = dims_of(records[record.inputs[0]])[axis]
        return not sizes & SizeSet.where(sizes.symbols, at_least(before, target))
    halves = [needed.floor_divide(2).times(2), needed.plus(1).floor_divide(2).times(2)]
    if _is_one_sided(record, records, axis, target, at):
        added = added.times(2)
    elif needed.value(at) % 2 == 0:
        return False
    return any(not sizes & SizeSet.where(sizes.symbols, negate(any_of([equal(added, half)]))) for half in halves)


def _is_hand_made(record: Record, records: Sequence[Record], axis: int) -> bool:
    """Whether somebody computed the amounts for an axis: they depend on the size, or the source computes them."""
    if record.place is None:
        return False
    place, after = record.place.span(), dims_of(record)
    computed = (after[axis] - dims_of(records[record.inputs[0]])[axis]).constant is None
    if record.name == "pad":
        return computed or any(not _is_literal(each) for each in _amounts(place, axis))
    if record.name == "__getitem__" and not _is_crop(expression_at(place), axis, len(after)):
        return False
    around = function_around(place)
    return computed or (around is not None and any(map(_halves, ast.walk(around))))


def _amounts(place: Span, axis: int) -> list[ast.expr]:
    """What a call of `pad` says in the source about an axis, counted from the end; the whole where it is no list."""
    call = call_at(place) or ast.Call(ast.Name("pad"), [], [])
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "pad")]
    listed = next((each.elts for each in given if isinstance(each, ast.List | ast.Tuple)), None)
    starred = listed is not None and any(isinstance(each, ast.Starred) for each in listed)
    return given if listed is None or starred else listed[-2 * axis - 2 : -2 * axis]


def _is_crop(item: ast.expr | None, axis: int, rank: int) -> bool:
    """Whether brackets cut both ends of an axis, counted from the end, off: `y[:, :, a:b]`, without a step."""
    if not isinstance(item, ast.Subscript):
        return False
    parts = item.slice.elts if isinstance(item.slice, ast.Tuple) else [item.slice]
    dots = next((n for n, each in enumerate(parts) if isinstance(each, ast.Constant) and each.value is ...), len(parts))
    index = rank + axis if rank + axis < dots else axis + len(parts)
    part = parts[index] if 0 <= index < len(parts) and index != dots else None
    return isinstance(part, ast.Slice) and None not in (part.lower, part.upper) and part.step is None


def _is_literal(expression: ast.expr) -> bool:
    try:
        ast.literal_eval(expression)
    except ValueError:
        return False
    return True


def _halves(node: ast.AST) -> bool:
    """Whether an expression halves something: `d // 2`, `d / 2`, `d >> 1`."""
    if not isinstance(node, ast.BinOp):
        return False
    by_two = isinstance(node.op, ast.FloorDiv | ast.Div | ast.RShift)
    return by_two and ast.unparse(node.right) in ("1", "2")


def _told(
    record: Record, records: Sequence[Record], target: Sequence[Function], sizes: SizeSet, at: dict[str, int]
) -> OddMiss:
    assert record.place is not None, "_is_odd has looked"
    rank = len(target)
    before, after = dims_of(records[record.inputs[0]])[-rank:], dims_of(record)[-rank:]
    return OddMiss(
        place=record.place.span(),
        module=record.module,
        crops=record.name in _CROPS,
        short=record.name in _CROPS and any(map(int.__lt__, size_at(before, at), size_at(target, at))),
        emptied=record.name in _CROPS and 0 in size_at(after, at),
        one_sided=any(_is_one_sided(record, records, axis, target[axis], at) for axis in range(-rank, 0)),
        at=at,
        before=size_at(before, at),
        after=size_at(after, at),
        target=size_at(target, at),
        sizes=sizes,
        source=_source(records, record),
    )


def _source(records: Sequence[Record], record: Record) -> str:
    """The layer that gives what is padded or cropped: the last spatial call on its way."""
    while record.inputs and not record.spatial:
        record = records[record.inputs[0]]
    return record.module
