"""Pad, with negative pads that crop, as onnxruntime does it (core/providers/cpu/tensor/pad.cc); sampling by a grid."""

from __future__ import annotations

from typing import Any

from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import same
from shapelint.size.number import larger, plain, smaller
from shapelint.size.tracking import symbolic


@operator("Pad")
def _pad(call: OperatorCall) -> Any:
    shape = call.shape(0)
    pads, axes = _pads(call, len(shape))
    mode = call.text("mode", "constant") or "constant"
    if mode not in ("constant", "reflect", "edge", "wrap"):
        raise ValueError(f"mode is {mode!r}, which is no way of padding")
    sizes: list[int] = list(shape)
    needs: list[Need] = []
    for place, axis in enumerate(axes):
        before, after = pads[place], pads[place + len(axes)]
        if not any(map(symbolic, (before, after))) and plain(before) == plain(after) == 0:
            continue
        n = shape[axis]
        sizes[axis] = n + before + after
        needs += _needs(mode, n, before, after)
    return call.made(tuple(sizes), name="pad", needs=tuple(needs), of=(0,))


def _pads(call: OperatorCall, rank: int) -> tuple[list[Any], list[int]]:
    """The pads of the axes, first all in front, then all behind."""
    if call.opset < 11:
        found: list[Any] = list(call.integers("pads") or ())
    else:
        found = call.numbers(1, "the pads").items
    axes = list(range(rank))
    if call.has(3):
        axes = [call.axis(each, rank) for each in call.numbers(3, "the axes").items]
    if len(found) != 2 * len(axes):
        raise ValueError(f"{len(found)} pads for {len(axes)} axes")
    return found, axes


def _needs(mode: str, n: int, before: Any, after: Any) -> list[Need]:
    """What a mode asks of what a crop leaves: something, and to reflect more rows than it is padded by."""
    needs = [Need(n + before + after, 0, Kind.EMPTY, "a pad leaves {left} rows")]
    if mode == "constant":
        return needs
    left = n + smaller(before, 0) + smaller(after, 0)
    needs.append(Need(left, 1, Kind.EMPTY, f"mode={mode} of {{left}} rows"))
    if mode == "reflect" and (before > 0 or after > 0):
        text = "Padding size {right} should be less than the size, which is {left} and 1 more"
        needs += [Need(left - 1, larger(larger(before, after), 1), Kind.PAD, text)]
    return needs


@operator("GridSample")
def _grid_sample(call: OperatorCall) -> Any:
    shape, grid = call.shape(0), call.shape(1)
    if len(grid) != len(shape):
        raise ValueError(f"a grid of {len(grid)} axes for an input of {len(shape)}")
    needs = (same(grid[0], shape[0], "the grid's batch"), same(grid[-1], len(shape) - 2, "a place of the grid"))
    return call.made((*shape[:2], *grid[1:-1]), name="grid_sample", needs=needs)


@operator("RoiAlign", "MaxRoiPool")
def _roi(call: OperatorCall) -> Any:
    shape = call.shape(0)
    pooled = call.integers("pooled_shape") or (call.integer("output_height", 1), call.integer("output_width", 1))
    return call.made((call.shape(1)[0], shape[1], *pooled))
