"""One run of a model at one size, on meta tensors, under the recorder; the model is left as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from types import FunctionType, MethodType
from typing import Any, Final

import torch
from torch.nn.modules import module as hooks
from torch.nn.parameter import is_lazy

from shapelint.errors import printable, words_of
from shapelint.instrument.callees import callee
from shapelint.instrument.frames import no_place_above, raised_by_container, raised_by_python, raising_place
from shapelint.instrument.identity import hashes_heard
from shapelint.instrument.results import results_heard
from shapelint.instrument.turns import loops_followed
from shapelint.load.constants import SMALL
from shapelint.locks import one_run
from shapelint.request.entries import built
from shapelint.request.inputs import Inputs
from shapelint.request.spec import TensorSpec
from shapelint.restore import random as random_state
from shapelint.size.condition import Condition
from shapelint.size.function import constant
from shapelint.size.number import tracked_size
from shapelint.size.tracking import track
from shapelint.source.fault import call_foreign, let_out
from shapelint.source.span import CallSite
from shapelint.terminal.quiet import in_turn
from shapelint.trace.budget import Budget
from shapelint.trace.meta_state import MetaState
from shapelint.trace.recorder import Recorder
from shapelint.trace.recording.answers import Answers, LeftOpen
from shapelint.trace.recording.errors import Failure, Kind, SizeError, Unanalysable, refuse_nested
from shapelint.trace.recording.module_calls import ModuleCall, ModuleCalls
from shapelint.trace.recording.record import Event, Leak, Overrides, Record, Shape
from shapelint.trace.refused_size import refused_size
from shapelint.trace.turns.plans import Again, Plans
from shapelint.trace.unchecked import left_to_the_rules

_LONGEST_TEXT: Final = 1000
# Of one run: far more than any network takes, and less than memory lasts in an endless loop.
_CALLS: Final = 500_000
_SECONDS: Final = 60.0
_WAITING: Final = 240.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What is run: a module on meta, the function of it that is called, and the inputs as functions of symbols."""

    module: torch.nn.Module
    function: Callable[..., Any]
    inputs: Inputs
    symbols: tuple[str, ...]
    names: Mapping[int, str]
    meta_state: MetaState


def subject_for(
    module: torch.nn.Module, inputs: Inputs, symbols: Sequence[str], *, method: str | None, train: bool
) -> Subject:
    """A module, or one of its methods, with inputs, ready to run."""
    function: Any = module if method is None else getattr(module, method)
    names = {id(part): name for name, part in module.named_modules()}
    return Subject(module, function, inputs, tuple(symbols), names, MetaState(module, train=train))


@dataclass(frozen=True, slots=True)
class Run:
    """What one run did: its calls, the conditions on its path, and its outputs or its failure.

    `calls` counts every call of torch's functions, those of which no record is kept too. `random` tells that Python's
    or numpy's random numbers were drawn, or that calls were hidden from it: another run may end otherwise. `choices`
    are the answers that were given to what its code asks of the data; `sure_events` counts the events before the first
    of them, `choice_place` is where that one was asked, `chance` what drew its answer. Of the comparisons that are
    `left_open` the run takes one side. `nothing` tells that the model gave None. The shapes of the first `sure` calls
    follow from the size rules; `module_calls` are those of modules, as they ended. With `loops` it
    had a turn of a loop that stands for many; `closed` is as in `turns/numbers.py`.
    """

    sizes: Mapping[str, int]
    records: list[Record]
    events: list[Event]
    leaks: list[Leak]
    outputs: tuple[Shape, ...]
    output_nodes: tuple[int, ...]
    failure: Failure | None
    place: CallSite | None = None
    calls: int = 0
    error: BaseException | None = field(default=None, compare=False)
    random: bool = False
    choices: tuple[bool, ...] = ()
    sure_events: int = 0
    choice_place: CallSite | None = None
    chance: str = ""
    left_open: frozenset[Condition] = frozenset()
    nothing: bool = False
    sure: int = 0
    module_calls: list[ModuleCall] = field(default_factory=list)
    loops: bool = False
    closed: bool = False

    @property
    def unseen(self) -> Leak | None:
        """Why the run shows nothing of what PyTorch does."""
        ended_well = self.failure is None
        return next((each for each in self.leaks if each.unseen and (ended_well or each.made_up)), None)

    def leaves_open(self, event: Event) -> bool:
        """Whether a condition is an open comparison of the model's own code: it tells on which way the run is."""
        return event.place is not None and event.condition in self.left_open


