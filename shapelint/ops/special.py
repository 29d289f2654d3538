"""Rarer functions element by element: of one tensor, or of two that broadcast.

https://docs.pytorch.org/docs/stable/special.html
"""

from __future__ import annotations

from typing import Any

import torch

from shapelint.ops.elementwise import in_place
from shapelint.ops.scatter import written
from shapelint.trace.recording.operation import Kernel, NoRule, Operation, Result, size_rule, spellings

Tensor = torch.Tensor

_ONE = (
    "arccosh", "arcsinh", "arctanh", "mvlgamma", "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "entr",
    "erfcx", "gammaln", "i0e", "i1", "i1e", "log_ndtr", "modified_bessel_i0", "modified_bessel_i1", "psi",
    "modified_bessel_k0", "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "spherical_bessel_j0",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
)  # fmt: skip
_TWO = (
    "igamma", "igammac", "gammainc", "gammaincc", "zeta", "xlog1py", "hermite_polynomial_h",
    "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w",
)  # fmt: skip


def _one(op: Operation, input: Tensor, *settings: Any, **named: Any) -> Result:
    """A function of each element."""
    if any(isinstance(each, Tensor) for each in (*settings, *named.values())) or not isinstance(input, Tensor):
        raise NoRule
    return written(op, input)


def _two(op: Operation, input: Any, other: Any) -> Result:
    tensors = [each for each in (input, other) if isinstance(each, Tensor)]
    if op.name.endswith("_"):
        in_place(op, *tensors)
        return Kernel((op.shape(tensors[0]),))
    return Kernel((op.broadcast(*map(op.shape, tensors)),))


@size_rule(torch.polygamma, Tensor.polygamma, Tensor.polygamma_, torch.special.polygamma)
def _polygamma(op: Operation, *arguments: Any) -> Result:
    """torch.polygamma(n, x), x.polygamma(n)."""
    return written(op, next(each for each in arguments if isinstance(each, Tensor)))


@size_rule(*spellings("frexp", inplace=False))
def _frexp(op: Operation, input: Tensor) -> Result:
    return Kernel((op.shape(input),) * 2)


for _names, _rule in ((_ONE, _one), (_TWO, _two)):
    _functions = dict.fromkeys(function for name in _names for function in spellings(name))
    size_rule(*_functions)(_rule)
