"""Plans that are no plain U: nested skips, pyramids with many outputs, hourglasses, streams of several resolutions."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.writer import Writer


def _linear(writer: Writer) -> str:
    return {1: "linear", 2: "bilinear", 3: "trilinear"}[writer.rank]


def _depth(writer: Writer) -> int:
    return writer.random.randint(2, {1: 4, 2: 3, 3: 2}[writer.rank])


def _doubling(writer: Writer, width: int) -> str:
    """A layer that doubles the size, as people write it."""
    kind = writer.kind("ConvTranspose")
    return writer.pick(f"nn.{kind}({width}, {width}, 2, 2)", f"nn.{kind}({width}, {width}, 4, 2, 1)",
                       f"nn.{kind}({width}, {width}, 3, 2, 1, 1)", "nn.Upsample(scale_factor=2)",
                       f"nn.Upsample(scale_factor=2, mode='{_linear(writer)}', align_corners=True)")  # fmt: skip


def _halving(writer: Writer, width: int) -> str:
    kind, conv = writer.pick("Max", "Avg"), writer.kind("Conv")
    return writer.pick(f"nn.{kind}Pool{writer.rank}d(2)", f"nn.{kind}Pool{writer.rank}d(2, ceil_mode=True)",
                       f"nn.{kind}Pool{writer.rank}d(3, 2, 1)", f"nn.{conv}({width}, {width}, 3, 2, 1)",
                       f"nn.{conv}({width}, {width}, 4, 2, 1)")  # fmt: skip


def plus_plus(writer: Writer) -> None:
    """U-Net++: a triangle of nodes, kept in a dict, each joined with all before it on its level."""
    depth, width, conv = _depth(writer), 2, writer.kind("Conv")
    writer.same_convolution(width)
    writer.init += [
        f"self.pool, self.up = {_halving(writer, width)}, {_doubling(writer, width)}",
        "self.nodes = nn.ModuleDict()",
        f"for level in range({depth}):",
        f"    for step in range({depth} - level):",
        f"        self.nodes[f'{{level}}_{{step}}'] = nn.{conv}({width} * max(1, step + 1), {width}, 3, padding=1)",
    ]
    writer.line("made = {}")
    writer.line(f"for level in range({depth}):")
    writer.line("    x = x if level == 0 else self.pool(made[level - 1, 0])")
    writer.line("    made[level, 0] = self.nodes[f'{level}_0'](x)")
    writer.line(f"for step in range(1, {depth}):")
    writer.line(f"    for level in range({depth} - step):")
    writer.line("        above = self.up(made[level + 1, step - 1])")
    if writer.chance(0.3):
        writer.line("        above = F.interpolate(above, size=made[level, 0].shape[2:])")
    writer.line("        x = torch.cat([*(made[level, k] for k in range(step)), above], 1)")
    writer.line("        made[level, step] = self.nodes[f'{level}_{step}'](x)")
    writer.line(f"x = made[0, {depth - 1}]")


def pyramid(writer: Writer) -> None:
    """A feature pyramid: laterals, a way down by a factor or to a size, and all the levels joined at the end."""
    depth, width, conv = _depth(writer), 2, writer.kind("Conv")
    writer.same_convolution(width)
    for name, text in (("downs", _halving(writer, width)), ("laterals", f"nn.{conv}({width}, {width}, 1)")):
        writer.init.append(f"self.{name} = nn.ModuleList([{text} for _ in range({depth})])")
    writer.line("levels = [x]")
    writer.line("for down, lateral in zip(self.downs, self.laterals):")
    writer.line("    x = F.relu(down(x))")
    writer.line("    levels.append(lateral(x))")
    how = writer.pick("scale_factor=2", "scale_factor=2.0", "size=levels[i - 1].shape[2:]",
                      "size=tuple(2 * s for s in levels[i].shape[2:])")  # fmt: skip
    writer.line(f"for i in range({depth}, 0, -1):")
    writer.line(f"    levels[i - 1] = levels[i - 1] + F.interpolate(levels[i], {how}, mode='nearest')")
    if writer.chance(0.5):
        writer.line("x = torch.cat([F.interpolate(each, size=levels[0].shape[2:]) for each in levels], 1)")
        writer.channels = width * (depth + 1)
    else:
        writer.line(f"x = levels[{writer.pick('0', '0', '-1')}]")


def hourglass(writer: Writer) -> None:
    """Recursion: one method that calls itself, level by level, with modules in a list."""
    depth, width, conv = _depth(writer), 2, writer.kind("Conv")
    writer.same_convolution(width)
    writer.init.append(f"self.halves = nn.ModuleList([{_halving(writer, width)} for _ in range({depth})])")
    writer.init.append(f"self.doubles = nn.ModuleList([{_doubling(writer, width)} for _ in range({depth})])")
    writer.init.append(f"self.same = nn.{conv}({width}, {width}, 3, padding=1)")
    join = writer.pick("y + beside", "torch.cat([y, beside], 1)[:, ::2]", "torch.sigmoid(y) * beside")
    crop = writer.pick("", "", "y = y[(..., *(slice(0, s) for s in beside.shape[2:]))]")
    writer.line("def descend(y, level):")
    writer.line(f"    if level == {depth}: return self.same(y)")
    writer.line("    beside = self.same(y)")
    writer.line("    y = self.doubles[level](descend(self.halves[level](y), level + 1))")
    if crop:
        writer.line(f"    {crop}")
    writer.line(f"    return {join}")
    writer.line("x = descend(x, 0)")


def streams(writer: Writer) -> None:
    """Two resolutions side by side that exchange what they have, as in HRNet."""
    width, conv = 2, writer.kind("Conv")
    writer.same_convolution(width)
    writer.init.append(f"self.enter = {_halving(writer, width)}")
    writer.init.append(f"self.low = nn.ModuleList([{_halving(writer, width)} for _ in range(2)])")
    writer.init.append(f"self.high = nn.ModuleList([{_doubling(writer, width)} for _ in range(2)])")
    writer.init.append(f"self.keep = nn.{conv}({width}, {width}, 3, padding=1)")
    writer.line("high, low = x, self.enter(x)")
    writer.line("for down, up in zip(self.low, self.high):")
    raised = writer.pick("up(low)", "F.interpolate(up(low), size=high.shape[2:])")
    writer.line(f"    high, low = self.keep(high) + {raised}, self.keep(low) + down(high)")
    writer.line(writer.pick("x = high", "x = torch.cat([high, F.interpolate(low, size=high.shape[2:])], 1)[:, :2]"))


def pinned(writer: Writer) -> None:
    """A variational autoencoder for one size: flattened, dense, and unflattened."""
    width, conv, up = 2, writer.kind("Conv"), writer.kind("ConvTranspose")
    side = {1: 16, 2: 8, 3: 4}[writer.rank]
    low = side // 4
    flat = 2 * width * low**writer.rank
    kernel = writer.pick("3, 2, 1", "4, 2, 1")
    writer.apply(f"nn.{conv}({writer.channels}, {width}, {kernel})", "down")
    writer.apply(f"nn.{conv}({width}, {2 * width}, {kernel})", "down")
    mean, spread = (writer.module(f"nn.Linear({flat}, 4)", "dense") for _ in range(2))
    writer.line(f"flat = {writer.pick('torch.flatten(x, 1)', 'x.view(x.size(0), -1)', f'x.reshape(-1, {flat})')}")
    writer.line(f"mean, spread = {mean}(flat), {spread}(flat)")
    writer.line("code = mean + torch.exp(0.5 * spread) * torch.ones_like(spread)")
    back = writer.module(f"nn.Linear(4, {flat})", "dense")
    writer.line(f"x = {back}(code).view(-1, {2 * width}, {', '.join([str(low)] * writer.rank)})")
    extra = ", 1" if kernel == "3, 2, 1" else ""
    writer.apply(f"nn.{up}({2 * width}, {width}, {kernel}{extra})", "up")
    writer.apply(f"nn.{up}({width}, {width}, {kernel}{extra})", "up")
    writer.channels = width


def causal(writer: Writer) -> None:
    """Dilated convolutions that look back: padded on one side, or shorter with every layer and skips that are cut."""
    width, depth = 2, writer.random.randint(2, 4)
    writer.same_convolution(width)
    conv, ones = writer.kind("Conv"), "1, " * (writer.rank - 1)
    dilation = f"({ones}2**i)" if writer.rank > 1 else "2**i"
    kernel = f"({ones}2)" if writer.rank > 1 else "2"
    writer.init.append(f"self.layers = nn.ModuleList([nn.{conv}({width}, {width}, {kernel}, dilation={dilation}) "
                       f"for i in range({depth})])")  # fmt: skip
    if writer.chance(0.5):
        writer.line("for i, layer in enumerate(self.layers):")
        writer.line("    x = x + torch.tanh(layer(F.pad(x, (2**i, 0))))")
        return
    writer.line("skips = 0")
    writer.line("for layer in self.layers:")
    writer.line("    before, x = x, torch.tanh(layer(x))")
    writer.line("    skips = x if isinstance(skips, int) else skips[..., -x.size(-1):] + x")
    writer.line("    x = x + before[..., -x.size(-1):]")
    writer.line("x = skips")


NESTED: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "plus_plus": (1, plus_plus),
    "pyramid": (1, pyramid),
    "hourglass": (1, hourglass),
    "streams": (1, streams),
    "pinned": (1, pinned),
    "causal": (1, causal),
}
