"""A call that hands a layer the wrong axis, as `cat` and `view` do: what is said of it, and the number to write."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shapelint.rule import Edit, Fix, Misfit, Node, Repair, Safety, Slip, Span, call_at, given, sized, span_of

from ._built_for import misfit_text
from ._causes import PRODUCTS, place_of
from ._words import called, counted, quoted

_VIEWS = ("view", "reshape")
_SHUFFLES = ("pixel_shuffle", "pixel_unshuffle")


def slip_message(slip: Slip, misfit: Misfit) -> tuple[str, str]:
    """The message, and what the call would have to do."""
    name = quoted(slip.node.operation.strip("_"))
    if slip.node.operation in PRODUCTS:
        note = "the columns of the first are to be as many as the rows of the second"
        return f"{name} multiplies {sized(slip.given)} with {sized(slip.wanted)}: one of them is not transposed", note
    text, note = slip_texts(slip, misfit)
    return f"{misfit_text(misfit)}: {text if slip.node is misfit.node else f'{name} {text}'}", note


def slip_texts(slip: Slip, misfit: Misfit) -> tuple[str, str]:
    """What the call does, and what it would have to do."""
    wanted, layer = slip.wanted, called(misfit.node)
    if slip.node.operation == "linear":
        takes = "as" if wanted[0] == misfit.built_for else "and"
        note = f"flattened, a sample has {sized(slip.given)} = {wanted[0]} features, {takes} {layer} takes"
        note = note if takes == "as" else f"{note} {misfit.built_for}"
        return f"the {sized(slip.given)} before it is not flattened", note
    if slip.node.operation in _VIEWS and not slip.samples:
        note = f"the axis has {wanted[0]} before, which {layer} takes"
        if wanted[0] != misfit.built_for:
            note = f"the axis has {wanted[0]} before, and {layer} takes the channels that there were"
        return f"makes {slip.given[0]} of {wanted[0]}", note
    if slip.node.operation in _VIEWS:
        note = f"with {wanted[0]} instead of {slip.given[0]} it keeps them apart, and {layer} gets what it takes"
        count = counted(slip.samples[0], "sample")
        return f"makes {count} of {slip.samples[1]}", note
    if slip.node.operation in _SHUFFLES:
        return f"shuffles by {slip.given[0]}", f"by {wanted[0]} it gives {layer} the {misfit.built_for} that it takes"
    if slip.node.operation == "squeeze":
        return "takes no axis away", f"the axis has {slip.given[0]} rows there, and {layer} takes it for the features"
    if slip.node.operation == "flatten":
        return f"flattens from axis {slip.given[0]}", f"from axis {wanted[0]} it gives {layer} its {misfit.built_for}"
    if not slip.given:
        note = f"in the order {wanted} the {misfit.built_for} stand where {layer} takes them"
        return "puts them on another axis", note
    return f"joins along axis {slip.given[0]}", f"along axis {wanted[0]} it gives {layer} its {misfit.built_for}"


def slip_fix(slip: Slip, misfit: Misfit) -> Fix:
    """The call with the number that fits; its edits are tried before anybody is told that they are more than advice."""
    if slip.node.operation == "squeeze":
        text = f"let the axis be 1 there, or bring its {slip.given[0]} rows together: `y.mean(-1)`"
        return Fix(text, Safety.ADVICE, repairs=(Repair.CODE,))
    if slip.node.operation == "linear":
        return _flattened(slip, misfit)
    if slip.node.operation in PRODUCTS:
        fitting = [left == right for left, right in zip(slip.given, slip.wanted, strict=True)]
        which = "one" if all(fitting) else "the first" if fitting[0] else "the second"
        text = f"transpose {which} of the two: `.transpose(-2, -1)`"
        return Fix(text, Safety.ADVICE, repairs=(Repair.CODE,))
    place = slip.node.built or slip.node.place
    call = call_at(place)
    edits = () if call is None or place is None else tuple(_edits(slip, call, place.file))
    if call is None or not edits:
        text = ", ".join(map(str, slip.wanted))
        word = "the factor" if slip.node.operation in _SHUFFLES else "axis" if slip.given else "the order"
        word = "samples of" if slip.node.operation in _VIEWS else word
        return Fix(f"give `{slip.node.operation}` {word} {text}", Safety.ADVICE, repairs=(Repair.CODE,))
    lines = " and ".join(f"`{edit.replacement}` instead of `{edit.span.content()}`" for edit in edits)
    title = f"write {lines} in `{slip.node.operation}`"
    return Fix(title, Safety.ADVICE, edits=edits, repairs=(Repair.CODE,))


def _flattened(slip: Slip, misfit: Misfit) -> Fix:
    """A flatten of what a linear layer gets, at the call of the layer where that has just this one argument."""
    place, layer = slip.node.place, called(misfit.node)
    size = "" if slip.wanted[0] == misfit.built_for else f", and build {layer} for {slip.wanted[0]}"
    call = call_at(place)
    if call is None or place is None or not _hands_over(call, slip.node):
        return Fix(f"put `nn.Flatten()` before {layer}{size}", Safety.ADVICE, repairs=(Repair.CODE,))
    text = f"{ast.unparse(call.args[0])}.flatten(1)"
    edits = (Edit(span_of(place.file, call.args[0]), text),)
    title = f"write `{ast.unparse(call.func)}({text})`{size}"
    return Fix(title, Safety.ADVICE, edits=() if size else edits, repairs=(Repair.CODE,))


def slip_place(slip: Slip) -> Span | None:
    """The call that hands over the wrong axis; of a layer that lacks a flatten the call of it in `forward`."""
    call = call_at(slip.node.place) if slip.node.operation == "linear" else None
    return slip.node.place if call is not None and _hands_over(call, slip.node) else place_of(slip.node)


def _hands_over(call: ast.Call, layer: Node) -> bool:
    """Whether a call such as `self.head(x)` is one of the layer itself, or of a container that it comes first in."""
    path, name = layer.module.split("."), ast.unparse(call.func).rpartition(".")[2]
    simple = len(call.args) == 1 and not call.keywords and isinstance(call.args[0], ast.Name | ast.Attribute | ast.Call)
    return simple and name in path and all(each == "0" for each in path[path.index(name) + 1 :])


def _edits(slip: Slip, call: ast.Call, file: str) -> Iterator[Edit]:
    """The numbers of the call in the source, where they are literals; a flatten for a view of all samples in a row."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if slip.samples[:1] == (1,) and owner is not None and [*map(ast.unparse, call.args)] == ["1", "-1"]:
        yield Edit(span_of(file, call), f"{ast.unparse(owner)}.flatten(1)")
        return
    if slip.node.operation in _VIEWS:
        first = call.args[0] if call.args else None
        listed = first.elts if isinstance(first, ast.Tuple | ast.List) else call.args
        targets = listed[slip.axis : slip.axis + 1]
    elif slip.node.operation in _SHUFFLES:
        name = "upscale_factor" if slip.node.operation == "pixel_shuffle" else "downscale_factor"
        found = given(call, name, 0 if slip.node.built else 1)
        targets = [] if found is None else [found]
    elif slip.node.operation == "flatten":
        function = slip.node.built is None and ast.unparse(call.func) in ("torch.flatten", "flatten")
        found = given(call, "start_dim", 1 if function else 0)
        targets = [] if found is None else [found]
    elif slip.given:
        found = given(call, "dim", 1) or given(call, "axis")
        targets = [] if found is None else [found]
    else:
        targets = call.args[-len(slip.wanted) :] if slip.node.operation == "permute" else []
    if len(targets) != len(slip.wanted) or not all(map(_is_number, targets)):
        return
    for target, wanted in zip(targets, slip.wanted, strict=True):
        if ast.unparse(target) != str(wanted):
            yield Edit(span_of(file, target), str(wanted))


def _is_number(node: ast.expr) -> bool:
    """Whether an expression is made of literal integers alone."""
    kinds = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    return all(isinstance(each, kinds) for each in ast.walk(node))
