"""Finds inputs at which a model runs where nobody gave any, and says in one sentence what was assumed and why."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, islice, product
from typing import Any, Final

import torch

from shapelint import ops  # noqa: F401  (registers the size rules)
from shapelint.confirm.witness import Witness
from shapelint.errors import InferenceError, SpecError, words_of
from shapelint.evidence.forwards import Forward, read_forward
from shapelint.facts.failure import Kind
from shapelint.infer.found_inputs import found_inputs, spatial_symbols
from shapelint.infer.groups import Group, Reading, read_arguments
from shapelint.infer.guesses import Argument, Guess, annotated_guess, arguments, guesses, usual_dtype, usual_rank
from shapelint.infer.search import Found, Refusal, Search
from shapelint.instrument.install import tracked_builtins
from shapelint.load import Loaded
from shapelint.request.inputs import Inputs
from shapelint.request.options import Options
from shapelint.restore.process import shared_state
from shapelint.source.ownership import shown
from shapelint.terminal.quiet import quiet
from shapelint.trace.budget import Budget
from shapelint.trace.run import subject_for

_RUNS, _CALLS, _SECONDS = 240, 60_000, 30.0
_SHOWN: Final = 3
_OPTIONAL: Final = 3
_PICTURE: Final = 4
_LISTS: Final = 4
_RUNS_THERE: Final = ", at which it runs"
_FEW: Final = 2  # the input and the first layer: what raises there says only what the input must be
_IDS: Final = 2
_OF_SIZES: Final = frozenset({Kind.CHANNELS, Kind.MULTIPLE, Kind.JOIN, Kind.RESHAPE, Kind.OUTPUT_PADDING})
_EXAMPLES: Final = {3: "1,3,L", 5: "1,3,D,H,W"}
_BETTER: Final = 8  # guesses that are tried after one that runs and pins what should be free


@dataclass(frozen=True, slots=True)
class Assumed:
    """The inputs that a check assumes, and why, as the end of a sentence."""

    inputs: Inputs
    reason: str


def runs_at(loaded: Loaded, inputs: Inputs, options: Options) -> bool:
    """Whether a loaded model gives an output at inputs of fixed sizes."""
    with quiet(), shared_state(), tracked_builtins(loaded.module):
        trial = InputTrial(loaded, options)
        return trial.found(Guess(inputs, {}, (0, ""))) is not None


def infer(loaded: Loaded, given: Inputs, options: Options) -> Assumed:
    """Inputs at which a loaded model runs: every axis is a symbol at first, and what the layers pin is told.

    `given` are arguments without tensors, which are passed as they are. Where the model runs at no size of any guess,
    those of a likely one whose sizes are all proved to raise; InferenceError, with what was tried, where there is none.
    """
    trial = InputTrial(loaded, options)
    forward = read_forward(trial.function)  # before its code is compiled again
    with quiet(), shared_state(), tracked_builtins(loaded.module):
        chosen = _chosen(trial, given, forward)
        if chosen is None or chosen[0].first[0] < usual_rank(loaded.module):  # one sample, where no batch runs
            chosen = trial.raising() or chosen
    if chosen is None:
        raise trial.error()
    guess, found = chosen
    reason = _reason(guess, found)
    if found.run.failure is not None:
        reason = f"{'' if reason == _RUNS_THERE else reason}; no size of it runs, nor was another input found"
    return Assumed(found_inputs(guess, found), reason)


def _chosen(trial: InputTrial, given: Inputs, forward: Forward) -> tuple[Guess, Found] | None:
    """What is annotated; else the first guess that pins an axis and leaves the batch free, or the first that runs."""
    reading = read_arguments(trial.function, forward, trial.loaded.module)
    given = Inputs(given.args, {**_plain(trial.function, given, reading.plain), **given.kwargs})
    for groups in _variants(reading):
        chosen = _with_groups(trial, given, forward, groups)
        if chosen is not None:
            return chosen
    return None


def _variants(reading: Reading) -> Iterator[dict[str, Group]]:
    """Which groups to try; where a list may have several lengths, each of them, and plain tensors at the end."""
    for chosen in islice(product(*reading.groups.values()), _LISTS):
        yield dict(zip(reading.groups, chosen, strict=True))
    if reading.groups:
        yield {}


def _plain(function: Callable[..., Any], given: Inputs, plain: Mapping[str, object]) -> dict[str, object]:
    """Values for the arguments that are annotated as numbers or texts and have no default."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[len(given.args) :]
    except (TypeError, ValueError):
        return {}
    needed = (each for each in parameters if each.default is each.empty and each.kind is not each.POSITIONAL_ONLY)
    return {each.name: plain[each.name] for each in needed if each.name in plain}


