"""SL505: onnxruntime gives another size than PyTorch, for no reason that another rule knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar

from shapelint.rule import Analysis, Confirmation, Finding, Invalid, Severity, Valid, sized

from ._causes import output_place

_NET = """
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 4, 5, padding=4)

    def forward(self, x):
        length = {}
        return self.conv(x)[..., :length]{}
"""

_CONFIRMED = {"confirm": ("cpu",)}


class RuntimeShape:
    """onnxruntime gives another size than PyTorch at a size that was run.

    ## What it does

    It reads the confirmations: where the exported model was run, and its output has another size than PyTorch's, or it
    fails at some sizes and runs at others. The provider that really ran and the exporter that made the file are named.
    What SL104 and SL501 to SL504 tell is not told again. Without a confirmation it has nothing to say. At an asked
    size it is an error, and else a warning.

    ## Why it is bad

    The file that is deployed does not do what the model does.

    ## Fix

    None: look for a size that the code takes as a plain number, by `int(...)` or `torch.tensor(...)`, since an
    exporter writes that number into the file.
    """

    code: ClassVar[str] = "SL505"
    name: ClassVar[str] = "runtime-shape"
    about_exports: ClassVar[bool] = True
    valid: ClassVar[tuple[Valid, ...]] = (
        Valid(_NET.format("x.shape[-1]", ""), "1,1,L", _CONFIRMED),
        Valid(_NET.format("int(x.shape[-1])", ""), "1,1,20", _CONFIRMED),
        Valid(_NET.format("int(x.shape[-1])", ""), "1,1,L"),
    )
    invalid: ClassVar[tuple[Invalid, ...]] = (
        Invalid(
            _NET.format("int(x.shape[-1])", "  # <-- SL505"),
            "1,1,L",
            "onnxruntime gives 1x4x5 at 1, PyTorch 1x4x1",
            options=_CONFIRMED,
        ),
    )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields one finding for each provider and exporter."""
        ran = sorted((each for each in analysis.confirmations if each.exporter), key=_file)
        for _, group in groupby(ran, key=_file):
            confirmed = tuple(group)
            wrong = [each for each in confirmed if _differs(each) and not _predicted(analysis, each)]
            if wrong and (any(each.observed is not None for each in confirmed) or not wrong[0].dynamic):
                yield self._finding(analysis, wrong, len(confirmed))

    def _finding(self, analysis: Analysis, wrong: Sequence[Confirmation], total: int) -> Finding:
        told = next((each for each in wrong if each.observed is not None), wrong[0])
        at = sized(tuple(told.sizes.values()))
        wanted, given = _first_difference(told)
        message = f"onnxruntime gives {given} at {at}, PyTorch {wanted}"
        if told.observed is None:
            message = f"onnxruntime fails at {at}, where PyTorch gives {wanted}"
        return Finding(
            code=self.code,
            name=self.name,
            severity=Severity.ERROR if analysis.certain else Severity.WARNING,
            message=message,
            notes=tuple(_notes(told, len(wrong), total)),
            location=output_place(analysis),
        )


def _file(each: Confirmation) -> tuple[str, str, bool, bool]:
    return each.provider, each.exporter, each.dynamic, each.repaired


def _differs(each: Confirmation) -> bool:
    """Whether the runtime, and not PyTorch, does otherwise than was predicted; one file that fails alone is no size."""
    if each.ok or each.predicted is None:
        return False
    if each.observed is None:
        return each.dynamic
    return each.observed != each.predicted and each.eager in (None, each.predicted)


def _predicted(analysis: Analysis, each: Confirmation) -> bool:
    return analysis.portability.foretells(each.sizes, fixed=not each.dynamic)


def _first_difference(each: Confirmation) -> tuple[str, str]:
    wanted, given = each.predicted or (), each.observed or ()
    pairs = [(one, other) for one, other in zip(wanted, given, strict=False) if one != other]
    one, other = pairs[0] if pairs else (wanted[0] if wanted else (), ())
    return sized(one) or "a scalar", sized(other) or "a scalar"


def _notes(told: Confirmation, wrong: int, total: int) -> Iterator[str]:
    yield f"run by {told.provider} of onnxruntime {told.version}, exported with {told.exporter}"
    if told.dynamic:
        yield f"in one file with open sizes, at {wrong} of {total} sizes"
    if told.observed is None:
        yield told.note
