"""The model behind a report, for what is asked of it after the check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from shapelint.facts.portability import Portability
from shapelint.locks import one_check
from shapelint.spec.code import binding

if TYPE_CHECKING:
    import torch

    from shapelint.facts.analysis import Analysis
    from shapelint.load import Loaded
    from shapelint.request.inputs import Inputs
    from shapelint.trace.run import Subject


NOT_EXPORTED: Final = "it is made of the model, not of a saved file or a stored report"


@dataclass(frozen=True, slots=True)
class Live:
    """A checked model: how it is built on the CPU, its inputs over the symbols, and what is known of its export.

    `sample` gives seeded tensors at a size; `steps` are after how many steps of each symbol its sizes repeat; `sizes`
    are some of each region at which it runs, and `memory` the bytes that a run at a size takes; `bound` gives the
    arguments by the names of the parameters; `axes` are the spatial axes of the inputs. `reason` says why it is not
    exported, "" where it can be. In a pickle there is none.
    """

    target: object
    build: Callable[[], torch.nn.Module]
    inputs: Inputs
    sample: Callable[[Mapping[str, int]], Any]
    steps: Mapping[str, int]
    sizes: tuple[Mapping[str, int], ...]
    memory: Callable[[Mapping[str, int]], int]
    portability: Portability
    bound: Callable[..., Mapping[str, object]] = lambda **given: given
    axes: tuple[int, ...] = ()
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


@dataclass(frozen=True, slots=True)
class ModelAtHand:
    """What a check had of its model: from it the live model is made when somebody asks, since that imports onnx.

    `names` are those of the inputs of a saved file.
    """

    target: object
    loaded: Loaded
    analysis: Analysis
    traced: Subject
    train: bool
    names: tuple[str, ...] = ()

    def __reduce__(self) -> Any:
        return _none, ()

    def live(self) -> Live:
        """The live model."""
        from shapelint.confirm.confirm import too_large
        from shapelint.confirm.points import export_subject
        from shapelint.confirm.sizes import chosen_sizes, periods

        traced, known = self.traced, self.analysis
        subject = export_subject(known, self.loaded, traced, train=self.train)
        function = traced.module.forward if traced.function is traced.module else traced.function
        reason = "" if traced.function is traced.module else "only forward is exported, not a method"
        reason = NOT_EXPORTED if self.names else reason or too_large(self.loaded.module) or ""
        bound = self._by_name if self.names else binding(function)
        sizes = chosen_sizes(replace(known, asked=known.contract.domain)).running
        assert subject.memory is not None
        return Live(
            self.target, subject.build, traced.inputs, subject.inputs, periods(known), sizes, subject.memory,
            known.portability, bound, known.question.axes, reason,
        )  # fmt: skip

    def _by_name(self, *args: object, **kwargs: object) -> Mapping[str, object]:
        """The arguments by the names that they have in the file."""
        return {**dict(zip(self.names, args, strict=False)), **kwargs}
