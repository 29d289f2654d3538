"""What happens to a torch function without a size rule: its kernel runs, and what that proves is said.

The kernel is the one for the CPU, on small real tensors. Where no symbol reaches the call, its shapes are exact. Else
the operation alone is run at other sizes, and a formula is fitted to each output dimension: evidence, not proof. Where
none fits, nothing is said of other sizes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from shapelint.errors import printable, words_of
from shapelint.instrument.chance_number import plain_draws
from shapelint.source.fault import let_out
from shapelint.trace.fitting.alone import explain, fitted_shapes, functions_in, shapes_in
from shapelint.trace.fitting.blame import check_kinds
from shapelint.trace.fitting.inside import is_followed, value_inside
from shapelint.trace.fitting.real import TooLarge, real_result
from shapelint.trace.recording.errors import Kind, Unanalysable
from shapelint.trace.recording.operation import (
    NUMBER_CHECKS,
    RULES,
    VALUE_RULES,
    Fresh,
    Kernel,
    NoRule,
    Operation,
    Plain,
    Result,
    Same,
    SizeRule,
)
from shapelint.trace.recording.record import Shape
from shapelint.trace.recording.trees import flat_tensors, storage_of

_QUIET = frozenset({
    "__get__", "__set__", "is_floating_point", "is_complex", "element_size", "get_device",
    "is_inference", "requires_grad_", "__hash__", "is_signed", "type", "is_conj", "is_neg", "is_nonzero",
    "register_hook", "backward", "__repr__", "__format__", "is_shared", "is_distributed", "is_pinned", "retain_grad",
    "dense_dim", "sparse_dim", "dim_order", "record_stream", "register_post_accumulate_grad_hook", "is_coalesced",
    "qscheme",
})  # fmt: skip
_OF_NUMBERS = frozenset({
    *(f"__{side}{name}__" for name in ("add", "sub", "mul", "truediv", "pow") for side in ("", "r", "i")),
    *(f"{name}{place}" for name in ("add", "sub", "subtract", "mul", "multiply", "div", "divide", "true_divide", "pow",
                                    "lerp", "masked_fill", "fill", "addcmul") for place in ("", "_")),
    "where", "__lt__", "__le__", "__gt__", "__ge__", "lt", "le", "gt", "ge", "rsub", "full_like", "new_full",
})  # fmt: skip
"""Functions that take a number for what each element is made of, and make nothing else of it."""

_KEPT = frozenset({"share_memory_", "pin_memory", "__deepcopy__", "__reversed__", "to_dense", "dequantize", "coalesce"})


def declared(operation: Operation, args: Any, kwargs: Any) -> Result:
    """What the size rule of a call declares, or, where it has none that covers the arguments, the fallback.

    Raises what PyTorch raises there, and Unanalysable where that is not known.
    """
    if operation.recorder.thrown:
        args, kwargs = _without_chance(operation, args, kwargs)
    result = _of_rules(operation, args, kwargs)
    for check in NUMBER_CHECKS.get(operation.name, ()):
        check(operation, args, kwargs)
    return result


def _of_rules(operation: Operation, args: Any, kwargs: Any) -> Result:
    rule: SizeRule = RULES.get(operation.function, fallback)
    of_values: SizeRule | None = VALUE_RULES.get(operation.function) if operation.recorder.valued else None
    try:
        if of_values is not None:
            with suppress(NoRule):
                return of_values(operation, *args, **kwargs)
        result = rule(operation, *args, **kwargs)
        if rule is not fallback:
            check_kinds(operation, args, kwargs)
        return result
    except NoRule:
        return fallback(operation, *args, **kwargs)
    except TypeError as error:
        if rule is fallback or error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        return fallback(operation, *args, **kwargs)


def _without_chance(operation: Operation, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments with plain numbers for those that chance decided, of which the run is told; as they are where these
    only become a part of the numbers in a tensor of the data.
    """
    if operation.name in _OF_NUMBERS and any(tensor.is_meta for tensor in flat_tensors(args)):
        return args, kwargs
    return plain_draws(args, operation.name), plain_draws(kwargs, operation.name)


def fallback(operation: Operation, *args: Any, **kwargs: Any) -> Result:
    """The kernel's own result, with shapes that are fitted to other sizes where symbols reach the call."""
    twin = _by_twin(operation, args, kwargs)
    if twin is not None:
        return twin
    if is_followed(operation.function) and operation.function not in RULES:
        return Plain(value_inside(operation.recorder, operation.function, args, kwargs))
    known = _by_known_rule(operation, args, kwargs)
    value = _run(operation, args, kwargs)
    _forget_values(operation, (args, kwargs))
    if known is not None:
        check_kinds(operation, args, kwargs)
        return Ready(known, value)
    shapes = shapes_in(value)
    if not functions_in(operation, (args, kwargs)) or (operation.name in _QUIET and not flat_tensors(value)):
        return _result(value, shapes)
    if operation.name in _KEPT:
        return _result(value, tuple(operation.shape(tensor) for tensor in flat_tensors(args)[:1]))
    if value is not None and not shapes:
        operation.recorder.leak(f"the result of `{operation.name}`, which has no size rule")
        return Plain(value)
    return _result(value, fitted_shapes(operation, args, kwargs, shapes))


@dataclass(frozen=True, slots=True)
class Ready(Kernel):
    """A kernel's result that is there already."""

    value: Any = None


