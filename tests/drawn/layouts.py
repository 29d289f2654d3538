"""What changes how a map lies in memory, and the views that it allows or not."""

from __future__ import annotations

from collections.abc import Callable

from tests.drawn.writer import Writer


def reordered(writer: Writer) -> None:
    """The same numbers in another order in memory."""
    spatial = ", ".join(map(str, range(2, writer.rank + 2)))
    back = ", ".join(map(str, range(1, writer.rank + 1)))
    last = f"x = x.permute(0, {spatial}, 1).contiguous().permute(0, {writer.rank + 1}, {back})"
    turned = "x = x.transpose(1, -1).contiguous().transpose(1, -1)"
    formats = {2: "channels_last", 3: "channels_last_3d"}
    if writer.rank in formats and writer.chance(0.5):
        last = f"x = x.contiguous(memory_format=torch.{formats[writer.rank]})"
    writer.line(writer.pick(last, last, turned))


def viewed(writer: Writer) -> None:
    """Axes merged by a view, and cut again."""
    writer.line("shape = x.shape")
    writer.line(writer.pick("x = x.view(*shape[:2], -1)", "x = x.view(shape[0], -1)", "x = x.view(-1, *shape[2:])"))
    writer.line("x = x.view(shape)")


def merged_steps(writer: Writer) -> None:
    """A recurrent layer, whose steps are merged with the batch by a view."""
    channels = writer.channels
    layer = writer.module(f"nn.GRU({channels}, {channels}, batch_first={writer.pick(True, False)})", "recur")
    writer.line("shape = x.shape")
    writer.line(f"y = {layer}(x.flatten(2).transpose(1, 2))[0]")
    if writer.chance(0.5):
        writer.line("y = y.contiguous()")
    writer.line(f"y = y.view(-1, {channels}).view(shape[0], -1, {channels}).transpose(1, 2)")
    writer.line("x = y.reshape(shape)")


LAYOUTS: dict[str, tuple[int, Callable[[Writer], None]]] = {
    "reordered": (3, reordered),
    "viewed": (1, viewed),
    "merged_steps": (1, merged_steps),
}
