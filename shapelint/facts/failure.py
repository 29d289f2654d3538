"""Why an operation raises at some sizes, as data: PyTorch's own conditions, put in words."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shapelint.facts.graph import Dimension


class Kind(enum.StrEnum):
    """What an operation asked of its sizes and did not get."""

    JOIN = "join"  # two tensors that are joined differ in size
    KERNEL = "kernel"  # a kernel is larger than its padded input
    EMPTY = "empty"  # a size falls below 1
    CHANNELS = "channels"  # a layer gets another number of channels or features than it was built for
    RESHAPE = "reshape"  # a view whose number of elements does not fit
    MULTIPLE = "multiple"  # channels that groups or a shuffle do not divide
    PAD = "pad"  # reflect padding as large as the size
    WRAP = "wrap"  # circular padding larger than the size
    UNPOOL = "unpool"  # indices that belong to another size
    OUTPUT_PADDING = "output_padding"  # output_padding not smaller than stride and dilation
    OUTPUT_SIZE = "output_size"  # a size asked of a transposed layer that it cannot give
    NORM = "norm"  # one value per channel in training
    ARGUMENT = "argument"  # an argument that is never allowed
    AXES = "axes"  # a tensor of more or fewer axes than a convolution or a pool takes
    INDEX = "index"  # an index beyond the size
    PYTHON = "python"  # a raise or assert of the model's own
    OBSERVED = "observed"  # an error of PyTorch's own kernel at the sizes of one run, that no size rule explains
    UNEXPLAINED = "unexplained"  # an error of which nobody knows where it comes from


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail; `text` may name `{left}`, `{right}` and `{shape}`, filled in for a size by `at`."""

    kind: Kind
    text: str
    left: Dimension = 0
    right: Dimension = 0
    axis: int | None = None
    shape: tuple[Dimension, ...] = ()

    def at(self, sizes: Mapping[str, int]) -> str:
        """The error text at one size."""
        return self._filled(lambda dim: str(dim if isinstance(dim, int) else dim.value(sizes)))

    @property
    def symbolic(self) -> str:
        """The error text with sizes as functions of the symbols."""
        return self._filled(str)

    def _filled(self, word: Callable[[Dimension], str]) -> str:
        text = self.text.replace("{left}", word(self.left)).replace("{right}", word(self.right))
        return text.replace("{shape}", ", ".join(map(word, self.shape)))
