"""The edits that give a layer another argument, at the call that built it or where that call has the value from.

Several layers may be built by one call. One value for all of them is written there; different ones go through a
parameter of the function around, passed by the calls that lead to each layer.
"""

from __future__ import annotations

import ast
import copy
import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import isqrt
from typing import Final

from shapelint.edit.arguments import added, removed, replaced
from shapelint.edit.origin import call_of, is_literal, literals
from shapelint.edit.scope import Scope
from shapelint.source.ownership import installed
from shapelint.source.span import CallSite, Edit, Span, span_of
from shapelint.source.syntax import given, written

Value = tuple[int, ...]

_DEFAULTS: Final = {"output_padding": 0, "padding": 0, "stride": 1, "dilation": 1, "ceil_mode": False}
_POSITIONS: Final = {
    "MaxPool": {"kernel_size": 0, "stride": 1, "padding": 2, "dilation": 3, "ceil_mode": 5},
    "AvgPool": {"kernel_size": 0, "stride": 1, "padding": 2, "ceil_mode": 3},
    "ConvTranspose": {"kernel_size": 2, "stride": 3, "padding": 4, "output_padding": 5, "dilation": 8},
    **{kind: {"padding": 0} for kind in ("ReflectionPad", "ReplicationPad", "ZeroPad", "ConstantPad", "CircularPad")},
    "Upsample": {"size": 0, "scale_factor": 1},
    "Conv": {"kernel_size": 2, "stride": 3, "padding": 4, "dilation": 5},
}


class Manner(enum.Enum):
    """How an edit gives a layer its value; what is not DIRECT has to be seen in a module that was built again."""

    DIRECT = "at the call that built it"
    ORIGIN = "where the call has the value from"
    COMPUTED = "by an expression"
    PARAMETER = "through a parameter"
    REPLACED = "in the place of an expression"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Edits that should give some layers what is wanted of them."""

    edits: tuple[Edit, ...]
    manner: Manner


@dataclass(frozen=True, slots=True)
class Wish:
    """What the layers that one call built should have for one argument, and what each has now.

    `calls` are the calls that led to each layer, innermost first; all begin with the same one.
    """

    kind: str
    parameter: str
    calls: Mapping[str, Sequence[CallSite]]
    values: Mapping[str, Value]
    present: Mapping[str, Value]

    @property
    def first(self) -> Sequence[CallSite]:
        """The value that is wanted for the first layer."""
        return next(iter(self.calls.values()))

    @property
    def uniform(self) -> bool:
        """Whether all layers are to have one value."""
        return len(set(self.values.values())) == 1


def proposals(wish: Wish) -> Iterator[Proposal]:
    """Ways to fulfil a wish, the best first; none where the layers are not built by a call in the user's own code."""
    call = call_of(wish.first, 0)
    if call is None or installed(wish.first[0].code.co_filename):
        return
    file = wish.first[0].span().file
    argument = given(call, wish.parameter, _position(call, wish))
    plain = argument is None or is_literal(argument)
    if wish.uniform and plain:
        manner = Manner.DIRECT if _is_plain(call, wish) else Manner.ORIGIN
        yield Proposal((_set(file, call, argument, wish),), manner)
    yield from _at_origins(wish)
    if not wish.uniform:
        yield from _computed(file, call, argument, wish)
    if plain and not wish.uniform:
        passed = _passed(file, call, argument, wish)
        if passed:
            yield Proposal(passed, Manner.PARAMETER)
    if wish.uniform and argument is not None and not plain:
        yield Proposal((replaced(file, argument, _text(wish)),), Manner.REPLACED)


def _set(file: str, call: ast.Call, argument: ast.expr | None, wish: Wish) -> Edit:
    """The argument set at the call itself, or left out where the value is the default."""
    if argument is None:
        return added(file, call, wish.parameter, _text(wish))
    value = next(iter(wish.values.values()))
    if set(value) == {_DEFAULTS.get(wish.parameter)} and not ("Pool" in wish.kind and wish.parameter == "stride"):
        gone = removed(file, call, wish.parameter)
        if gone is not None:
            return gone
    return replaced(file, argument, _text(wish))


def _text(wish: Wish) -> str:
    return written(next(iter(wish.values.values())))