def run_once(
    subject: Subject, sizes: Mapping[str, int], *, symbolic: bool, overrides: Overrides | None = None,
    with_places: bool = True, choices: tuple[bool, ...] = (), left_open: LeftOpen | None = None,
    plans: Plans | None = None,
) -> Run:  # fmt: skip
    """Runs the model where the symbols have `sizes`; with plain ints unless `symbolic`.

    Places and layers of the calls are left out where they need not be `with_places`. `choices` are the first answers
    to what the model's code asks of the data (no, after them), and about the comparisons that are `left_open`. An error
    Again asks for another run with the same `plans`.
    """
    asked: dict[str, Any] = {"overrides": overrides or {}, "with_places": with_places, "plans": plans}
    asked |= {"answers": Answers(choices, left_open or LeftOpen()), "stop": run_once.__code__}
    recorder = Recorder(subject.names, sizes, budget=Budget(calls=_CALLS, seconds=_SECONDS, waiting=_WAITING), **asked)
    before = track(recorder if symbolic else None)
    value, tensors, modules = None, [], ModuleCalls(recorder)
    error: BaseException | None = None
    try:
        subject.meta_state.take()
        random_state.seed()
        _learn_constants(recorder, subject)
        args, kwargs = subject.inputs.parts(lambda spec: _input(recorder, spec, sizes))
        hooked = _hooks(recorder, modules) if with_places or overrides else nullcontext()
        heard = loops_followed(recorder.loops)
        told = results_heard(modules.end_function) if with_places else nullcontext()
        with one_run(), in_turn(), hooked, told, left_to_the_rules(), hashes_heard(), torch.no_grad(), heard, recorder:
            # What the constructor of an argument's class asks of sizes is heard too.
            value = call_foreign(_heard(subject.function), *built(args), **built(kwargs))
        refuse_nested(map(type, found := output_tensors(value)))
        tensors = found
    except (Exception, SystemExit) as raised:  # the user's code
        let_out(raised)
        error = raised
    finally:
        error, tensors = recorder.loops.ended(error, tensors, modules.made)
        track(before)
    if recorder.internal_error is not None and not isinstance(error, Again):
        raise recorder.internal_error
    run = _finished(recorder, sizes, tensors, error, [random_state.drawn(), subject.meta_state.hidden])
    return replace(run, nothing=value is None and error is None, module_calls=modules.made)


no_place_above(run_once.__code__)