def _with_groups(
    trial: InputTrial, given: Inputs, forward: Forward, groups: Mapping[str, Group]
) -> tuple[Guess, Found] | None:
    needed, optional = arguments(trial.function, given, groups)
    annotated = annotated_guess(needed, forward.axes, given, usual_dtype(trial.loaded.module))
    found = None if annotated is None else trial.found(annotated)
    if annotated is not None and found is not None:
        return replace(annotated, inputs=annotated.inputs.fitted(trial.function)), found
    runs: tuple[Guess, Found] | None = None
    for wanted in _rounds(needed, optional):
        single, tries = sum(len(each.keys) for each in wanted) == 1, _BETTER
        for guess in guesses(trial.loaded.module, wanted, given):
            if runs is not None and guess.first[1] != runs[0].first[1]:
                break
            found = trial.found(guess)
            if found is not None:
                guess = replace(guess, inputs=guess.inputs.fitted(trial.function))
                runs = runs or (guess, found)
                if _is_plain(guess, found) if single else _is_open(guess, found):
                    return guess, found
            tries -= runs is not None and not single
            if not tries:
                break
        if runs is not None:
            return runs
    return None


def _rounds(needed: list[Argument], optional: list[Argument]) -> Iterator[list[Argument]]:
    """What is given a tensor: what needs one; then one more that may have one, then two, and then three."""
    for count in range(_OPTIONAL + 1):
        for more in combinations(optional[:_OPTIONAL], count):
            yield [*needed, *more]


def _is_plain(guess: Guess, found: Found) -> bool:
    """Whether the batch is free and another axis is pinned to one number: of pictures and volumes the second.

    A picture of one size in every axis may be a vector that happens to fit.
    """
    first = [str(dim) for dim in next(guess.inputs.tensors()).dims]
    pinned = [found.pinned(name) is not None for name in first[1:]]
    picture = len(first) >= _PICTURE
    return found.is_free(first[0]) and any(pinned[:1] if picture else pinned) and not (picture and all(pinned))


def _is_open(guess: Guess, found: Found) -> bool:
    """Whether the batch is free, and of pictures and volumes the spatial axes of the first input too."""
    first = [str(dim) for dim in next(guess.inputs.tensors()).dims]
    spatial = first[2:] if len(first) >= _PICTURE else []
    return all(found.is_free(name) for name in (*first[:1], *spatial))


