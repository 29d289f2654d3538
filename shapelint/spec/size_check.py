"""A function in plain Python that takes the sizes at which a model is right and refuses the others.

It stands in front of a model that is deployed where neither torch nor shapelint is.
"""

from __future__ import annotations

from collections.abc import Iterator

from shapelint.errors import SpecError
from shapelint.facts.result import CheckResult
from shapelint.size.condition import Compare
from shapelint.size.isl_form import SolverError, limited
from shapelint.size.sets import SizeSet

_PIECES = 64
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


def render(report: CheckResult) -> str:
    """The text for one model. Raises SpecError where the sizes are not proved, or isl cannot write them down."""
    contract = report.contract
    wanted = contract.restores if contract.meant else contract.runs
    sizes = SizeSet(contract.symbols, wanted._set) & contract.decided
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
    return "\n".join([head, *unsure, "", "", text])


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
