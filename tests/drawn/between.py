"""What stands between the layers that change sizes: norms, views, permutes, gates, bottlenecks, guards."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.branches import BRANCHES
from tests.drawn.layouts import LAYOUTS
from tests.drawn.tokens import TOKENS
from tests.drawn.writer import Writer


def norm(writer: Writer) -> None:
    channels = writer.channels
    writer.apply(writer.pick(f"nn.{writer.kind('BatchNorm')}({channels})", f"nn.GroupNorm(1, {channels})",
                             f"nn.{writer.kind('InstanceNorm')}({channels})", "nn.Identity()"), "norm")  # fmt: skip


def activation(writer: Writer) -> None:
    writer.line(writer.pick("x = F.relu(x)", "x = torch.tanh(x)", "x = F.leaky_relu(x, 0.2)", "x = F.gelu(x)",
                            "x = F.dropout(x, 0.1, self.training)", "x = x * x.sigmoid()"))  # fmt: skip


def tokens(writer: Writer) -> None:
    """Flattened to tokens, normalised, and viewed back from the remembered shape."""
    sizes = ["height", "width", "depth"][: writer.rank]
    layer = writer.module(f"nn.LayerNorm({writer.channels})", "norm")
    writer.line(f"batch, channels, {', '.join(sizes)} = x.shape")
    writer.line(f"x = {layer}(x.flatten(2).transpose(1, 2))")
    back = writer.pick("view", "reshape")
    writer.line(f"x = x.permute(0, 2, 1).contiguous().{back}(batch, channels, {', '.join(sizes)})")


def channels_last(writer: Writer) -> None:
    layer = writer.module(f"nn.Linear({writer.channels}, {writer.channels})", "linear")
    spatial = list(range(2, writer.rank + 2))
    writer.line(f"x = x.permute(0, {', '.join(map(str, spatial))}, 1)")
    writer.line(f"x = {layer}(x)")
    writer.line(f"x = x.permute(0, {writer.rank + 1}, {', '.join(str(axis - 1) for axis in spatial)})")


def halves(writer: Writer) -> None:
    """Channels doubled, split in two and joined by a gate."""
    before = writer.channels
    writer.same_convolution(2 * before)
    writer.line(writer.pick("left, right = x.chunk(2, dim=1)", f"left, right = torch.split(x, {before}, dim=1)",
                            f"left, right = x[:, :{before}], x[:, {before}:]"))  # fmt: skip
    writer.line(writer.pick("x = left * torch.sigmoid(right)", "x = left + right", "x = torch.maximum(left, right)",
                            "x = torch.stack([left, right]).mean(0)",
                            "x = torch.where(right > 0, left, right)"))  # fmt: skip
    writer.channels = before


def squeeze_and_excite(writer: Writer) -> None:
    axes = tuple(range(2, writer.rank + 2))
    layer = writer.module(f"nn.{writer.kind('Conv')}({writer.channels}, {writer.channels}, 1)", "gate")
    writer.line(writer.pick(f"gate = x.mean(dim={axes}, keepdim=True)",
                            f"gate = F.adaptive_avg_pool{writer.rank}d(x, 1)",
                            f"gate = x.amax({axes}, keepdim=True)"))  # fmt: skip
    writer.line(f"x = x * torch.sigmoid({layer}(gate))")


def residual(writer: Writer) -> None:
    """A loop over a ModuleList of residual convolutions."""
    blocks = writer.name("blocks")
    padding = writer.pick("padding=1", "padding='same'", "padding=1, padding_mode='reflect'")
    writer.init.append(f"self.{blocks} = nn.ModuleList([nn.{writer.kind('Conv')}({writer.channels}, {writer.channels}, "
                       f"3, {padding}) for _ in range({writer.pick(1, 2, 3)})])")  # fmt: skip
    writer.line(f"for block in self.{blocks}:")
    writer.line("    x = x + F.relu(block(x))")


def valid_convolution(writer: Writer) -> None:
    """An unpadded convolution: the size shrinks by the kernel."""
    kernel = writer.axes(2, 3, 3, 5)
    padding = writer.pick("", ", padding='valid'")
    writer.apply(
        f"nn.{writer.kind('Conv')}({writer.channels}, {writer.channels}, {writer.text(kernel)}{padding})", "conv"
    )


def grown(writer: Writer) -> None:
    """A transposed convolution at stride 1: the size grows by the kernel."""
    writer.apply(f"nn.{writer.kind('ConvTranspose')}({writer.channels}, {writer.channels}, {writer.pick(2, 3, 5)}, "
                 f"padding={writer.pick(0, 0, 1)})", "conv")  # fmt: skip


def padded(writer: Writer) -> None:
    """An explicit pad, symmetric or not, of any mode, negative too."""
    sides = [writer.pick(0, 1, 1, 2, -1) for _ in range(2 * writer.rank)]
    if writer.chance(0.6):
        writer.line(f"x = F.pad(x, {tuple(sides)}{writer.pick('', ', value=1.0')})")
        return
    name = writer.pick("Reflection", "Replication", "Circular", "Zero")
    writer.apply(f"nn.{writer.kind(name + 'Pad')}({tuple(abs(side) for side in sides)})", "pad")


def windows(writer: Writer) -> None:
    """Cut into windows of two and put together again; odd sizes raise unless they are padded first."""
    axis = writer.random.randrange(2, writer.rank + 2)
    if writer.chance(0.7):
        pads = ", ".join(["0", "0"] * (writer.rank + 1 - axis) + ["0", f"-x.shape[{axis}] % 2"])
        writer.line(f"x = F.pad(x, ({pads}))")
    shape = [f"x.shape[{i}]" for i in range(writer.rank + 2)]
    cut = [*shape[:axis], f"x.shape[{axis}] // 2", "2", *shape[axis + 1 :]]
    writer.line(f"pieces = x.reshape({', '.join(cut)})")
    writer.line(f"x = (pieces - pieces.mean({axis + 1}, keepdim=True)).{writer.pick('view', 'reshape')}(x.shape)")


def rounded(writer: Writer) -> None:
    """The size brought to a multiple: padded up or cut down, on one axis."""
    axis, multiple = writer.random.randrange(2, writer.rank + 2), writer.pick(2, 4, 8, 3)
    zeros = ", ".join(["0, 0"] * (writer.rank + 1 - axis) + ["0"])
    style = writer.pick("minus", "twice", "if", "cut", "divmod")
    if style == "cut":
        writer.line(f"x = x.narrow({axis}, 0, x.shape[{axis}] - x.shape[{axis}] % {multiple})")
    elif style == "divmod":
        writer.line(f"whole, rest = divmod(x.shape[{axis}], {multiple})")
        writer.line("if rest:")
        writer.line(f"    x = F.pad(x, ({zeros}, (whole + 1) * {multiple} - x.shape[{axis}]))")
    elif style == "if":
        writer.line(f"if x.shape[{axis}] % 2 != 0:")
        writer.line(f"    x = F.pad(x, ({zeros}, 1))")
    else:
        form = {"minus": f"-x.shape[{axis}] % {multiple}",
                "twice": f"({multiple} - x.shape[{axis}] % {multiple}) % {multiple}"}[style]  # fmt: skip
        writer.line(f"x = F.pad(x, ({zeros}, {form}))")


def guarded(writer: Writer) -> None:
    """An assert or a raise on a size."""
    axis = writer.random.randrange(2, writer.rank + 2)
    writer.line(writer.pick(
        f"assert x.shape[{axis}] >= 2, x.shape",
        f"if x.size({axis}) % 2: raise ValueError(f'odd size {{x.size({axis})}}')",
        "if min(x.shape[2:]) < 3: raise ValueError('too small')",
        f"assert x.shape[{axis}] % 4 == 0 or x.shape[{axis}] > 20",
        f"if x.shape[{axis}] > 40: x = x.narrow({axis}, 1, 32)"))  # fmt: skip


BETWEEN: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "norm": (10, norm),
    "activation": (12, activation),
    "tokens": (2, tokens),
    "channels_last": (2, channels_last),
    "halves": (3, halves),
    "gate": (2, squeeze_and_excite),
    "residual": (3, residual),
    "valid": (1, valid_convolution),
    "grown": (1, grown),
    "padded": (2, padded),
    "windows": (1, windows),
    "rounded": (2, rounded),
    "guarded": (1, guarded),
}


def write_between(writer: Writer) -> None:
    """Writes none to two of them."""
    for _ in range(writer.pick(0, 0, 1, 1, 2)):
        kinds = BETWEEN if writer.chance(0.7) else {**TOKENS, **BRANCHES, **LAYOUTS}
        kinds[writer.weighted({name: weight for name, (weight, _) in kinds.items()})][1](writer)
