"""Reads an ONNX file as data: no weight is loaded, nothing outside of its folder opened, and a wrong file is one line.

What it holds need not be a valid model: a cycle, a tensor that nothing gives or a graph nested too deep is found here.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final

import onnx

from shapelint.errors import TargetError
from shapelint.saved.dtypes import dtype_of, name_of
from shapelint.saved.graph import Given, Stored
from shapelint.saved.onnx.graph import FileFunction, Graph, GraphStep, Model, Reference
from shapelint.saved.onnx.order import ordered
from shapelint.saved.onnx.tensors import stored
from shapelint.saved.source_places import place_in
from shapelint.source.fault import call_foreign, let_out

LIMIT: Final = (1 << 31) - 1
OLDEST: Final = 6
_NEWEST: Final = 21
_NUMPY_LIKE: Final = 7  # the opset in which operators were changed that onnxruntime has no earlier ones of
_DEEPEST: Final = 16
_TRACE: Final = "pkg.torch.onnx.stack_trace"
_KIND: Final = onnx.AttributeProto


def read_onnx(file: Path) -> Model:
    """The model in a file; TargetError with one line where it is none, or one that onnxruntime would not run."""
    proto = _parsed(file)
    try:
        return _model(proto, file)
    except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError) as error:
        # What is no text in the file is bytes here, and numbers may be of any size.
        raise TargetError(f"{str(file)!r} is a damaged ONNX file ({type(error).__name__})") from error


def _model(proto: Any, file: Path) -> Model:
    if not proto.HasField("graph") or not (proto.graph.node or proto.graph.output):
        raise TargetError(f"{str(file)!r} holds no ONNX graph")
    versions = {each.domain.removeprefix("ai.onnx"): int(each.version) for each in proto.opset_import}
    opset = versions.get("", 0 if any(_is_own(each) for each in proto.graph.node) else _NEWEST)
    if opset < OLDEST:
        told = f"opset {opset}" if opset else "no opset"
        text = f"{str(file)!r} is written for {told}; {OLDEST} is the oldest that onnxruntime runs"
        raise TargetError(text)
    changed = next((each.op_type for each in proto.graph.node if opset < _NUMPY_LIKE and _is_changed(each)), None)
    if changed is not None:
        text = f"`{changed}` of opset {opset}, which onnxruntime does not run; export it with opset 7 or later"
        raise TargetError(f"{str(file)!r} has {text}")
    reader = _OnnxReader(file)
    functions = {(each.domain, each.name): reader.function(each, opset) for each in proto.functions}
    return Model(reader.graph(proto.graph, frozenset(), 0), opset, functions)


def _is_own(node: Any) -> bool:
    """Whether an operator is one of ONNX's own, which need a version; a file may have others alone."""
    return node.domain in ("", "ai.onnx")


def _is_changed(node: Any) -> bool:
    """Whether an operator was changed in opset 7."""
    if not onnx.defs.has(node.op_type, _NUMPY_LIKE, node.domain.removeprefix("ai.onnx")):
        return False
    return bool(onnx.defs.get_schema(node.op_type, _NUMPY_LIKE, node.domain).since_version == _NUMPY_LIKE)


def _parsed(file: Path) -> Any:
    try:
        if not file.is_file():
            raise TargetError(f"there is no file {str(file)!r}")
        if file.stat().st_size > LIMIT:
            raise TargetError(f"{str(file)!r} is larger than 2 GB, which no ONNX file can be")
        data = file.read_bytes()
    except OSError as error:
        raise TargetError(f"cannot read {str(file)!r}: {error.strerror or error}") from error
    try:
        return call_foreign(onnx.ModelProto.FromString, data)
    except Exception as error:  # protobuf's, for bytes of any origin
        let_out(error)
        raise TargetError(f"{str(file)!r} is no ONNX file, or a damaged one") from error


