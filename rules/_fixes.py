"""The fixes that several rules offer, and how safe they are."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from shapelint.rule import (
    Change,
    Diagnosis,
    Fix,
    LostRows,
    Node,
    Repair,
    Rewrite,
    Safety,
    Span,
    call_at,
    function_around,
    written,
)

from ._words import layer_name, quoted


def rewriting_fix(rewrite: Rewrite, title: str) -> Fix:
    """The fix that writes other code, which was seen to work."""
    return Fix(title, rewrite.plan.safety, {}, rewrite.edits, ("meta",), (rewrite.repair,))


def change_fix(change: Change, effect: str) -> Fix:
    """The fix that gives one argument another value, which was seen to have the effect."""
    names = [quoted(name) for name in (change.module, *change.alike)]
    where = names[0] if len(names) == 1 else f"{names[0]} and the {len(names) - 1} built with it"
    where = f"{names[0]}, and likewise in the {len(change.others)} built with it," if change.others else where
    title = f"`{change.parameter}={written(change.value)}` instead of {written(change.given)} in {where} {effect}"
    return Fix(title, Safety.UNSAFE, change.assignments, verified=("meta",), repairs=(Repair.ARGUMENT,))


def rewritten(rewrite: Rewrite) -> str:
    """The changed calls as they read."""
    return calls_written(rewrite.texts)


def calls_written(texts: Sequence[str]) -> str:
    """Calls as they read, each once."""
    return " and ".join(quoted(text) for text in dict.fromkeys(texts))


def rewritten_at(rewrite: Rewrite, places: Sequence[Span | None]) -> list[tuple[str, ...]]:
    """For each of some places those of the changed calls that stand there; the first has those of no other one too."""
    sources = ["" if place is None else "".join(place.content().split()) for place in places]
    own = [tuple(text for text in rewrite.texts if "".join(text.split(",")[0].split()) in each) for each in sources]
    others = {text for each in own[1:] for text in each}
    return [tuple(text for text in rewrite.texts if text not in others), *own[1:]]


def resizing(loss: LostRows) -> str:
    """What to do about an up-sampling that takes no `output_padding`: a size instead of the factor, or its output."""
    up, took = layer_name(loss.pair.up), f"the size that {layer_name(loss.pair.down)} took"
    rank = len(loss.needed)
    if loss.up.operation in ("interpolate", "upsample"):
        return f"give {up} {took} instead of a factor: `F.interpolate(y, size=x.shape[-{rank}:])`"
    crop = "[..., " + ", ".join(f":x.shape[{axis}]" for axis in range(-rank, 0)) + "]"
    if all(each <= 0 for each in loss.needed):
        return f"crop what {up} gives to {took}: `y{crop}`"
    return f"resize what {up} gives to {took}: `F.interpolate(y, size=x.shape[-{rank}:])`"


def output_size_call(diagnosis: Diagnosis, loss: LostRows) -> str | None:
    """The call of the one layer to change with `output_size=`, where that is proved right for every size that runs.

    A plain name in the call's reach must hold what the mirror takes; None where there is none.
    """
    return _stretched_call(loss.up, loss.down) if diagnosis.stretches else None


def _stretched_call(up: Node, down: Node) -> str | None:
    call, source = call_at(up.place), call_at(down.place)
    if call is None or source is None or "ConvTranspose" not in up.kind or up.place is None or down.place is None:
        return None
    owner = call.func
    if not isinstance(owner, ast.Attribute) or owner.attr != up.module.rpartition(".")[2] or not source.args:
        return None
    name = source.args[0]
    same = up.place.file == down.place.file and _is_bound_once(name, (up.place, down.place))
    if not isinstance(name, ast.Name) or not same or any(word.arg == "output_size" for word in call.keywords):
        return None
    rank, call = up.spatial, copy.deepcopy(call)
    call.keywords.append(ast.keyword("output_size", ast.parse(f"{name.id}.shape[-{rank}:]", mode="eval").body))
    return ast.unparse(call)


def _is_bound_once(name: ast.expr, places: Sequence[Span]) -> bool:
    """Whether a name is a parameter of the one function around all the places, and nothing in it assigns it again."""
    if not isinstance(name, ast.Name):
        return False
    functions = {id(function): function for function in map(function_around, places)}
    function = functions.popitem()[1] if len(functions) == 1 else None
    if function is None:
        return False
    parameters = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
    stored = any(
        isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Store)
        for node in ast.walk(function)
    )
    return name.id in parameters and not stored
