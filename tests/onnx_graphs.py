"""Hand-made ONNX files, what onnxruntime gives for them, and the comparison of a contract with it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper

from shapelint import ops  # noqa: F401  (registers the size rules)
from shapelint.diagnosis.subject import subject_of
from shapelint.facts.contract import Contract
from shapelint.instrument.install import tracked_builtins
from shapelint.request.inputs import Inputs
from shapelint.request.options import Options
from shapelint.request.question import Question, question
from shapelint.restore.process import shared_state
from shapelint.saved import load_saved
from shapelint.trace.explore import explore

PLAIN = Options({}, None, (), False, None)
Shapes = tuple[tuple[int, ...], ...]
FLOAT = TensorProto.FLOAT


def constant(value: Any, name: str, dtype: Any = numpy.int64) -> onnx.TensorProto:
    return onnx.numpy_helper.from_array(numpy.asarray(value, dtype=dtype), name)


def zeros(*shape: int, name: str) -> onnx.TensorProto:
    return constant(numpy.zeros(shape), name, numpy.float32)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str | None]],
    outputs: Sequence[str],
    *,
    held: Sequence[onnx.TensorProto] = (),
    opset: int = 17,
    dtype: int = FLOAT,
    dtypes: Mapping[str, int] | None = None,
) -> onnx.ModelProto:
    """`dtypes` are those of single inputs; onnxruntime's own operators can be used too."""
    kinds = {name: (dtypes or {}).get(name, dtype) for name in inputs}
    given = [helper.make_tensor_value_info(name, kinds[name], list(dims)) for name, dims in inputs.items()]
    made = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(list(nodes), "graph", given, made, list(held))
    domains = {node.domain for node in nodes if node.domain}
    versions = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in sorted(domains))]
    return helper.make_model(graph, opset_imports=versions, ir_version=8 if opset < 20 else 10)


def saved(proto: onnx.ModelProto, folder: Path, name: str = "model.onnx") -> str:
    file = folder / name
    file.write_bytes(proto.SerializeToString())
    return str(file)


def typed(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with outputs of a type, as onnxruntime wants it; where no one can infer it, of floats."""
    inferred = onnx.shape_inference.infer_shapes(proto)
    for output, known in zip(proto.graph.output, inferred.graph.output, strict=True):
        kind = known.type.tensor_type.elem_type or FLOAT
        output.CopyFrom(helper.make_tensor_value_info(output.name, kind, None))
    return proto


class Runtime:
    """onnxruntime, asked for the shapes that a file gives at some sizes of its inputs."""

    def __init__(self, file: str) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        self.refusal = ""
        try:
            self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            self.refusal = str(error)

    def shapes(self, dims: Sequence[Sequence[int]]) -> Shapes | None:
        """The shapes of the outputs; None where it raises."""
        if self.refusal:
            return None
        kinds = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64, "tensor(bool)": numpy.bool_,
                 "tensor(double)": numpy.float64, "tensor(uint8)": numpy.uint8,
                 "tensor(int32)": numpy.int32}  # fmt: skip
        feed = {
            each.name: numpy.zeros(tuple(shape), kinds[each.type])
            for each, shape in zip(self.session.get_inputs(), dims, strict=True)
        }
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        try:
            return tuple(tuple(each.shape) for each in self.session.run(None, feed, options))
        except Exception:
            return None


def contract_of(file: str) -> tuple[Contract, Question]:
    """The contract of a file alone: without pairs, repairs and rules."""
    model = load_saved(file, None, None, None, train=False)
    asked = question(model.inputs(Inputs()), {})
    with shared_state(), tracked_builtins(model.loaded.module):
        explored = explore(subject_of(model.loaded, asked, PLAIN), asked.domain, asked.first)
    return Contract(asked.symbols, asked.domain, tuple(explored.regions), asked.domain, False, None), asked


def differences(file: str, points: Sequence[Mapping[str, int]]) -> tuple[list[str], list[str]]:
    """Where the contract of a file and onnxruntime differ at some sizes; and what the contract does not know."""
    contract, asked = contract_of(file)
    runtime = Runtime(file)
    wrong, unknown = [], []
    for sizes in points:
        own = {name: value for name, value in sizes.items() if name in contract.symbols}
        outcome = contract.outcome(**own)
        observed = runtime.shapes([[dim.value(own) for dim in spec.dims] for spec in asked.inputs.tensors()])
        told = outcome.outputs if outcome.ok else None
        if outcome.ok is None:
            unknown.append(f"{own}: {[region.why for region in contract.regions if own in region.sizes]}")
        elif told != observed:
            told = told or outcome.error
            wrong.append(f"{own}: {told} is told, onnxruntime gives {observed} {runtime.refusal[-150:]}")
    return wrong, unknown


def drawn_sizes(draw: random.Random, names: Sequence[str], count: int, most: int = 24) -> list[dict[str, int]]:
    return [{name: draw.randint(1, most) for name in names} for _ in range(count)]
