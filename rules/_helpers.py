"""The words that several rules share, and the source of a call as it would be written with one more argument."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from shapelint.rule import (
    Analysis,
    Diagnosis,
    Failure,
    Fix,
    Kind,
    LostRows,
    Mismatch,
    Node,
    Plan,
    Region,
    Rewrite,
    Safety,
    Severity,
    SizeSet,
    Span,
    call_at,
    function_around,
    written,
)

_SIZE_NAMES = ("depth", "rows", "columns")
_BRIEF, _PIECES = 90, 12
_NAMED, _COUNTED = 3, 256
_COMFORT = 8
_LAYERS = ("Conv", "Linear", "Norm", "PReLU", "LSTM", "GRU", "RNN", "Attention", "Shuffle", "Pad", "ool")


def sized(size: Sequence[int]) -> str:
    """A size as people write it: 5x5, or 31992 for one axis."""
    return "x".join(map(str, size))


def quoted(name: str) -> str:
    """The path of a module; the model itself has none, and is named by what runs."""
    return f"`{name or 'forward'}`"


def layer_name(names: Sequence[str]) -> str:
    """The layers of one side of a pair: the one, or the first to the last."""
    return quoted(names[0]) if len(names) == 1 else f"{quoted(names[0])} to {quoted(names[-1])}"


def at_stake(analysis: Analysis) -> Severity:
    """How bad it is that an exported file differs: a warning where a runtime was asked for, and else a note."""
    return Severity.WARNING if analysis.providers else Severity.NOTE


def called(node: Node) -> str:
    """A layer by its path, with its call where that is not the first; a plain function by its name and its module."""
    if not any(word in node.kind for word in _LAYERS):
        name = quoted(node.operation.removesuffix("_with_indices"))
        return f"{name} in {quoted(node.module)}" if node.module else name
    return quoted(node.module or node.operation) + (f", call {node.call}," if node.call > 1 else "")


def misses_output_size(loss: LostRows) -> bool:
    """Whether an unpooling misses the size that its pool took by what `output_size=` can add or take away."""
    stride = loss.up.parameter("stride") or ()
    unpooling = loss.up.operation.startswith("max_unpool") and bool(loss.pair.down)
    return unpooling and all(abs(gap) < step for gap, step in zip(loss.needed, stride, strict=False))


def is_unpooled(mismatch: Mismatch) -> bool:
    """Whether a join differs because an unpooling before it missed its pool's size."""
    return mismatch.up is not None and mismatch.loss is not None and mismatch.up.operation.startswith("max_unpool")


def is_pinned(analysis: Analysis, failure: Failure | None) -> bool:
    """Whether a layer's number of features depends on the spatial size, as after a flatten.

    Where it is an axis of the input itself, that is no size but a number of features.
    """
    if failure is None or failure.kind is not Kind.CHANNELS or isinstance(failure.left, int):
        return False
    target = analysis.question.target
    return failure.left not in target and any(failure.left.symbols() & dim.symbols() for dim in target)


def pinned_regions(analysis: Analysis) -> list[Region]:
    """The regions that raise because a number of features depends on the size."""
    return [region for region in analysis.contract.regions if is_pinned(analysis, region.outcome.failure)]


def raising(analysis: Analysis, *kinds: Kind) -> tuple[Diagnosis, Node, Failure] | None:
    """The diagnosis, the call and its failure, where a call that raises for one of these reasons is what is wrong."""
    diagnosis = analysis.diagnosis
    if diagnosis is None or diagnosis.node is None or analysis.claimed or diagnosis.region.outcome.ok is not False:
        return None
    failure = diagnosis.region.outcome.failure
    return None if failure is None or failure.kind not in kinds else (diagnosis, diagnosis.node, failure)


def noteworthy(analysis: Analysis, *kinds: Kind) -> Region | None:
    """With symbols alone: where a call raises for one of these reasons at sizes that are not tiny.

    Of several such calls it is the one that raises at the largest sizes; the sizes are those of all.
    """
    found: list[tuple[int, Region]] = []
    for region in () if analysis.certain or analysis.diagnosis is not None else analysis.contract.regions:
        failure, sizes = region.outcome.failure, region.sizes
        if failure is not None and failure.kind in kinds:
            least = sizes.at_least(dict.fromkeys(sizes.symbols, _COMFORT)).smallest()
            found += [] if least is None else [(sum(least.values()), region)]
    if not found:
        return None
    last = max(found, key=lambda each: each[0])[1]
    return replace(last, sizes=reduce(SizeSet.__or__, [region.sizes for _, region in found]).coalesced())


