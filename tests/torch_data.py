"""PyTorch's own test data as calls: samples and error inputs of its operators (OpInfo) and modules (ModuleInfo).

Nobody of this project wrote them. Beside the dtypes that an operator takes it is asked about those that it refuses, on
the same samples cast, and beside the function there are its method, its in-place form and `out=`.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import islice
from typing import Any

import torch
from torch import nn

DTYPES = (torch.float32, torch.int64, torch.bool, torch.complex64, torch.float16, torch.bfloat16)
_MOST_SAMPLES = 300
_LEFT_OUT = frozenset({
    "lu_unpack", "ormqr", "_segment_reduce", "_unsafe_masked_index", "histogramdd", "native_batch_norm",
    "_native_batch_norm_legit", "_batch_norm_with_update", "lu_solve", "linalg.lu_solve", "linalg.ldl_solve",
})  # fmt: skip
"""Operators whose kernels trust the numbers or the sizes of their tensors and die of others, or fill all memory."""
_BROKEN = frozenset({
    f"index_reduce.{kind}{form} {dtype}" for kind in ("prod", "mean", "amin", "amax") for form in ("", "_", " out")
    for dtype in ("float16", "bfloat16")
})  # fmt: skip
"""An assertion of PyTorch's own fails in these at size 1."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor stands among the arguments of a call: an input, or a constant of the model."""

    index: int
    constant: bool


@dataclass(slots=True)
class Gathered:
    """The tensors that were taken out of the arguments of a call."""

    inputs: list[torch.Tensor] = field(default_factory=list)
    constants: list[torch.Tensor] = field(default_factory=list)

    def taken(self, tree: Any) -> Any:
        """The arguments with places for tensors; raises ValueError for one that no spec can describe."""
        if isinstance(tree, torch.Tensor):
            return self._place(tree)
        return _mapped(self.taken, tree)

    def _place(self, tensor: torch.Tensor) -> Place:
        if type(tensor) not in (torch.Tensor, nn.Parameter) or tensor.layout is not torch.strided:
            raise ValueError(f"a tensor of {type(tensor).__name__}, {tensor.layout}")
        if tensor.is_quantized or tensor.is_nested or tensor.device.type != "cpu":
            raise ValueError("a tensor that is quantized, nested or elsewhere")
        fixed = tensor.numel() == 0 or (tensor.dim() == 0 and not tensor.is_floating_point())
        home = self.constants if fixed else self.inputs
        home.append(tensor.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format))
        return Place(len(home) - 1, fixed)


def _mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: change(part) for key, part in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*map(change, tree))
    return type(tree)(map(change, tree)) if type(tree) in (tuple, list) else tree