@dataclass(slots=True)
class InputTrial:
    """Runs a loaded model at guessed inputs; `refused` has, for each guess that never ran, how far it came.

    `broken` are the guesses whose sizes are all proved to raise, each with the run that came farthest.
    """

    loaded: Loaded
    options: Options
    refused: list[tuple[str, Refusal]] = field(default_factory=list)
    broken: list[tuple[Guess, Found]] = field(default_factory=list)
    budget: Budget = field(default_factory=lambda: Budget(runs=_RUNS, calls=_CALLS, seconds=_SECONDS))

    @property
    def function(self) -> Any:
        """What is called of the model."""
        return getattr(self.loaded.module, self.options.method or "forward")

    def found(self, guess: Guess) -> Found | None:
        """A run of the model at sizes of the guess that eager PyTorch confirms; None for none."""
        module, options = self.loaded.module, self.options
        try:
            guess = replace(guess, inputs=guess.inputs.fitted(self.function))
        except SpecError:
            return None
        subject = subject_for(module, guess.inputs, tuple(guess.hint), method=options.method, train=options.train)
        search = Search(subject, guess.hint, self.budget)
        found = search.found()
        if found is not None and self._is_real(guess, found):
            return found
        if search.refusals:
            tried = " and ".join(guess.inputs.texts())
            self.refused.append((tried, max(search.refusals, key=lambda each: each.reach)))
        if search.farthest is not None:
            self.broken.append((guess, search.farthest))
        return None

    def raising(self) -> tuple[Guess, Found] | None:
        """The guess of one tensor, of the rank that the layers say, that came farthest and raises at every size, for a
        reason of sizes that eager PyTorch confirms: a model that nobody can call. None where it may be the guess.
        """
        rank, found = usual_rank(self.loaded.module), list[tuple[Guess, Found]]()
        ids = any(isinstance(part, torch.nn.Embedding) for part in self.loaded.module.modules())
        for guess, farthest in self.broken:
            single = len(list(guess.inputs.tensors())) == 1 and len(farthest.run.records) > _FEW
            likely = guess.first[0] == rank if guess.first[1] != "int64" else ids and guess.first[0] == _IDS
            failure = farthest.run.failure
            if single and likely and failure is not None and failure.kind in _OF_SIZES:
                found.append((guess, farthest))
        best = max(found, key=lambda each: len(each[1].run.records), default=None)
        return None if best is None or not self._raises(*best) else best

    def _raises(self, guess: Guess, found: Found) -> bool:
        """Whether eager PyTorch raises too, where that costs little."""
        witness = Witness(self.loaded, method=self.options.method, train=self.options.train)
        return bool(witness.too_large(found.run)) or witness.at(guess.inputs, found.run.sizes).shapes is None

    def _is_real(self, guess: Guess, found: Found) -> bool:
        """Whether eager PyTorch runs there too, where that costs little: with zeros and small, or else with weights."""
        witness = Witness(self.loaded, method=self.options.method, train=self.options.train)
        if witness.too_large(found.run):
            return True
        small, asked = found.smaller(), found.run.sizes
        tried = (small,) if small == asked else (small, asked)
        if any(witness.at(guess.inputs, sizes, quick=True).shapes is not None for sizes in tried):
            return True
        seen = witness.at(guess.inputs, found.run.sizes)
        return seen.shapes is not None or not seen.counts

    def error(self) -> InferenceError:
        """What was tried, the guess that came farthest first, at the line that raised there."""
        name, example = self.loaded.name, _EXAMPLES.get(usual_rank(self.loaded.module), "1,3,H,W")
        if not self.refused:
            spent = self.budget.spent()
            why = f"tried for {spent}" if spent else "nothing could be tried"
            return InferenceError(f"{name}: could not infer an input; {why}; give it with --input {example}")
        farthest = sorted(self.refused, key=lambda each: each[1].reach, reverse=True)
        tried, refusal = farthest[0]
        place = "" if refusal.place is None else f" ({shown(str(refusal.place))})"
        if refusal.slip:
            said = f"{name} does not run: {refusal.text}{place}, at {tried}"
        else:
            others = list(dict.fromkeys(each for each, _ in farthest if each != tried))
            more = f" (also tried: {'; '.join(others[:_SHOWN])}{', ...' * (len(others) > _SHOWN)})" if others else ""
            where = f"`{refusal.module}`" if refusal.module and refusal.of_layer else "it"
            what = f"raises: {refusal.text}" if refusal.followed else f"cannot be followed: {words_of(refusal.error)}"
            said = f"{name}: could not infer an input; at {tried} {where} {what}{place}{more}"
            said += f"; give it with --input {example}"
        span = refusal.place
        return InferenceError(said, place=None if span is None else (span.file, span.line))


def _reason(guess: Guess, found: Found) -> str:
    """Which layer pins an axis, as the end of the sentence; "" where none does."""
    spatial = spatial_symbols(found)
    if guess.annotated:
        return f", as `{guess.annotated}` is annotated"
    for name in guess.hint:
        value = found.pinned(name)
        refusal = None if value is None or name in spatial else found.reason(name, value)
        if refusal is not None and refusal.module:
            return f": `{refusal.module}` takes {value} {_units(name, refusal, spatial)}{'s' * (value != 1)}"
        if refusal is not None:
            return f": the model takes {value} {_units(name, refusal, spatial)}{'s' * (value != 1)}"
    return _RUNS_THERE


def _units(name: str, refusal: Refusal, spatial: tuple[str, ...]) -> str:
    return "channel" if spatial and refusal.kind is Kind.CHANNELS and not name.startswith(("F", "L")) else "feature"
