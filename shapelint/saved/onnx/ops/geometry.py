"""Maps that are put together from columns, sampled at offsets, cropped or padded to a size, or written into."""

from __future__ import annotations

from functools import reduce
from typing import Any

from shapelint.saved.onnx.call import Kind, Need, OperatorCall, operator
from shapelint.saved.onnx.needs import of_shape, same, surely
from shapelint.saved.onnx.numbers import Numbers
from shapelint.saved.onnx.ops.conv import convolution
from shapelint.size.number import plain
from shapelint.size.tracking import symbolic


@operator("Col2Im")
def _columns_to_image(call: OperatorCall) -> Any:
    shape, image, block = call.shape(0), call.numbers(1, "its size").items, call.numbers(2, "its block").items
    axes = len(image)
    if len(shape) != 3 or len(block) != axes or any(map(symbolic, block)):
        raise call.unsupported(f"columns of {len(shape)} axes, and a block of {len(block)} for {axes}")
    strides, dilations = (call.integers(name) or (1,) * axes for name in ("strides", "dilations"))
    pads = call.integers("pads") or (0,) * (2 * axes)
    count = reduce(int.__mul__, map(plain, block), 1)
    blocks, needs = 1, []
    for axis, (n, k) in enumerate(zip(image, map(plain, block), strict=True)):
        over = n + pads[axis] + pads[axis + axes] - dilations[axis] * (k - 1) - 1
        needs.append(Need(over, 0, Kind.KERNEL, "a block that is larger than the image by -({left})"))
        blocks = blocks * (over // strides[axis] + 1)
    needs.append(Need(shape[2], blocks, Kind.ARGUMENT, "{left} columns, and the image has {right} blocks", True))
    needs.append(Need(shape[1] % count, 0, Kind.MULTIPLE, f"{{left}} rows left over of blocks of {count}", True))
    return call.made((shape[0], shape[1] // count, *image), name="fold", needs=tuple(needs), of=(0,))


@operator("DeformConv")
def _deformed(call: OperatorCall) -> Any:
    bias = [call.tensor(3)] if call.has(3) else []
    result = convolution(call, call.tensor(0), call.tensor(1), *bias)
    groups = call.integer("offset_group", 1)
    kernel = reduce(int.__mul__, map(plain, call.shape(1)[2:]), 1) * groups
    made = tuple(result.shape)
    needs = of_shape(call, 2, (made[0], 2 * kernel, *made[2:]), "the offset")
    needs += of_shape(call, 4, (made[0], kernel, *made[2:]), "the mask")
    text = f"{{left}} left over of channels in {groups} groups of offsets"
    needs = (*needs, Need(call.shape(0)[1] % groups, 0, Kind.MULTIPLE, text, True))
    return call.made(made, name="deform_conv", needs=needs, of=(0, 2))


@operator("AffineGrid")
def _affine_grid(call: OperatorCall) -> Any:
    theta, size = call.shape(0), tuple(call.numbers(1, "its size").items)
    axes = len(size) - 2
    if axes not in (2, 3):
        raise ValueError(f"a grid for {len(size)} axes, and 4 or 5 are wanted")
    needs = of_shape(call, 0, (size[0], axes, axes + 1), "the transform")
    return call.made((theta[0], *size[2:], axes), name="affine_grid", needs=needs, of=(0,))


@operator("CenterCropPad")
def _center_crop_pad(call: OperatorCall) -> Any:
    shape, sizes = list(call.shape(0)), call.numbers(1, "its size").items
    axes = call.integers("axes")
    places = list(range(len(shape))) if axes is None else [call.axis(axis, len(shape)) for axis in axes]
    if len(places) != len(sizes):
        raise ValueError(f"{len(sizes)} sizes for {len(places)} axes")
    for place, size in zip(places, sizes, strict=True):
        shape[place] = size
    return call.made(tuple(shape), name="pad", of=(0,))


@operator("Det")
def _determinant(call: OperatorCall) -> Any:
    shape = call.shape(0)
    if len(shape) < 2:
        raise ValueError(f"a matrix of {len(shape)} axes")
    needs = (Need(shape[-2], shape[-1], Kind.ARGUMENT, "a matrix of {left} rows and {right} columns", True),)
    return call.made(shape[:-2], needs=needs)


@operator("com.microsoft.Inverse")
def _inverse(call: OperatorCall) -> Any:
    shape = call.shape(0)
    if len(shape) < 2:
        raise call.unsupported(f"a matrix of {len(shape)} axes")
    surely(call, shape[-2], shape[-1], "a matrix that is not square")
    return call.same()


@operator("TensorScatter")
def _written(call: OperatorCall) -> Any:
    cache, update = call.shape(0), call.shape(1)
    axis = call.axis(call.integer("axis", -2), len(cache))
    if len(cache) != len(update) or axis == 0:
        raise ValueError(f"an update of {len(update)} axes for {len(cache)}")
    pairs = list(zip(update, cache, strict=True))
    needs = [same(*pair, "the update") for place, pair in enumerate(pairs) if place != axis]
    last = 0
    if call.has(2):
        value = call.value(2)
        needs += of_shape(call, 2, cache[:1], "the places")
        if not isinstance(value, Numbers) or any(map(symbolic, value.items)):
            raise call.unsupported("places that the data tell")
        last = max(0, *map(plain, value.items)) if call.text("mode", "linear") == "linear" else 0
    text = "a cache of {left} rows, and it is written up to {right}"
    needs.append(Need(cache[axis], update[axis] + last, Kind.INDEX, text))
    return call.made(cache, name="scatter", needs=tuple(needs), of=(0, 1))


@operator("BitCast")
def _bit_cast(call: OperatorCall) -> Any:
    from shapelint.saved.dtypes import dtype_of

    dtype = dtype_of(call.integer("to"))
    if dtype is None or dtype.itemsize != call.dtype().itemsize:
        raise call.unsupported("a dtype of another width")
    return call.same(0, dtype)
