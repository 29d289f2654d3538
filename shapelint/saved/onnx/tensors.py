"""The tensors of an ONNX file: their shapes, their dtypes, and the numbers of small ones; weights are never read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy
import onnx
import torch

from shapelint.errors import TargetError
from shapelint.saved.dtypes import dtype_of
from shapelint.saved.graph import Stored
from shapelint.saved.onnx.numbers import FLOATS, Numbers, numbers
from shapelint.source.fault import call_foreign, let_out

_MOST: Final = 1024
_MOST_FLOATS: Final = 32
_LARGEST: Final = 1 << 48
_TYPES: Final = {torch.bfloat16}


def stored(tensor: Any, file: Path) -> Stored:
    """What a file says of a tensor; TargetError where that cannot be, or where its data lie outside of the folder."""
    shape = tuple(int(each) for each in tensor.dims)
    if any(each < 0 for each in shape) or math.prod(shape) > _LARGEST:
        raise TargetError(f"{str(file)!r}: the tensor {tensor.name!r} has the shape {list(shape)}, which cannot be")
    data = _data_file(tensor, file)
    dtype = dtype_of(tensor.data_type)
    if dtype is None:
        return Stored(shape, None, None, f"the tensor `{tensor.name}` has a dtype that PyTorch does not have")
    most = _MOST_FLOATS if dtype in FLOATS else _MOST
    if math.prod(shape) > most or dtype.is_complex or dtype in _TYPES:
        return Stored(shape, dtype)
    return Stored(shape, dtype, _numbers(tensor, shape, dtype, file, data))


def _data_file(tensor: Any, file: Path) -> Path | None:
    """The file in which the data of a tensor are; None where they are in the file itself."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    told: dict[str, str] = {each.key: each.value for each in tensor.external_data}
    subject = f"{str(file)!r}: the data of {tensor.name!r} are in"
    location, folder = told.get("location", ""), file.resolve().parent
    try:
        path = (folder / location).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links that lead in a circle, up to Python 3.12
        raise TargetError(f"{subject} {location!r}, which is no file") from error
    if not location or Path(location).is_absolute() or not path.is_relative_to(folder):
        raise TargetError(f"{subject} {location!r}, outside of its folder")
    if path.exists() and not path.is_file():  # a pipe would be read for ever
        raise TargetError(f"{subject} {location!r}, which is no file")
    return path


def _numbers(tensor: Any, shape: tuple[int, ...], dtype: torch.dtype, file: Path, data: Path | None) -> Numbers | None:
    if data is not None:
        array = _outside(tensor, shape, data)
        if array is None:
            return None
    else:
        try:
            array = call_foreign(onnx.numpy_helper.to_array, tensor)
        except Exception as error:  # onnx's, for data of any kind
            let_out(error)
            text = f"{str(file)!r}: the data of the tensor {tensor.name!r} do not fit its shape {list(shape)}"
            raise TargetError(text) from error
    items = array.reshape(-1).tolist()
    if len(items) != math.prod(shape):
        raise TargetError(f"{str(file)!r}: the data of the tensor {tensor.name!r} do not fit its shape {list(shape)}")
    return numbers(items, dtype, shape)


def _outside(tensor: Any, shape: tuple[int, ...], data: Path) -> Any:
    """A small tensor in a file of its own; None where that is not there: then its numbers are not known."""
    told = {each.key: each.value for each in tensor.external_data}
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    size = math.prod(shape) * numpy.dtype(kind).itemsize
    try:
        with data.open("rb") as stream:
            stream.seek(int(told.get("offset") or 0))
            found = stream.read(size)
    except (OSError, ValueError, OverflowError):
        return None
    return numpy.frombuffer(found, dtype=kind) if len(found) == size else None
