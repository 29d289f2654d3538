"""How a skip meets the way up: cat, add or mul, after one of the fix-ups that people write, or none."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.writer import Writer


def _slices(parts: list[str]) -> str:
    return "[:, :, " + ", ".join(parts) + "]"


def none(writer: Writer, skip: str) -> None:
    """Nothing is done: the sizes fit or they do not."""


def resize_if_different(writer: Writer, skip: str) -> None:
    writer.line(f"if x.shape[2:] != {skip}.shape[2:]:" if writer.chance(0.7) else f"if x.size(-1) != {skip}.size(-1):")
    writer.line(f"    x = F.interpolate(x, size={skip}.shape[2:], mode='nearest')")


def pad_the_difference(writer: Writer, skip: str) -> None:
    """F.pad by the differences: all of it on one side, shared between the sides, or wrongly half on each."""
    style, pads = writer.pick("shared", "shared", "end", "half"), []
    for axis in reversed(range(2, writer.rank + 2)):
        name = f"diff{axis}"
        writer.line(f"{name} = {skip}.size({axis}) - x.size({axis})")
        pads += {"shared": [f"{name} // 2", f"{name} - {name} // 2"], "end": ["0", name],
                 "half": [f"{name} // 2", f"{name} // 2"]}[style]  # fmt: skip
    mode = writer.pick("", "", "", ", mode='replicate'")
    writer.line(f"x = F.pad(x, [{', '.join(pads)}]{mode})")


def crop_the_centre(writer: Writer, skip: str) -> None:
    parts = []
    for axis in range(2, writer.rank + 2):
        writer.line(f"start{axis} = ({skip}.shape[{axis}] - x.shape[{axis}]) // 2")
        parts.append(f"start{axis}:start{axis} + x.shape[{axis}]")
    writer.line(f"{skip} = {skip}{_slices(parts)}")


def crop_the_end(writer: Writer, skip: str) -> None:
    """Cuts the surplus of `x`, of the skip, or of both to the smaller one."""
    style = writer.pick("x", "skip", "both", "minimum")
    if style == "minimum":
        names = []
        for axis in range(2, writer.rank + 2):
            writer.line(f"least{axis} = min(x.shape[{axis}], {skip}.shape[{axis}])")
            names.append(f":least{axis}")
        writer.line(f"x, {skip} = x{_slices(names)}, {skip}{_slices(names)}")
        return
    of_skip = _slices([f":{skip}.shape[{axis}]" for axis in range(2, writer.rank + 2)])
    of_x = _slices([f":x.shape[{axis}]" for axis in range(2, writer.rank + 2)])
    if style in ("x", "both"):
        writer.line(f"x = x{of_skip}")
    if style in ("skip", "both"):
        writer.line(f"{skip} = {skip}{of_x}")


def narrow(writer: Writer, skip: str) -> None:
    for axis in range(2, writer.rank + 2):
        if writer.chance(0.5):
            writer.line(f"x = torch.narrow(x, {axis}, 0, {skip}.shape[{axis}])")
        else:
            writer.line(f"{skip} = {skip}.narrow({axis}, 0, x.size({axis}))")


def negative_pad(writer: Writer, skip: str) -> None:
    pads = ", ".join(f"0, x.shape[{axis}] - {skip}.shape[{axis}]" for axis in reversed(range(2, writer.rank + 2)))
    writer.line(f"{skip} = F.pad({skip}, ({pads}))")


def gated(writer: Writer, skip: str) -> None:
    """An attention gate: the skip is scaled by what both say, at the skip's size or at half of it."""
    layer = writer.module(f"nn.{writer.kind('Conv')}({writer.channels}, 1, 1)", "gate")
    if writer.chance(0.5):
        writer.line(f"signal = F.interpolate({layer}(x), size={skip}.shape[2:])")
    else:
        writer.line(f"signal = F.adaptive_avg_pool{writer.rank}d({skip}, [max(1, s // 2) for s in {skip}.shape[2:]])")
        writer.line(f"signal = F.interpolate({layer}(x), size=signal.shape[2:]) + signal.mean(1, keepdim=True)")
        writer.line(writer.pick("signal = F.interpolate(signal, scale_factor=2)",
                                f"signal = F.interpolate(signal, size={skip}.size()[2:])"))  # fmt: skip
    writer.line(f"{skip} = {skip} * torch.sigmoid(signal)")


def rounded_crop(writer: Writer, skip: str) -> None:
    """A centre crop whose start is rounded, to the even number at halves, as torchvision does."""
    parts = []
    for axis in range(2, writer.rank + 2):
        writer.line(f"top{axis} = int(round(({skip}.shape[{axis}] - x.shape[{axis}]) / 2.0))")
        parts.append(f"top{axis}:top{axis} + x.shape[{axis}]")
    writer.line(f"{skip} = {skip}{_slices(parts)}")


def guard(writer: Writer, skip: str) -> None:
    writer.line(writer.pick(
        f"assert x.shape[2:] == {skip}.shape[2:], 'sizes differ'",
        f"assert x.shape[-1] == {skip}.shape[-1], f'{{x.shape}} against {{{skip}.shape}}'",
        f"if x.size(2) < {skip}.size(2): raise ValueError('too small')"))  # fmt: skip


FIX_UPS: dict[str, tuple[int, Callable[[Writer, str], None]]] = {
    "none": (6, none),
    "resize": (5, resize_if_different),
    "pad": (4, pad_the_difference),
    "centre": (4, crop_the_centre),
    "end": (5, crop_the_end),
    "narrow": (1, narrow),
    "negative": (2, negative_pad),
    "guard": (1, guard),
    "gated": (2, gated),
    "rounded": (1, rounded_crop),
}


def write_join(writer: Writer, skip: str, skip_channels: int, channels: int) -> None:
    """Joins `x` and a skip, then convolves to the given channels."""
    style = writer.weighted({name: weight for name, (weight, _) in FIX_UPS.items()})
    FIX_UPS[style][1](writer, skip)
    join = writer.weighted({"cat": 6, "add": 2, "mul": 1, "inplace": 1})
    if join == "cat":
        pair = writer.pick(f"x, {skip}", f"{skip}, x")
        writer.line(f"x = torch.cat({writer.pick(f'[{pair}]', f'({pair})')}, {writer.pick('1', 'dim=1')})")
        writer.channels += skip_channels
        writer.same_convolution(channels)
        return
    writer.same_convolution(skip_channels)
    FIX_UPS["none" if writer.chance(0.7) else style][1](writer, skip)
    writer.line({"add": f"x = x + {skip}", "mul": f"x = torch.sigmoid(x) * {skip}", "inplace": f"x += {skip}"}[join])
    if channels != skip_channels:
        writer.same_convolution(channels)
