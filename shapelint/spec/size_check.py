"""A function in plain Python that takes the sizes at which a model is right and refuses the others.

It stands in front of a model that is deployed where neither torch nor shapelint is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from shapelint.errors import SpecError
from shapelint.facts.result import CheckResult
from shapelint.request.inputs import parse_inputs
from shapelint.request.spec import TensorSpec
from shapelint.size.condition import Compare
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet
from shapelint.spec.boxes import AxisRange, boxes
from shapelint.spec.lines import AxisLine, output_lines
from shapelint.spec.ranges import asked_of

_PIECES = 64
_OWN = {"run", "array", "to", "padding", "numpy", "max", "padded_size"}
_STEPS = 2_000_000  # of isl
_TEXT = '''\
def fits({names}):
    """Whether {what} at a size: {words}."""
    return (
{condition}
    )


def check_size({names}):
    """Raises ValueError with the nearest sizes where the model is not to be given a size."""
    if fits({names}):
        return
    near = [size for size in (_nearest(({values}), -1), _nearest(({values}), 1)) if size]
    advice = "; the nearest are " + " and ".join("x".join(map(str, size)) for size in near) if near else ""
    given = "x".join(map(str, ({values})))
    raise ValueError(given + " does not fit: {words}" + advice)


def _nearest(size, sign, most=100000):
    """The size at most (sign -1) or at least (1) as large on each axis with the smallest sum of distances, or None."""
    tried = 0
    for total in range(sum(size) if sign < 0 else most):
        for steps in _splits(total, len(size)):
            near = tuple(each + sign * step for each, step in zip(size, steps))
            if min(near) >= 1 and fits(*near):
                return near
            tried += 1
            if tried == most:
                return None
    return None


def _splits(total, count):
    """All ways to write a number as a sum of so many."""
    if count == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _splits(total - first, count - 1):
            yield (first, *rest)
'''


_PADDING = '''

def padded_size({names}):
    """A size that is at least as large on each axis, at which the model gives back the size it took."""
    return ({next})


def run_padded(run, array):
    """What `run` gives for a numpy array of any size: zeros are added at the end of the last axes, and cropped after.

    That the sizes fit is proved; the values near the end of the array depend on the zeros.
    """
    import numpy

    {values} = array.shape[-{rank}:]
    to = padded_size({names})
    padding = [(0, 0)] * (array.ndim - {rank}) + [{amounts}]
    return run(numpy.pad(array, padding))[..., {crops}]
'''


def render(report: CheckResult) -> str:
    """The text for one model. Raises SpecError where the sizes are not proved, or isl cannot write them down."""
    contract = report.contract
    wanted = contract.restores if contract.meant else contract.runs
    sizes = asked_of(report, SizeSet(contract.symbols, wanted._set) & contract.decided)
    if not contract.symbols or not sizes:
        raise SpecError("no size check: " + ("no size varies" if not contract.symbols else f"right for: {wanted}"))
    what = "the model gives back the size it took" if contract.meant else "the model runs"
    head = f"# The sizes of {report.target} at {' and '.join(report.inputs)}, found by shapelint; needs no package."
    unsure = [] if contract.proved else ["# Sizes at which nothing is proved are refused."]
    text = _TEXT.format(
        names=", ".join(contract.symbols),
        values=", ".join(contract.symbols) + "," * (len(contract.symbols) == 1),
        what=what,
        words=str(sizes),
        condition="\n        or ".join(_alternatives(sizes)),
    )
    return "\n".join([head, *unsure, "", "", text + _padding(report, sizes)])


def _padding(report: CheckResult, sizes: SizeSet) -> str:
    """Functions that pad an input to a size that is right and crop the output; "" where that is not proved to work.

    The model takes one tensor and gives one, both with the same last axes, and is meant to restore them; of its symbols
    only those are not free. So it is right at every member of a box without an end, and one is as large as any input.
    """
    specs = list(parse_inputs(list(report.inputs)).tensors())
    names = _last_symbols(specs[0]) if report.contract.meant and len(specs) == 1 else []
    if _OWN & set(names):
        return ""
    for box in boxes(sizes, {}) if names else ():
        axes = [axis for axis in box.axes if axis.symbol in names]
        others = [axis for axis in box.axes if axis.symbol not in names]
        if _endless(axes) and all(axis == AxisRange(axis.symbol, 1, 1) for axis in others):
            lines = output_lines(report.contract, box) or []
            same = [AxisLine(name, Fraction(1), 0) for name in names]
            fit = len(lines) == 1 and lines[0][-len(names) :] == same
            every = all((axis.first, axis.step) == (1, 1) for axis in axes)
            return _padding_text(sorted(axes, key=lambda axis: names.index(axis.symbol))) if fit and not every else ""
    return ""


def _endless(axes: Sequence[AxisRange]) -> bool:
    return bool(axes) and all(axis.open and axis.last is None and not axis.tied for axis in axes)


def _last_symbols(spec: TensorSpec) -> list[str]:
    """The symbols of the last axes, none of which is the first; [] where the last one is a number or a formula."""
    found: list[str] = []
    for dim in reversed(spec.dims[1:]):
        if str(dim) not in dim.symbols() or str(dim) in found:
            break
        found.insert(0, str(dim))
    return [] if found and found[0] in spec.dims[0].symbols() else found


def _padding_text(axes: Sequence[AxisRange]) -> str:
    names = [axis.symbol for axis in axes]
    return _PADDING.format(
        names=", ".join(names),
        values=", ".join(names) + "," * (len(names) == 1),
        next=", ".join(f"max({a.first}, {a.first} - ({a.first} - {a.symbol}) // {a.step} * {a.step})" for a in axes)
        + "," * (len(names) == 1),
        amounts=", ".join(f"(0, to[{number}] - {name})" for number, name in enumerate(names)),
        crops=", ".join(f":{name}" for name in names),
        rank=len(axes),
    )


def _alternatives(sizes: SizeSet) -> Iterator[str]:
    """Python conditions, one of which holds at each member and none elsewhere. Raises SpecError."""
    try:
        with limited(_STEPS):
            pieces = sizes.coalesced().pieces()
            found = [piece.beyond(SizeSet.universe(sizes.symbols)) for piece in pieces[: _PIECES + 1]]
    except SolverError as error:
        raise SpecError("no size check: the sizes are too many kinds to write them down") from error
    if len(found) > _PIECES or None in found:
        raise SpecError("no size check: the sizes are too many kinds to write them down")
    for number, piece in enumerate(found):
        assert piece is not None
        text = " and ".join(map(_compared, piece)) or "True"
        yield f"        {text}" if number == 0 else text


def _compared(part: Compare) -> str:
    return f"{part.function} {'==' if part.equal else '>='} 0"
