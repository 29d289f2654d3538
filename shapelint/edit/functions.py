"""Edits of a call of a function, such as `F.conv_transpose2d`, that a module makes in the place of a layer."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from shapelint.edit.arguments import added, replaced
from shapelint.edit.layers import Manner, Proposal, Value
from shapelint.edit.origin import is_literal
from shapelint.source.ownership import installed
from shapelint.source.span import Edit, Span
from shapelint.source.syntax import call_at, given, written

_POSITIONS = {"output_padding": 5, "scale_factor": 2}
_OF_POOLS = {"kernel_size": 1, "stride": 2, "padding": 3}
_OF_CONVOLUTIONS = {"stride": 3, "padding": 4, "dilation": 5}
_OF_TRANSPOSED = {**_OF_CONVOLUTIONS, "dilation": 7}


def called_with(
    wanted: Mapping[tuple[str, str], Value], calls: Mapping[str, Span], modules: Collection[str]
) -> Mapping[tuple[str, str], Proposal] | str:
    """What writes the arguments that some calls should have; else a note that says why not. Those that are known by one
    of the `modules` that make them may be the call of several.
    """
    found: dict[tuple[str, str], Proposal] = {}
    for (module, parameter), value in wanted.items():
        place = calls[module]
        others = [name for name in modules if module in modules and calls[name] == place]
        if any(wanted.get((name, parameter)) != value for name in others):
            return f"no edit: one call serves all of them, and not each needs its `{parameter}={written(value)}`"
        edit = _edit(place, parameter, value)
        if edit is None:
            return f"no edit: how the call comes by its `{parameter}` is not plain"
        found[module, parameter] = Proposal((edit,), Manner.DIRECT)
    return found


def _edit(place: Span, parameter: str, value: Value) -> Edit | None:
    """The argument written at the call; None where it may come by a star, from elsewhere or from a package."""
    call = call_at(place)
    if call is None or installed(place.file) or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    if any(word.arg is None for word in call.keywords):
        return None
    if ast.unparse(call.func).rpartition(".")[2] == "pad":
        numbers = given(call, "pad", 1)
        plain = numbers is not None and is_literal(numbers)
        return replaced(place.file, numbers, str(value)) if numbers is not None and plain else None
    name = ast.unparse(call.func).rpartition(".")[2]
    own = ((_OF_POOLS, "_pool"), (_OF_TRANSPOSED, "conv_transpose"), (_OF_CONVOLUTIONS, "conv"))
    positions = {**_POSITIONS, **next((each for each, part in own if part in name), {})}
    argument = given(call, parameter, positions.get(parameter))
    if argument is None:
        return added(place.file, call, parameter, written(value))
    return replaced(place.file, argument, written(value)) if is_literal(argument) else None
