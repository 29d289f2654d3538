"""Every way down: each function writes one down-sampling step and returns the level that the way up has to undo."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.arithmetic import HALVES, computed
from tests.drawn.writer import Axes, Level, Writer


def _padding(writer: Writer, kernel: Axes, stride: Axes, dilation: Axes) -> Axes:
    style = writer.weighted({"half": 6, "none": 2, "codec": 2, "any": 1})
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if style == "half":
        return tuple(r // 2 for r in reach)
    if style == "codec":
        return tuple((s + 1) // 2 for s in stride)
    return writer.each(0) if style == "none" else writer.axes(0, 1, 2)


def convolution(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """A strided convolution of any geometry."""
    stride = writer.axes(2, 2, 2, 2, 2, 2, 3, 4, 1)
    kernel = tuple(writer.pick(3, 3, 2 * s, s, 4, 5, 7) for s in stride) if writer.chance(0.15) else None
    kernel = kernel or tuple([writer.pick(2, 3, 3, 3, 4, 5, 2 * max(stride))] * writer.rank)
    dilation = writer.axes(1, 1, 1, 1, 1, 1, 2, 3, mixed=0.05)
    padding = _padding(writer, kernel, stride, dilation)
    before = writer.channels
    writer.apply(f"nn.{writer.kind('Conv')}({before}, {channels}, {writer.text(kernel)}, stride={writer.text(stride)}, "
                 f"padding={writer.text(padding)}, dilation={writer.text(dilation)})", "down")  # fmt: skip
    writer.channels = channels
    return Level(kernel, stride, padding, dilation, size, before, skip)


def padded_convolution(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """A valid convolution after an explicit pad, as in TensorFlow's 'same'."""
    before, kernel = writer.channels, writer.pick(3, 4)
    mode = writer.pick("", "", ", mode='reflect'", ", mode='replicate'", ", mode='circular'")
    sides = writer.pick("0, 1", "0, 1", "1, 1", "1, 0", "1, 2")
    writer.line(f"x = F.pad(x, ({', '.join([sides] * writer.rank)}){mode})")
    writer.apply(f"nn.{writer.kind('Conv')}({before}, {channels}, {kernel}, stride=2)", "down")
    writer.channels = channels
    return Level(writer.each(kernel), writer.each(2), writer.each(0), writer.each(1), size, before, skip)


def pool(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """A max or average pool, as a module or a function, with all its options."""
    kind = writer.pick("max", "max", "avg")
    stride = writer.axes(2, 2, 2, 3)
    kernel = tuple(s + writer.pick(0, 0, 0, 1) for s in stride)
    padding = tuple(writer.pick(0, 0, k // 2) for k in kernel) if writer.chance(0.3) else writer.each(0)
    ceil = writer.chance(0.3)
    options = [f"padding={writer.text(padding)}"] if any(padding) or writer.chance(0.1) else []
    options += ["ceil_mode=True"] if ceil else []
    dilation = writer.each(1)
    if kind == "avg":
        options += ["count_include_pad=False"] if writer.chance(0.3) else []
    elif writer.chance(0.15):
        dilation = writer.each(2)
        options.append("dilation=2")
    arguments = ", ".join([writer.text(kernel), f"stride={writer.text(stride)}", *options])
    if writer.chance(0.5):
        name = {"max": "MaxPool", "avg": "AvgPool"}[kind]
        writer.apply(f"nn.{writer.kind(name)}({arguments})", "pool")
    else:
        writer.line(f"x = F.{kind}_pool{writer.rank}d(x, {arguments})")
    level = Level(kernel, stride, padding, dilation, size, writer.channels, skip, ceil=ceil)
    writer.same_convolution(channels)
    return level


def adaptive(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """An adaptive pool to a size computed from the shape."""
    kind = writer.pick("avg", "max")
    writer.line(f"x = F.adaptive_{kind}_pool{writer.rank}d(x, {computed(writer, HALVES)})")
    level = Level(writer.each(2), writer.each(2), writer.each(0), writer.each(1), size, writer.channels, skip)
    writer.same_convolution(channels)
    return level


def resized(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """Down-sampling by interpolation."""
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[writer.rank]
    mode = writer.pick("nearest", "area", linear, linear, "nearest-exact")
    factor = writer.pick("0.5", "0.5", "0.5", "0.5", "1 / 2", "0.25", "1 / 3", "0.75")
    wanted = f"scale_factor={factor}"
    if writer.chance(0.3):
        wanted = writer.pick("size=[s // 2 for s in x.shape[2:]]", f"size={computed(writer, HALVES)}")
    elif mode in ("nearest", linear) and writer.chance(0.2):
        wanted += ", recompute_scale_factor=True"
    writer.line(f"x = F.interpolate(x, {wanted}, mode='{mode}')")
    level = Level(writer.each(2), writer.each(2), writer.each(0), writer.each(1), size, writer.channels, skip)
    writer.same_convolution(channels)
    return level


def unshuffled(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """Space to depth: pixel_unshuffle in 2-D, strided slices else; with or without a guard."""
    before = writer.channels
    if writer.chance(0.6):
        for axis in range(2, writer.rank + 2):
            pad = ", ".join(["0, 0"] * (writer.rank + 1 - axis) + ["0, 1"])
            writer.line(f"if x.shape[{axis}] % 2: x = F.pad(x, ({pad}))")
    if writer.rank == 2 and writer.chance(0.7):
        writer.line(writer.pick("x = F.pixel_unshuffle(x, 2)", f"x = {writer.module('nn.PixelUnshuffle(2)')}(x)"))
        writer.channels = before * 4
    else:
        writer.line("x = torch.cat([x[:, :, ::2], x[:, :, 1::2]], dim=1)")
        writer.channels = before * 2
    stride = writer.each(2) if writer.channels == before * 4 else (2,) + (1,) * (writer.rank - 1)
    level = Level(stride, stride, writer.each(0), writer.each(1), size, before, skip)
    writer.same_convolution(channels)
    return level


def indexed(writer: Writer, channels: int, size: str, skip: str) -> Level:
    """A max pool that keeps its indices for an unpool; the channels stay."""
    stride = writer.pick(2, 2, 2, 3)
    options = writer.pick("", "", ", ceil_mode=True") if writer.rank > 1 else ""
    name = writer.name("indices")
    layer = writer.module(f"nn.{writer.kind('MaxPool')}({stride}, {stride}, return_indices=True{options})", "pool")
    writer.line(f"x, {name} = {layer}(x)")
    sides = writer.each(stride)
    return Level(sides, sides, writer.each(0), writer.each(1), size, writer.channels, skip, indices=name)


DOWN: dict[str, tuple[int, Callable[[Writer, int, str, str], Level]]] = {
    "convolution": (12, convolution),
    "pool": (8, pool),
    "padded": (2, padded_convolution),
    "adaptive": (2, adaptive),
    "resized": (2, resized),
    "unshuffled": (2, unshuffled),
    "indexed": (2, indexed),
}


def write_down(writer: Writer, channels: int, *, keep_skip: bool) -> Level:
    """Writes one step down to the given channels (where the step can set them); `x` before it may become a skip."""
    size, skip = writer.remember_size(), ""
    if keep_skip:
        skip = writer.name("skip")
        writer.line(f"{skip} = x")
    kind = writer.weighted({name: weight for name, (weight, _) in DOWN.items()})
    return DOWN[kind][1](writer, channels, size, skip)