def _position(call: ast.Call, wish: Wish) -> int | None:
    """The position of the argument, where the call plainly is one of the layer's own class, or of one made for it."""
    if not ast.unparse(call.func).endswith(wish.kind):
        return None
    return next((names.get(wish.parameter) for kind, names in _POSITIONS.items() if kind in wish.kind), None)


def _names_its_class(call: ast.Call, wish: Wish) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] == wish.kind


def _is_plain(call: ast.Call, wish: Wish) -> bool:
    """Whether nothing can bring the argument but what stands in the call: a class of the user's own may do so."""
    own = not re.fullmatch(r"((Lazy)?Conv(Transpose)?|(Max|Avg)Pool)[123]d", wish.kind)
    starred = any(isinstance(each, ast.Starred) for each in call.args) or any(not word.arg for word in call.keywords)
    return _names_its_class(call, wish) and not starred and not own


def _at_origins(wish: Wish) -> Iterator[Proposal]:
    """The literals that may be the origins of the values, changed: one for each layer, or one for all of them."""
    call = call_of(wish.first, 0)
    position = None if call is None else _position(call, wish)
    edits = []
    for turn, (module, calls) in enumerate(wish.calls.items()):
        if wish.values[module] != wish.present[module]:
            origin = next(literals(calls, wish.parameter, position, turn), None)
            if origin is None:
                return
            edits.append(replaced(origin.file, origin.node, written(wish.values[module])))
    yield Proposal(tuple(dict.fromkeys(edits)), Manner.ORIGIN)
    for other in literals(wish.first, wish.parameter, position, 0) if wish.uniform else ():
        yield Proposal((replaced(other.file, other.node, _text(wish)),), Manner.ORIGIN)


def _computed(file: str, call: ast.Call, argument: ast.expr | None, wish: Wish) -> Iterator[Proposal]:
    """An expression for layers that a loop builds: of the stride, or an item for each turn that the loop counts; first
    of all the one that is there, where it divides by half as much.
    """
    for number, half in _divisions(file, call, argument):
        yield Proposal((replaced(file, number, str(half)),), Manner.COMPUTED)
    for text in (*_of_stride(call, wish), *_by_turn(file, call, wish)):
        edit = replaced(file, argument, text) if argument else added(file, call, wish.parameter, text)
        plain = argument is None or is_literal(argument)
        yield Proposal((edit,), Manner.COMPUTED if plain else Manner.REPLACED)


def _divisions(file: str, call: ast.Call, argument: ast.expr | None) -> Iterator[tuple[ast.expr, int]]:
    """The even numbers by which an argument is divided, there or where its name is assigned, and half of each."""
    named = Scope.of(file, call).values(argument.id) if isinstance(argument, ast.Name) else ()
    for part in (node for each in (argument, *named) if each is not None for node in ast.walk(each)):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.FloorDiv | ast.Div):
            number = part.right.value if isinstance(part.right, ast.Constant) else None
            if type(number) is int and number > 2 and number % 2 == 0:
                yield part.right, number // 2


def _of_stride(call: ast.Call, wish: Wish) -> Iterator[str]:
    """`stride % 2`, as odd strides with `padding=ceil(stride / 2)` want it in a loop over strides."""
    names = _POSITIONS["ConvTranspose"]
    stride = given(call, "stride", names["stride"] if _names_its_class(call, wish) else None)
    if stride is None or is_literal(stride) or wish.parameter != "output_padding":
        return
    text = ast.unparse(stride)
    text = f"{text} % 2" if isinstance(stride, ast.Name | ast.Attribute | ast.Subscript | ast.Call) else f"({text}) % 2"
    yield text


def _by_turn(file: str, call: ast.Call, wish: Wish) -> Iterator[str]:
    """`(0, 1, 1)[i]`, with the counter of each loop around."""
    items = ", ".join(map(written, wish.values.values()))
    yield from (f"({items})[{name}]" for name in Scope.of(file, call).counters(call))