def _heard(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is not `forward` is found by no name in the code of another, so it is compiled here."""
    return callee(function) if isinstance(function, FunctionType | MethodType) else function


def _finished(
    recorder: Recorder,
    sizes: Mapping[str, int],
    tensors: Sequence[torch.Tensor],
    error: BaseException | None,
    chance: Sequence[str],
) -> Run:
    """The run as it ended; `chance` are the reasons, if any is not "", why another run may end otherwise."""
    failure, place = None, None
    recorder.leaks += [Leak(reason, None) for reason in chance if reason]
    if error is not None:
        failure, place = _explained(recorder, sizes, error), raising_place(error.__traceback__)
        place = place if not isinstance(error, Unanalysable) or error.place is None else error.place
    outputs = tuple(recorder.shape(tensor) for tensor in tensors)
    nodes = tuple(recorder.known[id(tensor)].node for tensor in tensors)
    kept = recorder.records, recorder.events, recorder.leaks
    run = Run(sizes, *kept, outputs, nodes, failure, place, recorder.calls, error, any(chance))
    numbers, sure = recorder.loops.numbers, 0 if run.random else recorder.sure
    run = replace(run, sure=sure, loops=numbers.any_used, closed=numbers.closed or recorder.closed)
    given = recorder.answers
    if not given.given:
        return run
    run = replace(run, choices=tuple(given.given), left_open=given.left_open)
    return replace(run, sure_events=given.events, choice_place=given.place, chance=given.chance)


def _explained(recorder: Recorder, sizes: Mapping[str, int], error: BaseException) -> Failure:
    if isinstance(error, (SizeError, Unanalysable)) and error.failure is not None:
        return error.failure
    said = _cause(error)[:_LONGEST_TEXT].partition("\n")[0]
    text = f"{type(error).__name__}: {printable(said)}".removesuffix(": ")
    text = text.replace("{", "(").replace("}", ")")
    refused = refused_size(recorder, error, _as_seen(text, sizes))
    if refused is not None:
        return refused
    known = raised_by_python(error.__traceback__) or raised_by_container(error)
    known = known and error is not recorder.kernel_error and error is not recorder.observed
    known = known or isinstance(error, TypeError)  # of types, which are the same on the whole way
    if known and not isinstance(error, (Unanalysable, SystemExit)):
        return Failure(Kind.PYTHON, _as_seen(text, sizes))
    return Failure(Kind.OBSERVED if error is recorder.observed else Kind.UNEXPLAINED, text)


def _cause(error: BaseException) -> str:
    """What an error says, or the one of its kind that it repeats below a headline, as those of einops do."""
    text, inner = words_of(error), error.__context__
    if type(inner) is type(error) and "\n" in text[:_LONGEST_TEXT]:
        cause = words_of(inner)
        return cause if cause and cause in text else text
    return text


def _as_seen(text: str, sizes: Mapping[str, int]) -> str:
    """The model's own words, with the size at which they were said where they may name it."""
    if not sizes or not any(str(size) in text for size in sizes.values()):
        return text
    return f"{text} (seen at {', '.join(f'{name}={size}' for name, size in sizes.items())})"


def output_tensors(value: Any) -> list[torch.Tensor]:
    """Every tensor in a model's output, depth first, through containers and dataclasses."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, Mapping):
        parts: Any = value.values()
    elif isinstance(value, (tuple, list)):
        parts = value
    elif hasattr(value, "__dataclass_fields__"):
        parts = [getattr(value, name) for name in value.__dataclass_fields__]
    else:
        return []
    return [tensor for part in parts for tensor in output_tensors(part)]


def _input(recorder: Recorder, spec: TensorSpec, sizes: Mapping[str, int]) -> torch.Tensor:
    values = [function.value(sizes) for function in spec.dims]
    dims = tuple(map(tracked_size, values, spec.dims))
    recorder.records.append(Record("input", None, (), {}, "", 1, (), (), None, outputs=(dims,)))
    try:
        tensor = torch.empty(values, dtype=getattr(torch, spec.dtype), device="meta")
    except (RuntimeError, TypeError) as error:  # a TypeError for a size that is no 64-bit integer
        raise Unanalysable("an input has more bytes than torch can count") from error
    recorder.records[-1].result = tensor
    recorder.learn(tensor, dims, len(recorder.records) - 1)
    return tensor


def _learn_constants(recorder: Recorder, subject: Subject) -> None:
    """What is known of the module's own tensors."""
    recorder.known.update(subject.meta_state.fixed())
    for tensor, name in subject.meta_state.changing():
        if id(tensor) not in recorder.known:
            _learn_constant(recorder, tensor, name)


def _learn_constant(recorder: Recorder, tensor: torch.Tensor, name: str) -> None:
    whole = not tensor.is_meta and not tensor.is_floating_point() and tensor.numel() <= SMALL
    numbers = tuple(tensor.flatten().tolist()) if whole else None
    known = recorder.learn(tensor, (0,) if is_lazy(tensor) else tuple(tensor.shape), -1, numbers)
    known.constant, known.name = not tensor.is_meta, name


def overriding(values: Mapping[str, tuple[int, ...]], parameter: str = "output_padding") -> Overrides:
    """Values of one argument for some layers, as a run takes them."""
    return {module: {parameter: tuple(map(constant, value))} for module, value in values.items()}


@contextmanager
def _hooks(recorder: Recorder, modules: ModuleCalls) -> Iterator[None]:
    """Tells the recorder which module runs, in this thread: no call of another one is seen."""
    thread = threading.get_ident()

    def enter(module: torch.nn.Module, given: Any) -> None:
        if threading.get_ident() == thread:
            modules.begin()
            recorder.enter(module, given)

    def leave(module: torch.nn.Module, given: Any, output: Any) -> None:
        if threading.get_ident() == thread:
            modules.end(module, output)
            recorder.leave(module, given, output)

    before = hooks.register_module_forward_pre_hook(enter)
    after = hooks.register_module_forward_hook(leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()
