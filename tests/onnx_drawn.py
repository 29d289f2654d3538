"""Drawn operators of ONNX, with arguments that are also odd or not allowed."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy
import onnx
from onnx import helper

from tests.onnx_graphs import constant, model, typed, zeros

Draw = Callable[[random.Random], onnx.ModelProto]
NAMES = ("L", "H", "W")


def axes_of(draw: random.Random, most: int = 2) -> tuple[int, list[int | str]]:
    axes = draw.randint(1, most)
    return axes, [1, 2, *(["L"] if axes == 1 else ["H", "W"])]


def some(draw: random.Random, count: int, least: int, most: int) -> list[int]:
    return [draw.randint(least, most) for _ in range(count)]


def padding(draw: random.Random, axes: int, most: int = 2) -> dict[str, object]:
    kind = draw.choice(["none", "none", "pads", "pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"])
    if kind == "pads":
        both = some(draw, axes, 0, most)
        return {"pads": [*both, *(both if draw.random() < 0.6 else some(draw, axes, 0, most))]}
    return {} if kind == "none" else {"auto_pad": kind}


def conv(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    kernel = some(draw, axes, 1, 5)
    arguments = {"kernel_shape": kernel, "strides": some(draw, axes, 1, 4), **padding(draw, axes, 3)}
    if draw.random() < 0.4:
        arguments["dilations"] = some(draw, axes, 1, 3)
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", **arguments)
    return typed(model([node], {"x": dims}, ["y"], held=[zeros(3, 2, *kernel, name="w")]))


def conv_transpose(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    kernel, stride = some(draw, axes, 1, 5), some(draw, axes, 1, 4)
    arguments: dict[str, object] = {"kernel_shape": kernel, "strides": stride, **padding(draw, axes, 2)}
    if draw.random() < 0.4:
        arguments["dilations"] = some(draw, axes, 1, 3)
    if draw.random() < 0.5:
        arguments["output_padding"] = some(draw, axes, 0, 2)
    if draw.random() < 0.15:
        arguments["output_shape"] = some(draw, axes, 1, 40)
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", **arguments)
    return typed(model([node], {"x": dims}, ["y"], held=[zeros(2, 3, *kernel, name="w")]))


def pool(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    kind = draw.choice(["MaxPool", "MaxPool", "AveragePool", "LpPool"])
    kernel = some(draw, axes, 1, 5)
    arguments: dict[str, object] = {"kernel_shape": kernel, "strides": some(draw, axes, 1, 4), **padding(draw, axes)}
    opset = draw.choice([12, 17, 19, 22])
    if kind != "LpPool" and draw.random() < 0.5:
        arguments["ceil_mode"] = 1
    if kind == "MaxPool" and draw.random() < 0.3:
        arguments["dilations"] = some(draw, axes, 1, 3)
    node = helper.make_node(kind, ["x"], ["y"], name="pool", **arguments)
    return typed(model([node], {"x": dims}, ["y"], opset=opset))


def resize(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    opset = draw.choice([10, 11, 13, 18, 19])
    factors = [0.5, 2.0, 1.5, 0.25, 3.0, 1.4, 0.7, 2.3, 1.0, 0.3333, 1.1]
    scales = [1.0, 1.0, *(draw.choice(factors) for _ in range(axes))]
    mode = draw.choice(["nearest", "linear"]) if opset > 10 else "nearest"
    if opset == 10:
        node = helper.make_node("Resize", ["x", "s"], ["y"], name="resize", mode=mode)
        return typed(model([node], {"x": dims}, ["y"], held=[constant(scales, "s", numpy.float32)], opset=opset))
    coordinates = draw.choice(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    given = {"mode": mode, "coordinate_transformation_mode": coordinates}
    empty = constant([], "e", numpy.float32)
    if draw.random() < 0.3:
        sizes = constant([1, 2, *some(draw, axes, 1, 20)], "z")
        node = helper.make_node("Resize", ["x", "e", "e", "z"], ["y"], name="resize", **given)
        return typed(model([node], {"x": dims}, ["y"], held=[empty, sizes], opset=opset))
    node = helper.make_node("Resize", ["x", "e", "s"], ["y"], name="resize", **given)
    return typed(model([node], {"x": dims}, ["y"], held=[empty, constant(scales, "s", numpy.float32)], opset=opset))


def upsample(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    scales = [1.0, 1.0, *(draw.choice([2.0, 1.5, 3.0, 1.4, 2.3]) for _ in range(axes))]
    if draw.random() < 0.5:
        node = helper.make_node("Upsample", ["x"], ["y"], mode="nearest", scales=scales)
        return typed(model([node], {"x": dims}, ["y"], opset=8))
    node = helper.make_node("Upsample", ["x", "s"], ["y"], mode="nearest")
    return typed(model([node], {"x": dims}, ["y"], held=[constant(scales, "s", numpy.float32)], opset=9))


def pad(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    mode = draw.choice(["constant", "constant", "reflect", "edge"])
    least = -3 if draw.random() < 0.4 else 0
    both = [some(draw, axes, least, 4) for _ in range(2)]
    opset = draw.choice([10, 11, 13, 18])
    if opset == 18 and draw.random() < 0.5:
        node = helper.make_node("Pad", ["x", "p", "", "a"], ["y"], mode=mode)
        held = [constant([*both[0], *both[1]], "p"), constant(list(range(2, 2 + axes)), "a")]
        return typed(model([node], {"x": dims}, ["y"], held=held, opset=opset))
    pads = [0, 0, *both[0], 0, 0, *both[1]]
    if opset == 10:
        return typed(model([helper.make_node("Pad", ["x"], ["y"], mode=mode, pads=pads)], {"x": dims}, ["y"], opset=10))
    node = helper.make_node("Pad", ["x", "p"], ["y"], mode=mode)
    return typed(model([node], {"x": dims}, ["y"], held=[constant(pads, "p")], opset=opset))


def slices(draw: random.Random) -> onnx.ModelProto:
    axes, dims = axes_of(draw)
    count = draw.randint(1, axes)
    bounds = [[draw.choice([*range(-9, 10), 2**31 - 1, 2**63 - 1, -(2**63) + 1, -(2**31)]) for _ in range(count)]
              for _ in range(2)]  # fmt: skip
    steps = [draw.choice([1, 1, 2, 3, -1, -2, 5]) for _ in range(count)]
    places = draw.sample([-1, 2] if axes == 1 else [2, -1], count) if axes > 1 else [draw.choice([2, -1])]
    held = [constant(bounds[0], "b"), constant(bounds[1], "e"), constant(places, "a"), constant(steps, "s")]
    node = helper.make_node("Slice", ["x", "b", "e", "a", "s"], ["y"])
    return typed(model([node], {"x": dims}, ["y"], held=held, opset=draw.choice([10, 11, 13])))


def reshape(draw: random.Random) -> onnx.ModelProto:
    _, dims = 2, [1, 6, "H", "W"]
    target = draw.choice([[0, -1], [0, 0, -1], [1, 6, -1], [0, 2, 3, 0, 0], [-1, 3, 0, 0], [0, 3, -1, 0], [2, -1],
                          [0, 0, 0, 4, -1], [-1, 4], [0, 6, 2, -1, 0]])  # fmt: skip
    target = target if draw.random() < 0.9 else [0, -1, 5]
    node = helper.make_node("Reshape", ["x", "s"], ["y"])
    return typed(model([node], {"x": dims}, ["y"], held=[constant(target, "s")], opset=draw.choice([7, 13, 14])))


def view(draw: random.Random) -> onnx.ModelProto:
    kind = draw.choice(["Transpose", "Squeeze", "Unsqueeze", "Flatten", "DepthToSpace", "SpaceToDepth", "Expand",
                        "Tile", "GlobalAveragePool", "GlobalMaxPool"])  # fmt: skip
    held: list[onnx.TensorProto] = []
    given = ["x"]
    arguments: dict[str, object] = {}
    dims = [1, 8, "H", "W"]
    if kind == "Transpose":
        arguments["perm"] = draw.sample(range(4), 4)
    elif kind in ("Squeeze", "Unsqueeze"):
        given.append("a")
        held.append(constant([draw.choice([0, -4, 2])] if kind == "Squeeze" else draw.sample([0, 2, -1], 2), "a"))
    elif kind == "Flatten":
        arguments["axis"] = draw.randint(-4, 4)
    elif kind in ("DepthToSpace", "SpaceToDepth"):
        arguments["blocksize"] = draw.choice([2, 2, 3])
    elif kind == "Expand":
        given.append("a")
        held.append(constant(draw.choice([[3, 1, 1, 1], [1], [2, 1, 1, 1, 1], [1, 8, 5, 1], [1, 1, 1, 7]]), "a"))
    elif kind == "Tile":
        given.append("a")
        held.append(constant(some(draw, 4, 0, 3), "a"))
    node = helper.make_node(kind, given, ["y"], **arguments)
    return typed(model([node], {"x": dims}, ["y"], held=held))


def joins(draw: random.Random) -> onnx.ModelProto:
    kind = draw.choice(["Concat", "Add", "Mul", "Where", "Split", "MatMul", "Max", "Sum", "Pow", "Less"])
    inputs: dict[str, list[int | str | None]] = {"x": [1, 4, "H", 5], "z": [1, 4, "W", draw.choice([5, 5, 1])]}
    given, outputs, held = ["x", "z"], ["y"], []
    arguments: dict[str, object] = {}
    if kind == "Concat":
        arguments["axis"] = draw.choice([0, 1, 2, -1, -2])
    elif kind == "Where":
        held, given = [constant(numpy.ones((1, 4, 1, 1)), "c", numpy.bool_)], ["c", "x", "z"]
    elif kind == "MatMul":
        inputs = {"x": [1, 4, 5, "H"], "z": [draw.choice([1, 3]), 4, "W", 7]}
    elif kind == "Split":
        inputs, given = {"x": [1, 8, "H", "W"]}, ["x"]
        axis, opset = draw.choice([1, 2, 3]), draw.choice([11, 13, 18])
        outputs = ["y", "q"] if draw.random() < 0.6 else ["y", "q", "r"]
        arguments["axis"] = axis
        if opset == 18:
            arguments["num_outputs"] = len(outputs)
        elif draw.random() < 0.4:
            parts = some(draw, len(outputs), 1, 4)
            if opset == 11:
                arguments["split"] = parts
            else:
                held, given = [constant(parts, "p")], ["x", "p"]
        node = helper.make_node("Split", given, outputs, **arguments)
        return typed(model([node], inputs, outputs, held=held, opset=opset))
    return typed(model([helper.make_node(kind, given, outputs, **arguments)], inputs, outputs, held=held))


def folds(draw: random.Random) -> onnx.ModelProto:
    kind = draw.choice(["ReduceMean", "ReduceSum", "ReduceMax", "ArgMax", "TopK", "Gather", "LSTM", "GRU", "Softmax"])
    dims: list[int | str | None] = [2, 3, "H", "W"]
    held: list[onnx.TensorProto] = []
    given, outputs, opset = ["x"], ["y"], 17
    arguments: dict[str, object] = {}
    if kind in ("ReduceMean", "ReduceMax"):
        arguments = {"keepdims": draw.randint(0, 1)}
        chosen = draw.sample([0, 1, 2, -1], draw.randint(1, 3))
        opset = draw.choice([13, 18])
        if opset == 18:
            held, given = [constant(chosen, "a")], ["x", "a"]
        else:
            arguments["axes"] = chosen
    elif kind == "ReduceSum":
        arguments = {"keepdims": draw.randint(0, 1), "noop_with_empty_axes": draw.randint(0, 1)}
        if draw.random() < 0.6:
            held, given = [constant(draw.sample([1, 2, -1], 2), "a")], ["x", "a"]
    elif kind == "ArgMax":
        arguments = {"axis": draw.choice([0, 2, -1]), "keepdims": draw.randint(0, 1)}
    elif kind == "TopK":
        held, given, outputs = [constant([draw.randint(1, 6)], "k")], ["x", "k"], ["y", "i"]
        arguments = {"axis": draw.choice([1, 2, -1])}
    elif kind == "Gather":
        held, given = [constant(numpy.zeros(draw.choice([(), (2,), (2, 2)])), "i")], ["x", "i"]
        arguments = {"axis": draw.choice([0, 1, 2, -1])}
    elif kind in ("LSTM", "GRU"):
        dims, gates = ["L", 2, 5], 4 if kind == "LSTM" else 3
        ways = draw.choice([1, 2])
        held = [zeros(ways, gates * 7, 5, name="w"), zeros(ways, gates * 7, 7, name="r")]
        arguments = {"hidden_size": 7, "direction": "forward" if ways == 1 else "bidirectional"}
        given, outputs = ["x", "w", "r"], ["y", "h", *(["c"] if kind == "LSTM" else [])]
    node = helper.make_node(kind, given, outputs, **arguments)
    return typed(model([node], {"x": dims}, outputs, held=held, opset=opset))


FAMILIES: dict[str, Draw] = {
    "conv": conv, "conv_transpose": conv_transpose, "pool": pool, "resize": resize, "upsample": upsample, "pad": pad,
    "slice": slices, "reshape": reshape, "view": view, "join": joins, "fold": folds,
}  # fmt: skip