def _by_twin(operation: Operation, args: Any, kwargs: Any) -> Result | None:
    """What the rule of `torch.f` says of `torch.ops.aten.f`, which takes the same arguments."""
    if not isinstance(operation.function, _OVERLOADED) or not str(operation.function).startswith("aten."):
        return None
    name = operation.name.split(".")[0]
    twins = (getattr(home, name, None) for home in (torch, torch.Tensor, torch._C._nn))
    rule = next((RULES[twin] for twin in twins if twin in RULES), None)
    if rule is None or "out" in kwargs:
        return None
    operation.name = name
    try:
        return rule(operation, *args, **kwargs)
    except (NoRule, TypeError):  # TypeError: arguments of another form than those of `torch.f`
        return None


_OVERLOADED = (torch._ops.OpOverload, torch._ops.OpOverloadPacket)


def _by_known_rule(operation: Operation, args: Any, kwargs: Any) -> tuple[Shape | None, ...] | None:
    """The shapes that a rule gives where only `out` stands in its way: PyTorch gives `out` that shape."""
    rule = RULES.get(operation.function)
    if rule is None or kwargs.get("out") is None:
        return None
    try:
        result = rule(operation, *args, **{name: each for name, each in kwargs.items() if name != "out"})
    except NoRule:
        return None
    return _declared(result)


def _declared(result: Result) -> tuple[Shape | None, ...] | None:
    if isinstance(result, Kernel):
        return result.shapes
    parts = result if isinstance(result, tuple) else (result,)
    shapes = tuple(part.shape for part in parts if isinstance(part, (Fresh, Same)))
    return shapes if len(shapes) == len(parts) else None


def _run(operation: Operation, args: Any, kwargs: Any) -> Any:
    """What the function gives, on meta; where the trials tell why it raised, the sizes that raise like this are known.

    What it gives of tensors is told by its kernel for the CPU, on real ones, unless these would be too large.
    """
    try:
        return _on_cpu(operation, args, kwargs)
    except Unanalysable:
        raise
    except Exception as error:  # torch's; it is raised again
        let_out(error)
        check_kinds(operation, args, kwargs)
        if any(_is_index(tensor) for tensor in flat_tensors((args, kwargs))):
            text = f"`{operation.name}` has no size rule, and raised with the integers that were tried"
            raise Unanalysable(f"{text}: {_line(error)}") from error
        if not functions_in(operation, (args, kwargs)):
            operation.refuse(Kind.ARGUMENT, _line(error))
        explain(operation, args, kwargs)
        numbers = [leaf for leaf in tree_leaves((args, kwargs)) if not isinstance(leaf, torch.Tensor)]
        if functions_in(operation, numbers):
            operation.recorder.leak(f"`{operation.name}` with a number that is computed from a size")
        operation.recorder.observed = error
        raise


def _is_index(tensor: torch.Tensor) -> bool:
    """Whether it has integers that nobody knows, such as lengths or labels, in which a call may find fault."""
    return tensor.is_meta and not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype is torch.bool)


def _on_cpu(operation: Operation, args: Any, kwargs: Any) -> Any:
    recorder, function = operation.recorder, operation.function
    given = flat_tensors((args, kwargs))
    resized = kwargs.get("out") is not None  # the tensor itself, which the model goes on with
    if resized:
        return _written(operation, args, kwargs)
    if operation.name in _QUIET | _KEPT or not any(tensor.is_meta for tensor in given):
        return recorder.kernel(function, args, kwargs)
    with suppress(TooLarge):
        return real_result(recorder, function, args, kwargs)
    recorder.leak(f"`{operation.name}` has no size rule, and its tensors are too large to try it", unseen=True)
    return recorder.kernel(function, args, kwargs)


def _written(operation: Operation, args: Any, kwargs: Any) -> Any:
    """What the kernel for meta tensors gives, which writes into `out`; the CPU's decides where that one refuses it."""
    try:
        return operation.recorder.kernel(operation.function, args, kwargs)
    except Exception as error:  # torch's
        let_out(error)
        with suppress(TooLarge):
            real_result(operation.recorder, operation.function, args, kwargs)
            raise Unanalysable(f"`{operation.name}` writes into `out` on the CPU alone") from error
        raise


def _line(error: Exception) -> str:
    return printable(words_of(error).partition("\n")[0]).replace("{", "(").replace("}", ")") or type(error).__name__


def needs_data(function: Any, error: BaseException) -> Unanalysable | None:
    """What to raise for the error of a function that cannot do without the numbers in its tensors."""
    if not _NEEDS_DATA.search(str(error)):
        return None
    name = getattr(function, "__name__", str(function)).split(".")[0]
    return Unanalysable(f"`{name}` needs the data: PyTorch cannot run it on sizes alone")


_NEEDS_DATA = re.compile(r"\bmeta tensor|'Meta' backend|Meta tensors|fake impl|register_meta")


def _forget_values(operation: Operation, tree: Any) -> None:
    """Drops the numbers of the tensors that the function may have written to."""
    recorder = operation.recorder
    if recorder.valued and operation.name not in _QUIET:
        written = {storage_of(each).data_ptr() for each in flat_tensors(tree) if not each.is_meta}
        for known in recorder.known.values():
            if known.values is not None and storage_of(known.tensor).data_ptr() in written:
                known.values = None


# -- results as shapes --------------------------------------------------------------------------------------------


def _result(value: Any, shapes: tuple[Shape, ...]) -> Result:
    if flat_tensors(value):
        return Ready(shapes, value)
    if not shapes:
        return Plain(value)
    kind = type(value)
    return Plain(shapes[0][0] if kind is int else torch.Size(shapes[0]) if kind is torch.Size else kind(shapes[0]))
