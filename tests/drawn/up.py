"""Every way up: each function writes one up-sampling step that mirrors a level, well or not so well."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.arithmetic import DOUBLES, computed
from tests.drawn.writer import Level, Writer


def _mode(writer: Writer) -> str:
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[writer.rank]
    return writer.pick("mode='nearest'", f"mode='{linear}'", f"mode='{linear}', align_corners=True")


def _transposed(writer: Writer, level: Level, channels: int, extra: str, call: str) -> None:
    layer = writer.module(f"nn.{writer.kind('ConvTranspose')}({writer.channels}, {channels}, "
                          f"{writer.text(level.kernel)}, stride={writer.text(level.stride)}, "
                          f"padding={writer.text(level.padding)}, dilation={writer.text(level.dilation)}{extra})",
                          "up")  # fmt: skip
    writer.channels = channels
    writer.line(f"x = {layer}(x{call})")


def mirrored(writer: Writer, level: Level, channels: int) -> None:
    """The transposed convolution of the same numbers, with some output_padding or none."""
    limits = [max(s, d) for s, d in zip(level.stride, level.dilation, strict=True)]
    style = writer.weighted({"none": 4, "one": 3, "any": 2, "illegal": 1 if writer.chance(0.15) else 0})
    values = [0] * writer.rank
    if style == "one":
        values = [min(1, limit - 1) for limit in limits]
    elif style == "any":
        values = [writer.random.randrange(limit) for limit in limits]
    elif style == "illegal":
        values = limits
    _transposed(writer, level, channels, f", output_padding={writer.text(values)}" if any(values) else "", "")


def asked(writer: Writer, level: Level, channels: int) -> None:
    """The transposed convolution, told the remembered size."""
    form = writer.pick(level.size, f"list({level.size})", f"tuple({level.size})")
    _transposed(writer, level, channels, "", f", output_size={form}")


def plain(writer: Writer, level: Level, channels: int) -> None:
    """The transposed convolutions that everybody writes: 2/2, 4/2/1, 3/2/1 with 1."""
    stride = max(level.stride)
    kernel, padding, extra = writer.pick((stride, 0, ""), (2 * stride, stride // 2, ""), (3, 1, ", output_padding=1"))
    extra = extra if stride > 1 else ""
    writer.apply(f"nn.{writer.kind('ConvTranspose')}({writer.channels}, {channels}, {kernel}, stride={stride}, "
                 f"padding={padding}{extra})", "up")  # fmt: skip
    writer.channels = channels


def upsampled(writer: Writer, level: Level, channels: int) -> None:
    """Upsample or interpolate by a factor, whole, broken or per axis."""
    factors: tuple[int | float, ...] = level.stride
    if writer.chance(0.15):
        factors = (writer.pick(1.5, 2.5, 1.25, 1.3),) * writer.rank
    mode = _mode(writer)
    if writer.chance(0.5):
        writer.apply(f"nn.Upsample(scale_factor={writer.text(factors)}, {mode})", "up")
    else:
        factor = repr(float(factors[0])) if writer.chance(0.2) else writer.text(factors)
        writer.line(f"x = F.interpolate(x, scale_factor={factor}, {mode})")
    writer.same_convolution(channels)


def sized(writer: Writer, level: Level, channels: int) -> None:
    """Interpolation to the remembered size."""
    form = writer.pick(level.size, f"tuple({level.size})", f"[int(s) for s in {level.size}]")
    writer.line(f"x = F.interpolate(x, size={form}, {_mode(writer)})")
    writer.same_convolution(channels)


def doubled(writer: Writer, level: Level, channels: int) -> None:
    """Interpolation to a size computed from the present one."""
    factor = max(level.stride)
    form = writer.pick(f"[s * {factor} for s in x.shape[2:]]",
                       f"({', '.join(f'{factor} * x.shape[{axis}]' for axis in range(2, writer.rank + 2))},)",
                       f"tuple({factor} * x.size(i + 2) - {factor - 1} for i in range({writer.rank}))",
                       computed(writer, DOUBLES))  # fmt: skip
    writer.line(f"x = F.interpolate(x, size={form}, {_mode(writer)})")
    writer.same_convolution(channels)


def shuffled(writer: Writer, level: Level, channels: int) -> None:
    """Depth to space: pixel_shuffle in 2-D, views else."""
    if writer.rank == 2:
        writer.same_convolution(4 * channels)
        writer.line(writer.pick("x = F.pixel_shuffle(x, 2)", f"x = {writer.module('nn.PixelShuffle(2)')}(x)"))
        writer.channels = channels
        return
    for axis in range(2, writer.rank + 2):
        writer.line(f"x = x.repeat_interleave(2, dim={axis})" if writer.chance(0.3) else
                    f"x = torch.stack((x, x), dim={axis + 1}).flatten({axis}, {axis + 1})")  # fmt: skip
    writer.same_convolution(channels)


def unpooled(writer: Writer, level: Level, channels: int) -> None:
    """MaxUnpool with the level's indices, told the size or not."""
    writer.same_convolution(level.channels)
    stride = level.stride[0]
    told = f", output_size={level.size}" if writer.chance(0.6) else ""
    layer = writer.module(f"nn.{writer.kind('MaxUnpool')}({stride}, {stride})", "unpool")
    writer.line(f"x = {layer}(x, {level.indices}{told})")
    writer.same_convolution(channels)


UP: dict[str, tuple[int, Callable[[Writer, Level, int], None]]] = {
    "mirrored": (8, mirrored),
    "asked": (2, asked),
    "plain": (4, plain),
    "upsampled": (5, upsampled),
    "sized": (2, sized),
    "doubled": (2, doubled),
    "shuffled": (2, shuffled),
}


def write_up(writer: Writer, level: Level, channels: int) -> None:
    """Writes one step up that undoes a level, and sets the channels."""
    if level.indices:
        unpooled(writer, level, channels)
    else:
        UP[writer.weighted({name: weight for name, (weight, _) in UP.items()})][1](writer, level, channels)
