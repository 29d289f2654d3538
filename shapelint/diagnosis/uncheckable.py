"""Models that cannot be checked, with the one line that is said of each: they never run, or give nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from shapelint.errors import ModelError
from shapelint.facts.failure import Kind
from shapelint.load.failure import place
from shapelint.request.inputs import Inputs
from shapelint.source.ownership import installed, shown
from shapelint.trace.explore import Exploration
from shapelint.trace.recording.errors import Unanalysable
from shapelint.trace.run import Run

if TYPE_CHECKING:
    from shapelint.load import Loaded

_MOST_DTYPES: Final = 3
_SLIPS: Final = (
    AttributeError, EOFError, ImportError, LookupError, MemoryError, ModelError, NameError, NotImplementedError,
    OSError, StopIteration, TypeError,
)  # fmt: skip


def refuse_what_never_runs(loaded: Loaded, explored: Exploration, parsed: Inputs, *, asked: bool) -> None:
    """Raises ModelError for a raise at every size that no size rule explains: no finding, but a check undone.

    Where no size is `asked` about, that a kernel or a container raises at a few says nothing of others that are not
    decided, or if a number that is computed from a size was taken as it is.
    """
    first = explored.runs[0]
    kind = None if first.failure is None else first.failure.kind
    undecided = any(region.outcome.ok is None for region in explored.regions)
    seen = undecided and kind is Kind.UNEXPLAINED and type(first.error) is RuntimeError
    frozen = first.leaks and (kind is Kind.OBSERVED or isinstance(first.error, (LookupError, StopIteration)))
    if not asked and (seen or frozen):
        return
    if all(map(_is_no_size_rule, explored.runs)) and not isinstance(first.error, Unanalysable):
        assert first.failure is not None
        where = f"{_where(first)}{_other_dtype(explored, first, parsed)}"
        raise ModelError(f"{loaded.name} does not run: {first.failure.at(first.sizes)}{where}") from first.error


def refuse_what_gives_nothing(loaded: Loaded, explored: Exploration, method: str) -> None:
    """Raises ModelError for a model that gives None: most often it has forgotten to return its output."""
    ended = [run for run in explored.runs if run.failure is None]
    if ended and all(run.nothing for run in ended):
        raise ModelError(f"{loaded.name} gives None, and so no size to check: a `return` is missing in its {method}")


def _other_dtype(explored: Exploration, first: Run, parsed: Inputs) -> str:
    """What to write where the model runs with inputs of another dtype, that of its first weight or of indices."""
    subject = explored.subject
    weights = (each.dtype for each in subject.module.parameters() if each.is_floating_point())
    wanted = dict.fromkeys([*map(str, weights), "int64"])
    for dtype in list(wanted)[:_MOST_DTYPES]:
        inputs = subject.inputs.in_dtype(dtype)
        if inputs == subject.inputs:
            continue
        run = Exploration(replace(subject, inputs=inputs), explored.domain, {}).run(first.sizes, symbolic=False)
        if run.failure is None:
            return f"; with {' and '.join(f'`{text}`' for text in parsed.in_dtype(dtype).texts())} it runs"
    return ""


def _where(run: Run) -> str:
    """The line that raised, or the user's that led to it, in brackets."""
    span = None if run.place is None else run.place.span()
    if span is not None and installed(span.file) and run.error is not None:
        return place(run.error)
    return "" if span is None else f" ({shown(str(span))})"


def _is_no_size_rule(run: Run) -> bool:
    """Whether a run raised for a reason other than a size: a slip in the code, on a way that no size decided."""
    if run.failure is None:
        return False
    slip = isinstance(run.error, _SLIPS) or type(run.error).__name__ == "BdbQuit"  # a breakpoint nobody goes on from
    slip = slip and not any(event.failure is None for event in run.events)
    unrelated = (Kind.UNEXPLAINED, Kind.OBSERVED, Kind.ARGUMENT)
    return run.failure.kind in unrelated or (run.failure.kind is Kind.PYTHON and slip)
