"""What treats a map as a sequence: attention over pixels or windows, recurrent layers, positions, folds."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.writer import Writer

_SIZES = ("height", "width", "depth")


def _unpacked(writer: Writer) -> str:
    """Unpacks the shape of `x` and returns the names of its spatial sizes."""
    names = ", ".join(_SIZES[: writer.rank])
    writer.line(f"batch, channels, {names} = x.shape")
    return names


def attention(writer: Writer) -> None:
    """Self-attention over all positions, written by hand, by einsum, or by torch's function or module."""
    names, channels = _unpacked(writer), writer.channels
    count = names.replace(", ", " * ")
    style = writer.pick("einsum", "product", "function", "module")
    if style == "module":
        layer = writer.module(f"nn.MultiheadAttention({channels}, 1, batch_first=True)", "attend")
        writer.line("tokens = x.flatten(2).transpose(1, 2)")
        writer.line(f"tokens = tokens + {layer}(tokens, tokens, tokens, need_weights=False)[0]")
        writer.line(f"x = tokens.transpose(1, 2).reshape(batch, channels, {names})")
        return
    layer = writer.module(f"nn.{writer.kind('Conv')}({channels}, {3 * channels}, 1)", "qkv")
    writer.line(writer.pick(
        f"q, k, v = {layer}(x).reshape(batch, 3, channels, {count}).unbind(1)",
        f"q, k, v = (each.flatten(2) for each in {layer}(x).chunk(3, dim=1))",
        f"q, k, v = {layer}(x).view(batch, 3 * channels, -1).split(channels, dim=1)"))  # fmt: skip
    if style == "einsum":
        writer.line("weights = torch.einsum('bcn,bcm->bnm', q, k).softmax(-1)")
        writer.line("y = torch.einsum('bnm,bcm->bcn', weights, v)")
    elif style == "product":
        writer.line("y = v @ (q.transpose(1, 2) @ k * channels**-0.5).softmax(-1).transpose(1, 2)")
    else:
        writer.line("y = F.scaled_dot_product_attention(*(each.transpose(1, 2) for each in (q, k, v))).transpose(1, 2)")
    writer.line(f"x = x + y.reshape(batch, channels, {names})")


def windowed(writer: Writer) -> None:
    """Attention within windows: padded up to them, cut into them, put together again, cropped."""
    names, side = _unpacked(writer).split(", "), writer.pick(2, 3, 4)
    pads = ", ".join(f"0, ({side} - {name} % {side}) % {side}" for name in reversed(names))
    if writer.chance(0.8):
        writer.line(f"x = F.pad(x, ({pads}))")
    cut = ", ".join(f"x.shape[{axis}] // {side}, {side}" for axis in range(2, writer.rank + 2))
    writer.line(f"y = x.{writer.pick('view', 'reshape')}(batch, channels, {cut})")
    outer, inner = (list(range(start, start + 2 * writer.rank, 2)) for start in (2, 3))
    writer.line(f"y = y.permute(0, {', '.join(map(str, outer + inner))}, 1).reshape(-1, {side**writer.rank}, channels)")
    layer = writer.module(f"nn.Linear({writer.channels}, {writer.channels})", "mix")
    writer.line(f"y = F.scaled_dot_product_attention(y, y, {layer}(y))")
    grid = ", ".join(f"x.shape[{axis}] // {side}" for axis in range(2, writer.rank + 2))
    writer.line(f"y = y.view(batch, {grid}, {', '.join([str(side)] * writer.rank)}, channels)")
    back = [place for axis in range(writer.rank) for place in (1 + axis, 1 + writer.rank + axis)]
    writer.line(f"y = y.permute(0, {2 * writer.rank + 1}, {', '.join(map(str, back))}).reshape(x.shape)")
    writer.line(f"x = y[:, :, {', '.join(f':{name}' for name in names)}]" + writer.pick("", ".contiguous()"))


def shifted(writer: Writer) -> None:
    writer.line(f"x = torch.roll(x, shifts=(-1,), dims=({writer.random.randrange(2, writer.rank + 2)},))")


def recurrent(writer: Writer) -> None:
    """A recurrent layer over the last axis, the others folded into the batch."""
    channels, kind = writer.channels, writer.pick("GRU", "LSTM")
    layer = writer.module(f"nn.{kind}({channels}, {channels}, batch_first=True)", "recur")
    spatial = list(range(2, writer.rank + 2))
    writer.line(f"y = x.permute(0, {', '.join(map(str, spatial))}, 1)")
    writer.line("shape = y.shape")
    writer.line(f"y = {layer}(y.reshape(-1, shape[-2], {channels}))[0].reshape(shape)")
    writer.line(f"x = y.permute(0, {writer.rank + 1}, {', '.join(str(axis - 1) for axis in spatial)})")


def positions(writer: Writer) -> None:
    """Positions are added: computed for the size, cut from a table, or resized from one."""
    name, channels = writer.name("table"), writer.channels
    last = writer.rank + 1
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[writer.rank]
    style = writer.pick("computed", "linspace", "cut", "resized", "pinned" if writer.chance(0.3) else "cut")
    if style == "computed":
        writer.line(f"x = x + torch.arange(x.shape[{last}], device=x.device) / x.shape[{last}]")
    elif style == "linspace":
        rest = ", 1" * (writer.rank - 1)
        writer.line(f"x = x + torch.linspace(-1, 1, x.size(2), device=x.device).view(1, 1, -1{rest}).expand_as(x)")
    elif style == "resized":
        sides = ", ".join(["5"] * writer.rank)
        writer.init.append(f"self.{name} = nn.Parameter(torch.zeros(1, {channels}, {sides}))")
        writer.line(f"x = x + F.interpolate(self.{name}, size=x.shape[2:], mode='{linear}')")
    else:
        most = writer.pick(16, 48)
        writer.init.append(f"self.{name} = nn.Parameter(torch.zeros(1, {channels}, {', '.join(['1'] * (writer.rank - 1) + [str(most)])}))")  # noqa: E501  # fmt: skip
        cut = f"self.{name}[..., :x.shape[{last}]]" if style == "cut" else f"self.{name}"
        writer.line(f"x = x + {cut}")


def coordinates(writer: Writer) -> None:
    """The coordinates as further channels, as in CoordConv."""
    sides = ", ".join(f"torch.linspace(0, 1, x.shape[{axis}], device=x.device)" for axis in range(2, writer.rank + 2))
    writer.line(f"grid = torch.stack(torch.meshgrid({sides}, indexing='ij'))")
    writer.line(f"x = torch.cat([x, grid[None].expand(x.shape[0], {', '.join(['-1'] * (writer.rank + 1))})], dim=1)")
    writer.channels += writer.rank
    writer.same_convolution(writer.channels - writer.rank)


TOKENS: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "attention": (3, attention),
    "windowed": (3, windowed),
    "shifted": (1, shifted),
    "recurrent": (1, recurrent),
    "positions": (2, positions),
    "coordinates": (1, coordinates),
}
