"""A spec for torch.export is taken by torch.export, and the program gives the sizes that the model gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import shapelint
from examples.unet65 import Net
from shapelint.errors import SpecError
from shapelint.facts.contract import Contract
from shapelint.request.inputs import parse_inputs
from shapelint.spec.boxes import AxisRange, SizeBox
from shapelint.spec.exporting import Exportable, spec_of, tried
from tests.spec.nets import Odd, Rows

GOLDEN = Path(__file__).parent.parent / "golden"
pytestmark = pytest.mark.filterwarnings("ignore")


def program(net: nn.Module, text: str) -> Any:
    """What a person gets who pastes the text."""
    scope: dict[str, Any] = {}
    exec(text, scope)
    arguments = scope["args"], scope["kwargs"]
    return torch.export.export(net, *arguments, dynamic_shapes=scope["dynamic_shapes"]).module()


def test_a_lattice_becomes_derived_dims() -> None:
    net = Net().eval()
    text = shapelint.check(net, "N,3,H,W").spec("torch-export")
    assert re.sub(r"torch \d\S+", "torch VERSION", text) == (GOLDEN / "spec.torch-export.py").read_text()
    run = program(net, text)
    for shape in ((1, 3, 32, 48), (3, 3, 176, 32)):
        assert run(torch.rand(shape)).shape == net(torch.rand(shape)).shape
    with pytest.raises(AssertionError, match="Guard failed"):
        run(torch.rand(1, 3, 16, 32))  # left out, and said to be


def test_axes_that_must_be_equal_share_a_dim() -> None:
    net = Rows().eval()
    text = shapelint.check(net, "1,1,H,W").spec("torch-export")
    assert "dynamic_shapes = {'x': {2: h, 3: h}}" in text
    assert program(net, text)(torch.rand(1, 1, 9, 9)).shape == (1, 1, 9, 9)


def test_the_smallest_size_is_left_out_where_it_would_be_a_constant() -> None:
    """At 3 rows the convolution gives 1; torch.export says so in no range, but in words."""
    text = shapelint.check(nn.Conv2d(1, 1, 3), "1,1,H,W").spec("torch-export")
    assert "# the program takes: H and W at least 4\n" in text


def test_a_model_of_one_size_has_no_open_size() -> None:
    report = shapelint.check(nn.Linear(5, 3), "2,5")
    assert "dynamic_shapes = {'input': None}\n" in report.spec("torch-export")
    assert "PartialShape([2, 5])" in report.spec("openvino")


def test_a_branch_on_the_size_keeps_one_way_and_the_text_says_which() -> None:
    net = Odd().eval()
    text = shapelint.check(net, "1,1,L").spec("torch-export")
    assert "# the program takes: L even" in text
    assert re.search(r"# left out, though the model runs there: L odd\n", text)
    assert re.search(r"an export keeps one way of the branch at \S*nets.py:\d+", text)
    assert program(net, text)(torch.rand(1, 1, 10)).shape == (1, 1, 10)


def test_a_program_that_gives_another_size_is_refused() -> None:
    """The contract of one model, the program of another."""
    contract: Contract = shapelint.check(nn.Conv1d(1, 1, 3), "1,1,L").contract
    inputs, other = parse_inputs("1,1,L"), nn.Conv1d(1, 1, 3, padding=1).eval()

    def sample(sizes: Mapping[str, int]) -> Any:
        return inputs.map(lambda _: torch.rand(1, 1, sizes["L"]))

    model = Exportable(lambda: other, inputs, sample, contract)
    trial = tried(model, other, spec_of(model, other, SizeBox((AxisRange("L", 3, 1),))))
    assert trial.refusal == "the program gives ((1, 1, 160),), the model ((1, 1, 158),)"
    assert trial.at == {"L": 160}


def test_a_method_is_not_exported() -> None:
    report = shapelint.check(Encoder(), "1,1,L", method="encode")
    with pytest.raises(SpecError, match=r"no spec for torch\.export: only forward is exported, not a method"):
        report.spec("torch-export")
    with pytest.raises(SpecError, match="unknown form of a spec 'torch'"):
        report.spec("torch")


class Encoder(nn.Conv1d):
    """A model with a method beside forward."""

    def __init__(self) -> None:
        super().__init__(1, 1, 3)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self(x)
