"""Boolean masks: how many elements one keeps is known of a row of constants; of others it is a number of the data.

That number is a size as others are, of which nothing but its bounds is known. What ends in one value (a mean over
`x[mask]`, a loss) has the same size whatever it is, and so has a tensor into which the elements are written back.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import torch

from shapelint.ops.index_origin import place_of, written_to
from shapelint.size.number import plain
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.recording.operation import Fresh, Operation, Result, size_rule
from shapelint.trace.recording.record import Recording, Shape, elements

Tensor = torch.Tensor
_counts: WeakKeyDictionary[Recording, dict[tuple[int, int], int]] = WeakKeyDictionary()
_KEPT: Final = "how many elements it {} depends on values"


def is_mask(part: Any) -> bool:
    """Whether a part of an index is a mask: a tensor, or a list of plain truth values."""
    if isinstance(part, list):
        return bool(part) and all(type(each) is bool for each in part)
    return isinstance(part, Tensor) and part.dtype in (torch.bool, torch.uint8)


def is_constant_row(op: Operation, mask: Any) -> bool:
    """Whether a mask is a row of constants."""
    if isinstance(mask, list):
        return True
    if mask.is_meta or mask.dim() != 1:
        return False
    known = op.recorder.known.get(id(mask)) or op.recorder.adopt(mask)
    return known.constant and not known.stale


def mask_rank(op: Operation, part: Any) -> int:
    """How many axes a mask takes; raises Unanalysable for one that is no tensor of booleans with axes."""
    if is_constant_row(op, part):
        return 1
    if part.dtype is not torch.bool or not part.dim():
        raise Unanalysable(f"a boolean mask as an index: {_KEPT.format('keeps')}")
    return int(part.dim())


def kept_count(op: Operation, mask: Any) -> int:
    """How many elements a mask keeps: the same number each time that it is asked of what nobody writes into."""
    if is_constant_row(op, mask):
        return int(torch.as_tensor(mask).count_nonzero())
    node, why = op.recorder.known[id(mask)].node, f"a boolean mask as an index: {_KEPT.format('keeps')}"
    counts, place = _counts.setdefault(op.recorder, {}), place_of(op, mask, node)
    if place < 0 or written_to(op.recorder, node):
        return _chosen(op, op.shape(mask), why)
    if (node, place) not in counts:
        counts[node, place] = _chosen(op, op.shape(mask), why)
    return counts[node, place]


def _chosen(op: Operation, shape: Shape, why: str) -> int:
    """A number of the elements of a tensor; all of them in this run."""
    total = elements(shape)
    return op.recorder.of_data(plain(total), why, most=total)


def places_of(op: Operation, mask: Any, count: int) -> tuple[Tensor, ...]:
    """The places that a mask keeps, as indices that torch's kernels for meta take."""
    if is_constant_row(op, mask):
        return (torch.as_tensor(mask).nonzero()[:, 0],)
    return tuple(torch.empty(plain(count), dtype=torch.int64, device="meta") for _ in range(mask.dim()))


@size_rule(torch.masked_select, Tensor.masked_select)
def _masked_select(op: Operation, input: Tensor, mask: Tensor) -> Result:
    """A row of the elements that the mask keeps, once the two are broadcast."""
    if mask.dtype is not torch.bool:
        raise Unanalysable(f"`{op.name}`: {_KEPT.format('gives')}")
    shape, own = op.broadcast(op.shape(input), op.shape(mask)), op.shape(mask)
    alike = len(shape) == len(own) and all(map(op.settled, shape, own))
    count = kept_count(op, mask) if alike else _chosen(op, shape, f"`{op.name}`: {_KEPT.format('gives')}")
    return Fresh((count,), input)


@size_rule(torch.nonzero, Tensor.nonzero, torch.argwhere, Tensor.argwhere)
def _nonzero(op: Operation, input: Tensor, *, as_tuple: bool = False) -> Result:
    """The places of all elements that are not 0: a row for each, or a tensor for each axis."""
    shape = op.shape(input)
    if as_tuple and not shape:
        raise Unanalysable(f"`{op.name}`: {_KEPT.format('gives')}")
    if input.dtype is torch.bool and shape:
        count = kept_count(op, input)
    else:
        count = _chosen(op, shape, f"`{op.name}`: {_KEPT.format('gives')}")
    if as_tuple:
        return tuple(Fresh((count,), input, torch.int64) for _ in shape)
    return Fresh((count, len(shape)), input, torch.int64)