class _OnnxReader:
    """Reads the graphs of one file; the names of steps are made unique in it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._names: set[str] = set()

    def graph(self, proto: Any, around: AbstractSet[str], depth: int) -> Graph:
        """A graph; `around` are the tensors of the graphs that it lies in."""
        if depth > _DEEPEST:
            raise self._wrong(f"holds graphs inside of graphs, deeper than {_DEEPEST}")
        held = self._stored(proto)
        inputs = [each for each in proto.input if each.name not in held]
        known = {*around, *held, *(each.name for each in inputs)}
        within = known | {name for node in proto.node for name in node.output if name}
        steps = [self._step(node, within, depth) for node in proto.node]
        outputs = tuple(each.name for each in proto.output)
        order = ordered(steps, known, self._file)
        for name in outputs:
            if name not in within:
                raise self._wrong(f"gives {name!r}, which nothing in it makes")
        if depth == 0:
            return Graph(tuple(self._given(each) for each in inputs), outputs, held, order)
        told = tuple(self._told(each) for each in proto.output)
        return Graph((), outputs, held, order, tuple(each.name for each in inputs), told)

    def _told(self, value: Any) -> tuple[int | str | None, ...] | None:
        """The dims that a graph inside of another one tells of an output."""
        kind = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
            return None
        return tuple(int(dim.dim_value) if dim.HasField("dim_value") else None for dim in kind.shape.dim)

    def function(self, proto: Any, opset: int) -> FileFunction:
        """A function that the file brings along."""
        versions = {each.domain.removeprefix("ai.onnx"): int(each.version) for each in proto.opset_import}
        known = set(proto.input)
        within = known | {name for node in proto.node for name in node.output if name}
        steps = [self._step(node, within, 0) for node in proto.node]
        return FileFunction(tuple(proto.input), tuple(proto.output), ordered(steps, known, self._file),
                        versions.get("", opset))  # fmt: skip

    def _wrong(self, what: str) -> TargetError:
        return TargetError(f"{str(self._file)!r} {what}")

    def _stored(self, proto: Any) -> dict[str, Stored]:
        if proto.sparse_initializer:
            raise self._wrong("holds sparse tensors, which are not followed")
        return {each.name: stored(each, self._file) for each in proto.initializer}

    def _step(self, node: Any, around: AbstractSet[str], depth: int) -> GraphStep:
        attributes = {each.name: self._attribute(each, around, depth) for each in node.attribute}
        trace = next((each.value for each in node.metadata_props if each.key == _TRACE), "")
        domain = "" if node.domain == "ai.onnx" else node.domain
        place = place_in(trace, self._file) if trace else None
        name = self._unique(_shown(node.name or node.op_type))
        inputs, outputs = tuple(node.input), tuple(node.output)
        return GraphStep(name, _shown(node.op_type), _shown(domain), inputs, outputs, attributes, place)

    def _unique(self, name: str) -> str:
        found, count = name, 1
        while found in self._names:
            count += 1
            found = f"{name}_{count}"
        self._names.add(found)
        return found

    def _attribute(self, attribute: Any, around: AbstractSet[str], depth: int) -> Any:
        """An attribute as Python has it; what no operator here reads is None."""
        kind = attribute.type
        if attribute.ref_attr_name:
            return Reference(attribute.ref_attr_name)
        if kind == _KIND.GRAPH:
            return self.graph(attribute.g, around, depth + 1)
        if kind == _KIND.TENSOR:
            return stored(attribute.t, self._file)
        read = _READ.get(kind)
        return None if read is None else read(attribute)

    def _given(self, value: Any) -> Given:
        kind = value.type.tensor_type
        if not value.type.HasField("tensor_type"):
            raise self._wrong(f"takes {value.name!r}, which is no tensor")
        dtype = dtype_of(kind.elem_type)
        if dtype is None:
            raise self._wrong(f"takes {value.name!r} in a dtype that PyTorch does not have")
        dims = tuple(self._dim(each, value.name) for each in kind.shape.dim) if kind.HasField("shape") else None
        return Given(value.name, name_of(dtype), dims)

    def _dim(self, dim: Any, name: str) -> int | str | None:
        if dim.HasField("dim_value") and dim.dim_value != -1:
            if dim.dim_value < 1:
                raise self._wrong(f"takes {name!r} with a size of {dim.dim_value}, which no input has")
            return int(dim.dim_value)
        return str(dim.dim_param) or None


def _shown(name: str) -> str:
    """A name without what a terminal might take for a command."""
    return name if name.isprintable() else "".join(each if each.isprintable() else "?" for each in name)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


_READ: Final[Mapping[int, Any]] = {
    _KIND.INT: lambda each: int(each.i),
    _KIND.FLOAT: lambda each: float(each.f),
    _KIND.STRING: lambda each: _text(each.s),
    _KIND.INTS: lambda each: tuple(map(int, each.ints)),
    _KIND.FLOATS: lambda each: tuple(map(float, each.floats)),
    _KIND.STRINGS: lambda each: tuple(map(_text, each.strings)),
}
