"""The plans of drawn models: a U-Net or an autoencoder, a looped U-Net, a chain in no order, and those of `nested`."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from tests.drawn.between import write_between
from tests.drawn.down import write_down
from tests.drawn.joins import FIX_UPS, write_join
from tests.drawn.nested import NESTED
from tests.drawn.up import write_up
from tests.drawn.writer import Level, Writer
from tests.oracle import run


def _widths(writer: Writer) -> list[int]:
    most = {1: 4, 2: 3, 3: 2}[writer.rank]
    return [writer.pick(2, 4) for _ in range(writer.random.randint(1, most))]


def _nominal_size(writer: Writer) -> tuple[int, ...]:
    """The spatial size of `x` after the lines so far, at the nominal input; empty where that input does not run."""
    names: dict[str, Any] = {}
    exec(writer.source(0, "return x"), names)
    try:
        shape = run(names["Net"]().eval(), writer.nominal)[0]
    except (RuntimeError, ValueError, AssertionError):
        return ()
    return shape[2:] if 0 not in shape else ()


def bottleneck(writer: Writer) -> None:
    """Now and then a dense layer in the middle: after an adaptive pool, or pinned to one size."""
    if not writer.chance(0.1):
        return
    sides = writer.each(writer.pick(1, 2, 3))
    pinned = _nominal_size(writer) if writer.chance(0.4) else ()
    if not pinned or writer.channels * prod(pinned) > 2000:
        writer.line(f"x = F.adaptive_avg_pool{writer.rank}d(x, {writer.text(sides)})")
        pinned = sides
    flat = writer.channels * prod(pinned)
    layer = writer.module(f"nn.Linear({flat}, {flat})", "dense")
    writer.line(f"x = {layer}({writer.pick('x.flatten(1)', 'torch.flatten(x, 1)', 'x.reshape(x.size(0), -1)')})")
    writer.line(f"x = x.view(-1, {', '.join(map(str, (writer.channels, *pinned)))})")


def unet(writer: Writer) -> None:
    """Levels down, levels up, with or without skips and their fix-ups."""
    joined = writer.chance(0.7)
    widths, levels = _widths(writer), []
    writer.same_convolution(2)
    for width in widths:
        write_between(writer)
        levels.append((write_down(writer, width, keep_skip=joined and writer.chance(0.85)), writer.channels))
    bottleneck(writer)
    for level, _ in reversed(levels):
        write_between(writer)
        write_up(writer, level, level.channels)
        if level.skip:
            write_join(writer, level.skip, level.channels, level.channels)


def looped(writer: Writer) -> None:
    """Equal levels in ModuleLists, with one pool or one upsample that serves at every level."""
    depth, width = writer.random.randint(2, {1: 4, 2: 3, 3: 2}[writer.rank]), writer.pick(2, 4)
    writer.same_convolution(width)
    kernel, stride, padding = writer.pick((2, 2, 0), (3, 2, 1), (3, 2, 0), (4, 2, 1), (3, 3, 0), (6, 3, 2))
    conv, up = writer.kind("Conv"), writer.kind("ConvTranspose")
    listed = f"nn.ModuleList([nn.{conv}({width}, {width}, {kernel}, {stride}, {padding}) for _ in range({depth})])"
    shared = writer.chance(0.5)
    if shared:
        pool = writer.pick("MaxPool", "AvgPool")
        padding = min(padding, kernel // 2)
        ceil = writer.pick("", "", ", ceil_mode=True")
        writer.init.append(f"self.pool = nn.{writer.kind(pool)}({kernel}, {stride}, {padding}{ceil})")
    else:
        writer.init.append(f"self.downs = {listed}")
    extra = writer.pick("", "", f", output_padding={stride - 1}")
    one = f"nn.{up}({width}, {width}, {kernel}, {stride}, {padding}{extra})"
    one = writer.pick(one, one, f"nn.Upsample(scale_factor={stride})")
    same = writer.chance(0.4)
    writer.init.append(f"self.up = {one}" if same else f"self.ups = nn.ModuleList([{one} for _ in range({depth})])")
    cat = writer.chance(0.6)
    writer.init.append(f"self.fuse = nn.{conv}({2 * width if cat else width}, {width}, 3, padding=1)")
    writer.line("skips = []")
    writer.line(f"for i in range({depth}):" if shared else "for i, down in enumerate(self.downs):")
    writer.line("    skips.append(x)")
    writer.line("    x = self.pool(x)" if shared else "    x = F.relu(down(x))")
    _way_up(writer, depth, same=same, cat=cat)


def _way_up(writer: Writer, depth: int, *, same: bool, cat: bool) -> None:
    if same:
        writer.line(writer.pick("for skip in reversed(skips):", "for skip in skips[::-1]:"))
        writer.line("    x = self.up(x)")
    else:
        counted = f"[skips[{depth - 1} - i] for i in range({depth})]"
        writer.line(f"for up, skip in zip(self.ups, {writer.pick('reversed(skips)', counted)}):")
        writer.line("    x = up(x)")
    start = len(writer.body)
    FIX_UPS[writer.pick("none", "none", "resize", "pad", "centre", "end", "negative")][1](writer, "skip")
    writer.body[start:] = ["    " + line for line in writer.body[start:]]
    writer.line(f"    x = self.fuse({'torch.cat([x, skip], 1)' if cat else 'x + skip'})")


def chain(writer: Writer) -> None:
    """Steps in no order, balanced so that the size neither vanishes nor explodes."""
    below: list[Level] = []
    writer.same_convolution(2)
    for _ in range(writer.random.randint(2, 5 if writer.rank < 3 else 3)):
        write_between(writer)
        if below and writer.chance(0.5):
            write_up(writer, below.pop(), writer.pick(2, 3, 4))
        else:
            below.append(write_down(writer, writer.pick(2, 4), keep_skip=False))
    for level in reversed(below):
        write_up(writer, level, writer.pick(1, 2, 3))


TEMPLATES: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "unet": (6, unet),
    "looped": (2, looped),
    "chain": (2, chain),
    **NESTED,
}