def node_of(analysis: Analysis, region: Region) -> Node | None:
    """The call that fails in a region, as the run that gave outputs has it."""
    outcome = region.outcome
    found = (node for node in analysis.graph.nodes if (node.module, node.place) == (outcome.module, outcome.place))
    return next(found, None)


def size_taken(diagnosis: Diagnosis, node: Node) -> tuple[int, ...]:
    """The shape of the first tensor that a call takes, at the focus."""
    source = diagnosis.graph.nodes[node.inputs[0]] if node.inputs else None
    return source.shapes[0].value(dict(diagnosis.focus)) if source is not None and source.shapes else ()


def misfit_regions(analysis: Analysis) -> list[Region]:
    """The regions that raise because a layer was built for other channels, whatever the size."""
    kinds = (Kind.CHANNELS, Kind.MULTIPLE)
    failures = [(region, region.outcome.failure) for region in analysis.contract.regions]
    return [region for region, each in failures if each and each.kind in kinds and isinstance(each.left, int)]


def padding_text(value: Sequence[int]) -> str:
    """`output_padding=1` where the axes agree, else a tuple."""
    return f"`output_padding={written(value)}`"


def brief(sizes: SizeSet, otherwise: str) -> str:
    """A set of sizes in words, or the given text where the words are long."""
    if sizes.piece_count > _PIECES:
        return otherwise
    text = str(sizes)
    return text if len(text) <= _BRIEF else otherwise


def some_of(sizes: SizeSet) -> str:
    """A set of sizes in words; where they are long, or inequalities, a few of its members and how many more."""
    text = "" if sizes.piece_count > _PIECES else str(sizes)
    return text if text and len(text) <= (_BRIEF if " >= " in text else 2 * _BRIEF) else _few(sizes)


def _few(sizes: SizeSet) -> str:
    """The first members of a set, and how many more there are where they can be counted."""
    found: list[str] = []
    left = sizes
    while len(found) < _NAMED and (member := left.sample()) is not None:
        found.append(sized(tuple(member.values())))
        left = left - SizeSet.point(sizes.symbols, member)
    if not left:
        return " and ".join(found)
    small = left.finite and left <= left.at_most(dict.fromkeys(left.symbols, _COUNTED))
    more = f"{sum(1 for _ in left.members())} more" if small else "many more"
    return f"{', '.join(found)} and {more}"


def alike_note(loss: LostRows) -> str | None:
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


def padding_note(analysis: Analysis) -> str | None:
    """Code that pads the input to multiples of the total stride and crops the output, where that makes it right."""
    steps = analysis.padding
    if not steps:
        return None
    names = _SIZE_NAMES[-len(steps) :] if len(steps) > 1 else ("length",)
    amounts = ", ".join(f"0, -{name} % {step}" for name, step in reversed(list(zip(names, steps, strict=True))))
    head = f"{', '.join(names)} = x.shape[-{len(steps)}:]" if len(steps) > 1 else f"{names[0]} = x.shape[-1]"
    crop = ", ".join(f":{name}" for name in names)
    what = f"multiples of {written(steps)}"
    return f"or pad the input to {what} and crop the output:\n{head}\ny = net(F.pad(x, ({amounts})))[..., {crop}]"


def rewriting_fix(rewrite: Rewrite, title: str) -> Fix:
    """The fix that writes other code, which was seen to work."""
    return Fix(title, safety_of(rewrite.plan), {}, rewrite.edits, ("meta",), (rewrite.repair,))


def rewritten(rewrite: Rewrite) -> str:
    """The changed calls as they read."""
    return " and ".join(quoted(text) for text in dict.fromkeys(rewrite.texts))


def consequence(analysis: Analysis, plan: Plan, fix: str = "the fix") -> str:
    """At which sizes the repaired model is right, and which it loses; `fix` is what it is called."""
    verb, words = "restore their size" if analysis.intent.meant else "run", brief(plan.restores, "")
    if words == "every size":
        verb = "restores its size" if analysis.intent.meant else "runs"
    text = f"with {fix} {words or 'the asked size and some others'} {verb}"
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
