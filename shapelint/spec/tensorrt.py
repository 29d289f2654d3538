"""The profile of a TensorRT engine: the smallest, the usual and the largest shape of each input, for `trtexec`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from shapelint.facts.result import CheckResult
from shapelint.size.words import sized
from shapelint.spec.live import Live
from shapelint.spec.ranges import ONNX, RangedInputs, chosen_ends, head, onnx_path, ranged_inputs, unsaid_steps


def render(report: CheckResult, live: Live | None) -> str:
    """The text for one model. Raises SpecError where no size is proved to run."""
    inputs = ranged_inputs(report, live, "TensorRT")
    lines = [*head(report, inputs, "TensorRT profile"), *chosen_ends(inputs), *unsaid_steps(inputs)]
    file = onnx_path(report)
    lines += ["the file is that of `shapelint spec --for onnx`"] if file == ONNX else []
    ends = {"min": inputs.box.at({}), "opt": inputs.usual(), "max": inputs.usual(largest=True)}
    profile = [f"  --{end}Shapes={_shapes(inputs, sizes)}" for end, sizes in ends.items() if inputs.box.free]
    command = [f"trtexec --onnx={shlex.quote(file)}", *profile, "  --saveEngine=net.plan"]
    return "\n".join([*(f"# {line}" for line in lines), " \\\n".join(command), ""])


def _shapes(inputs: RangedInputs, sizes: Mapping[str, int]) -> str:
    return ",".join(f"{name}:{sized(inputs.shape(name, sizes))}" for name in inputs.named)
