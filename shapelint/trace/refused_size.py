"""The error of a transposed layer that is called with an `output_size` which it cannot give, as a failure of its sizes.

torch.nn raises it in Python, before its function is called: the sizes are read from the frame that raised. See
https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html, section "output_size".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from torch import nn

from shapelint.instrument.frames import raising_place
from shapelint.size.number import function_of, plain
from shapelint.trace.recorder import Recorder
from shapelint.trace.recording.errors import Failure, Kind
from shapelint.trace.recording.record import Record

_ARGUMENTS = ("kernel_size", "stride", "padding", "dilation")


def refused_size(recorder: Recorder, error: BaseException, text: str) -> Failure | None:
    """The failure, its call being recorded as the last one; None for another error."""
    told = _raising(error.__traceback__)
    if told is None:
        return None
    layer, index, axes = told["self"], told["i"], len(told["min_sizes"])
    known, name = recorder.known.get(id(told["input"])), recorder.names.get(id(layer), "")
    sizes = {"output_size": told["output_size"], "smallest": told["min_sizes"], "largest": told["max_sizes"]}
    made = Record(
        name=f"conv_transpose{axes}d",
        function=None,
        arguments=(),
        keywords={},
        module=name,
        call=1 + sum(record.module == name for record in recorder.records),
        inputs=() if known is None or known.node < 0 else (known.node,),
        taken=(),
        place=raising_place(error.__traceback__),
        spatial=axes,
        parameters={key: tuple(map(plain, values)) for key, values in sizes.items()},
    )
    made.parameters |= {key: tuple(getattr(layer, key)) for key in _ARGUMENTS}
    recorder.records.append(made)
    wanted, least = function_of(told["output_size"][index]), function_of(told["min_sizes"][index])
    return Failure(Kind.OUTPUT_SIZE, text, least, wanted, index - axes)


def _raising(traceback: TracebackType | None) -> Mapping[str, Any] | None:
    """What the frame of torch.nn that refused a size has in its variables."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None or traceback.tb_frame.f_code.co_name != "_output_padding":
        return None
    told = traceback.tb_frame.f_locals
    layer = told.get("self")
    known = isinstance(layer, nn.modules.conv._ConvTransposeNd) and isinstance(told.get("i"), int)
    return told if known and told.get("max_sizes") else None
