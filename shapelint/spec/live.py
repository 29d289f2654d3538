"""The model behind a report, for what is asked of it after the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapelint.facts.portability import Portability
from shapelint.locks import one_check

if TYPE_CHECKING:
    import torch

    from shapelint.facts.analysis import Analysis
    from shapelint.load import Loaded
    from shapelint.request.inputs import Inputs
    from shapelint.request.options import Options
    from shapelint.trace.run import Subject


@dataclass(frozen=True, slots=True)
class Live:
    """A checked model: how it is built on the CPU, its inputs over the symbols, and what is known of its export.

    `sample` gives seeded tensors at a size; `steps` are after how many steps of each symbol its sizes repeat. `reason`
    says why it is not exported, "" where it can be. In a pickle there is none.
    """

    target: object
    build: Callable[[], torch.nn.Module]
    inputs: Inputs
    sample: Callable[[Mapping[str, int]], Any]
    steps: Mapping[str, int]
    portability: Portability
    reason: str = ""

    def __reduce__(self) -> Any:
        return _none, ()

    @contextmanager
    def imported(self) -> Iterator[None]:
        """The state in which the model's code runs, and in which an exporter finds its packages."""
        from shapelint.load import import_path, packages_first
        from shapelint.load.uncompiled import uncompiled

        with one_check(), import_path(self.target), uncompiled(), packages_first():
            yield


def _none() -> None:
    """What a pickle has in the place of a live model."""


def live_model(target: object, loaded: Loaded, analysis: Analysis, traced: Subject, options: Options) -> Live:
    """The live model of a check."""
    from shapelint.confirm.confirm import too_large
    from shapelint.confirm.points import export_subject
    from shapelint.confirm.sizes import periods

    subject = export_subject(analysis, loaded, traced, train=options.train)
    reason = "" if traced.function is traced.module else "only forward is exported, not a method"
    steps = periods(analysis)
    reason = reason or too_large(loaded.module) or ""
    return Live(target, subject.build, traced.inputs, subject.inputs, steps, analysis.portability, reason)