def _passed(file: str, call: ast.Call, argument: ast.expr | None, wish: Wish) -> tuple[Edit, ...]:
    """A new parameter of the function around, which the outer calls pass where their layers want another value."""
    function = Scope.of(file, call).function
    outer = _outer_values(wish, function)
    if function is None or not outer or wish.parameter in _words(function):
        return ()
    default = next(iter(wish.present.values()))
    texts = {written(value) for value in (default, *outer.values())}
    kind = "int" if all(text.isdigit() for text in texts) else "int | tuple[int, ...]"
    annotated = any(each.annotation is not None for each in function.args.args)
    typed = f"{wish.parameter}: {kind} = " if annotated else f"{wish.parameter}="
    here = replaced(file, argument, wish.parameter) if argument else added(file, call, wish.parameter, wish.parameter)
    edits = [_new_parameter(file, function, f"{typed}{written(default)}"), here]
    for key, (outer_file, node) in _outer_calls(wish).items():
        if outer[key] != default:
            edits.append(added(outer_file, node, wish.parameter, written(outer[key])))
    return tuple(edits)


def _words(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} | {
        node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)
    }


def _outer_calls(wish: Wish) -> dict[tuple[object, int], tuple[str, ast.Call]]:
    """The calls of the function around, each with its file."""
    found: dict[tuple[object, int], tuple[str, ast.Call]] = {}
    for calls in wish.calls.values():
        node = call_of(calls, 1)
        if node is not None:
            found[calls[1].code, calls[1].offset] = (calls[1].span().file, node)
    return found


def _outer_values(
    wish: Wish, function: ast.FunctionDef | ast.AsyncFunctionDef | None
) -> dict[tuple[object, int], Value]:
    """What each call of the function around has to pass; {} where one call would have to pass two values."""
    if function is None or len(set(wish.present.values())) > 1:
        return {}
    found: dict[tuple[object, int], Value] = {}
    for module, calls in wish.calls.items():
        node = call_of(calls, 1)
        if node is None or installed(calls[1].code.co_filename) or calls[0].code.co_name != function.name:
            return {}
        if found.setdefault((calls[1].code, calls[1].offset), wish.values[module]) != wish.values[module]:
            return {}
    return found


def _new_parameter(file: str, function: ast.FunctionDef | ast.AsyncFunctionDef, text: str) -> Edit:
    """The edit that gives a function one more parameter with a default."""
    arguments = function.args
    last: list[ast.arg] = arguments.kwonlyargs or ([arguments.vararg] if arguments.vararg else arguments.args)
    assert last, "a function that builds layers of different sizes has parameters"
    defaults = arguments.kw_defaults if arguments.kwonlyargs else [] if arguments.vararg else arguments.defaults
    value = defaults[-1] if defaults else None
    span = span_of(file, last[-1] if value is None else value)
    return Edit(Span(file, span.end_line, span.end_column, span.end_line, span.end_column), f", {text}")


def resized(calls: Sequence[CallSite], name: str, position: int, ratio: Fraction) -> Iterator[tuple[Edit, str]]:
    """Literals in the expression of an argument that, times a ratio or its square root, may give the argument times it.

    Each edit comes with the old and the new text.
    """
    call = call_of(calls, 0)
    argument = None if call is None else given(call, name, position)
    if argument is None or not any(isinstance(node, ast.Name) for node in ast.walk(argument)):
        return
    root = Fraction(isqrt(ratio.numerator), isqrt(ratio.denominator))
    for literal in dict.fromkeys(literals(calls, name, position, 0)):
        node = literal.node
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            for factor in (ratio, root) if root * root == ratio else (ratio,):
                value = node.value * factor
                if value.denominator == 1:
                    text = f"`{value.numerator}` instead of `{node.value}` at line {node.lineno}"
                    yield replaced(literal.file, node, str(value.numerator)), text
    if root * root == ratio:
        yield from _both_sides(calls[0].span().file, argument, root)


def _both_sides(file: str, argument: ast.expr, root: Fraction) -> Iterator[tuple[Edit, str]]:
    """The argument with two equal numbers of it, such as those of `16 * 14 * 14`, times the root."""
    numbers = [node for node in ast.walk(argument) if isinstance(node, ast.Constant)]
    for (one, node), (two, other) in combinations(enumerate(numbers), 2):
        if type(node.value) is not int or node.value != other.value or (node.value * root).denominator != 1:
            continue
        written = copy.deepcopy(argument)
        ours = [each for each in ast.walk(written) if isinstance(each, ast.Constant)]
        ours[one].value = ours[two].value = (node.value * root).numerator
        text = ast.unparse(written)
        yield replaced(file, argument, text), f"`{text}` instead of `{ast.unparse(argument)}` at line {node.lineno}"
