"""The shape that a view or reshape asks for: which number of elements it needs, and what -1 stands for.

A product of sizes leaves the quasi-affine world, so equal sizes are cancelled first, then whole groups of axes
are compared one by one where that is the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

from shapelint.ops.multiples import few_multiples
from shapelint.size.bound import identical, lower_bound, never_negative
from shapelint.size.condition import (
    FALSE,
    TRUE,
    Condition,
    all_of,
    any_of,
    at_least,
    divisible,
    equal,
    factors,
    product,
)
from shapelint.size.function import Function, NotQuasiAffine, constant
from shapelint.size.number import function_of, plain, size
from shapelint.size.tracking import divide_on_path
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Operation
from shapelint.trace.recording.record import Shape

_TEXT = "shape '[{shape}]' is invalid for input of size {left}"


def reshaped(op: Operation, shape: Shape, wanted: Sequence[int]) -> Shape:
    """The shape `wanted` with its -1, if any, filled in; raises where the number of elements does not fit."""
    if all(type(each) is int for each in (*shape, *wanted)) and (filled := _filled(shape, wanted)):
        return filled
    unknown = [index for index, each in enumerate(wanted) if _is_unknown(op, each, known=shape)]
    if len(unknown) > 1:
        op.refuse(Kind.ARGUMENT, "only one dimension can be inferred")
    if not unknown:
        require_count(op, shape, wanted)
        return tuple(wanted)
    rest = [each for index, each in enumerate(wanted) if index != unknown[0]]
    return (*wanted[: unknown[0]], _inferred(op, shape, rest, wanted), *wanted[unknown[0] + 1 :])


def _filled(shape: Shape, wanted: Sequence[int]) -> Shape:
    """The shape of plain numbers, where they fit without more ado; () where not."""
    count, asked = math.prod(shape), math.prod(each for each in wanted if each != -1)
    unknown = [index for index, each in enumerate(wanted) if each == -1]
    if min(wanted, default=0) < -1 or len(unknown) > 1:
        return ()
    if not unknown:
        return tuple(wanted) if asked == count else ()
    if asked < 1 or count % asked:
        return ()
    return (*wanted[: unknown[0]], count // asked, *wanted[unknown[0] + 1 :])


def _is_unknown(op: Operation, number: int, known: Shape) -> bool:
    """Whether a wanted size is -1; any other negative one raises."""
    function = function_of(number)
    if function.constant is None and (any(function is function_of(dim) for dim in known) or never_negative(function)):
        return False
    if op.decide(equal(function, constant(-1))):
        return True
    text = "invalid shape dimension {{left}}"
    op.require(at_least(function, constant(0)), Kind.RESHAPE, text, between=(number, 0))
    return False


def _count(dims: Sequence[Function]) -> Function:
    return reduce(product, dims, constant(1))


def _cancelled(left: Sequence[int], right: Sequence[int]) -> tuple[list[Function], list[Function], list[Function]]:
    """Both sides without the factors that they share, and those: a constant factor comes first where there is one."""
    one, two = [function_of(each) for each in left], [function_of(each) for each in right]
    shared = _take_shared(one, two)
    one = [part for function in one for part in factors(function)]
    two = [part for function in two for part in factors(function)]
    shared += _take_shared(one, two)
    scale_one, one = _scale(one)
    scale_two, two = _scale(two)
    common = math.gcd(scale_one, scale_two) or 1
    return _scaled(scale_one // common, one), _scaled(scale_two // common, two), shared


def _take_shared(one: list[Function], two: list[Function]) -> list[Function]:
    """Takes the functions that both lists have out of both."""
    shared: list[Function] = []
    for function in list(one):
        same = next((each for each in two if function.constant is None and identical(function, each)), None)
        if same is not None:
            one.remove(function)
            two.remove(same)
            shared.append(function)
    return shared


def _scale(dims: list[Function]) -> tuple[int, list[Function]]:
    scale = math.prod(dim.constant for dim in dims if dim.constant is not None)
    return scale, [dim for dim in dims if dim.constant is None]


def _scaled(scale: int, dims: list[Function]) -> list[Function]:
    return dims if scale == 1 else [constant(scale), *dims]


def require_count(op: Operation, shape: Shape, wanted: Sequence[int], text: str = _TEXT) -> None:
    """The sizes must multiply to the same number."""
    one, two, shared = _cancelled(shape, wanted)
    if _count(one) is _count(two):
        return
    fits = _same_count(shape, wanted, one, two)
    empty = [equal(function, constant(0)) for function in shared if (lower_bound(function) or 0) <= 0]
    between = (
        _size(_count(list(map(function_of, shape))), shape),
        _size(_count(list(map(function_of, wanted))), wanted),
    )
    op.require(any_of([fits, *empty]), Kind.RESHAPE, text, between=between, shape=wanted)


def _size(count: Function, dims: Sequence[int]) -> int:
    return size(math.prod(map(plain, dims)), count)


def _same_count(shape: Shape, wanted: Sequence[int], one: list[Function], two: list[Function]) -> Condition:
    """The condition on which two products are the same."""
    condition = equal(_count(one), _count(two))
    sides = (_count(one), _count(two))
    if all(dim.affine for dim in sides) or any(dim.constant is not None for dim in sides):
        return condition
    groups = _groups(shape, wanted) or _groups(wanted, shape)
    if groups is None:
        return condition
    empty = [equal(left, constant(0)) for left, _ in groups if (lower_bound(left) or 0) <= 0]
    return any_of([all_of(equal(left, right) for left, right in groups), *empty])


def _groups(shape: Sequence[int], wanted: Sequence[int]) -> list[tuple[Function, Function]] | None:
    """Each size beside the product of the wanted sizes that it is cut into, where none of these can be larger.

    Positive products whose factors are nowhere larger are equal only where each pair of factors is.
    """
    rest = list(map(function_of, wanted))
    pairs: list[tuple[Function, Function]] = []
    for dim in map(function_of, shape):
        group = _group(dim, rest)
        if group is None:
            return None
        taken, part = group
        rest = rest[taken:]
        pairs.append((dim, part))
    return pairs if all(function.constant == 1 for function in rest) else None


def _group(dim: Function, rest: list[Function]) -> tuple[int, Function] | None:
    """How many of the next sizes to multiply, as many as give nowhere more than `dim`, and their product."""
    best: tuple[int, Function] | None = None
    part = constant(1)
    for taken, function in enumerate(rest, 1):
        part = product(part, function)
        if not part.affine or not never_negative(dim - part):
            break
        best = (taken, part)
        if dim is part:
            break
    return best


def _inferred(op: Operation, shape: Shape, rest: Sequence[int], wanted: Sequence[int]) -> int:
    """What -1 stands for: the elements that there are divided by the product of the other sizes."""
    text = "cannot reshape into a shape with a size of {left} and -1"
    for size_there in rest:
        if (lower_bound(function_of(size_there)) or 0) <= 0:
            op.require_at_least(size_there, 1, Kind.RESHAPE, text)
    one, two, _ = _cancelled(shape, rest)
    total, divisor = _count(one), _count(two)
    value = math.prod(map(plain, shape)) // max(math.prod(map(plain, rest)), 1)
    if divisor.constant is not None:
        condition = divisible(total, divisor.constant)
        whole = _size(_count(list(map(function_of, shape))), shape)
        op.require(condition, Kind.RESHAPE, _TEXT, between=(whole, math.prod(map(plain, rest))), shape=wanted)
        return size(value, _quotient(one, divisor.constant))
    try:
        return size(value, divide_on_path(total, divisor))
    except NotQuasiAffine:
        return _matched(op, shape, rest, wanted, (total, divisor))


def _quotient(dims: list[Function], divisor: int) -> Function:
    """The product of the sizes by a divisor; the factor that it divides is the one divided, where there is one."""
    for index, dim in enumerate(dims):
        if divisible(dim, divisor) == TRUE:
            return _count([*dims[:index], dim.floor_divide(divisor), *dims[index + 1 :]])
    return _count(dims).floor_divide(divisor)


def _matched(
    op: Operation, shape: Shape, rest: Sequence[int], wanted: Sequence[int], counts: tuple[Function, Function]
) -> int:
    """-1 among sizes that are cut out of the old ones or joined from them, such as windows: known where each cut comes
    out even.

    Elsewhere one of few numbers, by which the first of the counts may be a multiple of the second.
    """
    total, divisor = counts
    value = math.prod(map(plain, shape)) // max(math.prod(map(plain, rest)), 1)
    for index in range(len(shape)):
        others = (*shape[:index], *shape[index + 1 :])
        groups = _groups(others, rest) or _groups(rest, others)
        if groups is not None and op.decide(all_of(equal(left, right) for left, right in groups)):
            return shape[index]
    found = few_multiples(op, total, divisor)
    if found is None:
        op.recorder.leak("a reshape by a product of sizes that does not cancel")
    fits = math.prod(map(plain, shape)) == value * math.prod(map(plain, rest))
    if found is not None or not fits:
        whole = _size(_count(list(map(function_of, shape))), shape)
        between = (whole, math.prod(map(plain, rest)))
        op.require(any_of(found or [FALSE]), Kind.RESHAPE, _TEXT, between=between, shape=wanted)
        op.decide(equal(total, divisor.times(value)))
    return value
