"""The Python text of a contract agrees with the contract, and needs nothing to run."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import shapelint
from examples.codec import Net as Codec
from examples.unet65 import Net as UNet
from shapelint.errors import SpecError
from shapelint.report.report import Report
from tests.spec.nets import Rows


class Squares(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.max_pool2d(x, 3) + nn.functional.max_pool2d(x, 3).transpose(2, 3)


def loaded(net: object, spec: str) -> tuple[dict[str, Any], Report]:
    report = shapelint.check(net, spec)
    scope: dict[str, Any] = {}
    exec(report.spec("python"), scope)
    return scope, report


@pytest.mark.parametrize("net", [UNet, Squares, lambda: nn.Conv2d(1, 1, 5)])
def test_it_takes_the_sizes_that_the_contract_takes(net: Any) -> None:
    scope, report = loaded(net, "1,3,H,W" if net is UNet else "1,1,H,W")
    wanted = report.contract.restores if report.contract.meant else report.contract.runs
    for size in product(range(1, 34), repeat=2):
        assert scope["fits"](*size) == (size in wanted), size


def test_it_names_the_nearest_sizes() -> None:
    scope, report = loaded(Codec, "1,1,L")
    scope["check_size"](32312)
    with pytest.raises(ValueError, match=r"^32000 does not fit: L 312 mod 320; the nearest are 31992 and 32312$"):
        scope["check_size"](32000)
    assert [each and each["L"] for each in report.contract.nearest(L=32000)] == [31992, 32312]


@pytest.mark.parametrize(("net", "spec"), [(UNet, "N,3,H,W"), (Codec, "1,1,L")])
def test_any_size_is_padded_to_one_that_fits_and_the_output_is_cropped(net: Any, spec: str) -> None:
    scope, _ = loaded(net, spec)
    model = net().eval()
    axes = 2 if net is UNet else 1

    def run(array: Any) -> Any:
        output = model(torch.from_numpy(array)).detach().numpy()
        assert output.shape[2:] == array.shape[2:]
        return output

    for sizes in product((1, 33), repeat=axes):
        shape = (1, 3 if net is UNet else 1, *sizes)
        assert scope["run_padded"](run, numpy.zeros(shape, numpy.float32)).shape[2:] == sizes
    assert scope["padded_size"](*[40] * axes) == ((48, 48) if net is UNet else (312,))


@pytest.mark.parametrize(
    ("net", "spec"),
    [
        (Rows, "1,1,H,W"),  # H and W must be padded alike
        (lambda: nn.Conv2d(1, 1, 3, padding=1), "1,1,H,W"),  # every size fits
        (lambda: nn.Conv2d(1, 1, 5), "1,1,H,W"),  # it gives back less
    ],
)
def test_where_padding_is_not_proved_or_not_needed_there_is_no_code_for_it(net: Any, spec: str) -> None:
    assert "padded_size" not in loaded(net, spec)[0]


def test_an_output_of_another_size_is_not_cropped_to_the_input() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 4, stride=4), nn.Upsample(scale_factor=8))
    report = shapelint.check(net, "1,1,H,W", expect="...,2*H,2*W")
    assert str(report.contract.restores) == "H and W multiples of 4"
    assert "padded_size" not in report.spec("python")


def test_a_model_that_fits_nowhere_has_none() -> None:
    with pytest.raises(SpecError, match="no size check: right for: no size"):
        shapelint.check(nn.Sequential(nn.Conv1d(1, 2, 3), nn.Conv1d(1, 2, 3)), "1,1,L").spec("python")
