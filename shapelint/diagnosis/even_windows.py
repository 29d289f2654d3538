"""Finds the same pad on both sides of a window of even size, `(k - 1) // 2` rows each: one row is lost.

The proof is in the sizes: what a layer of stride 1 with an even reach gives is one row short, at all sizes, of what the
pad ahead of it took, and the pad adds just as many rows before as behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from shapelint.diagnosis.reach import dims_of
from shapelint.facts.analysis import OddMiss
from shapelint.facts.diagnosis import EvenWindow
from shapelint.facts.graph import size_at
from shapelint.size.function import Function, constant
from shapelint.size.sets import SizeSet
from shapelint.trace.recording.record import Record

_NEXT = 2  # a window of two rows needs no pad on both sides
_JOINING = ("cat", "concat", "concatenate")


def even_windows(
    records: Sequence[Record], operand: int, sides: tuple[Function, Function], sizes: SizeSet, at: dict[str, int]
) -> Iterator[OddMiss]:
    """The pad that makes a tensor one row short, where `sides` are the size that it has and the one that is needed."""
    short, full = sides[0], sides[0].plus(1)
    found = padded_window(records, operand, short) if full.value(at) == sides[1].value(at) else None
    if found is None:
        return
    pad, window, padded = found
    if pad.place is not None and not pad.spatial and _adds_alike(records, pad, padded, full, at):
        yield _told(records, pad, window, padded, sizes, at)


def padded_window(records: Sequence[Record], operand: int, short: Function) -> tuple[Record, Record, Function] | None:
    """The call that pads, the even window behind it, and the size between them; None where no window gives `short`."""
    window = _of_size(records, operand, short, ahead=lambda record: not record.spatial)
    if window is None or not window.inputs or any(each != 1 for each in window.factor):
        return None
    axis = dims_of(window).index(short) - len(dims_of(window))
    reach = _reach(window, axis)
    if reach <= _NEXT or reach % 2:
        return None
    padded = short.plus(reach - 1)
    pad = _of_size(records, window.inputs[0], padded, ahead=lambda record: record.name not in ("pad", *_JOINING))
    return None if pad is None else (pad, window, padded)


def _of_size(records: Sequence[Record], index: int, size: Function, ahead: Callable[[Record], bool]) -> Record | None:
    """The first call, back from a tensor along those that have the size, that is not `ahead` of what is sought."""
    while size in dims_of(records[index]):
        record = records[index]
        if not ahead(record):
            return record
        before = [each for each in record.inputs if size in dims_of(records[each])]
        if not before or record.spatial:
            return None
        index = before[0]
    return None


def _reach(window: Record, axis: int) -> int:
    """d(k-1) + 1 of a layer along an axis, counted from the end; 0 where it pads its input itself, or has no kernel."""
    kernel, padding = window.parameters.get("kernel_size"), window.parameters.get("padding")
    if kernel is None or padding is None or len(kernel) < -axis or any(padding):
        return 0
    dilation = window.parameters.get("dilation") or (1,) * len(kernel)
    return dilation[axis] * (kernel[axis] - 1) + 1


def _adds_alike(records: Sequence[Record], pad: Record, padded: Function, full: Function, at: dict[str, int]) -> bool:
    """Whether a call puts as many rows before a tensor of the `full` size as behind it."""
    axis = dims_of(pad).index(padded) - len(dims_of(pad))
    if pad.name == "pad":
        before = dims_of(records[pad.inputs[0]])
        amounts = pad.parameters.get("pad", ())[-2 * axis - 2 :][:2]
        return len(before) >= -axis and before[axis] == full and len(amounts) == 2 and amounts[0] == amounts[1]
    parts = [dims_of(records[each]) for each in pad.inputs]
    if len(parts) < 3 or any(len(each) < -axis for each in parts):
        return False
    rows = [each[axis] for each in parts]
    return full in rows[1:-1] and rows[0].value(at) == rows[-1].value(at)


def _told(
    records: Sequence[Record], pad: Record, window: Record, padded: Function, sizes: SizeSet, at: dict[str, int]
) -> OddMiss:
    assert pad.place is not None, "even_windows has looked"
    dims, middle = dims_of(pad), records[pad.inputs[len(pad.inputs) // 2]]
    along = dims.index(padded) - len(dims)
    axes = (along,) if pad.name in _JOINING else tuple(_axes(records, pad, window))
    shown = axes if pad.name in _JOINING else tuple(range(min(axes), 0))
    taken, given = (size_at([each[axis] for axis in shown], at) for each in (dims_of(middle), dims))
    needed = tuple(size + (axis in axes) for axis, size in zip(shown, given, strict=True))
    tail = records[pad.inputs[-1]].place if pad.name in _JOINING else None
    return OddMiss(
        place=pad.place.span(),
        module=pad.module,
        crops=False,
        emptied=False,
        at=at,
        before=taken,
        after=given,
        target=needed,
        sizes=sizes,
        window=EvenWindow(
            layer=window.module or window.name,
            kernel=window.parameters["kernel_size"],
            call=pad.name,
            axes=axes,
            tail=None if tail is None else tail.span(),
            rank=len(dims),
        ),
    )


def _axes(records: Sequence[Record], pad: Record, window: Record) -> Iterator[int]:
    """The axes of a pad, from the end, at which it adds one row less than the window takes off."""
    before, after = dims_of(records[pad.inputs[0]]), dims_of(pad)
    for axis in range(-min(window.spatial, len(after)), 0):
        reach, added = _reach(window, axis), after[axis] - before[axis]
        if reach and added == constant(reach - 2):
            yield axis
