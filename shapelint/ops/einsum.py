"""`torch.einsum`, in its form with an equation, to which torch itself turns lists of numbers.

https://docs.pytorch.org/docs/stable/generated/torch.einsum.html; requirements: aten/src/ATen/native/Linear.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from shapelint.ops.view import ones
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule
from shapelint.trace.recording.record import Shape

_TERM = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*")


@size_rule(torch.einsum)
def _einsum(op: Operation, equation: Any, *operands: Any) -> Result:
    """Each letter stands for one size, `...` for all others; sizes of 1 broadcast."""
    tensors = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else list(operands)
    if not isinstance(equation, str):
        raise NoRule
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    for term in (*terms, output):
        if not _TERM.fullmatch(term):
            op.refuse(Kind.ARGUMENT, f"einsum(): the subscripts {term} are no letters and at most one ellipsis")
    if len(terms) != len(tensors):
        op.refuse(Kind.ARGUMENT, f"einsum(): {len(tensors)} operands for {len(terms)} subscripts")
    sizes: dict[str, int] = {}
    rest: list[Shape] = []
    for term, tensor in zip(terms, tensors, strict=True):
        rest.append(_named(op, term, op.shape(tensor), sizes))
    others = op.broadcast(*rest)
    kept = output if arrow else _implied(inputs)
    letters = kept.replace("...", "")
    if not set(letters) <= set(sizes) or len(set(letters)) < len(letters):
        op.refuse(Kind.ARGUMENT, f"einsum(): the output subscripts {kept} do not fit the operands")
    op.layout = tuple(condition for tensor in tensors for condition in ones(op.shape(tensor)))
    return Kernel((_shape(kept, sizes, others),))


def _named(op: Operation, term: str, shape: Shape, sizes: dict[str, int]) -> Shape:
    """Learns the sizes of the term's letters, and returns those that its ellipsis stands for."""
    before, dots, after = term.partition("...")
    count = len(before) + len(after)
    if len(shape) < count or (len(shape) > count and not dots):
        op.refuse(Kind.ARGUMENT, f"einsum(): the subscripts {term} for an operand of {len(shape)} dimensions")
    dims = (*shape[: len(before)], *shape[len(shape) - len(after) :])
    own: dict[str, int] = {}
    for letter, dim in zip(before + after, dims, strict=True):
        text = f"einsum(): subscript {letter} is repeated but the sizes don't match, {{left}} != {{right}}"
        op.require_equal(dim, own.setdefault(letter, dim), Kind.JOIN, text)
    for letter, dim in own.items():
        sizes[letter] = op.broadcast((sizes[letter],), (dim,))[0] if letter in sizes else dim
    return shape[len(before) : len(shape) - len(after)]


def _implied(inputs: str) -> str:
    """Without an arrow: the ellipsis, and in alphabetical order the letters that occur once."""
    letters = inputs.replace(",", "").replace(".", "")
    return ("..." if "..." in inputs else "") + "".join(sorted(each for each in letters if letters.count(each) == 1))


def _shape(kept: str, sizes: dict[str, int], others: Sequence[int]) -> Shape:
    before, dots, after = kept.partition("...")
    middle = tuple(others) if dots else ()
    return (*(sizes[letter] for letter in before), *middle, *(sizes[letter] for letter in after))
