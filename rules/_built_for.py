"""Layers that are built for other channels or features: what is said of them, and the edit that mends one."""

from __future__ import annotations

import ast
import copy
import operator
from collections.abc import Sequence

from shapelint.rule import (
    Diagnosis,
    Edit,
    Fix,
    Kind,
    Misfit,
    Node,
    Origin,
    Repair,
    Safety,
    Span,
    call_at,
    given,
    sized,
    span_of,
)

from ._causes import place_of, size_taken
from ._words import called, quoted

_FOLLOWERS, _RANKS = 6, (3, 4, 5)
_KEEPING = ("linear", "layer_norm", "rms_norm", "batch_norm")
_OF_ROWS = (*_KEEPING[:-1], "lstm", "gru", "rnn")
_ORDERS = ("permute", "transpose", "movedim", "moveaxis")
_OF_CHANNELS = ("conv", "batch_norm", "group_norm", "instance_norm", "prelu")
_OPERATORS = {
    ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub, ast.FloorDiv: operator.floordiv,
}  # fmt: skip
_ARGUMENTS = {
    "Conv": ("in_channels", 0),
    "Linear": ("in_features", 0),
    "BatchNorm": ("num_features", 0),
    "SyncBatchNorm": ("num_features", 0),
    "InstanceNorm": ("num_features", 0),
    "GroupNorm": ("num_channels", 1),
    "LayerNorm": ("normalized_shape", 0),
    "RMSNorm": ("normalized_shape", 0),
    "PReLU": ("num_parameters", 0),
    "LSTM": ("input_size", 0),
    "GRU": ("input_size", 0),
    "RNN": ("input_size", 0),
}


def argument_of(node: Node) -> tuple[str, int] | None:
    """The argument that sets for how many channels a layer is built, and its position."""
    return next((value for kind, value in _ARGUMENTS.items() if node.kind.startswith(kind)), None)


def unit_of(node: Node) -> str:
    """What the layer counts."""
    return "channels" if node.operation.startswith(_OF_CHANNELS) else "features"


def misfit_text(misfit: Misfit) -> str:
    """Both numbers: what the layer is built for, and what it gets."""
    return f"{called(misfit.node)} is built for {_counted(misfit)} and gets {misfit.given}"


def _counted(misfit: Misfit) -> str:
    unit = unit_of(misfit.node)
    return f"{misfit.built_for} {unit if misfit.built_for != 1 else unit[:-1]}"


def origin_text(joint: str, origins: Sequence[Origin]) -> str:
    """Where what arrives comes from, each part with its number."""
    names = [quoted(origin.source) if origin.source else "the input" for origin in origins]
    parts = [f"{sized(origin.size)} from {name}" for origin, name in zip(origins, names, strict=True)]
    if not parts:
        return ""
    return " + ".join(parts) if joint or len(origins[0].size) > 1 else parts[0].split(" ", 1)[1]


def place_of_number(misfit: Misfit) -> Span | None:
    """The call that has the number for which a layer is built: its own, or that of a helper which hands it on."""
    return misfit.handed[0] if misfit.handed else place_of(misfit.node)


def followers_note(diagnosis: Diagnosis) -> str | None:
    """What every later layer would get, were the first one mended; None where all others fit."""
    later = diagnosis.misfits[1:]
    if not later:
        return None
    texts = [misfit_text(misfit) for misfit in later[:_FOLLOWERS]]
    more = f"; and {len(later) - _FOLLOWERS} more" if len(later) > _FOLLOWERS else ""
    return f"with that mended: {'; '.join(texts)}{more}"


def channels_fix(diagnosis: Diagnosis, otherwise: str, *, where: str = "") -> Fix:
    """The edits that build every such layer for what arrives, where its number is a literal; else advice.

    `where` says for which size that is.
    """
    found = [layer_edit(misfit) for misfit in diagnosis.misfits]
    edits = [each for each in found if each is not None]
    safety = Safety.ADVICE if diagnosis.repaired is None else diagnosis.repaired.safety
    if not edits or len(edits) < len(found) or safety is Safety.ADVICE:
        return Fix(otherwise, Safety.ADVICE, repairs=(Repair.CHANNELS,))
    texts = [quoted(text) for _, text in edits]
    title = "write " + (", ".join(texts[:3]) + (f" and {len(texts) - 3} more alike" if len(texts) > 3 else "")) + where
    changes = tuple(edit for edit, _ in edits)
    return Fix(title, safety, edits=changes, verified=("meta",), repairs=(Repair.CHANNELS,))


def misfit_fix(diagnosis: Diagnosis, misfit: Misfit) -> Fix:
    """The layer built for what arrives: its edits, or advice where it is the input that brings it."""
    name, given, argument = called(misfit.node), misfit.given, argument_of(misfit.node)
    if misfit.failure.kind is Kind.MULTIPLE:
        return Fix(f"give {name} a multiple of {misfit.built_for} channels", Safety.ADVICE, repairs=(Repair.CHANNELS,))
    if given % misfit.groups:
        text = f"build {name} for {given} channels, with `groups` that divide them"
        return Fix(text, Safety.ADVICE, repairs=(Repair.CHANNELS,))
    written = f"`{argument[0]}={given}`" if argument else f"a weight for {given}"
    more = ", and the later layers likewise" if len(diagnosis.misfits) > 1 else ""
    if [origin.source for origin in misfit.origins] == [""]:
        turned = untransposed(diagnosis, misfit)
        text = f"give an input with {_counted(misfit)}" if turned is None else turned.title
        text = f"{text}, or build {name} for {given}{more}"
        return Fix(text, Safety.ADVICE, repairs=(Repair.CHANNELS,))
    if misfit.node.kind == "MultiheadAttention":
        text = f"build {name} with `kdim={given}, vdim={given}`"
        return Fix(text, Safety.ADVICE, repairs=(Repair.CHANNELS,))
    turned = untransposed(diagnosis, misfit)
    turned = None if more and unit_of(misfit.node) == "channels" else turned
    handed = turned if turned or more else _handed_fix(misfit)
    return handed or channels_fix(diagnosis, f"give {name} what arrives: {written}{more}")


