"""The recorded run of a model as plain frozen data: nodes with symbolic shapes, and pairs of mirrored layers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from shapelint.size.function import Function
from shapelint.source.span import Span

Dimension = int | Function


@dataclass(frozen=True, slots=True)
class TensorShape:
    """The dimensions of one tensor, each an integer or a function of the symbols."""

    dims: tuple[Dimension, ...]

    def value(self, sizes: dict[str, int]) -> tuple[int, ...]:
        """The shape where the symbols have the given sizes."""
        return tuple(dim if isinstance(dim, int) else dim.value(sizes) for dim in self.dims)

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.dims)) + ")"


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a torch function.

    `module` is the path of the module whose forward made the call ("" is the root), `call` counts the runs of
    that module from 1; `taken` are the parameters and buffers among its arguments. `spatial` is the number of spatial
    axes of a convolution, pool, resize or shuffle (0 else)
    and `factor` what it multiplies each by. `parameters` are the arguments that set the size.
    """

    index: int
    operation: str
    module: str
    call: int
    inputs: tuple[int, ...]
    shapes: tuple[TensorShape, ...]
    place: Span | None = None
    built: Span | None = None
    kind: str = ""
    spatial: int = 0
    factor: tuple[Fraction, ...] = ()
    parameters: tuple[tuple[str, tuple[int, ...]], ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The parameter or buffer that it is made of, where it takes no result of a call; "" for none."""
        return self.taken[0] if self.taken and not self.inputs else ""

    def parameter(self, name: str) -> tuple[int, ...] | None:
        """An argument that sets the size, per axis; None where the call has no such argument."""
        return dict(self.parameters).get(name)


@dataclass(frozen=True, slots=True)
class Pair:
    """Down-sampling layers and the up-sampling layers that mirror them, with what the pair loses per axis.

    `size_in` is the spatial size before the first of `down`, `size_out` the one after the last of `up`, both at
    the asked size; where the model raises there, as the way through a size that runs gives them. `remainder` is what
    the down-sampling layers lose (n + 2p - d(k-1) - 1 mod s for a convolution), in rows of `size_in`.
    """

    down: tuple[str, ...]
    up: tuple[str, ...]
    size_in: tuple[int, ...]
    size_out: tuple[int, ...]
    remainder: tuple[int, ...]
    down_nodes: tuple[int, ...] = ()
    up_nodes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ShapeGraph:
    """The calls of one run in order; nodes 0 to len(inputs) - 1 are the input tensors."""

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    sizes: dict[str, int] = field(default_factory=dict)

    def ancestors(self, node: Node, through: Callable[[Node], Iterable[int]] | None = None) -> Iterator[Node]:
        """The calls that a call depends on, itself first and the nearest before others.

        `through` tells by which of its inputs a call depends on others, where that is not all.
        """
        seen, waiting = {node.index}, deque([node])
        while waiting:
            each = waiting.popleft()
            yield each
            inputs = each.inputs if through is None else through(each)
            found = [index for index in dict.fromkeys(inputs) if index not in seen]
            seen.update(found)
            waiting.extend(self.nodes[index] for index in found)

    def reached(self) -> frozenset[int]:
        """The numbers of the calls that the outputs depend on."""
        seen: set[int] = set()
        waiting = [index for index in self.outputs if index >= 0]
        while waiting:
            index = waiting.pop()
            if index not in seen:
                seen.add(index)
                waiting.extend(self.nodes[index].inputs)
        return frozenset(seen)

    def name_of(self, node: Node) -> str:
        """A call by its layer, and by which call of it where there are several: "up, call 2".

        It may be one of a run that went on where this one ends. A function that is not all of what its module does has
        its own name: "interpolate in decoder".
        """
        own = node.operation.removesuffix("_with_indices").replace("__getitem__", "slice")
        if not node.module or (not _is_layers(node) and any(self._beside(node))):
            return f"{own} in {node.module}" if node.module else own
        times = max([node.call, *(each.call for each in self.nodes if each.module == node.module)])
        return f"{node.module}, call {node.call}" if times > 1 else node.module

    def _beside(self, node: Node) -> Iterator[Node]:
        """The other calls of a run of a module that resample or convolve, slices and those of its layers among them."""
        for each in self.nodes:
            resamples = each.spatial or any(factor != 1 for factor in each.factor)
            own = (each.module, each.call) == (node.module, node.call)
            if resamples and each is not node and (own or each.module.startswith(f"{node.module}.")):
                yield each

    def call_of(self, module: str, place: Span | None) -> Node | None:
        """The first call that a module makes at a place; None where there is none."""
        return next((node for node in self.nodes if (node.module, node.place) == (module, place)), None)


def ticked(name: str) -> str:
    """The name of a call between backticks, with its module in some of their own: `interpolate` in `decoder`."""
    return f"`{name.replace(' in ', '` in `')}`"


def _is_layers(node: Node) -> bool:
    """Whether a call is what a layer of its name does: `conv2d` in a Conv2d, `interpolate` in an Upsample."""
    words = (node.operation.removesuffix("_with_indices").replace("_", ""), "upsampl" if node.spatial else "")
    return any(word and word in node.kind.lower() for word in words)


def size_at(dims: Iterable[Function], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The values of dimensions where the symbols have the given sizes."""
    return tuple(dim.value(sizes) for dim in dims)
