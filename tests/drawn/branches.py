"""What runs beside the main way and joins it again: pyramids, dilated branches, folds, wavelets, blurs, samplings."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.writer import Writer


def _linear(writer: Writer) -> str:
    return {1: "linear", 2: "bilinear", 3: "trilinear"}[writer.rank]


def dilated(writer: Writer) -> None:
    """Convolutions of several rates side by side, with or without the padding that keeps the size."""
    channels, rates = writer.channels, writer.pick((1, 2), (1, 2, 4), (2, 3, 6))
    name = writer.name("rates")
    padding = "rate" if writer.chance(0.85) else "1"
    writer.init.append(f"self.{name} = nn.ModuleList([nn.{writer.kind('Conv')}({channels}, {channels}, 3, "
                       f"padding={padding}, dilation=rate) for rate in {rates}])")  # fmt: skip
    writer.line(f"x = torch.cat([branch(x) for branch in self.{name}], dim=1)")
    writer.channels = channels * len(rates)
    writer.same_convolution(channels)


def pyramid(writer: Writer) -> None:
    """Pools of several sizes, resized and joined."""
    channels, bins = writer.channels, writer.pick((1, 2), (1, 2, 3), (1, 3))
    kind = writer.pick("avg", "max")
    size = writer.pick("x.shape[2:]", "x.size()[2:]", f"x.shape[-{writer.rank}:]")
    mode = writer.pick("'nearest'", f"'{_linear(writer)}'", f"'{_linear(writer)}', align_corners=True")
    writer.line("parts = [x]")
    writer.line(f"for bins in {bins}:")
    writer.line(f"    part = F.adaptive_{kind}_pool{writer.rank}d(x, bins)")
    writer.line(f"    parts.append(F.interpolate(part, size={size}, mode={mode}))")
    writer.line("x = torch.cat(parts, dim=1)")
    writer.channels = channels * (len(bins) + 1)
    writer.same_convolution(channels)


def inception(writer: Writer) -> None:
    """Kernels of several sizes, whose paddings fit or do not, and a pool that keeps the size."""
    channels, conv = writer.channels, writer.kind("Conv")
    wide = writer.pick("5, padding=2", "5, padding=2", "5, padding=1", "4, padding='same'")
    layers = [writer.module(f"nn.{conv}({channels}, {channels}, {text})", "branch") for text in ("1", wide)]
    pool = writer.pick("max", "avg")
    parts = [f"{layer}(x)" for layer in layers] + [f"F.{pool}_pool{writer.rank}d(x, 3, stride=1, padding=1)"]
    writer.line(f"x = torch.cat([{', '.join(parts)}], dim=1)")
    writer.channels = 3 * channels
    writer.same_convolution(channels)


def half_resolution(writer: Writer) -> None:
    """A branch at half the size comes back to the main way, and the main way to it."""
    channels, conv = writer.channels, writer.kind("Conv")
    down = writer.module(f"nn.{conv}({channels}, {channels}, 3, stride=2, padding=1)", "low")
    writer.line(f"low = {down}(x)")
    layer = writer.module(f"nn.Upsample(scale_factor=2, mode='{_linear(writer)}')", "up")
    up = writer.pick("F.interpolate(low, scale_factor=2)", "F.interpolate(low, size=x.shape[2:])", f"{layer}(low)")
    writer.line(writer.pick(f"x = x + {up}", f"x = torch.maximum(x, {up})", f"x = x * torch.sigmoid({up})"))


def folded(writer: Writer) -> None:
    """Patches by unfold and fold, in 2-D; else windows by Tensor.unfold."""
    size, step = writer.pick((2, 2), (3, 2), (3, 1), (4, 4))
    if writer.rank != 2:
        writer.line(f"x = x.unfold(2, {size}, {step}).{writer.pick('mean(-1)', 'amax(dim=-1)')}")
        return
    padding = writer.pick(0, 0, 1)
    writer.line("size = x.shape[2:]")
    writer.line(f"patches = F.unfold(x, {size}, padding={padding}, stride={step})")
    writer.line(f"x = F.fold(patches, size, {size}, padding={padding}, stride={step})")


def wavelet(writer: Writer) -> None:
    """A grouped strided convolution with a fixed kernel and its transpose, as in wavelet pools."""
    channels, name = writer.channels, writer.name("haar")
    kernel = ", ".join(["2"] * writer.rank)
    writer.init.append(f"self.register_buffer('{name}', torch.ones({channels}, 1, {kernel}) / 2)")
    writer.line(f"low = F.conv{writer.rank}d(x, self.{name}, stride=2, groups={channels})")
    back = f"F.conv_transpose{writer.rank}d(low, self.{name}, stride=2, groups={channels})"
    writer.line(writer.pick(f"x = x - {back}", f"x = {back}"))


def blurred(writer: Writer) -> None:
    """A pool against aliasing: padded by reflection, then a depthwise convolution of stride 2 or 1."""
    channels, name, stride = writer.channels, writer.name("blur"), writer.pick(1, 1, 2)
    writer.init.append(f"self.register_buffer('{name}', torch.ones({channels}, 1, {', '.join(['3'] * writer.rank)}))")
    mode = writer.pick("reflect", "replicate")
    writer.line(f"x = F.pad(x, {(1, 1) * writer.rank}, mode='{mode}')")
    writer.line(f"x = F.conv{writer.rank}d(x, self.{name}, stride={stride}, groups={channels})")


def sampled(writer: Writer) -> None:
    """A grid that is sampled at the map's own size, or at another."""
    if writer.rank != 2:
        writer.line("x = x.flip(2)")
        return
    size = writer.pick("x.shape", "x.size()", "(x.shape[0], x.shape[1], x.shape[2] // 2, x.shape[3])")
    writer.line("theta = torch.eye(2, 3, device=x.device).repeat(x.shape[0], 1, 1)")
    writer.line(f"x = F.grid_sample(x, F.affine_grid(theta, {size}, align_corners=False), align_corners=False)")


def tied(writer: Writer) -> None:
    """Down and up by one weight, as tied autoencoders do."""
    channels, rank = writer.channels, writer.rank
    down = writer.module(f"nn.{writer.kind('Conv')}({channels}, {channels}, 3, stride=2, padding=1)", "tied")
    extra = writer.pick("", ", output_padding=1")
    writer.line(f"x = F.conv_transpose{rank}d({down}(x), {down}.weight, stride=2, padding=1{extra})")


def pinned_norm(writer: Writer) -> None:
    """A layer norm over the last axis, which pins it."""
    writer.apply(f"nn.LayerNorm({writer.pick(8, 16, 32)})", "norm")


def looped_pool(writer: Writer) -> None:
    """A loop that ends at a size."""
    axis = writer.random.randrange(2, writer.rank + 2)
    writer.line(f"while x.shape[{axis}] > {writer.pick(24, 40)}:")
    writer.line(f"    x = F.max_pool{writer.rank}d(x, 2{writer.pick('', ', ceil_mode=True')})")


BRANCHES: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "dilated": (2, dilated),
    "pyramid": (2, pyramid),
    "inception": (2, inception),
    "half": (3, half_resolution),
    "folded": (2, folded),
    "wavelet": (2, wavelet),
    "blurred": (1, blurred),
    "sampled": (1, sampled),
    "tied": (1, tied),
    "pinned": (1, pinned_norm),
    "looped": (1, looped_pool),
}