class Call(nn.Module):
    """A call of which tensors come in and everything else is fixed; `around` makes the arguments ready."""

    def __init__(self, function: Callable[..., Any], arguments: Any, constants: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.function, self.arguments = function, arguments
        for number, tensor in enumerate(constants):
            self.register_buffer(f"constant{number}", tensor)

    def forward(self, *inputs: torch.Tensor) -> Any:
        args, kwargs = self._filled(inputs, self.arguments)
        return self.function(*args, **kwargs)

    def _filled(self, inputs: Sequence[torch.Tensor], tree: Any) -> Any:
        if isinstance(tree, Place):
            return getattr(self, f"constant{tree.index}") if tree.constant else inputs[tree.index]
        return _mapped(partial(self._filled, inputs), tree)


@dataclass(frozen=True, slots=True)
class Case:
    """A model that makes one call, the tensors of PyTorch's sample, and how the call reads.

    It is `thorough` where it is worth being asked about with single tensors and axes open.
    """

    text: str
    model: nn.Module
    tensors: tuple[torch.Tensor, ...]
    train: bool = False
    thorough: bool = True

    def fresh(self) -> nn.Module:
        """The model as no run has left it."""
        return copy.deepcopy(self.model).train(self.train)


@dataclass(frozen=True, slots=True)
class Source:
    """One operator in one form and dtype, or one module in one mode: a name, and what makes its cases."""

    name: str
    make: Callable[[], Iterator[Case]]

    def cases(self, most: int, drawn: random.Random) -> list[Case]:
        """Some of its cases that look different, always the same ones for the same draws."""
        torch.manual_seed(0)
        random.seed(0)
        found = {case.text: case for case in islice(self.make(), _MOST_SAMPLES)}
        return drawn.sample(list(found.values()), min(most, len(found)))


@cache
def sources() -> tuple[Source, ...]:
    """Every operator and every module, mixed, so that the first ones are a fair sample."""
    from torch.testing._internal.common_methods_invocations import op_db  # type: ignore[attr-defined]
    from torch.testing._internal.common_modules import module_db  # type: ignore[attr-defined]

    found = [source for info in op_db if info.name not in _LEFT_OUT for source in _of_operator(info)]
    found += [
        Source(f"{info.name} {'train' if train else 'eval'}", partial(_modules, info, train))
        for info in module_db
        for train in (False, True)
    ]
    found = [source for source in found if source.name not in _BROKEN]
    random.Random(0).shuffle(found)
    return tuple(found)


def _of_operator(info: Any) -> Iterator[Source]:
    name = ".".join(filter(None, (info.name, info.variant_test_name)))
    takes = [dtype for dtype in DTYPES if info.supports_dtype(dtype, "cpu")]
    forms = {"": info.op, "_": info.inplace_variant, " out": info.op if info.supports_out else None}
    for dtype in takes:
        for form, function in forms.items():
            if function is not None:
                made = partial(_samples, info, function, form, dtype, dtype)
                yield Source(f"{name}{form} {str(dtype)[6:]}", made)
    if not takes:
        return
    if info.method_variant not in (None, info.op):
        yield Source(f"{name} method", partial(_samples, info, info.method_variant, "", takes[0], takes[0]))
    if info.error_inputs_func is not None:
        yield Source(f"{name} errors", partial(_errors, info))
    for dtype in DTYPES:
        if dtype not in takes:
            yield Source(f"{name} cast to {str(dtype)[6:]}", partial(_samples, info, info.op, "", takes[0], dtype))


def _samples(
    info: Any, function: Callable[..., Any], form: str, dtype: torch.dtype, wanted: torch.dtype
) -> Iterator[Case]:
    for sample in info.sample_inputs("cpu", dtype, requires_grad=False):
        args, kwargs = (sample.input, *sample.args), sample.kwargs
        if wanted is not dtype:
            args, kwargs = (_cast(each, dtype, wanted) for each in (args, kwargs))
        called = {"": function, "_": _InPlace(function), " out": _Out(function)}[form]
        first = dtype is wanted and next(filter(info.dtypes.__contains__, DTYPES)) is dtype
        for case in _case(info.name + form, called, args, kwargs):
            yield replace(case, thorough=first and form != " out")


def _cast(tree: Any, dtype: torch.dtype, wanted: torch.dtype) -> Any:
    if isinstance(tree, torch.Tensor):
        return tree.to(wanted) if tree.dtype is dtype else tree
    return _mapped(lambda part: _cast(part, dtype, wanted), tree)


def _errors(info: Any) -> Iterator[Case]:
    for each in info.error_inputs("cpu"):
        sample = each.sample_input
        yield from _case(f"error {info.name}", info.op, (sample.input, *sample.args), sample.kwargs)


@dataclass(frozen=True, slots=True)
class _InPlace:
    """Changes a copy of its first argument."""

    function: Callable[..., Any]

    def __call__(self, first: Any, *args: Any, **kwargs: Any) -> Any:
        return self.function(first.clone(), *args, **kwargs)


@dataclass(frozen=True, slots=True)
class _Out:
    """Writes into empty tensors of the dtype of the first argument."""

    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        like = next(each for each in (*args, *args[0]) if isinstance(each, torch.Tensor))
        return self.function(*args, **kwargs, out=torch.empty(0, dtype=like.dtype))


def _case(name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Iterator[Case]:
    """The case of a call, or none where a tensor of it is no plain one."""
    gathered = Gathered()
    try:
        arguments = gathered.taken((tuple(args), dict(kwargs)))
    except ValueError:
        return
    text = f"{name}({', '.join((*map(_brief, args), *(f'{key}={_brief(each)}' for key, each in kwargs.items())))})"
    yield Case(text, Call(function, arguments, gathered.constants), tuple(gathered.inputs))


def _brief(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"T{tuple(value.shape)}" + ("" if value.dtype is torch.float32 else f":{str(value.dtype)[6:]}")
    if type(value) in (tuple, list):
        return f"[{', '.join(map(_brief, value))}]"
    return repr(value)[:60]


def _modules(info: Any, train: bool) -> Iterator[Case]:
    for each in info.module_inputs_func(info, "cpu", torch.float32, requires_grad=False, training=train):
        yield from _module(info, each, train)
    if info.module_error_inputs_func is not None:
        for error in info.module_error_inputs_func(info, "cpu", torch.float32, requires_grad=False, training=train):
            yield from _module(info, error.module_error_input, train)


def _module(info: Any, given: Any, train: bool) -> Iterator[Case]:
    """The case of a module and its input, or none where it cannot be built or is given nothing."""
    made, forward = given.constructor_input, given.forward_input
    if forward is None:
        return
    try:
        module = info.module_cls(*made.args, **made.kwargs).train(train)
    except (AssertionError, RuntimeError, TypeError, ValueError):
        return  # an error input of the constructor
    for case in _case(info.module_cls.__name__, module, forward.args, forward.kwargs):
        kwargs = (f"{key}={_brief(each)}" for key, each in made.kwargs.items())
        yield Case(f"({', '.join((*map(_brief, made.args), *kwargs))}) {case.text}", case.model, case.tensors, train)