def _handed_fix(misfit: Misfit) -> Fix | None:
    """The number that arrives in the call of the helper that builds the layer, to be tried; None for no literal."""
    if misfit.handed is None:
        return None
    place, number = misfit.handed
    call = call_at(place)
    values = [] if call is None else [*call.args, *(word.value for word in call.keywords)]
    value = next((each for each in values if span_of(number.file, each) == number), None)
    if call is None or value is None or _number(value) != misfit.built_for:
        return None
    edits = (Edit(number, str(misfit.given)),)
    title = f"write `{ast.unparse(_with_number(call, value, misfit.given))}`"
    return Fix(title, Safety.ADVICE, edits=edits, repairs=(Repair.CHANNELS,))


def untransposed(diagnosis: Diagnosis, misfit: Misfit) -> Fix | None:
    """What to do where the axis at the other end has as many as a layer takes: the last one for a layer of features,
    the one behind the samples for one of the channels of a signal; a map may be as wide by chance. A transpose may have
    put it in the place of the samples.
    """
    taken = size_taken(diagnosis, misfit.node)
    name, axes = misfit.node.operation, range(1, len(taken))
    last = name.startswith(_OF_ROWS)
    signal = len(taken) == _RANKS[0] and name.startswith(_OF_CHANNELS)
    if len(taken) not in _RANKS or not (last or signal):
        return None
    there, here = (taken[1], taken[-1]) if last else (taken[-1], taken[1])
    ahead = diagnosis.graph.nodes[misfit.node.inputs[0]]
    is_put = ahead.operation in _ORDERS
    moved = size_taken(diagnosis, ahead) if is_put and len(taken) == _RANKS[0] and last else ()
    if moved[1:2] == taken[:1] == (misfit.built_for,) != moved[:1] and here != misfit.built_for != there:
        text = f"move axis 1 of what {quoted(ahead.operation)} takes to the end: it has the {misfit.built_for}"
        return Fix(text, Safety.ADVICE)
    of_map = len(taken) > _RANKS[0] and (is_put or taken[1] == taken[2])
    if there != misfit.built_for or here == misfit.built_for or of_map:
        return None
    order = (0, *axes[1:], 1) if last else (0, axes[-1], *axes[:-1])
    turned = "`.transpose(1, 2)`" if len(taken) == _RANKS[0] else f"`.permute{order}`"
    back = ", and back behind it" if name.startswith(_KEEPING) else ""
    text = f"put {turned} ahead of {called(misfit.node)}{back}: axis {1 if last else axes[-1]} has the {there}"
    return Fix(text, Safety.ADVICE)


def layer_edit(misfit: Misfit) -> tuple[Edit, str] | None:
    """The edit that builds a layer for what arrives, and its constructor as it then reads; None for no literal."""
    node, argument = misfit.node, argument_of(misfit.node)
    call = call_at(node.built)
    if call is None or node.built is None or argument is None or not misfit.alone or misfit.given % misfit.groups:
        return None
    value = given(call, *argument)
    if value is None or _number(value) != misfit.built_for or ast.unparse(call.func).rpartition(".")[2] != node.kind:
        return None
    start, end = value.col_offset + 1, (value.end_col_offset or 0) + 1
    place = Span(node.built.file, value.lineno, start, value.end_lineno or 0, end)
    if not place.text().isascii():
        return None
    return Edit(place, str(misfit.given)), ast.unparse(_with_number(call, value, misfit.given))


def _with_number(call: ast.Call, target: ast.expr, number: int) -> ast.AST:
    """A copy of a call with a number in the place of one argument."""
    values: list[ast.expr] = [*call.args, *(word.value for word in call.keywords)]
    changed = copy.deepcopy(call)
    copies: list[ast.expr] = [*changed.args, *(word.value for word in changed.keywords)]
    found = next(each for each, value in zip(copies, values, strict=True) if value is target)
    node: ast.AST = _Replaced(found, number).visit(changed)
    return node


class _Replaced(ast.NodeTransformer):
    """Puts a number in the place of one expression."""

    def __init__(self, target: ast.expr | None, number: int) -> None:
        self._target, self._number = target, number

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return ast.Constant(self._number) if node is self._target else super().generic_visit(node)


def _number(expression: ast.expr) -> int | None:
    """The value of an expression of literal integers, such as 16 * 5 * 5; None for any other."""
    if isinstance(expression, ast.Constant):
        return expression.value if type(expression.value) is int else None
    combine = _OPERATORS.get(type(expression.op)) if isinstance(expression, ast.BinOp) else None
    if not isinstance(expression, ast.BinOp) or combine is None:
        return None
    left, right = _number(expression.left), _number(expression.right)
    undefined = combine is operator.floordiv and not right
    return None if left is None or right is None or undefined else combine(left, right)
