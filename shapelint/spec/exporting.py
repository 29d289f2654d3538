"""torch.export asked with a spec: whether it takes it, and whether the program gives the sizes that the model gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from shapelint.confirm.onnx_file import Arguments, first_line, output_tensors
from shapelint.facts.contract import Contract
from shapelint.request.entries import Entries
from shapelint.request.inputs import Inputs
from shapelint.restore.module import unchanged
from shapelint.restore.random import same_random_numbers
from shapelint.size.sets import SizeSet
from shapelint.source.fault import call_foreign, let_out
from shapelint.spec.boxes import SizeBox
from shapelint.spec.code import binding, dim_lines, dim_names, sample_code, shapes_code
from shapelint.spec.live import Live
from shapelint.terminal.quiet import quiet

Sizes = Mapping[str, int]
_FAR = 9
_INSIDE = 3
_USUAL = 160


@dataclass(frozen=True, slots=True)
class Exportable:
    """A model that can be exported: how it is built on the CPU, its inputs at given sizes, and its contract.

    `steps` are after how many steps of each symbol its sizes repeat; `sizes` are some of each region at which it runs,
    and `memory` the bytes that a run at a size takes.
    """

    build: Callable[[], torch.nn.Module]
    inputs: Inputs
    sample: Callable[[Sizes], Arguments]
    contract: Contract
    steps: Mapping[str, int] = field(default_factory=dict)
    sizes: tuple[Sizes, ...] = ()
    memory: Callable[[Sizes], int] = lambda _: 0
    asked: SizeSet | None = None

    @classmethod
    def of(cls, live: Live, contract: Contract, wanted: SizeSet) -> Exportable:
        """A live model with its contract, to be exported for some of the sizes at which it runs."""
        return cls(live.build, live.inputs, live.sample, contract, live.steps, live.sizes, live.memory, wanted)

    @property
    def wanted(self) -> SizeSet:
        """The sizes for which it is exported, as far as one spec can say them."""
        runs = SizeSet(self.contract.symbols, self.contract.runs._set)
        return runs if self.asked is None else self.asked


@dataclass(frozen=True, slots=True)
class Spec:
    """Open sizes in the words of torch.export: `code` defines `args`, `kwargs` and `dynamic_shapes`."""

    box: SizeBox
    example: Sizes
    code: str


@dataclass(frozen=True, slots=True)
class SpecTrial:
    """What torch.export made of a spec: `refusal` is "" where all went well.

    `at` is the size at which the program refuses, or gives another size; None where there is no program. `smallest` are
    the symbols whose smallest size alone it does not take.
    """

    spec: Spec
    refusal: str = ""
    at: Sizes | None = None
    smallest: tuple[str, ...] = ()


def spec_of(model: Exportable, module: torch.nn.Module, box: SizeBox) -> Spec:
    """The spec of a box. Raises SpecError where the inputs have no text."""
    example = example_of(box, model)
    args, kwargs = sample_code(model.inputs, example)
    names = dim_names(model.contract.symbols)
    bound = binding(module.forward)
    lines = [*dim_lines(box, names), f"args = {args}", f"kwargs = {kwargs}"]
    lines += [f"dynamic_shapes = {shapes_code(model.inputs, bound, box, names)}"]
    return Spec(box, example, "\n".join(lines))


def example_of(box: SizeBox, model: Exportable) -> Sizes:
    """A member that is not small, its symbols different: torch.export takes sizes of 0 and 1 for constants."""
    found: dict[str, int] = {}
    taken: set[int] = set()
    leading = {name for spec in model.inputs.tensors() for name in (spec.dims[0].symbols() if spec.dims else ())}
    for axis in box.free:
        least = 2 if axis.symbol in leading else max(_USUAL, 2 * model.steps.get(axis.symbol, 1) + 1)
        number = max(0, -(-(least - axis.first) // axis.step))
        while axis.at(number) in taken and axis.at(number) < axis.at(number + 1):
            number += 1
        taken.add(axis.at(number))
        found[axis.symbol] = number
    return box.at(found)


def tried(model: Exportable, module: torch.nn.Module, spec: Spec) -> SpecTrial:
    """What torch.export makes of a spec: the program is run at sizes of the box on tensors without numbers."""
    with exporting(module):
        scope = defined(spec.code)
        try:
            program = _exported(module, scope, scope["dynamic_shapes"])
            runner = call_foreign(program.module)
        except Exception as error:  # any class: torch.export runs the user's code and its own solver
            let_out(error)
            return SpecTrial(spec, reason(error))
        return _checked(model, runner, spec)


def allowed(model: Exportable, module: torch.nn.Module, spec: Spec) -> SizeBox | None:
    """The part of a spec's box that torch.export allows where it may choose the ranges itself; None where it refuses.

    An axis of which it makes a constant is held at its size.
    """
    with exporting(module):
        scope = defined(spec.code)
        try:
            automatic = torch.utils._pytree.tree_map(_automatic, scope["dynamic_shapes"])
            program = _exported(module, scope, automatic)
        except Exception as error:  # any class, as above
            let_out(error)
            return None
    names = set(program.graph_signature.user_inputs)
    given = [node.meta["val"] for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    tensors = [each for each in given if isinstance(each, torch.Tensor)]
    ranges: dict[str, tuple[int, int | None]] = {}
    for tensor, wanted in zip(tensors, model.inputs.tensors(), strict=False):
        for size, dim in zip(tensor.shape, wanted.dims, strict=True):
            if len(dim.symbols()) == 1 and str(dim) in dim.symbols():
                ranges[str(dim)] = _range(size, program.range_constraints, ranges.get(str(dim)))
    return _narrowed(spec.box, ranges)


def _automatic(value: object) -> object:
    return torch.export.Dim.AUTO if isinstance(value, torch.export.Dim) else value


def _range(size: Any, known: Mapping[Any, Any], before: tuple[int, int | None] | None) -> tuple[int, int | None]:
    """The least and the largest value of a size of a program; None for no end."""
    low, high = (int(size), int(size)) if isinstance(size, int) else _bounds(known.get(size.node.expr))
    if before is None:
        return low, high
    ends = [each for each in (high, before[1]) if each is not None]
    return max(low, before[0]), min(ends, default=None)


def _bounds(known: Any) -> tuple[int, int | None]:
    if known is None:
        return 1, None
    return int(known.lower), int(known.upper) if known.upper.is_Integer else None


def _narrowed(box: SizeBox, ranges: Mapping[str, tuple[int, int | None]]) -> SizeBox | None:
    axes = []
    for axis in box.axes:
        low, high = ranges.get(axis.symbol, (1, None))
        narrowed = axis if axis.tied or not axis.open else axis.within(low, high)
        if narrowed is None:
            return None
        axes.append(narrowed)
    return SizeBox(tuple(axes))


@contextmanager
def exporting(module: torch.nn.Module) -> Iterator[None]:
    """The state in which a module is exported: quiet, without gradients, and left as it was."""
    with quiet(), same_random_numbers(), torch.no_grad(), unchanged(module):
        yield


def defined(code: str) -> dict[str, Any]:
    """What a text of ours defines, run as a person would run it who pastes it."""
    scope: dict[str, Any] = {"torch": torch, "Dim": torch.export.Dim}
    exec(code, scope)
    return scope


def _exported(module: torch.nn.Module, scope: Mapping[str, Any], shapes: Any) -> torch.export.ExportedProgram:
    args, kwargs = scope["args"], scope["kwargs"]
    return call_foreign(torch.export.export, module, args, kwargs, dynamic_shapes=shapes, strict=False)


def reason(error: Exception) -> str:
    """What torch.export says in one line: of violated constraints, the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line.removeprefix("- ") for line in lines if line.startswith("- ")), None)
    return (told or first_line(error))[:200]


