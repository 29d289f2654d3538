"""Whether a model goes only one way because the layers that would undo its steps have no stride.

An autoencoder whose transposed layers all have stride 1 gives back a quarter of its input; one whose encoder has lost
its strides, but not the kernels that went with them, gives back four times its size. Both are no such parts on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from shapelint.facts.graph import Dimension, Node, ShapeGraph
from shapelint.size.function import as_function

_SEVERAL = 2


def lacking_steps(graph: ShapeGraph, taken: Sequence[Dimension], given: Sequence[Dimension]) -> tuple[Node, str] | None:
    """The first layer that has no step where one undoes those of others, and what is told of it, in a model that gives
    as many axes and channels as it takes; None where its steps may be meant.
    """
    if len(taken) != len(given) or len(taken) < _SEVERAL:
        return None
    channels = [as_function(dims[1]) for dims in (taken, given)]
    if channels[0] != channels[1] or channels[0].constant is None:
        return None
    nodes = [graph.nodes[index] for index in sorted(graph.reached())]
    scaling = [node for node in nodes if any(factor != 1 for factor in node.factor)]
    convolving = [node for node in nodes if node.operation.startswith("conv") and max(_kernel(node)) > 1]
    if len(scaling) < _SEVERAL:
        return None
    if all(max(node.factor) <= 1 for node in scaling):
        undoing = [node for node in convolving if "transpose" in node.operation]
        if len(undoing) == len(scaling) and undoing[0].index > scaling[-1].index:
            return undoing[0], "as many transposed layers as go down have stride 1"
    elif all(min(node.factor) >= 1 and "transpose" in node.operation for node in scaling):
        kernels = [_kernel(node) for node in reversed(scaling)]
        ahead = [node for node in convolving if node not in scaling and _kernel(node) in kernels]
        even = all(size % 2 == 0 for kernel in kernels for size in kernel if size > 1)
        if even and list(map(_kernel, ahead)) == kernels and ahead[-1].index < scaling[0].index:
            return ahead[0], "layers with the kernels of those that go up have stride 1"
    return None


def _kernel(node: Node) -> tuple[int, ...]:
    return node.parameter("kernel_size") or (1,)
