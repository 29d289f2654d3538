"""The text for ONNX exports a file that gives what the model gives at the sizes that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
import pytest
import torch
from torch import nn

import shapelint
from shapelint.errors import SpecError
from tests.spec.nets import Joined, Odd

GOLDEN = Path(__file__).parent.parent / "golden"
pytestmark = pytest.mark.filterwarnings("ignore")


def run(net: nn.Module, text: str, folder: Path) -> Any:
    """What a person gets who pastes the text and calls its function."""
    scope: dict[str, Any] = {}
    exec(text, scope)
    scope["export"](net, folder / "net.onnx")
    session = onnxruntime.InferenceSession(folder / "net.onnx", providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {session.get_inputs()[0].name: image.numpy()})[0]


def test_the_file_gives_what_the_model_gives(tmp_path: Path) -> None:
    net = Joined().eval()
    text = shapelint.check(net, "N,3,H,W").spec("onnx")
    versions = re.sub(r"(torch|onnxruntime) \d[^ \n]*", r"\1 VERSION", text)
    assert versions == (GOLDEN / "spec.onnx.py").read_text()
    file = run(net, text, tmp_path)
    for shape in ((1, 3, 4, 8), (3, 3, 20, 36)):
        image = torch.rand(shape)
        assert numpy.allclose(file(image), net(image).detach().numpy(), atol=1e-4)


def test_what_the_file_does_otherwise_is_left_out(tmp_path: Path) -> None:
    text = shapelint.check(Odd().eval(), "1,1,L").spec("onnx")
    assert "# the file gives the sizes of the model for: L even\n" in text
    assert "# left out, though the model runs there: L odd\n#   at 1 the file gives 1x1x1, the model 1x1x4\n" in text
    assert run(Odd().eval(), text, tmp_path)(torch.rand(1, 1, 9)).shape == (1, 1, 9)  # and 12 in PyTorch


def test_a_file_with_other_values_is_refused() -> None:
    """The exporter writes the windows of one size into the file, and the shapes are right all the same."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.AdaptiveAvgPool2d(4)).eval()
    with pytest.raises(SpecError, match=r"right: dynamo=True: at \S+ the file gives other values, up to 0.*; dynamo="):
        shapelint.check(net, "1,1,H,W").spec("onnx")