def _checked(model: Exportable, runner: torch.nn.Module, spec: Spec) -> SpecTrial:
    for sizes in points(spec.box, spec.example):
        wrong = _difference(model, runner, sizes)
        if wrong:
            free = [axis.symbol for axis in spec.box.free]
            alone = {name: spec.box.at({**dict.fromkeys(free, _INSIDE), name: 0}) for name in free}
            smallest = tuple(name for name, each in alone.items() if _difference(model, runner, each))
            return SpecTrial(spec, wrong, sizes, smallest)
    return SpecTrial(spec)


def _difference(model: Exportable, runner: torch.nn.Module, sizes: Sizes) -> str:
    """How an exported program differs from the contract at a size; "" where it does not."""
    expected = model.contract.outcome(**sizes)
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            args, kwargs = map(plain, _fake(model, sizes))
            value = call_foreign(runner, *args, **kwargs)
    except Exception as error:  # any class: guards, and kernels
        let_out(error)
        return f"the program refuses: {reason(error)}"
    seen = tuple(tuple(int(size) for size in tensor.shape) for tensor in output_tensors(value))
    same = expected.ok is True and seen == expected.outputs
    return "" if same else f"the program gives {seen}, the model {expected.outputs or 'an error'}"


def _fake(model: Exportable, sizes: Sizes) -> Arguments:
    def made(spec: Any) -> torch.Tensor:
        return torch.empty([dim.value(sizes) for dim in spec.dims], dtype=getattr(torch, spec.dtype))

    return model.inputs.map(made)


def plain(value: Any) -> Any:
    """A structure with plain dicts, as the text of a spec has them, in the place of groups of entries."""
    if type(value) in (Entries, dict):
        return {key: plain(each) for key, each in value.items()}
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


def points(box: SizeBox, example: Sizes) -> Iterator[Sizes]:
    """Members of a box: its corner, the next ones along each axis, and larger ones."""
    names = [axis.symbol for axis in box.free]
    found: list[dict[str, int]] = [{}, dict.fromkeys(names, 1), {name: 2 + place for place, name in enumerate(names)}]
    found += [{**dict.fromkeys(names, _INSIDE), name: 0} for name in names]
    found += [{name: _FAR + 2 * place for place, name in enumerate(names)}]
    found += [{**dict.fromkeys(names, 1), name: 2 * _FAR + 1} for name in names]
    sizes = [dict(example), *map(box.at, found)]
    yield from {tuple(each.items()): each for each in sizes}.values()
