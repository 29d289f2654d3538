"""Sampling at places: `F.grid_sample` and `F.affine_grid`.

Sizes: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html and
https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html; the requirements of the first
are those of aten/src/ATen/native/GridSamplerUtils.h.
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.view import listed
from shapelint.size.condition import all_of, any_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of
from shapelint.trace.recording.arguments import outside_autocast
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Fresh, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

Tensor = torch.Tensor
_F = torch.nn.functional
_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


@size_rule(_F.grid_sample)
def _grid_sample(
    op: Operation,
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Result:
    for name, value, known in (("mode", mode, _MODES), ("padding_mode", padding_mode, _PADDINGS)):
        if value not in known:
            op.refuse(Kind.ARGUMENT, f"grid_sample(): {name} must be one of {', '.join(known)}, but got: {value}")
    return _sampled(op, input, grid, bicubic=mode == "bicubic")


@size_rule(torch.grid_sampler)
def _grid_sampler(
    op: Operation, input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Result:
    return _sampled(op, input, grid, bicubic=interpolation_mode == 2)


def _sampled(op: Operation, input: Tensor, grid: Tensor, *, bicubic: bool) -> Result:
    """(N, C, ...) at the places (N, *sizes, axes) gives (N, C, *sizes)."""
    shape, places = op.shape(input), op.shape(grid)
    axes = len(shape) - 2
    if axes not in (2, 3) or len(places) != len(shape):
        text = f"grid_sampler(): expected 4D or 5D input and grid, but got {len(shape)}D and {len(places)}D"
        op.refuse(Kind.ARGUMENT, text)
    if bicubic and axes == 3:
        op.refuse(Kind.ARGUMENT, "grid_sampler(): bicubic interpolation only supports 4D input")
    text = "grid_sampler(): expected grid and input to have same batch size, but got {left} and {right}"
    op.require_equal(places[0], shape[0], Kind.JOIN, text)
    text = "grid_sampler(): expected grid to have size {right} in last dimension, but got {left}"
    op.require_equal(places[-1], axes, Kind.CHANNELS, text)
    for n in shape[2:]:
        op.require_at_least(n, 1, Kind.EMPTY, "grid_sampler(): expected input to have non-empty spatial dimensions")
    if not outside_autocast(input, grid):
        op.refuse(Kind.ARGUMENT, f"grid_sampler(): expected scalar type {input.dtype} but found {grid.dtype}")
    if not input.is_floating_point():
        op.refuse(Kind.ARGUMENT, f'"grid_sampler" not implemented for {input.dtype}')
    return Fresh((*shape[:2], *places[1:-1]), input)


@size_rule(_F.affine_grid)
def _affine_grid(op: Operation, theta: Tensor, size: Any, align_corners: bool | None = None) -> Result:
    """The places of an output of size (N, C, *sizes): (N, *sizes, axes)."""
    matrices, wanted = op.shape(theta), listed((size,))
    if not theta.is_floating_point():
        op.refuse(Kind.ARGUMENT, f"Expected theta to have floating point type, but got {theta.dtype}")
    axes = len(wanted) - 2
    if axes not in (2, 3):
        op.refuse(Kind.ARGUMENT, f"affine_grid only supports 4D and 5D sizes, got {len(wanted)}D")
    text = f"Expected a batch of {axes}D affine matrices of shape Nx{axes}x{axes + 1}, but got {{left}}"
    if len(matrices) != 3:
        op.refuse(Kind.ARGUMENT, text.replace("{left}", f"{len(matrices)} dimensions"))
    for dim, count in zip(matrices[1:], (axes, axes + 1), strict=True):
        op.require_equal(dim, count, Kind.CHANNELS, text)
    _check_sizes(op, wanted, corners=bool(align_corners))
    op.require_equal(matrices[0], wanted[0], Kind.JOIN, "a batch of {left} matrices for a size whose batch is {right}")
    if torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda"):
        raise NoRule
    return Fresh((wanted[0], *wanted[2:], axes), theta)


def _check_sizes(op: Operation, wanted: Shape, *, corners: bool) -> None:
    """No size may be empty; batch and channels may where corners are aligned on a spatial size of 1."""
    for dim in wanted[2:]:
        op.require_at_least(dim, 1, Kind.EMPTY, "Expected non-zero, positive output size. Got {left}")
    unit = constant(1)
    single = [equal(function_of(dim), unit) for dim in wanted[2:] if corners]
    filled = all_of(at_least(function_of(dim), unit) for dim in wanted[:2])
    text = "Expected non-zero, positive output size. Got a batch of {left} and {right} channels"
    op.require(any_of([filled, *single]), Kind.EMPTY, text, between=(wanted[0], wanted[1]))
