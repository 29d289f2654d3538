"""Draws a random encoder-decoder from a seed: its source text, its input spec, and the sizes to try."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.drawn.kept import write_kept
from tests.drawn.templates import TEMPLATES
from tests.drawn.writer import Writer

NAMES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
LARGEST = {1: 120, 2: 90, 3: 20}
EDGES = (*range(1, 10), 12, 13, *range(15, 19), 20, 23, 24, 31, 32, 33, 37, 40, 47, 48, 63, 64, 65, 81, 89, 97, 100)
Point = dict[str, int]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One model: `source` defines `Net`; `points` are the values of `symbols` in `spec` that are worth a try."""

    seed: int
    source: str
    spec: str
    symbols: tuple[str, ...]
    points: tuple[Point, ...]

    def shape(self, point: Point) -> tuple[int, ...]:
        """The input shape at a point."""
        return tuple(_value(dim, point) for dim in self.spec.split(","))


def _value(dim: str, point: Point) -> int:
    factor, star, symbol = dim.rpartition("*")
    if symbol in point:
        return point[symbol] * (int(factor) if star else 1)
    return int(dim)


def _dims(writer: Writer) -> tuple[list[str], tuple[str, ...]]:
    """The spatial dims of the spec: mostly one symbol each; now and then shared, constant or a multiple."""
    names = list(NAMES[writer.rank])
    style = writer.weighted({"free": 17, "shared": 1, "constant": 1, "multiple": 1})
    if style == "shared":
        return ["S"] * writer.rank, ("S",)
    if style == "constant" and writer.rank > 1:
        axis = writer.random.randrange(writer.rank)
        dims = [str(writer.pick(16, 24, 33)) if i == axis else name for i, name in enumerate(names)]
        return dims, tuple(name for i, name in enumerate(names) if i != axis)
    if style == "multiple":
        factor = writer.pick(2, 4, 8)
        return [f"{factor}*K", *names[1:]], ("K", *names[1:])
    return names, tuple(names)


def _enter(writer: Writer, dims: list[str]) -> list[str]:
    """Writes how the input becomes (batch, channels, spatial...), and returns the dims of the spec."""
    batch, channels = str(writer.pick(1, 1, 2)), str(writer.channels)
    layout = writer.weighted({"first": 16, "last": 1, "sequence": 2 if writer.rank == 1 else 0, "single": 1})
    spatial = ", ".join(map(str, range(1, writer.rank + 1)))
    if layout == "last":
        writer.line(f"x = x.permute(0, {writer.rank + 1}, {spatial})")
        return [batch, *dims, channels]
    if layout == "sequence":
        writer.line("x = x.permute(1, 2, 0)")
        return [*dims, batch, channels]
    if layout == "single":
        writer.line("x = x.unsqueeze(0)")
        return [channels, *dims]
    return [batch, channels, *dims]


def _leave(writer: Writer) -> str:
    """Writes the head and returns the last line: one tensor, a tuple, a list or a dict."""
    if writer.chance(0.7):
        writer.same_convolution(writer.pick(1, 2, 3))
    if writer.chance(0.15):
        writer.line("x = F.interpolate(x, size=first, mode='nearest')")
    elif writer.chance(0.15):
        parts = ", ".join(f":first[{axis}]" for axis in range(writer.rank))
        writer.line(f"x = x[..., {parts}]")
    return writer.pick("return x", "return x", "return x", "return torch.sigmoid(x)", "return x, x.flatten(1).mean(1)",
                       "return {'out': x, 'half': x[:, :, ::2]}", "return [x, (x.mean(1), x.shape)]",
                       "return x.squeeze(1)", "return x.permute(0, *range(2, x.dim()), 1)")  # fmt: skip


def _round_up(writer: Writer) -> None:
    """Now and then the input is padded to a multiple, as the README of many a model asks."""
    if not writer.chance(0.15):
        return
    multiple, pads = writer.pick(4, 8, 16), []
    for axis in reversed(range(2, writer.rank + 2)):
        pads += ["0", f"-x.shape[{axis}] % {multiple}"]
    writer.line(f"x = F.pad(x, ({', '.join(pads)}){writer.pick('', '', ', mode=' + repr('replicate'))})")


def _points(writer: Writer, symbols: tuple[str, ...], multiple: int) -> tuple[Point, ...]:
    largest = LARGEST[writer.rank]
    edges = [size for size in EDGES if size <= largest]
    largest //= multiple
    nominal = tuple({1: 64, 2: writer.pick(28, 32, 64), 3: 16}[writer.rank] // multiple for _ in symbols)
    points: dict[tuple[int, ...], Point] = {nominal: dict(zip(symbols, nominal, strict=True))}
    for round_number in range(60):
        near = writer.random.choice(edges)
        sizes = [near if writer.chance(0.3) else writer.random.choice(edges) for _ in symbols]
        if round_number % 3 == 2:
            sizes = [writer.random.randint(1, largest) for _ in symbols]
        point = tuple(max(1, min(size, largest)) for size in sizes)
        points[point] = dict(zip(symbols, point, strict=True))
        if len(points) == 30:
            break
    return tuple(points.values())


def draw(seed: int) -> Drawn:
    """The model of a seed, always the same one."""
    random = Random(seed)
    rank = random.choices((1, 2, 3), (3, 5, 2))[0]
    writer = Writer(random, rank, random.choice((1, 2, 3)))
    dims, symbols = _dims(writer)
    spec = _enter(writer, dims)
    multiple = int(dims[0].partition("*")[0]) if "*" in dims[0] else 1
    points = _points(writer, symbols, multiple)
    writer.nominal = tuple(_value(dim, points[0]) for dim in spec)
    writer.line("first = x.shape[2:]")
    _round_up(writer)
    template = writer.weighted({name: weight for name, (weight, _) in TEMPLATES.items()})
    TEMPLATES[template][1](writer)
    write_kept(writer, Random(f"kept {seed}"))
    final = _leave(writer)
    return Drawn(seed, writer.source(seed, final), ",".join(spec), symbols, points)
