"""The words that several rules share: layers, sets of sizes, and the notes below a message."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from shapelint.rule import (
    Analysis,
    LostRows,
    MixedSamples,
    Node,
    Plan,
    SizeSet,
    Span,
    call_at,
    sized,
    ticked,
    usual,
    written,
)

_SIZE_NAMES = ("depth", "rows", "columns")
_BRIEF, _PIECES = 90, 12
_NAMED, _COUNTED = 3, 256
_SCATTERED = 500  # to take one size out of so many pieces takes isl minutes
_TINY = 8
_LAYERS = ("Conv", "Linear", "Norm", "PReLU", "LSTM", "GRU", "RNN", "Attention", "Shuffle", "Pad", "ool")


BATCH_FIRST = "with `batch_first=True`, which takes (samples, steps, features)"


def counted(number: int, word: str) -> str:
    """A number of things, whose word has an "s" where they are several."""
    return f"{number} {word}{'s' * (number != 1)}"


def quoted(name: str) -> str:
    """The path of a module; the model itself has none, and is named by what runs."""
    return ticked(name or "forward")


def layer_name(names: Sequence[str]) -> str:
    """The layers of one side of a pair: the one, or the first to the last."""
    return quoted(names[0]) if len(names) == 1 else f"{quoted(names[0])} to {quoted(names[-1])}"


def called(node: Node) -> str:
    """A layer by its path, with its call where that is not the first; a plain function by its name and its module."""
    if not any(word in node.kind for word in _LAYERS):
        name = quoted(node.operation.removesuffix("_with_indices"))
        return f"{name} in {quoted(node.module)}" if node.module else name
    return quoted((node.module or node.operation) + (f", call {node.call}" if node.call > 1 else ""))


def padding_text(value: Sequence[int]) -> str:
    """`output_padding=1` where the axes agree, else a tuple."""
    return f"`output_padding={written(value)}`"


def brief(sizes: SizeSet, otherwise: str | None = None) -> str:
    """A set of sizes in words; where they are long, the given text, or else some of its members."""
    text = None if sizes.piece_count > _PIECES else sizes.exact_words
    if text is not None and len(text) <= _BRIEF:
        return text
    return sizes.outline if otherwise is None else otherwise


def some_of(sizes: SizeSet) -> str:
    """A set of sizes in words; where they are long, or inequalities, a few of its members and how many more."""
    text = "" if sizes.piece_count > _PIECES else str(sizes)
    return text if text and len(text) <= (_BRIEF if " >= " in text else 2 * _BRIEF) else _few(sizes)


def _few(sizes: SizeSet) -> str:
    """The first members of a set, and how many more there are where they can be counted."""
    if sizes.piece_count > _SCATTERED:
        return f"{sized(tuple((sizes.sample() or {}).values()))} and others"
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


def padding_note(analysis: Analysis) -> str | None:
    """Code that pads the input to sizes that are right and crops the output, where that is proved for larger ones."""
    padding = analysis.padding
    if not padding:
        return None
    names = _SIZE_NAMES[-len(padding) :] if len(padding) > 1 else ("length",)
    named = list(zip(names, padding, strict=True))
    missing = [f"0, {_lacking(name, step, rest)}" for name, (step, rest) in reversed(named)]
    head = f"{', '.join(names)} = x.shape[-{len(padding)}:]" if len(padding) > 1 else f"{names[0]} = x.shape[-1]"
    crop = ", ".join(f":{name}" for name in names)
    steps, rests = zip(*padding, strict=True)
    what = f"{written(rests)} mod {written(steps)}" if any(rests) else f"multiples of {written(steps)}"
    amounts = ", ".join(missing)
    return f"or pad the input to {what} and crop the output:\n{head}\ny = net(F.pad(x, ({amounts})))[..., {crop}]"


def _lacking(name: str, step: int, rest: int) -> str:
    """How much a size is short of the next one with a rest."""
    if step == 1:
        return "0"
    return f"({rest} - {name}) % {step}" if rest else f"-{name} % {step}"


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


def nearest_note(analysis: Analysis, focus: dict[str, int]) -> str | None:
    """The right sizes around the focus that people would use, in words; whether they are the nearest is said.

    Those that are tiny beside it are left out: nobody has such an input instead. None where nothing is left.
    """
    wanted, sides = analysis.wanted, (False, True)
    chosen = [each for above in sides if (each := usual(wanted, focus, analysis.steps, above=above))]
    nearest = [each for above in sides if (each := wanted.nearest(focus, above=above))]
    chosen, nearest = ([each for each in found if not _is_tiny(each, focus)] for found in (chosen, nearest))
    if not chosen:
        return None
    verb = "restore" if analysis.intent.meant else "run"
    texts = " and ".join(dict.fromkeys(sized(each.values()) for each in chosen))
    return f"{'nearest to' if chosen == nearest else 'sizes near'} {sized(focus.values())} that {verb}: {texts}"


def _is_tiny(sizes: dict[str, int], focus: dict[str, int]) -> bool:
    return all(_TINY * size <= focus[name] for name, size in sizes.items())


def said_note(analysis: Analysis) -> str | None:
    """The error to search for: in PyTorch's own words where it was asked at the focus, else with the same numbers."""
    diagnosis = analysis.diagnosis
    failure = None if diagnosis is None else diagnosis.region.outcome.failure
    if diagnosis is None or failure is None:
        return None
    if analysis.pytorch and dict(diagnosis.focus) == analysis.question.first:
        return pytorch_note(analysis)
    return f"it raises: {failure.at(diagnosis.focus)}"


def pytorch_note(analysis: Analysis) -> str:
    """The first line of what PyTorch raised at the first size."""
    return f"PyTorch: {analysis.pytorch.partition(chr(10))[0]}"


def flattened(samples: MixedSamples, features: int) -> str:
    """What to write in the place of a view into rows of so many features."""
    return f"{flatten_of(samples.place)}, and build the layer after it for {features} features"


def flatten_of(view: Span | None) -> str:
    """The flatten to write in the place of a view."""
    call = call_at(view)
    owner = call.func if call is not None and isinstance(call.func, ast.Attribute) else None
    return f"write `{'flatten(1)' if owner is None else f'{ast.unparse(owner.value)}.flatten(1)'}`"
