"""Pools as onnxruntime computes their sizes (core/providers/cpu/nn/pool_attributes.h).

It divides as C++ does, towards zero: a window that misses the input by less than a stride still gives one value, where
PyTorch raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import torch

from shapelint.saved.declare import Declaration, declared
from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape
from shapelint.saved.onnx.ops.conv import SAME, KernelWindow, shape_needs, window
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.record import elements

_POOLED = "_pooled"  # on a tensor of indices: the shape of what was pooled
_NAMES = {"MaxPool": "max_pool", "AveragePool": "avg_pool", "LpPool": "lp_pool"}


@operator("MaxPool", "AveragePool", "LpPool")
def _pool(call: OperatorCall) -> Any:
    return pooled(call, call.step.operator, call.tensor(0))


def pooled(call: OperatorCall, kind: str, tensor: torch.Tensor) -> Any:
    """What a pool of this kind gives, and its indices where the step has a second output.

    Raises ValueError where its attributes do not fit the tensor.
    """
    shape, axes = tuple(tensor.shape), tensor.dim() - 2
    kernel = call.integers("kernel_shape")
    if kernel is None or axes < 1:
        raise ValueError("a pool without kernel_shape, or of a tensor without spatial axes")
    setting, ceil = window(call, axes, kernel), call.integer("ceil_mode") == 1
    for k, before, after in zip(setting.kernel, setting.before, setting.after, strict=True):
        if before >= k or after >= k:
            raise ValueError("a pad of a pool is not below its kernel")
    name = f"{_NAMES[kind]}{axes}d"
    needs = list(shape_needs(shape, f"`{name}` of an empty input: only its batch can be empty"))
    sizes, strict = [], _is_strict(call, kind, tensor.dtype, setting)
    for axis, n in enumerate(shape[2:]):
        size, more = _pooled(setting, axis, n, ceil=ceil, strict=strict)
        sizes.append(size)
        needs += more
    parameters: dict[str, Sequence[int]] = {
        "kernel_size": kernel, "stride": setting.stride, "dilation": setting.dilation, "ceil_mode": (int(ceil),) * axes
    }  # fmt: skip
    if setting.symmetric:
        parameters["padding"] = setting.before
    made, factor = (*shape[:2], *sizes), tuple(Fraction(1, each) for each in setting.stride)
    several = len([each for each in call.step.outputs if each]) > 1
    dtypes = (tensor.dtype, torch.int64) if several else (tensor.dtype,)
    declaration = Declaration(name, (made,) * len(dtypes), dtypes, tuple(needs), axes, factor, parameters)
    result: Any = declared(declaration, tensor)
    if several:
        setattr(result[1], _POOLED, shape)
    return result


def _is_strict(call: OperatorCall, kind: str, dtype: torch.dtype, setting: KernelWindow) -> bool:
    """Whether the kernel that runs refuses negative pads, which auto_pad gives where the stride is above the kernel.

    Those of floats do, of which MaxPool has one without dilation, and AveragePool one below opset 19.
    """
    if dtype not in (torch.float32, torch.float16) or call.step.domain:
        return False
    if kind == "MaxPool":
        return all(each == 1 for each in setting.dilation)
    return kind == "AveragePool" and call.opset < 19


def _pooled(setting: KernelWindow, axis: int, n: int, *, ceil: bool, strict: bool) -> tuple[int, tuple[Need, ...]]:
    """The size of one axis, and what it asks."""
    k, s, d = setting.kernel[axis], setting.stride[axis], setting.dilation[axis]
    reach, pads, before = d * (k - 1) + 1, setting.before[axis] + setting.after[axis], setting.before[axis]
    needs: tuple[Need, ...] = ()
    if setting.auto_pad in SAME:
        pads = ((n + s - 1) // s - 1) * s + k - n
        before = (pads + 1) // 2 if setting.auto_pad == "SAME_LOWER" else pads // 2
        if strict:
            text = f"auto_pad={setting.auto_pad} would pad by {{left}}"
            needs = (Need(pads, 0, Kind.KERNEL, text),)
    over = n + pads - reach
    text = f"kernel of reach {reach} does not fit: the pool's output size {{left}} is too small"
    if over >= 0:
        out = -(-over // s) + 1 if ceil else over // s + 1
        if ceil and (out - 1) * s >= n + before:
            out = out - 1
        return out, needs
    out = -(-over // s) + 1
    return out, (*needs, Need(out, 0, Kind.KERNEL, text))


@operator("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def _global_pool(call: OperatorCall) -> Any:
    shape = call.shape(0)
    return call.made((*shape[:2], *(1,) * (len(shape) - 2)), name=f"adaptive_pool{len(shape) - 2}d")


@operator("MaxUnpool")
def _unpool(call: OperatorCall) -> Any:
    shape, axes = call.shape(0), call.rank(0) - 2
    setting = window(call, axes, call.integers("kernel_shape") or ())
    rows = zip(shape[2:], setting.kernel, setting.stride, setting.before, setting.after, strict=True)
    made = (*shape[:2], *((n - 1) * s + k - before - after for n, k, s, before, after in rows))
    text = "MaxUnpool gives {left} rows"
    needs = (*of_shape(call, 1, shape, "the indices"), *(Need(n, 1, Kind.EMPTY, text) for n in made[2:]))
    if call.has(2):
        least, made = elements(made), tuple(call.numbers(2, "the size").items)
        if len(made) != len(shape):
            raise ValueError(f"output_shape has {len(made)} sizes for {len(shape)} axes")
        text = "output_shape holds {left} elements, and {right} are the least"
        needs = (*needs, Need(elements(made), least, Kind.UNPOOL, text))
    taken = getattr(call.tensor(1), _POOLED, None)
    if taken is None or not all(size >= n for size, n in zip(made, taken, strict=True)):
        raise Unanalysable("whether the indices of MaxUnpool lie in its output depends on their values")
    return call.made(made, name=f"max_unpool{axes}d", needs=needs, spatial=axes,
                     factor=tuple(map(Fraction, setting.stride)))  # fmt: skip
