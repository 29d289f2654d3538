"""The words that several rules share, and the source of a call as it would be written with one more argument."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from shapelint.finding import Safety
from shapelint.graph import Node
from shapelint.size import SizeSet
from shapelint.source import Span

_BRIEF = 90

if TYPE_CHECKING:
    from shapelint.analysis import Analysis, Diagnosis, Loss, Plan


def sized(size: Sequence[int]) -> str:
    """A size as people write it: 5x5, or 31992 for one axis."""
    return "x".join(map(str, size))


def quoted(name: str) -> str:
    return f"`{name}`"


def layer_name(names: Sequence[str]) -> str:
    """The layers of one side of a pair: the one, or the first to the last."""
    return quoted(names[0]) if len(names) == 1 else f"{quoted(names[0])} to {quoted(names[-1])}"


def short(value: Sequence[int]) -> str:
    """An argument as short as it can be written: one number where the axes agree, else a tuple."""
    return str(value[0] if len(set(value)) == 1 else tuple(value))


def padding_text(value: Sequence[int]) -> str:
    """`output_padding=1` where the axes agree, else a tuple."""
    return f"`output_padding={short(value)}`"


def brief(sizes: SizeSet, otherwise: str) -> str:
    """A set of sizes in words, or the given text where the words are long."""
    text = str(sizes)
    return text if len(text) <= _BRIEF else otherwise


def alike_note(loss: Loss) -> str | None:
    """Which sizes the down-sampling takes to the same; None where it drops nothing."""
    if not any(loss.remainder):
        return None
    alike = sized([n - r for n, r in zip(loss.taken, loss.remainder, strict=True)])
    return f"{alike} and {sized(loss.taken)} both become {sized(loss.inner)} in {quoted(loss.pair.down[-1])}"


def safety_of(plan: Plan) -> Safety:
    """Safe: right at the asked sizes, and no size that ran now raises; advice where some asked size stays wrong."""
    if not plan.complete:
        return Safety.ADVICE
    return Safety.UNSAFE if plan.breaks else Safety.SAFE


def consequence(analysis: Analysis, plan: Plan) -> str:
    """At which sizes the repaired model is right, and which it loses."""
    verb = "restore their size" if analysis.intent.meant else "run"
    text = f"with the fix {brief(plan.restores, 'the asked size and some others')} {verb}"
    if plan.loses:
        text += f"; {brief(plan.loses, 'sizes that did before')} no longer do"
    if plan.breaks:
        broken = brief(plan.breaks, "other sizes")
        text += " and raise" if plan.breaks == plan.loses else f"; {broken} ran before and now raise"
    return text if plan.complete else f"no one value is right at every asked size; {text}"


def shared_line_note(analysis: Analysis, up: Node) -> str | None:
    """A warning where one line of the source builds several layers; None else."""
    built = sum(layer.built is not None and layer.built == up.built for layer in analysis.layers)
    return f"this line builds {built} layers; the value is for {quoted(up.module)}" if built > 1 else None


def place_of(node: Node) -> Span | None:
    """Where a layer was constructed; for a functional call, where it is called."""
    return node.built or node.place


def nearest_note(analysis: Analysis, focus: dict[str, int]) -> str | None:
    """The nearest right sizes around the focus, in words."""
    wanted = analysis.wanted
    found = [wanted.nearest(focus, above=above) for above in (False, True)]
    texts = [sized(tuple(each.values())) for each in found if each]
    verb = "restore" if analysis.intent.meant else "run"
    if not texts:
        return None
    return f"nearest to {sized(tuple(focus.values()))} that {verb}: {' and '.join(dict.fromkeys(texts))}"


def output_size_call(diagnosis: Diagnosis, loss: Loss) -> str | None:
    """The call of the one layer to change with `output_size=`, where that is proved right for every size that runs.

    A plain name in the call's reach must hold what the mirror takes; None where there is none.
    """
    return _stretched_call(loss.up, loss.down) if diagnosis.stretches else None


def _stretched_call(up: Node, down: Node) -> str | None:
    call, source = _call_at(up.place), _call_at(down.place)
    if call is None or source is None or not up.module or up.place is None or down.place is None:
        return None
    owner = call.func
    if not isinstance(owner, ast.Attribute) or owner.attr != up.module.rpartition(".")[2] or not source.args:
        return None
    name = source.args[0]
    same = up.place.file == down.place.file and _is_bound_once(name, (up.place, down.place))
    if not isinstance(name, ast.Name) or not same or any(word.arg == "output_size" for word in call.keywords):
        return None
    rank = up.spatial
    call.keywords.append(ast.keyword("output_size", ast.parse(f"{name.id}.shape[-{rank}:]", mode="eval").body))
    return ast.unparse(call)


def _call_at(place: Span | None) -> ast.Call | None:
    """The call expression that a span covers exactly."""
    if place is None:
        return None
    for node in ast.walk(_tree(place.file)):
        if isinstance(node, ast.Call) and _extent(node) == (place.line, place.column, place.end_line, place.end_column):
            return node
    return None


def _extent(node: ast.expr) -> tuple[int, int, int, int]:
    return node.lineno, node.col_offset + 1, node.end_lineno or 0, (node.end_col_offset or 0) + 1


@lru_cache(maxsize=64)
def _tree(file: str) -> ast.Module:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _is_bound_once(name: ast.expr, places: Sequence[Span]) -> bool:
    """Whether a name is a parameter of the one function around all the places, and nothing in it assigns it again."""
    if not isinstance(name, ast.Name):
        return False
    functions = {id(function): function for function in map(_function_around, places)}
    function = functions.popitem()[1] if len(functions) == 1 else None
    if function is None:
        return False
    parameters = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
    stored = any(
        isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Store)
        for node in ast.walk(function)
    )
    return name.id in parameters and not stored


def _function_around(place: Span) -> ast.FunctionDef | None:
    """The innermost function whose source holds a place."""
    around = [
        node
        for node in ast.walk(_tree(place.file))
        if isinstance(node, ast.FunctionDef) and node.lineno <= place.line <= (node.end_lineno or 0)
    ]
    return max(around, key=lambda node: node.lineno, default=None)
