"""What numbers a call refuses, where sizes decide on them: in its tensors, and plain ones.

A size rule states what shapes a call refuses. PyTorch looks at numbers too: `torch.poisson` at rates below 0,
`torch.linalg.inv` at matrices without an inverse, `%` of integers at a zero. Numbers of the data are taken to be right;
of those that sizes decide on nothing is known, unless their bounds tell. Requirements: aten/src/ATen/native.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import torch

from shapelint.ops.index_origin import above, data_of, is_of_size, mixed_with_sizes
from shapelint.ops.index_range import bounds_of
from shapelint.ops.sizes_decide import sizes_decide
from shapelint.size.condition import any_of, at_least, equal
from shapelint.size.function import constant
from shapelint.size.number import function_of
from shapelint.size.ratio import Ratio, as_integer
from shapelint.size.tracking import symbolic
from shapelint.trace.fitting.dtypes import is_refused
from shapelint.trace.recording.errors import Kind
from shapelint.trace.recording.operation import NUMBER_CHECKS, Operation
from shapelint.trace.recording.trees import flat_tensors

Tensor = torch.Tensor
_TRIED: Final = (-3, -1, 0, 1, 2, 5, 1000)


def _of_tensors(op: Operation, args: Any, kwargs: Any, *, places: Sequence[int] = (0,)) -> None:
    """The numbers of these arguments are looked at."""
    given = [*args[: max(places) + 1], *kwargs.values()]
    for place, each in enumerate(given):
        if isinstance(each, Tensor) and (place in places or place >= len(args)) and _are_moved(op, each):
            op.recorder.leak(f"sizes decide on the numbers given to `{op.name}`, which refuses some", unseen=True)


def _are_moved(op: Operation, tensor: Tensor) -> bool:
    """Whether sizes decide on the numbers, or have a say in integers of the data."""
    known = op.recorder.known.get(id(tensor))
    if known is None or known.node < 0 or (known.constant and not known.stale):
        return known is not None and any(symbolic(each) for each in known.values or ())
    whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype is torch.bool)
    return sizes_decide(op, tensor) or (whole and mixed_with_sizes(op, tensor))


def _of_matrices(op: Operation, args: Any, kwargs: Any) -> None:
    """Whether a matrix has an inverse may depend on over how many rows it was summed, or how large it is."""
    matrix = next(iter(flat_tensors((args, kwargs))), None)
    if matrix is None or matrix.dim() < 2:
        return
    summed = data_of(op, matrix) and _is_summed(op, matrix)
    if summed or sizes_decide(op, matrix):
        op.recorder.leak(f"sizes decide on whether `{op.name}` takes the matrix that it is given", unseen=True)


def _is_summed(op: Operation, matrix: Tensor) -> bool:
    """Whether it was made by a product that sums over as much as a size says, or gives it as many rows."""
    grows = any(map(symbolic, op.shape(matrix)[-2:]))
    for record in above(op, matrix):
        if record.name in _PRODUCTS:
            given, made = (_symbols(op, tree) for tree in ((record.arguments, dict(record.keywords)), record.result))
            if grows or given - made:
                return True
    return False


def _symbols(op: Operation, tree: Any) -> set[str]:
    sizes = [dim for tensor in flat_tensors(tree) for dim in op.shape(tensor)]
    return {name for dim in sizes for name in function_of(dim).symbols()}


def _of_divisor(op: Operation, args: Any, kwargs: Any) -> None:
    """An integer is divided by no zero."""
    if op.name.startswith(("div", "true_div")) and kwargs.get("rounding_mode") is None:
        return
    left, right = (args[0], args[1]) if len(args) > 1 else (args[0], kwargs.get("other"))
    if op.name.startswith("__r"):
        left, right = right, left
    if not all(_is_whole(each) for each in (left, right)):
        return
    number, none = as_integer(right), constant(0)
    if number is None:
        bounds = bounds_of(op, right)
        sure = bounds is not None and (op.decide(at_least(function_of(bounds.low), constant(1))))
        if not sure and _are_moved(op, right):
            op.recorder.leak(f"sizes decide on whether `{op.name}` divides by zero", unseen=True)
    elif symbolic(number):
        parts = [at_least(function_of(number), constant(1)), at_least(none, function_of(number).plus(1))]
        parts += [equal(function_of(dim), none) for dim in op.shape(left)]
        op.require(any_of(parts), Kind.ARGUMENT, "ZeroDivisionError")


def _is_whole(number: Any) -> bool:
    if isinstance(number, Tensor):
        return not (number.is_floating_point() or number.is_complex())
    return isinstance(number, int)


def _of_exponent(op: Operation, args: Any, kwargs: Any) -> None:
    """Integers have no negative powers, if the exponent is a plain number."""
    exponent = args[1] if len(args) > 1 else kwargs.get("exponent")
    if op.name != "__rpow__" and isinstance(exponent, int) and symbolic(exponent) and _is_whole(args[0]):
        op.require_at_least(exponent, 0, Kind.ARGUMENT, "Integers to negative integer powers are not allowed.")


def _of_power(op: Operation, args: Any, kwargs: Any) -> None:
    """A negative power of a matrix is one of its inverse."""
    exponent = args[1] if len(args) > 1 else kwargs.get("n")
    if is_of_size(exponent) and not op.decide(at_least(function_of(exponent), constant(0))):
        op.recorder.leak(f"sizes decide on whether `{op.name}` takes an inverse", unseen=True)


def _of_fill(op: Operation, args: Any, kwargs: Any) -> None:
    """A number that a small integer dtype cannot hold."""
    given = {**dict(enumerate(args)), **kwargs}
    place = "fill_value" if "fill_value" in kwargs else len(args) - 1
    if is_of_size(given.get(place)):
        _try(op, given, place)


def _of_settings(op: Operation, args: Any, kwargs: Any) -> None:
    """Plain numbers that are sizes, each tried with other values: which of them are refused may be those below one."""
    given = {**dict(enumerate(args)), **kwargs}
    places = [place for place, each in given.items() if is_of_size(each)]
    if len(places) > 1:  # of two limits one may have to be below the other
        op.recorder.leak(f"`{op.name}` refuses some pairs of numbers, which sizes decide on", unseen=True)
    for place in places:
        _try(op, given, place)


def _try(op: Operation, given: Mapping[Any, Any], place: Any) -> None:
    number = given[place]
    values = [each / 2 for each in _TRIED] if isinstance(number, Ratio) else list(_TRIED)
    taken = [value for value in values if not is_refused(op, *_parted({**given, place: value}))]
    least = min(taken, default=1)
    top = function_of(number._numerator if isinstance(number, Ratio) else number)
    whole = taken == values[len(values) - len(taken) :] and least <= values[3]
    if len(taken) < len(values) and not (whole and op.decide(at_least(top, constant(1 if least > 0 else 0)))):
        op.recorder.leak(f"`{op.name}` refuses some numbers, which sizes decide on", unseen=True)


def _parted(given: Mapping[Any, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    places = tuple(each for name, each in given.items() if isinstance(name, int))
    return places, {name: each for name, each in given.items() if isinstance(name, str)}


_PRODUCTS = frozenset({
    "matmul", "__matmul__", "__rmatmul__", "bmm", "mm", "einsum", "baddbmm", "addmm", "cov", "linear", "tensordot",
    "inner",
})  # fmt: skip
_CHECKS: dict[Callable[..., None], tuple[str, ...]] = {
    _of_tensors: (
        "poisson", "bernoulli", "bernoulli_", "multinomial", "linalg_eigh", "linalg_eig",
        "linalg_eigvals", "linalg_eigvalsh", "linalg_svd", "linalg_svdvals", "svd", "pinverse", "linalg_pinv",
        "linalg_matrix_rank", "linalg_cond", "linalg_lstsq", "nuclear_norm",
    ),
    partial(_of_tensors, places=(0, 1)): ("normal", "binomial", "binary_cross_entropy"),
    partial(_of_tensors, places=(1,)): ("multi_margin_loss", "multilabel_margin_loss", "nll_loss2d", "nll_loss_nd"),
    partial(_of_tensors, places=(1, 2, 3)): ("ctc_loss", "_ctc_loss"),
    _of_matrices: (
        "linalg_inv", "inverse", "linalg_cholesky", "cholesky", "linalg_solve", "linalg_tensorinv", "cholesky_inverse",
        "linalg_tensorsolve", "linalg_lu_factor", "linalg_ldl_factor", "linalg_matrix_power", "matrix_power",
        "_lu_with_info",
    ),
    _of_divisor: (
        "remainder", "remainder_", "fmod", "fmod_", "floor_divide", "floor_divide_", "div", "div_", "divide", "divide_",
        "__floordiv__", "__rfloordiv__", "__ifloordiv__", "__mod__", "__rmod__", "__imod__",
    ),
    _of_exponent: ("pow", "pow_", "__pow__", "__ipow__"),
    _of_power: ("linalg_matrix_power", "matrix_power"),
    _of_fill: ("new_full",),
    _of_settings: (
        "polygamma", "polygamma_", "mvlgamma", "mvlgamma_", "renorm", "renorm_", "hardtanh", "hardtanh_", "normal_",
        "uniform_", "exponential_", "cauchy_", "log_normal_", "random_", "geometric_", "local_response_norm", "cdist",
        "pdist", "fill_", "masked_fill", "masked_fill_", "huber_loss", "smooth_l1_loss", "normal", "celu", "celu_",
        "full_like", "histc", "softshrink",
    ),
}  # fmt: skip

for _check, _names in _CHECKS.items():
    for _name in _names:
        NUMBER_CHECKS.setdefault(_name, []).append(_check)
