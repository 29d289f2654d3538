"""What is kept by its size: dicts with sizes and texts of sizes as keys, sets that are asked for one, caches, bits."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.drawn.writer import Writer


def _axis(writer: Writer) -> int:
    return writer.random.randrange(2, writer.rank + 2)


def mask(writer: Writer) -> None:
    """A mask of the module's, by its sizes or by a text of them."""
    kept = writer.module("{}", "kept")
    key = writer.pick("tuple(x.shape[2:])", "x.shape[2:]", "str(x.shape)", "(*x.shape[2:], x.dtype)",
                      "f'{x.shape[2]}x{x.shape[-2]}x{x.shape[-1]}'")  # fmt: skip
    writer.line(f"key = {key}")
    writer.line(f"if key not in {kept}:")
    writer.line(f"    {kept}[key] = torch.zeros(x.shape[2:])")
    writer.line(f"x = x + {kept}[key]")


def asked(writer: Writer) -> None:
    """A table or a set that a size may be in."""
    axis, numbers = _axis(writer), sorted(writer.random.sample(range(2, 40), 3))
    size = f"x.shape[{axis}]"
    writer.line(writer.pick(
        f"if {size} in {set(numbers)}: x = x.narrow({axis}, 1, {size} - 1)",
        f"x = x.narrow({axis}, 0, {size} - {dict.fromkeys(numbers, 1)}.get({size}, 0))",
        f"if (x.shape[2], x.shape[-1]) not in {{(8, 8), {tuple(numbers[:2])}}}: x = x.narrow({axis}, 0, 1)",
        f"if f'w{{{size}}}' in {[*map('w{}'.format, numbers)]}: x = x * 2"))  # fmt: skip


def counted(writer: Writer) -> None:
    """Sizes that may be the same key, or the same as a number that is one."""
    rows, axis = writer.name("rows"), _axis(writer)
    wrap = writer.pick("{}", "({}, 1)", "f's{{{}}}'", "'%d of %d' % ({}, 3)")
    first, second = wrap.format("x.shape[2]"), wrap.format(writer.pick("x.shape[-1]", "(x.shape[-1] + 1) // 2"))
    writer.line(f"{rows} = {{{writer.pick('9', '(9, 1)', repr('s9'))}: 1}}")
    writer.line(f"{rows}[{first}] = 1")
    writer.line(f"{rows}[{second}] = {rows}.get({first}, 0) + 1")
    writer.line(f"x = x.narrow({axis}, 0, max(x.shape[{axis}] - len({rows}), 1))")


def cached(writer: Writer) -> None:
    """A function that is cached, and a dict from a cache that is changed."""
    half, state = writer.module("functools.lru_cache(lambda n: n // 2)"), writer.module("functools.cache(dict)")
    axis = _axis(writer)
    writer.line(f"{state}()['n'] = {state}().get('n', 0) + {half}(x.shape[{axis}]) - {half}(x.shape[{axis}] - 1)")
    writer.line(f"x = x.narrow({axis}, 0, max(x.shape[{axis}] - {state}().pop('n'), 1))")


def bits(writer: Writer) -> None:
    """Whether one of several sizes is odd."""
    odd = writer.pick(
        "(x.shape[2] | x.shape[-1]) & 1", "x.shape[2] % 4 | x.shape[-1] % 4", "(x.shape[2] | x.shape[-1]) % 2 == 0"
    )
    writer.line(f"if {odd}: x = x.narrow(2, 0, 1)")


KEPT: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "mask": (3, mask),
    "asked": (2, asked),
    "counted": (2, counted),
    "cached": (1, cached),
    "bits": (1, bits),
}


def write_kept(writer: Writer, numbers: Random) -> None:
    """Writes one of them now and then, drawn by numbers of their own, so that all else is as without them."""
    others, writer.random = writer.random, numbers
    if writer.chance(0.2):
        KEPT[writer.weighted({name: weight for name, (weight, _) in KEPT.items()})][1](writer)
    writer.random = others
